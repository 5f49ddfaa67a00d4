"""What delivery must still know after a restart: which webhooks are dead, and which requests count towards a ban.

A relay that is started again and again would otherwise ask a dead webhook once each time, and a ban hits everything
behind the home's address. So a webhook that has not answered well since the start is expected to refuse: the request is
noted before it is sent, and the note is taken back when the answer is another. Webhooks are named by a digest here: no
address is in the database.

Used by the worker and the service, and by the command line on a connection of its own. May import: relay.clock,
relay.store.trouble, and its neighbours.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from homelabmon.relay.clock import Clock
from homelabmon.relay.store.trouble import StoreError

T = TypeVar("T")

KEPT: Final = 600.0
"""Seconds for which Discord counts an invalid request."""
TRY_AGAIN: Final = 5.0
"""Seconds between attempts to write something down."""


def digest_of(address: str) -> str:
    """Names a webhook without telling its address, which holds a token of more random bits than anybody can try."""
    return hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=16, person=b"webhook").hexdigest()


class Disk(Protocol):
    """Does work in one transaction, and returns once it is on disk. Raises StoreError."""

    def transact(self, work: Callable[[sqlite3.Connection], T]) -> Awaitable[T]:
        """Does the work."""
        ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """``dead``: why, by digest. ``invalid``: digest and age in seconds, the oldest first."""

    dead: Mapping[str, str] = field(default_factory=dict)
    invalid: Sequence[tuple[str, float]] = ()


class Memory:
    """One relay's. What has to be written down is tried until the disk takes it."""

    def __init__(self, disk: Disk, clock: Clock) -> None:
        self._disk, self._clock = disk, clock
        self._trusted: set[str] = set()

    async def recall(self) -> Remembered:
        """What was known when the relay ended. Raises StoreError."""
        now = self._clock.now()
        return await self._disk.transact(lambda connection: _recall(connection, now))

    async def dead(self) -> Mapping[str, str]:
        """The webhooks that are dead now: an operator may have revived some. Raises StoreError."""
        return await self._disk.transact(_dead)

    async def bury(self, address: str, reason: str) -> None:
        """The webhook is dead, until it is revived or the file holds another."""
        webhook, now = digest_of(address), self._clock.now()
        await self._insist(lambda connection: _bury(connection, webhook, reason, now))

    async def expect(self, address: str) -> int | None:
        """A request is about to be sent. Gives the number of a note that was made of it, if there was need."""
        webhook, now = digest_of(address), self._clock.now()
        if webhook in self._trusted:
            return None
        return await self._insist(lambda connection: _note(connection, webhook, now))

    async def answered(self, address: str, note: int | None, *, invalid: bool) -> None:
        """What came of it."""
        webhook, now = digest_of(address), self._clock.now()
        if not invalid:
            self._trusted.add(webhook)
            if note is not None:
                await self._insist(lambda connection: _take_back(connection, note))
            return
        self._trusted.discard(webhook)
        if note is None:
            await self._insist(lambda connection: _note(connection, webhook, now))

    async def _insist(self, work: Callable[[sqlite3.Connection], T]) -> T:
        while True:
            try:
                return await self._disk.transact(work)
            except StoreError as error:
                if error.reason == "closed":
                    raise
            await self._clock.sleep(TRY_AGAIN)


def revive(connection: sqlite3.Connection, address: str) -> bool:
    """The webhook works again; whether it was thought dead."""
    return connection.execute("DELETE FROM dead_webhooks WHERE webhook = ?", (digest_of(address),)).rowcount > 0


def _recall(connection: sqlite3.Connection, now: float) -> Remembered:
    rows = connection.execute("SELECT webhook, at FROM invalid_requests WHERE at > ? ORDER BY at", (now - KEPT,))
    return Remembered(_dead(connection), tuple((webhook, max(0.0, now - at)) for webhook, at in rows))


def _dead(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT webhook, reason FROM dead_webhooks ORDER BY webhook"))


def _bury(connection: sqlite3.Connection, webhook: str, reason: str, now: float) -> None:
    connection.execute("INSERT OR IGNORE INTO dead_webhooks VALUES (?, ?, ?)", (webhook, now, reason))


def _note(connection: sqlite3.Connection, webhook: str, now: float) -> int:
    connection.execute("DELETE FROM invalid_requests WHERE at <= ?", (now - KEPT,))
    statement = "INSERT INTO invalid_requests (webhook, at) VALUES (?, ?)"
    return connection.execute(statement, (webhook, now)).lastrowid or 0


def _take_back(connection: sqlite3.Connection, note: int) -> None:
    connection.execute("DELETE FROM invalid_requests WHERE id = ?", (note,))
