"""The relay between its intake and Discord, in virtual time: a real engine, real workers, a Discord that refuses.

``Rig`` is started in a :mod:`tests.relay.virtual` loop. What senders tell goes in by ``tell``, Alertmanager's answers
are in ``there``, and what readers see is asked of ``discord``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from homelabmon.notifiers.contract import Notifier, Request, Response
from homelabmon.notifiers.discord import Discord
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.delivery.figures import Figures
from homelabmon.relay.delivery.gate import Gate
from homelabmon.relay.delivery.limits import Limits
from homelabmon.relay.delivery.memory import Memory
from homelabmon.relay.delivery.transport import HttpTransport, Transport, TransportFailure
from homelabmon.relay.delivery.worker import Dispatch, Tools
from homelabmon.relay.engine import Engine, Setup, Store
from homelabmon.relay.incidents.book import ChannelPolicy, Question, Verdict
from homelabmon.relay.incidents.model import Changes, Snapshot
from homelabmon.relay.incidents.notice import Delivery, Lane, Notice
from homelabmon.relay.store.store import Store as RealStore
from homelabmon.relay.store.writer import Work
from homelabmon.spec.relay_file import ChannelEntry
from tests.relay.discord_rates import Rates
from tests.relay.fake_discord import FakeDiscord
from tests.relay.incidents.desk import Disk
from tests.relay.memory_disk import MemoryDisk
from tests.relay.virtual import START, VirtualClock, VirtualLoop

T = TypeVar("T")


class MemoryStore:
    """A disk without a disk. ``broken``: nothing can be saved or read. ``lies``: so many commits are done, and fail."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.inbox: list[Delivery] = []
        self.done: set[int] = set()
        self.quarantined: dict[int, str] = {}
        self.beats: list[float] = []
        self.notes: dict[str, float] = {}
        self.broken = False
        self.lies = 0
        self.commits = 0

    def submit(self, delivery: Delivery) -> None:
        self.inbox.append(delivery)

    async def load(self) -> Snapshot:
        self._check()
        return self.disk.load()

    async def pending(self, after: int, limit: int) -> Sequence[Delivery]:
        self._check()
        open_ = (one for one in self.inbox if one.id > after and one.id not in self.done | set(self.quarantined))
        return list(open_)[:limit]

    async def commit(self, changes: Changes, done: Sequence[int]) -> None:
        self._check()
        self.disk.apply(changes)
        self.done.update(done)
        self.commits += 1
        if self.lies:
            self.lies -= 1
            raise OSError("the disk said no, and did it")

    async def quarantine(self, delivery: int, reason: str) -> None:
        self._check()
        self.quarantined[delivery] = reason

    async def beat(self, now: float) -> None:
        self._check()
        self.beats.append(now)

    async def remember(self, name: str, value: float) -> None:
        self._check()
        self.notes[name] = value

    async def recall(self, name: str) -> float | None:
        self._check()
        return self.notes.get(name)

    async def last_beat(self) -> float | None:
        return self.beats[-1] if self.beats else None

    def _check(self) -> None:
        if self.broken:
            raise OSError("No space left on device")


class Replicas:
    """What Alertmanager says: ``there`` by the alert's name, ``alive`` where nothing is said; or nothing, if down."""

    def __init__(self, clock: VirtualClock) -> None:
        self.there: dict[str, Verdict] = {}
        self.down = False
        self.has_watchdog: bool | None = None
        self.asked: list[Question] = []
        self._clock = clock

    async def ask(self, questions: Sequence[Question]) -> Mapping[int, Verdict]:
        self.asked += questions
        await self._clock.sleep(2.0 if self.down else 0.01)
        if self.down:
            return {question.episode: "unknown" for question in questions}
        return {one.episode: self.there.get(one.labels["name"], "alive") for one in questions}

    async def watchdog(self) -> bool | None:
        return self.has_watchdog


