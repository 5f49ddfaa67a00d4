"""Time intervals: when a route is mute, or active.

Read from the shape Alertmanager's YAML has, by whoever holds such data; asked by ``explain``, ``simulate`` and the
relay. May import: the standard library. Source: Alertmanager timeinterval/timeinterval.go; notify/mute.go for
:func:`muting_intervals`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

T = TypeVar("T")


class TimeIntervalError(ValueError):
    """A time interval that Alertmanager would refuse. Says where, why, and what to write."""


@dataclass(frozen=True, slots=True)
class Span:
    """Two ends, both included. What they count is said by the field that holds the span."""

    begin: int
    end: int

    def holds(self, number: int) -> bool:
        """Whether the number is within."""
        return self.begin <= number <= self.end


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A set of moments: those that every given field holds. ``None`` leaves a field open; an empty one holds nothing.

    ``times``: minutes of the day, the end of each pair excluded (1440 is midnight at the end of the day).
    ``weekdays``: 0 is Sunday. ``days_of_month``: from 1, or negative from the end, -1 being the last day.
    ``months``: 1 is January. ``location``: whose clock and calendar it is.
    """

    times: tuple[tuple[int, int], ...] | None = None
    weekdays: tuple[Span, ...] | None = None
    days_of_month: tuple[Span, ...] | None = None
    months: tuple[Span, ...] | None = None
    years: tuple[Span, ...] | None = None
    location: tzinfo = UTC

    def contains(self, when: datetime) -> bool:
        """Whether the moment is in the interval. Raises ValueError for a moment without a time zone."""
        if when.tzinfo is None:
            raise ValueError(f"the moment {when} has no time zone")
        local = when.astimezone(self.location)
        minute = local.hour * 60 + local.minute
        return (
            (self.times is None or any(start <= minute < end for start, end in self.times))
            and (self.days_of_month is None or any(_days_hold(days, local) for days in self.days_of_month))
            and _holds(self.months, local.month)
            and _holds(self.weekdays, local.isoweekday() % 7)
            and _holds(self.years, local.year)
        )


Intervals = Mapping[str, Sequence[TimeInterval]]
"""Time intervals by name. A name stands for all moments that any of its intervals holds."""


def muting_intervals(
    mute: Iterable[str], active: Iterable[str], intervals: Intervals, when: datetime
) -> tuple[str, ...]:
    """The names that keep a route with these mute and active intervals silent at this moment; empty: it may speak.

    A route is silent in any of its mute intervals, and outside of all of its active ones if it has some
    (Alertmanager notify/mute.go). Raises KeyError for a name that ``intervals`` lacks.
    """
    muting = tuple(name for name in mute if _any_holds(intervals[name], when))
    active = tuple(active)
    if muting or any(_any_holds(intervals[name], when) for name in active):
        return muting
    return active


def _any_holds(intervals: Sequence[TimeInterval], when: datetime) -> bool:
    return any(interval.contains(when) for interval in intervals)


def _holds(spans: tuple[Span, ...] | None, number: int) -> bool:
    return spans is None or any(span.holds(number) for span in spans)


def _days_hold(days: Span, when: datetime) -> bool:
    """Whether the day is within, once both ends are counted from the first of its month and kept inside the month."""
    length = monthrange(when.year, when.month)[1]
    begin = days.begin if days.begin > 0 else length + days.begin + 1
    end = days.end if days.end > 0 else length + days.end + 1
    return begin <= when.day <= end


# Reading ----------------------------------------------------------------------------------------------------------


def parse_time_intervals(data: Iterable[Mapping[str, object]]) -> dict[str, tuple[TimeInterval, ...]]:
    """Read a list as it stands in the YAML as ``time_intervals``: each with a ``name`` and its ``time_intervals``.

    Raises :class:`TimeIntervalError`.
    """
    intervals: dict[str, tuple[TimeInterval, ...]] = {}
    for item in data:
        name, parts = item.get("name"), item.get("time_intervals") or ()
        if not isinstance(name, str) or not name:
            raise TimeIntervalError(f"a time interval needs a name, found {name!r}")
        if name in intervals:
            raise TimeIntervalError(f"time interval {name!r} is there twice")
        if not isinstance(parts, (list, tuple)) or not all(isinstance(part, Mapping) for part in parts):
            raise TimeIntervalError(f"time interval {name!r}: time_intervals must be a list of intervals")
        try:
            intervals[name] = tuple(map(parse_time_interval, parts))
        except TimeIntervalError as error:
            raise TimeIntervalError(f"time interval {name!r}: {error}") from None
    return intervals


