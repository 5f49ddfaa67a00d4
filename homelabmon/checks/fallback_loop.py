"""fallback-loop: channels that stand in for each other in a circle, so that in the end none stands in."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.cycles import cycles
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    channels = context.stack.channels
    edges = {name: [channel.fallback] if channel.fallback else [] for name, channel in channels.items()}
    for cycle in cycles(edges):
        message = f"channels fall back on each other in a circle: {' -> '.join((*cycle, cycle[0]))}"
        if len(cycle) == 1:
            message = f"the channel {cycle[0]!r} falls back on itself"
        fix = "let the last one have no fallback, and let its webhook be one that nobody deletes"
        yield Problem(("channels", cycle[0], "fallback"), message, fix)


CHECK = Check("fallback-loop", Severity.WARNING, "Channels fall back on each other in a circle.", _find)
