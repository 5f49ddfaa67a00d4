"""The notification log: what the receiver of a group has been told, and whether it must be told again.

Used by :mod:`homelabmon.routing.timing.replica`. May import: the standard library, and its neighbours in timing.
Sources: Alertmanager notify/dedup_stage.go, nflog/nflog.go.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from math import ceil
from typing import Final

from homelabmon.routing.timing.alerts import Subject
from homelabmon.routing.timing.notification import Reason

MAINTENANCE: Final = 900.0
"""How often entries that have expired are thrown away, seconds (--data.maintenance-interval)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was told last. ``stamp``: when it had been told. ``gone_at``: when the entry is thrown away."""

    stamp: float
    firing: frozenset[Subject]
    resolved: frozenset[Subject]
    gone_at: float


Key = tuple[str, str]
"""Group key and receiver. Routes with equal matchers share group keys, and so what they have told."""


class Log:
    """The log of one Alertmanager. ``epoch``: when it started, as its maintenance runs on a grid from there."""

    def __init__(self, epoch: float, retention: float) -> None:
        self._epoch = epoch
        self._retention = retention
        self._entries: dict[Key, Entry] = {}

    def find(self, key: Key, now: float) -> Entry | None:
        """The entry, if there is one and it has not been thrown away yet."""
        entry = self._entries.get(key)
        return entry if entry is not None and now < entry.gone_at else None

    def merge(self, key: Key, entry: Entry) -> None:
        """Keep the entry unless a newer one is there."""
        known = self._entries.get(key)
        if known is None or known.stamp <= entry.stamp:
            self._entries[key] = entry

    def entry(self, now: float, firing: frozenset[Subject], resolved: frozenset[Subject], repeat: float) -> Entry:
        """The entry for what has been told now. It lives for two repeat intervals, or for the retention if shorter."""
        expires = now + min(self._retention, 2 * repeat)
        rounds = ceil((expires - self._epoch) / MAINTENANCE)
        return Entry(now, firing, resolved, self._epoch + rounds * MAINTENANCE)


def why_tell(
    entry: Entry | None, firing: Set[Subject], resolved: Set[Subject], *, sends_resolved: bool, repeat_before: float
) -> Reason | None:
    """Why the receiver must be told; ``None``: it need not be.

    ``repeat_before``: what was told before this time is due to be repeated.
    """
    if entry is None:
        return Reason.FIRST if firing else None
    if not firing <= entry.firing:
        return Reason.NEW if entry.firing else Reason.FIRST
    if not firing:
        return Reason.ALL_RESOLVED if entry.firing else None
    if sends_resolved and not resolved <= entry.resolved:
        return Reason.SOME_RESOLVED
    return Reason.REPEAT if entry.stamp < repeat_before else None
