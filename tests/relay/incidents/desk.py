"""A book with a channel that takes everything: what tests of incidents drive, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from homelabmon.notifiers.contract import Outcome, Rejected, Request, Response, Sent, Style, Target
from homelabmon.notifiers.message import IncidentView, Message
from homelabmon.relay.incidents.book import Book, ChannelPolicy, Verdict
from homelabmon.relay.incidents.model import (
    ACCOUNTS,
    Account,
    Changes,
    DeadLetter,
    Episode,
    Incident,
    Post,
    Snapshot,
)
from homelabmon.relay.incidents.notice import Delivery, Lane, Notice
from homelabmon.relay.incidents.telling import Sending
from homelabmon.relay.incidents.timing import Timing

START = 1_800_000_000.0
HOLDS = {"critical": 0.0}


class Plain:
    """A notifier that says little. Ten incidents fit into a message."""

    name = "plain"

    def render(self, message: Message, style: Style = "full") -> dict[str, Any]:
        return {"text": [view.title for view in message.incidents]}

    def how_many_fit(self, incidents: Sequence[IncidentView], style: Style = "full") -> int:
        return min(10 if style == "full" else 4, len(incidents))

    def post(self, target: Target, payload: Mapping[str, Any]) -> Request:
        return Request("POST", target.url, json.dumps(payload).encode())

    def edit(self, target: Target, message_id: str, payload: Mapping[str, Any]) -> Request:
        return Request("PATCH", f"{target.url}/{message_id}", json.dumps(payload).encode())

    def delete(self, target: Target, message_id: str) -> Request:
        return Request("DELETE", f"{target.url}/{message_id}")

    def judge(self, request: Request, response: Response) -> Outcome:
        return Sent("1") if response.status == 200 else Rejected("no", "malformed")

    def flaw(self, target: Target) -> str | None:
        return None


def lanes(notice: Notice, route_key: str | None) -> Sequence[Lane]:
    """Grouped by alertname; ``team`` names the channel; ``also`` a second one."""
    hold = HOLDS.get(notice.labels.get("severity", ""), 60.0)
    group = {"alertname": notice.labels.get("alertname", "")}
    found = [Lane(notice.labels.get("team", "ops"), notice.labels.get("team", "ops"), group, hold)]
    if "also" in notice.labels:
        found.append(Lane(notice.labels["also"], notice.labels["also"], group, hold))
    return found


def alert(name: str, at: float, *, ends: float | None = None, **labels: str) -> Notice:
    """An alert of Alertmanager's; ``at`` and ``ends`` are seconds after START."""
    every = {"alertname": name, "severity": "warning", **labels}
    fingerprint = json.dumps(every, sort_keys=True)
    return Notice(
        "alertmanager", fingerprint, every, ends is None, START + at, ends_at=None if ends is None else START + ends
    )


def event(name: str, at: float, source: str = "falco", **labels: str) -> Notice:
    every = {"alertname": name, "severity": "warning", **labels}
    return Notice(source, json.dumps(every, sort_keys=True), every, True, START + at, event=True)


@dataclass
class Written:
    """One message as it stands in a channel."""

    channel: str
    at: float
    versions: list[Message] = field(default_factory=list)
    pinged: tuple[str, ...] = ()
    deleted: bool = False

    @property
    def last(self) -> Message:
        return self.versions[-1]


class Disk:
    """What a store holds, built from changes alone."""

    def __init__(self) -> None:
        self.episodes: dict[int, Episode] = {}
        self.incidents: dict[int, Incident] = {}
        self.posts: dict[int, Post] = {}
        self.letters: list[DeadLetter] = []
        self.accounts: dict[tuple[str, Account], int] = {}
        self.next_id = 1

    def apply(self, changes: Changes) -> None:
        saved = deepcopy(changes)
        self.episodes.update((item.id, item) for item in saved.episodes)
        self.incidents.update((item.id, item) for item in saved.incidents)
        self.posts.update((item.id, item) for item in saved.posts)
        self.letters += saved.dead_letters
        for number in saved.gone_episodes:
            self.episodes.pop(number, None)
        for number in saved.gone_posts:
            self.posts.pop(number, None)
        self.accounts.update(saved.accounts)
        self.next_id = saved.next_id

    def load(self) -> Snapshot:
        """What is not over: closed incidents only while their message shows others."""
        open_ = {key: one for key, one in self.incidents.items() if one.closed_at is None or one.post in self.posts}
        return deepcopy(
            Snapshot(
                [one for one in self.episodes.values() if one.incident is None or one.incident in open_],
                list(open_.values()),
                list(self.posts.values()),
                self.accounts,
                self.next_id,
            )
        )


class Desk:
    """Tells the book what happens, answers it, and writes what it wants written, second by second."""

    def __init__(self, *, mention: Mapping[str, str] | None = None, timing: Timing | None = None) -> None:
        self.channels = {name: ChannelPolicy(mention or {}) for name in ("ops", "media")}
        self.timing = timing
        self.pace = 0.25
        self.now = START
        self.there: dict[str, Verdict] = {}
        """What Alertmanager says, by fingerprint; ``alive`` where nothing is said."""
        self.up = True
        self.written: list[Written] = []
        self._by_id: dict[str, Written] = {}
        self.sendings: list[tuple[float, Sending]] = []
        self.disk = Disk()
        self.book = self.open(Snapshot())

    def open(self, snapshot: Snapshot) -> Book:
        return Book(lanes, self.channels, Plain(), timing=self.timing, snapshot=snapshot)

    def take(self, *notices: Notice) -> None:
        self.book.take(Delivery(0, self.now, notices), self.now)

    def until(self, second: float) -> None:
        """Lets time pass, in small steps."""
        while self.now < START + second:
            self.now = min(self.now + self.pace, START + second)
            self.step()

    def step(self) -> None:
        for question in self.book.questions(self.now):
            self.book.answer(question, self.there.get(question.fingerprint, "alive"), self.now)
        self.book.tick(self.now)
        for channel in self.channels if self.up else ():
            if (sending := self.book.next(channel, self.now)) is not None:
                self.send(sending)
        self.disk.apply(self.book.changes())
        self.check()

    def send(self, sending: Sending) -> None:
        self.sendings.append((self.now - START, sending))
        posts = {post.id: post for post in self.book.posts()}
        if sending.kind == "delete":
            assert sending.post is not None
            self._by_id[posts[sending.post].remote_id].deleted = True
            self.book.deleted(sending, self.now)
            return
        assert sending.message is not None
        if sending.kind == "post":
            written = Written(sending.channel, self.now - START, pinged=sending.message.mentions)
            self.written.append(written)
            number = str(len(self.written))
        else:
            assert sending.post is not None
            number = posts[sending.post].remote_id
            written = self._by_id[number]
        self._by_id[number] = written
        written.versions.append(sending.message)
        self.book.told(sending, Sent(number), sending.channel, self.now)

    def restart(self) -> None:
        """A new book from what was saved: what the old one gave as changes, and nothing else."""
        self.book = self.open(self.disk.load())

    def check(self) -> None:
        """Every notice is in exactly one account."""
        for channel in self.book.channels():
            totals = {account: self.book.accounts.get((channel, account), 0) for account in ACCOUNTS}
            assert totals["received"] == sum(totals.values()) - totals["received"] + self.book.queued(channel), totals

    def total(self, account: Account, channel: str = "ops") -> int:
        return self.book.accounts.get((channel, account), 0)

    @property
    def standing(self) -> list[Written]:
        """The messages that readers see."""
        return [written for written in self.written if not written.deleted]
