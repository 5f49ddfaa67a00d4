"""What is asked of the database and told to it, statement by statement, in whatever transaction the caller is in.

Used by the store in its writer's thread, and by the command line on a connection of its own. May import: the incidents'
model, and its neighbours.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from homelabmon.relay.incidents.model import Account, Changes, DeadLetter, Episode, Incident, Snapshot
from homelabmon.relay.store.mapping import DEAD_LETTERS, EPISODES, INCIDENTS, POSTS, Mapped

ROWS: Final = 100
"""Rows that are made at once, which takes a few milliseconds."""
_FREED_AT_ONCE: Final = 2_000
"""Pages that one cleaning gives back to the file system: 8 MiB."""
_BATCH_BYTES: Final = 8 * 2**20
"""How much of the inbox is read at once, at most, but for a single request that is larger."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept, and for how long (seconds, rows, bytes)."""

    incidents: float = 30 * 86_400.0
    dead_letters: float = 90 * 86_400.0
    quarantine: int = 1000
    quarantine_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One request, as it came in."""

    id: int
    received_at: float
    source: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Aside:
    """What is to go to quarantine. ``body`` None: it was too large to be kept; ``size`` is then how much was seen."""

    source: str
    reason: str
    body: bytes | None = field(repr=False)
    size: int = 0


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One request in quarantine. The same one, sent again, is the same row with a count."""

    id: int
    source: str
    reason: str
    first_at: float
    last_at: float
    times: int
    size: int
    kept: bool
    """Whether its body is there, so that it can be taken again."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The accounts as the disk has them, all at one moment: so that they balance whenever they are looked at."""

    accounts: dict[tuple[str, Account], int] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    waiting_since: dict[str, float] = field(default_factory=dict)
    """By channel: since when the oldest news waits to be told."""
    inbox: int = 0
    inbox_oldest: float | None = None
    quarantine: int = 0
    dead_letters: int = 0
    open_incidents: int = 0
    bytes: int = 0


def unpack(packed: int, body: bytes) -> bytes:
    """A stored body as it was sent."""
    return zlib.decompress(body) if packed else body


def aside_row(
    source: str, reason: str, now: float, packed: int, body: bytes | None, size: int | None = None
) -> dict[str, Any]:
    """What :func:`set_aside` takes; the same body from the same source is the same row."""
    known = body if body is not None else f"{reason}\0{size}".encode()
    return {
        "source": source,
        "digest": hashlib.blake2b(known, digest_size=16).digest(),
        "reason": reason,
        "now": now,
        "size": len(unpack(packed, body)) if size is None and body is not None else size,
        "packed": packed,
        "body": body,
    }


def put(connection: sqlite3.Connection, received_at: float, source: str, packed: int, body: bytes) -> int:
    """Adds a request to the inbox; its id."""
    statement = "INSERT INTO inbox (received_at, source, packed, body) VALUES (?, ?, ?, ?)"
    return connection.execute(statement, (received_at, source, packed, body)).lastrowid or 0


def inbox(connection: sqlite3.Connection, after: int, limit: int, limits: Limits) -> list[InboxRow]:
    """Requests with larger ids than ``after``, in order. One that cannot be unpacked goes to quarantine as it is."""
    found: list[InboxRow] = []
    broken, size = [], 0
    statement = "SELECT id, received_at, source, packed, body FROM inbox WHERE id > ? ORDER BY id LIMIT ?"
    for number, received_at, source, packed, body in connection.execute(statement, (after, limit)):
        try:
            row = InboxRow(number, received_at, source, unpack(packed, body))
        except zlib.error:
            broken.append((number, source, received_at, body))
            continue
        size += len(row.body)
        if found and size > _BATCH_BYTES:
            break
        found.append(row)
    for number, source, received_at, body in broken:
        set_aside(connection, aside_row(source, "what was stored of it is damaged", received_at, 0, body), limits)
        connection.execute("DELETE FROM inbox WHERE id = ?", (number,))
    return found


def set_aside(connection: sqlite3.Connection, row: dict[str, Any], limits: Limits) -> int:
    """Adds to quarantine, from which the oldest go when it is too much; the id."""
    number = _add_aside(connection, row)
    _bound_quarantine(connection, limits)
    return number


def set_aside_all(connection: sqlite3.Connection, rows: Sequence[dict[str, Any]], limits: Limits) -> None:
    """Adds to quarantine, no more than what there is room for: a request of thousands of bad pieces takes no longer."""
    for row in rows[-limits.quarantine :]:
        _add_aside(connection, row)
    if rows:
        _bound_quarantine(connection, limits)


