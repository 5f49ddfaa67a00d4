"""The time, as an argument: everything in the relay that waits or stamps takes a :class:`Clock`.

Tests pass one that they move by hand. May import: the standard library.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

STEP: Final = 5.0
"""Seconds by which the wall clock may drift from the monotonic one before it counts as a step (NTP slews slower)."""


class Clock(Protocol):
    """Seconds, twice: ``now`` for what people and other machines see, ``monotonic`` for how long something takes."""

    def now(self) -> float:
        """Unix seconds (UTC). May jump in either direction."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps, never goes back."""
        ...

    def asleep(self) -> float:
        """Seconds for which the machine has been suspended so far, which the monotonic ones do not count."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after so many monotonic seconds, at once (but not before others had their turn) for none or fewer."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Unix seconds (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def asleep(self) -> float:
        """Seconds for which the machine has been suspended so far; 0.0 where it does not tell (Linux does)."""
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return 0.0 if boottime is None else time.clock_gettime(boottime) - time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await asyncio.sleep(max(seconds, 0.0))


class Steps:
    """Notices when the wall clock was set: asked from time to time, it says by how many seconds it has jumped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.monotonic()

    def stepped(self) -> float:
        """By how much the wall clock jumped since the last time of asking; 0.0 where it only drifted."""
        offset = self._clock.now() - self._clock.monotonic()
        jump = offset - self._offset
        self._offset = offset
        return jump if abs(jump) > STEP else 0.0
