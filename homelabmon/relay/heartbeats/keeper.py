"""Keeps the heartbeats: hears pings, notices what is missed at its very moment, and knows when nobody listened.

The disk is the only truth. A ping, or a deadline, is one transaction: the state is read, changed and written, and what
people are to be told goes into the inbox, all or nothing; a client is answered afterwards. Between two looks the keeper
sleeps exactly until the next deadline. It notes each look: when the last one is too long ago, whatever the reason
(stopped, suspended, a disk that failed, a clock that was set), pings may have been lost in between. While the service
is blind it does not look at all, so that blindness is such a gap, too.

Started by the service. May import: relay.store, relay.history, relay.clock, relay.waiting, relay.vigil.contract, the
intake of what the service itself has to tell, its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from homelabmon.relay import history
from homelabmon.relay.clock import Clock
from homelabmon.relay.heartbeats import records, state, telling
from homelabmon.relay.heartbeats.beats import Beat, made
from homelabmon.relay.heartbeats.records import Heard, Record
from homelabmon.relay.heartbeats.state import RETRIES, Ping, State
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.own import put
from homelabmon.relay.store import queries
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.store.writer import Work
from homelabmon.relay.vigil.contract import CLEAR, Sight
from homelabmon.relay.waiting import happens

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY: Final = 10.0
"""Seconds. However far away the next deadline is: so exactly is it known until when somebody listened."""
LATE: Final = 5.0
"""Seconds by which a look may be late without anything having been wrong."""
AGAIN: Final = 1.0
BLIND_AGAIN: Final = 2.0
"""Seconds between looks while the service is blind."""
LOOKED: Final = "heartbeats_looked"
MOST_MADE: Final = 500
"""Heartbeats that pings may make."""


class Disk(Protocol):
    """What it wants of the store."""

    async def transact(self, work: Work[T]) -> T:
        """Does the work in one transaction. Raises StoreError."""
        ...


class TooManyError(Exception):
    """Pings have made as many heartbeats as they may."""


@dataclass(frozen=True, slots=True)
class Row:
    """One heartbeat as the page and the metrics show it. ``deadline``: when it will be missed if nothing comes."""

    name: str
    shown: state.Shown
    running: bool
    state: State
    expected: float | None
    deadline: float | None


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look found. ``deadline``: the next one; ``told``: how many notices lie in the inbox by it."""

    deadline: float | None
    told: int
    idle: bool
    """There is no heartbeat at all."""


Unverified = Callable[[sqlite3.Connection, Sequence[str], float, float], list[Notice]]
"""What is told of heartbeats, by name, of which nobody knows whether they ran between two moments."""


def _tell_of_unverified(_: sqlite3.Connection, left_open: Sequence[str], began: float, now: float) -> list[Notice]:
    return [telling.unverified(left_open, began, now)]


