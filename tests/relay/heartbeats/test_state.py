"""What pings, deadlines and outages make of a heartbeat: row by row, and against a model that counts seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.relay.heartbeats.schedules import Period
from homelabmon.relay.heartbeats.state import (
    LONGEST_RUN,
    Kind,
    Ping,
    Rules,
    State,
    born,
    deadline,
    expected,
    gap,
    look,
    pause,
    resume,
    rules_of,
    shown,
    take,
    wind,
)
from homelabmon.spec.watch import Heartbeat

M: Final = 60.0
H: Final = 3600.0
DAY: Final = 86_400.0
T: Final = 1_790_035_200.0
"""A midnight, in UTC."""

HOURLY: Final = Rules(Period(H), grace=10 * M)
ONE: Final = "3f0c1f3e-6a55-4d39-9b5a-0c3a3e0e1111"
TWO: Final = "3f0c1f3e-6a55-4d39-9b5a-0c3a3e0e2222"


def pings(*said: tuple[float, Kind] | tuple[float, Kind, str], state: State | None = None) -> State:
    """Pings at so many seconds after the begin."""
    state = born(T) if state is None else state
    for one in said:
        state = take(state, Ping(one[1], T + one[0], one[2] if len(one) == 3 else None))
    return state


def limit(state: State, rules: Rules = HOURLY) -> tuple[float, str] | None:
    """The deadline, in seconds after the begin."""
    found = deadline(state, rules)
    return None if found is None else (found.at - T, found.reason)


def daily(**fields: Any) -> Rules:
    """Due at three in the morning."""
    return rules_of(Heartbeat.model_validate({"name": "x", "schedule": "0 3 * * *", "grace": "1h", **fields}))


# The contract, row by row --------------------------------------------------------------------------------------------


def test_after_a_success_it_is_up_late_when_the_next_is_due_and_down_a_grace_later() -> None:
    state = pings((0, "success"))
    assert [shown(state, T + H, T + at) for at in (0, H - 1, H, H + 10 * M - 1)] == ["up", "up", "late", "late"]
    assert look(state, HOURLY, T + H + 10 * M - 0.001) is state
    down = look(state, HOURLY, T + 9 * H)
    assert (down.status, down.since, down.reason) == ("down", T + H + 10 * M, "missed")
    assert limit(down) is None


def test_cron_counts_from_the_last_ping() -> None:
    assert expected(pings((3 * H + 5, "success")), daily()) == T + DAY + 3 * H
    assert limit(pings((2 * H, "success")), daily()) == (4 * H, "missed")


def test_a_start_keeps_the_status_and_brings_the_deadline_forward() -> None:
    state = pings((0, "success"), (20 * M, "start", ONE))
    assert (state.status, state.last_start, state.start_rid) == ("up", T + 20 * M, ONE)
    assert limit(state) == (30 * M, "unfinished")


def test_a_start_that_comes_late_does_not_put_the_deadline_off() -> None:
    assert limit(pings((0, "success"), (H + 5 * M, "start"))) == (H + 10 * M, "unfinished")


@pytest.mark.parametrize(
    ("rid_of_start", "rid_of_success", "ends", "timed"),
    [(None, None, True, True), (ONE, ONE, True, True), (ONE, None, True, False), (ONE, TWO, False, False),
     (None, ONE, False, False)],
)  # fmt: skip
def test_a_success_ends_its_own_run_or_nameless_any(
    rid_of_start: str | None, rid_of_success: str | None, ends: bool, timed: bool
) -> None:
    state = take(born(T), Ping("start", T, rid_of_start))
    state = take(state, Ping("success", T + 90, rid_of_success))
    assert state.status == "up"
    assert state.last_ping == state.last_success == T + 90
    assert (state.last_start is None) is ends
    assert state.duration == (90.0 if timed else None)


def test_another_runs_success_leaves_the_limit_of_the_run_that_is_under_way() -> None:
    assert limit(pings((0, "start", ONE), (5 * M, "success", TWO))) == (10 * M, "unfinished")


def test_a_failure_is_down_at_once_ends_any_run_and_counts_as_a_ping() -> None:
    state = take(pings((0, "success"), (M, "start", ONE)), Ping("fail", T + 2 * M, TWO, 3))
    assert (state.status, state.reason, state.exit_code, state.since) == ("down", "failed", 3, T + 2 * M)
    assert (state.last_start, state.last_ping, state.last_success) == (None, T + 2 * M, T)


def test_a_second_failure_does_not_make_it_down_anew() -> None:
    assert pings((0, "fail"), (M, "fail")).since == T


def test_a_log_changes_nothing() -> None:
    state = pings((0, "start"))
    assert take(state, Ping("log", T + 5)) is state


def test_a_start_while_it_is_down_changes_nothing_but_the_start() -> None:
    state = pings((0, "fail"), (M, "start"))
    assert (state.status, state.last_start, limit(state)) == ("down", T + M, None)
    assert pings((2 * M, "success"), state=state).duration == M


def test_what_is_new_is_missed_once_it_should_have_come() -> None:
    """Deliberately unlike healthchecks, where what has never come is never missed."""
    assert limit(born(T)) == (H + 10 * M, "never_seen")
    assert look(born(T), HOURLY, T + 2 * H).reason == "never_seen"


def test_what_is_new_and_may_stay_so_is_never_missed() -> None:
    assert deadline(born(T), replace(HOURLY, never_seen=False)) is None


def test_what_is_new_or_paused_and_started_has_to_end() -> None:
    rules = replace(HOURLY, never_seen=False)
    assert limit(pings((0, "start")), rules) == (10 * M, "unfinished")
    assert limit(pings((0, "start"), state=pause(born(T), T)), rules) == (10 * M, "unfinished")


def test_what_is_paused_is_not_missed_and_a_ping_ends_the_pause() -> None:
    paused = pause(pings((0, "success")), T + M)
    assert (paused.status, deadline(paused, HOURLY), shown(paused, T, T + DAY)) == ("paused", None, "paused")
    assert pings((H, "success"), state=paused).status == "up"
    assert pings((H, "fail"), state=paused).status == "down"


def test_a_run_that_was_told_of_is_not_told_of_again_when_another_succeeds() -> None:
    """With healthchecks it is down again at once."""
    down = look(pings((0, "success"), (M, "start", ONE)), HOURLY, T + 30 * M)
    assert (down.reason, down.since) == ("unfinished", T + 11 * M)
    assert limit(pings((31 * M, "success", TWO), state=down)) == (H + 41 * M, "missed")


def test_what_is_resumed_is_as_if_it_were_new() -> None:
    state = resume(pause(pings((0, "success")), T + M), T + H)
    assert (state.status, state.last_success, limit(state)) == ("new", T, (2 * H + 10 * M, "never_seen"))
    up = pings((0, "success"))
    assert resume(up, T + M) is up


def test_a_start_and_an_end_three_days_apart_are_unrelated() -> None:
    assert pings((0, "start"), (LONGEST_RUN, "success")).duration == LONGEST_RUN
    assert pings((0, "start"), (LONGEST_RUN + 1, "success")).duration is None


def test_of_runs_at_the_same_time_the_newest_is_timed() -> None:
    state = pings((0, "start", ONE), (M, "start", TWO), (2 * M, "success", ONE))
    assert (state.last_start, state.duration) == (T + M, None)
    assert pings((3 * M, "success", TWO), state=state).duration == 2 * M


def test_with_a_longest_runtime_the_grace_is_for_the_start_only() -> None:
    rules = daily(max_runtime="5h")
    state = pings((-21 * H, "success"), (3 * H + M, "start"))
    assert limit(state, rules) == (8 * H + M, "too_long")
    assert limit(pings((-21 * H, "success")), rules) == (4 * H, "missed")


def test_with_a_grace_for_the_start_it_is_missed_when_it_does_not_start() -> None:
    rules = daily(start_grace="10m", max_runtime="2h")
    state = pings((-21 * H, "success"))
    assert limit(state, rules) == (3 * H + 10 * M, "not_started")
    assert limit(pings((3 * H + 5 * M, "start"), state=state), rules) == (5 * H + 5 * M, "too_long")
    assert limit(born(T), rules) == (3 * H + 10 * M, "never_seen")


def test_a_grace_for_the_start_longer_than_the_grace_is_of_no_account() -> None:
    assert limit(pings((0, "success")), daily(start_grace="2h")) == (4 * H, "missed")


def test_a_run_that_comes_a_little_early_is_the_run_of_its_slot() -> None:
    early = pings((3 * H - 4 * M, "success"))
    assert limit(early, daily()) == (4 * H, "missed")
    assert limit(early, daily(early_tolerance="5m")) == (DAY + 4 * H, "missed")
    assert limit(pings((3 * H - 6 * M, "success")), daily(early_tolerance="5m")) == (4 * H, "missed")


def test_a_period_knows_no_early() -> None:
    assert limit(pings((0, "success")), replace(HOURLY, early_tolerance=2 * H)) == (H + 10 * M, "missed")


# Late news -----------------------------------------------------------------------------------------------------------


def test_a_ping_that_was_late_to_arrive_counts_from_when_it_was_meant() -> None:
    down = look(pings((0, "success")), HOURLY, T + 5 * H)
    up = pings((H, "success"), state=down)
    assert (up.status, up.last_ping) == ("up", T + H)
    assert look(up, HOURLY, T + 5 * H).since == T + 2 * H + 10 * M


@pytest.mark.parametrize("kind", ["success", "start", "fail", "log"])
def test_a_ping_that_is_older_than_what_is_known_changes_nothing(kind: Kind) -> None:
    state = pings((H, "success"))
    assert take(state, Ping(kind, T)) is state


def test_an_older_start_does_not_replace_a_newer_one() -> None:
    state = pings((H, "start", ONE))
    assert take(state, Ping("start", T, TWO)) is state


# Our own outages -----------------------------------------------------------------------------------------------------


def test_a_deadline_inside_a_gap_is_moved_to_the_next_run() -> None:
    state = pings((-21 * H, "success"))
    after = gap(state, daily(), T + 2 * H, T + 5 * H)
    assert limit(after, daily()) == (DAY + 4 * H, "missed")


def test_a_run_that_was_due_inside_a_gap_is_not_missed_after_it() -> None:
    """The deadline lies after the gap, and yet the ping may have come while nobody listened."""
    state = pings((-21 * H, "success"))
    after = gap(state, daily(), T + 2.9 * H, T + 3.2 * H)
    assert limit(after, daily()) == (DAY + 4 * H, "missed")


def test_a_run_that_is_rare_is_waited_for_a_day() -> None:
    weekly = rules_of(Heartbeat.model_validate({"name": "x", "schedule": "0 3 * * TUE", "grace": "1h"}))
    state = pings((-6 * DAY, "success"))
    due = expected(state, weekly)
    assert due is not None
    after = gap(state, weekly, due - H, due + H)
    assert deadline(after, weekly) == replace(deadline(state, weekly) or (), at=due + H + DAY + H)  # type: ignore[type-var]


def test_a_gap_leaves_alone_what_was_not_due_in_it() -> None:
    state = pings((0, "success"))
    assert gap(state, HOURLY, T + M, T + 30 * M) is state
    down = pings((0, "fail"))
    assert gap(down, HOURLY, T + M, T + 30 * H) is down


def test_what_had_been_missed_before_the_gap_is_missed() -> None:
    state = pings((0, "success"))
    assert gap(state, HOURLY, T + H + 10 * M + 1, T + 9 * H) is state


def test_a_run_under_way_may_have_ended_in_the_gap() -> None:
    rules = daily(max_runtime="2h")
    state = pings((-21 * H, "success"), (3 * H, "start"))
    assert limit(gap(state, rules, T + 4 * H, T + 4.5 * H), rules) == (DAY + 4 * H, "too_long")


def test_a_short_gap_gives_clients_the_time_to_try_again() -> None:
    state = pings((0, "success"))
    over = T + H + 10 * M
    assert limit(gap(state, HOURLY, over - 20, over + 10)) == (H + 10 * M + 70, "missed")
    assert gap(state, HOURLY, T + H + M, T + H + M + 30) is state


@pytest.mark.parametrize("kind", ["success", "start", "fail"])
def test_a_ping_ends_the_waiting_after_a_gap(kind: Kind) -> None:
    state = gap(pings((0, "success")), HOURLY, T + 30 * M, T + 2 * H)
    assert state.wait is not None
    assert pings((2 * H + M, kind), state=state).wait is None


def test_a_clock_set_back_leaves_nothing_in_the_future() -> None:
    state = wind(pings((5 * H, "success"), (6 * H, "start")), T + H)
    assert (state.last_ping, state.last_success, state.last_start, state.created) == (T + H, T + H, T + H, T)
    assert limit(state) == (H + 10 * M, "unfinished")


# Against a model -----------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """Healthchecks' contract as it reads, for a period: looked at once a second, knowing nothing of deadlines."""

    period: int
    grace: int
    status: str = "new"
    last: int | None = None
    start: int | None = None
    rid: str | None = None
    overdue: bool = False
    """The run that is under way is why it is down: then another one's success is the end of it."""
    flips: tuple[tuple[int, str], ...] = ()

    def second(self, now: int) -> None:
        limits = []
        if self.last is not None and self.status == "up":
            limits.append(self.last + self.period + self.grace)
        if self.start is not None:
            limits.append(self.start + self.grace)
        if self.status != "down" and limits and now >= min(limits):
            self.overdue = self.start is not None
            self.turn("down", now)

    def ping(self, kind: Kind, rid: str | None, now: int) -> None:
        if kind == "start":
            self.start, self.rid = now, rid
        elif kind == "success":
            self.last = now
            if rid is None or rid == self.rid or self.overdue:
                self.start = self.rid = None
            self.overdue = False
            self.turn("up", now)
        elif kind == "fail":
            self.last, self.start, self.rid, self.overdue = now, None, None, False
            self.turn("down", now)

    def turn(self, status: str, now: int) -> None:
        if status != self.status:
            self.status = status
            self.flips += ((now, status),)


