"""Connections that cannot be held open for nothing: a bound on how many, and on how long one may stay silent.

aiohttp has neither for a client that connects and never finishes its first request. Used by the app.
May import: aiohttp, the standard library.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

MOST: Final = 256
FIRST_REQUEST: Final = 10.0
"""Seconds within which the head of a first request must have come."""
KEEP_ALIVE: Final = 75.0


class House:
    """Everybody who is connected. When it is full, who has waited longest without a request has to go."""

    def __init__(self, *, most: int = MOST, first_request: float = FIRST_REQUEST) -> None:
        self.most, self.first_request = most, first_request
        self._idle: dict[Guest, None] = {}
        self._busy: set[Guest] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

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

    def arrived(self, guest: Guest) -> None:
        """Somebody has connected."""
        if len(self) >= self.most:
            oldest = next(iter(self._idle), None)
            (oldest or guest).show_out()
            if oldest is None:
                return
        self._idle[guest] = None

    def left(self, guest: Guest) -> None:
        """Somebody is gone."""
        self._idle.pop(guest, None)
        self._busy.discard(guest)
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
            self._idle[guest] = None
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
