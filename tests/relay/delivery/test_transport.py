"""The transport against servers on loopback that answer well, badly, slowly, or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.transport import HttpTransport, TransportFailure

TOKEN = "s3cret-token"


class Server:
    """Speaks bytes, so that it can be as rude as needed. ``requests``: the heads that arrived."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next((line for line in lines if line.startswith(b"content-length")), b":0")
                self.bodies.append(await reader.readexactly(int(length.partition(b":")[2])))
                self.requests.append(head)
                answer = self.answers.pop(0)
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self.port}/api/webhooks/1/{TOKEN}"
        finally:
            server.close()
            await server.wait_closed()


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(server: Server, times: int = 1, timeout: float = 5.0) -> list[Response | TransportFailure]:
    async def run() -> list[Response | TransportFailure]:
        async with server.serving() as url, HttpTransport(timeout=timeout) as transport:
            request = Request("POST", url, b'{"content":"hi"}', {"Content-Type": "application/json"})
            return [await transport.send(request) for _ in range(times)]

    return asyncio.run(run())


def test_a_response_has_lower_case_headers_and_its_body() -> None:
    server = Server(answer(b'{"id":"7"}', "200 OK", "X-RateLimit-Remaining: 4"))
    (response,) = ask(server)
    assert isinstance(response, Response)
    assert (response.status, response.body) == (200, b'{"id":"7"}')
    assert response.headers["x-ratelimit-remaining"] == "4"
    assert server.bodies == [b'{"content":"hi"}']
    assert b"User-Agent: homelabmon/" in server.requests[0]


def test_one_connection_serves_many_requests() -> None:
    server = Server(answer(), answer(), answer())
    assert [type(response) for response in ask(server, 3)] == [Response] * 3
    assert server.connections == 1


def test_redirects_are_not_followed() -> None:
    server = Server(answer(b"", "302 Found", "Location: http://127.0.0.1:1/elsewhere"), answer())
    (response,) = ask(server)
    assert isinstance(response, Response)
    assert response.status == 302
    assert len(server.requests) == 1


def test_a_huge_body_is_cut_and_the_next_request_still_works() -> None:
    server = Server(answer(b"x" * 600_000), answer(b"next"))
    first, second = ask(server, 2)
    assert isinstance(first, Response)
    assert len(first.body) == 256 * 1024
    assert isinstance(second, Response)
    assert second.body == b"next"


def test_cookies_are_not_kept() -> None:
    server = Server(answer(b"", "200 OK", "Set-Cookie: __cf=1; Path=/"), answer())
    ask(server, 2)
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    ("sends", "reason"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "reset"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"),
    ],
)
def test_a_rude_server_is_a_failure_with_a_reason(sends: bytes, reason: str) -> None:
    assert ask(Server(sends)) == [TransportFailure(reason)]  # type: ignore[arg-type]


def test_a_server_that_never_answers_is_a_timeout() -> None:
    assert ask(Server(None), timeout=0.1) == [TransportFailure("timeout")]


async def _send(url: str, timeout: float = 5.0) -> Response | TransportFailure:
    async with HttpTransport(timeout=timeout) as transport:
        return await transport.send(Request("POST", url, b"{}"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"https://discord.invalid/api/webhooks/1/{TOKEN}", "dns"),
        ("http://127.0.0.1:1/", "refused"),
        (f"nonsense {TOKEN}", "address"),
        (f"gopher://127.0.0.1/{TOKEN}", "address"),
        (f"http://[::1/{TOKEN}", "address"),
    ],
)
def test_what_cannot_be_reached_is_a_failure_with_a_reason(url: str, reason: str) -> None:
    assert asyncio.run(_send(url)) == TransportFailure(reason)  # type: ignore[arg-type]


def test_a_server_without_tls_is_a_tls_failure() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer(b"", "400 Bad Request"))
        writer.close()

    async def run() -> Response | TransportFailure:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            return await _send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    assert asyncio.run(run()) == TransportFailure("tls")


def test_the_address_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(Server(answer(), b"", None), 3, timeout=0.1)
    asyncio.run(_send(f"https://discord.invalid/{TOKEN}"))
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(Request("POST", f"http://x/{TOKEN}"))
