"""Pings that wait for the outpost, as the disk has them, statement by statement.

Used by its neighbours in the store's thread. May import: the standard library.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 10_000
"""Pings that wait at most. Further ones are turned away: what was taken is not thrown away for them."""
MOST_BYTES: Final = 64 * 2**20
"""Bytes of their bodies, at most."""
MOST_OF_ONE: Final = 500
"""Pings of one address that wait at most; then its oldest ones go, as newer ones say what holds now."""
LONGEST: Final = 7 * 86_400.0
"""Seconds that a ping waits at most."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One ping. The address is a secret, and left out of ``repr``."""

    received_at: float
    at: float
    """When it was meant, by our clock."""
    address: str = field(repr=False)
    """What follows ``/ping/``: a UUID, or a key and a name."""
    what: str = ""
    """What follows that: nothing for a success, else start, fail, log, or an exit code."""
    rid: str | None = None
    create: bool = False
    client: str = ""
    body: bytes = field(default=b"", repr=False)
    id: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, and since when the oldest of it; None when nothing does."""

    count: int
    size: int
    since: float | None


def put(connection: sqlite3.Connection, letter: Letter) -> int | None:
    """Stores it; gives how many older ones of its address went for it, or None where there is no room."""
    found = waiting(connection)
    if found.count >= MOST or found.size + len(letter.body) > MOST_BYTES:
        return None
    connection.execute(
        'INSERT INTO spool (received_at, at, address, what, rid, "create", client, size, body)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(letter.received_at, letter.at, letter.address, letter.what),
            *(letter.rid, int(letter.create), letter.client, len(letter.body), letter.body),
        ),
    )
    return connection.execute(
        "DELETE FROM spool WHERE address = ? AND id <="
        " (SELECT id FROM spool WHERE address = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (letter.address, letter.address, MOST_OF_ONE),
    ).rowcount


def after(connection: sqlite3.Connection, number: int, limit: int) -> list[Letter]:
    """Those that came after one, in order."""
    rows = connection.execute(
        'SELECT received_at, at, address, what, rid, "create", client, body, id FROM spool'
        " WHERE id > ? ORDER BY id LIMIT ?",
        (number, limit),
    )
    return [
        Letter(received_at, at, address, what, rid, bool(create), client, body, id_)
        for received_at, at, address, what, rid, create, client, body, id_ in rows
    ]


def remove(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """They need not wait any more."""
    connection.executemany("DELETE FROM spool WHERE id = ?", [(number,) for number in numbers])


def expire(connection: sqlite3.Connection, now: float) -> int:
    """Removes what has waited for too long; gives how many those were."""
    return connection.execute("DELETE FROM spool WHERE received_at < ?", (now - LONGEST,)).rowcount


def waiting(connection: sqlite3.Connection) -> Waiting:
    """What waits."""
    count, size, since = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0), min(received_at) FROM spool"
    ).fetchone()
    return Waiting(int(count), int(size), since)
