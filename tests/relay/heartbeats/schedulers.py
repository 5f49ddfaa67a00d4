"""Schedulers as they go through a year: each walks along the clock on the wall, one stretch of equal offset at a time.

They know nothing of what the package thinks of schedules; a cron expression is read as plainly as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from tests.relay.heartbeats.test_schedules import fits, listed

_STEP: Final = 900


@dataclass(frozen=True, slots=True)
class Slot:
    """One run. ``at``: when it is started; ``due``: until when nobody can say that it is late, both in Unix seconds."""

    at: int
    due: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``begin`` to ``end`` (Unix seconds) clocks are so many seconds ahead of UTC."""

    begin: int
    end: int
    offset: int

    @property
    def shows(self) -> int:
        """What a clock on the wall shows at its begin, as if that were Unix seconds."""
        return self.begin + self.offset


@lru_cache
def stretches(zone: str, begin: int, end: int) -> tuple[Stretch, ...]:
    """The stretches of a zone. Changes are found to the quarter of an hour, at which all of them are."""
    info = ZoneInfo(zone)
    found: list[Stretch] = []
    for at in range(begin, end, _STEP):
        delta = datetime.fromtimestamp(at, info).utcoffset()
        assert delta is not None
        offset = round(delta.total_seconds())
        if not found or found[-1].offset != offset:
            found.append(Stretch(at, end, offset))
            if len(found) > 1:
                found[-2] = Stretch(found[-2].begin, at, found[-2].offset)
    return tuple(found)


def walls(text: str, dialect: str, begin: int, end: int) -> Iterator[int]:
    """What the clock shows when it is to run, from ``begin`` to ``end``, all as if the wall's time were UTC."""
    minute, hour, *_ = text.split()
    shows: Callable[[datetime], bool] = fits(text, dialect)
    times = [(one, other) for one in sorted(listed(hour, 0, 23)) for other in sorted(listed(minute, 0, 59))]
    day = datetime.fromtimestamp(begin, UTC).date()
    while day <= datetime.fromtimestamp(end, UTC).date():
        if shows(datetime(day.year, day.month, day.day, *times[0])):
            yield from (at for at in (_at(day, *time) for time in times) if begin <= at < end)
        day += timedelta(days=1)


def _at(day: date, hour: int, minute: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp())


def runs(text: str, zone: str, dialect: str, begin: int, end: int, dice: Random) -> list[Slot]:
    """Every run of a job between two moments, as the scheduler of that dialect starts it."""
    wild = any(field.startswith("*") for field in text.split()[:2])
    by_clock = dialect in ("kubernetes", "vixie") or (dialect in ("debian", "github") and wild)
    makes_up = dialect in ("debian", "github") and not wild
    found: dict[int, Slot] = {}
    shown = offset = 0  # how far the clock on the wall has ever got, and what it was ahead before
    for one in stretches(zone, begin, end):
        until = one.end + one.offset
        left_out = walls(text, dialect, shown, one.shows) if makes_up and shown else ()
        if any(left_out):
            found[one.begin] = Slot(one.begin, one.begin)
        for wall in walls(text, dialect, one.shows, until):
            at = wall - one.offset
            if by_clock or wall >= shown:
                found[at] = Slot(at, at)
            elif dialect == "github":  # the same time again: nobody says in which of the two it runs
                found[wall - offset] = Slot(dice.choice([wall - offset, at]), at)
        shown, offset = max(shown, until), one.offset
    return sorted(found.values(), key=lambda slot: slot.at)
