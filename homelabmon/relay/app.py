"""The server: four doors for senders, health, readiness, metrics. 200 only for what is on disk.

Every answer to a sender is one of these, and each means what senders take it for (Alertmanager repeats after 5xx and
lost connections, and takes any 4xx for final; Vector repeats some 4xx; Falco looks at none):

- 200: it is on disk.
- 401, 404, 405: it does not know the secret, or the door is not open. Nothing is kept.
- 400, 413, 422: it can never be read as it is. It is kept in quarantine, and the answer says why.
- 503 with Retry-After: it could not be stored, now. Nothing of it is kept.

Never 429, and never 500: a bug of ours while reading is a 422 with the request in quarantine, any other is a 503.

Started by the service. May import: aiohttp, and its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from homelabmon.relay import bodies, doors
from homelabmon.relay.bodies import Budget, TooLargeError
from homelabmon.relay.clock import Clock
from homelabmon.relay.connections import KEEP_ALIVE, Guest, House, let_in, listening
from homelabmon.relay.delivery.figures import Histogram
from homelabmon.relay.doors import Doors
from homelabmon.relay.exposition import CONTENT_TYPE
from homelabmon.relay.inbox import Inbox, read_as
from homelabmon.relay.intake import ALL, Intake, Refused
from homelabmon.relay.secrets import SecretError
from homelabmon.relay.store.trouble import StoreError
from homelabmon.spec import names

log = logging.getLogger(__name__)

ACKNOWLEDGE_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNKNOWN_BODY: Final = 2**20
"""Bytes that are read of somebody who can be known only by what it sent."""
RETRY_AFTER: Final = "5"
_CLOSE: Final = {"Connection": "close"}

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    body: float = 20.0
    """Within which a body must have come."""
    turn: float = 10.0
    """For how long a large body waits until there is room for it."""


class App:
    """Answers requests. ``metrics`` makes the text of the metrics page; ``nudge`` is called when something came in.

    ``public``: everybody can reach it, so that metrics are for those alone who show a token.
    """

    def __init__(
        self,
        inbox: Inbox,
        doors_: Doors,
        clock: Clock,
        *,
        metrics: Callable[[], Awaitable[str]],
        nudge: Callable[[], None],
        most_body: int,
        public: bool = False,
        house: House | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.doors = doors_
        self.public = public
        self.most_body = most_body
        self.stopping = False
        self.house = house if house is not None else House()
        self.answers: Counter[tuple[str, int]] = Counter()
        """By source and status."""
        self.acknowledged = Histogram(ACKNOWLEDGE_BOUNDS)
        self.pages: dict[tuple[str, str], Page] = {
            (hdrs.METH_GET, names.PATH_HEALTH): self._health,
            (hdrs.METH_GET, names.PATH_READY): self._ready,
            (hdrs.METH_GET, names.PATH_METRICS): self._metrics,
        }
        """Whatever is no door, by method and path."""
        self.others: Page | None = None
        """What answers everything else."""
        self.saw: Callable[[web.BaseRequest], None] = _nothing
        """Called with every request."""
        self.refused: Callable[[web.BaseRequest], None] = _nothing
        """Called with each that comes as Alertmanager does, and does not know the secret."""
        self._inbox, self._clock, self._nudge, self._text = inbox, clock, nudge, metrics
        self._budget = Budget(most_body)
        self._patience = patience or Patience()
        self._troubles: set[str] = set()

    def resize(self, most_body: int) -> None:
        """From now on a request may have so many bytes."""
        self.most_body = most_body
        self._budget.resize(most_body)

    # Any request ------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request. Never raises, but when it is cancelled."""
        guest = request.protocol
        if isinstance(guest, Guest):
            guest.begins()
        try:
            self.saw(request)
            response = await self._answer(request)
        except Exception as error:
            log.exception("a bug: a request could not be answered", extra={"path": _path(request)})
            response = _later(f"a bug of the relay ({type(error).__name__})")
        finally:
            if isinstance(guest, Guest):
                guest.ends()
        response.headers[hdrs.SERVER] = "homelabmon"
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        for intake in ALL:
            if request.path == intake.path or request.path.startswith(f"{intake.path}/"):
                return await self._sender(request, intake)
        method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
        page = self.pages.get((method, request.path))
        if page is not None:
            return await page(request)
        if any(path == request.path for _, path in self.pages):
            return _text(405, "not with this method")
        return _text(404, "there is nothing here") if self.others is None else await self.others(request)

    async def _health(self, _: web.BaseRequest) -> web.Response:
        return _text(200, "alive")

    async def _ready(self, _: web.BaseRequest) -> web.Response:
        if self.stopping:
            return _later("the relay is stopping")
        trouble = self._inbox.store.trouble
        return _text(200, "ready") if trouble is None else _later(str(StoreError(trouble)))

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        try:
            admitted = self.doors.scraper(request.headers)
        except SecretError as error:
            self._complain("metrics", str(error))
            return _later("the relay cannot read the secret that would let you in")
        self._troubles.discard("metrics")
        if admitted is None and self.public:
            return _text(404, "the outpost's configuration names no scrape_token_file, so it shows no metrics")
        if admitted is False:
            return _unknown()
        return web.Response(body=(await self._text()).encode(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    # Senders ------------------------------------------------------------

    async def _sender(self, request: web.BaseRequest, intake: Intake) -> web.Response:
        began = time.perf_counter()
        response = await self._receive(request, intake)
        self.answers[intake.name, response.status] += 1
        if response.status == 200:
            self.acknowledged.add(time.perf_counter() - began)
        return response

    async def _receive(self, request: web.BaseRequest, intake: Intake) -> web.Response:
        if request.method != hdrs.METH_POST:
            return web.Response(status=405, text="post it\n", headers={hdrs.ALLOW: hdrs.METH_POST})
        rest = request.path.removeprefix(intake.path).removeprefix("/")
        if rest and intake.door != "path":
            return _text(404, "there is nothing here")
        try:
            secrets = self.doors.secrets(intake)
        except SecretError as error:
            self._complain(intake.name, str(error))
            return _later("the relay cannot read the secret that would let you in")
        self._troubles.discard(intake.name)
        if secrets is None:
            return _text(404, f"the relay's configuration names no secret for {intake.name}, so it takes nothing")
        by_signature = doors.signed(intake, request.headers)
        if not by_signature and not doors.admits(intake, secrets, request.headers, rest):
            if intake.name == names.SOURCE_ALERTMANAGER:
                self.refused(request)
            return _unknown()
        most = min(self.most_body, UNKNOWN_BODY) if by_signature else self.most_body
        try:
            async with self._room(bodies.needs(request, most)):
                body = await self._body(request, most)
                if by_signature and not doors.verified(secrets, request.headers, body):
                    return _unknown()
                return await self._store(intake, body)
        except TooLargeError as error:
            if by_signature:
                return _text(413, f"larger than {most:,} bytes", close=True)
            return await self._refuse(intake, f"larger than {most:,} bytes", 413, None, error.size)
        except TimeoutError:
            return _later("it took too long to come, or there is no room for it yet", close=True)
        except StoreError as error:
            return _later(f"it could not be stored: {error}")
        except (web.RequestPayloadError, HttpProcessingError):
            return _text(400, "the body is broken", close=True)
        except OSError:
            return _text(400, "the connection was lost", close=True)

    @asynccontextmanager
    async def _room(self, size: int) -> AsyncIterator[None]:
        """Room for a large body, as soon as there is some. Raises TimeoutError when there is none for too long."""
        if not size:
            yield
            return
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._patience.turn):
                await stack.enter_async_context(self._budget.share(size))
            yield

    async def _body(self, request: web.BaseRequest, most: int) -> bytes:
        body = bodies.there(request, most)
        if body is not None:
            return body
        async with asyncio.timeout(self._patience.body):
            return await bodies.read(request, most)

    async def _store(self, intake: Intake, body: bytes) -> web.Response:
        now = self._clock.now()
        parsed = read_as(intake, body, now)
        if isinstance(parsed, Refused):
            return await self._refuse(intake, parsed.reason, parsed.status, body)
        await self._inbox.take(intake, body, parsed, now)
        self._nudge()
        return _text(200, "stored")

    async def _refuse(
        self, intake: Intake, reason: str, status: int, body: bytes | None, size: int = 0
    ) -> web.Response:
        """It goes to quarantine; where even that fails, it may come again."""
        try:
            number = await self._inbox.refuse(intake.name, reason, body, size)
        except StoreError as error:
            return _later(f"it could not be stored: {error}", close=body is None)
        kept = f"kept as number {number} in the relay's quarantine"
        return _text(status, f"{reason} ({kept})", close=body is None)

    def _complain(self, name: str, reason: str) -> None:
        """Once, until it works again."""
        if name not in self._troubles:
            self._troubles.add(name)
            log.error("a secret cannot be read", extra={"source": name, "reason": reason})


# Listening ---------------------------------------------------------------------------------------------------------


class Listener:
    """The app on a port."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._server = web.Server(app.handle)
        self._sockets: list[socket.socket] = []
        self._doormen: list[asyncio.Task[None]] = []

    async def start(self, host: str | None, port: int) -> int:
        """Listens; ``host`` None: on every address. Gives the port, which the system chooses when it is 0.

        Raises OSError.
        """
        loop = asyncio.get_running_loop()
        self._sockets = await listening(host, port)
        for one in self._sockets:
            doorman = let_in(one, self._app.house, lambda: self._guest(loop))
            self._doormen.append(asyncio.create_task(doorman, name="doorman"))
        found: int = self._sockets[0].getsockname()[1]
        return found

    def _guest(self, loop: asyncio.AbstractEventLoop) -> Guest:
        return Guest(
            self._app.house,
            self._server,
            loop=loop,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=2.0,
        )

    async def stop(self, seconds: float) -> None:
        """Takes no more connections, and gives requests that are under way so long to end."""
        self._app.stopping = True
        for doorman in self._doormen:
            doorman.cancel()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # whoever comes now is refused at once
        await asyncio.gather(*self._doormen, return_exceptions=True)
        for one in self._sockets:
            one.close()
        self._app.house.empty()
        await self._app.house.quiet(seconds)
        await self._server.shutdown(1.0)


def _nothing(_: web.BaseRequest) -> None:
    """Nobody wants to know."""


def _text(status: int, words: str, *, close: bool = False) -> web.Response:
    return web.Response(status=status, text=f"{words}\n", headers=_CLOSE if close else None)


def _later(words: str, *, close: bool = False) -> web.Response:
    headers = {hdrs.RETRY_AFTER: RETRY_AFTER, **(_CLOSE if close else {})}
    return web.Response(status=503, text=f"{words}\n", headers=headers)


def _unknown() -> web.Response:
    return web.Response(status=401, text="not with this secret\n", headers={hdrs.WWW_AUTHENTICATE: "Bearer", **_CLOSE})


def _path(request: web.BaseRequest) -> str:
    """The path without what may be a secret in it."""
    return next((intake.path for intake in ALL if request.path.startswith(intake.path)), request.path)
