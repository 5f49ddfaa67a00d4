"""Of which probes people are told: parents before children, each thing once. Pure.

Three things hold whatever is out of order: nothing keeps a probe from being measured, nothing keeps an alert from being
resolved, and an alert that stands is not taken back because a parent fails. Only the creation of an alert is held back:
while a parent fails, or has not been asked since the child began to fail, or the cluster tells of it already. Used by
the keeper. May import: its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from homelabmon.relay.probes.state import State
from homelabmon.relay.probes.targets import Target, ancestors

Kind = Literal["down", "slow", "expires", "last_days"]

SLOW_FOR: Final = 600.0
"""Seconds that a probe must have been slow, as with the rule for probes from inside."""
LAST_DAYS: Final = 3
"""Days before a certificate's end that are critical, as with that rule's default."""
DAY: Final = 86_400.0
CROWD: Final = 4
"""Different hosts that there must be for it to mean anything that most of them fail."""
AT_ONCE: Final = 300.0
"""Seconds within which failures have begun that may have one reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that people are told. ``ended`` None: it begins; ``began``: since when it is so."""

    name: str
    kind: Kind
    before: State
    after: State
    began: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """``states`` of those that changed by it, what is to be told, and who must be asked before more can be said."""

    states: Mapping[str, State]
    told: tuple[Told, ...]
    ask: frozenset[str]


def judge(
    states: Mapping[str, State],
    targets: Mapping[str, Target],
    names: Iterable[str],
    now: float,
    elsewhere: frozenset[str] = frozenset(),
) -> Judged:
    """What of some probes has to be told now, given the states of all. ``elsewhere``: down, as the cluster tells."""
    changed: dict[str, State] = {}
    told: list[Told] = []
    ask: set[str] = set()
    for name in names:
        if name not in states or name not in targets:
            continue
        before = after = states[name]
        unasked = _unasked(states, targets, name)
        if before.failing:
            ask |= unasked
        free = not unasked and not _held_back(states, targets, name)
        for kind in _KINDS:
            may = free and not (kind == "down" and name in elsewhere)
            one = _judge_one(kind, name, after, targets[name], now, may=may)
            if one is not None:
                told.append(one)
                after = one.after
        if after is not before:
            changed[name] = after
    return Judged(changed, tuple(told), frozenset(ask))


_KINDS: Final[tuple[Kind, ...]] = ("down", "slow", "expires", "last_days")


def _judge_one(kind: Kind, name: str, state: State, target: Target, now: float, *, may: bool) -> Told | None:
    field = f"told_{kind}"
    began: float | None = getattr(state, field)
    since = _since(kind, state, target, now)
    if began is None:
        if since is None or (kind in ("down", "slow") and not may):
            return None
        return Told(name, kind, state, _with(state, field, since), since)
    if since is not None or not _known_over(kind, state):
        return None
    ended = state.since if kind == "down" else now
    return Told(name, kind, state, _with(state, field, None), began, max(ended, began))


def _with(state: State, field: str, since: float | None) -> State:
    changes: dict[str, Any] = {field: since}
    return replace(state, **changes)


def _since(kind: Kind, state: State, target: Target, now: float) -> float | None:
    """Since when it is so; None when it is not."""
    if kind == "down":
        return state.since if state.status == "down" else None
    if kind == "slow":
        return state.since if state.status == "degraded" and now - state.since >= SLOW_FOR else None
    left = days_left(state, now)
    if left is None:
        return None
    last = min(LAST_DAYS, target.tls_days)
    return now if (left < last if kind == "last_days" else last <= left < target.tls_days) else None


def _known_over(kind: Kind, state: State) -> bool:
    """Whether it is known that it is over; one that cannot be asked any more proves nothing."""
    if kind == "down":
        return state.status in ("up", "degraded")
    return kind != "slow" or state.status in ("up", "down")


def days_left(state: State, now: float) -> float | None:
    """Days that the certificate is valid for; None where none was seen."""
    return None if state.certificate_until is None else (state.certificate_until - now) / DAY


def _unasked(states: Mapping[str, State], targets: Mapping[str, Target], name: str) -> set[str]:
    """Parents that have not been asked since it was found to be down, or began to fail or to be slow.

    Those that cannot be asked from here do not count.
    """
    state = states[name]
    began = next((at for at in (state.confirmed_at, state.failing_since, state.slow_since) if at is not None), None)
    found = set()
    for parent in ancestors(targets, name):
        known = states.get(parent)
        if known is None or known.status == "unknown":
            continue
        if began is not None and (known.checked_at is None or known.checked_at < began):
            found.add(parent)
    return found


def _held_back(states: Mapping[str, State], targets: Mapping[str, Target], name: str) -> bool:
    """Whether a parent fails, or has come back since the child was asked last."""
    checked = states[name].checked_at or 0.0
    for parent in ancestors(targets, name):
        known = states.get(parent)
        if known is None:
            continue
        if known.failing or known.status == "down" or (known.well_since is not None and checked < known.well_since):
            return True
    return False


def most_fail(states: Mapping[str, State], targets: Mapping[str, Target], now: float) -> bool:
    """Whether more than half of the hosts that have nothing to do with each other have just begun to fail.

    That is more likely to be us than all of them.
    """
    hosts: dict[str, bool] = {}
    for name, target in targets.items():
        state = states.get(name)
        if state is None or state.status in ("new", "unknown") or any(ancestors(targets, name)):
            continue
        fails = state.failing_since is not None and now - state.failing_since <= AT_ONCE
        hosts[target.host] = hosts.get(target.host, False) or fails
    return len(hosts) >= CROWD and 2 * sum(hosts.values()) > len(hosts)
