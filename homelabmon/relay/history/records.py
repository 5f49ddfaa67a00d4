"""Spans, gaps and days as the disk has them, statement by statement, in whatever transaction the caller is in.

A component is always in one state: a change of state closes its open span and opens another, so that what does not
change costs nothing. Gaps are the whole outpost's: one row, however many components there are. The spans of eight days
are kept; the days before are sums. Used by the keepers of probes and heartbeats in the store, and by the status
page. May import: its neighbour model.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from operator import itemgetter
from typing import Any, Final, cast

from homelabmon.relay.history.model import (
    COLUMNS,
    DAY,
    NOTHING,
    Cover,
    Day,
    Interval,
    State,
    Windows,
    day_of,
    start_of,
    summed,
)

SPAN_DAYS: Final = 8
"""Days that are over and of which every span is kept."""
DAYS: Final = 92
"""Days of which the sums are kept."""
MOST_A_DAY: Final = 500
"""Changes of state in one day that are noted as they are; from then on a state lasts ``COARSE`` seconds at least."""
COARSE: Final = 600.0
MOST_GAPS: Final = 1_000
"""Gaps older than that which are kept for people to read of, the latest."""
UNSET: Final = 1_577_836_800.0
"""A clock that shows a time before 2020 has not been set yet; nothing is noted by it."""
_ROLLED: Final = "history_rolled"
_ALL: Final = 200
"""Components from which on all of them are read at once."""


_Piece = tuple[float, float, State]
"""A span that has an end: from, until, and what it was."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a component was in one state. ``ended`` None: it still is."""

    began: float
    ended: float | None
    state: State


def of_probe(name: str) -> str:
    """The component that a probe is."""
    return f"probe:{name}"


def of_heartbeat(name: str) -> str:
    """The component that a heartbeat is."""
    return f"heartbeat:{name}"


# Writing -------------------------------------------------------------------------------


def enter(connection: sqlite3.Connection, component: str, state: State, at: float) -> None:
    """From ``at`` on a component is in a state. What was noted for later moments holds no more.

    That may lie in the past: what is down is down since its first failure. One that flickers more than ``MOST_A_DAY``
    times in a day is noted in steps of ``COARSE`` seconds from then on, so that nobody can fill the disk.
    """
    if at < UNSET:
        return
    at = _not_too_often(connection, component, at)
    connection.execute("DELETE FROM spans WHERE component = ? AND began >= ?", (component, at))
    last = _last(connection, component)
    if last is not None and last.state == state and (last.ended is None or last.ended >= at):
        if last.ended is not None:
            _end(connection, component, last.began, None)
        return
    if last is not None and (last.ended is None or last.ended > at):
        _end(connection, component, last.began, at)
    connection.execute("INSERT INTO spans VALUES (?, ?, NULL, ?)", (component, at, state))


def leave(connection: sqlite3.Connection, component: str, at: float) -> None:
    """A component is watched no more. What is known of it stays as long as anything does."""
    if at < UNSET:
        return
    connection.execute("DELETE FROM spans WHERE component = ? AND began >= ?", (component, at))
    last = _last(connection, component)
    if last is not None and (last.ended is None or last.ended > at):
        _end(connection, component, last.began, at)


def _not_too_often(connection: sqlite3.Connection, component: str, at: float) -> float:
    statement = "SELECT count(*), max(began) FROM spans WHERE component = ? AND began >= ? AND began <= ?"
    changes, latest = connection.execute(statement, (component, at - at % DAY, at)).fetchone()
    return at if changes < MOST_A_DAY else max(at, latest + COARSE)


def _last(connection: sqlite3.Connection, component: str) -> Span | None:
    statement = "SELECT began, ended, state FROM spans WHERE component = ? ORDER BY began DESC LIMIT 1"
    row = connection.execute(statement, (component,)).fetchone()
    return None if row is None else Span(*row)


def _end(connection: sqlite3.Connection, component: str, began: float, at: float | None) -> None:
    connection.execute("UPDATE spans SET ended = ? WHERE component = ? AND began = ?", (at, component, began))