class DiskStore:
    """The real store, in a folder. Time stands still while its thread works."""

    def __init__(self, folder: Path) -> None:
        self.store = RealStore(str(folder / "relay.db"), START)

    async def submit(self, delivery: Delivery) -> None:
        body = json.dumps([asdict(notice) for notice in delivery.notices]).encode()
        await self._works(self.store.put("test", body, delivery.received_at))

    async def load(self) -> Snapshot:
        return await self._works(self.store.load())

    async def pending(self, after: int, limit: int) -> Sequence[Delivery]:
        rows = await self._works(self.store.inbox(after, limit))
        return [Delivery(row.id, row.received_at, tuple(Notice(**one) for one in json.loads(row.body))) for row in rows]

    async def commit(self, changes: Changes, done: Sequence[int]) -> None:
        await self._works(self.store.commit(changes, done))

    async def quarantine(self, delivery: int, reason: str) -> None:
        await self._works(self.store.set_aside_from_inbox(delivery, reason, START))

    async def beat(self, now: float) -> None:
        await self._works(self.store.beat(now))

    async def remember(self, name: str, value: float) -> None:
        await self._works(self.store.remember(name, value))

    async def recall(self, name: str) -> float | None:
        return await self._works(self.store.recall(name))

    async def transact(self, work: Work[T]) -> T:
        return await self._works(self.store.transact(work))

    async def _works(self, work: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.works(1)
        try:
            return await work
        finally:
            loop.works(-1)


def lanes(notice: Notice, route_key: str | None) -> Sequence[Lane]:
    """Grouped by alertname, into the channel that the label ``channel`` names; critical is not held."""
    if notice.labels.get("poison"):
        raise ZeroDivisionError("poison")
    hold = 0.0 if notice.labels["severity"] == "critical" else 60.0
    channel = notice.labels.get("channel", "ops")
    return [Lane(channel, channel, {"alertname": notice.labels["alertname"]}, hold)]


class Line:
    """The way to Discord, on which names may not be found."""

    def __init__(self, rig: Rig, inner: Transport) -> None:
        self._rig, self._inner = rig, inner

    async def send(self, request: Request) -> Response | TransportFailure:
        return TransportFailure("dns") if self._rig.no_names else await self._inner.send(request)


class Rig:
    """``channels``: webhooks; ``fallbacks``: by channel, who stands in."""

    def __init__(
        self,
        *channels: str,
        fallbacks: Mapping[str, str] | None = None,
        rates: Rates | None = None,
        mention: Mapping[str, str] | None = None,
        folder: Path | None = None,
        threads: Sequence[str] = (),
        forums: Sequence[str] = (),
    ) -> None:
        """``folder``: for the real store; in memory without. ``threads``: channels that post into a thread."""
        self.names = channels or ("ops",)
        self.fallbacks = fallbacks or {}
        self.threads, self.forums = dict.fromkeys(threads, ""), forums
        self.clock = VirtualClock()
        self.discord = FakeDiscord(clock=self.clock, rates=rates)
        self.memory = MemoryStore()
        self.on_disk = None if folder is None else DiskStore(folder)
        self.store: Store = self.on_disk or self.memory
        self.notes = MemoryDisk()
        self.replicas = Replicas(self.clock)
        self.mention = mention or {}
        self.notifier: Notifier = Discord()
        self.files: dict[str, str] = {}
        self.random = random.Random(7)
        self.no_names = False
        self.wrap: Callable[[Transport], Transport] = lambda transport: transport
        self._next = 1
        self._tasks: list[asyncio.Task[None]] = []
        self._puts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.begun = self.clock.now()
        await self.discord.__aenter__()
        for name in self.names:
            self.files[name] = self.discord.add_webhook(name, forum=name in self.forums).url
        for name in self.threads:
            self.threads[name] = self.discord.add_thread(name).id
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        await self.discord.__aexit__(kind, error, trace)
        if self.on_disk is not None:
            await self.on_disk.store.close()

    # The relay's life ------------------------------------------------------------

    async def start(self) -> None:
        """A new process, with what the disk knows."""
        self.figures = Figures()
        policies = {name: ChannelPolicy(self.mention) for name in self.names}
        self.setup = Setup(lanes, policies)
        self.engine = Engine(self.store, self.notifier, self.setup, self.replicas, self.clock, self.figures)
        entries = {
            name: ChannelEntry(
                webhook_file=name,
                fallback=self.fallbacks.get(name),
                thread_id=self.threads.get(name),
                forum=name in self.forums,
            )
            for name in self.names
        }
        self.channels = Channels(entries, self.files.__getitem__)
        self.http = HttpTransport()
        await self.http.__aenter__()
        self.dispatch = Dispatch(
            Tools(
                self.engine,
                self.notifier,
                self.channels,
                Gate(Limits(self.random.random), self.clock),
                Memory(self.on_disk or self.notes, self.clock),
                self.wrap(Line(self, self.http)),
                self.clock,
                self.random.random,
                self.figures,
            )
        )
        self._tasks = [asyncio.create_task(self.engine.run()), asyncio.create_task(self.dispatch.run())]

    async def kill(self) -> None:
        """The process ends at once: nothing is finished, nothing is said."""
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", "").split(".")[0] in ("Worker", "Engine", "Dispatch"):
                task.cancel()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.http.__aexit__(None, None, None)

    async def restart(self) -> None:
        """Killed, and started again."""
        await self.kill()
        await self.start()

    async def stop(self) -> None:
        """Ends as it should: what is under way is finished and saved."""
        engine, dispatch = self._tasks
        dispatch.cancel()
        with suppress(asyncio.CancelledError):
            await dispatch
        self.engine.stop()
        await engine
        await self.http.__aexit__(None, None, None)

    # What happens ------------------------------------------------------------

    def tell(self, *notices: Notice) -> None:
        """One delivery, which the intake has put onto the disk."""
        delivery = Delivery(self._next, self.clock.now(), notices)
        self._next += 1
        if self.on_disk is None:
            self.memory.submit(delivery)
            self.engine.nudge()
        else:
            task = asyncio.create_task(self._put(self.on_disk, delivery))
            self._puts.add(task)
            task.add_done_callback(self._puts.discard)

    async def _put(self, store: DiskStore, delivery: Delivery) -> None:
        await store.submit(delivery)
        self.engine.nudge()

    def alert(
        self, name: str, *, group: str = "", at: float | None = None, ends: float | None = None, **labels: str
    ) -> Notice:
        """An alert by its unique name; ``at`` and ``ends`` are seconds after the begin, now by default."""
        every = {"alertname": group or name, "severity": "warning", "name": name, **labels}
        starts = self.begun + (self.second if at is None else at)
        return Notice(
            "alertmanager", name, every, ends is None, starts, {}, None if ends is None else self.begun + ends
        )

    @property
    def second(self) -> float:
        """Seconds since the begin, by a clock that nobody sets."""
        return self.clock.monotonic() - 1_000.0

    async def until(self, second: float) -> None:
        """Lets time pass."""
        await self.clock.sleep(second - self.second)

    # What became of it ------------------------------------------------------------

    def saved(self) -> bool:
        """Whether the disk takes what it is given."""
        return self.engine.saved

    def titles(self, channel: str | None = None) -> list[str]:
        """The first line of every message that stands."""
        return [message.text.splitlines()[0] for message in self.discord.standing(channel)]

    def accounts(self, channel: str = "ops") -> dict[str, int]:
        """Every account, and what is queued; they agree."""
        assert self.engine.book is not None
        totals = self.engine.book.accounts.items()
        found: dict[str, int] = {account: number for (name, account), number in totals if name == channel}
        found["queued"] = self.engine.book.queued(channel)
        assert found.get("received", 0) == sum(number for account, number in found.items() if account != "received")
        return {account: number for account, number in found.items() if number}
