"""Probes as the disk has them, statement by statement, in whatever transaction the caller is in.

Used by the keeper in the store's thread, and by the status page. May import: its neighbours.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.state import State

KEPT: Final = 120
"""Results that are kept of each probe, the latest."""


@dataclass(frozen=True, slots=True)
class Record:
    """One probe. ``theirs``: what its third party said of itself last; ``timing``: the steps of the last check."""

    name: str
    state: State
    theirs: Theirs | None = None
    timing: str = ""
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One check, as it is kept."""

    probe: str
    at: float
    outcome: str
    latency: float | None
    detail: str


_STATE: Final = tuple(one.name for one in fields(State))
_COLUMNS: Final = ("name", *_STATE, "theirs", "timing", "rules")
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM probes"  # noqa: S608  # names of ours
_MARKS: Final = ", ".join("?" * len(_COLUMNS))
_SAVE: Final = f"INSERT OR REPLACE INTO probes ({', '.join(_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608


def everything(connection: sqlite3.Connection) -> dict[str, Record]:
    """All of them, by name."""
    return {record.name: record for record in map(_record, connection.execute(f"{_SELECT} ORDER BY name"))}


def save(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    """Stores them, in place of what was known by their names."""
    connection.executemany(_SAVE, [_row(record) for record in records])


def forget(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Removes probes with their results."""
    for name in names:
        connection.execute("DELETE FROM probes WHERE name = ?", (name,))
        connection.execute("DELETE FROM probe_results WHERE probe = ?", (name,))


def add_results(connection: sqlite3.Connection, found: Iterable[tuple[str, float, Outcome]]) -> None:
    """Stores what checks found."""
    connection.executemany(
        "INSERT INTO probe_results (probe, at, outcome, latency, detail) VALUES (?, ?, ?, ?, ?)",
        [(name, at, one.verdict, one.latency, one.words or one.timing) for name, at, one in found],
    )


def trim(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Removes all results but the latest of each probe."""
    connection.executemany(
        "DELETE FROM probe_results WHERE probe = ? AND id <="
        " (SELECT id FROM probe_results WHERE probe = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [(name, name, KEPT) for name in names],
    )


def results(connection: sqlite3.Connection, name: str) -> list[Result]:
    """What the last checks of a probe found, the latest first."""
    rows = connection.execute(
        "SELECT probe, at, outcome, latency, detail FROM probe_results WHERE probe = ? ORDER BY id DESC LIMIT ?",
        (name, KEPT),
    )
    return [Result(*row) for row in rows]


def _record(row: tuple[Any, ...]) -> Record:
    name, *state, theirs, timing, rules = row
    return Record(name, State(*state), _theirs(theirs), timing, rules)


def _row(record: Record) -> tuple[Any, ...]:
    state = (getattr(record.state, name) for name in _STATE)
    theirs = "" if record.theirs is None else json.dumps(asdict(record.theirs), ensure_ascii=False)
    return (record.name, *state, theirs, record.timing, record.rules)


def _theirs(text: str) -> Theirs | None:
    if not text:
        return None
    data = json.loads(text)
    return Theirs(**{**data, "parts": tuple(data["parts"])})
