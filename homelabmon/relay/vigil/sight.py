"""Whether this machine reaches the world: three or more independent addresses are asked, all at the same time.

Fewer than two signs of life, and the service is blind. What comes in from far away counts as one such sign, so that a
firewall that lets nobody out is told from a line that is cut only where something proves it. Before a failure is
believed the anchors are asked, unless they have answered just now; without failures they are asked now and then, so
that an outage that nobody noticed is known of afterwards. Used by the vigil. May import: relay.clock.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from homelabmon.relay.clock import Clock

log = logging.getLogger(__name__)

NEEDED: Final = 2
"""Signs of life without which nothing is believed."""
RECENT: Final = 2.0
"""Seconds for which an answer of the anchors holds."""
INBOUND: Final = 30.0
"""Seconds for which something that came in counts as a sign of life."""
LOOK_EVERY: Final = 30.0
"""Seconds between looks when nothing fails."""
BLIND_AGAIN: Final = 5.0
"""Seconds between looks while blind."""
PATIENCE: Final = 3.0
"""Seconds that an anchor has to answer."""
STALL: Final = 5.0
"""Seconds beyond that after which it was this process that stood still."""

Reach = Callable[[str], Coroutine[Any, Any, bool]]
"""Whether something listens at ``host:port`` (``[host]:port`` for IPv6). Never raises."""


async def reach(address: str) -> bool:
    """Whether a connection can be made. One that is refused is none: an anchor is known to listen."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


class Anchored:
    """A :class:`~homelabmon.relay.vigil.contract.Sight` by anchors; without any it sees always."""

    def __init__(self, anchors: Sequence[str], clock: Clock, reach_: Reach = reach) -> None:
        self.anchors = tuple(dict.fromkeys(anchors))
        self.blind_since: float | None = None
        self.alive: dict[str, bool] = {}
        """What each anchor said last."""
        self.looked_at: float | None = None
        """When they were asked last; Unix seconds."""
        self._clock, self._reach = clock, reach_
        self._seen_at = clock.now()
        self._good_at = -RECENT
        self._looked_mono = -LOOK_EVERY
        self._inbound_at = -INBOUND
        self._asking: asyncio.Task[bool] | None = None
        self._callbacks: list[Callable[[], None]] = []
        self.on_blind: Callable[[], None] | None = None
        """Called each time it goes blind."""

    # What others ask ------------------------------------------------------------

    async def sure(self) -> bool:
        """Whether a failure that was seen just now may be believed."""
        if not self.anchors:
            return True
        if self.blind_since is not None:
            return False
        if self._clock.monotonic() - self._good_at <= RECENT:
            return True
        return await self.look()

    def on_return(self, callback: Callable[[], None]) -> None:
        """From now on it is called each time this sees again."""
        self._callbacks.append(callback)

    def inbound(self) -> None:
        """Something came in that can only have come from far away."""
        self._inbound_at = self._clock.monotonic()

    def inbound_counts(self) -> bool:
        """Whether something has come in lately."""
        return self._clock.monotonic() - self._inbound_at <= INBOUND

    def reconfigure(self, anchors: Sequence[str]) -> None:
        """Other anchors. Without any it is not blind."""
        self.anchors = tuple(dict.fromkeys(anchors))
        self.alive = {anchor: alive for anchor, alive in self.alive.items() if anchor in self.anchors}
        if not self.anchors and self.blind_since is not None:
            self._returns()

    # Looking ------------------------------------------------------------

    async def watch(self) -> None:
        """Looks now and then, and often while blind; until it is cancelled."""
        while True:
            since = self._clock.monotonic() - self._looked_mono
            every = LOOK_EVERY if self.blind_since is None else BLIND_AGAIN
            if not self.anchors:
                await self._clock.sleep(LOOK_EVERY)
            elif since >= every:
                await self.look()
            else:
                await self._clock.sleep(min(every - since, BLIND_AGAIN))

    async def look(self) -> bool:
        """Asks the anchors; who asks meanwhile shares the answer. Never raises."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._look())
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, _: asyncio.Task[bool]) -> None:
        self._asking = None

    async def _look(self) -> bool:
        began, began_mono = self._clock.now(), self._clock.monotonic()
        wanted = NEEDED - self.inbound_counts()
        alive = await self._ask(wanted)
        if alive < wanted and self._clock.monotonic() - began_mono > PATIENCE + STALL:
            began, began_mono = self._clock.now(), self._clock.monotonic()
            alive = await self._ask(wanted)  # this process stood still: nobody could have answered in time
        self.looked_at, self._looked_mono = self._clock.now(), self._clock.monotonic()
        if alive >= NEEDED - self.inbound_counts():
            self._good_at, self._seen_at = began_mono, began
            if self.blind_since is not None:
                self._returns()
            return True
        if self.blind_since is None:
            self.blind_since = min(self._seen_at, began)
            log.warning("blind: the anchors do not answer", extra={"alive": alive, "asked": len(self.anchors)})
            if self.on_blind is not None:
                self.on_blind()
        return False

    async def _ask(self, wanted: int) -> int:
        """How many answer; no more are waited for than are wanted."""
        asked = {asyncio.create_task(self._reach(anchor)): anchor for anchor in self.anchors}
        waiting, alive = set(asked), 0
        try:
            while waiting and alive < wanted:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self.alive[asked[task]] = task.result()
                    alive += task.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return alive

    def _returns(self) -> None:
        log.warning("it sees again", extra={"seconds": round(self._clock.now() - (self.blind_since or 0.0), 1)})
        self.blind_since = None
        for callback in self._callbacks:
            callback()


def from_afar(peer: str | None, forwarded: str | None) -> bool:
    """Whether a request came from a public address: its peer, or whoever the proxy in front of us says it was.

    Only the last entry of X-Forwarded-For is that proxy's own word.
    """
    return _public(peer) or _public((forwarded or "").rpartition(",")[2].strip())


def _public(text: str | None) -> bool:
    try:
        return ipaddress.ip_address(text or "").is_global
    except ValueError:
        return False
