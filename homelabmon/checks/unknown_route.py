"""unknown-route: a maintenance window is for a route that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    known = context.known("routes") | {route.name for route in context.site.channel_routes}
    for number, window in enumerate(context.stack.maintenance):
        for index, name in enumerate(window.routes):
            if name not in known:
                fix = context.guess(name, known, "routes: ") or "remove it, or add the route"
                yield Problem(("maintenance", number, "routes", index), f"there is no route {name!r}", fix)


CHECK = Check(
    "unknown-route",
    Severity.ERROR,
    "A maintenance window names a route that does not exist: nobody is muted by it.",
    _find,
)
