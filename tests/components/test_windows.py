"""Maintenance windows as Alertmanager's time intervals, against plain arithmetic over every hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.components.windows import time_intervals
from homelabmon.spec.routes import Maintenance
from tests.components.test_alertmanager import RELAYED, config, route_for, routes

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def inside(pieces: list[dict[str, Any]], when: datetime) -> bool:
    """Whether Alertmanager holds a local time to be in an interval: half-open times, all fields must agree."""
    clock = when.strftime("%H:%M")
    for piece in pieces:
        if "weekdays" in piece and DAYS[when.weekday()] not in piece["weekdays"]:
            continue
        if "years" in piece and str(when.year) not in piece["years"]:
            continue
        if "months" in piece and str(when.month) not in piece["months"]:
            continue
        if "days_of_month" in piece and str(when.day) not in piece["days_of_month"]:
            continue
        if any(part["start_time"] <= clock < part["end_time"] for part in piece["times"]):
            return True
    return False


CLOCK = st.integers(0, 23).map(lambda hour: f"{hour:02}:30")


@given(st.sets(st.sampled_from(DAYS), max_size=4), CLOCK, CLOCK.map(lambda text: text.replace(":30", ":00")))
def test_weekly_windows_cover_exactly_their_hours_also_across_midnight(days: set[str], start: str, end: str) -> None:
    window = Maintenance.model_validate({"name": "w", "weekdays": sorted(days), "from": start, "to": end})
    ((entry,),) = [[item] for item in time_intervals([window])]
    begin, stop = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    for quarter in range(7 * 96):
        when = datetime(2026, 3, 2) + timedelta(minutes=15 * quarter)
        minute = when.hour * 60 + when.minute
        today = not days or DAYS[when.weekday()] in days
        yesterday = not days or DAYS[(when.weekday() - 1) % 7] in days
        expected = (
            (today and begin <= minute < stop)
            if begin < stop
            else (today and minute >= begin) or (yesterday and minute < stop)
        )
        assert inside(entry["time_intervals"], when) == expected, when


@given(st.integers(0, 24 * 60), st.integers(1, 60 * 72))
def test_windows_that_happen_once_cover_exactly_their_time_and_never_come_back(offset: int, minutes: int) -> None:
    start = datetime(2026, 12, 30) + timedelta(minutes=offset)
    end = start + timedelta(minutes=minutes)
    window = Maintenance.model_validate({"name": "w", "start": start.isoformat(), "end": end.isoformat()})
    pieces = time_intervals([window])[0]["time_intervals"]
    for step in range(0, 6 * 24 * 60, 7):
        when = datetime(2026, 12, 29) + timedelta(minutes=step)
        assert inside(pieces, when) == (start <= when < end), when
    assert not inside(pieces, start.replace(year=2027, month=6, day=15))


def test_the_zone_is_kept() -> None:
    window = Maintenance.model_validate({"name": "w", "from": "03:00", "to": "05:00", "timezone": "Europe/London"})
    assert time_intervals([window])[0]["time_intervals"][0]["location"] == "Europe/London"


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"from": "03:00"}, "needs both its start and its end"),
        ({}, "either weekly"),
        ({"from": "03:00", "to": "05:00", "start": "2026-01-01T00:00", "end": "2026-01-02T00:00"}, "either weekly"),
        ({"from": "03:00", "to": "03:00"}, "the window is empty"),
        ({"start": "2026-01-02T00:00", "end": "2026-01-01T00:00"}, "ends before it starts"),
        ({"start": "2026-01-01T00:00Z", "end": "2026-01-02T00:00Z"}, "no offset"),
    ],
)
def test_windows_that_make_no_sense(window: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Maintenance.model_validate({"name": "w", **window})


def test_windows_mute_the_routes_they_name_or_all_and_children_too_as_nothing_is_inherited() -> None:
    tree = config(
        **RELAYED,
        routes=[
            {
                "name": "media",
                "match": {"namespace": "media"},
                "routes": [{"name": "jellyfin", "match": {"app": "jellyfin"}}],
            },
            {"name": "other", "match": {"namespace": "other"}, "mute": ["by-hand"]},
        ],
        maintenance=[
            {"name": "nas", "from": "03:00", "to": "05:00", "routes": ["media"]},
            {"name": "house", "from": "01:00", "to": "02:00"},
            {"name": "by-hand", "from": "06:00", "to": "07:00", "routes": ["none"]},
        ],
    )
    media = route_for(tree, 'namespace="media"')
    assert media["mute_time_intervals"] == ["house", "nas"]
    assert media["routes"][0]["mute_time_intervals"] == ["house", "nas"]
    assert route_for(tree, 'namespace="other"')["mute_time_intervals"] == ["house", "by-hand"]
    assert routes(tree)[-1]["mute_time_intervals"] == ["house"], "what no route matches is muted as well"
    assert "mute_time_intervals" not in tree["route"], "Alertmanager forbids it on the root"
    assert "mute_time_intervals" not in route_for(tree, 'alertname="Watchdog"')
