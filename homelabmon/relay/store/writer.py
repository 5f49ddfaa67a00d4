"""The one thread that touches the database, and how many requests share one wait for the disk (group commit).

While one transaction waits for the disk, the work of others gathers, and is done in the next one. Used by the store
only. May import: its neighbours, the standard library.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from homelabmon.relay.store.opening import Opened
from homelabmon.relay.store.outage import Outage
from homelabmon.relay.store.trouble import Reason, StoreError, reason_of

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MOST: Final = 256
"""Pieces of work in one transaction."""
AGAIN: Final = 1.0
"""Seconds between attempts to open a database that cannot be opened."""


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """In the loop's thread: whoever waits learns what came of it."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Does work on the database, in order. ``trouble`` is None as long as the last attempt to write succeeded."""

    def __init__(
        self,
        open_: Callable[[bool], Opened],
        close: Callable[[sqlite3.Connection], None],
        outage: Outage,
        restore: Callable[[Opened], bool],
    ) -> None:
        """``open_`` gets whether the database was found damaged while in use. ``outage`` tells the log. ``restore``
        looks whether the file is still there, and closes the database where it had to be written anew."""
        self._open, self._close, self._outage, self._restore = open_, close, outage, restore
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._opened: Opened | None = None
        self._distrust = False
        self._tried_at = -AGAIN
        self._closed = False
        self.trouble: Reason | None = None
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        """Does the work in a transaction, and returns its result once that is on disk.

        Raises StoreError when the disk fails, and whatever the work itself raises; then nothing of it is stored.
        """
        if self._closed:
            raise StoreError("closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop)
        self._jobs.put(job)
        try:
            result: T = await job.future
        except asyncio.CancelledError:
            job.work = _nothing  # nobody waits for it any more: what it holds is let go, even if its turn never comes
            raise
        return result

    def note(self, reason: Reason) -> None:
        """Somebody found out that nothing can be stored."""
        self._note(reason)

    async def close(self) -> None:
        """Does what is waiting, and closes the database."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    # In the thread ------------------------------------------------------------

    def _run(self) -> None:
        open_ = True
        while open_:
            jobs = [self._jobs.get()]
            while len(jobs) < MOST and jobs[-1] is not None and not self._jobs.empty():
                jobs.append(self._jobs.get())
            open_ = jobs[-1] is not None
            found = [job for job in jobs if job is not None]
            self._batch(found)
            _settle(found)
        if self._opened is not None:
            self._give_up(self._opened, gently=True)

    def _batch(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        try:
            connection = self._connection()
            changed = self._transaction(connection, jobs)
        except (sqlite3.Error, StoreError) as error:
            self._failed(jobs, error)
        except BaseException as error:
            for job in jobs:
                job.error = error
        else:
            if changed:
                self._note(None)

    def _connection(self) -> sqlite3.Connection:
        if self._opened is not None and self._restore(self._opened):
            self._opened, self._tried_at = None, -AGAIN
        if self._opened is None:
            if time.monotonic() - self._tried_at < AGAIN:
                raise StoreError(self.trouble or "unreadable")
            self._tried_at = time.monotonic()
            self._opened = self._open(self._distrust)
            self._distrust = False
        return self._opened.connection

    def _transaction(self, connection: sqlite3.Connection, jobs: list[_Job]) -> bool:
        """Does all the work in one transaction; whether anything was written."""
        before = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                connection.execute("SAVEPOINT job")
                try:
                    job.result = job.work(connection)
                except sqlite3.OperationalError:
                    raise
                except Exception as error:
                    if isinstance(error, sqlite3.DatabaseError) and reason_of(error) == "corrupt":
                        raise
                    job.error = error
                    connection.execute("ROLLBACK TO job")
                connection.execute("RELEASE job")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return connection.total_changes != before

    def _failed(self, jobs: list[_Job], error: Exception) -> None:
        trouble = error if isinstance(error, StoreError) else StoreError(reason_of(error))
        for job in jobs:
            job.error = StoreError(trouble.reason)
        self._note(trouble.reason)
        if trouble.reason in ("corrupt", "unreadable") and self._opened is not None:
            self._distrust = trouble.reason == "corrupt"
            self._give_up(self._opened, gently=False)
            self._tried_at = -AGAIN if self._distrust else self._tried_at

    def _give_up(self, opened: Opened, *, gently: bool) -> None:
        self._opened = None
        try:
            if gently:
                self._close(opened.connection)
            opened.connection.close()
        except sqlite3.Error:
            log.warning("the database could not be closed properly; nothing is lost by that")
        finally:
            os.close(opened.lock)

    def _note(self, reason: Reason | None) -> None:
        self.trouble = reason
        if reason is None:
            self._outage.over()
        else:
            self._outage.failed(reason)


def _nothing(_: sqlite3.Connection) -> None:
    pass


def _settle(jobs: list[_Job]) -> None:
    """Tells everybody at once, in their own thread."""
    for loop in {job.loop for job in jobs}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, [job for job in jobs if job.loop is loop])


def _tell(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()
