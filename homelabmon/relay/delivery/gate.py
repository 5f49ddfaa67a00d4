"""Waits for a webhook in turn: who came first goes first, and nobody goes sooner than the limits allow.

Used by delivery.worker. May import: relay.clock, relay.waiting, notifiers.contract, and its neighbours.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from homelabmon.notifiers.contract import Outcome
from homelabmon.relay.clock import Clock
from homelabmon.relay.delivery.limits import Limits, Ticket
from homelabmon.relay.delivery.memory import digest_of
from homelabmon.relay.waiting import happens


class Gate:
    """The limits, for many workers. Webhooks are told apart by digests of their addresses."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ended = asyncio.Event()

    def recall(self, invalid: Iterable[tuple[str, float]]) -> None:
        """Before anything is sent: digest and age (seconds) of requests that count towards a ban, the oldest first."""
        now = self._clock.monotonic()
        for webhook, age in invalid:
            self._limits.recall(webhook, now - age)

    @asynccontextmanager
    async def turn(self, webhook: str) -> AsyncIterator[None]:
        """While it lasts, nobody else calls this webhook."""
        async with self._turns[digest_of(webhook)]:
            yield

    async def wait(self, webhook: str) -> bool:
        """Waits until the webhook may be called; False when it might have been called at once."""
        waited = False
        while (seconds := self.seconds(webhook)) > 0:
            waited = True
            self._ended.clear()
            await happens(self._ended, self._clock, None if math.isinf(seconds) else seconds)
        return waited

    def seconds(self, webhook: str) -> float:
        """How long until it may be called; infinite while requests under way have to end first."""
        now = self._clock.monotonic()
        return self._limits.ready_at(digest_of(webhook), now) - now

    def begin(self, webhook: str) -> Ticket:
        """A request begins; must be followed by :meth:`end`."""
        return self._limits.begin(digest_of(webhook), self._clock.monotonic())

    def end(self, ticket: Ticket, status: int | None, outcome: Outcome | None) -> None:
        """What came of it."""
        self._limits.end(ticket, status, outcome, self._clock.monotonic())
        self._ended.set()
