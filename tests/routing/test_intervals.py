"""Time intervals: what they hold, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from homelabmon.routing.intervals import (
    Span,
    TimeInterval,
    TimeIntervalError,
    muting_intervals,
    parse_time_interval,
    parse_time_intervals,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def holds(data: dict[str, Any], *moments: str) -> list[bool]:
    interval = parse_time_interval(data)
    return [interval.contains(at(moment)) for moment in moments]


def times(start: str, end: str) -> dict[str, list[dict[str, str]]]:
    return {"times": [{"start_time": start, "end_time": end}]}


# What they hold ---------------------------------------------------------------------------------------------------


def test_interval_without_fields_holds_every_moment() -> None:
    assert holds({}, "2026-01-01 00:00", "1999-12-31 23:59:59") == [True, True]


def test_times_hold_their_start_and_not_their_end() -> None:
    data = times("09:00", "17:00")
    assert holds(data, "2026-01-01 09:00", "2026-01-01 16:59:59.999") == [True, True]
    assert holds(data, "2026-01-01 08:59:59.999", "2026-01-01 17:00") == [False, False]


def test_end_of_the_day_is_24_00() -> None:
    assert holds(times("23:00", "24:00"), "2026-01-01 23:59:59", "2026-01-02 00:00") == [True, False]


def test_seconds_do_not_count() -> None:
    assert holds(times("09:00", "09:01"), "2026-01-01 09:00:59.999999") == [True]


def test_each_list_is_an_or_and_the_fields_are_an_and() -> None:
    data = {
        "times": [{"start_time": "00:00", "end_time": "06:00"}, {"start_time": "22:00", "end_time": "24:00"}],
        "weekdays": ["saturday", "sunday"],
    }
    assert holds(data, "2026-01-03 05:00", "2026-01-04 23:00") == [True, True]
    assert holds(data, "2026-01-03 12:00", "2026-01-05 05:00") == [False, False]


def test_weekdays() -> None:
    monday_to_friday = [holds({"weekdays": ["monday:friday"]}, f"2026-01-{day:02} 12:00")[0] for day in range(4, 11)]
    assert monday_to_friday == [False, True, True, True, True, True, False]
    assert holds({"weekdays": ["Sunday"]}, "2026-01-04 12:00") == [True]
    assert holds({"weekdays": ["sunday:monday"]}, "2026-01-04 12:00", "2026-01-05 12:00") == [True, True]


@pytest.mark.parametrize(
    ("days", "in_february", "in_january"),
    [
        ("1", {1}, {1}),
        ("1:5", {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}),
        ("27:31", {27, 28}, {27, 28, 29, 30, 31}),
        ("29:31", set(), {29, 30, 31}),
        ("-1", {28}, {31}),
        ("-3:-1", {26, 27, 28}, {29, 30, 31}),
        ("-31", set(), {1}),
        ("-31:-27", {1, 2}, {1, 2, 3, 4, 5}),
        ("25:-1", {25, 26, 27, 28}, set(range(25, 32))),
        ("5:-20", {5, 6, 7, 8, 9}, set(range(5, 13))),
    ],
)
def test_days_of_month_count_from_either_end(days: str, in_february: set[int], in_january: set[int]) -> None:
    interval = parse_time_interval({"days_of_month": [days]})
    for month, length, expected in ((1, 31, in_january), (2, 28, in_february)):
        noons = {day: datetime(2026, month, day, 12, tzinfo=UTC) for day in range(1, length + 1)}
        assert {day for day, noon in noons.items() if interval.contains(noon)} == expected


def test_leap_day_is_the_last_of_february() -> None:
    assert holds({"days_of_month": ["-1"]}, "2028-02-29 12:00", "2028-02-28 12:00") == [True, False]


def test_months_and_years() -> None:
    assert holds({"months": ["december", "1:february"]}, *(f"2026-{month:02}-01 00:00" for month in (1, 2, 3, 12))) == [
        *(True, True, False, True)
    ]
    assert holds({"years": [2026, "2028:2030"]}, *(f"{year}-06-01 00:00" for year in (2025, 2026, 2027, 2029))) == [
        *(False, True, False, True)
    ]


def test_clock_and_calendar_are_those_of_the_location() -> None:
    data = {**times("09:00", "10:00"), "location": "Europe/London"}
    assert holds(data, "2026-01-15 09:30", "2026-07-15 09:30", "2026-07-15 08:30") == [True, False, True]
    apia = {"days_of_month": ["1"], "months": ["january"], "years": ["2027"], "location": "Pacific/Kiritimati"}
    assert holds(apia, "2026-12-31 10:00", "2026-12-31 09:59", "2027-01-01 09:59") == [True, False, True]


def test_hour_that_comes_twice_is_held_twice_and_the_one_left_out_never() -> None:
    data = {**times("01:00", "02:00"), "location": "Europe/London"}
    assert holds(data, "2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30") == [True, True, False]
    assert holds(data, "2026-03-29 00:30", "2026-03-29 01:30") == [False, False]


def test_moment_may_have_any_zone() -> None:
    interval = parse_time_interval(times("09:00", "10:00"))
    assert interval.contains(datetime(2026, 1, 1, 11, 30, tzinfo=timezone(timedelta(hours=2))))


def test_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        TimeInterval().contains(datetime(2026, 1, 1))


def test_empty_list_holds_nothing_and_null_everything() -> None:
    assert holds({"weekdays": []}, "2026-01-01 00:00") == [False]
    assert holds({"weekdays": None, "times": None, "location": None}, "2026-01-01 00:00") == [True]


# When routes are silent -------------------------------------------------------------------------------------------

INTERVALS = parse_time_intervals(
    [
        {"name": "night", "time_intervals": [times("00:00", "06:00"), times("22:00", "24:00")]},
        {"name": "weekend", "time_intervals": [{"weekdays": ["saturday"]}, {"weekdays": ["sunday"]}]},
        {"name": "never", "time_intervals": []},
    ]
)
SATURDAY_NOON, MONDAY_NOON, MONDAY_NIGHT = at("2026-01-03 12:00"), at("2026-01-05 12:00"), at("2026-01-05 23:00")


def test_route_is_silent_in_any_of_its_mute_intervals() -> None:
    mute = ("night", "weekend", "never")
    assert muting_intervals(mute, (), INTERVALS, MONDAY_NOON) == ()
    assert muting_intervals(mute, (), INTERVALS, MONDAY_NIGHT) == ("night",)
    assert muting_intervals(mute, (), INTERVALS, at("2026-01-03 05:00")) == ("night", "weekend")


def test_route_is_silent_outside_all_of_its_active_intervals() -> None:
    active = ("night", "weekend")
    assert muting_intervals((), active, INTERVALS, SATURDAY_NOON) == ()
    assert muting_intervals((), active, INTERVALS, MONDAY_NOON) == active
    assert muting_intervals((), ("never",), INTERVALS, MONDAY_NOON) == ("never",)


def test_mute_intervals_hold_within_active_ones() -> None:
    assert muting_intervals(("weekend",), ("weekend",), INTERVALS, SATURDAY_NOON) == ("weekend",)


def test_route_without_intervals_is_never_silent() -> None:
    assert muting_intervals((), (), INTERVALS, MONDAY_NOON) == ()


def test_unknown_interval_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="typo"):
        muting_intervals(("typo",), (), INTERVALS, MONDAY_NOON)


# What is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"time": []}, "unknown key 'time': a time interval has times, weekdays, days_of_month, months, years, location"),
    ({"weekdays": "monday"}, "weekdays: expected a list, found 'monday'"),
    ({"weekdays": ["friday:monday"]}, "weekdays[0]: 'friday:monday' ends before it begins: split it into two"),
    ({"weekdays": ["monday", "mon"]}, "weekdays[1]: 'mon' is no weekday in 'mon'"),
    ({"weekdays": ["1"]}, "weekdays[0]: '1' is no weekday in '1'"),
    ({"weekdays": ["monday:"]}, "weekdays[0]: '' is no weekday in 'monday:'"),
    ({"weekdays": ["monday:tuesday:friday"]}, "weekdays[0]: 'monday:tuesday:friday' has more than two ends"),
    ({"days_of_month": ["0"]}, "days_of_month[0]: 0 is no day of the month: 1 to 31, or -31 to -1 from its end"),
    ({"days_of_month": ["1:32"]}, "days_of_month[0]: 32 is no day of the month: 1 to 31, or -31 to -1 from its end"),
    (
        {"days_of_month": ["-3:3"]},
        "days_of_month[0]: '-3:3': a range that begins from the end of the month must end so too",
    ),
    ({"days_of_month": ["5:3"]}, "days_of_month[0]: '5:3' ends before it begins in a month of 28 days"),
    ({"days_of_month": ["28:-1"]}, "days_of_month[0]: '28:-1' ends before it begins in a month of 28 days"),
    ({"days_of_month": ["-1:-3"]}, "days_of_month[0]: '-1:-3' ends before it begins in a month of 28 days"),
    ({"months": ["march:february"]}, "months[0]: 'march:february' ends before it begins: split it into two"),
    ({"months": ["13"]}, "months[0]: '13' is beyond the months of a year, 1 to 12"),
    ({"months": ["jan"]}, "months[0]: 'jan' is no month in 'jan'"),
    ({"years": ["2030:2020"]}, "years[0]: '2030:2020' ends before it begins: split it into two"),
    ({"years": ["20 26"]}, "years[0]: '20 26' is no year in '20 26'"),
    (
        times("17:00", "09:00"),
        "times[0]: start_time must be before end_time: split a range that passes midnight into two",
    ),
    (
        times("09:00", "09:00"),
        "times[0]: start_time must be before end_time: split a range that passes midnight into two",
    ),
    (
        times("9:00", "17:00"),
        "times[0]: start_time: '9:00' is no time of day: write 00:00 to 24:00, with two digits each",
    ),
    (
        times("09:00", "24:01"),
        "times[0]: end_time: '24:01' is no time of day: write 00:00 to 24:00, with two digits each",
    ),
    ({"times": [{"start_time": "09:00"}]}, "times[0]: end_time is missing"),
    (
        {"times": [{"start_time": 600, "end_time": "11:00"}]},
        'times[0]: start_time: 600 is a number, as YAML reads 10:00 without quotes: write "10:00"',
    ),
    ({"times": ["09:00"]}, "times[0]: expected start_time and end_time, found '09:00'"),
    (
        {"times": [{"start_time": "09:00", "end_time": "10:00", "zone": "UTC"}]},
        "times[0]: expected start_time and end_time, found {'start_time': '09:00', 'end_time': '10:00', 'zone': 'UTC'}",
    ),
    ({"location": "Europe/Atlantis"}, "location: 'Europe/Atlantis' is no time zone: write for example Europe/London"),
    ({"location": "Europe"}, "location: 'Europe' is no time zone: write for example Europe/London"),
    ({"location": "../UTC"}, "location: '../UTC' is no time zone: write for example Europe/London"),
    ({"location": "Local"}, "location: Local is whatever zone the container is in: name it, as in Europe/London"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_what_is_no_time_interval_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(TimeIntervalError) as refused:
        parse_time_interval(data)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"time_intervals": []}], "a time interval needs a name, found None"),
        ([{"name": "a"}, {"name": "a"}], "time interval 'a' is there twice"),
        (
            [{"name": "a", "time_intervals": ["monday"]}],
            "time interval 'a': time_intervals must be a list of intervals",
        ),
        ([{"name": "a", "time_intervals": [{"months": [0]}]}], "time interval 'a': months[0]: 0 is beyond the months"),
    ],
)
def test_list_of_intervals_that_is_none_is_refused(data: list[dict[str, object]], message: str) -> None:
    with pytest.raises(TimeIntervalError) as refused:
        parse_time_intervals(data)
    assert str(refused.value).startswith(message)


def test_what_is_read_is_typed() -> None:
    interval = parse_time_interval({**times("09:30", "24:00"), "weekdays": ["Monday:friday"], "days_of_month": [-1]})
    assert interval == TimeInterval(times=((570, 1440),), weekdays=(Span(1, 5),), days_of_month=(Span(-1, -1),))
