"""The one task that owns the book: takes what came in, asks what is in doubt, saves what changed.

Memory is a cache of the disk. Everything that changes the book is done between two commits; if a commit fails, the book
is thrown away and opened anew from the disk, what came in is taken again, and what the channels' workers reported is
reported again. So a full disk repeats no message, and a crash can repeat at most the one that was under way.

Started by the service. Workers ask it for what to send, and tell it what came of it. May import: relay.incidents,
relay.reconcile, relay.clock, relay.delivery.figures, relay.store.trouble, notifiers and the standard library.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from homelabmon.notifiers.contract import Notifier
from homelabmon.notifiers.message import Links
from homelabmon.relay.clock import Clock, Steps
from homelabmon.relay.delivery.figures import Figures
from homelabmon.relay.incidents.book import Book, ChannelPolicy, Lanes, Question, Verdict
from homelabmon.relay.incidents.model import Changes, Snapshot
from homelabmon.relay.incidents.notice import Delivery
from homelabmon.relay.incidents.telling import Sending
from homelabmon.relay.incidents.timing import Timing
from homelabmon.relay.reconcile.alertmanager import Asks
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.waiting import happens

log = logging.getLogger(__name__)

BATCH: Final = 25
"""Deliveries that are taken between two commits. Senders wait for a commit, so that a large one is felt by them all."""
BATCH_NOTICES: Final = 500
"""Notices after which no further delivery is taken before the next commit; one delivery is never torn apart."""
BREATH: Final = 50
"""Notices after which senders have their turn: what they send is acknowledged meanwhile."""
ANSWERS: Final = 100
"""Answers of Alertmanager's that are heeded between two commits."""
RECONCILE_EVERY: Final = 60.0
WATCH_EVERY: Final = 15.0
"""Seconds between looks at the Watchdog. Between when it counts as missing and the first false end lie about thirty."""
HEARTBEAT_EVERY: Final = 10.0
LONGEST_NAP: Final = 5.0
"""Seconds. However little there is to do: a jump of the wall clock is noticed by then."""
LOOKING: Final = 0.25
"""Seconds between looks at what is due while an answer about it is awaited."""
WATCHDOG_SEEN: Final = "watchdog_seen"
"""A Watchdog that was never there is not missing: not every stack has one."""
RETRY_FIRST, RETRY_LAST = 0.25, 5.0
"""Seconds between attempts to save, doubling."""

T = TypeVar("T")


class Store(Protocol):
    """What the engine wants of the disk. Any exception means: it was not saved."""

    async def load(self) -> Snapshot:
        """What the book remembered at the last commit."""
        ...

    async def pending(self, after: int, limit: int) -> Sequence[Delivery]:
        """Deliveries that are not done, with larger ids than ``after``, in order."""
        ...

    async def commit(self, changes: Changes, done: Sequence[int]) -> None:
        """Saves what changed, and that these deliveries are done: in one transaction."""
        ...

    async def quarantine(self, delivery: int, reason: str) -> None:
        """Puts a delivery where it is kept and not taken again."""
        ...

    async def beat(self, now: float) -> None:
        """Notes that the relay was alive at this moment."""
        ...

    async def remember(self, name: str, value: float) -> None:
        """Notes a number under a name."""
        ...

    async def recall(self, name: str) -> float | None:
        """The number that was noted under a name; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What of the configuration the book needs."""

    lanes: Lanes
    channels: Mapping[str, ChannelPolicy]
    links: Links = field(default_factory=Links)
    stack: str = ""
    timing: Timing = field(default_factory=Timing)
    routes: frozenset[str] | None = None
    """The names of all routes."""


@dataclass(slots=True)
class _Action(Generic[T]):
    """Something to do with the book, done again until it is saved."""

    do: Callable[[Book, float], T]
    done: asyncio.Future[T]
    result: T | None = None


@dataclass(slots=True)
class _Want:
    """Somebody wants to know what a channel is to be told next."""

    channel: str
    found: asyncio.Future[tuple[Sending | None, float | None]]


@dataclass(slots=True)
class _Asking:
    """A question that Alertmanager is being asked. ``stirred``: something came in about the alert meanwhile."""

    question: Question
    stirred: bool = False


class _PoisonError(Exception):
    """The book could not take this delivery."""

    def __init__(self, delivery: int, reason: str) -> None:
        super().__init__(reason)
        self.delivery, self.reason = delivery, reason


