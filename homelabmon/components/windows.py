"""Maintenance windows as Alertmanager's time intervals.

Alertmanager's times are half-open, lie inside one day, and repeat every day that the other fields allow; a window
across midnight, or one that happens once over several days, therefore becomes several entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, get_args

from homelabmon.spec.routes import Maintenance, Weekday

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
