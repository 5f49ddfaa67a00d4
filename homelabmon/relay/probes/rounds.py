"""Who is asked when: one schedule for all probes, a bounded number of questions at once, and answers to the keeper.

Every probe is in one place at a time: on the schedule, being asked, or among the answers that wait for the disk. The
first questions are spread over a minute, by the probe's name, so that many probes are an even load. A failure counts
only when the outpost is sure that it sees; while it is blind nobody is asked, and what comes back is thrown away. Run
by the part. May import: relay.clock, relay.waiting, the vigil's contract, its neighbours.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import zlib
from collections.abc import Mapping
from typing import Final, Protocol

from homelabmon.relay.clock import STEP, Clock
from homelabmon.relay.probes import state
from homelabmon.relay.probes.keeper import Checked, Keeper
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.targets import Target
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.vigil.contract import Sight
from homelabmon.relay.waiting import happens

log = logging.getLogger(__name__)

AT_ONCE: Final = 50
"""Questions that are under way at the same time."""
SPREAD: Final = 60.0
"""Seconds over which the first questions are spread."""
GATHER: Final = 0.5
"""Seconds in which answers gather for one transaction."""
AGAIN: Final = 1.0
"""Seconds until a disk that failed is tried again."""
LOOK_EVERY: Final = 10.0
"""Seconds between looks at those that wait to be told of."""
BLIND_NAP: Final = 10.0
"""Seconds after which a blind outpost looks again whether somebody may be asked."""
STALL: Final = 2.0
"""Seconds beyond its own time after which nothing of a check is believed: it was this process that stood still."""
THEIRS_EVERY: Final = 300.0
"""Seconds between looks at a third party's own page; while the probe fails, ``THEIRS_SOON``."""
THEIRS_SOON: Final = 60.0


class Asks(Protocol):
    """What asks one question over the network."""

    async def check(self, target: Target) -> Outcome:
        """What came of it, within the probe's own time. Never raises but for bugs."""
        ...

    async def theirs(self, target: Target, now: float) -> Theirs | None:
        """What the third party says of itself; None when that cannot be read."""
        ...


