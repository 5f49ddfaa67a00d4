"""Between the doors, the disk and the engine: stores what was read, and reads what was stored.

A request is stored as it came, and is read once more by the engine: so that what a crash leaves behind and what comes
in now take the same way. What has just been read is kept for a moment, so that it mostly need not be read twice.

Used by the app and by the engine. May import: intake, store, the incidents' data, delivery.figures.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from homelabmon.relay.clock import Clock
from homelabmon.relay.delivery.figures import Histogram
from homelabmon.relay.exposition import Key
from homelabmon.relay.incidents.model import Changes, Episode, Snapshot
from homelabmon.relay.incidents.notice import Delivery, Notice
from homelabmon.relay.intake import BY_NAME, Intake, Parsed, Refused
from homelabmon.relay.store.queries import Aside, InboxRow
from homelabmon.relay.store.store import Store

log = logging.getLogger(__name__)

_MOST_FRESH: Final = 10_000
"""Notices that are kept as they were read."""
HOLD_BOUNDS: Final = (1.0, 5.0, 15.0, 30.0, 45.0, 60.0, 65.0, 75.0, 90.0, 120.0, 300.0, 900.0)


class Ear(Protocol):
    """Hears what is no news for people: the outpost's vigil."""

    def apart(self, source: str, parsed: Parsed) -> tuple[Parsed, tuple[Notice, ...]]:
        """What a request tells people, and what of it is for this ear. Pure: what is stored is read once more."""
        ...

    async def hear(self, signs: Sequence[Notice]) -> None:
        """Takes what is for it; returns when that is on disk. Raises StoreError."""
        ...


class Inbox:
    """What came in. It is the engine's store: everything it remembers goes through here."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self._clock = store, clock
        self.ear: Ear | None = None
        self.unread: Counter[str] = Counter()
        """By source: requests and pieces of requests that went to quarantine."""
        self.left_out: Counter[str] = Counter()
        """By source: remarks of senders that they did not send everything."""
        self.holds: dict[Key, Histogram] = {}
        self._fresh: dict[int, Parsed] = {}
        self._fresh_notices = 0
        self._looked = 0
        self._held: dict[int, float] = {}

    # For the doors ------------------------------------------------------------

    async def take(self, intake: Intake, body: bytes, parsed: Parsed, received_at: float) -> int:
        """Stores a request that could be read; the id of its row, 0 where it needs none. Raises StoreError."""
        if self.ear is not None:
            parsed, signs = self.ear.apart(intake.name, parsed)
            if signs:
                await self.ear.hear(signs)
                if not parsed.notices and not parsed.unread:
                    return 0
        asides = [Aside(intake.name, unread.reason, unread.body) for unread in parsed.unread]
        number = await self.store.put(intake.name, body, received_at, asides)
        if number > self._looked and self._fresh_notices + len(parsed.notices) <= _MOST_FRESH:
            self._fresh[number] = parsed
            self._fresh_notices += len(parsed.notices)
        if asides:
            self._count_unread(intake.name, asides[0].reason, len(asides))
        for remark in parsed.remarks:
            self.left_out[intake.name] += 1
            log.warning(remark, extra={"source": intake.name})
        return number

    async def refuse(self, source: str, reason: str, body: bytes | None, size: int = 0) -> int:
        """Stores a request that could not be read, without its body if that is too large. Raises StoreError."""
        number = await self.store.set_aside(Aside(source, reason, body, size), self._clock.now())
        self._count_unread(source, reason, 1)
        return number

    def _count_unread(self, source: str, reason: str, count: int) -> None:
        self.unread[source] += count
        log.warning("put into quarantine", extra={"source": source, "reason": reason, "count": count})

    # For the engine ------------------------------------------------------------

    async def load(self) -> Snapshot:
        """What the book remembered at the last commit."""
        snapshot = await self.store.load()
        self._held = {one.id: one.received_at for one in snapshot.episodes if one.phase == "held"}
        return snapshot

    async def pending(self, after: int, limit: int) -> Sequence[Delivery]:
        """Deliveries that are not done, in order; none only when there is none."""
        while rows := await self.store.inbox(after, limit):
            found = [await self._delivery(row) for row in rows]
            after = rows[-1].id
            self._looked = max(self._looked, after)
            if deliveries := [delivery for delivery in found if delivery is not None]:
                return deliveries
        return ()

    async def _delivery(self, row: InboxRow) -> Delivery | None:
        fresh = self._fresh.get(row.id)
        parsed = fresh or read(row)
        if isinstance(parsed, Parsed):
            # The doors have put these aside already, but not for what came back out of quarantine.
            if parsed.unread and fresh is None:
                asides = [Aside(row.source, unread.reason, unread.body) for unread in parsed.unread]
                await self.store.set_aside_all(asides, row.received_at)
            told = parsed if self.ear is None else self.ear.apart(row.source, parsed)[0]
            return told.delivery(row.id, row.received_at)
        await self.quarantine(row.id, parsed.reason)
        self._count_unread(row.source, parsed.reason, 1)
        return None

    async def commit(self, changes: Changes, done: Sequence[int]) -> None:
        """Saves what changed, and that these deliveries are done."""
        await self.store.commit(changes, done)
        for number in done:
            if (parsed := self._fresh.pop(number, None)) is not None:
                self._fresh_notices -= len(parsed.notices)
        now = self._clock.now()
        for episode in changes.episodes:
            self._note_hold(episode, now)

    async def quarantine(self, delivery: int, reason: str) -> None:
        """Puts a delivery where it is kept and not taken again."""
        await self.store.set_aside_from_inbox(delivery, reason, self._clock.now())
        if (parsed := self._fresh.pop(delivery, None)) is not None:
            self._fresh_notices -= len(parsed.notices)

    async def beat(self, now: float) -> None:
        """Notes that the relay was alive at this moment."""
        await self.store.beat(now)

    async def remember(self, name: str, value: float) -> None:
        """Notes a number under a name."""
        await self.store.remember(name, value)

    async def recall(self, name: str) -> float | None:
        """The number that was noted under a name."""
        return await self.store.recall(name)

    def _note_hold(self, episode: Episode, now: float) -> None:
        """How long an alert was kept back, once that is over. Events are not kept back."""
        if episode.phase == "held":
            self._held.setdefault(episode.id, episode.received_at)
        elif (since := self._held.pop(episode.id, None)) is not None:
            self.holds.setdefault((("outcome", episode.phase),), Histogram(HOLD_BOUNDS)).add(now - since)


def read(row: InboxRow) -> Parsed | Refused:
    """What a stored request told. A bug of ours is a reason, too: it must not stop what comes after it."""
    intake = BY_NAME.get(row.source)
    if intake is None:
        return Refused("this relay does not know such senders", 422)
    return read_as(intake, row.body, row.received_at)


def read_as(intake: Intake, body: bytes, received_at: float) -> Parsed | Refused:
    """What a request told; one of which no piece can be read is refused as a whole. Never raises."""
    try:
        parsed = intake.parse(body, received_at)
        if isinstance(parsed, Parsed) and parsed.unread and not parsed.notices:
            return Refused(parsed.unread[0].reason, 422)
        return parsed
    except Exception as error:
        log.exception("a bug: a request could not be read", extra={"source": intake.name, "size": len(body)})
        return Refused(f"the relay stumbles over it ({type(error).__name__}): please report it", 422)
