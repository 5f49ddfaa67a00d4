"""idle-window: a maintenance window is to silence a route of which Alertmanager never sees an alert.

Routes are silenced by Alertmanager. What is posted to the relay itself, and what the outpost notices, does not pass
through it; an event happens once, so that keeping it back would lose it. The outpost keeps quiet about ``components``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.routes import RoutePlace
from homelabmon.spec import names
from homelabmon.spec.contribution import ALERTS_PEOPLE
from homelabmon.spec.findings import Path, Severity

_POSTED: Final = {
    names.SOURCE_FALCO: "Falco's events",
    names.SOURCE_FLUX: "Flux' events",
    names.SOURCE_EVENT: "events of scripts",
}
_NOTICED: Final = {"heartbeat": "heartbeats that the outpost waits for", "probe": "what the outpost asks"}


def _find(context: Context) -> Iterator[Problem]:
    foreign = _foreign(context)
    past = {place.route.name: what for place in context.routes if place.route and (what := _past(place, foreign))}
    for number, window in enumerate(context.stack.maintenance):
        for index, name in enumerate(window.routes):
            if name in past:
                yield _problem(("maintenance", number, "routes", index), name, past[name], window.name)
    for place in context.routes:
        if place.route is not None and place.route.name in past:
            for index, window_name in enumerate(place.route.mute):
                yield _problem((*place.path, "mute", index), place.route.name, past[place.route.name], window_name)


def _problem(path: Path, route: str, what: str, window: str) -> Problem:
    message = (
        f"route {route!r} takes only {what}, which do not pass through Alertmanager: "
        f"the window {window!r} does not silence it"
    )
    fix = "remove it here; what must never be told, switch off where it is noticed"
    if any(noticed in what for noticed in _NOTICED.values()):
        fix = "remove it here, and name those heartbeats and probes in the window's `components`"
    return Problem(path, message, fix)


def _foreign(context: Context) -> dict[str, str]:
    """Sources whose alerts never pass through Alertmanager, and what they are called. Own alerts may claim a source."""
    known = {**(_POSTED if context.offers(ALERTS_PEOPLE) else {}), **(_NOTICED if context.stack.outpost else {})}
    own = {alert.labels.get(names.LABEL_SOURCE) for alert in context.stack.alerts}
    return {source: what for source, what in known.items() if source not in own}


def _past(place: RoutePlace, foreign: dict[str, str]) -> str:
    """What a route takes, where nothing of it passes through Alertmanager; else nothing."""
    for matcher in place.matchers:
        wanted = matcher.values if matcher.name == names.LABEL_SOURCE and matcher.positive else None
        if wanted is not None and wanted <= foreign.keys():
            return " and ".join(what for source, what in foreign.items() if source in wanted)
    return ""


CHECK = Check(
    "idle-window",
    Severity.WARNING,
    "A maintenance window is to silence a route that takes only what does not pass through Alertmanager.",
    _find,
    whole=True,
)