def roll(connection: sqlite3.Connection, now: float, windows: Windows | None = None) -> None:
    """Sums the days whose spans have been kept for long enough, and removes those, and the oldest days, at once.

    To be called every now and then; what there is to do is done once a day. ``steps`` is the same, bit by bit.
    """
    for step in steps(connection, now, windows):
        step(connection)


Step = Callable[[sqlite3.Connection], None]


def steps(connection: sqlite3.Connection, now: float, windows: Windows | None = None) -> list[Step]:
    """What :func:`roll` does, in pieces that keep nobody waiting: each is to be done in a transaction of its own.

    Nothing is lost where they are not all done: it is begun anew. Nothing to do gives none.
    """
    if now < UNSET:
        return []
    today = now - now % DAY
    if _rolled(connection) == today:
        return []
    (oldest,) = connection.execute("SELECT min(began) FROM spans").fetchone()
    first = max(_whole_since(connection, today), today - DAYS * DAY)
    if oldest is not None:
        first = max(first, oldest - oldest % DAY)
    components = [row[0] for row in connection.execute("SELECT component FROM spans UNION SELECT component FROM daily")]
    pieces = (components[start : start + _PIECE] for start in range(0, len(components), _PIECE))
    found: list[Step] = [
        partial(_sum_up, components=piece, first=first, today=today, windows=windows or {}) for piece in pieces
    ]
    return [*found, partial(_forget, today=today)]


_PIECE: Final = 200
"""Components whose days are summed in one transaction."""


def _rolled(connection: sqlite3.Connection) -> float | None:
    (found,) = connection.execute("SELECT max(value) FROM meta WHERE key = ?", (_ROLLED,)).fetchone()
    return None if found is None else float(found)


def _whole_since(connection: sqlite3.Connection, today: float) -> float:
    """Since when no span, and no gap, has been removed. A clock that was wrong may have put that into the future."""
    rolled = _rolled(connection)
    return -float("inf") if rolled is None else min(rolled, today) - SPAN_DAYS * DAY


def _sum_up(
    connection: sqlite3.Connection, components: list[str], first: float, today: float, windows: Windows
) -> None:
    """The sums of the days from ``first`` on whose spans are to go."""
    last = today - SPAN_DAYS * DAY
    blind, known = _blind(connection, first, last), _spans(connection, components, first, last)
    rows = []
    for component in components:
        open_ = Cover(windows.get(component, ()))
        began = first
        while began < last:
            day = summed(known.get(component, ()), blind, open_, began, began + DAY)
            if day.measured > 0:
                rows.append((component, str(day_of(began)), *(getattr(day, column) for column in COLUMNS)))
            began += DAY
    over = str(day_of(today - DAYS * DAY))
    connection.executemany("DELETE FROM daily WHERE component = ? AND day < ?", [(one, over) for one in components])
    connection.executemany(f"INSERT OR REPLACE INTO daily (component, day, {', '.join(COLUMNS)}) {_MARKS}", rows)


_MARKS: Final = "VALUES (?, ?, ?, ?, ?, ?)"


def _forget(connection: sqlite3.Connection, today: float) -> None:
    """What is summed is removed."""
    kept = today - SPAN_DAYS * DAY
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_ROLLED, today))
    connection.execute("DELETE FROM spans WHERE ended <= ?", (kept,))
    connection.execute("DELETE FROM gaps WHERE ended <= ?", (today - DAYS * DAY,))
    connection.execute(
        "DELETE FROM gaps WHERE ended <= ? AND began NOT IN (SELECT began FROM gaps ORDER BY began DESC LIMIT ?)",
        (kept, MOST_GAPS),
    )


# Reading -------------------------------------------------------------------------------


def days(
    connection: sqlite3.Connection,
    components: Iterable[str],
    first_day: date,
    last_day: date,
    now: float,
    windows: Windows | None = None,
) -> dict[str, dict[date, Day]]:
    """Every component with every day from the first to the last; one of which nothing is known is a ``Day()``.

    ``windows`` count for the last eight days and today; of the days before, what they were when those were summed.
    """
    wanted = list(dict.fromkeys(components))
    lengths = dict(_lengths(first_day, last_day, now))
    found = {component: {day: Day(length=length) for day, length in lengths.items()} for component in wanted}
    fresh = max(start_of(first_day), _whole_since(connection, now - now % DAY))
    _from_sums(connection, found, first_day, min(last_day, day_of(fresh) - timedelta(days=1)))
    last = min(start_of(last_day) + DAY, now)
    if fresh < last:
        _from_spans(connection, found, (fresh, last), windows or {})
    return found


