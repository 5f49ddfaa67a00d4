"""unknown-window: a route is muted by a maintenance window that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    known = context.known("maintenance")
    for place in context.routes:
        for number, name in enumerate(place.route.mute if place.route is not None else ()):
            if name not in known:
                fix = context.guess(name, known, "windows: ") or "add the window to maintenance"
                yield Problem((*place.path, "mute", number), f"there is no maintenance window {name!r}", fix)


CHECK = Check(
    "unknown-window",
    Severity.ERROR,
    "A route's `mute:` names a window that `maintenance:` does not define: Alertmanager refuses its configuration.",
    _find,
)
