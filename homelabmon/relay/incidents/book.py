"""The book: takes deliveries, waits out holds, opens incidents, ends them, lets them come back.

One owner calls it, with the time. What it wants to know of Alertmanager it asks by ``questions``; what has to be saved
it gives by ``changes``. Pure. May import: routing, notifiers.contract, and its neighbours.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from homelabmon.notifiers.contract import Notifier, Sent
from homelabmon.notifiers.message import Links
from homelabmon.relay.incidents.ledger import Ledger
from homelabmon.relay.incidents.model import Account, Changes, Ending, Episode, Incident, Post, Snapshot
from homelabmon.relay.incidents.notice import Delivery, Lane, Notice
from homelabmon.relay.incidents.telling import Sending, Telling
from homelabmon.relay.incidents.timing import Timing
from homelabmon.relay.incidents.views import worst
from homelabmon.spec import names

Lanes = Callable[[Notice, str | None], Sequence[Lane]]
"""The ways a notice takes, never none; the second argument is Alertmanager's name of the route that sent it."""

Verdict = Literal["alive", "gone", "silenced", "unknown"]
"""What Alertmanager knows of an alert. ``gone``: every replica answered, and none has it. ``unknown``: no proof."""

_REMEMBERED_EVENTS: Final = 256
_OWN: Final = frozenset({names.SOURCE_HEARTBEAT, names.SOURCE_PROBE, names.SOURCE_OUTPOST})
"""What the service itself noticed: the words about its end are newer than those about its beginning."""
_FOUND_LATE: Final = 60.0
"""Seconds. An end that is told to have been so much sooner is worth a change of the message."""
_CLOCKS: Final = 1.0
"""Seconds by which two accounts of one moment may differ."""


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What the book must know of a channel. ``mention``: whom to ping, by severity."""

    mention: Mapping[str, str] = field(default_factory=dict)
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Is this alert still there? ``episode`` names the answer's place."""

    episode: int
    fingerprint: str
    starts_at: float
    labels: Mapping[str, str]