def _add_aside(connection: sqlite3.Connection, row: dict[str, Any]) -> int:
    (number,) = connection.execute(
        """
        INSERT INTO quarantine (source, digest, reason, first_at, last_at, size, packed, body)
        VALUES (:source, :digest, :reason, :now, :now, :size, :packed, :body)
        ON CONFLICT (source, digest) DO UPDATE
        SET times = times + 1, last_at = excluded.last_at, reason = excluded.reason
        RETURNING id
        """,
        row,
    ).fetchone()
    return int(number)


def _bound_quarantine(connection: sqlite3.Connection, limits: Limits) -> None:
    connection.execute(
        """
        DELETE FROM quarantine WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER latest AS place, sum(ifnull(length(body), 0)) OVER latest AS bytes
                FROM quarantine WINDOW latest AS (ORDER BY last_at DESC, id DESC)
            ) WHERE place > ? OR (bytes > ? AND place > 1)
        )
        """,
        (limits.quarantine, limits.quarantine_bytes),
    )


def move_aside(connection: sqlite3.Connection, number: int, reason: str, now: float, limits: Limits) -> None:
    """Moves a request from the inbox to quarantine; does nothing where there is none of that id."""
    found = connection.execute("SELECT source, packed, body FROM inbox WHERE id = ?", (number,)).fetchone()
    if found is not None:
        source, packed, body = found
        set_aside(connection, aside_row(source, reason, now, packed, body), limits)
        connection.execute("DELETE FROM inbox WHERE id = ?", (number,))


def quarantined(connection: sqlite3.Connection, limit: int) -> list[QuarantineRow]:
    """What is in quarantine, the latest first."""
    rows = connection.execute(
        "SELECT id, source, reason, first_at, last_at, times, size, body IS NOT NULL AS kept FROM quarantine"
        " ORDER BY last_at DESC, id DESC LIMIT ?",
        (limit,),
    )
    return [QuarantineRow(*row) for row in rows]


def quarantined_body(connection: sqlite3.Connection, number: int) -> bytes | None:
    """A request in quarantine as it was sent, if it was kept."""
    found = connection.execute("SELECT packed, body FROM quarantine WHERE id = ?", (number,)).fetchone()
    return None if found is None or found[1] is None else unpack(*found)


