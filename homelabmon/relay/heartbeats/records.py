"""Heartbeats as the disk has them, statement by statement, in whatever transaction the caller is in.

Used by the keeper in the store's thread, and by the command line. May import: its neighbour state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Final

from homelabmon.relay.heartbeats.state import Kind, State, Status

KEPT: Final = 20
"""Pings that are kept of each heartbeat, the latest."""


@dataclass(frozen=True, slots=True)
class Record:
    """One heartbeat. ``deadline`` and ``expected`` follow from its state and its rules, ``said`` is how its last run
    ended, in its own words; ``made``: no configuration knows it, a ping made it."""

    name: str
    state: State
    deadline: float | None
    expected: float | None = None
    said: str = ""
    made: bool = False
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One ping as it came."""

    kind: Kind
    at: float
    received_at: float
    rid: str | None = None
    exit_code: int | None = None
    method: str = "GET"
    client: str = ""
    """What it calls itself (User-Agent)."""
    address: str = ""
    body: bytes = field(default=b"", repr=False)


_STATE: Final = tuple(one.name for one in fields(State))
_COLUMNS: Final = ("name", *_STATE, "deadline", "expected", "said", "made", "rules")
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM heartbeats"  # noqa: S608  # names of ours
_MARKS: Final = ", ".join("?" * len(_COLUMNS))
_SAVE: Final = f"INSERT OR REPLACE INTO heartbeats ({', '.join(_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608


def find(connection: sqlite3.Connection, name: str) -> Record | None:
    """One heartbeat; None when it is not known."""
    row = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _record(row)


def everything(connection: sqlite3.Connection) -> list[Record]:
    """All of them, by name."""
    return [_record(row) for row in connection.execute(f"{_SELECT} ORDER BY name")]


_WORST: Final = f"""{_SELECT} ORDER BY CASE
    WHEN status = 'down' THEN 0 WHEN status = 'up' AND expected <= ? THEN 1 WHEN status = 'new' THEN 2
    WHEN status = 'up' THEN 3 ELSE 4 END, name LIMIT ?"""


def worst(connection: sqlite3.Connection, now: float, most: int) -> list[Record]:
    """So many of them: those that are down, late, new, up, paused."""
    return [_record(row) for row in connection.execute(_WORST, (now, most))]


def count(connection: sqlite3.Connection) -> int:
    """How many there are."""
    (found,) = connection.execute("SELECT count(*) FROM heartbeats").fetchone()
    return int(found)


def in_short(connection: sqlite3.Connection) -> list[tuple[str, Status, float | None]]:
    """Name, status and last success of all of them, by name."""
    return connection.execute("SELECT name, status, last_success FROM heartbeats ORDER BY name").fetchall()


def waiting(connection: sqlite3.Connection) -> list[Record]:
    """Those with a deadline."""
    return [_record(row) for row in connection.execute(f"{_SELECT} WHERE deadline IS NOT NULL ORDER BY name")]


def due(connection: sqlite3.Connection, now: float) -> list[Record]:
    """Those whose deadline is over, the earliest first."""
    return [_record(row) for row in connection.execute(f"{_SELECT} WHERE deadline <= ? ORDER BY deadline", (now,))]


def next_deadline(connection: sqlite3.Connection) -> float | None:
    """The earliest deadline of all."""
    (found,) = connection.execute("SELECT min(deadline) FROM heartbeats WHERE deadline IS NOT NULL").fetchone()
    return None if found is None else float(found)


def any_(connection: sqlite3.Connection) -> bool:
    """Whether there is any."""
    return connection.execute("SELECT 1 FROM heartbeats LIMIT 1").fetchone() is not None


def how_many_made(connection: sqlite3.Connection) -> int:
    """How many were made by pings."""
    (count,) = connection.execute("SELECT count(*) FROM heartbeats WHERE made").fetchone()
    return int(count)


def save(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    """Stores them, in place of what was known by their names."""
    connection.executemany(_SAVE, [_row(record) for record in records])


def forget(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Removes heartbeats with all that was heard of them."""
    for name in names:
        connection.execute("DELETE FROM heartbeats WHERE name = ?", (name,))
        connection.execute("DELETE FROM heartbeat_pings WHERE heartbeat = ?", (name,))


def add_ping(connection: sqlite3.Connection, name: str, heard: Heard) -> None:
    """Stores a ping, in place of the oldest one where there are enough."""
    connection.execute(
        "INSERT INTO heartbeat_pings"
        " (heartbeat, at, received_at, kind, rid, exit_code, method, client, address, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(name, heard.at, heard.received_at, heard.kind, heard.rid, heard.exit_code),
            *(heard.method, heard.client, heard.address, heard.body),
        ),
    )
    connection.execute(
        "DELETE FROM heartbeat_pings WHERE heartbeat = ? AND id <="
        " (SELECT id FROM heartbeat_pings WHERE heartbeat = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (name, name, KEPT),
    )


def pings(connection: sqlite3.Connection, name: str) -> list[Heard]:
    """What was heard of one lately, the latest first."""
    rows = connection.execute(
        "SELECT kind, at, received_at, rid, exit_code, method, client, address, body FROM heartbeat_pings"
        " WHERE heartbeat = ? ORDER BY id DESC",
        (name,),
    )
    return [Heard(*row) for row in rows]


def _record(row: tuple[Any, ...]) -> Record:
    name, *state, deadline, expected, said, made, rules = row
    return Record(name, State(*state), deadline, expected, said, bool(made), rules)


def _row(record: Record) -> tuple[Any, ...]:
    state = (getattr(record.state, name) for name in _STATE)
    return (record.name, *state, record.deadline, record.expected, record.said, int(record.made), record.rules)
