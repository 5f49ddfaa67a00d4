"""Maintenance windows: as Alertmanager's time intervals, and as the moments at which they open and close.

Alertmanager's times are half-open, lie inside one day, and repeat every day that the other fields allow; a window
across midnight, or one that happens once over several days, therefore becomes several entries. The outpost asks for
moments: they are those at which Alertmanager would be silent, also where clocks are changed.

Asked by the renderer, by the relay's routes and by the status page. May import: spec, its neighbour intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, get_args

from homelabmon.spec.routes import Maintenance, Weekday

if TYPE_CHECKING:
    from homelabmon.routing.intervals import TimeInterval

_DAYS: Final = get_args(Weekday)


def time_intervals(windows: Sequence[Maintenance]) -> list[dict[str, Any]]:
    """One named interval a window."""
    return [{"name": window.name, "time_intervals": _entries(window)} for window in windows]


def _entries(window: Maintenance) -> list[dict[str, Any]]:
    pieces = _once(window.start, window.end) if window.start and window.end else _weekly(window)
    return [{**piece, "location": window.timezone} for piece in pieces]


def _weekly(window: Maintenance) -> list[dict[str, Any]]:
    assert window.from_ is not None
    assert window.to is not None
    days: list[str] = list(window.weekdays)
    if window.from_ < window.to:
        return [_weekly_piece(window.from_, window.to, days)]
    pieces = [_weekly_piece(window.from_, "24:00", days)] if window.from_ != "24:00" else []
    if window.to != "00:00":
        following = [_DAYS[(_DAYS.index(day) + 1) % len(_DAYS)] for day in days]
        pieces.append(_weekly_piece("00:00", window.to, following))
    return pieces


def _weekly_piece(start: str, end: str, days: list[str]) -> dict[str, Any]:
    piece: dict[str, Any] = {"times": [{"start_time": start, "end_time": end}]}
    return {**piece, "weekdays": days} if days else piece


def _once(start: datetime, end: datetime) -> list[dict[str, Any]]:
    pieces = []
    day = start.date()
    while datetime.combine(day, time.min) < end:
        first = start.strftime("%H:%M") if day == start.date() else "00:00"
        last = end.strftime("%H:%M") if day == end.date() else "24:00"
        if first < last:
            pieces.append(_day_piece(day, first, last))
        day += timedelta(days=1)
    return pieces


def _day_piece(day: date, start: str, end: str) -> dict[str, Any]:
    return {
        "times": [{"start_time": start, "end_time": end}],
        "years": [str(day.year)],
        "months": [str(day.month)],
        "days_of_month": [str(day.day)],
    }


# Moments -----------------------------------------------------------------------------------------------------------


def openings(window: Maintenance, begin: float, end: float) -> list[tuple[float, float]]:
    """When a window opens and closes, in Unix seconds, in order: whatever reaches into ``begin`` to ``end``, whole.

    Two that touch are one. Raises TimeIntervalError for a time zone that this machine does not know.
    """
    from homelabmon.routing.intervals import parse_time_interval  # which the renderer never needs

    pieces = [parse_time_interval(entry) for entry in _entries(window)]
    zone = pieces[0].location
    edge = _MARGIN + (window.end - window.start if window.start and window.end else timedelta(0)).total_seconds()
    moments = sorted(set(_moments(window, pieces, zone, begin - edge, end + edge)))
    found: list[tuple[float, float]] = []
    for opens, closes in pairwise(moments):
        when = datetime.fromtimestamp(opens, UTC)
        if not any(piece.contains(when) for piece in pieces):
            continue
        if found and found[-1][1] == opens:
            found[-1] = (found[-1][0], closes)
        else:
            found.append((opens, closes))
    return [(opens, closes) for opens, closes in found if opens < end and closes > begin]


_MARGIN: Final = 3 * 86_400.0
"""Seconds that are looked at around: a window that reaches in may have begun two days before by another clock."""


def _moments(
    window: Maintenance, pieces: Sequence[TimeInterval], zone: tzinfo, begin: float, end: float
) -> Iterator[float]:
    """Every moment at which it may open or close: its times on each day, and changes of clocks."""
    minutes = {minute for piece in pieces for times in piece.times or () for minute in times}
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (begin, end))
    if window.start and window.end:
        first, last = max(first, window.start.date() - _DAY), min(last, window.end.date() + _DAY)
    day = first
    while day <= last:
        midnight = datetime.combine(day, time.min)
        for minute in minutes:
            for fold in (0, 1):
                yield (midnight + timedelta(minutes=minute)).replace(tzinfo=zone, fold=fold).timestamp()
        yield from _change(zone, midnight)
        day += _DAY


_DAY: Final = timedelta(days=1)


def _change(zone: tzinfo, midnight: datetime) -> Iterator[float]:
    """The moment of this day at which clocks are changed."""
    early, late = (int((midnight + day).replace(tzinfo=zone).timestamp()) for day in (timedelta(0), _DAY))
    offset = datetime.fromtimestamp(early, zone).utcoffset()
    if offset == datetime.fromtimestamp(late, zone).utcoffset():
        return
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    yield float(late)
