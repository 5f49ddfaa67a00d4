"""An alert's whole way, explained: what fires it, which routes it takes, who keeps it silent, when somebody reads it.

Asked by ``homelabmon explain``, which prints what is found here. Pure, but for the clock that may be passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from homelabmon.journey import delay
from homelabmon.journey.delay import Step
from homelabmon.journey.running import Reader, Running
from homelabmon.journey.shape import box_of, names_asked, typical
from homelabmon.journey.silencers import Silencer, silencers
from homelabmon.journey.subject import Subject
from homelabmon.journey.ways import OUTPOST_SOURCES, Way, ways
from homelabmon.routing.boxes import Box
from homelabmon.routing.intervals import TimeInterval, muting_intervals
from homelabmon.routing.trace import RouteTried
from homelabmon.routing.tree import ResolvedRoute
from homelabmon.spec import names
from homelabmon.spec.matchers import Matcher
from homelabmon.spec.relay_file import Watchdog
from homelabmon.spec.routes import Channel
from homelabmon.spec.watch import Heartbeat, Probe

_ON_PURPOSE: Final = {
    names.WATCHDOG: "it always fires, and there is no outpost to notice when it stops",
    names.INFO_INHIBITOR: "it is only there to keep alerts of severity info silent",
}
"""Alerts that are kept from people on purpose."""
_LONGEST_LOOK: Final = timedelta(days=40)
"""How far ahead the end of a mute window is looked for."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A time interval of the route. ``active``: the route speaks within it, instead of being silent."""

    name: str
    intervals: tuple[TimeInterval, ...]
    active: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """The route is silent at the moment asked about, by these intervals, until then (None: for more than a month)."""

    by: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True)
class Stop:
    """The end of one way: who hears there, when, and how often.

    ``group`` are the labels that name its message; of those not known the value is
    :data:`~homelabmon.journey.shape.UNNAMED`. ``steps`` are empty where nobody is told.
    """

    way: Way
    group_key: str
    group: Mapping[str, str]
    mutes: tuple[Mute, ...]
    silence: Silence | None
    steps: tuple[Step, ...]
    channel: Channel | None
    mention: str | None
    """Whom the message pings."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another place the alert goes to if it has labels that were not given."""

    conditions: tuple[Matcher, ...]
    reader: Reader
    channel: str | None
    route: str


@dataclass(frozen=True)
class Explanation:
    """Everything there is to say about one alert."""

    subject: Subject
    tried: tuple[RouteTried[ResolvedRoute[Any]], ...]
    """Every route that was looked at: Alertmanager's, or, where the alert does not pass through it, the service's."""
    stops: tuple[Stop, ...]
    silencers: tuple[Silencer, ...]
    elsewhere: tuple[Elsewhere, ...]
    nobody: str
    """Why nobody hears of it; empty when somebody does."""


def explain(running: Running, subject: Subject, at: datetime | None = None) -> Explanation:
    """Explain an alert. ``at``: the moment, with its zone, for which mute windows are looked at."""
    labels = typical(subject.rule, subject.labels) if subject.rule is not None else subject.labels
    found = ways(running, labels)
    outside = subject.kind == "event" or subject.kind in OUTPOST_SOURCES
    service = running.outpost if subject.kind in OUTPOST_SOURCES else running.relay
    tried: tuple[RouteTried[ResolvedRoute[Any]], ...] = ()
    if outside:
        tried = service.tree.trace(labels) if service is not None else ()
    elif running.alertmanager is not None:
        tried = running.alertmanager.tree.trace(labels)
    return Explanation(
        subject=subject,
        tried=tried,
        stops=tuple(_stop(running, subject, way, labels, at) for way in found),
        silencers=() if outside else silencers(running, subject.labels, subject.rule),
        elsewhere=tuple(_elsewhere(running, subject, found)),
        nobody=_why_nobody(running, subject, found),
    )


def _why_nobody(running: Running, subject: Subject, found: tuple[Way, ...]) -> str:
    if any(way.channel is not None or way.reader == "other" for way in found):
        return ""
    if any(way.reader == "outpost" for way in found):
        return "it goes to the outpost, as a sign of life; people are told when it stays away"
    if subject.kind in OUTPOST_SOURCES:
        return "there is no outpost to watch it"
    if subject.kind == "event":
        return "there is no relay to take it: add the component relay"
    if running.alertmanager is None:
        return "there is no Alertmanager to tell anybody: add the component alertmanager"
    name = subject.labels.get(names.LABEL_ALERTNAME, "")
    return _ON_PURPOSE.get(name, "its route leads to nobody")


