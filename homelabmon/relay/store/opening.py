"""Opens a database: brings it up to date, or, where it is damaged, moves it aside and starts a new one.

Nothing is ever deleted: a damaged file stays beside the new one, and what can still be read of the requests in it that
were not yet dealt with is taken over. May import: errors, and its neighbours.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homelabmon.errors import HomelabmonError
from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.store.trouble import StoreError, reason_of

log = logging.getLogger(__name__)

_BUSY: Final = 5.0
SALVAGED: Final[Mapping[str, str]] = {
    "meta": "WHERE key <> 'adopted'",
    "inbox": "",
    "quarantine": "",
    "dead_letters": "",
    "heartbeats": "",
    "heartbeat_pings": "",
    "texts": "",
    "probes": "",
    "probe_results": "",
    "spans": "",
    "gaps": "",
    "daily": "",
    "status_incidents": "",
    "status_updates": "",
    "dead_webhooks": "",
    "invalid_requests": "",
    "spool": "",
}
"""Tables whose rows stand for themselves, and which of them. That what fires has been taken over is not true of a new
database."""
LEFT: Final = frozenset({"episodes", "incidents", "posts", "accounts"})
"""Tables that make sense only together, and as a whole."""
_NEXT_ID: Final = """
INSERT INTO meta SELECT 'next_id', max(id) + 1.0 FROM dead_letters WHERE true GROUP BY 1 = 1
ON CONFLICT DO UPDATE SET value = max(value, excluded.value)
"""
"""The book numbers on, even where its own count cannot be read: no new dead letter replaces an old one."""


class NewerDatabaseError(HomelabmonError):
    """The database was written by a newer homelabmon."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(
            f"{path}: the database has version {found}, and this homelabmon knows versions up to {known}; "
            "run the newer one again, or name another file as `database`"
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database. ``damaged``: where the one went that was found damaged; ``salvaged``: rows taken from it;
    ``identity``: device and number of its file."""

    connection: sqlite3.Connection
    lock: int
    identity: tuple[int, int]
    damaged: str | None = None
    salvaged: int = 0


def open_database(path: str, now: float, *, distrust: bool = False, migrations: Sequence[str] = MIGRATIONS) -> Opened:
    """The database at a path, checked and up to date. ``distrust``: it was found damaged while in use.

    Raises NewerDatabaseError, and StoreError for what may pass.
    """
    lock = _lock(path)
    try:
        damaged = None
        if distrust or _is_damaged(path):
            damaged = move_aside(path, now)
        connection = _connect(path)
        try:
            _migrate(connection, path, migrations)
            salvaged = 0 if damaged is None else _salvage(connection, damaged)
        except BaseException:
            connection.close()
            raise
        status = Path(path).stat()
        return Opened(connection, lock, (status.st_dev, status.st_ino), damaged, salvaged)
    except (sqlite3.Error, OSError) as error:
        os.close(lock)
        raise StoreError(reason_of(error)) from error
    except BaseException:
        os.close(lock)
        raise


def _lock(path: str) -> int:
    """One relay a database: two would post everything twice. The lock ends with the process, however it ends."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(reason_of(error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreError("locked") from error
    return lock


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -2000",
            "journal_size_limit = 8388608",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damaged(path: str) -> bool:
    """Whether SQLite finds the file damaged; a file that is not there, or cannot be had now, is not."""
    if not Path(path).exists():
        return False
    try:
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
        try:
            return connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]
        finally:
            connection.close()
    except sqlite3.Error as error:
        if reason_of(error) == "corrupt":
            return True
        raise


def move_aside(path: str, now: float) -> str:
    """Renames the database and what belongs to it."""
    number = int(now)
    while Path(target := f"{path}.damaged-{number}").exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        if Path(f"{path}{suffix}").exists():
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    return target


def _migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[str]) -> None:
    """Takes the steps that the database lacks, each in a transaction of its own."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise NewerDatabaseError(path, version, len(migrations))
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script};\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _salvage(connection: sqlite3.Connection, damaged: str) -> int:
    """Copies what can still be read of some tables; how many rows that were."""
    count = 0
    old = sqlite3.connect(damaged, timeout=_BUSY, isolation_level=None)
    try:
        for table, which in SALVAGED.items():
            count += _salvage_table(connection, old, table, which)
        connection.execute(_NEXT_ID)
    finally:
        old.close()
    return count


def _salvage_table(connection: sqlite3.Connection, old: sqlite3.Connection, table: str, which: str) -> int:
    """The old database may be of an older version: what it has of the columns is taken."""
    count = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        columns = [name for name in _columns(connection, table) if name in _columns(old, table)]
        if columns:
            found = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join("?" * len(columns))
            for row in old.execute(f"SELECT {found} FROM {table} {which}"):  # noqa: S608  # names of ours
                connection.execute(f"INSERT OR IGNORE INTO {table} ({found}) VALUES ({marks})", row)  # noqa: S608
                count += 1
    except sqlite3.DatabaseError as error:
        log.warning("not all of a table could be read", extra={"table": table, "error": str(error)})
    connection.execute("COMMIT")
    return count


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
