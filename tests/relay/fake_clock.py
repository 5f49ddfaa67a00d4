"""A clock that moves when it is told to, for everything in the relay that takes one."""

from __future__ import annotations

import asyncio
import heapq
from typing import Final

START: Final = 1_790_000_000.0
TURNS: Final = 20
"""How often others get their turn whenever somebody has been woken: as many awaits in a row may follow a sleep."""


class FakeClock:
    """Stands still. ``await clock.advance(seconds)`` wakes sleepers one after the other, each at its own time."""

    def __init__(self, now: float = START) -> None:
        self._wall = now
        self._monotonic = 1_000.0
        self.slept = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        return self._wall

    def asleep(self) -> float:
        return self.slept

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._monotonic + seconds, self._count, woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Lets so much time pass."""
        end = self._monotonic + seconds
        await self.turns()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._move(max(due - self._monotonic, 0.0))
            if not woken.done():
                woken.set_result(None)
            await self.turns()
        self._move(end - self._monotonic)
        await self.turns()

    async def turns(self) -> None:
        """Lets everybody else run, without any time passing."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def set_wall(self, now: float) -> None:
        """Somebody sets the wall clock."""
        self._wall = now

    def _move(self, seconds: float) -> None:
        self._wall += seconds
        self._monotonic += seconds
