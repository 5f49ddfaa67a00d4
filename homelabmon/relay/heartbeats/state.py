"""One heartbeat's state: what a ping makes of it, when it will be missed, and what an outage of our own means for it.

Pure: the time is an argument, in Unix seconds. The rules are those of healthchecks, so that its clients mean the same
here, with four of our own: a limit for how long a run takes and one for how late it starts, runs that come a little
early, and heartbeats that never came. Used by the keeper. May import: its neighbour schedules, spec.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from homelabmon.relay.heartbeats.schedules import Period, Schedule, schedule_of
from homelabmon.spec.watch import Heartbeat

Status = Literal["new", "up", "down", "paused"]
Shown = Literal["new", "up", "late", "down", "paused"]
Kind = Literal["success", "start", "fail", "log"]
Reason = Literal["missed", "not_started", "never_seen", "unfinished", "too_long", "failed"]
"""Why it is down: nothing came in time, it did not start in time, it has never been seen, it began late or was not
expected and did not end, it runs for too long, it said that it failed."""

LONGEST_RUN: Final = 72 * 3600.0
"""Seconds between a start and an end that can still belong together."""
RETRIES: Final = 60.0
"""Seconds for which clients go on trying; an outage of ours that is shorter loses no ping."""
LONGEST_WAIT: Final = 86_400.0
"""Seconds that a run which fell into an outage of ours is waited for, at most, before its grace begins."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is expected of a heartbeat. All times are seconds."""

    schedule: Schedule
    grace: float
    max_runtime: float | None = None
    start_grace: float | None = None
    early_tolerance: float = 0.0
    never_seen: bool = True
    """Whether one that has never been seen is missed, too."""


def rules_of(beat: Heartbeat) -> Rules:
    """The rules that stack.yaml gives. Raises ScheduleError."""
    return Rules(
        schedule=schedule_of(beat),
        grace=beat.grace.total_seconds(),
        max_runtime=None if beat.max_runtime is None else beat.max_runtime.total_seconds(),
        start_grace=None if beat.start_grace is None else beat.start_grace.total_seconds(),
        early_tolerance=0.0 if beat.early_tolerance is None else beat.early_tolerance.total_seconds(),
        never_seen=beat.never_seen == "alert",
    )


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one heartbeat."""

    status: Status
    since: float
    """When it became so; of one that is down, the very moment at which it was missed."""
    created: float
    """When it was first heard of, or resumed."""
    last_ping: float | None = None
    """The last success or failure."""
    last_success: float | None = None
    last_start: float | None = None
    """When the run began that is under way; None when none is."""
    start_rid: str | None = None
    duration: float | None = None
    """Of the last run whose start is known."""
    exit_code: int | None = None
    """Of the last run, where it told one."""
    reason: Reason | None = None
    """Why it is down."""
    wait: float | None = None
    """It is not missed before this moment: a ping may have been lost while nobody listened."""
    failures: int = 0
    """Runs in a row that said that they failed."""


@dataclass(frozen=True, slots=True)
class Ping:
    """What a client said. ``at``: when it meant it, which is earlier than now where it could not say it at once."""

    kind: Kind
    at: float
    rid: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """When it will be down if nothing comes, and why."""

    at: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies ahead: when the next run is expected, and when it will be down without one; None: nobody knows."""

    expected: float | None
    deadline: Deadline | None


def born(now: float) -> State:
    """A heartbeat that nobody has heard yet."""
    return State("new", now, now)


def take(state: State, ping: Ping) -> State:
    """What a ping makes of it. One that is older than what is known changes nothing."""
    if ping.kind == "log":
        return state
    if state.last_ping is not None and ping.at < state.last_ping:
        return state
    if ping.kind == "start":
        if state.last_start is not None and ping.at < state.last_start:
            return state
        return replace(state, last_start=ping.at, start_rid=ping.rid, wait=None)
    if _is_again(state, ping):
        return state
    return _ended(state, ping)


def _is_again(state: State, ping: Ping) -> bool:
    """The same end of a run once more, from a client that was not sure whether it had been heard."""
    if ping.at != state.last_ping:
        return False
    if ping.kind == "fail":
        return state.reason == "failed"
    ends_a_run = state.last_start is not None and ping.rid in (None, state.start_rid)
    return state.status == "up" and not ends_a_run


def _ended(state: State, ping: Ping) -> State:
    """A run ended. A failure ends whatever run is under way, a success only its own or, nameless, any.

    A run that has been told of as not ending is not told of again when another one succeeds (healthchecks does).
    """
    failed = ping.kind == "fail"
    status: Status = "down" if failed else "up"
    told = state.reason in ("unfinished", "too_long")
    ends_it = failed or told or ping.rid is None or ping.rid == state.start_rid
    return replace(
        state,
        status=status,
        since=state.since if state.status == status else ping.at,
        last_ping=ping.at,
        last_success=state.last_success if failed else ping.at,
        last_start=None if ends_it else state.last_start,
        start_rid=None if ends_it else state.start_rid,
        duration=_duration(state, ping),
        exit_code=ping.exit_code,
        reason="failed" if failed else None,
        wait=None,
        failures=state.failures + 1 if failed else 0,
    )


