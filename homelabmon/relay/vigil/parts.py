"""The vigil of an outpost: sight, gaps, the dead man's switch, and what the cluster's relay reports.

The disk is the only truth: each look, each sign of life and each report is one transaction that also says what people
are to be told. In the cluster's own relay it does nothing.
Started by the service. May import: aiohttp, relay.part, relay.doors, relay.bodies, relay.store, its neighbours,
spec.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from homelabmon.relay import bodies, doors, history
from homelabmon.relay.bodies import TooLargeError
from homelabmon.relay.doors import Doors
from homelabmon.relay.exposition import Family, Labels, counter, gauge
from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake import alertmanager
from homelabmon.relay.intake.contract import Parsed
from homelabmon.relay.intake.own import put
from homelabmon.relay.intake.reading import UnreadableError
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.secrets import SecretError
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.vigil import gaps, reports, telling, watchdog
from homelabmon.relay.vigil.gaps import Gap, Look
from homelabmon.relay.vigil.reports import Received, Report
from homelabmon.relay.vigil.sight import Anchored, Reach, from_afar, reach
from homelabmon.relay.vigil.telling import Picture
from homelabmon.relay.vigil.texts import forget, read, write
from homelabmon.relay.vigil.watchdog import Engine, State
from homelabmon.relay.waiting import happens
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile

log = logging.getLogger(__name__)

AGAIN: Final = 1.0
"""Seconds after which a disk that failed is tried again."""
RETOLD: Final = 30.0
"""Seconds between new words for one silence."""
LONGEST_REPORT: Final = 2**17
_PATIENCE: Final = 10.0
_WATCHDOG: Final = "watchdog"

Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of it."""

    anchors: Mapping[str, bool | None]
    """What each said last; None: it has not been asked yet."""
    blind_since: float | None
    looked_at: float | None
    engines: Sequence[Engine]
    report: Received | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look found."""

    deadline: float | None
    told: int
    pending: bool
    """There are gaps, or runs, that people have to be told of."""


class Vigil(Part):
    """``sight`` is for whoever wants to be sure."""

    name = "vigil"

    def __init__(self, file: RelayFile, tools: Tools, door: Doors, reach_: Reach = reach) -> None:
        self._store, self._clock, self._nudge, self._doors = tools.store, tools.clock, tools.nudge, door
        self.sight = Anchored(_anchors(file), tools.clock, reach_)
        self.sight.on_return(self._stir)
        self.sight.on_blind = self._stir
        self.looks: tuple[Callable[[], Awaitable[object]], ...] = ()
        """To be done before people are told of a gap: they find what fell into it."""
        self._file = file
        self._wake = asyncio.Event()
        self._last: Look | None = None
        self._failed = False
        self._deadline: float | None = None
        self._knocking_since: float | None = None
        self._told: dict[str, tuple[float, Mapping[str, str]]] = {}
        """The words that were told last of each silence, and when (monotonic)."""
        self.alive_at: float | None = None
        """When it last looked and the disk took it; monotonic seconds."""

    # A part ------------------------------------------------------------

    async def prepare(self) -> None:
        """Finds out since when nobody watched."""
        if self._here:
            await self._look()

    async def run(self) -> None:
        """Looks, until it is cancelled."""
        watching = asyncio.create_task(self.sight.watch(), name="sight")
        try:
            while True:
                await happens(self._wake, self._clock, await self._round() if self._here else None)
                self._wake.clear()
        finally:
            watching.cancel()

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        self._file = file
        self.sight.reconfigure(_anchors(file))
        self._stir()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The answer to a report of the cluster's relay."""
        if request.path != names.PATH_REPORT or not self._here:
            return None
        if request.method != hdrs.METH_POST:
            return web.Response(status=405, text="post it\n", headers={hdrs.ALLOW: hdrs.METH_POST})
        return await self._report(request)

    async def families(self) -> Iterable[Family]:
        """Whether it is blind, how often nobody watched, and when the cluster was last heard."""
        if not self._here:
            return ()
        state, received, count = await self._store.transact(
            lambda connection: (_state(connection), reports.last(connection), gaps.count(connection))
        )
        heard = [({names.LABEL_ENGINE: one.name}, one.heard or 0.0) for one in _known(state)]
        quiet = [({names.LABEL_ENGINE: one.name}, int(one.why is not None)) for one in _known(state)]
        reported: list[Sample] = [] if received is None else [({}, received.at)]
        return (
            gauge(
                names.METRIC_OUTPOST_BLIND,
                "1: the anchors do not answer.",
                ({}, int(self.sight.blind_since is not None)),
            ),
            counter(names.METRIC_GAPS, "Times in which nobody watched.", ({}, count)),
            gauge(names.METRIC_WATCHDOG_SEEN, "When a Watchdog of the cluster was last heard.", *heard),
            gauge(names.METRIC_WATCHDOG_SILENT, "1: people are told that it is silent.", *quiet),
            gauge(names.METRIC_REPORT_SEEN, "When the cluster's relay last reported.", *reported),
        )

    async def view(self) -> View | None:
        """What the page shows; None where there is nothing to watch. Raises StoreError."""
        if not self._here:
            return None
        state, received = await self._store.transact(lambda connection: (_state(connection), reports.last(connection)))
        return View(
            anchors={anchor: self.sight.alive.get(anchor) for anchor in self.sight.anchors},
            blind_since=self.sight.blind_since,
            looked_at=self.sight.looked_at,
            engines=_known(state),
            report=received,
        )

    @property
    def _here(self) -> bool:
        return self._file.role == "outpost"

    def _stir(self) -> None:
        self._wake.set()

    # Looking ------------------------------------------------------------

    async def _round(self) -> float:
        """One look, and what follows from it; gives the seconds until the next."""
        try:
            found = await self._look()
            if found.pending and self.sight.blind_since is None:
                await self._tell_of_gaps()
        except StoreError:
            self._failed = True
            return AGAIN  # the store has said so itself
        except Exception:
            log.exception("a bug: the vigil could not look")
            return gaps.TICK_EVERY
        if found.deadline is None:
            return gaps.TICK_EVERY
        return min(max(found.deadline - self._clock.now(), 0.1), gaps.TICK_EVERY)

    async def _look(self) -> _Looked:
        """Notes that somebody looked, what gap there was before, and who is silent by now. Raises StoreError."""
        if self._deadline is not None and self._deadline <= self._clock.now():
            await self.sight.sure()
        look = Look(self._clock.now(), self._clock.monotonic(), self._clock.asleep())
        last, failed, blind = self._last, self._failed, self.sight.blind_since
        before = dict(self._told)

        def work(connection: sqlite3.Connection) -> tuple[_Looked, dict[str, tuple[float, Mapping[str, str]]]]:
            forgiven = _note_gap(connection, last, look, blind, failed=failed)
            state, ended = self._tended(connection, forgiven, look.wall)
            after, told = state, dict(before)
            if state is not None and self._file.watchdog is not None:
                silence = self._file.watchdog.silence.total_seconds()
                after = state if blind is not None else watchdog.look(state, silence, look.wall)
                ended += self._news(connection, state, after, told, look)
                write(connection, _WATCHDOG, look.wall, watchdog.written(after))
                limit = watchdog.deadline(after, silence)
            else:
                limit = None
            gaps.tick(connection, look.wall)
            put(connection, ended, look.wall)
            pending = bool(gaps.away(connection)) or gaps.unverified(connection) is not None
            return _Looked(None if blind is not None else limit, len(ended), pending), told

        found, self._told = await self._store.transact(work)
        self._last, self._failed, self._deadline = look, False, found.deadline
        self.alive_at = look.monotonic
        if found.told:
            self._nudge()
        return found

    def _tended(self, connection: sqlite3.Connection, forgiven: str, now: float) -> tuple[State | None, list[Notice]]:
        """What is known of the Watchdogs, as the configuration and the gap leave it; and what is to be told by that."""
        found = read(connection, _WATCHDOG)
        state = None if found is None else watchdog.parsed(found[1])
        if self._file.watchdog is None:
            if state is None:
                return None, []
            forget(connection, _WATCHDOG)
            open_ = [(key, one) for key, one in state.engines.items() if one.why is not None]
            return None, [telling.given_up(self._file.name, key, one, now) for key, one in open_]
        if state is None:
            return watchdog.born(now), []
        if forgiven == "back":
            return watchdog.wind(state, now), []
        return (watchdog.forgive(state, now) if forgiven else state), []

    def _news(
        self,
        connection: sqlite3.Connection,
        before: State,
        after: State,
        told: dict[str, tuple[float, Mapping[str, str]]],
        look: Look,
    ) -> list[Notice]:
        """What people have to be told of one state after another, with words for how things stand."""
        notices = []
        for change in watchdog.changes(before, after):
            if change.before.why is not None:
                told.pop(change.key, None)
                notices.append(telling.back(self._file.name, change.key, change.before, change.after, look.wall))
        quiet = {key: one for key, one in after.engines.items() if one.why is not None}
        if not quiet:
            return notices
        picture = self._picture(connection, look.wall)
        speaks = any(one.why is None and one.heard is not None for one in after.engines.values())
        for key, one in quiet.items():
            notice = telling.silent(self._file.name, key, one, picture, speaks=speaks)
            at, words = told.get(key, (None, None))
            if words == notice.annotations or (at is not None and look.monotonic - at < RETOLD):
                continue
            told[key] = (look.monotonic, notice.annotations)
            notices.append(notice)
        return notices

    def _picture(self, connection: sqlite3.Connection, now: float) -> Picture:
        states = history.states(connection)
        fails, answers = [], []
        for probe in self._file.probes:
            span = states.get(history.of_probe(probe.name))
            if span is not None and span.state == "outage":
                fails.append(probe.name)
            elif span is not None and span.state in ("operational", "degraded"):
                answers.append(probe.name)
        return Picture(now, reports.last(connection), fails, answers, self._knocking_since)

    async def _tell_of_gaps(self) -> None:
        """One message for everything that nobody saw. Raises StoreError."""
        for look in self.looks:
            await look()
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> bool:
            away, unverified = gaps.away(connection), gaps.unverified(connection)
            if not away and unverified is None:
                return False
            put(connection, [telling.away(away, unverified, now, heartbeats=bool(self._file.heartbeats))], now)
            gaps.told(connection)
            return True

        if await self._store.transact(work):
            self._nudge()

    # What comes in ------------------------------------------------------------

    def apart(self, source: str, parsed: Parsed) -> tuple[Parsed, tuple[Notice, ...]]:
        """What a request tells people, and what of it is the cluster's Watchdog. Pure."""
        expected = self._file.watchdog
        if not self._here or expected is None or source != names.SOURCE_ALERTMANAGER:
            return parsed, ()
        signs = tuple(one for one in parsed.notices if one.labels.get(names.LABEL_ALERTNAME) == expected.alertname)
        if not signs:
            return parsed, ()
        return replace(parsed, notices=tuple(one for one in parsed.notices if one not in signs)), signs

    async def hear(self, signs: Sequence[Notice]) -> None:
        """The Watchdog has come; when this returns, that is on disk. Raises StoreError."""
        look = Look(self._clock.now(), self._clock.monotonic(), self._clock.asleep())
        before = dict(self._told)

        def work(connection: sqlite3.Connection) -> tuple[int, dict[str, tuple[float, Mapping[str, str]]]]:
            told = dict(before)
            found = read(connection, _WATCHDOG)
            state = watchdog.born(look.wall) if found is None else watchdog.parsed(found[1])
            after = watchdog.heard(state, map(watchdog.sign_of, signs), look.wall)
            notices = self._news(connection, state, after, told, look)
            write(connection, _WATCHDOG, look.wall, watchdog.written(after))
            put(connection, notices, look.wall)
            return len(notices), told

        self._admitted()
        count, self._told = await self._store.transact(work)
        if count:
            self._nudge()

    def saw(self, request: web.BaseRequest) -> None:
        """A request has come in, whoever sent it."""
        if not self.sight.inbound_counts() and self._here:
            forwarded = request.headers.get(hdrs.X_FORWARDED_FOR)
            if from_afar(request.remote, forwarded):
                self.sight.inbound()

    def refused(self, request: web.BaseRequest) -> None:
        """Somebody came as the cluster does, with a wrong token. Who brings none is nobody we know."""
        if hdrs.AUTHORIZATION in request.headers and self._knocking_since is None:
            self._knocking_since = self._clock.now()

    def _admitted(self) -> None:
        self._knocking_since = None
        self.sight.inbound()

    async def _report(self, request: web.BaseRequest) -> web.Response:
        try:
            secrets = self._doors.secrets(alertmanager.INTAKE)
        except SecretError:
            return _later("the outpost cannot read the secret that would let you in")
        if secrets is None:
            return web.Response(status=404, text="the outpost's configuration names no secret for reports\n")
        if not doors.admits(alertmanager.INTAKE, secrets, request.headers, ""):
            self.refused(request)
            headers = {hdrs.WWW_AUTHENTICATE: "Bearer", hdrs.CONNECTION: "close"}
            return web.Response(status=401, text="not with this secret\n", headers=headers)
        try:
            async with asyncio.timeout(_PATIENCE):
                report = reports.parse(await bodies.read(request, LONGEST_REPORT))
        except TooLargeError:
            text = f"larger than {LONGEST_REPORT:,} bytes\n"
            return web.Response(status=413, text=text, headers={hdrs.CONNECTION: "close"})
        except UnreadableError as error:
            return web.Response(status=422, text=f"{error}\n")
        except TimeoutError:
            return _later("it took too long to come")
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            return web.Response(status=400, text="the body is broken\n", headers={hdrs.CONNECTION: "close"})
        return await self._keep(report)

    async def _keep(self, report: Report) -> web.Response:
        now = self._clock.now()
        self._admitted()
        try:
            await self._store.transact(lambda connection: reports.keep(connection, report, now))
        except StoreError as error:
            return _later(f"it could not be stored: {error}")
        return web.Response(text="stored\n")

    def unverified(
        self, connection: sqlite3.Connection, left_open: Sequence[str], began: float, now: float
    ) -> list[Notice]:
        """Runs of which nobody knows: they are told with the gap, in one message."""
        gaps.note_unverified(connection, left_open, began, now)
        return []


