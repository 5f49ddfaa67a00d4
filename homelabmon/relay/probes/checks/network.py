"""Asks any probe: chooses the check, bounds its time, and puts whatever is raised into words.

Used by the part and by `homelabmon probe`. May import: its neighbours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from homelabmon.relay.probes.checks import dns, http, icmp, statuspage, tcp
from homelabmon.relay.probes.checks.errors import UnknownError, words_of
from homelabmon.relay.probes.checks.line import Line
from homelabmon.relay.probes.outcome import Outcome, Theirs, Timing
from homelabmon.relay.probes.targets import Target
from homelabmon.spec.watch import Probe

Check = Callable[[Probe, Line, Timing], Awaitable[Outcome]]
_CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("url", http.check),
    ("tcp", tcp.check),
    ("icmp", icmp.check),
    ("dns", dns.check),
)
THEIRS_WITHIN: Final = 10.0
"""Seconds that a third party's own page has to answer."""


class Network:
    """The real network."""

    def __init__(self) -> None:
        self._line = Line()

    async def check(self, target: Target) -> Outcome:
        """Asks once."""
        timing, clock = Timing(), asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(target.timeout):
                found = await _check(target.probe)(target.probe, self._line, timing)
        except TimeoutError as error:
            words = _too_late(timing, target) if clock() - began >= target.timeout else words_of(error)
            found = Outcome("failed", words)
        except UnknownError as error:
            found = Outcome("unknown", str(error))
        except Exception as error:
            found = Outcome("failed", words_of(error))
        return replace(found, latency=clock() - began, timing=timing.words())

    async def theirs(self, target: Target, now: float) -> Theirs | None:
        """What the third party says of itself."""
        if target.probe.statuspage is None:
            return None
        try:
            async with asyncio.timeout(THEIRS_WITHIN):
                return await statuspage.read(target.probe.statuspage, self._line, now)
        except Exception:
            return None


def _check(probe: Probe) -> Check:
    return next(check for field, check in _CHECKS if getattr(probe, field) is not None)


def _too_late(timing: Timing, target: Target) -> str:
    """How far it had come when its time was over."""
    within = f"within {target.timeout:g} s"
    probe = target.probe
    if timing.dns is None:
        return f"its name could not be looked up {within}"
    if probe.dns is not None or probe.icmp is not None:
        return f"no answer {within}"
    if timing.connect is None:
        return f"no connection {within}"
    if timing.tls is None and probe.url is not None and probe.url.lower().startswith("https:"):
        return f"no TLS connection {within}"
    if probe.url is not None and timing.first_byte is not None:
        return f"its answer did not end {within}"
    return f"no answer {within}"
