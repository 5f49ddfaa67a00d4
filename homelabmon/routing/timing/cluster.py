"""A cluster of Alertmanagers in virtual time: alerts go in, notifications come out.

Asked by ``simulate`` and ``test``. May import: its neighbours in routing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from homelabmon.routing.timing.agenda import Agenda, Rank, instant
from homelabmon.routing.timing.alerts import OPEN, Alert, Labels
from homelabmon.routing.timing.log import Entry, Key
from homelabmon.routing.timing.matching import Matching
from homelabmon.routing.timing.notification import Notification
from homelabmon.routing.timing.replica import Replica, Settings


@dataclass(frozen=True, slots=True)
class Put:
    """A word about an alert, as Prometheus posts it to every replica. ``ends_at``: when it is or will be over.

    Prometheus gives an alert that fires an end a few minutes ahead, and moves it on from time to time. Who does not
    care leaves the end open, and puts the alert again when it is over.
    """

    at: float
    labels: Labels
    starts_at: float
    ends_at: float = OPEN
    annotations: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """An alert as the API of a replica lists it; ``inhibited``: something mutes it."""

    labels: Labels
    fingerprint: str
    starts_at: float
    inhibited: bool


class Cluster:
    """Alertmanagers that start, without alerts and memories, at a time in seconds since the epoch."""

    def __init__(self, settings: Settings, start: float = 0.0) -> None:
        self._settings = settings
        self._agenda = Agenda(start)
        self._matching = Matching(settings.tree, settings.inhibit_rules)
        self._sent: list[Notification] = []
        self._replicas = [
            Replica(
                position, settings, self._agenda, self._matching, self._sent.append, partial(self._gossip, position)
            )
            for position in range(settings.replicas)
        ]

    @property
    def now(self) -> float:
        """The time it has got to."""
        return self._agenda.now

    def put(self, puts: Iterable[Put], *, replicas: Iterable[int] | None = None) -> None:
        """Have alerts arrive, at their times, and of one time in their order: at all replicas, or some.

        Raises ValueError for one that lies in the past.
        """
        receiving = self._replicas if replicas is None else [self._replicas[position] for position in replicas]
        ordered = sorted(puts, key=lambda put: put.at)
        if ordered and ordered[0].at < self._agenda.now:
            raise ValueError(f"an alert cannot arrive at {ordered[0].at}: it is {self._agenda.now} already")
        self._feed(deque(ordered), receiving)

    def _feed(self, waiting: deque[Put], receiving: Sequence[Replica]) -> None:
        """Have the first of those that wait arrive at its time, then the next, so that the agenda stays short."""
        if waiting:
            self._agenda.at(waiting[0].at, Rank.PUT, partial(self._arrive, waiting, receiving))

    def _arrive(self, waiting: deque[Put], receiving: Sequence[Replica]) -> None:
        while waiting and instant(waiting[0].at) <= self._agenda.now:
            put = waiting.popleft()
            alert = Alert(self._matching.subject(put.labels), put.annotations, put.starts_at, put.ends_at)
            for replica in receiving:
                replica.put(alert)
        self._feed(waiting, receiving)

    def next_at(self) -> float | None:
        """When something happens next; ``None``: nothing ever will unless alerts arrive."""
        return self._agenda.next_at()

    def advance(self, until: float) -> list[Notification]:
        """Let time go on up to and including ``until``; what has been told since the last call, in order.

        What is told at the same instant comes in the order of replicas, routes and groups.
        """
        self._agenda.advance(until)
        sent = sorted(self._sent, key=lambda each: (each.at, each.replica, each.route.path, each.group_key))
        self._sent.clear()
        return sent

    def listed(self, replica: int = 0) -> Iterator[Listed]:
        """The alerts that fire at this moment, as a replica knows them."""
        for alert, muted_by in self._replicas[replica].firing():
            subject = alert.subject
            yield Listed(subject.labels, subject.fingerprint, alert.starts_at, bool(muted_by))

    def known(self, fingerprint: str) -> list[bool]:
        """For each replica that lists the alert as firing at this moment: whether something mutes it there."""
        subject = self._matching.named(fingerprint)
        if subject is None:
            return []
        found = [replica.lists(subject) for replica in self._replicas]
        return [muted for muted in found if muted is not None]

    def _gossip(self, origin: int, key: Key, entry: Entry) -> None:
        for position, replica in enumerate(self._replicas):
            if position != origin:
                at = self._agenda.now + self._settings.gossip
                self._agenda.at(at, Rank.GOSSIP, partial(replica.merge, key, entry))
