"""An event loop whose time is virtual: when nothing can run, it jumps to the next moment something is due.

Everything that waits by ``asyncio`` waits in virtual time, aiohttp's timeouts included; sockets on loopback are real.
So ten minutes of outage pass in a second, and the order of events is the one that real time would give.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

START: Final = 1_790_000_000.0
SETTLE: Final = 0.0005
"""Real seconds in which bytes that were written to loopback have arrived."""


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.working = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        events = super().select(SETTLE)
        if events:
            return events
        if self.working or timeout is None:
            return super().select(0.02)
        self.time += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time begins at 1,000 and moves only when everybody waits."""

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return 1_000.0 + self.selector.time

    def works(self, by: int) -> None:
        """So many more threads work for somebody here: time stands still until they are done."""
        self.selector.working += by

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Time stands still until threads have ended: from Python 3.12 on they are given 300 seconds, real ones."""
        self.works(+1)
        try:
            await super().shutdown_default_executor()
        finally:
            self.works(-1)


class VirtualClock:
    """The relay's clock in that loop. ``step``: somebody sets the wall clock."""

    def __init__(self) -> None:
        self.offset = START - 1_000.0
        self.slept = 0.0

    def now(self) -> float:
        return self.offset + self.monotonic()

    def asleep(self) -> float:
        return self.slept

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    def step(self, seconds: float) -> None:
        self.offset += seconds

    def suspend(self, seconds: float) -> None:
        """The machine was suspended for so long: to this process no time has passed."""
        self.offset += seconds
        self.slept += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
