"""Incidents of the status page on the disk, statement by statement, in whatever transaction the caller is in.

Used by the part of the service, and by the command line, while the service runs or not.
May import: its neighbour model.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.relay.status.model import Impact, Incident, Step, Update

AUTOMATIC: Final = "auto"
MANUAL: Final = "manual"
KEPT: Final = 366 * 86_400.0
"""Seconds that an incident is kept after it was resolved."""
_REVISION: Final = "status_revision"
"""The note in the database that counts changes."""
MOST: Final = 200
"""Incidents that are read at once, the newest; no page shows more."""
MOST_UPDATES: Final = 100
"""Updates that are kept of one incident: the first, and the latest."""
LONGEST_TITLE: Final = 200
LONGEST_BODY: Final = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different about an incident; None leaves it as it is."""

    title: str | None = None
    impact: Impact | None = None
    components: Sequence[str] | None = None
    origin: str | None = None


def plain_text(text: str, longest: int) -> str:
    """As it is kept: without control characters, without blank ends. Raises ValueError when nothing is left, or too
    much is."""
    lines = ("".join(char if char.isprintable() else " " for char in line).rstrip() for line in text.splitlines())
    kept = "\n".join(lines).strip()
    if not kept:
        raise ValueError("the text is empty: say what readers should know")
    if len(kept) > longest:
        raise ValueError(f"the text has {len(kept):,} characters: write at most {longest:,}")
    return kept


def add(
    connection: sqlite3.Connection,
    title: str,
    impact: Impact,
    components: Sequence[str],
    origin: str,
    at: float,
    status: Step,
    body: str,
    *,
    said_at: float | None = None,
) -> int:
    """Opens an incident with its first update; its number. ``at``: when it began; ``said_at``: now, if that differs."""
    row = connection.execute(
        "INSERT INTO status_incidents (title, impact, status, components, origin, started_at, resolved_at)"
        " VALUES (?, ?, ?, ?, ?, ?, NULL) RETURNING id",
        (title, impact, status, json.dumps(list(components)), origin, at),
    ).fetchone()
    number = int(row[0])
    say(connection, number, at if said_at is None else said_at, status, body)
    return number


def say(connection: sqlite3.Connection, number: int, at: float, status: Step, body: str) -> bool:
    """Adds an update, which may end the incident or bring it back; False when there is no such incident."""
    ended = at if status == "resolved" else None
    changed = connection.execute(
        "UPDATE status_incidents SET status = ?, resolved_at = ? WHERE id = ?", (status, ended, number)
    ).rowcount
    if not changed:
        return False
    connection.execute(
        "INSERT INTO status_updates (incident, at, status, body) VALUES (?, ?, ?, ?)", (number, at, status, body)
    )
    connection.execute(
        "DELETE FROM status_updates WHERE incident = ? AND id NOT IN ("
        " SELECT id FROM (SELECT id FROM status_updates WHERE incident = ? ORDER BY id DESC LIMIT ?)"
        " UNION SELECT min(id) FROM status_updates WHERE incident = ?)",
        (number, number, MOST_UPDATES, number),
    )
    _touched(connection)
    return True


def change(connection: sqlite3.Connection, number: int, wanted: Change) -> bool:
    """Changes what is said about an incident as a whole; False when there is none."""
    new = {
        "title": wanted.title,
        "impact": wanted.impact,
        "components": None if wanted.components is None else json.dumps(list(wanted.components)),
        "origin": wanted.origin,
    }
    known = connection.execute("SELECT 1 FROM status_incidents WHERE id = ?", (number,)).fetchone() is not None
    for column, value in new.items():
        if value is not None:
            connection.execute(f"UPDATE status_incidents SET {column} = ? WHERE id = ?", (value, number))  # noqa: S608
    _touched(connection)
    return known


def reword(connection: sqlite3.Connection, update: int, body: str) -> int | None:
    """Changes what an update says; the number of its incident, None when there is no such update."""
    row = connection.execute("UPDATE status_updates SET body = ? WHERE id = ? RETURNING incident", (body, update))
    found = row.fetchone()
    _touched(connection)
    return None if found is None else int(found[0])


def delete(connection: sqlite3.Connection, number: int) -> bool:
    """Removes an incident with everything that was said; False when there is none."""
    connection.execute("DELETE FROM status_updates WHERE incident = ?", (number,))
    _touched(connection)
    return bool(connection.execute("DELETE FROM status_incidents WHERE id = ?", (number,)).rowcount)


def prune(connection: sqlite3.Connection, now: float) -> None:
    """Removes what was resolved a year ago."""
    old = [
        int(number)
        for (number,) in connection.execute("SELECT id FROM status_incidents WHERE resolved_at < ?", (now - KEPT,))
    ]
    for number in old:
        delete(connection, number)


def find(connection: sqlite3.Connection, number: int) -> Incident | None:
    """One incident; None when there is none."""
    found = _read(connection, "id = ?", (number,))
    return found[0] if found else None


def since(connection: sqlite3.Connection, began: float) -> list[Incident]:
    """Those that are open, and those that were resolved after a moment; the newest first."""
    return _read(connection, "resolved_at IS NULL OR resolved_at >= ?", (began,))


def open_ones(connection: sqlite3.Connection) -> list[Incident]:
    """Those that are not resolved, the newest first."""
    return _read(connection, "resolved_at IS NULL", ())


def revision(connection: sqlite3.Connection) -> float:
    """Differs as soon as any incident does."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_REVISION,)).fetchone()
    return 0.0 if row is None else float(row[0])


def _touched(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1", (_REVISION,)
    )


def _read(connection: sqlite3.Connection, which: str, arguments: Iterable[Any]) -> list[Incident]:
    columns = "id, title, impact, status, components, origin, started_at, resolved_at"
    order = "ORDER BY started_at DESC, id DESC"
    select = f"SELECT {columns} FROM status_incidents WHERE {which} {order} LIMIT {MOST}"  # noqa: S608  # texts of ours
    rows = connection.execute(select, tuple(arguments)).fetchall()
    return [_incident(connection, row) for row in rows]


def _incident(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Incident:
    number, title, impact, status, components, origin, started_at, resolved_at = row
    updates = connection.execute(
        "SELECT id, at, status, body FROM status_updates WHERE incident = ? ORDER BY id DESC", (number,)
    )
    return Incident(
        id=number,
        title=title,
        impact=impact,
        status=status,
        components=tuple(json.loads(components)),
        automatic=origin == AUTOMATIC,
        started_at=started_at,
        resolved_at=resolved_at,
        updates=tuple(Update(*update) for update in updates),
    )
