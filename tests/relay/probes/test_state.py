"""What answers make of one probe."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.probes.outcome import Outcome
from homelabmon.relay.probes.state import State, born, take, wait
from tests.relay.probes.desk import BAD, CANNOT, OK, SLOW, target

T = 1_790_000_000.0
A = target(expect={"within": "2s"})


def after(*answers: tuple[float, Outcome], state: State | None = None, of: object = None) -> State:
    known = state or born(T)
    for at, outcome in answers:
        known = take(known, outcome, of or A, T + at)  # type: ignore[arg-type]
    return known


def test_the_first_answer_makes_it_up() -> None:
    known = after((5.0, OK))
    assert (known.status, known.since - T, known.latency) == ("up", 5.0, 0.1)


def test_two_failures_are_forgiven_and_the_third_makes_it_down_since_the_first() -> None:
    known = after((0.0, OK), (60.0, BAD), (75.0, BAD))
    assert (known.status, known.failing, known.reason) == ("up", True, "status 503 instead of 200")
    known = after((90.0, BAD), state=known)
    assert (known.status, known.since - T, known.confirmed_at, known.failures) == ("down", 60.0, T + 90.0, 3)


def test_an_answer_in_between_forgives_everything() -> None:
    known = after((0.0, OK), (60.0, BAD), (75.0, BAD), (90.0, OK), (150.0, BAD), (165.0, BAD))
    assert (known.status, known.failures, known.failing_since) == ("up", 2, T + 150.0)


def test_one_answer_makes_it_up_again() -> None:
    known = after((0.0, BAD), (15.0, BAD), (30.0, BAD), (90.0, OK))
    assert (known.status, known.since - T, known.failing, known.confirmed_at) == ("up", 90.0, False, None)


def test_without_retries_one_failure_is_enough() -> None:
    assert after((0.0, BAD), of=target(retries=0)).status == "down"


def test_a_doubted_failure_takes_one_more() -> None:
    known = after((0.0, BAD), (15.0, BAD))
    known = take(known, BAD, A, T + 30.0, doubted=True)
    assert known.status == "new"
    assert after((45.0, BAD), state=known).status == "down"


def test_slow_answers_in_a_row_make_it_degraded_since_the_first() -> None:
    known = after((0.0, OK), (60.0, SLOW), (120.0, SLOW))
    assert known.status == "up"
    known = after((180.0, SLOW), state=known)
    assert (known.status, known.since - T, known.latency) == ("degraded", 60.0, 3.0)
    assert after((240.0, OK), state=known).status == "up"


def test_without_a_limit_nothing_is_slow() -> None:
    assert after(*((60.0 * n, SLOW) for n in range(9)), of=target()).status == "up"


def test_one_that_answers_slowly_is_not_down() -> None:
    known = after((0.0, BAD), (15.0, BAD), (30.0, BAD), (90.0, SLOW))
    assert (known.status, known.since - T) == ("up", 90.0)


def test_one_that_cannot_be_asked_is_neither_up_nor_down() -> None:
    known = after((0.0, OK), (60.0, CANNOT))
    assert (known.status, known.reason, known.failing) == ("unknown", "cannot ping here", False)


def test_failures_before_a_long_pause_are_none_in_a_row_with_those_after_it() -> None:
    known = after((0.0, OK), (60.0, BAD), (75.0, BAD), (7_200.0, BAD))
    assert (known.status, known.failures, known.failing_since) == ("up", 1, T + 7_200.0)


def test_one_that_was_down_before_a_long_pause_still_is() -> None:
    known = after((0.0, BAD), (15.0, BAD), (30.0, BAD), (7_200.0, BAD))
    assert (known.status, known.since) == ("down", T)


def test_what_a_clock_ahead_of_time_noted_lies_no_more_ahead() -> None:
    known = after((1_000_000.0, BAD), (60.0, BAD), (75.0, BAD))
    assert (known.status, known.since - T, known.checked_at) == ("down", 60.0, T + 75.0)


def test_a_certificate_is_remembered_until_another_is_seen() -> None:
    known = after((0.0, replace(OK, certificate_until=T + 9.0)), (60.0, BAD), (75.0, OK))
    assert known.certificate_until == T + 9.0
    assert after((90.0, replace(OK, certificate_until=T + 99.0)), state=known).certificate_until == T + 99.0


def test_failures_are_looked_at_again_soon_and_what_is_down_each_minute() -> None:
    hourly = target(interval="1h", timeout="5s")
    assert wait(after((0.0, OK)), hourly) == 3600.0
    assert wait(after((0.0, BAD)), hourly) == 15.0
    assert wait(after((0.0, BAD), (15.0, BAD), (30.0, BAD)), hourly) == 60.0
    quick = target(interval="5s", timeout="5s")
    assert [wait(after(*[(0.0, BAD)] * n), quick) for n in range(4)] == [5.0] * 4


def test_what_is_down_stays_down_since_its_first_failure_however_long_nobody_asked() -> None:
    known = after((0.0, BAD), (15.0, BAD), (30.0, BAD), (90_000.0, BAD))
    assert (known.status, known.since - T, known.failures, (known.failing_since or 0.0) - T) == ("down", 0.0, 4, 0.0)


@given(st.lists(st.sampled_from([OK, SLOW, BAD, CANNOT]), max_size=20), st.integers(0, 4))
def test_it_is_down_exactly_while_more_failures_than_forgiven_came_since_the_last_other_answer(
    answers: list[Outcome], retries: int
) -> None:
    one = target(retries=retries, interval="15s", timeout="5s")
    known = after(*((15.0 * n, answer) for n, answer in enumerate(answers)), of=one)
    last = 0
    for answer in reversed(answers):
        if answer is not BAD:
            break
        last += 1
    assert (known.status == "down") == (last > retries)
    assert known.failures == last
