"""What the metrics page and the start page show of delivery: failures, last errors, how long messages took.

Written by delivery.worker and the engine, read by the service. Lost at a restart, as metrics are.
May import: the standard library.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

LATENCY_BOUNDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""Seconds. From when something fell due until it stood in the channel."""


@dataclass(slots=True)
class Histogram:
    """Counts by upper bound, not cumulative; the last one has none. ``total``: the sum of all values."""

    bounds: tuple[float, ...] = LATENCY_BOUNDS
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Counts one value; a negative one (a clock was set back) as 0."""
        value = max(0.0, value)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last thing that went wrong with a channel, in words without secrets."""

    at: float
    reason: str
    detail: str = ""


@dataclass(slots=True)
class Figures:
    """All of it, by channel."""

    latency: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By channel and kind: post, edit, delete."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By channel and reason."""
    delivered_at: dict[str, float] = field(default_factory=dict)
    """When something was last delivered, by channel."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """The last one of each channel; gone once something has been delivered."""
    poisoned: int = 0
    """Deliveries that the book could not take."""
    commits_failed: int = 0

    def failed(self, channel: str, at: float, reason: str, detail: str = "") -> None:
        """Something went wrong."""
        self.failures[channel, reason] += 1
        self.troubles[channel] = Trouble(at, reason, detail)

    def delivered(self, channel: str, kind: str, at: float, seconds: float) -> None:
        """Something stands in the channel, or is gone from it, so many seconds after it fell due."""
        self.delivered_at[channel] = at
        self.sent[channel, kind] += 1
        if kind != "delete":
            self.latency[channel].add(seconds)
        self.troubles.pop(channel, None)
