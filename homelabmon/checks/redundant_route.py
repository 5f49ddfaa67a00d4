"""redundant-route: a route without which everything would be the same."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.routing.reach import ReachKind
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    for route in context.pointless:
        if route.finding.kind is ReachKind.REDUNDANT:
            reason = route.finding.reason.replace("as root would", "as the defaults would")
            yield Problem((*route.path, "name"), reason, "remove it, or say what it should do differently")


CHECK = Check(
    "redundant-route",
    Severity.INFO,
    "A route that changes nothing: its alerts go where they would go anyway.",
    _find,
    whole=True,
)