class Rounds:
    """The schedule of one service's probes."""

    def __init__(self, keeper: Keeper, asks: Asks, sight: Sight, clock: Clock) -> None:
        self._keeper, self._asks, self._sight, self._clock = keeper, asks, sight, clock
        self._due: list[tuple[float, str]] = []
        self._at: dict[str, float] = {}
        """When each probe on the schedule is due; other entries of it are void."""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._soon: set[str] = set()
        """Those that are to be asked again as soon as they are on the schedule."""
        self._found: dict[str, tuple[Checked, float]] = {}
        self._states: Mapping[str, state.State] = {}
        self._waiting: frozenset[str] = frozenset()
        self._theirs_at: dict[str, float] = {}
        self._wake, self._came = asyncio.Event(), asyncio.Event()
        self.counts: dict[str, int] = {}
        """Checks since the start, by what came of them; ``blind``: those that were thrown away."""

    async def prepare(self) -> None:
        """Makes the disk follow the configuration. Raises StoreError."""
        await self._take()

    def reconfigure(self) -> None:
        """The keeper has other targets: those that are new are asked soon, those that are gone no more."""
        targets = self._keeper.targets
        for name in [name for name in self._at if name not in targets]:
            del self._at[name]
        self._came.set()
        self._plan()

    async def run(self) -> None:
        """Asks, until it is cancelled."""
        self._plan()
        taker = asyncio.create_task(self._keep(), name="probes-keeper")
        try:
            while True:
                nap = self._start()
                await happens(self._wake, self._clock, nap)
                self._wake.clear()
                if taker.done():
                    taker.result()
        finally:
            tasks = [taker, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # Who is asked -------------------------------------------------------------

    def _plan(self) -> None:
        """Puts those onto the schedule that are nowhere yet."""
        now = self._clock.monotonic()
        for name, target in self._keeper.targets.items():
            if name not in self._at and name not in self._running and name not in self._found:
                self._put(name, now + phase(name) * min(target.interval, SPREAD))

    def _put(self, name: str, at: float) -> None:
        self._at[name] = at
        heapq.heappush(self._due, (at, name))
        self._wake.set()

    def _hurry(self, name: str) -> None:
        """It is asked at once, or again as soon as its answer is there."""
        if name in self._at:
            self._put(name, self._clock.monotonic())
        elif name in self._running or name in self._found:
            self._soon.add(name)

    def _start(self) -> float | None:
        """Asks those that are due; gives the seconds until the next one is, None when an answer must come first."""
        now = self._clock.monotonic()
        while self._due and len(self._running) < AT_ONCE:
            at, name = self._due[0]
            if self._at.get(name) != at:
                heapq.heappop(self._due)
                continue
            if at > now:
                return at - now
            heapq.heappop(self._due)
            del self._at[name]
            target = self._keeper.targets.get(name)
            if target is None:
                continue
            if self._sight.blind_since is not None:
                self._put(name, now + min(target.interval, BLIND_NAP))
                self._wake.clear()
                continue
            self._running[name] = asyncio.create_task(self._ask(target), name=f"probe-{name}")
        return None

    async def _ask(self, target: Target) -> None:
        began, wall = self._clock.monotonic(), self._clock.now()
        found: Checked | None = None
        try:
            found = await self._look_at(target, wall)
            slept = self._clock.now() - wall - (self._clock.monotonic() - began)
            if abs(slept) > STEP:
                found = None  # the machine was suspended, or its clock was set, in between
        except Exception:
            log.exception("a bug: a probe could not be asked", extra={"probe": target.name})
        finally:
            del self._running[target.name]
            self._wake.set()
        self._count("blind" if found is None else found.outcome.verdict)
        if found is None:
            self._put(target.name, began + min(target.interval, state.RETRY_AFTER))
        else:
            self._found[target.name] = found, began
            self._came.set()

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    async def _look_at(self, target: Target, wall: float) -> Checked | None:
        """One check; None when nothing of it may be believed."""
        began = self._clock.monotonic()
        outcome = await self._asks.check(target)
        if self._clock.monotonic() - began > target.timeout + STALL:
            return None
        if self._sight.blind_since is not None or (outcome.verdict == "failed" and not await self._sight.sure()):
            return None
        return Checked(target.name, wall, outcome, await self._theirs(target, outcome))

    async def _theirs(self, target: Target, outcome: Outcome) -> Theirs | None:
        if target.probe.statuspage is None:
            return None
        now, last = self._clock.monotonic(), self._theirs_at.get(target.name)
        if last is not None and now - last < (THEIRS_SOON if outcome.verdict == "failed" else THEIRS_EVERY):
            return None
        self._theirs_at[target.name] = now
        return await self._asks.theirs(target, self._clock.now())

    # What came of it ------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            await happens(self._came, self._clock, LOOK_EVERY if self._waiting else None)
            if self._found:
                await self._clock.sleep(GATHER)
            self._came.clear()
            try:
                await self._take()
            except StoreError:
                await self._clock.sleep(AGAIN)  # the store has said so itself
                self._came.set()
            except Exception:
                log.exception("a bug: what probes found could not be kept")
                self._forget()

    def _forget(self) -> None:
        """What cannot be kept must not keep the others from being asked."""
        for name, (_, began) in self._found.items():
            if name in self._keeper.targets:
                self._put(name, began + self._keeper.targets[name].interval)
        self._found.clear()

    async def _take(self) -> None:
        found = dict(self._found)
        taken = await self._keeper.take([checked for checked, _ in found.values()])
        self._states, self._waiting = taken.states, taken.waiting
        for name, (_, began) in found.items():
            del self._found[name]
            target, known = self._keeper.targets.get(name), taken.states.get(name)
            if target is not None and known is not None:
                self._put(name, began + (0.0 if name in self._soon else state.wait(known, target)))
            self._soon.discard(name)
        for name in taken.ask:
            self._hurry(name)
        self._plan()


def phase(name: str) -> float:
    """A probe's place in the round, 0 to 1: always the same for a name."""
    return zlib.crc32(name.encode()) / 2**32
