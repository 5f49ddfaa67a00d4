"""What is to happen, in the order of virtual time.

Used by its neighbours in timing. May import: the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count


class Rank(IntEnum):
    """What comes first of that which happens at the same instant.

    An alert that arrives when a group is due is still in the flush: real groups are late by the milliseconds that
    each flush takes, and never early.
    """

    PUT = 0
    GOSSIP = 1
    END = 2
    DECIDE = 3
    WAKE = 4
    FLUSH = 5


class Agenda:
    """Actions and their times. Equal times and ranks keep the order in which they were entered."""

    __slots__ = ("_entries", "_number", "now")

    def __init__(self, now: float) -> None:
        self.now = now
        self._entries: list[tuple[float, int, int, Callable[[], None]]] = []
        self._number = count()

    def at(self, time: float, rank: Rank, action: Callable[[], None]) -> None:
        """Enter an action. Times that differ by less than a microsecond are the same."""
        heappush(self._entries, (instant(time), rank, next(self._number), action))

    def next_at(self) -> float | None:
        """When something happens next."""
        return self._entries[0][0] if self._entries else None

    def advance(self, until: float) -> None:
        """Do everything up to a time, the time included."""
        entries = self._entries
        while entries and entries[0][0] <= until:
            self.now, _, _, action = heappop(entries)
            action()
        self.now = max(self.now, until)


def instant(time: float) -> float:
    """The time to a microsecond, so that sums which mean the same time are equal."""
    return round(time, 6)
