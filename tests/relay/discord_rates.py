"""How often Discord lets itself be called: per webhook, per channel, altogether, and when it stops listening.

Sources: Discord's API documentation, topics/rate-limits (headers, 429, 50 requests a second, 10,000 invalid requests in
10 minutes); the numbers it does not give are from its staff: 5 in 2 seconds per webhook and 30 in 60 seconds per
channel (discord/discord-api-docs#367), the latter not visible in the headers and told as ``shared`` (#4043).
That edits have a bucket of their own and do not count towards the 30 follows from "per route", and is unproven.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

INVALID: Final = (401, 403, 429)


@dataclass(frozen=True)
class Rates:
    """The limits: how many, in how many seconds. ``None``: no such limit."""

    webhook: tuple[int, float] | None = (5, 2.0)
    channel: tuple[int, float] | None = (30, 60.0)
    everything: tuple[int, float] | None = (50, 1.0)
    invalid: tuple[int, float] | None = (10_000, 600.0)
    old_edits: tuple[int, float] | None = None
    """Edits of messages that are older than an hour, in one channel. Discord does not say how many."""


UNLIMITED: Final = Rates(None, None, None, None)


@dataclass
class Window:
    """So many requests from the first one on, then none until it is over."""

    limit: int
    seconds: float
    used: int = 0
    ends: float = -math.inf

    def take(self, now: float) -> bool:
        """Counts a request; whether it is still within the limit."""
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds
        self.used += 1
        return self.used <= self.limit

    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class Limited:
    """A request too many."""

    scope: Literal["user", "shared", "global", "banned"]
    retry_after: float

    def body(self) -> dict[str, Any]:
        shared = self.scope == "shared"
        return {
            "message": "The resource is being rate limited." if shared else "You are being rate limited.",
            "retry_after": round(self.retry_after, 3),
            "global": self.scope == "global",
        }

    def headers(self) -> dict[str, str]:
        said = {"Retry-After": str(math.ceil(self.retry_after)), "X-RateLimit-Scope": self.scope}
        return {**said, "X-RateLimit-Global": "true"} if self.scope == "global" else said


@dataclass
class Meter:
    """Counts everything that comes in. Times are seconds of ``now``, which must not go back."""

    rates: Rates
    now: Callable[[], float]
    banned_until: float = -math.inf
    _windows: dict[tuple[str, ...], Window] = field(default_factory=dict)
    _invalid: deque[float] = field(default_factory=deque)

    def ban(self) -> Limited | None:
        """Cloudflare, before anything else."""
        left = self.banned_until - self.now()
        return Limited("banned", left) if left > 0 else None

    def everything(self) -> Limited | None:
        """The limit for an address without authorization, over all webhooks."""
        return self._take("global", self.rates.everything, ("everything",))

    def webhook(self, method: str, webhook: str, channel: str) -> Limited | None:
        """The webhook's own limit, then, for posts, its channel's. A refused request counts as well."""
        own = self._take("user", self.rates.webhook, ("webhook", method, webhook))
        shared = self._take("shared", self.rates.channel, ("channel", channel)) if method == "POST" else None
        return own or shared

    def old_edit(self, channel: str) -> Limited | None:
        """Edits of what is older than an hour."""
        return self._take("user", self.rates.old_edits, ("old_edits", channel))

    def headers(self, method: str, webhook: str) -> dict[str, str]:
        """What every answer says about the webhook's own limit."""
        window = self._windows.get(("webhook", method, webhook))
        if window is None:
            return {}
        left = max(0.0, window.ends - self.now())
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.remaining()),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": f"bucket-of-{method.lower()}",
        }

    def answered(self, status: int, *, shared: bool = False) -> None:
        """Counts an invalid request; too many of them and nobody listens any more."""
        if status not in INVALID or shared or self.rates.invalid is None:
            return
        limit, seconds = self.rates.invalid
        self._invalid.append(self.now())
        self._forget()
        if len(self._invalid) > limit:
            self.banned_until = self.now() + seconds

    @property
    def invalid(self) -> int:
        """Invalid requests in the last ten minutes."""
        self._forget()
        return len(self._invalid)

    def _forget(self) -> None:
        seconds = self.rates.invalid[1] if self.rates.invalid else 0.0
        while self._invalid and self._invalid[0] <= self.now() - seconds:
            self._invalid.popleft()

    def _take(
        self, scope: Literal["user", "shared", "global"], rate: tuple[int, float] | None, key: tuple[str, ...]
    ) -> Limited | None:
        if rate is None:
            return None
        window = self._windows.setdefault(key, Window(*rate))
        now = self.now()
        return None if window.take(now) else Limited(scope, window.ends - now)
