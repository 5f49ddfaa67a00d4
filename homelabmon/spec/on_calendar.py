"""systemd's OnCalendar expressions: whether one is well formed, whether it can ever come about, and when.

Read by the checks and by the heartbeats. Rules: systemd.time(7) and systemd's calendarspec.c, as systemd 252 reads them
(`systemd-analyze calendar`). May import: spec.suggest.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from homelabmon.spec.suggest import suggest

SHORTHANDS: Final = (
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannually",
    "biannually",
    "annually",
    "yearly",
)
_SPELT_OUT: Final = {
    "minutely": "*:*",
    "hourly": "*:00",
    "daily": "00:00",
    "weekly": "Mon 00:00",
    "monthly": "*-*-01",
    "quarterly": "*-1,4,7,10-01",
    **dict.fromkeys(("semiannually", "semi-annually", "biannually", "bi-annually"), "*-1,7-01"),
    **dict.fromkeys(("annually", "anually", "yearly"), "*-01-01"),
}
_ACCEPTED: Final = frozenset(_SPELT_OUT)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ITEM: Final = re.compile(r"(\d+)(?:\.\.(\d+))?(?:/(\d+))?")
_SECOND: Final = re.compile(r"(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?(?:/(\d+(?:\.\d+)?))?")
_DATE: Final = re.compile(r"(?:(?P<year>[^-~]+)-)?(?P<month>[^-~]+)(?P<from>[-~])(?P<day>[^-~]+)")
_LENGTHS: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}

Values = frozenset[int] | None
"""The values a field lists; None for all."""


class CalendarError(ValueError):
    """No OnCalendar expression, or one that never comes about. ``fix`` says what to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


_FAR: Final = 60
"""Years ahead that are looked through: every combination of date and weekday has come about by then."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An expression that has been read. ``zone``: the one it names; None where it names none."""

    weekdays: Values
    """Monday is 0."""
    years: Values
    months: Values
    days: Values
    from_end: tuple[tuple[int, int | None, int | None], ...] | None
    """Days counted from the end of the month, the last being 1: first, last, step. Then ``days`` is of no account."""
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    zone: str | None = None

    def after(self, wall: datetime) -> datetime | None:
        """The first time after this one at which a clock on the wall shows what is asked for; neither has a zone."""
        if self._on(wall.date()):
            later = _later(wall.time(), self.hours, self.minutes, self.seconds)
            if later is not None:
                return datetime.combine(wall.date(), later)
        day = self._day(wall.date() + timedelta(days=1))
        return None if day is None else datetime.combine(day, time(self.hours[0], self.minutes[0], self.seconds[0]))

    def _day(self, day: date) -> date | None:
        """The first fitting day from this one on."""
        last = min(day.year + _FAR, 9998)
        while day.year <= last:
            if self.years is not None and day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif self.months is not None and day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            elif self._on(day):
                return day
            else:
                day += timedelta(days=1)
        return None

    def _on(self, day: date) -> bool:
        return (
            (self.weekdays is None or day.weekday() in self.weekdays)
            and (self.years is None or day.year in self.years)
            and (self.months is None or day.month in self.months)
            and self._on_day_of_month(day)
        )

    def _on_day_of_month(self, day: date) -> bool:
        if self.from_end is None:
            return self.days is None or day.day in self.days
        length = calendar.monthrange(day.year, day.month)[1]
        for near, far, step in self.from_end:
            first = length + 1 - (near if far is None else far)
            last = length + 1 - near if far is not None else length if step else first
            if day.day in range(first, last + 1, step or 1):
                return True
        return False