class Keeper:
    """The heartbeats of one service. Everything public may be called from any task of its loop."""

    def __init__(
        self,
        store: Disk,
        clock: Clock,
        nudge: Callable[[], None],
        beats: Mapping[str, Beat],
        *,
        sight: Sight = CLEAR,
        unverified: Unverified | None = None,
    ) -> None:
        """``unverified``: what is told of runs of which nobody knows, where the service has a message of its own."""
        self._store, self._clock, self._nudge = store, clock, nudge
        self._sight, self._unverified = sight, unverified or _tell_of_unverified
        sight.on_return(self._wake_up)
        self._beats = dict(beats)
        self._adopted = False
        self._wake = asyncio.Event()
        self._next: float | None = None
        self._idle = False
        self._noted_blind: float | None = None

    def reconfigure(self, beats: Mapping[str, Beat]) -> None:
        """From now on these are expected. What is known of those that stay is kept."""
        self._beats, self._adopted = dict(beats), False
        self._wake.set()

    async def run(self) -> None:
        """Looks, and sleeps until the next deadline; until it is cancelled."""
        while True:
            nap = AGAIN
            try:
                nap = await self.look()
            except StoreError:
                pass  # the store has said so itself
            except Exception:
                log.exception("a bug: the heartbeats could not be looked at")
            await happens(self._wake, self._clock, nap)
            self._wake.clear()

    def _wake_up(self) -> None:
        self._wake.set()

    async def look(self) -> float:
        """Tells what has been missed by now; gives the seconds until the next look. Raises StoreError."""
        beats, adopt = self._beats, not self._adopted
        if self._idle and not adopt:
            return LOOK_EVERY
        if not await self._sees():
            return BLIND_AGAIN
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> _Look:
            told = _adopt(connection, beats, now) if adopt else []
            told += _listen_again(connection, beats, now, self._unverified)
            told += _miss(connection, beats, now)
            queries.remember(connection, LOOKED, now)
            put(connection, told, now)
            return _Look(records.next_deadline(connection), len(told), not records.any_(connection))

        found = await self._store.transact(work)
        self._adopted = self._adopted or beats is self._beats
        self._next, self._idle = found.deadline, found.idle
        if found.told:
            self._nudge()
        return LOOK_EVERY if found.deadline is None else min(max(found.deadline - self._clock.now(), 0.0), LOOK_EVERY)

    async def _sees(self) -> bool:
        """Whether what did not come may be called missed. It is asked only when something would be. Raises StoreError.

        What is noted while blind is that the last look was before: so the next one knows of the gap, in whatever
        process that is.
        """
        if self._sight.blind_since is None:
            if self._next is None:
                self._next = await self._store.transact(records.next_deadline)
            due = self._next is not None and self._next <= self._clock.now()
            if not due or await self._sight.sure():
                return True
        since = self._sight.blind_since
        if since is not None and since != self._noted_blind:
            await self._store.transact(lambda connection: _look_no_later(connection, since))
            self._noted_blind = since
        return False

    async def hear(self, name: str, heard: Heard, *, create: bool = False) -> bool | None:
        """Takes a ping; when this returns, it is on disk. Whether it made the heartbeat; None when there is none.

        ``create``: makes one where there is none. Raises StoreError, and TooManyError.
        """
        beats = self._beats

        def work(connection: sqlite3.Connection) -> tuple[Record, int, bool] | None:
            record = records.find(connection, name)
            new = record is None and name not in beats
            if new and not create:
                return None
            if new and records.how_many_made(connection) >= MOST_MADE:
                raise TooManyError
            record = record or _new(beats, name, heard.received_at)
            after = _heard(beats, record, heard)
            told = telling.notices(_beat(beats, name), record.state, after.state, after.said, heard.received_at)
            _save(connection, [(None if new else record, after)])
            records.add_ping(connection, name, heard)
            put(connection, told, heard.received_at)
            return after, len(told), new

        found = await self._store.transact(work)
        if found is None:
            return None
        record, told, new = found
        self._idle = False
        if told:
            self._nudge()
        if record.deadline is not None and (self._next is None or record.deadline < self._next):
            self._wake.set()
        return new

    async def rows(self) -> list[Row]:
        """Every heartbeat, by name. Raises StoreError."""
        now = self._clock.now()
        found = await self._store.transact(records.everything)
        return [_row(record, now) for record in found]

    async def worst(self, most: int) -> tuple[list[Row], int]:
        """So many heartbeats, those that are down, late, new, up, paused; and how many there are. Raises StoreError."""
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> tuple[list[Record], int]:
            return records.worst(connection, now, most), records.count(connection)

        found, count = await self._store.transact(work)
        return [_row(record, now) for record in found], count

    async def in_short(self) -> Sequence[tuple[str, state.Status, float | None]]:
        """Name, status and last success of every heartbeat, by name. Raises StoreError."""
        return await self._store.transact(records.in_short)


# From another process, while the service runs or not ---------------------------------------------------------


def pause(connection: sqlite3.Connection, beats: Mapping[str, Beat], name: str, now: float) -> bool:
    """Nothing is expected of it until it is heard again, or resumed; False when there is none of that name."""
    return _change(connection, beats, name, now, lambda known: state.pause(known, now))


def resume(connection: sqlite3.Connection, beats: Mapping[str, Beat], name: str, now: float) -> bool:
    """It is expected again; False when there is none of that name."""
    return _change(connection, beats, name, now, lambda known: state.resume(known, now))


def _change(
    connection: sqlite3.Connection, beats: Mapping[str, Beat], name: str, now: float, change: Callable[[State], State]
) -> bool:
    record = records.find(connection, name)
    if record is None:
        return False
    beat = _beat(beats, name)
    after = _settled(record, change(record.state), beat)
    _save(connection, [(record, after)])
    put(connection, telling.notices(beat, record.state, after.state, record.said, now), now)
    return True


# In one transaction, in the store's thread ------------------------------------------------------------


def _adopt(connection: sqlite3.Connection, beats: Mapping[str, Beat], now: float) -> list[Notice]:
    """Makes the disk follow the configuration: new heartbeats, those that are gone, those with other rules."""
    known = {record.name: record for record in records.everything(connection)}
    changed = [_new(beats, name, now) for name in beats if name not in known]
    for name, beat in beats.items():
        if name in known and (known[name].rules != beat.written or known[name].made):
            changed.append(_with_new_rules(known[name], beat, now))
    _save(connection, [(known.get(record.name), record) for record in changed])
    over = [record for name, record in known.items() if name not in beats and not record.made]
    records.forget(connection, [record.name for record in over])
    _watch(connection, [record for record in known.values() if record not in over], over, now)
    return [notice for record in over for notice in telling.gone(made(record.name), record.state, now)]


def _with_new_rules(record: Record, beat: Beat, now: float) -> Record:
    """Nothing is missed by rules that did not hold when it would have had to be."""
    found = state.deadline(record.state, beat.rules)
    known = record.state
    if found is not None and found.at <= now:
        following = beat.rules.schedule.after(now)
        known = replace(known, wait=None if following is None else following + beat.rules.grace)
    return _settled(replace(record, made=False, rules=beat.written), known, beat)


