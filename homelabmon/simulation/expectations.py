"""The stack's ``tests:``: who must hear of an alert, asked of the routes, or tried out in virtual time.

Asked by ``test``, and by ``simulate --test``. May import: errors, spec, stack, routing, journey, and its neighbours.
The parts that simulate are imported only where a test needs them, so that tests of routes alone stay fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from homelabmon.errors import HomelabmonError
from homelabmon.journey.running import Running, Service
from homelabmon.journey.subject import Subject, subject
from homelabmon.journey.ways import OUTPOST_SOURCES, RELAY_SOURCES, Way, ways
from homelabmon.routing.trace import RouteTried
from homelabmon.routing.tree import ResolvedRoute, format_labels
from homelabmon.spec import names
from homelabmon.spec.base import format_duration
from homelabmon.spec.suggest import suggest
from homelabmon.spec.watch import Expectation
from homelabmon.stack import Stack

if TYPE_CHECKING:
    from homelabmon.simulation.story import Story
    from homelabmon.simulation.timeline import Happening, When
    from homelabmon.simulation.world import Outcome, Told

BEFORE: Final = 600.0
"""Seconds for which the alerts of ``while`` have been firing."""
OPEN_END: Final = 3600.0
"""Seconds for which an alert is looked at that fires on and on."""


@dataclass(frozen=True, slots=True)
class Result:
    """One test. ``wrong``: what is not as expected, empty when it passed. ``way``: what happened, line by line."""

    number: int
    name: str
    wrong: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.wrong


def name_of(test: Expectation) -> str:
    """What the test is called: its name, or the alert it is about."""
    return test.name or _shown(test.alert)


def run(running: Running, number: int, test: Expectation) -> Result:
    """Whether the stack does as one of its tests expects. ``number`` counts from 0."""
    about = _subject(running, test.alert)
    note = "no rule defines this alert" if about.kind == "unknown" else ""
    wrong, way = _timed(running, test) if test.timed else _routed(running, test, about)
    return Result(number, name_of(test), tuple(wrong), tuple(way), note)


def find_test(stack: Stack, name: str) -> Expectation:
    """The test of a name, or a number from 1. Raises HomelabmonError."""
    for test in stack.tests:
        if name in (test.name, name_of(test)):
            return test
    if name.isdecimal() and 1 <= int(name) <= len(stack.tests):
        return stack.tests[int(name) - 1]
    known = [name_of(test) for test in stack.tests]
    if not known:
        raise HomelabmonError(f"no test {name!r}: the stack has no `tests:`")
    raise HomelabmonError(f"no test {name!r}; {suggest(name, known, 'tests: ')}")


def _subject(running: Running, labels: Mapping[str, str]) -> Subject:
    given = {name: value for name, value in labels.items() if name != names.LABEL_ALERTNAME}
    return subject(running, labels.get(names.LABEL_ALERTNAME, ""), given, unknown=True)


def _shown(labels: Mapping[str, str]) -> str:
    rest = {name: value for name, value in labels.items() if name != names.LABEL_ALERTNAME}
    return labels.get(names.LABEL_ALERTNAME, "") + (format_labels(rest) if rest else "")


# Routes alone ------------------------------------------------------------------------------------------------------


def _routed(running: Running, test: Expectation, about: Subject) -> tuple[list[str], list[str]]:
    taken = ways(running, about.labels)
    heard = list(dict.fromkeys(way.channel for way in taken if way.channel is not None))
    wrong = _compared(test, heard)
    lines = [_way(way) for way in taken] or ["nothing here passes it on"]
    if wrong:
        for channel in test.channel:
            if channel not in heard:
                lines += _not_taken(running, about.labels, channel)
    return wrong, lines


def _compared(test: Expectation, heard: Sequence[str]) -> list[str]:
    """What is wrong about who hears."""
    if test.nobody:
        return [f"expected nobody, but {_channels(heard)} {_hear(heard)}"] if heard else []
    missing = [channel for channel in test.channel if channel not in heard]
    more = [channel for channel in heard if channel not in test.channel]
    if not missing and not more:
        return []
    found = f"{_channels(heard)} {_hear(heard)}" if heard else "nobody hears"
    return [f"expected {_channels(test.channel)}, but {found}"]


def _hear(heard: Sequence[str]) -> str:
    return "hears" if len(heard) == 1 else "hear"


def _channels(found: Sequence[str]) -> str:
    return " and ".join(f"#{channel}" for channel in found)


def _way(way: Way) -> str:
    """``route infrastructure → relay, route infrastructure → #ops``."""
    steps = []
    if way.route is not None:
        steps.append(f"Alertmanager's {_route(way.route)}")
    if way.entry is not None:
        steps.append(f"the {way.reader}'s {_route(way.entry)}")
    reader = {"nobody": "nobody", "outpost": "the outpost", "other": "a receiver of your own"}
    steps.append(f"#{way.channel}" if way.channel is not None else reader.get(way.reader, "nobody"))
    return " → ".join(steps)