def dead_letters(connection: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    """Messages that were refused for good, the latest first."""
    return _all(connection, DEAD_LETTERS, "ORDER BY at DESC, id DESC LIMIT ?", limit)


def replay(connection: sqlite3.Connection, number: int, now: float) -> bool:
    """Moves a request from quarantine back into the inbox."""
    done = connection.execute(
        "INSERT INTO inbox (received_at, source, packed, body)"
        " SELECT ?, source, packed, body FROM quarantine WHERE id = ? AND body IS NOT NULL",
        (now, number),
    )
    return bool(done.rowcount) and drop(connection, number)


def drop(connection: sqlite3.Connection, number: int) -> bool:
    """Removes a request from quarantine."""
    return connection.execute("DELETE FROM quarantine WHERE id = ?", (number,)).rowcount > 0


def want(connection: sqlite3.Connection, number: int, now: float) -> bool:
    """Asks for a dead letter to be told again; the relay looks for that every few seconds."""
    return connection.execute("UPDATE dead_letters SET wanted_at = ? WHERE id = ?", (now, number)).rowcount > 0


def writes(changes: Changes) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The statements that store changes, so many rows at a time. The book must not change until all have been made."""
    tables: Sequence[tuple[Mapped[Any], Sequence[Any]]] = (
        (EPISODES, changes.episodes),
        (INCIDENTS, changes.incidents),
        (POSTS, changes.posts),
        (DEAD_LETTERS, changes.dead_letters),
    )
    for mapped, items in tables:
        for first in range(0, len(items), ROWS):
            yield mapped.upsert, [mapped.row(item) for item in items[first : first + ROWS]]
    for table, gone in (
        ("episodes", changes.gone_episodes),
        ("incidents", changes.gone_incidents),
        ("posts", changes.gone_posts),
    ):
        if gone:
            yield f"DELETE FROM {table} WHERE id = ?", [(number,) for number in gone]  # noqa: S608  # a name of ours
    if changes.accounts:
        yield (
            "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET total = excluded.total",
            [(channel, account, total) for (channel, account), total in changes.accounts.items()],
        )
    yield _NEVER_LESS, [("next_id", float(changes.next_id))]


_NEVER_LESS: Final = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"


def remember(connection: sqlite3.Connection, key: str, value: float) -> None:
    """Notes a number."""
    connection.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value))


def wanted(connection: sqlite3.Connection) -> list[DeadLetter]:
    """Dead letters that are to be told again."""
    return _all(connection, DEAD_LETTERS, "WHERE wanted_at IS NOT NULL ORDER BY id")


def replayed(connection: sqlite3.Connection, number: int, at: float | None) -> None:
    """Notes when a dead letter has been told again; or, with None, that it cannot be."""
    statement = "UPDATE dead_letters SET replayed_at = ifnull(?, replayed_at), wanted_at = NULL WHERE id = ?"
    connection.execute(statement, (at, number))


def recall(connection: sqlite3.Connection, key: str) -> float | None:
    """A number that was noted; None when there is none."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else float(found[0])


def _all(connection: sqlite3.Connection, mapped: Mapped[Any], rest: str, *values: Any) -> list[Any]:
    return [mapped.item(row) for row in connection.execute(f"{mapped.select} {rest}", values)]


def load(connection: sqlite3.Connection) -> Snapshot:
    """What the book needs to go on."""
    shown = "closed_at IS NULL OR post IN (SELECT id FROM posts)"
    found = connection.execute("SELECT value FROM meta WHERE key = 'next_id'").fetchone()
    return Snapshot(
        episodes=_all(
            connection,
            EPISODES,
            f"WHERE incident IS NULL OR incident IN (SELECT id FROM incidents WHERE {shown}) ORDER BY id",  # noqa: S608
        ),
        incidents=_all(connection, INCIDENTS, f"WHERE {shown} ORDER BY id"),
        posts=_all(connection, POSTS, "ORDER BY id"),
        accounts=_accounts(connection),
        next_id=1 if found is None else int(found[0]),
    )


def _accounts(connection: sqlite3.Connection) -> dict[tuple[str, Account], int]:
    rows = connection.execute("SELECT channel, account, total FROM accounts")
    return {(channel, account): total for channel, account, total in rows}


def counts(connection: sqlite3.Connection) -> Counts:
    """Everything that is counted."""

    def number(statement: str) -> Any:
        return connection.execute(statement).fetchone()[0]

    queued = connection.execute("SELECT channel, sum(queued) FROM episodes WHERE queued > 0 GROUP BY channel")
    waiting = connection.execute(
        "SELECT channel, min(CASE WHEN post IS NULL THEN told_since ELSE changed_at END) FROM incidents"
        " WHERE told_revision < revision AND closed_at IS NULL GROUP BY channel"
    )
    return Counts(
        accounts=_accounts(connection),
        queued=dict(queued.fetchall()),
        waiting_since=dict(waiting.fetchall()),
        inbox=number("SELECT count(*) FROM inbox"),
        inbox_oldest=number("SELECT min(received_at) FROM inbox"),
        quarantine=number("SELECT count(*) FROM quarantine"),
        dead_letters=number("SELECT count(*) FROM dead_letters"),
        open_incidents=number("SELECT count(*) FROM incidents WHERE closed_at IS NULL"),
        bytes=number("PRAGMA page_count") * number("PRAGMA page_size"),
    )


def recent(connection: sqlite3.Connection, limit: int) -> list[tuple[Incident, list[Episode]]]:
    """Closed incidents, the latest first, with their episodes."""
    incidents = _all(
        connection, INCIDENTS, "WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, id DESC LIMIT ?", limit
    )
    return [(item, _all(connection, EPISODES, "WHERE incident = ? ORDER BY id", item.id)) for item in incidents]


def closed(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[tuple[Incident, list[Episode]]]:
    """The closed ones among these incidents, with their episodes."""
    marks = ", ".join("?" * len(numbers))
    incidents = _all(connection, INCIDENTS, f"WHERE closed_at IS NOT NULL AND id IN ({marks}) ORDER BY id", *numbers)
    return [(item, _all(connection, EPISODES, "WHERE incident = ? ORDER BY id", item.id)) for item in incidents]


def clean(connection: sqlite3.Connection, now: float, limits: Limits) -> None:
    """Removes what need not be kept any longer."""
    over = "closed_at < ? AND (post IS NULL OR post NOT IN (SELECT id FROM posts))"
    before = now - limits.incidents
    connection.execute(f"DELETE FROM episodes WHERE incident IN (SELECT id FROM incidents WHERE {over})", (before,))  # noqa: S608
    connection.execute(f"DELETE FROM incidents WHERE {over}", (before,))  # noqa: S608
    connection.execute("DELETE FROM dead_letters WHERE at < ?", (now - limits.dead_letters,))
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _FREED_AT_ONCE)):  # the sqlite3 module frees one page a call, whatever number it is given
        connection.execute("PRAGMA incremental_vacuum(1)")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Leaves one file behind, with everything in it."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
