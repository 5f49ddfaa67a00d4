"""Reads the bodies of requests without ever holding more of them than was planned for.

Used by the app. May import: aiohttp, the standard library.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

FREE: Final = 65_536
"""Bytes that any request may have at once: so many, times the connections, are planned for."""


class TooLargeError(Exception):
    """The body is larger than any may be. ``size``: what it said, or what had been read by then."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


class Budget:
    """So many bytes for all large bodies together; who comes first is served first."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used(self) -> int:
        """Bytes that are taken."""
        return self._used

    @asynccontextmanager
    async def share(self, size: int) -> AsyncIterator[None]:
        """Waits for so many bytes, which may be used while this lasts. No more than all of them are ever waited for."""
        size = min(size, self._total)
        await self._take(size)
        try:
            yield
        finally:
            self._used -= size
            self._serve()

    def resize(self, total: int) -> None:
        """From now on there are so many in all."""
        self._total = total
        self._serve()

    async def _take(self, size: int) -> None:
        turn = (size, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._serve()
        try:
            await turn[1]
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn[1].done() and not turn[1].cancelled():
                self._used -= size
            self._serve()
            raise

    def _serve(self) -> None:
        while self._waiting and (not self._used or self._used + self._waiting[0][0] <= self._total):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._used += size
                turn.set_result(None)


def needs(request: web.BaseRequest, most: int) -> int:
    """How many bytes of the budget the body needs: none for small ones, all where nobody knows how many it has.

    Raises TooLargeError.
    """
    length = request.content_length
    if length is not None and length > most:
        raise TooLargeError(length)
    if length is None or "Content-Encoding" in request.headers:
        return most if request.body_exists else 0
    return length if length > FREE else 0


def there(request: web.BaseRequest, most: int) -> bytes | None:
    """The whole body if all of it has come already, as with most small requests. Raises TooLargeError."""
    if not request.content.is_eof():
        return None
    found = request.content.read_nowait()
    if len(found) > most:
        raise TooLargeError(len(found))
    return found


async def invite(request: web.BaseRequest) -> None:
    """Tells a client that asked first (``Expect: 100-continue``) to send the body; curl asks for large ones."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # or aiohttp would take it for the beginning of the answer


async def read(request: web.BaseRequest, most: int) -> bytes:
    """The whole body, unpacked. Raises TooLargeError as soon as it is more than ``most`` bytes."""
    await invite(request)
    found = bytearray()
    async for piece in request.content.iter_any():
        if len(found) + len(piece) > most:
            raise TooLargeError(len(found) + len(piece))
        found += piece
    return bytes(found)
