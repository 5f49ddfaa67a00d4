"""The part of a service that takes pings for the outpost. May import: relay.part, relay.exposition, its neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from aiohttp import web

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.transport import HttpTransport, Transport, TransportFailure
from homelabmon.relay.exposition import Family, counter, gauge
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.spool import records
from homelabmon.relay.spool.courier import Courier
from homelabmon.relay.spool.door import SpoolDoor
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile

OUTCOMES: Final = ("delivered", "refused", "superseded", "expired", "turned_away")
"""What becomes of a ping: the outpost has it; the outpost will never take it; newer ones of its heartbeat took its
place; it waited for too long; there was no room, and the client was told to come again."""


class Spool(Part):
    """``door`` takes pings, ``courier`` sends them on."""

    name = "spool"

    def __init__(
        self,
        file: RelayFile,
        tools: Tools,
        transport: Callable[[], AbstractAsyncContextManager[Transport]] = HttpTransport,
    ) -> None:
        """``transport``: opens the way to the outpost."""
        self._store, self._clock, self._open = tools.store, tools.clock, transport
        self._line = _Line()
        self._counts = Counter[str]()
        self.courier = Courier(tools.store, tools.clock, self._line, self._counts)
        self.door = SpoolDoor(tools.store, tools.clock, self.courier.nudge, self._counts)
        self.reconfigure(file)

    async def run(self) -> None:
        """Sends on what waits, until it is cancelled."""
        async with self._open() as self._line.inner:
            await self.courier.run()

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        upstream = file.upstream
        self.door.taking = upstream is not None and upstream.spool
        self.courier.url = None if upstream is None else upstream.url
        self.courier.nudge()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The answer to a ping."""
        return await self.door.handle(request)

    async def families(self) -> Iterable[Family]:
        """What waits, and what became of what came."""
        if not self.door.taking:
            return ()
        waiting = await self._store.transact(records.waiting)
        age = 0.0 if waiting.since is None else max(self._clock.now() - waiting.since, 0.0)
        became: list[Any] = [({"outcome": outcome}, self._counts[outcome]) for outcome in OUTCOMES]
        return (
            gauge(names.METRIC_SPOOL_WAITING, "Pings that wait for the outpost.", ({}, waiting.count)),
            gauge(names.METRIC_SPOOL_AGE, "For how long the oldest of them has waited.", ({}, age)),
            counter(names.METRIC_SPOOL_PINGS, "Pings taken for the outpost, by what became of them.", *became),
        )


class _Line:
    """The way to the outpost, once it is open."""

    inner: Transport

    async def send(self, request: Request) -> Response | TransportFailure:
        """Sends it."""
        return await self.inner.send(request)
