"""Looks after what the relay keeps, from another process than the relay's, while that runs or not.

SQLite keeps the two apart. What has to be done by the relay itself is written down for it: it looks every few seconds.
Used by the command line. May import: errors, and the store.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from homelabmon.errors import HomelabmonError
from homelabmon.relay.incidents.model import DeadLetter
from homelabmon.relay.store import queries
from homelabmon.relay.store.queries import QuarantineRow
from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.store.trouble import WORDS, reason_of
from homelabmon.relay.store.writer import Work

T = TypeVar("T")

_PATIENCE: Final = 10.0
_MOST: Final = 10_000


class Upkeep:
    """The database of a relay. A context manager. Every method raises HomelabmonError when the disk fails."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> Self:
        if not Path(self._path).exists():
            raise HomelabmonError(f"{self._path}: no such database: run this where the relay runs")
        self._connection = self._try(
            lambda: sqlite3.connect(
                f"{Path(self._path).resolve().as_uri()}?mode=rw", timeout=_PATIENCE, isolation_level=None, uri=True
            )
        )
        try:
            self._expect_our_version()
        except HomelabmonError:
            self._connection.close()
            raise
        return self

    def _expect_our_version(self) -> None:
        (version,) = self._try(lambda: self._connection.execute("PRAGMA user_version").fetchone())
        if version != len(MIGRATIONS):
            raise HomelabmonError(
                f"{self._path}: the database has version {version}, this homelabmon works on {len(MIGRATIONS)}: "
                "use the one that runs the relay"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def quarantine(self) -> list[QuarantineRow]:
        """What is in quarantine, the latest first."""
        return self._try(lambda: queries.quarantined(self._connection, _MOST))

    def body(self, number: int) -> bytes | None:
        """A request in quarantine as it was sent; None when it is not there, or was too large to be kept."""
        return self._try(lambda: queries.quarantined_body(self._connection, number))

    def replay(self, number: int) -> bool:
        """Moves a request back into the inbox; False when it is not there, or was too large to be kept."""
        return self._write(lambda: queries.replay(self._connection, number, time.time()))

    def drop(self, number: int) -> bool:
        """Removes a request for good; False when it is not there."""
        return self._write(lambda: queries.drop(self._connection, number))

    def dead_letters(self) -> list[DeadLetter]:
        """Messages that were refused for good, the latest first."""
        return self._try(lambda: queries.dead_letters(self._connection, _MOST))

    def want(self, number: int) -> bool:
        """Asks the relay to tell a dead letter again; False when it is not there."""
        return self._write(lambda: queries.want(self._connection, number, time.time()))

    def transact(self, work: Work[T]) -> T:
        """Does the work in one transaction."""
        return self._write(lambda: work(self._connection))

    def _write(self, work: Callable[[], T]) -> T:
        def transaction() -> T:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result

        return self._try(transaction)

    def _try(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            raise HomelabmonError(f"{self._path}: {WORDS[reason_of(error)]}") from error
