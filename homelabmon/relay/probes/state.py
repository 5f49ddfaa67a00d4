"""One probe's state, and what an answer makes of it. Pure: times are arguments, in Unix seconds.

Nothing here knows of parents or alerts: what is measured is measured, whatever else is out of order. Used by the
keeper. May import: its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from homelabmon.relay.probes.outcome import Outcome
from homelabmon.relay.probes.targets import Target

Status = Literal["new", "up", "degraded", "down", "unknown"]
"""``unknown``: it cannot be asked from here."""

RETRY_AFTER: Final = 15.0
"""Seconds until one that has just failed is asked again, where its interval is not shorter anyway."""
DOWN_EVERY: Final = 60.0
"""Seconds between looks at one that is down, at most."""
STALE: Final = 60.0
"""Seconds, besides two intervals, after which failures are no longer in a row."""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one probe."""

    status: Status
    since: float
    """When it became so: of one that is down, its first failure; of one that is degraded, its first slow answer."""
    checked_at: float | None = None
    """When the last check that counted began."""
    failures: int = 0
    """In a row."""
    failing_since: float | None = None
    confirmed_at: float | None = None
    """When the check began that made it down; None when it is not."""
    slows: int = 0
    """Slow answers in a row."""
    slow_since: float | None = None
    well_since: float | None = None
    """When the answers began that came since, without a failure between them; None while it fails."""
    reason: str = ""
    """What the last failure was, or why it cannot be asked."""
    latency: float | None = None
    """Of the last answer. Seconds."""
    certificate_until: float | None = None
    told_down: float | None = None
    """Since when people are told of it as down; None when they are not. So the others."""
    told_slow: float | None = None
    told_expires: float | None = None
    told_last_days: float | None = None

    @property
    def failing(self) -> bool:
        """Whether its last check failed, forgiven or not."""
        return self.failures > 0


def born(now: float) -> State:
    """A probe that nobody has asked yet."""
    return State("new", now)


def take(state: State, outcome: Outcome, target: Target, at: float, *, doubted: bool = False) -> State:
    """What an answer makes of it. ``at``: when the check began. ``doubted``: one more failure is forgiven."""
    state = _in_a_row(_wound(state, at), target, at)
    if outcome.verdict == "unknown":
        return _changed(
            replace(
                state, failures=0, failing_since=None, confirmed_at=None, slows=0, slow_since=None, well_since=None
            ),
            *("unknown", at),
            checked_at=at,
            reason=outcome.words,
        )
    until = outcome.certificate_until or state.certificate_until
    state = replace(state, checked_at=at, certificate_until=until)
    return (
        _failed(state, outcome, target, at, doubted)
        if outcome.verdict == "failed"
        else _well(state, outcome, target, at)
    )


def _failed(state: State, outcome: Outcome, target: Target, at: float, doubted: bool) -> State:
    began = at if state.failing_since is None else state.failing_since
    state = replace(
        state,
        failures=state.failures + 1,
        failing_since=began,
        slows=0,
        slow_since=None,
        well_since=None,
        reason=outcome.words,
    )
    if state.status == "down" or state.failures <= target.retries + doubted:
        return state
    return _changed(state, "down", began, confirmed_at=at)


def _well(state: State, outcome: Outcome, target: Target, at: float) -> State:
    slow = target.within is not None and (outcome.latency or 0.0) > target.within
    began = (at if state.slow_since is None else state.slow_since) if slow else None
    slows = state.slows + 1 if slow else 0
    state = replace(
        state,
        failures=0,
        failing_since=None,
        confirmed_at=None,
        slows=slows,
        slow_since=began,
        well_since=at if state.well_since is None else state.well_since,
        reason="",
        latency=outcome.latency,
    )
    if began is not None and slows > target.retries:
        return _changed(state, "degraded", began)
    return _changed(state, "up", at)


def _changed(state: State, status: Status, since: float, **rest: Any) -> State:
    """In another status; ``since`` counts where it is another one."""
    state = replace(state, **rest)
    return state if state.status == status else replace(state, status=status, since=since)


def _in_a_row(state: State, target: Target, at: float) -> State:
    """Failures before a long pause are none in a row with what comes now."""
    if state.checked_at is None or at - state.checked_at <= 2 * target.interval + STALE:
        return state
    if state.status == "down":
        return state
    return replace(state, failures=0, failing_since=None, slows=0, slow_since=None)


def _wound(state: State, at: float) -> State:
    """The same where the clock was set back: what lies ahead was noted by a clock that was wrong."""
    if state.since <= at and (state.checked_at or 0.0) <= at:
        return state

    def past(moment: float | None) -> float | None:
        return None if moment is None else min(moment, at)

    return replace(
        state,
        since=min(state.since, at),
        checked_at=past(state.checked_at),
        failing_since=past(state.failing_since),
        confirmed_at=past(state.confirmed_at),
        slow_since=past(state.slow_since),
        well_since=past(state.well_since),
    )


def wait(state: State, target: Target) -> float:
    """Seconds from the begin of its last check until the next one."""
    if state.status == "down":
        return min(target.interval, DOWN_EVERY)
    if state.failing:
        return min(target.interval, RETRY_AFTER)
    return target.interval