def _route(route: ResolvedRoute[object]) -> str:
    if not route.path:
        return "root (no route matches)"
    shown = ", ".join(map(str, route.matchers)) or "everything"
    return f"route {route.name} ({shown})" if route.name else f"route ({shown})"


def _not_taken(running: Running, labels: Mapping[str, str], channel: str) -> Iterator[str]:
    """Why no route to the channel is taken."""
    service = _service(running, labels)
    routes: Sequence[ResolvedRoute[object]]
    tried: Sequence[RouteTried[ResolvedRoute[object]]]
    if service is not None:
        routes, tried = service.tree.routes, service.tree.trace(labels)
    elif running.alertmanager is not None:
        routes, tried = running.alertmanager.tree.routes, running.alertmanager.tree.trace(labels)
    else:
        return
    looked = {step.route.path: step for step in tried}
    taken = next((step.route for step in tried if step.taken), None)
    leading = [route for route in routes if _leads(running, service, route, channel)]
    if not leading:
        yield f"no route leads to #{channel}"
    for route in leading:
        step = looked.get(route.path)
        if step is None:
            before = f": {_route(taken)} comes first" if taken is not None else ""
            yield f"{_route(route)}, which leads to #{channel}, is not reached{before}"
        elif not step.matched:
            refusal = next(one for one in step.tried if not one.matched)
            seen = f"is {refusal.value!r}" if refusal.value else "is missing"
            yield f"{_route(route)}, which leads to #{channel}, does not match: {refusal.matcher.name} {seen}"


def _service(running: Running, labels: Mapping[str, str]) -> Service | None:
    source = labels.get(names.LABEL_SOURCE, "")
    if source in OUTPOST_SOURCES:
        return running.outpost
    return running.relay


def _leads(running: Running, service: Service | None, route: ResolvedRoute[object], channel: str) -> bool:
    if service is not None:
        return route.receiver == channel
    return running.reader(route.receiver) == ("channel", channel)


# In virtual time ---------------------------------------------------------------------------------------------------


def story_of_test(running: Running, test: Expectation) -> Story:
    """What a test is about: its alert at ten minutes past the beginning, what comes with it, what was there before."""
    from homelabmon.simulation.story import AFTERWARDS, story_of
    from homelabmon.simulation.timeline import Timeline, When

    begin = timedelta(seconds=BEFORE)
    during = (test.flaps.during if test.flaps is not None else test.lives) or timedelta(seconds=OPEN_END)
    when: dict[str, timedelta] = {"from": begin}
    if test.lives is not None:
        when["for"] = test.lives
    if test.flaps is not None:
        when |= {"every": test.flaps.every, "for": test.flaps.for_, "to": begin + test.flaps.during}
    moments = When.model_validate(when)
    happenings = [_happening(running, labels, moments) for labels in (test.alert, *test.with_)]
    happenings += [_happening(running, labels, When()) for labels in test.while_]
    start = test.at.replace(tzinfo=UTC) - begin if test.at is not None else None
    length = begin + during + timedelta(seconds=AFTERWARDS)
    return story_of(running, Timeline(name=name_of(test), start=start, length=length, alerts=tuple(happenings)))


