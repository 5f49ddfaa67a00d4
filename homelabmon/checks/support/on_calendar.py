"""systemd's OnCalendar expressions: whether one is well formed, and whether it can ever come about.

Rules: systemd.time(7) and systemd's calendarspec.c, as systemd 252 reads them (`systemd-analyze calendar`).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
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
_ACCEPTED: Final = {*SHORTHANDS, "anually", "semi-annually", "bi-annually"}
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


def check_calendar(text: str, zones: Iterable[str] = ()) -> None:
    """Raises CalendarError. ``zones`` are known time zone names; without any, no zone is judged."""
    words = text.split()
    if not words:
        raise CalendarError("it is empty", "write for example Mon..Fri *-*-* 03:00:00")
    words = _without_zone(words, frozenset(zones))
    if len(words) == 1 and words[0].lower() in _ACCEPTED:
        return
    if words[0].startswith("@"):
        raise CalendarError(f"{words[0]} is one moment, not a schedule", "write weekdays, date and time")
    if len(words) == 5 and all(_looks_like_cron(word) for word in words):
        raise CalendarError("this is a cron expression", "write it as `schedule`")
    if words and _is_weekdays(words[0]):
        _weekdays(words.pop(0))
    date = words.pop(0) if words and ":" not in words[0] else None
    time = words.pop(0) if words else None
    if words:
        raise CalendarError(f"{words[0]!r} is too much", "write weekdays, date and time, as in Mon..Fri *-*-* 03:00:00")
    if time is not None:
        _time(time)
    if date is not None:
        _date(date)


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


def _weekdays(word: str) -> None:
    for item in word.removesuffix(",").split(","):
        ends = re.split(r"\.\.|-", item)
        numbers = [_weekday(end, word) for end in ends]
        if len(numbers) > 2:
            raise CalendarError(f"{item!r} has more than two ends", "write Mon..Fri")
        if numbers[0] > numbers[-1]:
            following = "Mon" if numbers[-1] == 0 else f"Mon..{ends[-1]}"
            raise CalendarError(f"{item!r} passes the end of the week", f"write {ends[0]}..Sun,{following}")


def _weekday(name: str, word: str) -> int:
    for number, day in enumerate(_DAYS):
        if name.lower() in (day, day[:3]):
            return number
    if len(word) == len(name) and not name.lower().endswith("day"):
        raise CalendarError(f"{name!r} is no weekday and no shorthand", suggest(name, SHORTHANDS, "shorthands: "))
    raise CalendarError(f"{name!r} is no weekday", "write Mon, Tue, Wed, Thu, Fri, Sat or Sun")


def _time(word: str) -> None:
    parts = word.split(":")
    if not 2 <= len(parts) <= 3:
        raise CalendarError(f"{word!r} is no time of day", "write HH:MM or HH:MM:SS")
    _field(parts[0], "hour", 0, 23)
    _field(parts[1], "minute", 0, 59)
    if len(parts) == 3:
        _field(parts[2], "second", 0, 59, _SECOND)


def _date(word: str) -> None:
    match = _DATE.fullmatch(word)
    if match is None:
        raise CalendarError(f"{word!r} is neither a date nor a time", "write a date as *-*-01, a time as 03:00")
    years = None if match["year"] is None else _field(match["year"], "year", 0, 9999)
    months = _field(match["month"], "month", 1, 12)
    if match["from"] == "~":
        if match["day"].isdecimal():
            _field(match["day"], "day from the end of the month", 1, 28)
        return
    days = _field(match["day"], "day of the month", 1, 31)
    if days is not None and not any(_exists(day, month, years) for month in months or range(1, 13) for day in days):
        raise CalendarError(f"{word!r} never comes about: no such month has {min(days)} days", "check day and month")


def _exists(day: int, month: int, years: Values) -> bool:
    if month == 2 and day == 29 and years is not None:
        return any(calendar.isleap(year if year > 99 else year + (2000 if year < 70 else 1900)) for year in years)
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
