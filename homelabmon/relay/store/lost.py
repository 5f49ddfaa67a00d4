"""A database whose file was taken away while it is in use: what is open still has everything, and writes it anew.

SQLite itself goes on in the file that no name leads to, and all of it would be gone with the process. May import: its
neighbours.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from homelabmon.relay.store.opening import Opened, move_aside
from homelabmon.relay.store.trouble import StoreError, reason_of

log = logging.getLogger(__name__)


def is_lost(opened: Opened, path: str) -> bool:
    """Whether the path leads to no file any more, or to another one."""
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # what cannot be looked at now may still be there
    return (status.st_dev, status.st_ino) != opened.identity


def write_anew(opened: Opened, path: str, now: float) -> None:
    """Writes what is open to the path, and closes it. A file that lies there meanwhile is moved aside.

    Raises StoreError; then it is open as before.
    """
    fresh = Path(f"{path}.fresh")
    try:
        fresh.unlink(missing_ok=True)
        opened.connection.execute("VACUUM INTO ?", (str(fresh),))
        _sync(fresh)
        for leftover in (f"{path}-wal", f"{path}-shm"):
            Path(leftover).unlink(missing_ok=True)  # they are of the file that is gone, and would spoil another
        other = move_aside(path, now) if Path(path).exists() else None
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        reason = reason_of(error)
        raise StoreError("missing" if reason in ("corrupt", "unreadable") else reason) from error
    opened.connection.close()
    try:
        fresh.replace(path)
        _sync(fresh.parent)
    finally:
        os.close(opened.lock)
    log.critical("the database's file was taken away: it has been written anew", extra={"path": path, "found": other})


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
