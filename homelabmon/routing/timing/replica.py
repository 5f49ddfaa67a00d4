"""One Alertmanager: alerts come in, groups form, flushes end in notifications.

Used by :mod:`homelabmon.routing.timing.cluster`. May import: its neighbours in routing. Sources: Alertmanager
dispatch/dispatch.go, provider/mem/mem.go, notify/notify.go (order of the stages), notify/cluster_stages.go.

A group flushes on its own grid. Most flushes find nothing to tell, and a long calm would be thousands of them. So a
group whose last flush had nothing to tell sleeps until something could change that. Waking it comes before the
change: a flush that would be waiting for its turn in the cluster at that moment has looked at the group before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil, inf
from typing import Final

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.intervals import Intervals
from homelabmon.routing.timing.agenda import Agenda, Rank, instant
from homelabmon.routing.timing.alerts import Alert, Subject
from homelabmon.routing.timing.log import Entry, Key, Log, why_tell
from homelabmon.routing.timing.matching import Matching, Place, Side, Traits
from homelabmon.routing.timing.muting import Calendar, Inhibition
from homelabmon.routing.timing.notification import Notification, Told
from homelabmon.routing.tree import RouteTree


@dataclass(frozen=True, slots=True)
class Generation:
    """How versions of Alertmanager differ in timing.

    ``groups_linger``: an empty group lives until the next maintenance, up to 30 s, and a new alert waits for its grid.
    ``repeats_by_clock``: a repetition is due by the time of the decision, not by that of the flush.
    ``old_alerts_hurry``: any alert that is past its group_wait flushes a group that has not yet flushed, not only the
    alert that made the group.
    """

    groups_linger: bool = False
    repeats_by_clock: bool = False
    old_alerts_hurry: bool = False


SINCE_0_32: Final = Generation()
SINCE_0_30: Final = Generation(groups_linger=True, repeats_by_clock=True)
BEFORE_0_30: Final = Generation(groups_linger=True, repeats_by_clock=True, old_alerts_hurry=True)
GROUP_MAINTENANCE: Final = 30.0
"""How often groups that are empty are thrown away, seconds, where they linger."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A cluster of Alertmanagers. Durations are seconds.

    ``receivers``: whom notifications are sent to, and whether it wants to hear of resolved alerts. What is routed to
    any other receiver is told to nobody. ``peer_timeout``: how much longer each replica waits than the one before it.
    ``delivery``: how long a receiver takes to answer. ``gossip``: how long a replica takes to tell the others what it
    has told. ``retention``: how long that is remembered.
    """

    tree: RouteTree[object]
    receivers: Mapping[str, bool]
    inhibit_rules: tuple[InhibitRule, ...] = ()
    intervals: Intervals | None = None
    replicas: int = 1
    peer_timeout: float = 15.0
    delivery: float = 0.1
    gossip: float = 0.2
    retention: float = 432000.0
    generation: Generation = SINCE_0_32


class Group:
    """The alerts of one place. ``tick``: the time its next flush goes by. ``turn``: counts what has been planned."""

    __slots__ = ("alerts", "changed", "empty_since", "flushed", "flushing", "nap", "place", "sides", "tick", "turn")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.alerts: dict[Subject, Alert] = {}
        self.sides: dict[Side, None] = {}
        self.tick = 0.0
        self.turn = 0
        self.flushed = False
        self.flushing = False
        self.changed = False
        self.nap: Nap | None = None
        self.empty_since: float | None = None


@dataclass(frozen=True, slots=True)
class Nap:
    """A calm. Flushes would start at ``start`` and every ``period``, each going by its tick and lasting ``length``."""

    start: float
    tick: float
    period: float
    length: float


@dataclass(frozen=True, slots=True)
class Flush:
    """One flush: when it started, the time it goes by, and the group as it was."""

    started: float
    tick: float
    alerts: tuple[Told, ...]


class Replica:
    """One Alertmanager. ``send`` takes its notifications, ``gossip`` what the others must know."""

    def __init__(
        self,
        position: int,
        settings: Settings,
        agenda: Agenda,
        matching: Matching,
        send: Callable[[Notification], None],
        gossip: Callable[[Key, Entry], None],
    ) -> None:
        self._position = position
        self._wait = position * settings.peer_timeout
        self._settings = settings
        self._agenda = agenda
        self._matching = matching
        self._send = send
        self._gossip = gossip
        self._epoch = agenda.now
        self._alerts: dict[Subject, Alert] = {}
        self._groups: dict[object, Group] = {}
        self._by_key: dict[str, list[Group]] = {}
        self._inhibition: Inhibition[Group] = Inhibition()
        self._calendar = Calendar(settings.intervals or {})
        self._log = Log(agenda.now, settings.retention)

    # Coming in ------------------------------------------------------------------------------------------------------

    def put(self, alert: Alert) -> None:
        """Take a word about an alert, now."""
        now = self._agenda.now
        known = self._alerts.get(alert.subject)
        if known is not None:
            alert = known.merged(alert, now)
        self._alerts[alert.subject] = alert
        traits = self._matching.traits(alert.subject)
        if traits.mutes:
            self._put_source(alert, known, traits, now)
        for place in traits.places:
            self._join(place, alert, traits, now)

    def _put_source(self, alert: Alert, known: Alert | None, traits: Traits, now: float) -> None:
        if known is None or known.resolved_at(now) or alert.resolved_at(now):
            self._wake_concerned(traits)
        self._inhibition.put(alert, traits)
        if now < alert.ends_at < inf:
            self._agenda.at(alert.ends_at, Rank.PUT, partial(self._wake_concerned, traits))

    def _wake_concerned(self, traits: Traits) -> None:
        for group in self._inhibition.concerned(traits):
            self._wake(group)

    def merge(self, key: Key, entry: Entry) -> None:
        """Take what another replica says it has told."""
        for group in self._by_key.get(key[0], ()):
            self._wake(group)
        self._log.merge(key, entry)

    def firing(self) -> Iterator[tuple[Alert, tuple[Subject, ...]]]:
        """The alerts that are not over, each with those that mute it: what its API lists."""
        now = self._agenda.now
        for alert in self._alerts.values():
            if not alert.resolved_at(now):
                traits = self._matching.traits(alert.subject)
                yield alert, tuple(self._inhibition.sources(traits, now))

    def lists(self, subject: Subject) -> bool | None:
        """Whether the alert is muted; ``None`` if it does not fire."""
        alert = self._alerts.get(subject)
        if alert is None or alert.resolved_at(self._agenda.now):
            return None
        traits = self._matching.traits(subject)
        return bool(traits.muted_by) and self._inhibition.mutes(traits, self._agenda.now)

    # Groups ---------------------------------------------------------------------------------------------------------

    def _join(self, place: Place, alert: Alert, traits: Traits, now: float) -> None:
        group = self._groups.get(place.id)
        wait = place.route.group_wait
        late = alert.starts_at + wait < now
        if group is not None and self._swept(group, now):
            self._drop(group)
            group = None
        if group is None:
            group = self._groups[place.id] = Group(place)
            self._by_key.setdefault(place.key, []).append(group)
            self._plan(group, now if late else now + wait)
        else:
            self._wake(group)
            if late and not group.flushed and self._settings.generation.old_alerts_hurry:
                self._plan(group, now)
        if alert.subject not in group.alerts and traits.muted_by:
            self._inhibition.watch(group, traits)
            group.sides.update(dict.fromkeys(traits.muted_by))
        group.alerts[alert.subject] = alert
        group.changed = True
        group.empty_since = None

    def _swept(self, group: Group, now: float) -> bool:
        """Whether maintenance has found the group empty."""
        if group.empty_since is None:
            return False
        rounds = (group.empty_since - self._epoch) // GROUP_MAINTENANCE + 1
        return self._epoch + rounds * GROUP_MAINTENANCE <= now

    def _drop(self, group: Group) -> None:
        group.turn += 1
        del self._groups[group.place.id]
        self._by_key[group.place.key].remove(group)
        self._inhibition.forget(group, group.sides)

    def _plan(self, group: Group, tick: float, start: float | None = None) -> None:
        """Flush the group by a tick, which is in the past where the flush before it has lasted longer."""
        group.tick = instant(tick)
        group.turn += 1
        group.nap = None
        self._agenda.at(group.tick if start is None else start, Rank.FLUSH, partial(self._flush, group, group.turn))

    # Flushing -------------------------------------------------------------------------------------------------------

    def _flush(self, group: Group, turn: int) -> None:
        if turn != group.turn:
            return
        flush = self._look(group, self._agenda.now, group.tick)
        group.tick = instant(flush.started + group.place.route.group_interval)
        group.flushed = True
        if not flush.alerts:
            self._sleep(group, flush)
            return
        group.changed = False
        group.flushing = True
        passing = self._passing(group, flush)
        if not passing:
            self._end(group, flush, told=False)
        elif self._wait:
            self._agenda.at(flush.started + self._wait, Rank.DECIDE, partial(self._decide, group, flush, passing))
        else:
            self._decide(group, flush, passing)

    def _look(self, group: Group, started: float, tick: float) -> Flush:
        return Flush(started, tick, tuple(Told(alert, alert.resolved_at(started)) for alert in group.alerts.values()))

    def _passing(self, group: Group, flush: Flush) -> tuple[Told, ...]:
        """The alerts of the flush that nothing mutes."""
        if self._calendar.silent(group.place.route, flush.tick)[0]:
            return ()
        if not group.sides:
            return flush.alerts
        traits, mutes = self._matching.traits, self._inhibition.mutes
        return tuple(told for told in flush.alerts if not mutes(traits(told.alert.subject), flush.started))

    def _decide(self, group: Group, flush: Flush, passing: tuple[Told, ...]) -> None:
        route = group.place.route
        sends_resolved = self._settings.receivers.get(route.receiver)
        if sends_resolved is None:
            self._end(group, flush, told=False)
            return
        now = self._agenda.now
        firing = frozenset(told.alert.subject for told in passing if not told.resolved)
        resolved = frozenset(told.alert.subject for told in passing if told.resolved)
        due = now if self._settings.generation.repeats_by_clock else flush.tick
        reason = why_tell(
            self._log.find(self._key(group), now),
            firing,
            resolved,
            sends_resolved=sends_resolved,
            repeat_before=instant(due - route.repeat_interval),
        )
        if reason is None:
            self._end(group, flush, told=False)
            return
        sent = passing if sends_resolved else tuple(told for told in passing if not told.resolved)
        logged = partial(self._log_and_end, group, flush, firing, resolved)
        if not sent:
            logged()
            return
        alerts = tuple(sorted(sent, key=lambda told: told.alert.subject.order))
        place = group.place
        self._send(Notification(now, self._position, route, place.key, place.labels, reason, alerts))
        self._agenda.at(now + self._settings.delivery, Rank.END, logged)

    def _log_and_end(
        self, group: Group, flush: Flush, firing: frozenset[Subject], resolved: frozenset[Subject]
    ) -> None:
        entry = self._log.entry(self._agenda.now, firing, resolved, group.place.route.repeat_interval)
        key = self._key(group)
        for other in self._by_key.get(key[0], ()):
            if other is not group:
                self._wake(other)
        self._log.merge(key, entry)
        self._gossip(key, entry)
        self._end(group, flush, told=True)

    def _key(self, group: Group) -> Key:
        return group.place.key, group.place.route.receiver

    def _end(self, group: Group, flush: Flush, *, told: bool) -> None:
        """Forget what was resolved, unless there is newer word of it; plan the next flush."""
        group.flushing = False
        for each in flush.alerts:
            if each.resolved and group.alerts.get(each.alert.subject) is each.alert:
                del group.alerts[each.alert.subject]
                group.changed = True
        if not group.alerts and not self._settings.generation.groups_linger:
            self._drop(group)
            return
        if not group.alerts:
            group.empty_since = self._agenda.now
        if group.alerts and (told or group.changed):
            self._plan(group, group.tick, max(group.tick, self._agenda.now))
        else:
            self._sleep(group, flush)

    # Sleeping -------------------------------------------------------------------------------------------------------

    def _sleep(self, group: Group, flush: Flush) -> None:
        """Leave out flushes that would have nothing to tell."""
        now = self._agenda.now
        start = max(group.tick, now)
        alarm = self._alarm(group, flush)
        if alarm <= start:
            self._plan(group, group.tick, start)
            return
        length = instant(now - flush.started) if group.alerts else 0.0
        group.turn += 1
        group.nap = Nap(start, group.tick, max(group.place.route.group_interval, length), length)
        if alarm < inf:
            self._agenda.at(alarm, Rank.WAKE, partial(self._ring, group, group.turn))

    def _alarm(self, group: Group, flush: Flush) -> float:
        """When time alone may give the group something to tell."""
        ends = [alert.ends_at for alert in group.alerts.values() if alert.ends_at > flush.started]
        until = self._calendar.silent(group.place.route, flush.tick)[1]
        times = [*ends, *([] if until is None else [until])]
        entry = self._log.find(self._key(group), self._agenda.now) if group.alerts else None
        if entry is not None:
            repeat = entry.stamp + group.place.route.repeat_interval
            times += [repeat - self._wait if self._settings.generation.repeats_by_clock else repeat, entry.gone_at]
        return instant(min((time for time in times if time < inf), default=inf))

    def _ring(self, group: Group, turn: int) -> None:
        if turn == group.turn:
            self._wake(group)

    def _wake(self, group: Group) -> None:
        """End a sleep, before what ends it takes effect: plan the next flush, or resume the one under way.

        A group that does not sleep is kept from it until it has been looked at again.
        """
        nap, now = group.nap, self._agenda.now
        if nap is None:
            group.changed = True
            return
        missed = max(0, ceil((now - nap.start) / nap.period))
        start = instant(nap.start + missed * nap.period)
        interval = group.place.route.group_interval
        late = nap.period - interval
        if missed and group.alerts and nap.length and now <= instant(start - nap.period + nap.length):
            group.nap = None
            before = instant(start - nap.period)
            flush = self._look(group, before, nap.tick if missed == 1 else instant(before - late))
            group.tick = instant(before + interval)
            group.turn += 1
            group.changed = True
            group.flushing = True
            decide = partial(self._decide, group, flush, self._passing(group, flush))
            self._agenda.at(flush.started + nap.length, Rank.DECIDE, decide)
        else:
            self._plan(group, instant(start - late) if missed else nap.tick, start)