def _later(at: time, hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> time | None:
    """The first of the listed times of day after this one."""
    if at.hour in hours:
        if at.minute in minutes and (place := bisect_right(seconds, at.second)) < len(seconds):
            return time(at.hour, at.minute, seconds[place])
        if (place := bisect_right(minutes, at.minute)) < len(minutes):
            return time(at.hour, minutes[place], seconds[0])
    place = bisect_right(hours, at.hour)
    return time(hours[place], minutes[0], seconds[0]) if place < len(hours) else None


def check_calendar(text: str, zones: Iterable[str] = ()) -> None:
    """Raises CalendarError. ``zones`` are known time zone names; without any, no zone is judged."""
    parse_calendar(text, zones)


def parse_calendar(text: str, zones: Iterable[str] = ()) -> Calendar:
    """Reads an expression. Raises CalendarError. ``zones`` as in :func:`check_calendar`."""
    words = text.split()
    if not words:
        raise CalendarError("it is empty", "write for example Mon..Fri *-*-* 03:00:00")
    every = len(words)
    words = _without_zone(words, frozenset(zones))
    zone = text.split()[-1] if len(words) < every else None
    if len(words) == 1 and words[0].lower() in _ACCEPTED:
        words = _SPELT_OUT[words[0].lower()].split()
    if words[0].startswith("@"):
        raise CalendarError(f"{words[0]} is one moment, not a schedule", "write weekdays, date and time")
    if len(words) == 5 and all(_looks_like_cron(word) for word in words):
        raise CalendarError("this is a cron expression", "write it as `schedule`")
    weekdays = _weekdays(words.pop(0)) if words and _is_weekdays(words[0]) else None
    date_ = words.pop(0) if words and ":" not in words[0] else None
    time_ = words.pop(0) if words else "00:00:00"
    if words:
        raise CalendarError(f"{words[0]!r} is too much", "write weekdays, date and time, as in Mon..Fri *-*-* 03:00:00")
    hours, minutes, seconds = _time(time_)
    years, months, days, from_end = (None, None, None, None) if date_ is None else _date(date_)
    return Calendar(weekdays, years, months, days, from_end, hours, minutes, seconds, zone)


def _without_zone(words: list[str], zones: frozenset[str]) -> list[str]:
    last = words[-1]
    if len(words) < 2 or not re.fullmatch(r"[A-Za-z][\w+-]*(?:/[\w+/-]+)?", last):
        return words
    if last.upper() != "UTC" and zones and last not in zones:
        raise CalendarError(f"{last!r} is no time zone", "write an IANA name, such as Europe/London")
    return words[:-1]


def _looks_like_cron(word: str) -> bool:
    return re.fullmatch(r"[\d*,/-]+", word) is not None


def _is_weekdays(word: str) -> bool:
    return re.match(r"[A-Za-z]", word) is not None


def _weekdays(word: str) -> frozenset[int]:
    found: set[int] = set()
    for item in word.removesuffix(",").split(","):
        ends = re.split(r"\.\.|-", item)
        numbers = [_weekday(end, word) for end in ends]
        if len(numbers) > 2:
            raise CalendarError(f"{item!r} has more than two ends", "write Mon..Fri")
        if numbers[0] > numbers[-1]:
            following = "Mon" if numbers[-1] == 0 else f"Mon..{ends[-1]}"
            raise CalendarError(f"{item!r} passes the end of the week", f"write {ends[0]}..Sun,{following}")
        found.update(range(numbers[0], numbers[-1] + 1))
    return frozenset(found)


def _weekday(name: str, word: str) -> int:
    for number, day in enumerate(_DAYS):
        if name.lower() in (day, day[:3]):
            return number
    if len(word) == len(name) and not name.lower().endswith("day"):
        raise CalendarError(f"{name!r} is no weekday and no shorthand", suggest(name, SHORTHANDS, "shorthands: "))
    raise CalendarError(f"{name!r} is no weekday", "write Mon, Tue, Wed, Thu, Fri, Sat or Sun")


def _time(word: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    parts = word.split(":")
    if not 2 <= len(parts) <= 3:
        raise CalendarError(f"{word!r} is no time of day", "write HH:MM or HH:MM:SS")
    hours = _field(parts[0], "hour", 0, 23)
    minutes = _field(parts[1], "minute", 0, 59)
    seconds = _field(parts[2], "second", 0, 59, _SECOND) if len(parts) == 3 else frozenset((0,))
    return _listed(hours, 24), _listed(minutes, 60), _listed(seconds, 60)


def _listed(values: Values, count: int) -> tuple[int, ...]:
    return tuple(range(count)) if values is None else tuple(sorted(values))


def _date(word: str) -> tuple[Values, Values, Values, tuple[tuple[int, int | None, int | None], ...] | None]:
    """Years, months, days of the month, and days from the end of the month where those are meant."""
    match = _DATE.fullmatch(word)
    if match is None:
        raise CalendarError(f"{word!r} is neither a date nor a time", "write a date as *-*-01, a time as 03:00")
    years = None if match["year"] is None else _field(match["year"], "year", 0, 9999)
    if years is not None:
        years = frozenset(year if year > 99 else year + (2000 if year < 70 else 1900) for year in years)
    months = _field(match["month"], "month", 1, 12)
    if match["from"] == "~":
        return years, months, None, _days_from_end(match["day"])
    days = _field(match["day"], "day of the month", 1, 31)
    if days is not None and not any(_exists(day, month, years) for month in months or range(1, 13) for day in days):
        raise CalendarError(f"{word!r} never comes about: no such month has {min(days)} days", "check day and month")
    return years, months, days, None


def _days_from_end(text: str) -> tuple[tuple[int, int | None, int | None], ...] | None:
    if text == "*":
        return None
    found = []
    for part in text.split(","):
        match = _ITEM.fullmatch(part)
        if match is None:
            raise CalendarError(f"{part!r} is no day from the end of the month", "write for example *-*~01")
        first, last, step = (None if value is None else int(value) for value in match.groups())
        assert first is not None
        if not 1 <= first <= (28 if last is None else 31) or (last is not None and not first <= last <= 31):
            raise CalendarError(f"{part!r} is no day from the end of the month", "it goes from 1 to 28")
        if last is not None and step:
            last -= (last - first) % step
        found.append((first, last, step or None))
    return tuple(found)


def _exists(day: int, month: int, years: Values) -> bool:
    if month == 2 and day == 29 and years is not None:
        return any(calendar.isleap(year) for year in years)
    return day <= _LENGTHS.get(month, 31)


def _field(text: str, name: str, least: int, most: int, item: re.Pattern[str] = _ITEM) -> Values:
    """The values of one field: ``*``, ``3``, ``1,15``, ``1..5``, ``0/15``, ``1..20/5``."""
    if text == "*":
        return None
    found: set[int] = set()
    for part in text.split(","):
        match = item.fullmatch(part)
        if match is None:
            hint = f"{least}{part[1:]}" if part.startswith("*/") else f"{least}..{most}"
            raise CalendarError(f"{part!r} is no {name}", f"write for example {hint}")
        first, last, step = (None if value is None else int(float(value)) for value in match.groups())
        assert first is not None
        if not least <= first <= most or (last is not None and not least <= last <= most):
            raise CalendarError(f"{part!r} is no {name}", f"it goes from {least} to {most}")
        if last is not None and last < first:
            raise CalendarError(f"{part!r} ends before it begins", f"write {last}..{first}, or two ranges with a comma")
        if step == 0 and float(match[3]) == 0:
            raise CalendarError(f"{part!r} has a step of zero", "write a step of 1 or more")
        if step and last is None and first + step > most:
            raise CalendarError(f"{part!r} steps beyond {most}", f"write {first}, or a smaller step")
        end = last if last is not None else (most if step else first)
        found.update(range(first, end + 1, max(step or 1, 1)))
    return frozenset(found)