class _BrokenError(Exception):
    """The book could not do this."""

    def __init__(self, action: _Action[Any], error: Exception) -> None:
        super().__init__(repr(error))
        self.action, self.error = action, error


class Engine:
    """Owns the book. Everything public may be called from any task of the loop that runs it."""

    def __init__(
        self, store: Store, notifier: Notifier, setup: Setup, asks: Asks, clock: Clock, figures: Figures | None = None
    ) -> None:
        self._store, self._notifier, self._setup, self._asks, self._clock = store, notifier, setup, asks, clock
        self.figures = figures or Figures()
        self.book: Book | None = None
        """For looking only; None while the disk cannot be read."""
        self.saved = False
        """Whether the last attempt to save, or to read, succeeded."""
        self._wake = asyncio.Event()
        self._actions: deque[_Action[Any]] = deque()
        self._wants: deque[_Want] = deque()
        self._news: dict[str, asyncio.Event] = {}
        self._taken = 0
        self._more = True
        self._steps = Steps(clock)
        self._unsaved_shift = 0.0
        self._asking: dict[int, _Asking] = {}
        self._asks_running: dict[str, asyncio.Task[None]] = {}
        self._watchdog_seen = self._watchdog_missing = False
        self._watchdog_there_at: float | None = None
        """Monotonic seconds: when Alertmanager last had it."""
        self._reconcile_at = self._watch_at = self._beat_at = clock.monotonic()
        self._stopping = False

    @property
    def watchdog_missing(self) -> bool:
        """Whether Alertmanager answers without its Watchdog, so that what it calls resolved proves nothing."""
        return self._watchdog_missing

    # For others ------------------------------------------------------------

    def nudge(self) -> None:
        """Something came in."""
        self._more = True
        self._wake.set()

    async def act(self, do: Callable[[Book, float], T]) -> T:
        """Does something with the book, and returns when the disk knows.

        ``do`` gets the book and the time (Unix seconds). It is called again, on a book opened anew, when saving failed.
        What it raises is raised here, and undone.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._actions.append(_Action(do, done))
        self._wake.set()
        return await done

    async def next(self, channel: str) -> tuple[Sending | None, float | None]:
        """What a channel is to be told next; if nothing: when there will be something if nothing more happens.

        Only what the disk knows is handed out.
        """
        want = _Want(channel, asyncio.get_running_loop().create_future())
        self._wants.append(want)
        self._wake.set()
        return await want.found

    def news(self, channel: str) -> asyncio.Event:
        """Set whenever there may be something new for the channel; whoever waits for it clears it."""
        return self._news.setdefault(channel, asyncio.Event())

    async def reconfigure(self, setup: Setup) -> None:
        """From now on the book follows another configuration."""
        self._setup = setup
        await self.act(
            lambda book, _: book.reconfigure(
                setup.lanes, setup.channels, links=setup.links, stack=setup.stack, routes=setup.routes
            )
        )

    def stop(self) -> None:
        """Lets :meth:`run` end once all that was reported is saved."""
        self._stopping = True
        self._wake.set()

    # The loop ------------------------------------------------------------

    async def run(self) -> None:
        """Runs until :meth:`stop`, or until it is cancelled. Survives whatever the disk and the book do."""
        pause = RETRY_FIRST
        try:
            while not (self._stopping and not self._actions):
                try:
                    await self._round()
                    self.saved, pause = True, RETRY_FIRST
                except _PoisonError as poison:
                    await self._set_aside(poison)
                except _BrokenError as broken:
                    self._give_back(broken)
                except Exception as error:
                    self.book, self.saved = None, False
                    self.figures.commits_failed += 1
                    if not isinstance(error, StoreError):  # of those the store tells the log itself
                        log.exception("the state could not be saved; it will be read anew from the disk")
                    if self._stopping and pause >= RETRY_LAST:
                        return
                    await self._clock.sleep(pause)
                    pause = min(pause * 2, RETRY_LAST)
                else:
                    await self._nap()
        finally:
            for task in self._asks_running.values():
                task.cancel()

    async def _round(self) -> None:
        """One transaction: what was reported, what came in, what fell due; then what others want to know."""
        self._wake.clear()
        opened = self.book is None
        book = self.book or await self._open()
        actions = list(self._actions)
        self._shift(book)
        if opened:
            book.wind(self._clock.now())
        self._do(book, actions)
        done = await self._take(book)
        self._fall_due(book)
        changes = book.changes()
        news = bool(done or actions or _any(changes))
        if done or _any(changes):
            await self._store.commit(changes, done)
        self._unsaved_shift = 0.0
        for action in actions:
            self._actions.remove(action)
            if not action.done.done():
                action.done.set_result(action.result)
        await self._beat()
        self._hand_out(book)
        if news:
            for event in self._news.values():
                event.set()

    async def _open(self) -> Book:
        snapshot, setup = await self._store.load(), self._setup
        self._watchdog_seen = self._watchdog_seen or await self._store.recall(WATCHDOG_SEEN) is not None
        self.book = Book(
            setup.lanes,
            setup.channels,
            self._notifier,
            timing=setup.timing,
            snapshot=snapshot,
            links=setup.links,
            stack=setup.stack,
            routes=setup.routes,
        )
        self.book.watchdog(self._watchdog_missing, self._clock.now(), self._clock.now())
        self._taken, self._more = 0, True
        return self.book

    def _shift(self, book: Book) -> None:
        """The wall clock was set: what was waited for is as far away as before."""
        jump = self._steps.stepped()
        if jump:
            log.warning("the clock was set", extra={"seconds": round(jump, 3)})
            self._unsaved_shift += jump
        if self._unsaved_shift:
            book.shift(self._unsaved_shift)

    def _do(self, book: Book, actions: Sequence[_Action[Any]]) -> None:
        now = self._clock.now()
        for action in actions:
            try:
                action.result = action.do(book, now)
            except Exception as error:
                raise _BrokenError(action, error) from error

    async def _take(self, book: Book) -> list[int]:
        """What came in, into the book; gives the deliveries that are done by that."""
        if not self._more:
            return []
        self._more = False
        deliveries = await self._store.pending(self._taken, BATCH)
        self._more = self._more or bool(deliveries)
        now, done, count, breathed = self._clock.now(), list[int](), 0, 0
        for delivery in deliveries:
            for part in _parts(delivery):
                self._take_part(book, part, now)
                count += len(part.notices)
                if count - breathed >= BREATH:
                    breathed = count
                    await self._clock.sleep(0)
            self._taken = delivery.id
            self._stir(delivery)
            done.append(delivery.id)
            if count >= BATCH_NOTICES:
                break
        return done

    def _take_part(self, book: Book, part: Delivery, now: float) -> None:
        try:
            book.take(part, now)
        except Exception as error:
            log.exception("a delivery cannot be taken", extra={"delivery": part.id})
            raise _PoisonError(part.id, type(error).__name__) from error

    def _stir(self, delivery: Delivery) -> None:
        if self._asking:
            told = {notice.fingerprint for notice in delivery.notices}
            for asking in self._asking.values():
                asking.stirred = asking.stirred or asking.question.fingerprint in told

    async def _set_aside(self, poison: _PoisonError) -> None:
        """A delivery that the book stumbles over must not stop the others."""
        self.book = None
        self.figures.poisoned += 1
        try:
            await self._store.quarantine(poison.delivery, f"the relay could not take it: {poison.reason}")
        except Exception as error:
            self.saved = False
            if not isinstance(error, StoreError):
                log.exception("a delivery could not be put into quarantine")
            await self._clock.sleep(RETRY_LAST)

    def _give_back(self, broken: _BrokenError) -> None:
        """What cannot be done is undone, and whoever wanted it is told."""
        self.book = None
        self._actions.remove(broken.action)
        if not broken.action.done.done():
            broken.action.done.set_exception(broken.error)

    async def _beat(self) -> None:
        if self._clock.monotonic() >= self._beat_at:
            await self._store.beat(self._clock.now())
            self._beat_at = self._clock.monotonic() + HEARTBEAT_EVERY
            self._more = True

    def _hand_out(self, book: Book) -> None:
        now = self._clock.now()
        while self._wants:
            want = self._wants.popleft()
            if want.found.done():
                continue
            try:
                want.found.set_result((book.next(want.channel, now), book.next_at(want.channel, now)))
            except Exception as error:
                want.found.set_exception(error)

    async def _nap(self) -> None:
        if self._more or self._wake.is_set() or self.book is None:
            await self._clock.sleep(0)
            return
        now, monotonic = self._clock.now(), self._clock.monotonic()
        due = self.book.wake_at(now)
        seconds = LONGEST_NAP if due is None else due - now
        if self._asking:
            seconds = max(seconds, LOOKING)
        next_look = min(self._reconcile_at, self._watch_at, self._beat_at)
        seconds = min(seconds, LONGEST_NAP, next_look - monotonic)
        await happens(self._wake, self._clock, max(seconds, 0.0))

    # Asking Alertmanager ------------------------------------------------------------

    def _fall_due(self, book: Book) -> None:
        now = self._clock.now()
        if "holds" not in self._asks_running and (questions := book.questions(now)):
            self._asking = {question.episode: _Asking(question) for question in questions}
            self._start("holds", self._ask_about_holds(questions))
        book.tick(now)
        if self._clock.monotonic() >= self._reconcile_at:
            self._reconcile_at = self._clock.monotonic() + RECONCILE_EVERY
            if "reconcile" not in self._asks_running:
                self._start("reconcile", self._reconcile(book.firing()))
        if self._clock.monotonic() >= self._watch_at:
            self._watch_at = self._clock.monotonic() + WATCH_EVERY
            if "watchdog" not in self._asks_running:
                self._start("watchdog", self._watch())

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._asks_running[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._asks_running.pop(name, None)
        if name == "holds":
            self._asking = {}
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreError):
            log.error("asking Alertmanager failed", exc_info=error)
        self._wake.set()

    async def _ask_about_holds(self, questions: Sequence[Question]) -> None:
        verdicts = await self._verdicts(questions)
        asked = self._asking

        def answer(some: Sequence[Question], book: Book, now: float) -> None:
            for question in some:
                verdict = verdicts.get(question.episode, "unknown")
                if verdict == "gone" and asked[question.episode].stirred:
                    continue  # older than what came in meanwhile: ask again
                book.answer(question, verdict, now)

        for first in range(0, len(questions), ANSWERS):
            await self.act(partial(answer, questions[first : first + ANSWERS]))

    async def _reconcile(self, questions: Sequence[Question]) -> None:
        """Each minute: do the alerts that stand as firing still fire?"""
        verdicts = list((await self._verdicts(questions)).items())
        for first in range(0, len(verdicts), ANSWERS):
            some = dict(verdicts[first : first + ANSWERS])
            await self.act(partial(_reconcile, some))

    async def _watch(self) -> None:
        """Is the Watchdog there? What ended since it last was proves nothing, either, once it is missing."""
        there = await self._watchdog()
        if there and not self._watchdog_seen:
            await self._store.remember(WATCHDOG_SEEN, self._clock.now())
            self._watchdog_seen = True
        monotonic = self._clock.monotonic()
        seen_at = monotonic if there or self._watchdog_there_at is None else self._watchdog_there_at
        self._watchdog_there_at = seen_at
        missing = self._watchdog_missing if there is None else self._watchdog_seen and not there
        if missing != self._watchdog_missing:
            self._watchdog_missing = missing
            await self.act(lambda book, now: book.watchdog(missing, now - (monotonic - seen_at), now))

    async def _verdicts(self, questions: Sequence[Question]) -> Mapping[int, Verdict]:
        try:
            return await self._asks.ask(questions) if questions else {}
        except Exception:
            log.exception("Alertmanager could not be asked")
            return {}

    async def _watchdog(self) -> bool | None:
        try:
            return await self._asks.watchdog()
        except Exception:
            log.exception("Alertmanager could not be asked for its Watchdog")
            return None


def _parts(delivery: Delivery) -> Iterator[Delivery]:
    """A large delivery, some notices at a time."""
    for first in range(0, len(delivery.notices), BREATH):
        yield replace(delivery, notices=delivery.notices[first : first + BREATH])


def _reconcile(verdicts: Mapping[int, Verdict], book: Book, now: float) -> None:
    book.reconcile(verdicts, now)


def _any(changes: Changes) -> bool:
    """Whether anything has to be saved."""
    return bool(
        changes.episodes
        or changes.incidents
        or changes.posts
        or changes.dead_letters
        or changes.gone_episodes
        or changes.gone_incidents
        or changes.gone_posts
        or changes.accounts
    )
