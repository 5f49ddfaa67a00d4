"""What the page shows. Gathered by the service from the book, the delivery and the store; made into HTML by overview.

May import: notifiers.message, and the standard library. Times are Unix seconds (UTC). Nothing here holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from homelabmon.notifiers.message import IncidentView


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel. ``queued``: notices that nobody has been told yet; ``oldest``: since when the oldest waits."""

    name: str
    state: Literal["delivering", "waiting", "disabled"]
    queued: int = 0
    oldest: float | None = None
    last_delivered: float | None = None
    last_error: str = ""
    last_error_at: float | None = None
    stand_in: str | None = None
    """The channel that takes its messages while it is disabled."""
    accounts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident and the channel it is told in. ``told``: readers have seen how it stands now."""

    view: IncidentView
    channel: str
    told: bool = True


@dataclass(frozen=True, slots=True)
class HeldRow:
    """An alert that nobody is told of yet."""

    labels: Mapping[str, str]
    severity: str
    channel: str
    starts_at: float
    due: float
    silenced: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """What a sender sent and was not understood."""

    id: int
    at: float
    source: str
    reason: str
    size: int
    """Bytes."""
    times: int = 1
    """How often it was sent."""
    kept: bool = True
    """Whether it is there whole, so that it can be taken again."""


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A message that was refused for good."""

    id: int
    at: float
    channel: str
    reason: str
    detail: str
    notices: int
    replayed_at: float | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatRow:
    """A heartbeat. ``expected``: when its next run is; ``last``: when it last succeeded."""

    name: str
    state: Literal["new", "up", "late", "down", "paused"]
    since: float
    running_since: float | None = None
    last: float | None = None
    expected: float | None = None
    duration: float | None = None
    """Of its last run, where the start is known. Seconds."""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """A probe. ``failing``: its last check failed; ``theirs``: what its third party says of itself."""

    name: str
    address: str
    """Without what may be secret."""
    state: Literal["new", "up", "degraded", "down", "unknown"]
    since: float
    failing: bool = False
    reason: str = ""
    checked: float | None = None
    latency: float | None = None
    """Of its last answer. Seconds."""
    timing: str = ""
    certificate_until: float | None = None
    theirs: str = ""


@dataclass(frozen=True, slots=True)
class WatchRow:
    """Somebody who watches, or is watched, and how that stands. ``at``: when it last said so, or since when it does
    not."""

    name: str
    kind: Literal["ok", "warn", "bad", ""]
    words: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class PageData:
    """Everything on the page."""

    name: str
    version: str
    now: float
    started_at: float
    channels: tuple[ChannelRow, ...] = ()
    open: tuple[OpenIncident, ...] = ()
    held: tuple[HeldRow, ...] = ()
    recent: tuple[OpenIncident, ...] = ()
    """Incidents that are over, the latest first."""
    quarantine: tuple[QuarantineRow, ...] = ()
    dead_letters: tuple[DeadLetterRow, ...] = ()
    heartbeats: tuple[HeartbeatRow, ...] = ()
    probes: tuple[ProbeRow, ...] = ()
    watch: tuple[WatchRow, ...] = ()
    troubles: tuple[str, ...] = ()
    """What is wrong with the relay itself, one sentence each: the store cannot be written, a configuration that was
    not taken, a Watchdog that is missing."""
    dry_run: bool = False
    base: str = ""
    """The path under which the page and its buttons lie: without a slash at its end."""
    hidden: Mapping[str, int] = field(default_factory=dict)
    """How many more there are than are shown, by section: open, held, recent, heartbeats, probes,
    quarantine, dead_letters."""