def _stop(running: Running, subject: Subject, way: Way, labels: Mapping[str, str], at: datetime | None) -> Stop:
    route, entry = way.route, way.entry
    grouped: ResolvedRoute[Any] | None = entry if entry is not None else route
    assert grouped is not None
    channel = running.stack.channels.get(way.channel) if way.channel is not None else None
    mutes = tuple(_mutes(running, route)) if route is not None else ()
    return Stop(
        way=way,
        group_key=(route if route is not None else grouped).group_key(labels),
        group=grouped.group_labels(labels),
        mutes=mutes,
        silence=_silence(running, route, at) if route is not None and at is not None else None,
        steps=tuple(_steps(running, subject, way)),
        channel=channel,
        mention=_mention(channel, subject.labels.get(names.LABEL_SEVERITY, "")),
    )


def _mention(channel: Channel | None, severity: str) -> str | None:
    mentions: Mapping[str, str] = {str(key): who for key, who in channel.mention.items()} if channel is not None else {}
    return mentions.get(severity)


def _mutes(running: Running, route: ResolvedRoute[Mapping[str, Any]]) -> Iterable[Mute]:
    assert running.alertmanager is not None
    intervals = running.alertmanager.intervals
    for active, found in ((False, route.mute_time_intervals), (True, route.active_time_intervals)):
        for name in found:
            yield Mute(name, intervals[name], active)


def _silence(running: Running, route: ResolvedRoute[Mapping[str, Any]], at: datetime) -> Silence | None:
    assert running.alertmanager is not None
    intervals = running.alertmanager.intervals
    mute, active = route.mute_time_intervals, route.active_time_intervals
    by = muting_intervals(mute, active, intervals, at)
    if not by:
        return None
    moment = at.replace(second=0, microsecond=0)
    while moment - at < _LONGEST_LOOK:
        moment += timedelta(minutes=1)
        if not muting_intervals(mute, active, intervals, moment):
            return Silence(by, moment)
    return Silence(by, None)


def _steps(running: Running, subject: Subject, way: Way) -> Iterable[Step]:
    if way.channel is None:
        return ()
    if subject.kind == "event":
        return delay.of_event(way)
    if isinstance(subject.thing, Heartbeat):
        return delay.of_heartbeat(subject.thing, way)
    if isinstance(subject.thing, Probe):
        return delay.of_probe(subject.thing, way)
    if isinstance(subject.thing, Watchdog):
        return delay.of_silence(subject.thing, way)
    if subject.rule is not None:
        return delay.of_rule(running, subject.rule, way)
    return delay.after_fired(running, way)


def _elsewhere(running: Running, subject: Subject, found: Iterable[Way]) -> Iterable[Elsewhere]:
    """Other places, by labels that were not given and that the alert can have."""
    if subject.kind in OUTPOST_SOURCES:  # all their labels are known
        return
    here = {way.channel for way in found}
    labels = dict(subject.labels)
    if subject.kind == "event":
        labels.setdefault(names.LABEL_ALERTNAME, "")
    for possible in possible_ends(
        running, subject.kind, box_of(labels, subject.rule, names_asked(running), likely=True)
    ):
        if possible.conditions and possible.channel not in here:
            yield possible


def possible_ends(running: Running, kind: str, box: Box) -> Iterable[Elsewhere]:
    """Every end that the alerts of a box may come to, with what decides it; no conditions: where all may go."""
    by_relay = running.relay_routes
    if kind == "event":
        for entry in by_relay.of(box) if by_relay is not None else ():
            yield Elsewhere(entry.conditions, "relay", entry.route.receiver, entry.route.name)
        return
    relayed = False
    for route in running.alertmanager_routes.of(box) if running.alertmanager_routes is not None else ():
        reader, name = running.reader(route.route.receiver)
        if reader == "relay":
            relayed = True
        else:
            yield Elsewhere(route.conditions, reader, name if reader == "channel" else None, route.route.name)
    for entry in by_relay.of(box) if relayed and by_relay is not None else ():
        yield Elsewhere(entry.conditions, "relay", entry.route.receiver, entry.route.name)