def _note_gap(
    connection: sqlite3.Connection, last: Look | None, look: Look, blind: float | None, *, failed: bool
) -> str:
    """Writes down the gap before this look; what it means for who was waited for: "" nothing, "gap", or "back"."""
    known = gaps.last_tick(connection)
    if known is not None and gaps.set_back(known, look.wall):
        log.warning("the clock was set back", extra={"seconds": round(known - look.wall, 3)})
        gaps.wind(connection, look.wall)
        return "back"
    found: Gap | None = None
    if last is not None:
        found = gaps.between(last, look, failed=failed)
    elif known is not None and look.wall - known > gaps.HOLE:
        found = Gap(known, look.wall, "restart")
    ended = None
    if blind is None or last is None:
        until = look.wall if last is not None or known is None else known
        ended = gaps.end_blind(connection, until)
    if blind is not None:
        gaps.begin_blind(connection, blind)
    elif found is not None:
        gaps.add(connection, found)
    if found is not None:
        log.warning("nobody watched", extra={"seconds": round(found.ended - found.began, 1), "why": found.kind})
    return "gap" if found is not None or ended is not None or blind is not None else ""


def _anchors(file: RelayFile) -> tuple[str, ...]:
    return file.anchors if file.role == "outpost" else ()


def _state(connection: sqlite3.Connection) -> State | None:
    found = read(connection, _WATCHDOG)
    return None if found is None else watchdog.parsed(found[1])


def _known(state: State | None) -> list[Engine]:
    return [] if state is None else [state.engines[key] for key in sorted(state.engines)]


def _later(words: str) -> web.Response:
    return web.Response(status=503, text=f"{words}\n", headers={hdrs.RETRY_AFTER: "5"})
