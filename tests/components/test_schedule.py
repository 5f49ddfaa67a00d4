"""The longest gap of a schedule: what a CronJob's silence is measured against. Too short pages for nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.components.schedule import ScheduleError, longest_gap, runs
from homelabmon.spec.cron import cron_of
from homelabmon.spec.watch import Heartbeat


def beat(**fields: Any) -> Heartbeat:
    """A heartbeat."""
    return Heartbeat.model_validate({"name": "x", **fields})


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("0 3 * * *", 24),
        ("@hourly", 1),
        ("*/5 * * * *", 1 / 12),
        ("* * * * 1-5", 48 + 1 / 60),
        ("0 9-17 * * 1-5", 64),
        ("0 6 * * 1", 7 * 24),
        ("0 0 1 * *", 31 * 24),
        ("0 0 29 2 *", 1461 * 24),
    ],
)
def test_known_gaps(schedule: str, hours: float) -> None:
    assert longest_gap(beat(schedule=schedule)) == timedelta(hours=hours)


def test_a_change_of_clocks_can_make_a_day_an_hour_longer() -> None:
    assert longest_gap(beat(schedule="0 3 * * *", timezone="Europe/London")) == timedelta(hours=25)


def test_a_period_is_its_own_gap_and_an_unknown_schedule_has_none() -> None:
    assert longest_gap(beat(period="2h")) == timedelta(hours=2)
    assert longest_gap(beat(cronjob="a/b")) is None
    assert longest_gap(beat(schedule="not a cron")) is None


def test_nonsense_is_an_error() -> None:
    with pytest.raises(ScheduleError):
        runs("61 * * * *")
    assert cron_of(" @Daily ") == "0 0 * * *"


MINUTE = st.sampled_from(["*", "0", "30", "*/15", "5,50"])
HOUR = st.sampled_from(["*", "3", "*/6", "9-17", "0,23"])
DAY = st.sampled_from(["*", "1", "*/2", "15,31"])
MONTH = st.sampled_from(["*", "1", "*/3"])
WEEKDAY = st.sampled_from(["*", "1-5", "0", "6,0"])


@settings(max_examples=60)
@given(st.tuples(MINUTE, HOUR, DAY, MONTH, WEEKDAY).map(" ".join))
def test_no_gap_between_real_runs_is_longer(schedule: str) -> None:
    gap = longest_gap(beat(schedule=schedule))
    times = runs(schedule, 400)
    assert gap is not None
    assert max(later - earlier for earlier, later in pairwise(times)) <= gap