KINDS: Final = st.sampled_from(("success", "success", "start", "fail", "log"))
SAID: Final = st.lists(st.tuples(st.integers(0, 40), KINDS, st.sampled_from([None, ONE, TWO])), max_size=12)


@settings(max_examples=300)
@given(SAID, st.integers(1, 30), st.integers(0, 20))
def test_any_course_of_pings_turns_out_as_the_contract_says(
    said: list[tuple[int, Kind, str | None]], period: int, grace: int
) -> None:
    rules = Rules(Period(float(period)), float(grace), never_seen=False)
    state, model, now = born(0.0), Model(period, grace), 0
    flips: list[tuple[float, str]] = []

    def turned(later: State) -> State:
        if later.status != state.status:
            flips.append((later.since, later.status))
        return later

    for pause_, kind, rid in [*said, (60, "log", None)]:
        for second in range(now, now + pause_ + 1):
            model.second(second)
        now += pause_
        state = turned(look(state, rules, float(now)))
        model.ping(kind, rid, now)
        state = turned(take(state, Ping(kind, float(now), rid)))
    assert state.status == model.status
    assert flips == [(float(at), status) for at, status in model.flips]


@settings(max_examples=200)
@given(SAID, st.floats(0, 50), st.floats(0, 500))
def test_after_a_gap_nothing_is_missed_sooner_than_without(
    said: list[tuple[int, Kind, str | None]], began: float, lasted: float
) -> None:
    rules, state, now = Rules(Period(20.0), 5.0), born(0.0), 0.0
    for pause_, kind, rid in said:
        now += pause_
        state = take(state, Ping(kind, now, rid))
    before = deadline(state, rules)
    after = deadline(gap(state, rules, now + began, now + began + lasted), rules)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.at >= before.at
        assert after.at == before.at or after.at >= now + began + lasted


def test_a_success_that_is_told_twice_took_as_long_as_at_first() -> None:
    once = pings((0, "start", ONE), (5 * M, "success", ONE))
    assert once.duration == 5 * M
    assert pings((5 * M, "success", ONE), state=once) == once
    running = pings((5 * M, "start", TWO), state=once)
    assert pings((5 * M, "success", ONE), state=running) == running
    assert pings((5 * M, "success", TWO), state=running).last_start is None


def test_a_failure_that_is_told_twice_has_happened_once() -> None:
    once = pings((0, "success"), (5, "fail"))
    assert once.failures == 1
    assert take(once, Ping("fail", T + 5)) is once
    assert take(once, Ping("fail", T + 6)).failures == 2
    assert take(once, Ping("success", T + 6)).failures == 0
