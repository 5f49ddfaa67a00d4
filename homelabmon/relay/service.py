"""The service, wired together: configuration, store, engine, delivery, server; started, reconfigured and stopped.

Started by the command line. May import: everything in the relay, notifiers, spec.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Notifier
from homelabmon.notifiers.message import Links
from homelabmon.relay.app import App, Listener
from homelabmon.relay.checking import flaws
from homelabmon.relay.clock import Clock
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.console import Console
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.delivery.dry import DryTransport
from homelabmon.relay.delivery.gate import Gate
from homelabmon.relay.delivery.limits import Limits
from homelabmon.relay.delivery.memory import Memory
from homelabmon.relay.delivery.transport import HttpTransport, Transport
from homelabmon.relay.delivery.worker import Dispatch, Tools
from homelabmon.relay.doors import Doors
from homelabmon.relay.engine import Engine, Setup
from homelabmon.relay.heartbeats.parts import Heartbeats
from homelabmon.relay.inbox import Inbox
from homelabmon.relay.incidents.book import Book, ChannelPolicy, Question, Verdict
from homelabmon.relay.incidents.model import DeadLetter
from homelabmon.relay.intake import event
from homelabmon.relay.intake.contract import Parsed
from homelabmon.relay.intake.reading import written
from homelabmon.relay.metrics import Metrics
from homelabmon.relay.page.data import WatchRow
from homelabmon.relay.part import Part
from homelabmon.relay.part import Tools as PartTools
from homelabmon.relay.probes.parts import Probes
from homelabmon.relay.reconcile.adoption import adopt
from homelabmon.relay.reconcile.alertmanager import AlertmanagerApi, ListedAlert
from homelabmon.relay.reconcile.backfill import backfill, gap_began
from homelabmon.relay.routes import RouteTable
from homelabmon.relay.secrets import SecretFile
from homelabmon.relay.spool.parts import Spool
from homelabmon.relay.status.part import StatusPages
from homelabmon.relay.store import queries
from homelabmon.relay.store.store import Store
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.vigil import showing
from homelabmon.relay.vigil.parts import Vigil
from homelabmon.relay.vigil.reporter import Reporter
from homelabmon.relay.vigil.sight import Reach, reach
from homelabmon.relay.vigil.third_leg import ThirdLeg
from homelabmon.spec.base import in_bytes
from homelabmon.spec.relay_file import RelayFile

log = logging.getLogger(__name__)

ASKING: Final = 2.0
"""Seconds that an Alertmanager has to answer: who does not is no proof of anything."""
ANSWER_BYTES: Final = 64 * 2**20
CLEAN_EVERY: Final = 3600.0
LOOK_EVERY: Final = 2.0
"""Seconds between looks at what others have left in the database, and at a disk that failed."""
_ADOPTED: Final = "adopted"
"""The note in the database that what fired before it began has been taken over."""
DRAIN: Final = 8.0
"""Seconds that each of requests, deliveries and the engine has to end what is under way: together less than the 30 that
Kubernetes gives."""


@dataclass(frozen=True, slots=True)
class Options:
    """How it is started. ``host`` None: on every address. ``show``: takes what would be posted, in a dry run."""

    host: str | None = None
    port: int = 8080
    show: Callable[[str], None] | None = None
    reach: Reach = reach
    """How an anchor is tried."""


class Service:
    """One relay. ``run`` runs it until ``stop`` is called."""

    def __init__(self, config: WatchedConfig, clock: Clock, options: Options) -> None:
        self._config, self._clock, self._options = config, clock, options
        self._stop = asyncio.Event()
        self._secrets: dict[str, SecretFile] = {}
        self._spawned: set[asyncio.Task[None]] = set()
        self._told_of_damage = 0
        self._adopting = False
        self._prometheus: str | None = None
        self._gap_since: float | None = None
        """Since when something may have been missed that nobody has looked for yet."""
        self._looking_back: asyncio.Task[None] | None = None
        self._clean_at = clock.monotonic()
        file = config.file
        self.store = Store(file.database, clock.now(), limits_of(file))
        self.inbox = Inbox(self.store, clock)
        self.channels = Channels(file.channels, self._read, last_resort=file.default.channel)
        self._asks = _Asks()
        self.engine = Engine(self.inbox, _notifier(), setup_of(file), self._asks, clock)
        self.doors = Doors(file.intake)
        tools = PartTools(self.store, clock, self.engine.nudge)
        self.vigil = Vigil(file, tools, self.doors, options.reach)
        self.inbox.ear = self.vigil
        told_with_gaps = self.vigil.unverified if file.role == "outpost" else None
        self.heartbeats = Heartbeats(file, tools, self.vigil.sight, told_with_gaps)
        self.vigil.looks = (self.heartbeats.keeper.look,)
        self.reporter = Reporter(file, tools, self.engine, self.channels)
        self.third_leg = ThirdLeg(file, tools, self.channels, self.engine.figures, lambda: self.vigil.alive_at)
        self.probes = Probes(file, tools, self.vigil.sight)
        self.status = StatusPages(file, tools)
        self.probes.windows = self.status.windows
        parts: list[Part] = [self.vigil, self.heartbeats, self.probes, Spool(file, tools), self.status]
        if options.show is None:
            parts += [self.reporter, self.third_leg]
        self.parts: tuple[Part, ...] = tuple(parts)
        """In the order in which they are asked."""
        metrics = Metrics(self.inbox, self.channels, self.engine.figures, config, clock, self.parts)
        self.app = App(
            self.inbox,
            self.doors,
            clock,
            metrics=lambda: metrics.text(self.app),
            nudge=self.engine.nudge,
            most_body=in_bytes(file.intake.max_body),
            public=file.role == "outpost",
        )
        dry_run = options.show is not None
        keeper = self.heartbeats.keeper
        self._console = Console(
            self.store,
            self.engine,
            self.channels,
            config,
            self.doors,
            clock,
            keeper,
            self.probes.keeper,
            self._watch,
            dry_run=dry_run,
        )
        self.app.others = self._other
        self.app.saw, self.app.refused = self.vigil.saw, self.vigil.refused
        self.port = 0
        """The port it listens on, once it does."""

    async def _watch(self) -> Sequence[WatchRow]:
        """Who watches whom, for the page. Raises StoreError."""
        view, file = await self.vigil.view(), self._config.file
        rows = [] if view is None else [*showing.of_outpost(view, self._clock.now())]
        if file.third_leg is not None:
            rows.append(showing.of_leg(self.third_leg.pinged_at, self.third_leg.trouble))
        if file.upstream is not None and file.upstream.report:
            rows.append(showing.of_reporter(self.reporter.accepted_at, self.reporter.trouble))
        return rows

    async def _other(self, request: web.BaseRequest) -> web.StreamResponse:
        """What belongs to a part, and the page."""
        for part in self.parts:
            response = await part.handle(request)
            if response is not None:
                return response
        response = await self._console.handle(request)
        return (response.status == 404 and self.status.missing(request)) or response

    def stop(self) -> None:
        """Lets ``run`` end, once what is under way has ended."""
        self._stop.set()

    async def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Runs until it is stopped; calls ``ready`` with the port when it listens.

        Raises NewerDatabaseError, and OSError when the port is taken. A disk that fails is waited for.
        """
        hangup = _on_hangup(self._hangup)
        try:
            for flaw in flaws(self._config.file):
                log.error("something is missing, it starts without it", extra={"what": flaw})
            await self._open_store()
            async with AsyncExitStack() as stack:
                asking = await stack.enter_async_context(HttpTransport(timeout=ASKING, body_limit=ANSWER_BYTES))
                transport: Transport = await stack.enter_async_context(HttpTransport())
                if self._options.show is not None:
                    transport = DryTransport(self._options.show, self._clock.now)
                self._asks.transport = asking
                self._asks.replicas(self._config.file.alertmanagers)
                self._gap_since = await self._gap()
                await self._prepare()
                listener = Listener(self.app)
                self.port = await listener.start(self._options.host, self._options.port)
                log.info("listening", extra={"port": self.port, "dry_run": self._options.show is not None})
                if ready is not None:
                    ready(self.port)
                self._look_back(self._config.file.prometheus)
                await self._work(listener, transport)
        finally:
            hangup()
            await self.store.close()
            log.info("stopped")

    async def _open_store(self) -> None:
        with suppress(StoreError):  # the store has said so itself, and is tried again
            await self.store.open()

    async def _prepare(self) -> None:
        """Before anybody is listened to."""
        for part in self.parts:
            with suppress(StoreError):
                await part.prepare()

    async def _gap(self) -> float | None:
        """Since when the relay was down; None where nobody knows."""
        try:
            return await gap_began(self.store)
        except StoreError:
            return None

    def _look_back(self, prometheus: str | None) -> None:
        """Asks this Prometheus, and no other any more, what fired and ended while the relay was down."""
        self._prometheus = prometheus
        if self._looking_back is not None:
            self._looking_back.cancel()
        if prometheus is not None and self._gap_since is not None:
            self._looking_back = self._spawn(self._backfill(prometheus, self._gap_since))

    async def _backfill(self, prometheus: str, since: float) -> None:
        transport = self._asks.transport
        try:
            if await backfill(self.engine, prometheus, transport, self._asks, self.store, self._clock, since):
                self._gap_since = None
        except StoreError:
            log.warning("what fired while the relay was down will be looked for at the next start")
        except Exception:
            log.exception("a bug: looking for what fired while the relay was down failed")

    async def _work(self, listener: Listener, transport: Transport) -> None:
        tools = Tools(
            engine=self.engine,
            notifier=_notifier(),
            channels=self.channels,
            gate=Gate(Limits(random.random), self._clock),
            memory=Memory(self.store, self._clock),
            transport=transport,
            clock=self._clock,
            random=random.random,
            figures=self.engine.figures,
        )
        engine = asyncio.create_task(self.engine.run(), name="engine")
        others = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("dispatch", Dispatch(tools).run()),
                ("config", self._config.watch(self._clock, self._reconfigured)),
                ("housekeeping", self._keep_house()),
                *((part.name, part.run()) for part in self.parts),
            )
        ]
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait([engine, stop, *others], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
                raise RuntimeError(f"the task {task.get_name()} has ended by itself")
        finally:
            stop.cancel()
            await listener.stop(DRAIN)
            for task in (*others, *self._spawned):
                task.cancel()
            await asyncio.wait(others, timeout=DRAIN)
            self.engine.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(engine, DRAIN)

    # Configuration ------------------------------------------------------------

    def _hangup(self) -> None:
        if self._config.refresh(force=True):
            self._reconfigured(self._config.file)

    def _reconfigured(self, file: RelayFile) -> None:
        if file.database != self.store.path:
            log.warning("another database takes effect at the next start")
        self.store.limits = limits_of(file)
        self.doors.reconfigure(file.intake)
        self.app.resize(in_bytes(file.intake.max_body))
        self.app.public = file.role == "outpost"
        self.channels.reconfigure(file.channels, last_resort=file.default.channel)
        self._asks.replicas(file.alertmanagers)
        if file.prometheus != self._prometheus:
            self._look_back(file.prometheus)
        for part in self.parts:
            part.reconfigure(file)
        self._spawn(self.engine.reconfigure(setup_of(file)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        return task

    def _read(self, path: str) -> str:
        return self._secrets.setdefault(path, SecretFile(path)).one().reveal()

    # Housekeeping ------------------------------------------------------------

    async def _keep_house(self) -> None:
        """Now and then: a sign of life to a disk that failed, what others want, damage that people must know of."""
        while True:
            try:
                await self._look_around()
            except StoreError:
                pass  # the store has said so itself
            except Exception:
                log.exception("a bug: the housekeeping stumbled")
            await self._clock.sleep(LOOK_EVERY)

    async def _look_around(self) -> None:
        if self.store.trouble is not None:
            await self.store.beat(self._clock.now())
        while self._told_of_damage < len(self.store.damaged):
            await self._tell_of_damage(self.store.damaged[self._told_of_damage])
            self._told_of_damage += 1
            self._adopting = False
        if not self._adopting and self._asks.ready:
            self._adopting = True
            if await self.store.recall(_ADOPTED) is None:
                self._spawn(self._adopt())
        for letter in await self.store.wanted():
            await self.retell(letter)
        if self._clock.monotonic() >= self._clean_at:
            await self.store.clean(self._clock.now())
            self._clean_at = self._clock.monotonic() + CLEAN_EVERY

    async def _adopt(self) -> None:
        """A new database knows nothing of what fires already."""
        try:
            await adopt(self.engine, self._asks, self._clock)
            await self.store.remember(_ADOPTED, self._clock.now())
        except StoreError:
            self._adopting = False
        except Exception:
            log.exception("a bug: taking over what fires already failed")

    async def retell(self, letter: DeadLetter) -> None:
        """Tells the incidents of a dead letter once more: those that are long over as the disk remembers them."""
        forgotten = await self.engine.act(lambda book, now: book.retell(letter.incidents, now))
        over = await self.store.closed(forgotten)

        def revive(book: Book, now: float) -> None:
            for incident, episodes in over:
                book.revive(incident, episodes, now)

        await self.engine.act(revive)
        lost = len(forgotten) - len(over)
        if lost:
            log.warning(
                "some incidents of a dead letter are not kept any more", extra={"dead_letter": letter.id, "count": lost}
            )
        await self.store.replayed(letter.id, self._clock.now() if lost < len(letter.incidents) else None)

    async def _tell_of_damage(self, path: str) -> None:
        """The owner hears of it where everything else is heard of."""
        now = self._clock.now()
        log.critical("the database was damaged: it was moved aside and a new one started", extra={"path": path})
        outpost = self._config.file.role == "outpost"
        anew = "What is down is told anew, heartbeats and the status page begin anew" if outpost else _TOLD_ANEW
        body = written(
            {
                "title": f"The {'outpost' if outpost else 'alert relay'} had to start a new database",
                "message": f"The old one was damaged and now lies at {path}. {anew}; messages that"
                " stood in the channels before are not changed any more.",
                "severity": "critical",
                "labels": {"stack": self._config.file.name},
            }
        )
        parsed = event.parse(body, now)
        assert isinstance(parsed, Parsed)
        await self.inbox.take(event.INTAKE, body, parsed, now)
        self.engine.nudge()


_TOLD_ANEW: Final = "What fires is told anew"


class _Asks:
    """Alertmanager's replicas of the configuration in effect."""

    transport: Transport

    def __init__(self) -> None:
        self._api: AlertmanagerApi | None = None
        self.ready = False
        """Whether it is known whom to ask."""

    def replicas(self, addresses: Sequence[str]) -> None:
        """From now on these are asked."""
        self._api = AlertmanagerApi(addresses, self.transport) if addresses else None
        self.ready = True

    async def ask(self, questions: Sequence[Question]) -> Mapping[int, Verdict]:
        """A verdict for every question."""
        return await self._api.ask(questions) if self._api is not None else {}

    async def labels(self) -> Sequence[Mapping[str, str]]:
        """The labels of every alert that is listed."""
        return await self._api.labels() if self._api is not None else ()

    async def active(self, receiver: str) -> tuple[Sequence[ListedAlert], bool]:
        """What fires and goes to a receiver."""
        return await self._api.active(receiver) if self._api is not None else ((), True)

    async def watchdog(self) -> bool | None:
        """Whether the Watchdog is there."""
        return await self._api.watchdog() if self._api is not None else None


def setup_of(file: RelayFile) -> Setup:
    """What of a configuration the book needs."""
    policies = {
        name: ChannelPolicy({str(severity): who for severity, who in entry.mention.items()}, entry.username)
        for name, entry in file.channels.items()
    }
    links = {name: url.rstrip("/") for name, url in file.links.items()}
    table = RouteTable(file)
    return Setup(
        table.lanes,
        policies,
        Links(links.get("alertmanager"), links.get("grafana"), links.get("prometheus"), links.get("relay")),
        file.name,
        routes=table.names,
    )


def limits_of(file: RelayFile) -> queries.Limits:
    """How long a configuration wants things kept."""
    kept = file.retention
    return queries.Limits(
        incidents=kept.incidents.total_seconds(),
        dead_letters=kept.dead_letters.total_seconds(),
        quarantine=kept.quarantine,
        quarantine_bytes=in_bytes(kept.quarantine_size),
    )


def _notifier() -> Notifier:
    return NOTIFIERS["discord"]


def _on_hangup(do: Callable[[], None]) -> Callable[[], None]:
    """Calls ``do`` on SIGHUP, where that can be had; gives what ends it."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGHUP, do)
    except (RuntimeError, ValueError, NotImplementedError):  # not the main thread
        return lambda: None

    def undo() -> None:
        loop.remove_signal_handler(signal.SIGHUP)

    return undo
