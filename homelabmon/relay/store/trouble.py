"""What can be wrong with the disk, told apart by what can be done about it. May import: the standard library."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final, Literal

Reason = Literal["full", "read_only", "locked", "corrupt", "missing", "unreadable", "slow", "closed"]

_REASONS: Final[dict[int, Reason]] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
}
WORDS: Final[dict[Reason, str]] = {
    "full": "the disk is full",
    "read_only": "the disk, the folder or the file is read-only",
    "locked": "another process holds the database",
    "corrupt": "the database is damaged",
    "missing": "there is no such folder",
    "unreadable": "the disk does not read or write",
    "slow": "the disk takes too long",
    "closed": "the relay is stopping",
}
ADVICE: Final[dict[Reason, str]] = {
    "full": "make room on it",
    "read_only": "mount it writable, and let the user that the relay runs as own the folder",
    "locked": "end that process: a database serves one relay",
    "corrupt": "it is moved aside, and a new one is started",
    "missing": "create the folder, or mount the volume there",
    "unreadable": "look into the kernel's log of that machine",
    "slow": "look at what else uses that disk, and into the kernel's log of that machine",
    "closed": "wait",
}
"""What an owner can do. Meanwhile senders are told to come again, and the relay goes on by itself when it can."""


class StoreError(Exception):
    """Nothing was stored, and trying again later may help."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(WORDS[reason])
        self.reason: Reason = reason


def reason_of(error: BaseException) -> Reason:
    """Which trouble an error of SQLite or of the operating system stands for."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _REASONS.get(code & 0xFF, "unreadable")
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "full"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return "missing"
    return "read_only" if number in (errno.EROFS, errno.EACCES, errno.EPERM) else "unreadable"
