"""A database in memory, with all tables, for tests that need one and no disk."""

from __future__ import annotations

import sqlite3
import weakref
from typing import TypeVar

from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.store.writer import Work

T = TypeVar("T")


class MemoryDisk:
    """A database in memory. ``broken``: nothing can be stored."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self.connection.close)
        for script in MIGRATIONS:
            self.connection.executescript(script)
        self.broken = False

    async def transact(self, work: Work[T]) -> T:
        """Does the work in one transaction."""
        if self.broken:
            raise StoreError("full")
        self.connection.execute("BEGIN")
        try:
            result = work(self.connection)
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        return result
