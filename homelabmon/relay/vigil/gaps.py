"""When nobody watched: the outpost was stopped, suspended, blind, its clock was set, its disk failed.

A look is noted every few seconds; where the last one is too long ago there is a gap. Each gap is one row, so that the
history subtracts it, and, from a minute on, a note that people have to be told. Pure, and SQL in whatever transaction
the caller is in. Used by the vigil. May import: relay.store.queries, relay.vigil.texts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from homelabmon.relay.store import queries
from homelabmon.relay.vigil.texts import forget, read, write

Kind = Literal["restart", "suspend", "clock", "blind", "disk", "stall"]
"""``stall``: the machine, or this process, had no time."""

TICK_EVERY: Final = 5.0
"""Seconds between looks: so exactly is it known until when somebody watched."""
HOLE: Final = 15.0
"""Seconds after which a look is so late that nobody watched."""
STEP: Final = 5.0
"""Seconds by which two clocks may differ over one look."""
TOLD_FROM: Final = 60.0
"""Seconds from which on a gap is told: clients go on trying for as long."""
_TICK: Final = "vigil_tick"
_COUNT: Final = "gaps_total"
_AWAY: Final = "away"
_UNVERIFIED: Final = "unverified"


@dataclass(frozen=True, slots=True)
class Look:
    """One moment by three clocks. ``wall``: Unix seconds; ``monotonic`` stands still while the machine is suspended,
    and ``asleep`` counts how long it was."""

    wall: float
    monotonic: float
    asleep: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody watched from ``began`` to ``ended``."""

    began: float
    ended: float
    kind: Kind


def between(last: Look, now: Look, *, failed: bool) -> Gap | None:
    """The gap between two looks of one process; None where there is none. ``failed``: the disk did, meanwhile."""
    passed = now.wall - last.wall
    if passed <= HOLE:
        return None
    if now.asleep - last.asleep > STEP:
        kind: Kind = "suspend"
    elif passed - (now.monotonic - last.monotonic) > STEP:
        kind = "clock"
    else:
        kind = "disk" if failed else "stall"
    return Gap(last.wall, now.wall, kind)


def set_back(last: float, now: float) -> bool:
    """Whether the wall clock was set back since the last look."""
    return last - now > STEP


# On the disk ------------------------------------------------------------


def last_tick(connection: sqlite3.Connection) -> float | None:
    """When somebody last looked; None: never."""
    return queries.recall(connection, _TICK)


def tick(connection: sqlite3.Connection, now: float) -> None:
    """Somebody looks."""
    queries.remember(connection, _TICK, now)


def begin_blind(connection: sqlite3.Connection, since: float) -> None:
    """It is blind, since then."""
    if open_blind(connection) is None:
        connection.execute("INSERT OR REPLACE INTO gaps (began, ended, kind) VALUES (?, NULL, 'blind')", (since,))


def open_blind(connection: sqlite3.Connection) -> float | None:
    """Since when it is blind, as far as the disk knows."""
    row = connection.execute("SELECT began FROM gaps WHERE ended IS NULL ORDER BY began LIMIT 1").fetchone()
    return None if row is None else float(row[0])


def end_blind(connection: sqlite3.Connection, now: float) -> Gap | None:
    """It is not blind any more; the gap that is over."""
    began = open_blind(connection)
    if began is None:
        return None
    connection.execute("DELETE FROM gaps WHERE ended IS NULL")
    gap = Gap(began, max(began, now), "blind")
    add(connection, gap)
    return gap


def add(connection: sqlite3.Connection, gap: Gap) -> None:
    """A gap is over. Where it was long enough, people are to be told."""
    if gap.ended <= gap.began:
        return
    connection.execute("INSERT OR REPLACE INTO gaps (began, ended, kind) VALUES (?, ?, ?)", _row(gap))
    queries.remember(connection, _COUNT, count(connection) + 1)
    pending = away(connection)
    if pending or gap.ended - gap.began >= TOLD_FROM:
        write(connection, _AWAY, gap.ended, json.dumps([_row(one) for one in (*pending, gap)]))


def count(connection: sqlite3.Connection) -> int:
    """How many gaps there have ever been."""
    return int(queries.recall(connection, _COUNT) or 0)


def wind(connection: sqlite3.Connection, now: float) -> None:
    """The clock was set back: a gap that lasts has not begun later than now."""
    began = open_blind(connection)
    if began is not None and began > now:
        connection.execute("DELETE FROM gaps WHERE ended IS NULL")
        begin_blind(connection, now)


def away(connection: sqlite3.Connection) -> list[Gap]:
    """Gaps that people have yet to be told of, in order."""
    found = read(connection, _AWAY)
    return [] if found is None else [Gap(*row) for row in json.loads(found[1])]


def note_unverified(connection: sqlite3.Connection, names: Sequence[str], began: float, now: float) -> None:
    """Runs of which nobody knows, to be told with the gap."""
    _, known = unverified(connection) or (began, [])
    write(connection, _UNVERIFIED, now, json.dumps({"began": began, "names": sorted({*known, *names})}))


def unverified(connection: sqlite3.Connection) -> tuple[float, list[str]] | None:
    """Since when, and which, runs are unverified and not told; None where there are none."""
    found = read(connection, _UNVERIFIED)
    if found is None:
        return None
    data = json.loads(found[1])
    return float(data["began"]), list(data["names"])


def told(connection: sqlite3.Connection) -> None:
    """People are told of all of it."""
    forget(connection, _AWAY)
    forget(connection, _UNVERIFIED)


def _row(gap: Gap) -> tuple[float, float, Kind]:
    return gap.began, gap.ended, gap.kind
