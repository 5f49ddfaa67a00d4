"""Servers on loopback that do what servers do: answer, answer wrongly, drip, hang, reset, redirect, and lie."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOST = "127.0.0.1"


def http(status: str = "200 OK", body: bytes = b"fine", *headers: str) -> bytes:
    """A whole answer."""
    head = "".join(f"{header}\r\n" for header in (f"Content-Length: {len(body)}", "Connection: close", *headers))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@asynccontextmanager
async def tcp(
    handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = HOST, port: int = 0
) -> AsyncIterator[int]:
    """A server that does this with each connection; its port."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            running.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, host, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


def answering(*answers: bytes | Callable[[str, dict[str, str]], bytes]) -> Handler:
    """Answers each request with the next of these, the last one for ever; a function is given path and headers."""
    left = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        answer = left.pop(0) if len(left) > 1 else left[0]
        writer.write(answer if isinstance(answer, bytes) else answer(first.split(" ")[1], headers))
        await writer.drain()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    await reader.read()
    await asyncio.Event().wait()


async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks first, and plainly."""
    writer.write(b"220 mail.example ESMTP, at your service\r\n")
    await reader.read(1)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up the hard way, once something was asked."""
    await reader.read(1)
    made = writer.get_extra_info("socket")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up as soon as something was asked."""
    await reader.readuntil(b"\r\n\r\n")


def dripping(head: bytes) -> Handler:
    """Sends this, and then a byte now and then, for ever."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    return handle


@asynccontextmanager
async def full() -> AsyncIterator[int]:
    """A port whose queue of connections is full: nobody is refused, and nobody gets through."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    waiting = []
    try:
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect((HOST, port))
            waiting.append(one)
        yield port
    finally:
        for one in (*waiting, listener):
            one.close()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


# DNS ---------------------------------------------------------------------------------------------------------------

Zone = dict[tuple[str, str], list[str]]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, over="udp")
        if answer is not None:
            self._transport.sendto(answer, addr)


class Dns:
    """A name server for a zone: ``{("a.example.", "A"): ["192.0.2.1"]}``, each with an answer code if it has no
    records. ``too_long``: says by UDP that its answers are too long for it. ``mute``: says nothing."""

    def __init__(self, zone: Zone, *, rcode: str = "NOERROR", too_long: bool = False, mute: bool = False) -> None:
        self.zone, self.rcode, self.too_long, self.mute = zone, rcode, too_long, mute
        self.garbage = False
        self.asked: list[str] = []

    def answer(self, data: bytes, over: str) -> bytes | None:
        self.asked.append(over)
        if self.mute:
            return None
        if self.garbage:
            return data[:2] + b"\xff" * 30
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        answer.set_rcode(dns.rcode.from_text(self.rcode))
        if self.too_long and over == "udp":
            answer.flags |= dns.flags.TC
            return answer.to_wire()
        (question,) = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        for (name, type_), texts in self.zone.items():
            if name == str(question.name) and type_ in (kind, "CNAME"):
                answer.answer.append(dns.rrset.from_text(name, 300, "IN", type_, *texts))
        return answer.to_wire()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        answer = self.answer(await reader.readexactly(size), over="tcp")
        if answer is not None:
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address while it runs."""
        async with tcp(self._connection) as port:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(HOST, port))
            try:
                yield f"{HOST}:{port}"
            finally:
                transport.close()
                await asyncio.sleep(0)
