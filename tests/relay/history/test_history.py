"""Spans on a database in memory, and days that are summed from them, beside a model that counts second by second."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.relay import history
from homelabmon.relay.history import Day, Interval, Span, State
from homelabmon.relay.history.model import Cover, start_of
from homelabmon.relay.history.records import COARSE, DAYS, MOST_A_DAY, MOST_GAPS, SPAN_DAYS
from homelabmon.relay.store.schema import MIGRATIONS

H = 3600.0
DAY = 86_400.0
FIRST = date(2026, 9, 22)
T = start_of(FIRST)


@pytest.fixture
def disk() -> Iterator[sqlite3.Connection]:
    connection = database()
    yield connection
    connection.close()


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in MIGRATIONS:
        connection.executescript(script)
    return connection


def note(connection: sqlite3.Connection, *changes: tuple[State, float], component: str = "probe:a") -> None:
    for state, at in changes:
        history.enter(connection, component, state, T + at)


def gap(connection: sqlite3.Connection, began: float, ended: float | None) -> None:
    connection.execute("INSERT INTO gaps VALUES (?, ?, 'blind')", (T + began, None if ended is None else T + ended))


def day(
    connection: sqlite3.Connection,
    number: int = 0,
    *,
    now: float = 100 * DAY,
    windows: Sequence[Interval] = (),
) -> Day:
    which = FIRST + timedelta(days=number)
    open_ = {"probe:a": [(T + began, T + ended) for began, ended in windows]}
    return history.days(connection, ["probe:a"], which, which, T + now, open_)["probe:a"][which]


def test_a_day_is_what_was_noted_and_the_rest_is_no_data(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 2 * H), ("outage", 10 * H), ("degraded", 11 * H), ("unknown", 12 * H))
    assert day(disk) == Day(operational=8 * H, degraded=H, outage=H)
    assert day(disk).no_data == 14 * H


def test_what_does_not_change_is_noted_once_and_lasts(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("operational", 50.0), ("operational", 5 * DAY))
    assert history.spans(disk, "probe:a", 0.0) == [Span(T, None, "operational")]
    assert day(disk, 4) == Day(operational=DAY)


def test_today_is_as_long_as_it_has_lasted_and_tomorrow_not_at_all(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    assert day(disk, 1, now=DAY + 6 * H) == Day(operational=6 * H, length=6 * H)
    assert day(disk, 2, now=DAY + 6 * H) == Day(length=0.0)


def test_a_gap_is_no_data_whatever_was_noted_and_counts_once(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", 3 * H), ("operational", 4 * H))
    gap(disk, 2 * H, 3.5 * H)
    gap(disk, 3 * H, 3.75 * H)
    assert day(disk) == Day(operational=22 * H, outage=0.25 * H)


def test_a_gap_that_lasts_hides_everything_since(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    gap(disk, 2 * H, None)
    assert day(disk, now=5 * H) == Day(operational=2 * H, length=5 * H)


def test_time_in_a_window_is_no_downtime_and_what_was_well_stays_so(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", 2 * H), ("degraded", 4 * H), ("operational", 5 * H))
    gap(disk, 3 * H, 3.5 * H)
    seen = day(disk, windows=[(H, 3.75 * H), (4.5 * H, 6 * H)])
    assert seen == Day(operational=21 * H, outage=0.25 * H, degraded=0.5 * H, maintenance=1.25 * H + 0.5 * H)
    assert seen.no_data == 0.5 * H


def test_what_is_down_is_down_since_its_first_failure(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("degraded", 60.0), ("outage", 45.0))
    assert history.spans(disk, "probe:a", 0.0) == [
        Span(T, T + 45.0, "operational"),
        Span(T + 45.0, None, "outage"),
    ]


def test_a_run_that_is_told_of_late_undoes_an_outage(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", 4 * H), ("operational", 3 * H))
    assert history.spans(disk, "probe:a", 0.0) == [Span(T, None, "operational")]


def test_what_was_noted_by_a_clock_ahead_of_time_is_forgotten(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", 400 * DAY), ("operational", 400 * DAY + 60), ("outage", H))
    assert history.spans(disk, "probe:a", 0.0) == [Span(T, T + H, "operational"), Span(T + H, None, "outage")]


def test_a_clock_that_was_never_set_notes_nothing(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    history.enter(disk, "probe:a", "outage", 1000.0)
    history.leave(disk, "probe:a", 1000.0)
    history.roll(disk, 1000.0)
    assert history.spans(disk, "probe:a", 0.0) == [Span(T, None, "operational")]


def test_what_is_watched_no_more_has_no_data_from_then_on(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    history.leave(disk, "probe:a", T + 6 * H)
    assert day(disk) == Day(operational=6 * H)
    assert history.states(disk) == {}
    note(disk, ("operational", 8 * H))
    assert day(disk) == Day(operational=22 * H)
    assert history.states(disk) == {"probe:a": Span(T + 8 * H, None, "operational")}


def test_what_flickers_without_end_does_not_fill_the_disk(disk: sqlite3.Connection) -> None:
    for second in range(0, int(DAY), 10):
        note(disk, ("outage" if second % 20 else "operational", float(second)))
    assert len(history.spans(disk, "probe:a", 0.0)) <= MOST_A_DAY + DAY / COARSE
    assert day(disk).measured == DAY
    note(disk, ("operational", DAY + 30.0))
    assert history.states(disk)["probe:a"].state == "operational"


def test_days_that_are_over_outlive_their_spans(disk: sqlite3.Connection) -> None:
    for number in range(60):
        note(disk, ("outage", number * DAY + 3 * H), ("operational", number * DAY + 4 * H))
        gap(disk, number * DAY + 5 * H, number * DAY + 6 * H)
        history.roll(disk, T + (number + 1) * DAY + 60.0)
    (left,) = disk.execute("SELECT count(*) FROM spans").fetchone()
    assert left == 2 * SPAN_DAYS + 1
    assert len(history.gaps(disk, 0.0)) == 60
    assert day(disk, 0, now=60 * DAY) == Day(operational=19 * H, outage=H)
    for number in range(1, 60):
        assert day(disk, number, now=60 * DAY) == Day(operational=22 * H, outage=H), number


def test_gaps_without_number_do_not_fill_the_disk(disk: sqlite3.Connection) -> None:
    for number in range(3_000):
        gap(disk, number * 60.0, number * 60.0 + 30.0)
    history.roll(disk, T + 20 * DAY)
    assert len(history.gaps(disk, 0.0)) == MOST_GAPS
    history.roll(disk, T + (DAYS + 5) * DAY)
    assert history.gaps(disk, 0.0) == []


def test_sums_are_kept_for_as_long_as_the_page_shows_them(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    for number in range(1, 200):
        history.roll(disk, T + number * DAY + 60.0)
    (count, oldest) = disk.execute("SELECT count(*), min(day) FROM daily").fetchone()
    assert (count, oldest) == (DAYS - SPAN_DAYS, str(FIRST + timedelta(days=199 - DAYS)))
    assert day(disk, 110, now=199 * DAY + 60) == Day(operational=DAY)


def test_an_outpost_that_was_off_for_weeks_sums_what_it_missed(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", DAY + H), ("operational", DAY + 2 * H))
    history.roll(disk, T + 2 * DAY)
    gap(disk, 3 * DAY, 40 * DAY)
    history.roll(disk, T + 40 * DAY + 60.0)
    history.roll(disk, T + 41 * DAY + 60.0)
    assert day(disk, 1, now=41 * DAY) == Day(operational=23 * H, outage=H)
    assert day(disk, 2, now=41 * DAY) == Day(operational=DAY)
    assert [day(disk, number, now=41 * DAY).measured for number in range(3, 40)] == [0.0] * 37
    assert day(disk, 40, now=41 * DAY) == Day(operational=DAY)


def test_what_comes_late_still_changes_a_day_that_was_summed(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0), ("outage", 3 * H))
    history.roll(disk, T + DAY + 60.0)
    note(disk, ("operational", 4 * H))
    gap(disk, 10 * H, 11 * H)
    assert day(disk, now=DAY + 120.0) == Day(operational=22 * H, outage=H)
    for number in range(2, 20):
        history.roll(disk, T + number * DAY)
    assert day(disk, now=20 * DAY) == Day(operational=22 * H, outage=H)


def test_a_clock_that_was_a_year_ahead_costs_no_day_to_come(disk: sqlite3.Connection) -> None:
    note(disk, ("operational", 0.0))
    history.roll(disk, T + 400 * DAY)
    assert day(disk, 2, now=2 * DAY + 3 * H) == Day(operational=3 * H, length=3 * H)
    history.roll(disk, T + 2 * DAY)
    note(disk, ("outage", 2 * DAY + H))
    assert day(disk, 2, now=2 * DAY + 3 * H) == Day(operational=H, outage=2 * H, length=3 * H)


def test_uptime_is_of_the_time_that_was_measured() -> None:
    assert history.uptime([]) is None
    assert history.uptime([Day(maintenance=DAY)]) is None
    assert history.uptime([Day(operational=DAY), Day(operational=H, degraded=H, outage=H, maintenance=9 * H)]) == (
        (DAY + 2 * H) / (DAY + 3 * H)
    )


def test_many_components_are_read_as_few_are(disk: sqlite3.Connection) -> None:
    components = [f"probe:{number}" for number in range(300)]
    for number, component in enumerate(components):
        note(disk, ("operational", 0.0), ("outage", float(number)), component=component)
    history.roll(disk, T + 20 * DAY)
    between = (FIRST, FIRST + timedelta(days=20))
    every = history.days(disk, components, *between, T + 20 * DAY + H)
    assert every[components[7]] == history.days(disk, [components[7]], *between, T + 20 * DAY + H)[components[7]]
    assert {len(found) for found in every.values()} == {21}


# Beside a naive model: every second is looked at -------------------------------------------------------------------

SECONDS = 3 * int(DAY)
STEP = 3600
"""Of a model that looks at hours only, so that it is quick."""
hours = st.integers(0, SECONDS // STEP)
intervals = st.lists(st.tuples(hours, hours).map(lambda pair: (min(pair), max(pair))), max_size=4)
changes = st.lists(
    st.tuples(hours, st.sampled_from(["operational", "degraded", "outage", "unknown"])),
    max_size=8,
    unique_by=lambda c: c[0],
)


@settings(max_examples=150)
@given(
    changes=changes,
    gaps=intervals,
    windows=intervals,
    rolls=st.lists(st.integers(1, 30), max_size=3),
)
def test_days_are_what_a_count_of_hours_says(
    changes: list[tuple[int, State]], gaps: list[tuple[int, int]], windows: list[tuple[int, int]], rolls: list[int]
) -> None:
    disk = database()
    open_ = {"probe:a": [(T + a * STEP, T + b * STEP) for a, b in windows]}
    for hour, state in sorted(changes):
        note(disk, (state, hour * STEP))
    for began, ended in dict(gaps).items():
        gap(disk, began * STEP, ended * STEP)
    for number in sorted(rolls):
        history.roll(disk, T + 3 * DAY + number * DAY, open_)
    found = history.days(disk, ["probe:a"], FIRST, FIRST + timedelta(days=2), T + 34 * DAY, open_)["probe:a"]
    kept = dict(gaps)
    for number, (_, summed) in enumerate(found.items()):
        counted = {"operational": 0, "degraded": 0, "outage": 0, "maintenance": 0}
        for hour in range(number * 24, number * 24 + 24):
            before = [noted for at, noted in sorted(changes) if at <= hour]
            what: str = before[-1] if before else "unknown"
            if what == "unknown" or any(a <= hour < b for a, b in kept.items()):
                continue
            if what != "operational" and any(a <= hour < b for a, b in windows):
                what = "maintenance"
            counted[what] += 1
        assert {name: getattr(summed, name) / STEP for name in counted} == pytest.approx(counted)
        assert summed.measured + summed.no_data == pytest.approx(DAY)
    disk.close()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8), st.integers(0, 50), st.integers(0, 50))
def test_cover_counts_what_is_covered(intervals: list[tuple[int, int]], began: int, ended: int) -> None:
    cover = Cover(intervals)
    second = [n for n in range(began, ended) if any(a <= n < b for a, b in intervals)]
    assert cover.of(began, ended) == len(second)
    assert sum(b - a for a, b in cover.within(began, ended)) == len(second)