class Book:
    """Everything the relay knows. Raises nothing for any delivery; two books given the same calls are equal."""

    def __init__(
        self,
        lanes: Lanes,
        channels: Mapping[str, ChannelPolicy],
        notifier: Notifier,
        *,
        timing: Timing | None = None,
        snapshot: Snapshot | None = None,
        links: Links | None = None,
        stack: str = "",
        routes: Container[str] | None = None,
    ) -> None:
        self._timing = timing or Timing()
        self._ledger = Ledger(snapshot or Snapshot())
        self._watchdog_missing = False
        self._seen_events: dict[int, deque[float]] = {}
        self._closings: list[tuple[float, int]] = []
        self._planned: set[int] = set()
        self._telling = Telling(self._ledger, notifier, self._timing)
        self.reconfigure(lanes, channels, links=links or Links(), stack=stack, routes=routes)
        self._plan_all()

    def reconfigure(
        self,
        lanes: Lanes,
        channels: Mapping[str, ChannelPolicy],
        *,
        links: Links,
        stack: str = "",
        routes: Container[str] | None = None,
    ) -> None:
        """From now on, notices take these lanes. What is already here stays where it is.

        ``routes``: the names of all routes that there are, where that is known.
        """
        self._lanes, self._channels = lanes, channels
        self._telling.links, self._telling.stack = links, stack
        self._telling.senders = {name: policy.sender for name, policy in channels.items()}
        self._telling.mentions = {name: policy.mention for name, policy in channels.items()}
        if routes is not None:
            self._follow_routes(routes)

    def _follow_routes(self, routes: Container[str]) -> None:
        """A route is no more, or has another name: what came by it counts as come by the one that the alert takes now,
        so that its end is recognized. It stays in its channel.

        If there are several that it takes and is not known by, one that leads into that channel comes first.
        """
        ledger = self._ledger
        left = {(one.route, one.fingerprint): one for one in ledger.episodes.values() if one.route not in routes}
        for (route, fingerprint), episode in left.items():
            notice = Notice(
                episode.source, fingerprint, episode.labels, episode.firing, episode.starts_at, event=episode.event
            )
            lanes = [one for one in self._lanes(notice, None) if not ledger.episodes_of_alert(one.route, fingerprint)]
            if lanes:
                best = min(lanes, key=lambda one: one.channel != episode.channel)
                ledger.rename_route(route, fingerprint, best.route)

    # What senders tell ------------------------------------------------------------

    def take(self, delivery: Delivery, now: float) -> None:
        """Takes what a request told. The same delivery twice changes nothing but the accounts of what was received."""
        for notice in delivery.notices:
            for lane in self._lanes(notice, delivery.route_key):
                if notice.event:
                    self._take_event(notice, lane, now)
                else:
                    self._take_alert(notice, lane, delivery.received_at, now)

    def _take_alert(self, notice: Notice, lane: Lane, received_at: float, now: float) -> None:
        """What is known already stays in its channel, and is counted there, wherever its route leads by now."""
        known = self._known(notice, lane)
        self._ledger.count(lane.channel if known is None else known.channel, "received")
        if known is None:
            self._open(notice, lane, received_at, now)
        elif notice.firing:
            self._again(known, notice, received_at)
        else:
            self._take_end(known, notice, now)

    def _known(self, notice: Notice, lane: Lane) -> Episode | None:
        """The episode the notice is about. Alertmanager keeps the earliest start of overlapping alerts, so that a start
        may move back; an end that lies after a start belongs to that firing whatever start it names."""
        episodes = self._ledger.episodes_of_alert(lane.route, notice.fingerprint)
        for episode in reversed(episodes):
            if episode.starts_at == notice.starts_at:
                return episode
        latest = episodes[-1] if episodes else None
        if latest is not None and notice.keyed and not notice.event:
            late = latest.ends_at is not None and notice.starts_at <= latest.ends_at
            return latest if latest.firing or late or not notice.firing else None
        if latest is None or notice.starts_at > latest.starts_at:
            return None
        if notice.firing:
            return latest if latest.firing else None
        return latest if (notice.ends_at or 0.0) > latest.starts_at else None

    def _open(self, notice: Notice, lane: Lane, received_at: float, now: float) -> None:
        """A firing nobody knew of; it ends an earlier one whose end was never told."""
        for earlier in self._ledger.episodes_of_alert(lane.route, notice.fingerprint):
            if earlier.firing and earlier.starts_at < notice.starts_at:
                self._end(earlier, notice.starts_at, "resolved", now)
        episode = self._episode(notice, lane, received_at, now)
        self._ledger.add_episode(episode)
        self._ledger.queue(episode)
        if not notice.firing:
            self._end(episode, _end_of(notice, now), self._ending(notice.source), now)
        elif episode.hold <= 0 and now - received_at <= self._timing.slack:
            self._tell(episode, now)

    def _episode(self, notice: Notice, lane: Lane, received_at: float, now: float) -> Episode:
        due = min(max(notice.starts_at + lane.hold, now), received_at + lane.hold)
        return Episode(
            id=self._ledger.new_id(),
            route=lane.route,
            channel=lane.channel,
            source=notice.source,
            fingerprint=notice.fingerprint,
            labels=dict(notice.labels),
            annotations=dict(notice.annotations),
            severity=notice.labels.get(names.LABEL_SEVERITY) or "warning",
            generator_url=notice.generator_url,
            group=dict(lane.group),
            title=lane.title,
            group_by_all=lane.group_by_all,
            event=notice.event,
            hold=lane.hold,
            starts_at=notice.starts_at,
            received_at=received_at,
            due=due,
            first_at=notice.starts_at,
        )

    def _again(self, episode: Episode, notice: Notice, received_at: float) -> None:
        """A firing that is known already: a repetition, another replica's copy, or one that was late."""
        if notice.source in _OWN and episode.firing and episode.annotations != notice.annotations:
            self._in_new_words(episode, notice, received_at)
            return
        self._ledger.count(episode.channel, "deduplicated")
        if notice.keyed:
            self._keyed_again(episode, notice)
            return
        episode.annotations = dict(notice.annotations)
        if notice.starts_at < episode.starts_at:
            episode.first_at = min(episode.first_at, notice.starts_at)
            episode.due = min(episode.due, max(episode.received_at, notice.starts_at + episode.hold))
            episode.starts_at = notice.starts_at
        elif not episode.firing and self._latest(episode):
            episode.doubted_at = received_at
        self._ledger.keep(episode)

    def _keyed_again(self, episode: Episode, notice: Notice) -> None:
        """It goes on, and its sender has found new words for it."""
        if not episode.firing or episode.annotations == notice.annotations:
            return
        episode.annotations = dict(notice.annotations)
        self._ledger.keep(episode)

    def _in_new_words(self, episode: Episode, notice: Notice, now: float) -> None:
        """The service itself has learnt more about what it told: readers should see it."""
        episode.annotations = dict(notice.annotations)
        self._ledger.queue(episode)
        self._touch(episode, now)
        self._ledger.keep(episode)

    def _latest(self, episode: Episode) -> bool:
        return self._ledger.episodes_of_alert(episode.route, episode.fingerprint)[-1] is episode

    def _take_end(self, episode: Episode, notice: Notice, now: float) -> None:
        ends_at, ending = _end_of(notice, now), self._ending(notice.source)
        stale = notice.keyed and notice.starts_at < episode.starts_at
        if episode.firing and not stale:
            self._ledger.queue(episode)
            if notice.source in _OWN and notice.annotations:
                episode.annotations = dict(notice.annotations)  # how late it was, and what it said at last
            self._end(episode, ends_at, ending, now)
            return
        self._ledger.count(episode.channel, "deduplicated")
        unconfirmed = episode.ending == "expired" and ending == "resolved"
        if unconfirmed or (ending == "resolved" and ends_at < (episode.ends_at or 0.0) - _FOUND_LATE):
            self._correct_end(episode, ends_at, now)

    def _correct_end(self, episode: Episode, ends_at: float, now: float) -> None:
        """Its end was guessed, or found by looking, some minutes late; now the sender has told it."""
        episode.ending, episode.ends_at = "resolved", ends_at
        self._ledger.keep(episode)
        incident = None if episode.incident is None else self._ledger.incidents[episode.incident]
        if incident is not None and incident.ended_at is not None:
            incident.ended_at = max(member.ends_at or 0.0 for member in self._ledger.members(incident))
        self._touch(episode, now)

    def _ending(self, source: str) -> Ending:
        return "expired" if source == names.SOURCE_ALERTMANAGER and self._watchdog_missing else "resolved"

    def _take_event(self, notice: Notice, lane: Lane, now: float) -> None:
        """It is folded into the one before it, unless its route leads into another channel by now."""
        self._ledger.count(lane.channel, "received")
        for episode in reversed(self._ledger.episodes_of_alert(lane.route, notice.fingerprint)):
            if not episode.event or episode.incident is None or episode.channel != lane.channel:
                continue
            if self._seen(episode, notice.starts_at):
                self._ledger.count(lane.channel, "deduplicated")
            else:
                self._fold_event(episode, notice, now)
            return
        episode = self._episode(notice, lane, now, now)
        self._ledger.add_episode(episode)
        self._ledger.queue(episode)
        self._tell(episode, now)

    def _seen(self, episode: Episode, at: float) -> bool:
        """Whether this very event has come before: senders repeat what was not answered in time."""
        seen = self._seen_events.setdefault(episode.id, deque([episode.starts_at], _REMEMBERED_EVENTS))
        if at in seen:
            return True
        seen.append(at)
        return False

    def _fold_event(self, episode: Episode, notice: Notice, now: float) -> None:
        episode.times += 1
        episode.starts_at = max(episode.starts_at, notice.starts_at)
        episode.first_at = min(episode.first_at, notice.starts_at)
        episode.annotations = dict(notice.annotations)
        self._ledger.queue(episode)
        self._touch(episode, now)

    # Holds, doubts, reconciliation ------------------------------------------------------------

    def questions(self, now: float) -> tuple[Question, ...]:
        """The alerts about which Alertmanager must be asked before anything more is said; each wants an ``answer``."""
        ledger = self._ledger
        asked = [one for one in ledger.due(now) if one.source == names.SOURCE_ALERTMANAGER]
        asked += [ledger.episodes[number] for number in sorted(ledger.doubted) if number not in ledger.held]
        return tuple(map(_question, asked))

    def answer(self, question: Question, verdict: Verdict, now: float) -> None:
        """Goes on with what Alertmanager knows. Without proof that the alert is gone, it is told."""
        episode = self._ledger.episodes.get(question.episode)
        if episode is None:
            return
        if episode.phase == "held" and episode.firing:
            self._answer_hold(episode, verdict, now)
        elif episode.doubted_at is not None:
            self._answer_doubt(episode, verdict, now)

    def _answer_hold(self, episode: Episode, verdict: Verdict, now: float) -> None:
        if verdict == "silenced":
            episode.due = now + self._timing.silenced_again
            episode.silenced = True
            self._ledger.keep(episode)
            return
        episode.silenced = False
        if verdict != "gone":
            self._tell(episode, now)
        elif episode.hold > 0 and now <= episode.starts_at + episode.hold + self._timing.slack:
            self._close_episode(episode, now, "resolved", now)
            self._suppress(episode)
        else:
            self._end(episode, now, "expired" if self._watchdog_missing else "resolved", now)

    def _answer_doubt(self, episode: Episode, verdict: Verdict, now: float) -> None:
        doubted_at, episode.doubted_at = episode.doubted_at or now, None
        ended = episode.ended_seen_at or 0.0
        if verdict in ("alive", "silenced") or (verdict == "unknown" and doubted_at > ended + self._timing.stale):
            episode.ends_at = episode.ending = episode.ended_seen_at = None
            episode.absent = 0
            if episode.phase == "suppressed":
                episode.phase, episode.due = "held", now
            elif episode.incident is not None:
                self._reopen(self._ledger.incidents[episode.incident], episode, now)
        self._ledger.keep(episode)

    def firing(self) -> tuple[Question, ...]:
        """The alerts of Alertmanager's that stand in a message as firing."""
        return tuple(
            _question(episode)
            for episode in self._ledger.going()
            if episode.phase == "told" and episode.source == names.SOURCE_ALERTMANAGER
        )

    def reconcile(self, verdicts: Mapping[int, Verdict], now: float) -> None:
        """What Alertmanager knows of alerts that ``firing`` gave, by episode. What is gone twice in a row has ended."""
        for number, verdict in verdicts.items():
            episode = self._ledger.episodes.get(number)
            if episode is None or not episode.firing or episode.phase != "told" or verdict == "unknown":
                continue
            episode.absent = episode.absent + 1 if verdict == "gone" else 0
            self._ledger.keep(episode)
            if episode.absent >= 2:
                self._end(episode, now, self._ending(episode.source), now)
            elif verdict != "gone" and episode.silenced != (verdict == "silenced"):
                episode.silenced = verdict == "silenced"
                self._touch(episode, now)

    def watchdog(self, missing: bool, since: float, now: float) -> None:
        """``missing``: Alertmanager answers, but its Watchdog is not there, so that ends prove nothing.

        ``since``: when it was last seen; what ended later is unconfirmed, too.
        """
        self._watchdog_missing = missing
        for episode in self._ledger.episodes.values() if missing else ():
            told = episode.source == names.SOURCE_ALERTMANAGER and episode.phase == "told"
            if told and episode.ending == "resolved" and (episode.ended_seen_at or 0.0) > since:
                episode.ending = "expired"
                self._ledger.keep(episode)
                self._touch(episode, now)

    def tick(self, now: float) -> None:
        """What falls due by itself: holds of senders that cannot be asked, and incidents that cannot come back."""
        for episode in self._ledger.due(now):
            if episode.source != names.SOURCE_ALERTMANAGER:
                self._tell(episode, now)
        while self._closings and self._closings[0][0] <= now:
            _, number = heapq.heappop(self._closings)
            self._close(number, now)

    def shift(self, seconds: float) -> None:
        """The wall clock has jumped by so much: what was to be waited for is as far away as before."""
        for episode in self._ledger.episodes.values():
            episode.received_at += seconds
            episode.due += seconds
            if episode.ended_seen_at is not None:
                episode.ended_seen_at += seconds
            if episode.doubted_at is not None:
                episode.doubted_at += seconds
            self._ledger.keep(episode)
        for incident in self._ledger.incidents.values():
            incident.told_since += seconds
            incident.changed_at += seconds
            self._ledger.keep(incident)
        for post in self._ledger.posts.values():
            post.posted_at += seconds
            post.edited_at += seconds
            self._ledger.keep(post)
        self._plan_all()

    def wind(self, now: float) -> None:
        """Called once with a book from the disk: what lies further ahead than anything is waited for was noted by a
        clock that was wrong, and is not waited for any longer than usual."""
        for number in self._ledger.held:
            episode = self._ledger.episodes[number]
            latest = now + max(episode.hold, self._timing.silenced_again)
            if episode.due > latest:
                episode.due = latest
                self._ledger.keep(episode)
        for incident in self._ledger.incidents.values():
            if max(incident.told_since, incident.changed_at) > now:
                incident.told_since, incident.changed_at = min(incident.told_since, now), min(incident.changed_at, now)
                self._ledger.keep(incident)
        for post in self._ledger.posts.values():
            if post.edited_at > now:
                post.edited_at = now
                self._ledger.keep(post)
        self._plan_all()

    def wake_at(self, now: float) -> float | None:
        """When ``questions`` or ``tick`` will have something to do; None: not before something is told."""
        if self._ledger.doubted:
            return now
        moments = [moment for moment, _ in self._closings[:1]]
        if (due := self._ledger.next_due()) is not None:
            moments.append(due)
        return min(moments, default=None)

    # Telling and ending ------------------------------------------------------------

    def _tell(self, episode: Episode, now: float) -> None:
        """The episode joins its group's incident, or opens one."""
        episode.phase = "told"
        incident = self._ledger.incident_of_group(episode)
        if incident is None:
            incident = self._new_incident(episode, now)
            self._ledger.join(episode, incident)
        else:
            self._absorb_earlier(episode, incident)
            self._ledger.join(episode, incident)
            if episode.firing:
                self._reopen(incident, episode, now)
            else:
                self._touch(episode, now)
        self._after_end(incident, episode)

    def _new_incident(self, episode: Episode, now: float) -> Incident:
        incident = Incident(
            id=self._ledger.new_id(),
            channel=episode.channel,
            route=episode.route,
            source=episode.source,
            event=episode.event,
            group=dict(episode.group),
            title=episode.title,
            group_by_all=episode.group_by_all,
            opened_at=episode.starts_at,
            told_since=now,
            worst=episode.severity,
            changed_at=now,
        )
        self._ledger.add_incident(incident)
        return incident

    def _absorb_earlier(self, episode: Episode, incident: Incident) -> None:
        """Earlier firings of the same alert become a count, so that an incident does not grow by flapping."""
        for earlier in list(self._ledger.episodes_of_alert(episode.route, episode.fingerprint)):
            if earlier is episode or earlier.incident != incident.id:
                continue
            episode.times += earlier.times
            episode.first_at = min(episode.first_at, earlier.first_at)
            waiting = earlier.queued
            self._ledger.queue(earlier, -waiting)
            self._ledger.queue(episode, waiting)
            self._ledger.leave(earlier)
            self._plan_forgetting(earlier)

    def _reopen(self, incident: Incident, episode: Episode, now: float) -> None:
        if incident.ended_at is not None:
            incident.returns += episode.starts_at > incident.ended_at
            incident.ended_at = None
        self._touch(episode, now)

    def _end(self, episode: Episode, ends_at: float, ending: Ending, now: float) -> None:
        """The episode is over. What was never told and lived shorter than its hold is churn."""
        self._close_episode(episode, ends_at, ending, now)
        if episode.phase == "told":
            self._touch(episode, now)
            if episode.incident is not None:
                self._after_end(self._ledger.incidents[episode.incident], episode)
        elif ends_at - episode.starts_at < episode.hold:
            self._suppress(episode)
        else:
            self._tell(episode, now)

    def _close_episode(self, episode: Episode, ends_at: float, ending: Ending, now: float) -> None:
        episode.ends_at, episode.ending, episode.ended_seen_at = ends_at, ending, now
        episode.silenced, episode.doubted_at = False, None
        self._ledger.keep(episode)

    def _suppress(self, episode: Episode) -> None:
        episode.phase = "suppressed"
        self._ledger.settle(episode, "suppressed")
        self._plan_forgetting(episode)

    def _after_end(self, incident: Incident, episode: Episode) -> None:
        """The incident is over when nothing in it fires any more; ``episode`` is what changed."""
        if not incident.event and not self._ledger.goes_on(incident):
            changed = (episode,) if incident.ended_at is not None else self._ledger.members(incident)
            incident.ended_at = max(incident.ended_at or 0.0, *(member.ends_at or 0.0 for member in changed))
            self._ledger.keep(incident)
        self._plan_closing(incident)

    def _touch(self, episode: Episode, now: float) -> None:
        """Readers should see that the episode changed."""
        if episode.incident is None:
            return
        incident = self._ledger.incidents[episode.incident]
        incident.revision += 1
        incident.changed_at = now
        incident.worst = worst((incident.worst, episode.severity))
        self._ledger.keep(incident)
        self._plan_closing(incident)
        if episode.firing:
            self._telling.escalate(incident, episode.severity, now)

    # Forgetting ------------------------------------------------------------

    def _plan_all(self) -> None:
        self._closings.clear()
        self._planned.clear()
        for incident in self._ledger.incidents.values():
            self._plan_closing(incident)
        for episode in self._ledger.episodes.values():
            if episode.phase != "held" and episode.incident is None:
                self._plan_forgetting(episode)

    def _plan_forgetting(self, episode: Episode) -> None:
        heapq.heappush(self._closings, ((episode.ended_seen_at or episode.due) + self._timing.reopen, episode.id))

    def _plan_closing(self, incident: Incident) -> None:
        """A later change moves the moment; it is looked at again when the one that is planned has come."""
        moment = self._closing_time(incident)
        if moment is not None and incident.id not in self._planned:
            self._planned.add(incident.id)
            heapq.heappush(self._closings, (moment, incident.id))

    def _closing_time(self, incident: Incident) -> float | None:
        if incident.event and incident.closed_at is None:
            return incident.changed_at + self._timing.quiet
        if incident.closed_at is not None:
            return None
        return None if incident.ended_at is None else max(incident.ended_at, incident.changed_at) + self._timing.reopen

    def _close(self, number: int, now: float) -> None:
        """An incident that has been over for long enough is closed, once its readers have seen the end."""
        episode = self._ledger.episodes.get(number)
        if episode is not None:
            self._forget(episode)
            return
        self._planned.discard(number)
        incident = self._ledger.incidents.get(number)
        moment = None if incident is None else self._closing_time(incident)
        if incident is None or moment is None:
            return
        if moment > now:
            self._plan_closing(incident)
            return
        if incident.told_revision < incident.revision:
            self._planned.add(number)
            heapq.heappush(self._closings, (now + self._timing.reopen, number))
            return
        incident.closed_at = now
        for member in self._ledger.members(incident):
            self._seen_events.pop(member.id, None)
        self._ledger.close(incident)

    def _forget(self, episode: Episode) -> None:
        """An episode that no incident shows any more was kept to know its late copies."""
        if episode.phase != "held" and episode.incident is None:
            self._ledger.drop_episode(episode, from_disk=True)

    # What channels are told ------------------------------------------------------------

    def next(self, channel: str, now: float) -> Sending | None:
        """What to do next in a channel. Until it is said what came of it, the channel is not to be asked again."""
        return self._telling.next(channel, now)

    def next_at(self, channel: str, now: float) -> float | None:
        """When ``next`` will have something to do if nothing more is told; None: not before something is."""
        return self._telling.next_at(channel, now)

    def told(self, sending: Sending, sent: Sent, via: str, now: float) -> None:
        """It stands in the channel. ``via``: the channel whose webhook took it."""
        self._telling.told(sending, sent, via, now)

    def deleted(self, sending: Sending, now: float) -> None:
        """The message to change or to delete is not there any more. What it showed will be posted anew."""
        self._telling.deleted(sending, now)

    def crowded(self, sending: Sending, now: float) -> None:
        """The message takes no more changes. What it showed will be posted anew, and it will be deleted."""
        self._telling.crowded(sending, now)

    def refused(self, sending: Sending, reason: str, detail: str, payload: str, now: float) -> None:
        """It will never be taken as it is: a dead letter."""
        self._telling.refused(sending, reason, detail, payload, now)

    def retell(self, incidents: Sequence[int], now: float) -> list[int]:
        """Tells incidents again whose message was refused. Gives those that are not known any more."""
        return self._telling.retell(incidents, now)

    def revive(self, incident: Incident, episodes: Sequence[Episode], now: float) -> None:
        """An incident that was forgotten, and is to be told once more as it was. No alert joins it again."""
        if incident.id in self._ledger.incidents:
            return
        for episode in episodes:
            if episode.id not in self._ledger.episodes:
                self._ledger.add_episode(replace(episode))
        found = replace(
            incident,
            closed_at=None,
            post=None,
            told_revision=0,
            told_since=now,
            changed_at=now,
            pinged=[*incident.pinged],
        )
        self._ledger.add_incident(found, joined=False)
        self._plan_closing(found)

    # Looking, saving ------------------------------------------------------------

    @property
    def accounts(self) -> Mapping[tuple[str, Account], int]:
        """Totals by channel and account. With ``queued``: received is the sum of all others."""
        return self._ledger.accounts

    def queued(self, channel: str) -> int:
        """Notices of the channel that wait."""
        return self._ledger.queued(channel)

    def channels(self) -> tuple[str, ...]:
        """Every channel that anything is or was for, sorted."""
        seen = {channel for channel, _ in self._ledger.accounts}
        seen.update(self._ledger.unposted, self._ledger.stale, self._channels)
        return tuple(sorted(seen))

    def incidents(self) -> Iterator[tuple[Incident, Sequence[Episode]]]:
        """Every incident that is remembered, with its episodes. Not to be changed."""
        for incident in self._ledger.incidents.values():
            yield incident, self._ledger.members(incident)

    def knows(self, notice: Notice) -> bool:
        """Whether a firing of this alert is known that overlaps with the one of the notice.

        The notice may lack labels: Prometheus adds some towards Alertmanager only.
        """
        until = notice.starts_at if notice.ends_at is None else notice.ends_at
        return any(
            episode.source == notice.source
            and episode.starts_at <= until + _CLOCKS
            and (episode.ends_at is None or episode.ends_at >= notice.starts_at - _CLOCKS)
            and notice.labels.items() <= episode.labels.items()
            for episode in self._ledger.episodes.values()
        )

    def held(self) -> tuple[Episode, ...]:
        """What nobody has been told yet. Not to be changed."""
        return tuple(self._ledger.episodes[number] for number in sorted(self._ledger.held))

    def posts(self) -> Iterator[Post]:
        """Every message that may still change. Not to be changed."""
        return iter(self._ledger.posts.values())

    def changes(self) -> Changes:
        """What has changed since the last call, to be saved in one transaction."""
        return self._ledger.changes()


def _question(episode: Episode) -> Question:
    return Question(episode.id, episode.fingerprint, episode.starts_at, episode.labels)


def _end_of(notice: Notice, now: float) -> float:
    return max(notice.starts_at, notice.ends_at if notice.ends_at is not None else now)
