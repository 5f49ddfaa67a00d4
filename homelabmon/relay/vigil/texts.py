"""Small notes by name on the disk, each with a time, in whatever transaction the caller is in.

May import: the standard library.
"""

from __future__ import annotations

import sqlite3


def read(connection: sqlite3.Connection, key: str) -> tuple[float, str] | None:
    """The time and the text of a note; None when there is none."""
    row = connection.execute("SELECT at, value FROM texts WHERE key = ?", (key,)).fetchone()
    return None if row is None else (float(row[0]), str(row[1]))


def write(connection: sqlite3.Connection, key: str, at: float, value: str) -> None:
    """Notes it, in place of what was there by that name."""
    connection.execute("INSERT OR REPLACE INTO texts (key, at, value) VALUES (?, ?, ?)", (key, at, value))


def forget(connection: sqlite3.Connection, key: str) -> None:
    """Removes a note."""
    connection.execute("DELETE FROM texts WHERE key = ?", (key,))
