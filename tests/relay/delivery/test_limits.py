"""Limits over any sequence of responses: never sooner than allowed, and never stuck."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.notifiers.contract import Budget, Outcome, Rejected, Retry, Sent
from homelabmon.relay.delivery.limits import INVALID, LONGEST_WAIT, Limits, Pace, Ticket, Window

HOOK = "hook"


def limits(pace: Pace = Pace()) -> Limits:  # noqa: B008 (frozen)
    return Limits(lambda: 0.5, pace)


def sent(limit: Limits, now: float, outcome: Outcome | None = None, status: int | None = 200, hook: str = HOOK) -> None:
    limit.end(limit.begin(hook, now), status, outcome or Sent("1"), now)


# Pacing ------------------------------------------------------------------------------------------------------------


def test_the_sixth_message_within_two_seconds_waits() -> None:
    limit = limits()
    for number in range(5):
        assert limit.ready_at(HOOK, number / 10) == number / 10
        sent(limit, number / 10)
    assert limit.ready_at(HOOK, 0.5) == pytest.approx(2.05)


def test_thirty_messages_fill_a_minute() -> None:
    limit, now, times = limits(), 0.0, []
    for _ in range(60):
        now = limit.ready_at(HOOK, now)
        times.append(now)
        sent(limit, now)
    assert times[29] < 12
    assert times[30] == pytest.approx(60.5)
    assert times[59] < 75


def test_a_slow_answer_keeps_its_place_in_the_window_until_two_seconds_after_it_came() -> None:
    limit = limits()
    ticket = limit.begin(HOOK, 0.0)
    for _ in range(4):
        sent(limit, 0.0)
    assert limit.ready_at(HOOK, 1.9) == pytest.approx(2.05)
    limit.end(ticket, 200, Sent("1"), 9.0)
    for _ in range(4):
        assert limit.ready_at(HOOK, 9.0) == 9.0
        sent(limit, 9.0)
    assert limit.ready_at(HOOK, 9.0) == pytest.approx(11.05)


def test_webhooks_have_windows_of_their_own_and_one_in_common() -> None:
    limit = limits(Pace(everything=Window(6, 1.0)))
    for _ in range(5):
        sent(limit, 0.0)
    assert limit.ready_at("other", 0.0) == 0.0
    sent(limit, 0.0, hook="other")
    assert limit.ready_at("third", 0.0) == 1.0


def test_all_webhooks_together_stay_below_fifty_a_second() -> None:
    """What Discord grants an address, whatever each webhook may do by itself."""
    limit = limits()
    begun: list[float] = []
    for number in range(200):
        now = limit.ready_at(f"hook-{number}", begun[-1] if begun else 0.0)
        begun.append(now)
        sent(limit, now, hook=f"hook-{number}")
    assert max(sum(at <= other < at + 1.0 for other in begun) for at in begun) == 45
    assert begun[-1] < 5


# Budgets -----------------------------------------------------------------------------------------------------------


def test_an_empty_budget_waits_until_it_is_filled_and_a_little_more() -> None:
    limit = limits()
    sent(limit, 10.0, Sent("1", budget=Budget(0, 7.5)))
    assert 17.5 < limit.ready_at(HOOK, 10.0) < 18.5
    assert limit.ready_at("other", 10.0) == 10.0


def test_a_request_without_an_answer_uses_up_the_budget_as_well() -> None:
    limit = limits()
    sent(limit, 10.0, Sent("1", budget=Budget(1, 7.5)))
    assert limit.ready_at(HOOK, 10.0) == 10.0
    limit.end(limit.begin(HOOK, 10.0), None, None, 11.0)
    assert limit.ready_at(HOOK, 11.0) > 17.5


def test_a_fuller_budget_heard_later_does_not_undo_an_empty_one() -> None:
    limit = limits()
    post, edit = limit.begin(HOOK, 0.0), limit.begin(HOOK, 0.0)
    limit.end(post, 200, Sent("1", budget=Budget(0, 30.0)), 0.1)
    limit.end(edit, 200, Sent("1", budget=Budget(4, 1.0)), 0.2)
    assert limit.ready_at(HOOK, 0.2) > 30.1


@pytest.mark.parametrize("after", [math.inf, 1e300, -5.0, math.nan, 0.0])
def test_a_senseless_budget_neither_blocks_for_ever_nor_fails(after: float) -> None:
    limit = limits()
    sent(limit, 0.0, Sent("1", budget=Budget(0, after)))
    assert limit.ready_at(HOOK, 0.0) <= LONGEST_WAIT + 1


# 429 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.3, 0.3004, 1.0, 12.345, 60.0])
def test_retry_after_is_obeyed_to_the_millisecond_and_never_sooner(after: float) -> None:
    earliest = Limits(lambda: 0.0)
    sent(earliest, 100.0, Retry("rate_limited", after, "webhook"), 429)
    assert 100 + after <= earliest.ready_at(HOOK, 100.0) <= 100 + after + 0.001
    latest = Limits(lambda: 0.999)
    sent(latest, 100.0, Retry("rate_limited", after, "webhook"), 429)
    assert 100 + after < latest.ready_at(HOOK, 100.0) <= 100 + after * 1.1 + 0.021


def test_a_webhooks_429_stops_that_webhook_and_a_global_one_stops_all() -> None:
    limit = limits()
    sent(limit, 0.0, Retry("rate_limited", 10.0, "webhook"), 429)
    assert limit.ready_at(HOOK, 0.0) > 10
    assert limit.ready_at("other", 0.0) == 0.0
    sent(limit, 0.0, Retry("rate_limited", 20.0, "everything"), 429, hook="other")
    assert limit.ready_at("third", 0.0) > 20


def test_a_429_that_does_not_say_how_long_waits_longer_each_time_and_at_most_a_minute() -> None:
    limit, now, waits = limits(Pace(few_invalid=100)), 0.0, []
    for _ in range(6):
        sent(limit, now, Retry("rate_limited", None, "webhook"), 429)
        waits.append(limit.ready_at(HOOK, now) - now)
        now += waits[-1]
    assert waits[:4] == sorted(waits[:4])
    assert 5 < waits[0] < 6
    assert 60 < waits[5] < 62
    sent(limit, now)
    sent(limit, now, Retry("rate_limited", None, "webhook"), 429)
    assert limit.ready_at(HOOK, now) - now < 6


# The breaker -------------------------------------------------------------------------------------------------------


def test_fewer_than_fifty_invalid_requests_in_ten_minutes_however_many_webhooks_are_refused() -> None:
    limit, now, times = limits(), 0.0, []
    hooks = [f"hook-{number}" for number in range(200)]
    while now < 3600:
        hook = min(hooks, key=lambda name: limit.ready_at(name, now))
        now = max(now, limit.ready_at(hook, now))
        times.append(now)
        sent(limit, now, Rejected("unauthorized", "channel_gone"), 401, hook=hook)
    assert all(later - sooner >= 600 for sooner, later in zip(times, times[49:], strict=False))
    assert len(times) > 5 * 48


def test_a_webhook_that_refuses_all_does_not_stop_the_others() -> None:
    limit, now = limits(), 0.0
    while now < 550:
        now = limit.ready_at(HOOK, now)
        sent(limit, now, Rejected("missing", "message_gone"), 404)
        assert limit.ready_at("other", now) == now
    assert limit.invalid_recently(now) < 30


# Any sequence ------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """The other side: knows when requests arrive and what it answered."""

    arrivals: dict[str, list[float]] = field(default_factory=dict)
    invalid: list[float] = field(default_factory=list)
    closed: dict[str, float] = field(default_factory=dict)

    def arrive(self, hook: str, at: float) -> None:
        assert at >= self.closed.get(hook, -math.inf), "sooner than the webhook allowed"
        assert at >= self.closed.get("", -math.inf), "sooner than allowed for all"
        self.arrivals.setdefault(hook, []).append(at)

    def check(self) -> None:
        for times in (sorted(times) for times in self.arrivals.values()):
            assert all(later - sooner > 2.0 for sooner, later in zip(times, times[5:], strict=False))
            assert all(later - sooner > 60.0 for sooner, later in zip(times, times[30:], strict=False))
        every = sorted(time for times in self.arrivals.values() for time in times)
        assert all(later - sooner > 1.0 for sooner, later in zip(every, every[45:], strict=False))
        bad = sorted(self.invalid)
        assert all(later - sooner >= 600 for sooner, later in zip(bad, bad[49:], strict=False))


seconds = st.one_of(st.floats(0.0, 70.0), st.sampled_from([0.3, 1.0, 60.0, 1e9, math.inf, math.nan, -1.0]))
budgets = st.none() | st.builds(Budget, st.integers(-1, 40), seconds)
scopes = st.sampled_from(["request", "webhook", "everything"])
answers = st.one_of(
    st.tuples(st.just(200), st.builds(Sent, st.just("1"), st.none(), budgets)),
    st.tuples(st.just(429), st.builds(Retry, st.just("limited"), st.none() | seconds, scopes, budgets)),
    st.tuples(st.sampled_from([500, 502, 503]), st.builds(Retry, st.just("server"), st.none(), scopes, budgets)),
    st.tuples(
        st.sampled_from([401, 403, 404, 400]),
        st.builds(Rejected, st.just("no"), st.just("malformed"), st.just(""), budgets),
    ),
    st.tuples(st.none(), st.none()),
)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), answers, st.floats(0.0, 3.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
        min_size=1,
        max_size=150,
    ),
    st.integers(0, 2**32),
    st.integers(1, 4),
)
def test_over_any_sequence_it_is_never_sooner_than_allowed_and_never_stuck(
    script: list[tuple[int, tuple[int | None, Outcome | None], float, float, float]], seed: int, parallel: int
) -> None:
    limit, server, now = Limits(random.Random(seed).random), Server(), 0.0
    under_way: list[tuple[float, int, Ticket, str, int | None, Outcome | None]] = []

    def finish() -> None:
        nonlocal now
        at, _, ticket, hook, status, outcome = heapq.heappop(under_way)
        now = max(now, at)
        limit.end(ticket, status, outcome, now)
        if status in INVALID:
            server.invalid.append(now)
        if status == 429 and isinstance(outcome, Retry) and outcome.after is not None and 0 < outcome.after <= 3600:
            key = "" if outcome.scope == "everything" else hook
            others = {item[3]: item[0] for item in under_way if key in ("", item[3])}
            if not others:  # what is under way when a refusal comes cannot be taken back
                server.closed[key] = max(server.closed.get(key, 0.0), now + outcome.after)

    for number, (which, (status, outcome), latency, arrival, pause) in enumerate(script):
        hook = f"hook-{which}"
        now += pause
        while len(under_way) >= parallel or (under_way and under_way[0][0] <= now):
            finish()
        while not math.isfinite(ready := limit.ready_at(hook, now)):
            assert under_way, "waits for requests that are not there"
            finish()
        assert ready <= now + LONGEST_WAIT + 1, "stuck"
        while under_way and under_way[0][0] < ready:
            finish()
            ready = limit.ready_at(hook, now)
            if not math.isfinite(ready):
                break
        if not math.isfinite(ready):
            continue
        now = max(now, ready)
        assert limit.ready_at(hook, now) == now, "not ready when it said it would be"
        ticket = limit.begin(hook, now)
        server.arrive(hook, now + latency * arrival)
        heapq.heappush(under_way, (now + latency, number, ticket, hook, status, outcome))
    while under_way:
        finish()
    server.check()
    assert all(limit.ready_at(f"hook-{which}", now) <= now + LONGEST_WAIT + 1 for which in range(4))