def parse_time_interval(data: Mapping[str, object]) -> TimeInterval:
    """Read one interval, as it stands in the YAML below ``time_intervals``.

    ``{"times": [{"start_time": "09:00", "end_time": "17:00"}], "weekdays": ["monday:friday"], "location": "UTC"}``

    Raises :class:`TimeIntervalError` for what Alertmanager refuses, and for two things it takes: months that no year
    has, and ``location: Local``, which is whatever zone its container happens to be in.
    """
    unknown = sorted(set(data) - {"times", "weekdays", "days_of_month", "months", "years", "location"})
    if unknown:
        raise TimeIntervalError(
            f"unknown key {unknown[0]!r}: a time interval has times, weekdays, days_of_month, months, years, location"
        )
    return TimeInterval(
        times=_read_list(data, "times", _read_times),
        weekdays=_read_list(data, "weekdays", _read_weekdays),
        days_of_month=_read_list(data, "days_of_month", _read_days_of_month),
        months=_read_list(data, "months", _read_months),
        years=_read_list(data, "years", _read_years),
        location=_read_location(data.get("location")),
    )


def _read_list(data: Mapping[str, object], key: str, read: Callable[[object], T]) -> tuple[T, ...] | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise TimeIntervalError(f"{key}: expected a list, found {value!r}")
    found = []
    for number, item in enumerate(value):
        try:
            found.append(read(item))
        except TimeIntervalError as error:
            raise TimeIntervalError(f"{key}[{number}]: {error}") from None
    return tuple(found)


_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")


def _read_times(item: object) -> tuple[int, int]:
    if not isinstance(item, Mapping) or set(item) - {"start_time", "end_time"}:
        raise TimeIntervalError(f"expected start_time and end_time, found {item!r}")
    start, end = (_read_time(item, key) for key in ("start_time", "end_time"))
    if start >= end:
        raise TimeIntervalError("start_time must be before end_time: split a range that passes midnight into two")
    return start, end


def _read_time(item: Mapping[object, object], key: str) -> int:
    value = item.get(key)
    if not value:
        raise TimeIntervalError(f"{key} is missing")
    if isinstance(value, int):
        raise TimeIntervalError(f'{key}: {value!r} is a number, as YAML reads 10:00 without quotes: write "10:00"')
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise TimeIntervalError(f"{key}: {value!r} is no time of day: write 00:00 to 24:00, with two digits each")
    return int(match[1] or match[3]) * 60 + int(match[2] or match[4])


_NUMBER: Final = re.compile(r"[+-]?[0-9]+")


def _read_ends(item: object, what: str, names: Sequence[str] = (), first: int = 0) -> Span:
    """Both ends of ``monday:friday``, ``5`` or ``-3:-1``; upper and lower case are the same."""
    text = str(item).lower()
    ends = []
    for part in text.split(":"):
        if part in names:
            ends.append(names.index(part) + first)
        elif _NUMBER.fullmatch(part) and names != WEEKDAYS:
            ends.append(int(part))
        else:
            raise TimeIntervalError(f"{part!r} is no {what} in {text!r}")
    if len(ends) > 2:
        raise TimeIntervalError(f"{text!r} has more than two ends")
    return Span(ends[0], ends[-1])


def _read_weekdays(item: object) -> Span:
    return _in_order(_read_ends(item, "weekday", WEEKDAYS), item)


def _read_months(item: object) -> Span:
    span = _read_ends(item, "month", MONTHS, first=1)
    if span.begin < 1 or span.end > len(MONTHS):
        raise TimeIntervalError(f"{item!r} is beyond the months of a year, 1 to 12")
    return _in_order(span, item)


def _read_years(item: object) -> Span:
    return _in_order(_read_ends(item, "year"), item)


def _in_order(span: Span, item: object) -> Span:
    if span.begin > span.end:
        raise TimeIntervalError(f"{item!r} ends before it begins: split it into two")
    return span


def _read_days_of_month(item: object) -> Span:
    """Alertmanager refuses a range that is empty in a month of 28 days, so that none is empty in some months only."""
    span = _read_ends(item, "day of the month")
    for day in (span.begin, span.end):
        if day == 0 or abs(day) > 31:
            raise TimeIntervalError(f"{day} is no day of the month: 1 to 31, or -31 to -1 from its end")
    if span.begin < 0 < span.end:
        raise TimeIntervalError(f"{item!r}: a range that begins from the end of the month must end so too")
    begin, end = (day + 28 if day < 0 else day for day in (span.begin, span.end))
    if begin > end:
        raise TimeIntervalError(f"{item!r} ends before it begins in a month of 28 days")
    return span


def _read_location(value: object) -> tzinfo:
    if value is None or value in ("", "UTC"):
        return UTC
    if value == "Local":
        raise TimeIntervalError("location: Local is whatever zone the container is in: name it, as in Europe/London")
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        raise TimeIntervalError(f"location: {value!r} is no time zone: write for example Europe/London") from None
