"""unreachable-route: a route that no alert can ever take."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.routing.reach import ReachKind
from homelabmon.spec.findings import Severity

_FIXES = {
    ReachKind.CONTRADICTION: "remove one of these matchers, or make two routes of it",
    ReachKind.SHADOWED: "move it up, narrow what comes before it, or give that `continue: true`",
}


def _find(context: Context) -> Iterator[Problem]:
    for route in context.pointless:
        if route.finding.kind in _FIXES:
            fix = _FIXES[route.finding.kind]
            if route.built_in:
                fix = "remove it: that route is always there"
            elif route.named:
                fix = "remove it, or the `channel` of those heartbeats or probes, from which that route follows"
            yield Problem((*route.path, "name"), route.finding.reason, fix)


CHECK = Check(
    "unreachable-route",
    Severity.ERROR,
    "A route that no alert can take: its matchers contradict each other, or routes before it take everything.",
    _find,
    whole=True,
)
