"""The store: every method is one transaction, and returns when it is on disk.

Used by the inbox, the service and the command line. Raises StoreError when the disk fails; what it says is stored is
stored. May import: the incidents' model, spec.relay_file, and its neighbours.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
import zlib
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from homelabmon.relay.incidents.model import Changes, DeadLetter, Episode, Incident, Snapshot
from homelabmon.relay.store import queries
from homelabmon.relay.store.lost import is_lost, write_anew
from homelabmon.relay.store.opening import Opened, open_database
from homelabmon.relay.store.outage import Outage
from homelabmon.relay.store.queries import Aside, Counts, InboxRow, Limits, QuarantineRow
from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.store.trouble import Reason, StoreError
from homelabmon.relay.store.writer import AGAIN, Work, Writer

T = TypeVar("T")

_PACK_FROM: Final = 4_096
_IN_A_THREAD_FROM: Final = 262_144
"""Bytes from which on a body is packed, and from which on that is left to another thread."""
_PATIENCE: Final = 20.0
"""Seconds after which a disk that does not answer counts as one that fails."""


class Store:
    """One database. It is opened when first needed, and again whenever that may help."""

    def __init__(
        self, path: str, now: float, limits: Limits | None = None, *, migrations: Sequence[str] = MIGRATIONS
    ) -> None:
        """``now``: for the name of a file that is moved aside."""
        self.path = path
        self.limits = limits or Limits()
        self.damaged: list[str] = []
        """Where damaged databases went that were replaced since the start."""
        self._now, self._migrations = now, migrations
        self._restored_at = -AGAIN
        self._writer = Writer(self._open, queries.checkpoint, Outage(path), self._restore)

    @property
    def trouble(self) -> Reason | None:
        """Why nothing can be stored; None when it can, as far as is known."""
        return self._writer.trouble

    def _open(self, distrust: bool) -> Opened:
        opened = open_database(self.path, self._now, distrust=distrust, migrations=self._migrations)
        if opened.damaged is not None:
            self.damaged.append(opened.damaged)
        return opened

    def _restore(self, opened: Opened) -> bool:
        if not is_lost(opened, self.path):
            return False
        if time.monotonic() - self._restored_at < AGAIN:
            raise StoreError(self.trouble or "missing")
        self._restored_at = time.monotonic()
        write_anew(opened, self.path, self._now)
        return True

    async def open(self) -> None:
        """Opens it now. Raises NewerDatabaseError, and StoreError for what may pass."""
        await self._do(lambda connection: connection.execute("SELECT 1").fetchone())

    async def close(self) -> None:
        """Does what is waiting, and closes it."""
        await self._writer.close()

    async def transact(self, work: Work[T]) -> T:
        """Does the work, which runs in the writer's thread, in one transaction; gives what it gave once it is on disk.

        Raises StoreError, and what the work raises: then nothing of it is stored.
        """
        return await self._do(work)

    async def _do(self, work: Work[T]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._writer.do(work)
        except TimeoutError:
            self._writer.note("slow")
            raise StoreError("slow") from None

    # What comes in ------------------------------------------------------------

    async def put(self, source: str, body: bytes, received_at: float, asides: Sequence[Aside] = ()) -> int:
        """Stores a request, and what of it goes to quarantine; the id of its row."""
        packed = await _pack(body)
        rows = [await _aside_row(aside, received_at) for aside in asides]

        def work(connection: sqlite3.Connection) -> int:
            queries.set_aside_all(connection, rows, self.limits)
            return queries.put(connection, received_at, source, *packed)

        return await self._do(work)

    async def set_aside(self, aside: Aside, now: float) -> int:
        """Stores something in quarantine; the id of its row."""
        row = await _aside_row(aside, now)
        return await self._do(lambda connection: queries.set_aside(connection, row, self.limits))

    async def set_aside_all(self, asides: Sequence[Aside], now: float) -> None:
        """Stores pieces of one request in quarantine."""
        rows = [await _aside_row(aside, now) for aside in asides]
        await self._do(lambda connection: queries.set_aside_all(connection, rows, self.limits))

    async def inbox(self, after: int, limit: int) -> list[InboxRow]:
        """Requests that are not dealt with, with larger ids than ``after``, in order: at most so many, and 8 MiB."""
        return await self._do(lambda connection: queries.inbox(connection, after, limit, self.limits))

    async def set_aside_from_inbox(self, number: int, reason: str, now: float) -> None:
        """Moves a request from the inbox to quarantine."""
        await self._do(lambda connection: queries.move_aside(connection, number, reason, now, self.limits))

    # What is remembered ------------------------------------------------------------

    async def load(self) -> Snapshot:
        """What the book needs to go on: all that is not over, and what a message still shows."""
        return await self._do(queries.load)

    async def commit(self, changes: Changes, done: Sequence[int] = ()) -> None:
        """Stores what changed, and that requests of the inbox are dealt with: all of it or nothing.

        What changed must not change again before this returns: others have their turn meanwhile.
        """
        writes = []
        for write in queries.writes(changes):
            writes.append(write)
            if len(write[1]) == queries.ROWS:
                await asyncio.sleep(0)
        finished = [(number,) for number in done]

        def work(connection: sqlite3.Connection) -> None:
            for statement, rows in writes:
                connection.executemany(statement, rows)
            connection.executemany("DELETE FROM inbox WHERE id = ?", finished)

        await self._do(work)

    async def beat(self, now: float) -> None:
        """Notes that the relay was alive, which proves that the disk can be written."""
        await self.remember("beat", now)

    async def last_beat(self) -> float | None:
        """When the relay was last known to be alive; None when it never was."""
        return await self.recall("beat")

    async def remember(self, name: str, value: float) -> None:
        """Notes a number under a name."""
        await self._do(lambda connection: queries.remember(connection, name, value))

    async def recall(self, name: str) -> float | None:
        """The number that was noted under a name; None when there is none."""
        return await self._do(lambda connection: queries.recall(connection, name))

    # Looking ------------------------------------------------------------

    async def counts(self) -> Counts:
        """Everything that is counted, at one moment."""
        return await self._do(queries.counts)

    async def recent(self, limit: int) -> list[tuple[Incident, list[Episode]]]:
        """Incidents that are closed, the latest first, with their episodes."""
        return await self._do(lambda connection: queries.recent(connection, limit))

    async def closed(self, numbers: Sequence[int]) -> list[tuple[Incident, list[Episode]]]:
        """The closed ones among these incidents, with their episodes."""
        return await self._do(lambda connection: queries.closed(connection, numbers))

    async def quarantine(self, limit: int = 1000) -> list[QuarantineRow]:
        """What is in quarantine, the latest first."""
        return await self._do(lambda connection: queries.quarantined(connection, limit))

    async def dead_letters(self, limit: int = 1000) -> list[DeadLetter]:
        """Messages that were refused for good, the latest first."""
        return await self._do(lambda connection: queries.dead_letters(connection, limit))

    # Doing something about it ------------------------------------------------------------

    async def replay(self, number: int, now: float) -> bool:
        """Moves a request from quarantine back into the inbox; False when it is not there, or its body is not."""
        return await self._do(lambda connection: queries.replay(connection, number, now))

    async def drop(self, number: int) -> bool:
        """Removes a request from quarantine for good; False when it is not there."""
        return await self._do(lambda connection: queries.drop(connection, number))

    async def want(self, number: int, now: float) -> bool:
        """Asks for a dead letter to be told again; False when it is not there."""
        return await self._do(lambda connection: queries.want(connection, number, now))

    async def wanted(self) -> list[DeadLetter]:
        """Dead letters that somebody wants to be told again."""
        return await self._do(queries.wanted)

    async def replayed(self, number: int, at: float | None) -> None:
        """Notes when a dead letter has been told again; or, with None, that it cannot be."""
        await self._do(lambda connection: queries.replayed(connection, number, at))

    async def clean(self, now: float) -> None:
        """Removes what need not be kept any longer, and gives its room back to the file system, some at a time."""
        await self._do(lambda connection: queries.clean(connection, now, self.limits))


# Bodies ------------------------------------------------------------------------------------------------------------


async def _pack(body: bytes) -> tuple[int, bytes]:
    """Whether it is compressed, and the body as it is stored."""
    if len(body) < _PACK_FROM:
        return 0, body
    if len(body) < _IN_A_THREAD_FROM:
        return 1, zlib.compress(body, 1)
    return 1, await asyncio.to_thread(zlib.compress, body, 1)


async def _aside_row(aside: Aside, now: float) -> dict[str, Any]:
    packed, body = (0, None) if aside.body is None else await _pack(aside.body)
    size = aside.size if aside.body is None else len(aside.body)
    return queries.aside_row(aside.source, aside.reason, now, packed, body, size)