def _duration(state: State, ping: Ping) -> float | None:
    if state.last_start is None or ping.rid != state.start_rid:
        return None
    seconds = ping.at - state.last_start
    return seconds if 0 <= seconds <= LONGEST_RUN else None


def expected(state: State, rules: Rules) -> float | None:
    """When the next run is expected; None: nobody knows, or never again."""
    if state.last_ping is None:
        return rules.schedule.after(state.created)
    due = rules.schedule.after(state.last_ping)
    if due is None or isinstance(rules.schedule, Period) or due - state.last_ping > rules.early_tolerance:
        return due
    return rules.schedule.after(due)


def outlook(state: State, rules: Rules) -> Outlook:
    """Both at once: a schedule is asked once. Nothing is expected while it is paused, or where it may stay away."""
    due = expected(state, rules)
    quiet = state.status == "paused" or (state.status == "new" and not rules.never_seen)
    return Outlook(None if quiet else due, _deadline(state, rules, due))


def deadline(state: State, rules: Rules) -> Deadline | None:
    """When it will be down if nothing comes; None: it will not be, or is already."""
    return None if state.status == "down" else _deadline(state, rules, expected(state, rules))


def _deadline(state: State, rules: Rules, due: float | None) -> Deadline | None:
    if state.status == "down":
        return None
    found = _waiting(state, rules, due) if state.last_start is None else _running(state, state.last_start, rules, due)
    if found is None or state.wait is None:
        return found
    return replace(found, at=max(found.at, state.wait))


def _waiting(state: State, rules: Rules, due: float | None) -> Deadline | None:
    if due is None or state.status == "paused" or (state.status == "new" and not rules.never_seen):
        return None
    if rules.start_grace is not None and rules.start_grace < rules.grace:
        return Deadline(due + rules.start_grace, "not_started" if state.status == "up" else "never_seen")
    return Deadline(due + rules.grace, "missed" if state.status == "up" else "never_seen")


def _running(state: State, began: float, rules: Rules, due: float | None) -> Deadline | None:
    if rules.max_runtime is not None:
        return Deadline(began + rules.max_runtime, "too_long")
    return Deadline(
        (min(began, due) if state.status == "up" and due is not None else began) + rules.grace, "unfinished"
    )


def look(state: State, rules: Rules, now: float) -> State:
    """What has become of it by now: down, from the very moment of its deadline, where that is over."""
    return lapsed(state, deadline(state, rules), now)


def lapsed(state: State, limit: Deadline | None, now: float) -> State:
    """The same, where its deadline is known; the very same state where that is not over."""
    if limit is None or now < limit.at:
        return state
    return replace(state, status="down", since=max(limit.at, state.since), reason=limit.reason, wait=None)


def shown(state: State, due: float | None, now: float) -> Shown:
    """The status as people read it: ``late`` is up, but the run that is due has not come."""
    return "late" if state.status == "up" and due is not None and now >= due else state.status


def pause(state: State, now: float) -> State:
    """Nothing is expected of it until it is heard again, or resumed."""
    return replace(
        state, status="paused", since=now, last_start=None, start_rid=None, reason=None, wait=None, failures=0
    )


def resume(state: State, now: float) -> State:
    """It is expected again, as if it were new."""
    return State("new", now, now, last_success=state.last_success) if state.status == "paused" else state


def gap(state: State, rules: Rules, began: float, now: float) -> State:
    """Nobody listened from ``began`` to ``now``: a ping that would have answered the deadline may have been lost.

    Where that is so, its next run is waited for, or a day: nobody can tell whether it ran. Where the gap is no longer
    than clients go on trying (``RETRIES``), they are given the time to. Gives the very same state where nothing of it
    fell into the gap.
    """
    limit = deadline(state, rules)
    if limit is None or limit.at < began:
        return state
    due = state.last_start if state.last_start is not None else expected(state, rules)
    if due is None or due > now:
        return state
    if now - began <= RETRIES:
        return state if limit.at > now + RETRIES else replace(state, wait=now + RETRIES)
    following = rules.schedule.after(now)
    until = min(now + LONGEST_WAIT if following is None else following, now + LONGEST_WAIT) + rules.grace
    return replace(state, wait=max(limit.at, until))


def wind(state: State, now: float) -> State:
    """The same where the clock was set back: what lies ahead of now was noted by a clock that was wrong."""

    def past(at: float | None) -> float | None:
        return None if at is None else min(at, now)

    return replace(
        state,
        since=min(state.since, now),
        created=min(state.created, now),
        last_ping=past(state.last_ping),
        last_success=past(state.last_success),
        last_start=past(state.last_start),
    )
