"""One request over HTTP: to a response, or to the reason why there is none. Never raises, never names the address.

Used by delivery.worker for what channels are told, and by reconcile for what Alertmanager and Prometheus are asked.
May import: notifiers.contract, aiohttp and the standard library.
"""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Protocol, Self

import aiohttp

import homelabmon
from homelabmon.notifiers.contract import Request, Response

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a response that are read; what follows is not, and the connection is closed."""
USER_AGENT: Final = f"homelabmon/{homelabmon.__version__}"

FailureReason = Literal["timeout", "dns", "refused", "reset", "unreachable", "tls", "protocol", "address"]
"""A metric label. ``address``: what should be called is no address at all."""


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """No response came. Whether the other side acted on the request is not known."""

    reason: FailureReason


class Transport(Protocol):
    """What sends requests. Tests have one that records."""

    async def send(self, request: Request) -> Response | TransportFailure:
        """Sends the request once and waits for the whole response."""
        ...


class HttpTransport:
    """A client that keeps connections open and follows no redirects. Use it as an asynchronous context manager.

    ``timeout``: seconds for everything, from the look-up of the name to the last byte. ``body_limit``: bytes.
    """

    def __init__(self, *, timeout: float = 15.0, body_limit: int = BODY_LIMIT) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 5.0))
        self._body_limit = body_limit
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=self._timeout,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: Request) -> Response | TransportFailure:
        """Sends the request once. The body of the response is cut after the limit."""
        if self._session is None:
            raise RuntimeError("the transport is not open")
        try:
            return await self._send(self._session, request)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return TransportFailure(reason_of(error))

    async def _send(self, session: aiohttp.ClientSession, request: Request) -> Response:
        async with session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=dict(request.headers),
            allow_redirects=False,
        ) as response:
            body = await _read(response.content, self._body_limit)
            if not response.content.at_eof():
                response.close()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Response(response.status, headers, body)


async def _read(content: aiohttp.StreamReader, limit: int) -> bytes:
    parts, left = [], limit
    while left and (part := await content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def reason_of(error: Exception) -> FailureReason:
    """The reason in one word; the text of such errors names hosts, and sometimes whole addresses."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused" if error.os_error.errno == errno.ECONNREFUSED else "unreachable"
    if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, OSError)):
        return "reset"
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError)):
        return "address"
    return "protocol"
