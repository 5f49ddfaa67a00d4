"""The relay, or the outpost, in virtual time: the service's own book, its questions to Alertmanager, Discord's limits.

Used by :mod:`homelabmon.simulation.world`. May import: spec, notifiers, relay.incidents, relay.routes,
relay.delivery.limits. Differs from the service that runs in three things: nothing is lost or slow, Alertmanager answers
at once, and Discord takes every message after the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Sent
from homelabmon.notifiers.message import Links, Message
from homelabmon.relay.delivery.limits import Limits, Ticket
from homelabmon.relay.incidents.book import Book, ChannelPolicy, Verdict
from homelabmon.relay.incidents.notice import Delivery, Notice
from homelabmon.relay.incidents.telling import Sending
from homelabmon.relay.routes import lanes_of
from homelabmon.spec.relay_file import RelayFile

LATENCY: Final = 0.3
"""Seconds from a request to Discord until readers see what it says."""
RECONCILE_EVERY: Final = 60.0
"""How often the relay asks whether what stands as firing still fires."""
_STEP: Final = 0.25
_LOOK_EVERY: Final = 600.0
_LINKED: Final = ("alertmanager", "grafana", "prometheus", "relay")

Asks = Callable[[str], Verdict]
"""What Alertmanager knows of the alert with a fingerprint, now."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that readers see at a moment: a message posted, edited or deleted. ``number`` counts the channel's
    messages from 1. ``message`` is what it says; ``None``: it is gone."""

    at: float
    channel: str
    kind: Literal["post", "edit", "delete"]
    number: int
    message: Message | None


@dataclass(frozen=True, slots=True)
class _UnderWay:
    done_at: float
    sending: Sending
    number: int
    ticket: Ticket


class Service:
    """One service with its configuration. ``now`` never goes back."""

    def __init__(self, file: RelayFile, asks: Asks | None = None) -> None:
        policies = {
            name: ChannelPolicy({str(severity): who for severity, who in entry.mention.items()}, entry.username)
            for name, entry in file.channels.items()
        }
        links = Links(**{name: url for name, url in file.links.items() if name in _LINKED})
        self.book = Book(lanes_of(file), policies, NOTIFIERS["discord"], links=links, stack=file.name)
        self._asks = asks
        self._limits = Limits(lambda: 0.0)
        self._deliveries = 0
        self._under_way: dict[str, _UnderWay] = {}
        self._posts: dict[str, int] = {}
        self._news = False
        self._due: dict[str, float] = {}
        self._wake_at = inf
        self._reconcile_at = inf
        self._doubtful: set[int] = set()
        self._look_at = -inf
        self._suppressed: set[int] = set()

    def take(self, notices: Sequence[Notice], now: float, route_key: str | None = None) -> None:
        """One request with what a sender tells."""
        self._deliveries += 1
        self._news = True
        self.book.take(Delivery(self._deliveries, now, tuple(notices), route_key), now)

    def step(self, now: float) -> Iterator[Shown]:
        """Do what is due. Only what was told, and what falls due by itself, can concern other channels than those whose
        own time has come."""
        yield from self._arrive(now)
        if self._news or min(self._wake_at, self._reconcile_at) <= now:
            self._news = False
            for question in self.book.questions(now):
                self.book.answer(question, "unknown" if self._asks is None else self._asks(question.fingerprint), now)
            self.book.tick(now)
            self._reconcile(now)
            wake_at = self.book.wake_at(now)
            self._wake_at = inf if wake_at is None else max(wake_at, now + _STEP)
            channels: Iterable[str] = self.book.channels()
        else:
            channels = [channel for channel, at in self._due.items() if at <= now]
        for channel in channels:
            self._due[channel] = max(self._send(channel, now), now + _STEP)
        self._look_at_changes(now)

    def next_at(self) -> float:
        """When something is due if nothing is told before, as of the last step; infinite: never."""
        return min(self._wake_at, self._reconcile_at, *self._due.values())

    @property
    def suppressed(self) -> int:
        """How many firings nobody was told about, as they were over within their hold."""
        self._look_at_changes(inf)
        return len(self._suppressed)

    def _look_at_changes(self, now: float) -> None:
        """What the running service would write to its disk; more often than the book forgets anything."""
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self._suppressed.update(one.id for one in self.book.changes().episodes if one.phase == "suppressed")

    def _arrive(self, now: float) -> Iterator[Shown]:
        """What Discord has answered."""
        for channel, one in sorted(self._under_way.items()):
            if one.done_at > now:
                continue
            del self._under_way[channel]
            self._due[channel] = now
            sent = Sent(str(one.number))
            self._limits.end(one.ticket, 200, sent, one.done_at)
            if one.sending.kind == "delete":
                self.book.deleted(one.sending, now)
            else:
                self.book.told(one.sending, sent, channel, now)
            yield Shown(one.done_at, channel, one.sending.kind, one.number, one.sending.message)

    def _reconcile(self, now: float) -> None:
        if self._asks is None or (now < self._reconcile_at < inf):
            return
        asked = self.book.firing()
        verdicts: dict[int, Verdict] = {}
        for question in asked:
            verdict = self._asks(question.fingerprint)
            # That something still fires is no news, unless it was in doubt before.
            if verdict != "alive" or question.episode in self._doubtful:
                verdicts[question.episode] = verdict
        self._doubtful = {episode for episode, verdict in verdicts.items() if verdict != "alive"}
        self._reconcile_at = now + RECONCILE_EVERY if asked else inf
        if verdicts:
            self.book.reconcile(verdicts, now)

    def _send(self, channel: str, now: float) -> float:
        """Begin what is due in a channel; when something is due in it next."""
        if (under_way := self._under_way.get(channel)) is not None:
            return under_way.done_at
        due = self.book.next_at(channel, now)
        if due is None:
            return inf
        ready = max(due, self._limits.ready_at(channel, now))
        sending = self.book.next(channel, now) if ready <= now else None
        if sending is None:
            return ready
        if sending.kind == "post":
            number = self._posts[channel] = self._posts.get(channel, 0) + 1
        else:
            number = int(sending.remote_id)
        done_at = now + LATENCY
        self._under_way[channel] = _UnderWay(done_at, sending, number, self._limits.begin(channel, now))
        return done_at
