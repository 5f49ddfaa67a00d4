"""What a sender told: deliveries of notices. Made by the intake, taken by the book.

May import: the standard library. Times are Unix seconds (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert, or one event, as its sender told it.

    An alert is the same one where ``fingerprint`` and ``starts_at`` are equal. An event (``event``) has happened and
    has no end; events of equal fingerprints are folded into one line with a count.
    """

    source: str
    """``alertmanager``, ``falco``, ``flux``, ``event``, ..."""
    fingerprint: str
    labels: Mapping[str, str]
    firing: bool
    starts_at: float
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: float | None = None
    """When it ended; None while it fires."""
    generator_url: str = ""
    event: bool = False
    keyed: bool = False
    """Its sender counts no firings: it speaks of whatever of this fingerprint fires. ``starts_at``: when it told so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one request told. ``id`` names its row in the inbox; it grows with arrival."""

    id: int
    received_at: float
    notices: tuple[Notice, ...]
    route_key: str | None = None
    """Alertmanager's name of the route that sent it: its group key without the group's labels."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One way a notice takes: the route, what it says, and the group it puts the notice into."""

    route: str
    channel: str
    group: Mapping[str, str]
    hold: float
    """Seconds."""
    title: str | None = None
    group_by_all: bool = False
