"""Keeps the probes: what checks found becomes state, history and, where people must know, notices, all at once.

The disk is the only truth. However many checks have ended, their outcome is one transaction: states are read, changed
and written, with results and history, and what is to be told goes into the inbox, all or nothing. Used by the rounds.
May import: relay.store, relay.history, relay.clock, the intake of what the service has to tell, the vigil's reports,
its neighbours.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeVar

from homelabmon.relay import history
from homelabmon.relay.clock import Clock
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.own import put
from homelabmon.relay.probes import records, state, telling
from homelabmon.relay.probes.judging import judge, most_fail
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.records import Record
from homelabmon.relay.probes.state import State
from homelabmon.relay.probes.targets import Target
from homelabmon.relay.store.writer import Work
from homelabmon.relay.vigil.reports import probes_told

log = logging.getLogger(__name__)

AT_ONCE: Final = 50
"""Probes whose old results are removed in one transaction."""

T = TypeVar("T")
Elsewhere = Callable[[sqlite3.Connection, float], frozenset[str]]


class Disk(Protocol):
    """What it wants of the store."""

    async def transact(self, work: Work[T]) -> T:
        """Does the work in one transaction. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """One check that has ended. ``at``: when it began, by the wall clock."""

    name: str
    at: float
    outcome: Outcome
    theirs: Theirs | None = None
    """What the third party says of itself, where it was asked as well."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: the states of all, who must be asked before more can be said, and who waits to be told of."""

    states: Mapping[str, State]
    ask: frozenset[str]
    waiting: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One probe as pages and metrics show it."""

    name: str
    shown: str
    """Its address, without what may be secret. For those who may see it only."""
    state: State
    theirs: Theirs | None
    their_word: str
    timing: str


class Keeper:
    """The probes of one service. Everything public may be called from any task of its loop."""

    def __init__(
        self,
        store: Disk,
        clock: Clock,
        nudge: Callable[[], None],
        targets: Mapping[str, Target],
        elsewhere: Elsewhere = probes_told,
    ) -> None:
        """``elsewhere``: which probes the cluster tells people of already."""
        self._store, self._clock, self._nudge, self._elsewhere = store, clock, nudge, elsewhere
        self.targets = dict(targets)
        self._adopted = False

    def reconfigure(self, targets: Mapping[str, Target]) -> None:
        """From now on these are asked. What is known of those that stay is kept."""
        self.targets, self._adopted = dict(targets), False

    async def take(self, found: Sequence[Checked]) -> Taken:
        """Stores what was found, and tells what follows from it, which may concern others. Raises StoreError.

        Without anything found: whether by now more has to be told than before.
        """
        now, targets, adopt, elsewhere = self._clock.now(), self.targets, not self._adopted, self._elsewhere

        def work(connection: sqlite3.Connection) -> tuple[Taken, int]:
            notices, known = list[Notice](), records.everything(connection)
            if adopt or not targets.keys() <= known.keys():  # a damaged database may have been replaced meanwhile
                notices = _adopt(connection, targets, now)
                known = records.everything(connection)
            before = dict(known)
            _measure(known, targets, found, now)
            states = {name: one.state for name, one in known.items()}
            concerned = {one.name for one in found} | waiting(states)
            told_elsewhere = elsewhere(connection, now) if waiting(states) else frozenset[str]()
            judged = judge(states, targets, sorted(concerned), now, told_elsewhere)
            for name, after in judged.states.items():
                known[name] = replace(known[name], state=after)
            notices += [telling.notice(one, targets[one.name], known[one.name].theirs, now) for one in judged.told]
            _save(connection, before, known)
            records.add_results(connection, [(one.name, one.at, one.outcome) for one in found if one.name in known])
            put(connection, notices, now)
            states |= judged.states
            return Taken(states, judged.ask, frozenset(waiting(states))), len(notices)

        taken, told = await self._store.transact(work)
        self._adopted = self._adopted or targets is self.targets
        if told:
            self._nudge()
        return taken

    async def clean(self, windows: history.Windows | None = None) -> None:
        """Sums the days that are over, and removes old results. Raises StoreError."""
        now, names = self._clock.now(), list(self.targets)
        for step in await self._store.transact(lambda connection: history.steps(connection, now, windows)):
            await self._store.transact(step)
        for start in range(0, len(names), AT_ONCE):
            await self._store.transact(partial(records.trim, names=names[start : start + AT_ONCE]))

    async def rows(self) -> list[Row]:
        """Every probe, by name. Raises StoreError."""
        targets, now = self.targets, self._clock.now()
        found = await self._store.transact(records.everything)
        return [
            Row(name, targets[name].shown, one.state, one.theirs, telling.their_word(one.theirs, now), one.timing)
            for name, one in found.items()
            if name in targets
        ]


def waiting(states: Mapping[str, State]) -> set[str]:
    """Those of which people may have to be told, and are not yet."""
    return {
        name
        for name, one in states.items()
        if (one.status == "down" and one.told_down is None) or (one.status == "degraded" and one.told_slow is None)
    }


# In one transaction, in the store's thread ------------------------------------------------------------


def _measure(known: dict[str, Record], targets: Mapping[str, Target], found: Sequence[Checked], now: float) -> None:
    """What was found, into the states. Nothing keeps a probe from being measured."""
    for one in found:
        record, target = known.get(one.name), targets.get(one.name)
        if record is None or target is None:
            continue
        doubted = False
        if one.outcome.verdict == "failed" and record.state.failures == target.retries:
            failing = replace(record.state, failures=1, failing_since=record.state.failing_since or one.at)
            states = {name: other.state for name, other in known.items()} | {one.name: failing}
            doubted = most_fail(states, targets, now)
        known[one.name] = replace(
            record,
            state=state.take(record.state, one.outcome, target, one.at, doubted=doubted),
            theirs=one.theirs or record.theirs,
            timing=one.outcome.timing,
        )


def _save(connection: sqlite3.Connection, before: Mapping[str, Record], known: Mapping[str, Record]) -> None:
    changed = [record for name, record in known.items() if record is not before[name]]
    records.save(connection, changed)
    for record in changed:
        old, new = history_of(before[record.name]), history_of(record)
        if old != new:
            since = record.state.since if record.state.status != before[record.name].state.status else None
            at = since if since is not None else record.state.checked_at or record.state.since
            history.enter(connection, history.of_probe(record.name), new, at)
            log.info("a probe has changed", extra={"probe": record.name, "status": record.state.status})
        if record.state.status == "unknown" != before[record.name].state.status:
            log.warning("a probe cannot be asked", extra={"probe": record.name, "reason": record.state.reason})


_HISTORY: Final[Mapping[state.Status, history.State]] = {
    "new": "unknown",
    "up": "operational",
    "degraded": "degraded",
    "down": "outage",
    "unknown": "unknown",
}


def history_of(record: Record) -> history.State:
    """What a probe counts as. A major outage by their own word makes one that answers us degraded, no more."""
    mine = _HISTORY[record.state.status]
    theirs = record.theirs
    if mine == "operational" and theirs is not None and theirs.indicator in ("major", "critical"):
        at = record.state.checked_at or theirs.at
        return "degraded" if at - theirs.at <= telling.THEIRS_FOR else mine
    return mine


def _adopt(connection: sqlite3.Connection, targets: Mapping[str, Target], now: float) -> list[Notice]:
    """Makes the disk follow the configuration: new probes, those that are gone, those that ask something else."""
    known, told, fresh = records.everything(connection), list[Notice](), list[Record]()
    open_ = history.states(connection)
    for name, target in targets.items():
        record, component = known.get(name), history.of_probe(name)
        if record is None or record.rules != target.written:
            if record is not None:
                words = "It is asked something else from now on."
                told += telling.gone(name, record.state, target.probe.severity, words, now)
            fresh.append(Record(name, state.born(now), rules=target.written))
            history.enter(connection, component, "unknown", now)
        elif component not in open_:
            history.enter(connection, component, history_of(record), now)
    records.save(connection, fresh)
    for name in known.keys() - targets.keys():
        told += telling.gone(name, known[name].state, "warning", "It is not asked any more.", now)
        history.leave(connection, history.of_probe(name), now)
    records.forget(connection, known.keys() - targets.keys())
    return told
