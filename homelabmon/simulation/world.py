"""Lets a story happen to a stack: Alertmanager and the services in virtual time, and every message with its time.

Asked by ``simulate`` and ``test``. May import: routing, journey, and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal

from homelabmon.journey.running import Running
from homelabmon.relay.incidents.book import Verdict
from homelabmon.relay.incidents.notice import Notice
from homelabmon.routing.alertmanager_file import PEER_TIMEOUT
from homelabmon.routing.timing.cluster import Cluster
from homelabmon.routing.timing.notification import Notification
from homelabmon.routing.timing.replica import Settings
from homelabmon.simulation.service import LATENCY, Service, Shown
from homelabmon.simulation.story import Story
from homelabmon.spec import names

Kind = Literal["post", "edit", "delete"]
By = Literal["relay", "outpost", "alertmanager"]


@dataclass(frozen=True, slots=True)
class Told:
    """Something that readers see, ``at`` seconds from the beginning of the story.

    ``number`` counts the messages of the channel from 1. Alertmanager posts a ``notification``, each time in a new
    message; what the services say is in ``shown``. Both are left out where nobody wants to read.
    """

    at: float
    channel: str
    by: By
    kind: Kind
    number: int
    mentions: tuple[str, ...] = ()
    """Whom it pings: an edit pings nobody."""
    shown: Shown | None = None
    notification: Notification | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was told. ``notifications``: how many requests Alertmanager has made, by receiver.

    ``suppressed``: firings that nobody was told about because they were over within their hold.
    """

    told: tuple[Told, ...]
    notifications: Mapping[str, int]
    suppressed: int
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """Notifications to receivers of the owner's own, whose readers are not known here."""


_SILENT: Final = frozenset({"nobody", "outpost"})
"""Receivers that show nothing to anybody: the outpost takes the Watchdog only."""


def settings(running: Running) -> Settings | None:
    """The stack's Alertmanagers as a cluster that can be simulated; ``None`` where there are none."""
    file = running.alertmanager
    if file is None:
        return None
    receivers = {name: one.send_resolved for name, one in file.receivers.items() if one.integrations}
    return Settings(
        tree=file.tree,
        receivers=receivers,
        inhibit_rules=file.inhibit_rules,
        intervals=file.intervals,
        replicas=max(1, running.replicas),
        peer_timeout=PEER_TIMEOUT,
    )


def play(running: Running, story: Story, *, texts: bool = True) -> Outcome:
    """Let the story happen. Without ``texts`` it is only kept that something was told, not what: a long history has
    more messages than memory should hold."""
    return _World(running, story, texts).play()


class _World:
    def __init__(self, running: Running, story: Story, texts: bool) -> None:
        self._running, self._story, self._texts = running, story, texts
        self._start = story.start
        configured = settings(running)
        self._cluster = Cluster(configured, story.start) if configured is not None else None
        self._services: dict[By, Service] = {}
        if running.relay is not None:
            asks = self._ask if self._cluster is not None and running.relay.file.alertmanagers else None
            self._services["relay"] = Service(running.relay.file, asks)
        if running.outpost is not None:
            self._services["outpost"] = Service(running.outpost.file)
        self._told: list[Told] = []
        self._posts: dict[str, int] = {}
        self._notifications: dict[str, int] = {}
        self._elsewhere: dict[str, int] = {}

    def _ask(self, fingerprint: str) -> Verdict:
        """What Alertmanager's API says of an alert (as the relay reads it)."""
        assert self._cluster is not None
        muted = self._cluster.known(fingerprint)
        if not muted:
            return "gone"
        return "silenced" if all(muted) else "alive"

    def play(self) -> Outcome:
        if self._cluster is not None:
            self._cluster.put(self._story.puts)
        events = sorted(self._story.events, key=lambda event: event.at)
        until, position = self._story.start + self._story.length, 0
        wake = dict.fromkeys(self._services, inf)
        while True:
            moments = list(wake.values())
            if self._cluster is not None and (at := self._cluster.next_at()) is not None:
                moments.append(at)
            if position < len(events):
                moments.append(events[position].at)
            now = min(moments, default=inf)
            if now > until:
                break
            busy = {by for by, at in wake.items() if at <= now}
            if self._cluster is not None:
                for notification in self._cluster.advance(now):
                    if self._notify(notification):
                        busy.add("relay")
            while position < len(events) and events[position].at <= now:
                event = events[position]
                position += 1
                if event.by in self._services:
                    self._services[event.by].take((event.notice,), now)
                    busy.add(event.by)
            for by in sorted(busy):
                self._step(by, now)
                wake[by] = self._services[by].next_at()
        return self._outcome()

    def _step(self, by: By, now: float) -> None:
        for shown in self._services[by].step(now):
            at = shown.at - self._start
            message = shown.message
            mentions = message.mentions if message is not None and shown.kind == "post" else ()
            kept = shown if self._texts else None
            self._told.append(Told(at, shown.channel, by, shown.kind, shown.number, mentions, kept))

    def _notify(self, notification: Notification) -> bool:
        """Give the notification to whom it is for; whether that is the relay."""
        name = notification.receiver
        self._notifications[name] = self._notifications.get(name, 0) + 1
        reader, channel = self._running.reader(name)
        if reader == "relay":
            self._services["relay"].take(_notices(notification), notification.at, notification.route.key)
            return True
        if reader == "channel":
            number = self._posts[channel] = self._posts.get(channel, 0) + 1
            at = notification.at + LATENCY - self._start
            kept = notification if self._texts else None
            self._told.append(Told(at, channel, "alertmanager", "post", number, notification=kept))
        elif reader not in _SILENT:
            self._elsewhere[name] = self._elsewhere.get(name, 0) + 1
        return False

    def _outcome(self) -> Outcome:
        suppressed = sum(service.suppressed for service in self._services.values())
        told = sorted(self._told, key=lambda one: (one.at, one.channel, one.by))
        return Outcome(tuple(told), dict(self._notifications), suppressed, dict(self._elsewhere))


def _notices(notification: Notification) -> list[Notice]:
    """The notification as the relay's intake reads it."""
    return [
        Notice(
            source=names.SOURCE_ALERTMANAGER,
            fingerprint=alert.fingerprint,
            labels=alert.labels,
            firing=not alert.resolved,
            starts_at=alert.starts_at,
            annotations=alert.annotations,
            ends_at=alert.ends_at,
        )
        for alert in notification.alerts
    ]