def _happening(running: Running, labels: Mapping[str, str], when: When) -> Happening:
    from homelabmon.simulation.timeline import Happening

    unknown = _subject(running, labels).kind == "unknown"
    given = {name: value for name, value in labels.items() if name != names.LABEL_ALERTNAME}
    alert = labels.get(names.LABEL_ALERTNAME, "")
    return Happening(alert=alert, labels=given, when=(when,), fires=True, unknown=unknown)


def _timed(running: Running, test: Expectation) -> tuple[list[str], list[str]]:
    from homelabmon.simulation.words import clock, what
    from homelabmon.simulation.world import play

    story = story_of_test(running, test)
    outcome = play(running, story)
    own = _subject(running, test.alert).labels
    together = [own, *(_subject(running, labels).labels for labels in test.with_)]
    about = [told for told in outcome.told if _is_about(told, [own])]
    heard = list(dict.fromkeys(told.channel for told in about))
    wrong = _compared(test, heard)
    if test.messages is not None:
        posted = [told for told in outcome.told if told.kind == "post" and _is_about(told, together)]
        for channel in heard:
            number = sum(told.channel == channel for told in posted)
            if number != test.messages:
                wrong.append(f"expected {_messages(test.messages)} in #{channel}, but there are {number}")
    if test.within is not None:
        for channel in heard:
            first = next(told.at for told in about if told.channel == channel) - BEFORE
            if first > test.within.total_seconds():
                wrong.append(
                    f"expected #{channel} to hear within {format_duration(test.within)}, "
                    f"but it takes {format_duration(round(first))}"
                )
    lines = [
        f"{clock(told.at - BEFORE)} #{told.channel}: message {told.number} {_DONE[told.kind]}: {what(told)}"
        for told in outcome.told
        if _is_about(told, together)
    ]
    return wrong, lines or _silence(running, test, outcome)


_DONE: Final = {"post": "posted", "edit": "edited", "delete": "deleted"}


def _messages(number: int) -> str:
    return f"{number} message" if number == 1 else f"{number} messages"


def _is_about(told: Told, alerts: Sequence[Mapping[str, str]]) -> bool:
    """Whether the message shows one of the alerts."""
    if told.notification is not None:
        return any(alert.labels in alerts for alert in told.notification.alerts)
    message = told.shown.message if told.shown is not None else None
    shown = [alert.labels for incident in message.incidents for alert in incident.alerts] if message is not None else []
    return any(labels in alerts for labels in shown)


def _silence(running: Running, test: Expectation, outcome: Outcome) -> list[str]:
    """Why nothing was told."""
    about = _subject(running, test.alert)
    taken = ways(running, about.labels)
    lines = [_way(way) for way in taken]
    if about.labels.get(names.LABEL_SOURCE) in RELAY_SOURCES:
        return lines
    if outcome.suppressed:
        hold = max((way.hold for way in taken), default=0.0)
        return [*lines, f"it was over within its hold of {format_duration(hold)}"]
    while_firing = [_subject(running, labels).labels for labels in test.while_]
    for rule in running.alertmanager.inhibit_rules if running.alertmanager is not None else ():
        for source in while_firing:
            if rule.inhibits(source, about.labels):
                return [*lines, f"{_shown(source)} inhibits it"]
    silent = [way.route for way in taken if way.route is not None and way.route.mute_time_intervals]
    if silent and test.at is not None:
        return [*lines, f"muted in {', '.join(silent[0].mute_time_intervals)}"]
    return [*lines, "Alertmanager told nobody: it was over before its group was looked at"] if taken else ["no route"]
