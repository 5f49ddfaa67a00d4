"""When a webhook may be called next: pacing, announced budgets, 429s, and a breaker against being banned.

Pure: times are monotonic seconds and arguments, randomness is injected. Asked by delivery.worker.
May import: notifiers.contract and the standard library.

Sources of the rules: Discord's documentation of rate limits (headers, ``retry_after``, ``global``; 10,000 invalid
requests in 10 minutes ban an address); discord/discord-api-docs#367 (5 in 2 s and 30 in 60 s per webhook, of which the
second stands in no header, so that pacing has to know it).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from homelabmon.notifiers.contract import Budget, Outcome, Retry

LONGEST_WAIT: Final = 3600.0
"""Whatever the other side says: after this many seconds one request asks again."""
INVALID: Final = frozenset({401, 403, 404, 429})
UNSAID: Final = 5.0
"""Seconds to wait after a first 429 that does not say how long; doubles up to a minute."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``count`` requests within any ``seconds``."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What is taken for granted before the other side has said anything: a little below what it allows."""

    webhook: tuple[Window, ...] = (Window(5, 2.05), Window(30, 60.5))
    everything: Window = Window(45, 1.05)
    invalid: Window = Window(48, 600.0)
    """Responses that count towards a ban. Ours is 1/200 of Discord's own limit."""
    few_invalid: int = 5
    """From this many on, a webhook waits ``cooldown`` after each further one."""
    many_invalid: int = 24
    """From this many on, counted over all webhooks, so does every webhook."""
    cooldown: float = 30.0


@dataclass(slots=True)
class _Trail:
    """Requests that count against a window: those under way, and those that have ended, by when they ended.

    A request may be counted by the other side at any moment between its begin and its end. Counting it from the begin
    until ``seconds`` after the end is therefore right whatever the network does.
    """

    longest: float
    under_way: int = 0
    ended: deque[float] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        while self.ended and self.ended[0] + self.longest <= now:
            self.ended.popleft()

    def free_at(self, window: Window, now: float) -> float:
        """When one more fits. Infinite: not before one that is under way has ended."""
        room = window.count - self.under_way
        if room <= 0:
            return math.inf
        return now if len(self.ended) < room else self.ended[-room] + window.seconds


@dataclass(slots=True)
class _Allowance:
    """What is left of a budget the other side announced."""

    left: int
    until: float


@dataclass(slots=True)
class _Webhook:
    trail: _Trail
    invalid: deque[float] = field(default_factory=deque)
    allowances: list[_Allowance] = field(default_factory=list)
    wait_until: float = -math.inf
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that is under way. ``webhook`` is left out of ``repr``, as it may be an address."""

    webhook: str = field(repr=False)


class Limits:
    """All webhooks' limits. ``random`` gives numbers from 0 (inclusive) to 1 (exclusive)."""

    def __init__(self, random: Callable[[], float], pace: Pace = Pace()) -> None:
        self._random = random
        self._pace = pace
        self._webhooks: dict[str, _Webhook] = {}
        self._everything = _Trail(pace.everything.seconds)
        self._invalid = _Trail(pace.invalid.seconds)
        self._wait_until = -math.inf
        self._refusals = 0

    def ready_at(self, webhook: str, now: float) -> float:
        """The earliest moment a request to this webhook may begin: ``now`` when it may at once.

        Infinite while it waits for requests that are under way: ask again when one has ended.
        """
        known = self._known(webhook, now)
        self._everything.forget(now)
        self._invalid.forget(now)
        moments = [now, known.wait_until, self._wait_until, self._cooled_at(known)]
        moments += [known.trail.free_at(window, now) for window in self._pace.webhook]
        moments += [allowance.until for allowance in known.allowances if allowance.left <= 0]
        moments.append(self._everything.free_at(self._pace.everything, now))
        moments.append(self._invalid.free_at(self._pace.invalid, now))
        return max(moments)

    def begin(self, webhook: str, now: float) -> Ticket:
        """A request begins. Only when :meth:`ready_at` says so; must be followed by :meth:`end`, whatever happens."""
        known = self._known(webhook, now)
        for trail in (known.trail, self._everything, self._invalid):
            trail.under_way += 1
        for allowance in known.allowances:
            allowance.left -= 1
        return Ticket(webhook)

    def end(self, ticket: Ticket, status: int | None, outcome: Outcome | None, now: float) -> None:
        """What came of it. ``status``: None when no response came; ``outcome``: what the notifier made of it."""
        known = self._known(ticket.webhook, now)
        for trail in (known.trail, self._everything):
            trail.under_way -= 1
            trail.ended.append(now)
        self._invalid.under_way -= 1
        if status in INVALID:
            self._invalid.ended.append(now)
            known.invalid.append(now)
        if outcome is not None and outcome.budget is not None:
            self._hear(known, outcome.budget, now)
        if isinstance(outcome, Retry) and _all_wait(status, outcome):
            self._refused(known, outcome, now)
        elif status is not None and status != 429:
            known.refusals = self._refusals = 0

    def recall(self, webhook: str, at: float) -> None:
        """A request of an earlier process that counts towards a ban. To be called in order, before any request."""
        self._known(webhook, at).invalid.append(at)
        self._invalid.ended.append(at)

    def invalid_recently(self, now: float) -> int:
        """How many responses of the last 10 minutes count towards a ban."""
        self._invalid.forget(now)
        return len(self._invalid.ended)

    def _known(self, webhook: str, now: float) -> _Webhook:
        known = self._webhooks.get(webhook)
        if known is None:
            longest = max(window.seconds for window in self._pace.webhook)
            known = self._webhooks[webhook] = _Webhook(_Trail(longest))
        known.trail.forget(now)
        while known.invalid and known.invalid[0] + self._pace.invalid.seconds <= now:
            known.invalid.popleft()
        known.allowances = [allowance for allowance in known.allowances if allowance.until > now]
        return known

    def _cooled_at(self, known: _Webhook) -> float:
        few = len(known.invalid) < self._pace.few_invalid and len(self._invalid.ended) < self._pace.many_invalid
        return -math.inf if few or not known.invalid else known.invalid[-1] + self._pace.cooldown

    def _hear(self, known: _Webhook, budget: Budget, now: float) -> None:
        """Every announced budget holds until it is reset; one that another outdoes need not be kept."""
        new = _Allowance(max(0, budget.remaining) - known.trail.under_way, now + self._later(budget.reset_after))
        known.allowances = [old for old in known.allowances if old.left < new.left or old.until > new.until]
        known.allowances.append(new)

    def _refused(self, known: _Webhook, retry: Retry, now: float) -> None:
        everything = retry.scope == "everything"
        refusals = self._refusals if everything else known.refusals
        after = retry.after
        if after is None or not after > 0:
            after = min(60.0, UNSAID * 2**refusals)
        until = now + self._later(after)
        if everything:
            self._refusals = min(refusals + 1, 10)
            self._wait_until = max(self._wait_until, until)
        else:
            known.refusals = min(refusals + 1, 10)
            known.wait_until = max(known.wait_until, until)

    def _later(self, seconds: float) -> float:
        """Never sooner than said: up to the next millisecond, and a little more, so that not all come back at once."""
        if not seconds > 0:
            return 0.0
        exact = math.ceil(min(seconds, LONGEST_WAIT) * 1000) / 1000
        return exact + self._random() * min(1.0, 0.02 + exact / 10)


def _all_wait(status: int | None, retry: Retry) -> bool:
    """Whether more than the one request has to wait. How long to wait after an error that says nothing about it is
    the worker's business."""
    return status == 429 or (retry.scope != "request" and retry.after is not None)
