"""OnCalendar expressions; the answers are those of `systemd-analyze calendar` of systemd 252."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.spec.on_calendar import CalendarError, check_calendar

ZONES = ("UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+5")

TAKEN = """
    daily|Daily|biannually|anually|weekly UTC|Mon..Fri *-*-* 03:00:00|Mon-Fri 03:00|Mon,Wed 3:00|mon..tue,thu 03:00|
    Monday 03:00|03:00|3:0|*:0/15|*-*-01|*-02-29|*-02~01|23:59:59.5|00:00 Europe/London|00:00 UTC|00:00 utc|*-*-* *:*:*|
    01..05:00|*-01,03-1..7 04:05|Mon,Fri..Sun 1:00|01-15|*-*-15|*-*-1..5/2 0:0|Mon|Mon, 1:00|*-02-29..31|*:*|0/2:00|
    Wed *-*-* 3:00:00.123456|*-*|12..14:10,20,30|mon,fri *-1/2-1,3 *:30:45|Sat,Sun 12-05 08:05|2028-02-29|28-02-29|
    *-2/2-31|*~8..31/9|03:00 America/Argentina/Buenos_Aires|03:00 Etc/GMT+5
"""
REFUSED = """
    secondly|Fri..Mon 03:00|Mondays 03:00|3|*-02-30|*-04-31|Mon *-02-30 00:00|*-02~31|*-13-01|*-*-32|24:00|23:60|
    23:59:60|00:00 Europe/Lodnon|*-*-* */2:00|05..01:00|15|Mon..|,Mon 1:00|tomorrow|22..2:00|99:00|hourly/2|*|**:00|
    30 4 * * *|0 3 * * *|*-2,4-31|0/0:00|22/5:00|2027-02-29|27-02-29|71-02-29|
    *-2/9-31|*-*-24/9|1:2:3:4|Mon..Tue..Wed 1:00|-1:00|
    *-*-* 1:00 2:00|01-02-03-04
"""


def listed(text: str) -> list[str]:
    return [item.strip() for item in text.split("|") if item.strip()]


@pytest.mark.parametrize("text", listed(TAKEN))
def test_what_systemd_takes_is_taken(text: str) -> None:
    check_calendar(text, ZONES)


@pytest.mark.parametrize("text", listed(REFUSED))
def test_what_systemd_refuses_or_never_runs_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(CalendarError) as caught:
        check_calendar(text, ZONES)
    assert str(caught.value)
    assert caught.value.fix


def test_without_a_zone_database_no_zone_is_judged() -> None:
    check_calendar("03:00 Middle/Earth")


@given(st.text("0123456789*-~:./, MonFriSu", max_size=30) | st.text(max_size=30))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        check_calendar(text, ZONES)
    except CalendarError as error:
        assert error.fix


def items(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most + 1)
    return st.one_of(
        st.just("*"),
        number.map(str),
        number.map("{:02}".format),
        st.tuples(number, number).map(lambda ends: f"{ends[0]}..{ends[1]}"),
        st.tuples(number, st.integers(0, 9)).map(lambda ends: f"{ends[0]}/{ends[1]}"),
        st.tuples(number, number).map(lambda ends: f"{ends[0]},{ends[1]}"),
    )


days = st.sampled_from(["Mon", "tue", "Friday", "SUN"])
weekdays = st.one_of(days, st.tuples(days, days).map("..".join), st.tuples(days, days).map(",".join))
dates = st.tuples(items(1, 12), st.sampled_from("--~"), items(1, 31)).map("".join)
times = st.one_of(
    st.tuples(items(0, 23), items(0, 59)).map(":".join),
    st.tuples(items(0, 23), items(0, 59), items(0, 59)).map(":".join),
)
expressions = st.one_of(
    times,
    dates,
    st.tuples(weekdays, times).map(" ".join),
    st.tuples(weekdays, dates, times).map(" ".join),
    st.tuples(dates, times, st.just("UTC")).map(" ".join),
)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@settings(max_examples=60)
@given(expressions)
def test_nothing_is_refused_that_systemd_would_run(text: str) -> None:
    done = subprocess.run(["systemd-analyze", "calendar", "--", text], capture_output=True, text=True)
    runs = done.returncode == 0 and "Next elapse: never" not in done.stdout
    if runs:
        check_calendar(text, ZONES)
