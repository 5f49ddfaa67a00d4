"""Days, and how they are summed: pure arithmetic on intervals of time. May import: the standard library."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Final, Literal

State = Literal["operational", "degraded", "outage", "unknown"]
"""``unknown``: it was watched, and nobody knows; it counts as no data."""
Interval = tuple[float, float]
"""From, and until; the end is no part of it."""
Windows = Mapping[str, Sequence[Interval]]
"""Public maintenance windows, by component."""

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Day:
    """How many seconds of one UTC day a component was what. What is missing to ``length`` is no data.

    ``maintenance``: it was degraded or out of order while a public window for it was open. As on Atlassian's
    Statuspage, such time is no downtime; time in a window in which all was well counts as that.
    """

    operational: float = 0.0
    degraded: float = 0.0
    outage: float = 0.0
    maintenance: float = 0.0
    length: float = DAY
    """Seconds of the day that are over: less than a whole day today, none of those to come."""

    @property
    def measured(self) -> float:
        """Seconds of which it is known what it was."""
        return self.operational + self.degraded + self.outage + self.maintenance

    @property
    def no_data(self) -> float:
        """Seconds of which nothing is known."""
        return max(self.length - self.measured, 0.0)


def uptime(days: Iterable[Day]) -> float | None:
    """The part, 0 to 1, of the measured time in which it answered, slowly or not; maintenance is left out.

    None where nothing was measured. Not rounded.
    """
    up = down = 0.0
    for day in days:
        up += day.operational + day.degraded
        down += day.outage
    return up / (up + down) if up + down > 0 else None


def day_of(at: float) -> date:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(at, UTC).date()


def start_of(day: date) -> float:
    """When a UTC day begins. All of them have 86,400 seconds: Unix time knows no leap seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


class Cover:
    """Intervals joined, to be asked how much of another one they cover."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        joined: list[Interval] = []
        for began, ended in sorted(intervals):
            if ended <= began:
                continue
            if joined and began <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], ended))
            else:
                joined.append((began, ended))
        self.intervals: Final[tuple[Interval, ...]] = tuple(joined)
        self._begins = [began for began, _ in joined]
        self._before = [0.0]
        for began, ended in joined:
            self._before.append(self._before[-1] + ended - began)

    def until(self, at: float) -> float:
        """Seconds covered before a moment."""
        number = bisect_right(self._begins, at)
        if number == 0:
            return 0.0
        _, ended = self.intervals[number - 1]
        return self._before[number] - max(ended - at, 0.0)

    def of(self, began: float, ended: float) -> float:
        """Seconds of an interval that are covered."""
        return max(self.until(ended) - self.until(began), 0.0) if ended > began else 0.0

    def within(self, began: float, ended: float) -> list[Interval]:
        """The pieces of an interval that are covered."""
        first = max(bisect_right(self._begins, began) - 1, 0)
        found = []
        for one, other in self.intervals[first:]:
            if one >= ended:
                break
            if other > began and ended > began:
                found.append((max(one, began), min(other, ended)))
        return found


NOTHING: Final = Cover(())


def summed(spans: Iterable[tuple[float, float, State]], gaps: Cover, windows: Cover, began: float, ended: float) -> Day:
    """What of the time from ``began`` to ``ended`` was what. The spans do not overlap; gaps are time without data."""
    found: dict[str, float] = {"operational": 0.0, "degraded": 0.0, "outage": 0.0, "maintenance": 0.0}
    for since, until, state in spans:
        since, until = max(since, began), min(until, ended)
        if until <= since or state == "unknown":
            continue
        seen = until - since - gaps.of(since, until)
        if state != "operational":
            excused = sum(b - a - gaps.of(a, b) for a, b in windows.within(since, until))
            found["maintenance"] += excused
            seen -= excused
        found[state] += max(seen, 0.0)
    return Day(**found, length=max(ended - began, 0.0))


COLUMNS: Final = tuple(field.name for field in fields(Day) if field.name != "length")
