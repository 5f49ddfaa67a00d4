"""Connections: a bound on how many there are, and on how long one may stay silent; whoever comes beyond it waits.

aiohttp bounds neither, for a client that connects and never finishes its first request. A thousand jobs that end in the
same second must not be turned away, though: curl does not try again when it gets no answer at all. So what does not fit
is left to the system's queue until somebody goes. Used by the app. May import: aiohttp, the standard library.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

log = logging.getLogger(__name__)

MOST: Final = 256
QUEUE: Final = 4_096
"""Connections that wait in the system's queue; the system may have a lower bound (net.core.somaxconn)."""
SILENT: Final = 1.0
"""Seconds without a request after which one has to go when somebody else waits."""
_AGAIN: Final = 0.1
"""Seconds until the next attempt when the system gives no connection."""
FIRST_REQUEST: Final = 10.0
"""Seconds within which the head of a first request must have come."""
KEEP_ALIVE: Final = 75.0


class House:
    """Everybody who is connected. When it is full, who has waited longest without a request has to go."""

    def __init__(self, *, most: int = MOST, first_request: float = FIRST_REQUEST, silent: float = SILENT) -> None:
        self.most, self.first_request, self.silent = most, first_request, silent
        self._idle: dict[Guest, float] = {}
        """Since when, the longest first."""
        self._busy: set[Guest] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def empty(self) -> None:
        """Everybody without a request goes now."""
        for guest in list(self._idle):
            guest.show_out()

    async def quiet(self, seconds: float) -> None:
        """Waits until no request is under way, but no longer than so."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds)

    async def room(self) -> int:
        """For how many more there is room: waits until there is for one, and shows out who has been silent."""
        loop = asyncio.get_running_loop()
        while len(self) >= self.most:
            oldest = next(iter(self._idle), None)
            left = self.silent if oldest is None else self._idle[oldest] + self.silent - loop.time()
            if oldest is not None and left <= 0:
                oldest.show_out()
                continue
            self._gone.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), left)
        return self.most - len(self)

    def arrived(self, guest: Guest) -> None:
        """Somebody has connected."""
        self._idle[guest] = asyncio.get_running_loop().time()

    def left(self, guest: Guest) -> None:
        """Somebody is gone."""
        self._idle.pop(guest, None)
        self._busy.discard(guest)
        self._gone.set()
        if not self._busy:
            self._quiet.set()

    def begins(self, guest: Guest) -> None:
        """A request of somebody's has begun."""
        if guest in self._idle:
            del self._idle[guest]
            self._busy.add(guest)
            self._quiet.clear()

    def ends(self, guest: Guest) -> None:
        """It is answered."""
        if guest in self._busy:
            self._busy.discard(guest)
            self._idle[guest] = asyncio.get_running_loop().time()
            self._gone.set()
        if not self._busy:
            self._quiet.set()


class Guest(web.RequestHandler):
    """One connection."""

    __slots__ = ("_house", "_patience")

    def __init__(self, house: House, server: Any, **options: Any) -> None:
        super().__init__(server, **options)
        self._house = house
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(self._house.first_request, self.show_out)
        self._house.arrived(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self._calm()
        self._house.left(self)
        super().connection_lost(exc)

    def begins(self) -> None:
        """One of its requests is being dealt with."""
        self._calm()
        self._house.begins(self)

    def ends(self) -> None:
        """It is answered; from here on aiohttp's own time for kept connections counts."""
        self._house.ends(self)

    def show_out(self) -> None:
        """Closes it, whatever it is about."""
        self._calm()
        self._house.left(self)
        if self.transport is not None:
            self.transport.abort()

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


# Letting them in -----------------------------------------------------------------------------------------------------


async def listening(host: str | None, port: int) -> list[socket.socket]:
    """Sockets that listen on a port of every address that the host has; None: of the machine. Raises OSError."""
    loop = asyncio.get_running_loop()
    places = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    found: list[socket.socket] = []
    try:
        for family, kind, protocol, _, place in dict.fromkeys(places):
            try:
                one = socket.socket(family, kind, protocol)
            except OSError:
                continue  # a kernel without this family, as IPv6 often is in containers
            found.append(one)
            _bind(one, place)
    except OSError:
        for one in found:
            one.close()
        raise
    if not found:
        raise OSError(f"no address to listen on for {host!r}")
    return found


def _bind(one: socket.socket, place: Any) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind(place)
    one.listen(QUEUE)
    one.setblocking(False)


async def let_in(listener: socket.socket, house: House, guest: Callable[[], Guest]) -> None:
    """Takes connections as long as there is room, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            first, _ = await loop.sock_accept(listener)
        except OSError as error:  # no more files, or a client that is gone already
            log.warning("a connection could not be taken", extra={"reason": error.strerror or str(error)})
            await asyncio.sleep(_AGAIN)
            continue
        try:
            room = await house.room()
        except asyncio.CancelledError:
            first.close()
            raise
        await _welcome([first, *_waiting(listener, room - 1)], guest)


def _waiting(listener: socket.socket, most: int) -> list[socket.socket]:
    """Those who have connected already, at most so many."""
    found: list[socket.socket] = []
    with suppress(OSError):
        while len(found) < most:
            found.append(listener.accept()[0])
    return found


async def _welcome(connections: Sequence[socket.socket], guest: Callable[[], Guest]) -> None:
    loop = asyncio.get_running_loop()
    for one in connections:
        one.setblocking(False)
    await asyncio.gather(
        *(loop.connect_accepted_socket(guest, one) for one in connections), return_exceptions=True
    )  # who is gone again is nobody's trouble
