"""When the next run is expected: as documented, against a scan of every minute, against cronsim and systemd."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homelabmon.relay.heartbeats.schedules import Period, ScheduleError, schedule_of
from homelabmon.spec.watch import Heartbeat

ZONES: Final = (
    "Europe/Warsaw",
    "Europe/London",
    "America/New_York",
    "America/Santiago",  # set back at midnight: the day before has its last hour twice
    "Africa/Cairo",  # set forward at midnight: the day has no first hour
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
)
DIALECTS: Final = ("debian", "kubernetes", "vixie", "github")


def cron(schedule: str, zone: str = "UTC", dialect: str | None = None, **rest: Any) -> Heartbeat:
    return Heartbeat.model_validate(
        {"name": "x", "schedule": schedule, "timezone": zone, **({"dialect": dialect} if dialect else {}), **rest}
    )


def calendar(text: str, zone: str = "UTC") -> Heartbeat:
    return Heartbeat.model_validate({"name": "x", "calendar": text, "timezone": zone})


def at(text: str) -> float:
    """``2026-03-29 00:30`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def following(beat: Heartbeat, begin: str, count: int) -> list[str]:
    """The next runs, in UTC."""
    moment, schedule, found = at(begin), schedule_of(beat), []
    for _ in range(count):
        later = schedule.after(moment)
        assert later is not None
        assert later > moment
        moment = later
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M"))
    return found


# As documented -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("debian", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
        ("github", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
        ("kubernetes", ["2026-03-28 01:30", "2026-03-30 00:30", "2026-03-31 00:30"]),
        ("vixie", ["2026-03-28 01:30", "2026-03-30 00:30", "2026-03-31 00:30"]),
    ],
)
def test_a_time_that_spring_leaves_out(dialect: str, expected: list[str]) -> None:
    assert following(cron("30 2 * * *", "Europe/Berlin", dialect), "2026-03-28 00:00", 3) == expected


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("debian", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("github", ["2026-10-25 01:30", "2026-10-26 01:30"]),
        ("kubernetes", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-26 01:30"]),
        ("vixie", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-26 01:30"]),
    ],
)
def test_a_time_that_autumn_shows_twice(dialect: str, expected: list[str]) -> None:
    assert following(cron("30 2 * * *", "Europe/Berlin", dialect), "2026-10-25 00:00", len(expected)) == expected


def test_the_very_minute_to_which_clocks_are_set_back_is_shown_twice() -> None:
    beat = cron("0 2 * * *", "Europe/Berlin", "kubernetes")
    assert following(beat, "2026-10-24 12:00", 3) == ["2026-10-25 00:00", "2026-10-25 01:00", "2026-10-26 01:00"]


def test_after_a_ping_in_the_repeated_hour_the_next_run_is_not_in_the_past() -> None:
    """What cronsim itself answers here is the first 02:30, which is over."""
    beat = cron("30 2 * * *", "Europe/Berlin", "debian")
    assert following(beat, "2026-10-25 01:10", 1) == ["2026-10-26 01:30"]
    naive = next(CronSim("30 2 * * *", datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))))
    assert naive.timestamp() < at("2026-10-25 01:10")


def test_with_github_a_run_in_either_of_the_repeated_hours_is_the_run_of_that_day() -> None:
    beat = cron("30 2 * * *", "Europe/Berlin", "github")
    assert following(beat, "2026-10-25 00:30", 1) == ["2026-10-26 01:30"]
    assert following(beat, "2026-10-25 01:30", 1) == ["2026-10-26 01:30"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_runs_every_hour_runs_in_the_repeated_hour_too(dialect: str) -> None:
    hours = following(cron("30 * * * *", "Europe/Berlin", dialect), "2026-10-24 23:40", 4)
    assert hours == ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30", "2026-10-25 03:30"]


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        ("0 0 */2 * MON", "debian", ["2026-06-01 00:00", "2026-06-15 00:00"]),
        ("0 0 */2 * MON", "kubernetes", ["2026-06-01 00:00", "2026-06-03 00:00"]),
        ("0 0 * * MON", "kubernetes", ["2026-06-01 00:00", "2026-06-08 00:00"]),
        ("0 0 10/10 * *", "kubernetes", ["2026-06-10 00:00", "2026-06-20 00:00"]),
        ("0 0 */20 * */3", "kubernetes", ["2026-06-01 00:00", "2026-06-03 00:00"]),
        ("0 0 1 * MON", "debian", ["2026-06-01 00:00", "2026-06-08 00:00"]),
    ],
)
def test_how_day_and_weekday_go_together(text: str, dialect: str, expected: list[str]) -> None:
    assert following(cron(text, dialect=dialect), "2026-05-31 12:00", 2) == expected


def test_a_cronjob_has_the_rules_of_kubernetes() -> None:
    beat = cron("30 2 * * *", "Europe/Berlin", cronjob="backups/restic")
    assert following(beat, "2026-10-25 00:00", 2) == ["2026-10-25 00:30", "2026-10-25 01:30"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon..Fri 06:30", ["2026-06-05 06:30", "2026-06-08 06:30"]),
        ("*-*~01 12:00", ["2026-06-30 12:00", "2026-07-31 12:00"]),
        ("*-02-29", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("quarterly", ["2026-07-01 00:00", "2026-10-01 00:00"]),
        ("*:0/20", ["2026-06-05 00:20", "2026-06-05 00:40"]),
        ("03:00 America/New_York", ["2026-06-05 07:00", "2026-06-06 07:00"]),
    ],
)
def test_calendars(text: str, expected: list[str]) -> None:
    assert following(calendar(text), "2026-06-05 00:00", 2) == expected


def test_a_calendar_leaves_out_what_spring_leaves_out_and_runs_once_in_autumn() -> None:
    beat = calendar("02:30", "Europe/Berlin")
    assert following(beat, "2026-03-28 02:00", 1) == ["2026-03-30 00:30"]
    assert following(beat, "2026-10-25 00:00", 2) == ["2026-10-25 00:30", "2026-10-26 01:30"]


def test_a_period_is_counted_from_the_last_run() -> None:
    schedule = schedule_of(Heartbeat.model_validate({"name": "x", "period": "90m"}))
    assert schedule == Period(5400.0)
    assert schedule.after(1000.5) == 6400.5


@pytest.mark.parametrize("alias", ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
def test_short_names_are_read(alias: str) -> None:
    assert following(cron(alias), "2026-06-05 00:00", 1)


@pytest.mark.parametrize(
    ("beat", "message"),
    [
        (cron("61 * * * *"), "'61 * * * *': bad minute"),
        (cron("* * * *"), "'* * * *' has 4 fields, not 5"),
        (cron("0 0 30 2 *"), "'0 0 30 2 *': bad day-of-month"),
        (cron("0 0 * * *", "Middle/Earth"), "'Middle/Earth' is no time zone that this machine knows"),
        (cron("0 0 * * *", "../etc"), "'../etc' is no time zone that this machine knows"),
        (cron("0 0 * * *", dialect="systemd"), "dialect systemd belongs to `calendar`, and this is a cron expression"),
        (calendar("tomorrow"), "'tomorrow': 'tomorrow' is no weekday and no shorthand"),
        (calendar("2020-01-01"), "'2020-01-01' never comes about"),
        (Heartbeat.model_validate({"name": "x", "cronjob": "a/b"}), "it has neither schedule nor calendar nor period"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_reason(beat: Heartbeat, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        schedule_of(beat)
    assert str(caught.value) == message


# Minute by minute ----------------------------------------------------------------------------------------------------

MINUTE: Final = 60
FOLD: Final = 4 * 60
"""Minutes within which a clock shows a time again."""


@lru_cache
def changes(zone: str) -> tuple[int, ...]:
    """When the clocks of a zone change in four years."""
    info, begin = ZoneInfo(zone), int(at("2024-01-01"))
    hours = range(begin, begin + 4 * 366 * 86_400, 1800)
    offsets = [(hour, datetime.fromtimestamp(hour, info).utcoffset()) for hour in hours]
    return tuple(later for (_, one), (later, other) in pairwise(offsets) if one != other)


def listed(field: str, least: int, most: int) -> set[int]:
    """A field of a cron expression, read as plainly as can be."""
    found: set[int] = set()
    for item in field.split(","):
        range_, _, step = item.partition("/")
        first, _, last = (f"{least}-{most}" if range_ == "*" else range_).partition("-")
        end = int(last) if last else most if step else int(first)
        found.update(range(int(first), end + 1, int(step or 1)))
    return found


def fits(text: str, dialect: str) -> Callable[[datetime], bool]:
    minute, hour, day, month, weekday = text.split()
    minutes, hours, months = listed(minute, 0, 59), listed(hour, 0, 23), listed(month, 1, 12)
    days, weekdays = listed(day, 1, 31), listed(weekday, 0, 6)
    star = re.compile(r"\*(/1)?" if dialect == "kubernetes" else r"\*.*")
    both = bool(star.fullmatch(day) or star.fullmatch(weekday))

    def shows(wall: datetime) -> bool:
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        one, other = wall.day in days, wall.isoweekday() % 7 in weekdays
        return (one and other) if both else (one or other)

    return shows


def scan(text: str, zone: str, dialect: str, moment: float, minutes: int) -> int | None:
    """The next run, looked for in every minute."""
    info, shows = ZoneInfo(zone), fits(text, dialect)

    def wall(at: int) -> datetime:
        return datetime.fromtimestamp(at, info).replace(tzinfo=None, fold=0)

    numbers = dialect in ("debian", "github") and not any(field.startswith("*") for field in text.split()[:2])
    for now in range((int(moment) // MINUTE + 1) * MINUTE, int(moment) + minutes * MINUTE, MINUTE):
        if numbers and any(shows(skipped) for skipped in left_out(wall(now - MINUTE), wall(now))):
            return now
        if not shows(wall(now)):
            continue
        if not numbers:
            return now
        if any(wall(now - back * MINUTE) == wall(now) for back in range(1, FOLD)):
            continue
        again = [now + on * MINUTE for on in range(FOLD) if wall(now + on * MINUTE) == wall(now)]
        return again[-1] if dialect == "github" else now
    return None


def left_out(before: datetime, after: datetime) -> Iterator[datetime]:
    one = timedelta(minutes=1)
    while (before := before + one) < after:
        yield before


def moments(zone: str) -> st.SearchStrategy[float]:
    """Around the changes of a zone's clocks."""
    near = st.one_of(st.floats(-100_000, 30_000), st.integers(-240, 240).map(lambda minutes: minutes * 60.0))
    return st.builds(lambda change, by: change + by, st.sampled_from(changes(zone)), near)


CASES: Final = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), moments(zone)))
PLAIN: Final = st.sampled_from(ZONES[:3]).flatmap(lambda zone: st.tuples(st.just(zone), moments(zone)))
"""In these the clocks are set by an hour, in the small hours."""
EXPRESSIONS: Final = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["30", "0", "59", "*", "*/15", "5,35", "10-12", "7-59/20", "40"]),
    st.sampled_from(["2", "0", "1", "3", "23", "*", "*/2", "0-3", "1,2,3", "22-23", "1-7/3"]),
    st.sampled_from(["*", "*/2", "1-31/3", "25-31", "1,29,30"]),
    st.sampled_from(["*", "3,10,4,9", "1-12"]),
    st.sampled_from(["*", "*/2", "0", "6,0", "1-5"]),
)


@settings(max_examples=300, deadline=None)
@given(CASES, EXPRESSIONS, st.sampled_from(DIALECTS))
@example(("Europe/Warsaw", at("2026-10-25 01:10")), "30 2 * * *", "debian")
@example(("Australia/Lord_Howe", at("2026-10-03 15:00")), "10 2 * * *", "debian")
def test_the_next_run_is_the_one_that_a_scan_of_every_minute_finds(
    case: tuple[str, float], text: str, dialect: str
) -> None:
    zone, moment = case
    found = schedule_of(cron(text, zone, dialect)).after(moment)
    days = 2
    expected = scan(text, zone, dialect, moment, days * 1440)
    if expected is None:
        assert found is None or found >= int(moment) + days * 86_400 - MINUTE
    else:
        assert found == expected


@settings(max_examples=150, deadline=None)
@given(CASES, EXPRESSIONS, st.sampled_from(DIALECTS), st.floats(0, 100_000))
def test_it_is_later_than_asked_and_never_earlier_when_asked_later(
    case: tuple[str, float], text: str, dialect: str, by: float
) -> None:
    zone, moment = case
    schedule = schedule_of(cron(text, zone, dialect))
    found, later = schedule.after(moment), schedule.after(moment + by)
    assert found is not None
    assert found > moment
    assert later is not None
    assert later >= found


@settings(max_examples=100, deadline=None)
@given(CASES, st.sampled_from(["02:30", "*:15", "Sun 00:10", "*-*~1..7 1..3:00,30", "*:*:*", "*-3,10-* 02:00:30"]))
def test_calendars_keep_the_same_promises(case: tuple[str, float], text: str) -> None:
    zone, moment = case
    schedule = schedule_of(calendar(text, zone))
    found = schedule.after(moment)
    assert found is not None
    assert found > moment
    again = schedule.after((moment + found) / 2)
    assert again is not None
    assert again >= found


# Against others ------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(PLAIN, EXPRESSIONS)
@example(("Europe/Warsaw", 1711846799.9999998), "30 2 * * *")
def test_debians_rules_are_those_of_cronsim_where_it_does_not_go_back(case: tuple[str, float], text: str) -> None:
    """Where clocks are set at midnight or by half an hour, cronsim gives times that the clock does not show."""
    zone, moment = case
    ours, info = schedule_of(cron(text, zone, "debian")), ZoneInfo(zone)
    theirs = CronSim(text, datetime.fromtimestamp(math.floor(moment), info))  # a datetime may be rounded up
    for _ in range(3):
        expected = next(one for one in theirs if one.timestamp() > moment).timestamp()
        assert ours.after(moment) == expected
        moment = expected


CALENDARS: Final = """
    02:30|*:30|Mon..Fri *-*-* 03:00:00|*-*~01 12:00|*-*~8..31/9|*-*~7/2 00:00|weekly|quarterly|semiannually|
    *-2,4-1..5/2 0/6:15,45:30|Sat,Sun 23:59:59|*-02-29 04:00|03:00:00|*:*|12-05 08:05|Mon *-*~1..7 06:00
"""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("begin", ["2026-03-28 00:10:00", "2026-10-24 00:10:00", "2028-02-27 12:00:00"])
@pytest.mark.parametrize("text", [text.strip() for text in CALENDARS.split("|")])
def test_calendars_are_those_of_systemd(text: str, begin: str) -> None:
    program = shutil.which("systemd-analyze")
    assert program is not None
    zone = "Europe/Berlin"
    command = [program, "calendar", f"--base-time={begin} UTC", "--iterations=8", f"{text} {zone}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}).stdout
    expected = re.findall(r"(?:Iter\. #\d+|Next elapse): \w{3} (\S+ \S+) UTC", said)
    found: list[str] = []
    moment, schedule = at(begin), schedule_of(calendar(text, zone))
    while len(found) < len(expected):
        later = schedule.after(moment)
        assert later is not None
        moment = later
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    assert found == expected