def _lengths(first_day: date, last_day: date, now: float) -> Iterator[tuple[date, float]]:
    day = first_day
    while day <= last_day:
        yield day, min(max(now - start_of(day), 0.0), DAY)
        day += timedelta(days=1)


def _from_sums(connection: sqlite3.Connection, found: dict[str, dict[date, Day]], first: date, last: date) -> None:
    if last < first:
        return
    between = (str(first), str(last))
    select = f"SELECT component, day, {', '.join(COLUMNS)} FROM daily WHERE "  # noqa: S608  # names of ours
    if len(found) > _ALL:
        rows: Iterable[tuple[Any, ...]] = connection.execute(f"{select} day BETWEEN ? AND ?", between)
    else:
        rows = (
            row
            for component in found
            for row in connection.execute(f"{select} component = ? AND day BETWEEN ? AND ?", (component, *between))
        )
    for component, day, *seconds in rows:
        if component in found:
            found[component][date.fromisoformat(day)] = Day(*seconds)


def _from_spans(
    connection: sqlite3.Connection, found: dict[str, dict[date, Day]], between: Interval, windows: Windows
) -> None:
    first, last = between
    blind, known = _blind(connection, first, last), _spans(connection, list(found), first, last)
    for component, its in known.items():
        open_ = Cover(windows[component]) if component in windows else NOTHING
        its, began = sorted(its), first
        while began < last:
            until = min(began + DAY, last)
            found[component][day_of(began)] = summed(_reaching_into(its, began, until), blind, open_, began, until)
            began += DAY


def _reaching_into(spans: list[_Piece], began: float, ended: float) -> list[_Piece]:
    """Those of one component, in order, that reach into a time: one that flickers has hundreds in other days."""
    return spans[bisect_right(spans, began, key=itemgetter(1)) : bisect_left(spans, ended, key=itemgetter(0))]


def spans(connection: sqlite3.Connection, component: str, since: float) -> list[Span]:
    """What a component was after a moment, in order; the first span may have begun before. Eight days are kept."""
    statement = "SELECT began, ended, state FROM spans WHERE component = ? AND (ended IS NULL OR ended > ?)"
    return [Span(*row) for row in connection.execute(f"{statement} ORDER BY began", (component, since))]


def states(connection: sqlite3.Connection) -> dict[str, Span]:
    """What every component that is watched is now, and since when."""
    rows = connection.execute("SELECT component, began, ended, state FROM spans WHERE ended IS NULL")
    return {component: Span(*span) for component, *span in rows}


def gaps(connection: sqlite3.Connection, since: float) -> list[tuple[float, float | None, str]]:
    """When nobody watched after a moment, and why: began, ended (None: it lasts), kind. In order.

    As many days are kept as there are sums; of a time with very many of them, the last eight days only.
    """
    statement = "SELECT began, ended, kind FROM gaps WHERE ended IS NULL OR ended > ? ORDER BY began"
    return list(connection.execute(statement, (since,)))


def _blind(connection: sqlite3.Connection, first: float, last: float) -> Cover:
    return Cover((began, last if ended is None else ended) for began, ended, _ in gaps(connection, first))


def _spans(
    connection: sqlite3.Connection, components: list[str], first: float, last: float
) -> Mapping[str, list[_Piece]]:
    found: dict[str, list[_Piece]] = defaultdict(list)
    select = (
        "SELECT component, began, ifnull(ended, ?), state FROM spans WHERE began < ? AND (ended IS NULL OR ended > ?)"
    )
    wanted = set(components) if len(components) > _ALL else None
    if wanted is not None:
        rows: Iterable[tuple[str, float, float, str]] = connection.execute(select, (last, last, first))
    else:
        rows = (
            row
            for component in components
            for row in connection.execute(f"{select} AND component = ?", (last, last, first, component))
        )
    for component, began, ended, state in rows:
        if wanted is None or component in wanted:
            found[component].append((began, ended, cast("State", state)))
    return found
