"""What the relay remembers: episodes, incidents, posts, and the accounts of every channel.

Changed by the book and by telling only; kept on disk by the store, field by field. May import: the standard library.
Times are Unix seconds (UTC). Ids are given by the book, grow, and are never used again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Phase = Literal["held", "told", "suppressed"]
Ending = Literal["resolved", "expired"]
Account = Literal["received", "posted", "suppressed", "deduplicated", "dead_lettered"]
ACCOUNTS: Final[tuple[Account, ...]] = ("received", "posted", "suppressed", "deduplicated", "dead_lettered")


@dataclass(slots=True)
class Episode:
    """One firing of one alert on one route: or one kind of event, folded.

    ``held``: nobody has been told yet. ``told``: it belongs to an incident. ``suppressed``: it was churn.
    """

    id: int
    route: str
    channel: str
    source: str
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    severity: str
    generator_url: str
    group: dict[str, str]
    title: str | None
    group_by_all: bool
    event: bool
    hold: float
    starts_at: float
    received_at: float
    due: float
    """When its hold is over."""
    phase: Phase = "held"
    ends_at: float | None = None
    """None while it fires, and for events."""
    ending: Ending | None = None
    ended_seen_at: float | None = None
    """When the relay learned of the end."""
    incident: int | None = None
    queued: int = 0
    """Notices about it that are neither posted, nor suppressed, nor dead-lettered yet."""
    times: int = 1
    """How often it fired in its incident, or how many events it stands for."""
    first_at: float = 0.0
    """When the first of those began."""
    silenced: bool = False
    absent: int = 0
    """In how many rounds in a row Alertmanager did not know it."""
    doubted_at: float | None = None
    """When somebody said that it fires although it had ended; None when nobody does."""

    @property
    def firing(self) -> bool:
        """Whether it goes on. An event has no end, and does not fire."""
        return self.ends_at is None and not self.event


@dataclass(slots=True)
class Incident:
    """One group's life in one channel. ``revision`` grows with each change that readers should see."""

    id: int
    channel: str
    route: str
    source: str
    event: bool
    group: dict[str, str]
    title: str | None
    group_by_all: bool
    opened_at: float
    told_since: float
    """When it was first due to be told, or due again after a message was lost."""
    ended_at: float | None = None
    returns: int = 0
    revision: int = 1
    told_revision: int = 0
    """The newest revision that readers have seen."""
    worst: str = "none"
    """The worst severity that ever fired in it."""
    pinged: list[str] = field(default_factory=list)
    """Severities whose mention has been pinged."""
    post: int | None = None
    changed_at: float = 0.0
    closed_at: float | None = None
    """Since when it cannot come back: the same group would be a new incident."""


@dataclass(slots=True)
class Post:
    """One message that stands in a channel, and the incidents it shows. One that shows none is to be deleted."""

    id: int
    channel: str
    via: str
    """The channel whose webhook posted it: the channel itself, or the one that stands in for it."""
    remote_id: str
    thread_id: str | None
    incidents: list[int]
    posted_at: float
    edited_at: float
    plain: bool = False


@dataclass(slots=True)
class DeadLetter:
    """A message that could not be delivered and never will be as it is. ``incidents`` can be told again."""

    id: int
    channel: str
    at: float
    reason: str
    detail: str
    incidents: list[int]
    notices: int
    payload: str
    """The message as it was refused, as JSON."""
    replayed_at: float | None = None


@dataclass(slots=True)
class Changes:
    """What has to be written in one transaction, so that disk and memory agree."""

    episodes: list[Episode] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    gone_episodes: list[int] = field(default_factory=list)
    gone_incidents: list[int] = field(default_factory=list)
    gone_posts: list[int] = field(default_factory=list)
    accounts: dict[tuple[str, Account], int] = field(default_factory=dict)
    """New totals by channel and account."""
    next_id: int = 1
    """The first id that has never been given."""


@dataclass(slots=True)
class Snapshot:
    """Everything the book needs to go on where it stopped: what a store gives back after a restart."""

    episodes: list[Episode] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    accounts: dict[tuple[str, Account], int] = field(default_factory=dict)
    next_id: int = 1
