"""When the next run is expected after a moment: for a period, a cron expression and systemd's OnCalendar.

A cron expression says what a clock on the wall shows. What a scheduler does with a time that the clock leaves out in
spring, or shows twice in autumn, is its own; so there are dialects:

=========== ================== ======================================== ==============================================
dialect     left out in spring shown twice in autumn                    source
=========== ================== ======================================== ==============================================
debian      at the change      once, the first time                     cron(8) of Debian; cronsim
kubernetes  not at all         twice                                    robfig/cron v3, spec.go
vixie       not at all         twice                                    cron without any rule about changes of clocks
github      at the change      once; nobody says which time, so that    GitHub's documentation of `on.schedule`
                               either will do
systemd     not at all         once, the first time                     systemd 252, calendarspec.c
=========== ================== ======================================== ==============================================

For debian and github this holds where minute and hour are both numbers; where one begins with ``*``, the run is due
whenever the clock shows it.

Used by the heartbeats and by the configuration's reader. May import: spec; cronsim when a cron expression is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

from homelabmon.spec.cron import cron_of
from homelabmon.spec.on_calendar import CalendarError, parse_calendar
from homelabmon.spec.watch import Heartbeat

_AHEAD: Final = 4 * 3600
"""Seconds. No zone sets its clocks back by more than that."""
_SECOND: Final = timedelta(seconds=1)

Changes = Literal["each", "once", "once_or_late", "either_or_late"]
"""What a change of clocks does: every time the clock shows it; the first time only; the same, and what is left out is
made up for; the same, but the second time will do as well."""


class ScheduleError(ValueError):
    """A schedule that cannot be read, or that never comes about. The text says what is wrong."""


class Schedule(Protocol):
    """When something is expected."""

    def after(self, moment: float) -> float | None:
        """The next run after a moment, both in Unix seconds. Always later than the moment; None: never again."""
        ...


@dataclass(frozen=True, slots=True)
class Period:
    """Expected so many seconds after the last one."""

    seconds: float

    def after(self, moment: float) -> float:
        """So much later."""
        return moment + self.seconds


class Walls(Protocol):
    """What a clock on the wall has to show."""

    def after(self, wall: datetime) -> datetime | None:
        """The next such time; neither has a zone. None: never again."""
        ...


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields."""

    text: str

    def after(self, wall: datetime) -> datetime | None:
        """The next time that fits. Days are looked for over 50 years."""
        from cronsim import CronSim

        return next(CronSim(self.text, wall), None)


@dataclass(frozen=True, slots=True)
class Clock:
    """Expected when the clock of a zone shows something."""

    walls: Walls
    zone: ZoneInfo
    changes: Changes

    def after(self, moment: float) -> float | None:
        """The next run after a moment."""
        now = math.floor(moment)
        found = self._each(now) if self.changes == "each" else self._once(now)
        return next((float(at) for at in found), None)

    def _each(self, now: int) -> Iterator[int]:
        """Whenever the clock shows it. What comes before the clock is set back comes before what it then repeats."""
        wall, offset = self._wall(now), self._offset(now)
        if self._offset(now + _AHEAD) < offset:
            change = self._change(now, now + _AHEAD)
            first = self.walls.after(wall)
            if first is not None and (at := _utc(first) - offset) < change:
                yield at
                return
            now, wall = change - 1, self._wall(change) - _SECOND
        while (found := self.walls.after(wall)) is not None:
            yield from (at for at in self._moments(found) if at > now)
            wall = found

    def _once(self, now: int) -> Iterator[int]:
        wall = self._wall(now)
        while (found := self.walls.after(wall)) is not None:
            moments = self._moments(found)
            if moments:
                if moments[0] > now:
                    yield moments[-1 if self.changes == "either_or_late" else 0]
            elif self.changes != "once" and (at := self._made_up(found)) > now:
                yield at
            wall = found

    def _wall(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, self.zone).replace(tzinfo=None, fold=0)

    def _offset(self, at: int) -> int:
        """Seconds east of Greenwich."""
        offset = datetime.fromtimestamp(at, self.zone).utcoffset()
        assert offset is not None
        return round(offset.total_seconds())

    def _moments(self, wall: datetime) -> tuple[int, ...]:
        """When the clock shows this: once, twice (the first one first), or never."""
        both = {round(wall.replace(tzinfo=self.zone, fold=fold).timestamp()) for fold in (0, 1)}
        return tuple(sorted(at for at in both if self._wall(at) == wall))

    def _made_up(self, wall: datetime) -> int:
        """When the clock was set past what it was to show."""
        before, after = (round(wall.replace(tzinfo=self.zone, fold=fold).timestamp()) for fold in (1, 0))
        return self._change(before, after)

    def _change(self, before: int, after: int) -> int:
        """The first second with another offset than ``before``; ``after`` has another one."""
        offset = self._offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after


def _utc(wall: datetime) -> int:
    return round(wall.replace(tzinfo=UTC).timestamp())


def schedule_of(beat: Heartbeat) -> Schedule:
    """When a heartbeat is expected. Raises ScheduleError, also for a schedule that never comes about."""
    if beat.period is not None:
        return Period(beat.period.total_seconds())
    if beat.calendar is not None:
        return _calendar(beat.calendar, beat.timezone)
    if beat.schedule is None:
        raise ScheduleError("it has neither schedule nor calendar nor period")
    dialect = beat.dialect or ("kubernetes" if beat.cronjob is not None else "debian")
    if dialect == "systemd":
        raise ScheduleError("dialect systemd belongs to `calendar`, and this is a cron expression")
    return _cron(cron_of(beat.schedule), beat.timezone, dialect)


def _calendar(text: str, zone: str) -> Clock:
    try:
        calendar = parse_calendar(text)
    except CalendarError as error:
        raise ScheduleError(f"{text!r}: {error}") from None
    return _checked(text, Clock(calendar, _zone(calendar.zone or zone), "once"))


def _cron(text: str, zone: str, dialect: str) -> Clock:
    from cronsim import CronSimError

    fields = text.split()
    if len(fields) != 5:
        raise ScheduleError(f"{text!r} has {len(fields)} fields, not 5")
    changes: Changes = "each"
    if dialect == "kubernetes":
        fields = [*fields[:2], _days(fields[2], "1-31"), fields[3], _days(fields[4], "0-6")]
    elif dialect != "vixie" and not any(field.startswith("*") for field in fields[:2]):
        changes = "either_or_late" if dialect == "github" else "once_or_late"
    try:
        return _checked(text, Clock(Cron(" ".join(fields)), _zone(zone), changes))
    except CronSimError as error:
        raise ScheduleError(f"{text!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None


def _days(field: str, all_: str) -> str:
    """A field of days as robfig/cron means it: only ``*`` alone is a star, ``*/2`` lists days (parser.go, getRange)."""
    if any(item in ("*", "*/1") for item in field.split(",")):
        return "*"
    last = all_.partition("-")[2]
    items = (re.sub(r"^\*/", f"{all_}/", item) for item in field.split(","))
    return ",".join(re.sub(r"^(\w+)/", rf"\1-{last}/", item) for item in items)


def _checked(text: str, clock: Clock) -> Clock:
    if clock.walls.after(datetime(2024, 1, 1)) is None:  # a clock on the wall has no zone
        raise ScheduleError(f"{text!r} never comes about")
    return clock


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo("UTC" if name.upper() == "UTC" else name)
    except (KeyError, ValueError, OSError):
        raise ScheduleError(f"{name!r} is no time zone that this machine knows") from None
