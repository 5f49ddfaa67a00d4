"""Schedules: whether one makes sense, and the longest gap between two of its runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from typing import Final

from homelabmon.spec.cron import cron_of
from homelabmon.spec.watch import Heartbeat

# A fixed start keeps the output the same on every day; it is a Monday, and the year has a leap day.
_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_RUNS: Final = 1500


class ScheduleError(ValueError):
    """A schedule that is no schedule, or that never runs."""


def runs(schedule: str, count: int = _RUNS) -> list[datetime]:
    """The first runs of a cron schedule after a fixed day, in UTC. Raises ScheduleError.

    Zones and changes of the clock do not matter to what this is used for: gaps, and whether it ever runs.
    """
    from cronsim import CronSim, CronSimError

    try:
        return list(islice(CronSim(cron_of(schedule), _START), count))
    except CronSimError as error:
        raise ScheduleError(str(error)) from None


def longest_gap(beat: Heartbeat) -> timedelta | None:
    """The longest time between two runs, an hour added for the change of clocks; None when no schedule is known."""
    if beat.period is not None:
        return beat.period
    if beat.schedule is None:
        return None
    try:
        gap = _longest_gap(cron_of(beat.schedule))
    except ScheduleError:
        return None
    return gap + timedelta(hours=1) if gap >= timedelta(hours=3) and beat.timezone != "UTC" else gap


@lru_cache(maxsize=4096)
def _longest_gap(cron: str) -> timedelta:
    """Days and times of day are looked at apart: every day that runs at all runs at the same times."""
    fields = cron.split()
    if len(fields) != 5:
        raise ScheduleError("a cron expression has five fields")
    times = _until(f"{fields[0]} {fields[1]} * * *", _DAY)
    horizon = _horizon(*fields[2:])
    days = _until(f"0 0 {' '.join(fields[2:])}", horizon)
    if not times or not days:
        raise ScheduleError("the schedule never runs")
    between_days = _widest(days) if len(days) > 1 else horizon
    return max(_widest(times), between_days - (times[-1] - times[0]))


def _horizon(day: str, month: str, weekday: str) -> timedelta:
    """How long until the days repeat: a week, a leap cycle of years, or, dates and weekdays together, 28 years."""
    if day == "*" and month == "*":
        return 15 * _DAY
    if weekday != "*":
        return 28 * 366 * _DAY
    return (731 if month == "*" else 9 * 366) * _DAY


def _widest(times: list[datetime]) -> timedelta:
    return max((later - earlier for earlier, later in pairwise(times)), default=timedelta(0))


def _until(cron: str, horizon: timedelta) -> list[datetime]:
    """Every run from the fixed start on, that start included, within a horizon."""
    from cronsim import CronSim, CronSimError

    try:
        found = CronSim(cron, _START - timedelta(minutes=1))
        return list(takewhile(lambda when: when < _START + horizon, found))
    except CronSimError as error:
        raise ScheduleError(str(error)) from None
