"""The way to an address: looking its name up, and connecting to whichever of its addresses answers first.

Names are looked up by the system's resolver in threads of their own: a name server that is silent keeps nothing else in
the process waiting, nor the process from ending. May import: the standard library.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

LOOK_UPS: Final = 16
"""Names that are looked up at the same time."""
NEXT_AFTER: Final = 0.25
"""Seconds after which the next address is tried as well (RFC 8305)."""

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]


class NoSuchNameError(Exception):
    """A name has no address, or nobody could say. The text says which."""


class Line:
    """What every check uses to get out."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(LOOK_UPS)

    async def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, in the order in which to try them: families in turn. Raises NoSuchNameError."""
        found = _literal(host, port)
        return _in_turn(await self._look_up(host, port) if found is None else found)

    async def _look_up(self, host: str, port: int) -> list[Address]:
        """In a thread that nobody waits for in the end: the system's resolver cannot be told to stop."""
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Address]] = loop.create_future()

        def done(found: list[Address], error: Exception | None) -> None:
            self._room.release()
            if answer.done():
                return
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        def work() -> None:
            found, failure = list[Address](), None
            try:
                found = _look_up(host, port)
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the loop is closed: nobody is interested any more
                loop.call_soon_threadsafe(done, found, failure)

        threading.Thread(target=work, name="look-up", daemon=True).start()
        return await answer

    async def connect(self, addresses: Sequence[Address]) -> socket.socket:
        """A connection to the first address that takes one. Raises the OSError of the first that did not."""
        loop = asyncio.get_running_loop()
        running: set[asyncio.Task[socket.socket]] = set()
        errors: list[OSError] = []
        waiting = list(addresses)
        try:
            while waiting or running:
                if waiting:
                    running.add(loop.create_task(_dial(loop, waiting.pop(0))))
                done, running = await asyncio.wait(
                    running, timeout=NEXT_AFTER if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                won = [task.result() for task in done if task.exception() is None]
                if won:
                    for other in won[1:]:
                        other.close()
                    return won[0]
                errors += [error for task in done if isinstance(error := task.exception(), OSError)]
        finally:
            await _give_up(running)
        raise errors[0] if errors else OSError("there is no address to connect to")


def _literal(host: str, port: int) -> list[Address] | None:
    """An address that is written as one needs no look-up, and no thread."""
    with suppress(OSError):
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return _addresses(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
    return None


def _look_up(host: str, port: int) -> list[Address]:
    try:
        return _addresses(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)):
            raise NoSuchNameError("the name does not exist, or has no address") from None
        raise NoSuchNameError("the name could not be looked up: no name server answers") from None
    except UnicodeError:
        raise NoSuchNameError("this is no host name") from None


def _addresses(infos: Sequence[tuple[object, ...]]) -> list[Address]:
    found = [(info[0], info[4]) for info in infos if info[0] in (socket.AF_INET, socket.AF_INET6)]
    return list(dict.fromkeys(found))  # type: ignore[arg-type]  # what getaddrinfo gives


def _in_turn(addresses: Sequence[Address]) -> list[Address]:
    """The system's order, with the other family's first address second."""
    if not addresses:
        raise NoSuchNameError("the name has no address")
    first = addresses[0][0]
    mine = [one for one in addresses if one[0] == first]
    others = [one for one in addresses if one[0] != first]
    return [*mine[:1], *others[:1], *mine[1:], *others[1:]]


async def _dial(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family, where = address
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await loop.sock_connect(made, where)
    except BaseException:
        made.close()
        raise
    return made


async def _give_up(running: set[asyncio.Task[socket.socket]]) -> None:
    for task in running:
        task.cancel()
    for result in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()