def _look_no_later(connection: sqlite3.Connection, since: float) -> None:
    last = queries.recall(connection, LOOKED)
    if last is not None and last > since:
        queries.remember(connection, LOOKED, since)


def _listen_again(
    connection: sqlite3.Connection, beats: Mapping[str, Beat], now: float, unverified: Unverified
) -> list[Notice]:
    """What has to be changed and told where the last look was too long ago, or is yet to come."""
    last = queries.recall(connection, LOOKED)
    if last is None or -LATE <= now - last <= LOOK_EVERY + LATE:
        return []
    if last > now:
        wound = [(record, state.wind(record.state, now)) for record in records.everything(connection)]
        log.warning("the clock was set back", extra={"seconds": round(last - now, 3)})
    else:
        wound = [
            (record, state.gap(record.state, _beat(beats, record.name).rules, last, now))
            for record in records.waiting(connection)
        ]
    changed = [(record, known) for record, known in wound if known is not record.state]
    _save(connection, [(record, _settled(record, known, _beat(beats, record.name))) for record, known in changed])
    if last > now or now - last <= RETRIES:
        return []
    left_open = [record.name for record, _ in changed]
    log.warning("nobody listened", extra={"seconds": round(now - last, 3), "unverified": len(left_open)})
    return unverified(connection, left_open, last, now) if left_open else []


def _miss(connection: sqlite3.Connection, beats: Mapping[str, Beat], now: float) -> list[Notice]:
    """Those whose deadline is over are down, from that very moment."""
    told, changed = [], []
    for record in records.due(connection, now):
        beat = _beat(beats, record.name)
        after = _settled(record, state.look(record.state, beat.rules, now), beat)
        told += telling.notices(beat, record.state, after.state, record.said, now)
        changed.append((record, after))
        if after.state.status == "down":
            log.info("missed", extra={"heartbeat": record.name, "reason": after.state.reason})
    _save(connection, changed)
    return told


def _save(connection: sqlite3.Connection, changed: Sequence[tuple[Record | None, Record]]) -> None:
    """Stores records, each beside what was known before; where their status has changed, that is history."""
    records.save(connection, [after for _, after in changed])
    for before, after in changed:
        if before is None or (before.state.status, before.state.since) != (after.state.status, after.state.since):
            _enter(connection, after, after.state.since)


def _watch(connection: sqlite3.Connection, stay: Iterable[Record], over: Iterable[Record], now: float) -> None:
    """The history of those that stay goes on, that of those that are gone ends."""
    open_ = history.states(connection)
    for record in stay:
        if history.of_heartbeat(record.name) not in open_:
            _enter(connection, record, now)
    for record in over:
        history.leave(connection, history.of_heartbeat(record.name), now)


def _enter(connection: sqlite3.Connection, record: Record, at: float) -> None:
    history.enter(connection, history.of_heartbeat(record.name), _HISTORY[record.state.status], at)


_HISTORY: Final[Mapping[state.Status, history.State]] = {
    "new": "unknown",
    "up": "operational",
    "down": "outage",
    "paused": "unknown",
}


def _heard(beats: Mapping[str, Beat], record: Record, heard: Heard) -> Record:
    """A heartbeat after a ping. One that tells of long ago may be overdue again by now."""
    beat = _beat(beats, record.name)
    after = state.take(record.state, Ping(heard.kind, heard.at, heard.rid, heard.exit_code))
    ahead = state.outlook(after, beat.rules)
    known = state.lapsed(after, ahead.deadline, heard.received_at)
    if known is not after:
        ahead = state.outlook(known, beat.rules)
    ended = heard.kind in ("success", "fail") and known.last_ping == heard.at
    said = heard.body.decode("utf-8", "replace")[-telling.TAIL * 2 :] if ended else record.said
    return _with(record, known, ahead, said)


def _new(beats: Mapping[str, Beat], name: str, now: float) -> Record:
    beat = _beat(beats, name)
    return _settled(Record(name, state.born(now), None, made=name not in beats, rules=beat.written), None, beat)


def _settled(record: Record, known: State | None, beat: Beat) -> Record:
    """The record with another state, and the deadline that follows from it."""
    known = known or record.state
    return _with(record, known, state.outlook(known, beat.rules), record.said)


def _with(record: Record, known: State, ahead: state.Outlook, said: str) -> Record:
    limit = None if ahead.deadline is None else ahead.deadline.at
    return Record(record.name, known, limit, ahead.expected, said, record.made, record.rules)


def _beat(beats: Mapping[str, Beat], name: str) -> Beat:
    return beats.get(name) or made(name)


def _row(record: Record, now: float) -> Row:
    known = record.state
    return Row(
        name=record.name,
        shown=state.shown(known, record.expected, now),
        running=known.last_start is not None,
        state=known,
        expected=record.expected,
        deadline=record.deadline,
    )
