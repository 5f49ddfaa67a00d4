"""A TCP connection: whether one can be made. May import: its neighbours, spec."""

from __future__ import annotations

import asyncio

from homelabmon.relay.probes.checks.line import Line
from homelabmon.relay.probes.outcome import Outcome, Timing
from homelabmon.spec.watch import Probe


async def check(probe: Probe, line: Line, timing: Timing) -> Outcome:
    """Connects, and hangs up."""
    assert probe.tcp is not None
    clock = asyncio.get_running_loop().time
    host, _, port = probe.tcp.rpartition(":")
    began = clock()
    addresses = await line.addresses(host.removeprefix("[").removesuffix("]"), int(port))
    timing.dns = clock() - began
    (await line.connect(addresses)).close()
    timing.connect = clock() - began - timing.dns
    return Outcome("ok")
