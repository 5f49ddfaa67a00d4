"""unheard-alert: alerts of which nobody can ever hear: always silent, always inhibited, or never sent.

Decided for certain or not at all: where an alert might be told at some moment, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.components.inhibition import ancestors
from homelabmon.spec import names
from homelabmon.spec.contribution import ALERTS_PEOPLE, EVENTS_FALCO, GUARD
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.matchers import Matcher
from homelabmon.spec.routes import Maintenance, matchers_of

_WEEK: Final = 7 * 24 * 60
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WATCHDOG: Final = {names.LABEL_ALERTNAME: names.WATCHDOG}
_NAMED: Final = (names.LABEL_HEARTBEAT, names.LABEL_PROBE)
_FALCO: Final = {names.LABEL_SOURCE: "falco"}


def _find(context: Context) -> Iterator[Problem]:
    if context.stack.components.alertmanager is not None:
        yield from _always_silent(context)
        yield from _always_inhibited(context)
    yield from _never_sent(context)


# Always silent -----------------------------------------------------------------------------------------------------


def _always_silent(context: Context) -> Iterator[Problem]:
    """By maintenance windows. They are Alertmanager's: what is posted to the relay itself is told all the same."""
    windows = {window.name: window for window in context.stack.maintenance}
    everywhere = [window for window in windows.values() if window.everything]
    if _always_open(everywhere):
        message = f"{_listed(everywhere)} open at every hour of the week: no alert of Prometheus is ever told"
        path: Path = ("maintenance", context.stack.maintenance.index(everywhere[-1]))
        yield Problem(path, message, "give it hours, or name the routes that are to be silent")
        return
    silent: dict[Path, frozenset[str]] = {}
    for place in context.routes:
        if place.route is None or not windows:
            continue
        name, around = place.route.name, silent.get(place.path[:-2], frozenset(window.name for window in everywhere))
        own = {window.name for window in windows.values() if name in window.routes} | set(place.route.mute)
        silent[place.path] = around | own
        muting = [windows[window] for window in windows if window in silent[place.path]]
        if own - around and _always_open(muting) and not _always_open(windows[one] for one in around if one in windows):
            message = f"route {name!r} is always silent ({_listed(muting)} open): it tells no alert of Prometheus"
            fix = "leave it hours in which it speaks, or remove it"
            yield Problem((*place.path, "name"), message, fix, Severity.WARNING)
    yield from _silent_channels(context, everywhere)


def _silent_channels(context: Context, everywhere: Sequence[Maintenance]) -> Iterator[Problem]:
    """Routes that follow from the channel of a heartbeat or a probe: nobody wrote them, so windows alone name them."""
    maintenance = context.stack.maintenance
    for route in context.site.channel_routes:
        own = [window for window in maintenance if route.name in window.routes]
        muting = [window for window in maintenance if window in own or window in everywhere]
        if own and _always_open(muting):
            path = ("maintenance", maintenance.index(own[-1]), "routes", own[-1].routes.index(route.name))
            things = ", ".join(name for label, names_ in route.match.items() if label in _NAMED for name in names_)
            message = f"route {route.name!r} is always silent ({_listed(muting)} open): nobody is told of {things}"
            yield Problem(path, message, "leave it hours in which it speaks", Severity.WARNING)


def _always_open(windows: Iterable[Maintenance]) -> bool:
    """Whether there is no minute of any week at which none is open: by those that share a time zone."""
    zones: dict[str, set[int]] = {}
    for window in windows:
        zones.setdefault(window.timezone, set()).update(_minutes(window))
    return any(len(minutes) == _WEEK for minutes in zones.values())


def _minutes(window: Maintenance) -> Iterator[int]:
    """The minutes of the week at which a weekly window is open, from Monday 00:00."""
    if window.from_ is None or window.to is None:
        return
    start, end = _minute(window.from_), _minute(window.to)
    if end <= start:
        end += 24 * 60
    for day in window.weekdays or _DAYS:
        first = _DAYS.index(day) * 24 * 60
        yield from (minute % _WEEK for minute in range(first + start, first + end))


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _listed(windows: Sequence[Maintenance]) -> str:
    weekly = [repr(window.name) for window in windows if window.from_ is not None]
    return f"{' and '.join(weekly)} {'is' if len(weekly) == 1 else 'are together'}"


# Always inhibited --------------------------------------------------------------------------------------------------


def _always_inhibited(context: Context) -> Iterator[Problem]:
    """By the Watchdog, which never stops to fire."""
    if names.WATCHDOG not in context.alerts.chart:
        return
    fix = "name the alert that is the cause: the Watchdog fires while all is well"
    for number, rule in enumerate(context.stack.inhibit):
        # With labels that must be equal, alerts that have them are not inhibited: the Watchdog has none.
        if not rule.equal and _inhibits(rule.source.all_matchers, rule.target.all_matchers):
            message = f"the {names.WATCHDOG} always fires: what the target matches is never told"
            yield Problem(("inhibit", number, "source"), message, fix)
    things = context.stack.depends_on
    for name, thing in things.items():
        above = [other for other, item in things.items() if item.match and name in ancestors(other, things)]
        if any(_inhibits(matchers_of(thing.down), matchers_of(things[other].match)) for other in above):
            message = f"the {names.WATCHDOG} always fires: alerts of what stands on {name!r} are never told"
            yield Problem(("depends_on", name, "down"), message, fix)


def _inhibits(source: tuple[Matcher, ...], target: tuple[Matcher, ...]) -> bool:
    """Whether the Watchdog surely inhibits whatever matches the target (but itself).

    An alert on both sides of a rule is inhibited by none that is so too: then the source must mean the Watchdog alone,
    or the target surely not mean it.
    """
    if not source or not all(
        matcher.name == names.LABEL_ALERTNAME and matcher.matches(_WATCHDOG) for matcher in source
    ):
        return False
    alone = any(matcher.positive and matcher.values == frozenset((names.WATCHDOG,)) for matcher in source)
    return alone or any(matcher.name == names.LABEL_ALERTNAME and not matcher.matches(_WATCHDOG) for matcher in target)


# Never sent --------------------------------------------------------------------------------------------------------


def _never_sent(context: Context) -> Iterator[Problem]:
    """Falco's events, where a route waits for them and nobody takes them."""
    if not context.offers(GUARD) or context.offers(EVENTS_FALCO) or context.offers(ALERTS_PEOPLE):
        return
    for place in context.routes:
        about = [matcher for matcher in place.matchers if matcher.name == names.LABEL_SOURCE]
        if place.route is not None and any(m.matches(_FALCO) and not m.matches({}) for m in about):
            message = f"route {place.route.name!r} waits for Falco's events, which nobody sends without the relay"
            fix = "add `relay: {}` to components, or remove the route"
            yield Problem((*place.path, "name"), message, fix, Severity.WARNING)


CHECK = Check(
    "unheard-alert",
    Severity.ERROR,
    "Alerts of which nobody can ever hear: always silent, always inhibited, or never sent.",
    _find,
    whole=True,
)
