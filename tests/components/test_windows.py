"""Maintenance windows as Alertmanager's time intervals, against plain arithmetic over every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.routing.intervals import parse_time_interval
from homelabmon.routing.windows import openings, time_intervals
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


ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@settings(max_examples=40, deadline=None)
@given(
    days=st.sets(st.sampled_from(DAYS), max_size=3),
    start=CLOCK,
    end=CLOCK.map(lambda text: text.replace(":30", ":00")),
    zone=st.sampled_from(ZONES),
    # The weeks in which clocks are changed in 2026: March and November in New York, April and October elsewhere.
    month=st.sampled_from([(2026, 3, 6), (2026, 3, 27), (2026, 4, 3), (2026, 10, 2), (2026, 10, 23), (2026, 10, 30)]),
)
def test_a_window_is_open_exactly_when_alertmanager_is_silent(
    days: set[str], start: str, end: str, zone: str, month: tuple[int, int, int]
) -> None:
    given = {"name": "w", "weekdays": sorted(days), "from": start, "to": end, "timezone": zone}
    window = Maintenance.model_validate(given)
    intervals = [parse_time_interval(piece) for piece in time_intervals([window])[0]["time_intervals"]]
    first = datetime(*month, tzinfo=UTC).timestamp()
    open_ = openings(window, first, first + 4 * 86_400)
    assert all(one[1] < other[0] for one, other in pairwise(open_))
    for quarter in range(4 * 96):
        at = first + quarter * 900
        silent = any(interval.contains(datetime.fromtimestamp(at, UTC)) for interval in intervals)
        assert any(opens <= at < closes for opens, closes in open_) == silent


def moments(window: dict[str, Any], first: str, last: str) -> list[tuple[str, str]]:
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (first, last))
    found = openings(Maintenance.model_validate({"name": "w", **window}), begin, end)
    return [tuple(datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M") for at in pair) for pair in found]  # type: ignore[misc]


def test_a_window_keeps_to_local_time_when_clocks_are_changed() -> None:
    london = {"weekdays": ["sunday"], "from": "03:00", "to": "05:00", "timezone": "Europe/London"}
    assert moments(london, "2026-10-12", "2026-10-27") == [
        ("10-18 02:00", "10-18 04:00"),
        ("10-25 03:00", "10-25 05:00"),
    ]
    across = {"weekdays": ["saturday"], "from": "23:00", "to": "04:00", "timezone": "Europe/London"}
    assert moments(across, "2026-10-24", "2026-10-26") == [("10-24 22:00", "10-25 04:00")]
    skipped = {"from": "01:15", "to": "01:45", "timezone": "Europe/London"}
    assert moments(skipped, "2026-03-28", "2026-03-31") == [
        ("03-28 01:15", "03-28 01:45"),
        ("03-30 00:15", "03-30 00:45"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "day", "open_"),
    [
        # The hour from 01:00 to 02:00 comes twice.
        ("01:15", "01:45", "10-25", [("10-25 00:15", "10-25 00:45"), ("10-25 01:15", "10-25 01:45")]),
        ("01:30", "02:30", "10-25", [("10-25 00:30", "10-25 01:00"), ("10-25 01:30", "10-25 02:30")]),
        ("00:30", "02:00", "10-25", [("10-24 23:30", "10-25 02:00")]),
        # It does not come at all.
        ("00:30", "01:30", "03-29", [("03-29 00:30", "03-29 01:00")]),
        ("01:30", "02:30", "03-29", [("03-29 01:00", "03-29 01:30")]),
    ],
)
def test_a_window_in_the_hour_of_the_change(start: str, end: str, day: str, open_: list[tuple[str, str]]) -> None:
    given = {"weekdays": ["sunday"], "from": start, "to": end, "timezone": "Europe/London"}
    before = (datetime.fromisoformat(f"2026-{day}") - timedelta(days=1)).date()
    after = (datetime.fromisoformat(f"2026-{day}") + timedelta(days=1)).date()
    assert moments(given, str(before), str(after)) == open_


def test_a_window_that_happens_once_is_whole_wherever_one_looks() -> None:
    once = {"start": "2026-12-30T20:00", "end": "2027-01-20T08:00", "timezone": "America/New_York"}
    assert moments(once, "2027-01-10", "2027-01-11") == [("12-31 01:00", "01-20 13:00")]
    assert moments(once, "2026-12-01", "2026-12-31") == []
    assert moments(once, "2027-01-21", "2027-02-01") == []


def test_windows_that_touch_are_one() -> None:
    always = {"from": "00:00", "to": "24:00"}
    ((opens, closes),) = moments(always, "2026-11-20", "2026-11-22")
    assert opens < "11-20 00:00"
    assert closes > "11-22 00:00"


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
            {"name": "outside", "from": "08:00", "to": "09:00", "components": ["web"]},
        ],
    )
    media = route_for(tree, 'namespace="media"')
    assert media["mute_time_intervals"] == ["house", "nas"]
    assert media["routes"][0]["mute_time_intervals"] == ["house", "nas"]
    assert route_for(tree, 'namespace="other"')["mute_time_intervals"] == ["house", "by-hand"]
    assert routes(tree)[-1]["mute_time_intervals"] == ["house"], "what no route matches is muted as well"
    assert "mute_time_intervals" not in tree["route"], "Alertmanager forbids it on the root"
    assert "mute_time_intervals" not in route_for(tree, 'alertname="Watchdog"')
