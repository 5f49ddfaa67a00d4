"""A web address: whether it answers as expected. Each check is a connection of its own, as a new visitor's would be.

Means the same as the blackbox exporter's prober `http` with the module that is rendered for the probe: GET, no
decompression asked for, up to ten redirects with the cookies they set, certificates verified against the system's own
authorities (or those of SSL_CERT_FILE), and an https address must end at one: who is sent from TLS to plain HTTP is
not where they wanted to be. Different from it: addresses of both families are tried (RFC 8305), and of a body no more
than a mebibyte is read. A password in the address goes to the host that it was written for, and to no other.
May import: its neighbours, spec, aiohttp.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

import homelabmon
from homelabmon.relay.probes.checks.errors import FailedError
from homelabmon.relay.probes.checks.line import NEXT_AFTER, Line
from homelabmon.relay.probes.checks.pattern import searcher
from homelabmon.relay.probes.outcome import Outcome, Timing
from homelabmon.spec.watch import Expect, Probe

BODY_LIMIT: Final = 2**20
"""Bytes of a body that are read, and that are looked at once decompressed."""
REDIRECTS: Final = 10
_REDIRECT: Final = (301, 302, 303, 307, 308)
_HEADERS: Final = {"User-Agent": f"homelabmon/{homelabmon.__version__}", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came in the end, behind all redirects."""

    url: str
    status: int
    body: bytes = field(repr=False)
    certificate_until: float | None = None


async def check(probe: Probe, line: Line, timing: Timing) -> Outcome:
    """Asks, and compares with what is expected."""
    assert probe.url is not None
    answer = await get(probe.url, line, timing, follow=probe.expect.redirects)
    flaw = _flaw(probe.url, probe.expect, answer)
    return Outcome("failed" if flaw else "ok", flaw, certificate_until=answer.certificate_until)


def _flaw(url: str, expect: Expect, answer: Answer) -> str:
    """What is not as expected; empty when everything is."""
    if url.lower().startswith("https:") and not answer.url.lower().startswith("https:"):
        return "it redirects from HTTPS to plain HTTP"
    if answer.status not in expect.status:
        return f"status {answer.status} instead of {_one_of(expect.status)}"
    if expect.body is not None and not searcher(expect.body)(answer.body.decode("utf-8", "replace")):
        return f"its body does not match {expect.body!r}"
    return ""


def _one_of(codes: tuple[int, ...]) -> str:
    *first, last = map(str, codes)
    return f"{', '.join(first)} or {last}" if first else last


async def get(address: str, line: Line, timing: Timing, *, follow: bool = True) -> Answer:
    """The answer to a GET. Raises FailedError, and what the network raises."""
    seen = _Seen(timing)
    token = _SEEN.set(seen)
    connector = aiohttp.TCPConnector(
        resolver=_Resolver(line, seen),
        ssl=tls_context(),
        force_close=True,
        use_dns_cache=False,
        happy_eyeballs_delay=NEXT_AFTER,
    )
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            skip_auto_headers=("Accept-Encoding",),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trace_configs=[_tracing(seen)],
        ) as session:
            return await _behind_redirects(session, address, seen, follow)
    finally:
        _SEEN.reset(token)


async def _behind_redirects(session: aiohttp.ClientSession, url: str, seen: _Seen, follow: bool) -> Answer:
    for _ in range(REDIRECTS + 1):
        seen.again()
        async with session.get(url, allow_redirects=False) as response:
            seen.timing.first_byte = seen.since_request()
            where = response.headers.get("Location") if follow and response.status in _REDIRECT else None
            if where is None:
                body = await _body(response)
                return Answer(url, response.status, body, seen.certificate_until())
        url = _next(url, where)
    raise FailedError(f"it redirects more than {REDIRECTS} times")


def _next(url: str, where: str) -> str:
    try:
        found = urljoin(url, where.strip())
        parts = urlsplit(found)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise FailedError("it redirects to what is no web address")
    return found


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts, left = [], BODY_LIMIT
    while left and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    return decompressed(b"".join(parts), response.headers.get("Content-Encoding", ""))


def decompressed(body: bytes, encoding: str) -> bytes:
    """Some compress whether they were asked to or not. No more of it than the limit, however much it would become."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, BODY_LIMIT)
    except zlib.error:
        return body


# What is seen on the way ---------------------------------------------------------------


class _Seen:
    """One check: how long its steps took, and the certificates that came."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.tls: ssl.SSLObject | None = None
        self._began = self._tls_at = self._sent = 0.0
        self._clock = asyncio.get_running_loop().time

    def again(self) -> None:
        """Another request begins."""
        timing = self.timing
        timing.dns = timing.connect = timing.tls = timing.first_byte = None
        self.tls = None

    def looks_up(self) -> None:
        """The connection begins, with a look-up."""
        self._began = self._clock()

    def looked_up(self) -> None:
        """The addresses are known."""
        now = self._clock()
        self.timing.dns, self._began = now - self._began, now

    def shakes_hands(self, tls: ssl.SSLObject) -> None:
        """TCP stands, TLS begins."""
        if self.tls is not tls:
            self.tls, self._tls_at = tls, self._clock()
            self.timing.connect = self._tls_at - self._began

    def connected(self) -> None:
        """Everything stands."""
        now = self._clock()
        if self.tls is None:
            self.timing.connect = now - self._began
        else:
            self.timing.tls = now - self._tls_at
        self._sent = now

    def since_request(self) -> float:
        """Seconds since the connection stood."""
        return self._clock() - self._sent

    def certificate_until(self) -> float | None:
        """When the first certificate that was sent runs out: the server's, or one of its chain. Unix seconds."""
        if self.tls is None:
            return None
        inner: Any = getattr(self.tls, "_sslobj", None)
        chain = [one.get_info() for one in inner.get_unverified_chain() or ()] if inner is not None else []
        ends = [_moment(one["notAfter"]) for one in chain or [self.tls.getpeercert() or {}] if "notAfter" in one]
        return min(ends, default=None)


def _moment(text: str) -> float:
    """``Jun  1 12:00:00 2027 GMT``, as OpenSSL writes it, whatever the locale."""
    month, day, clock, year, _ = text.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SEEN: Final[ContextVar[_Seen | None]] = ContextVar("seen", default=None)


class _Watched(ssl.SSLObject):
    """TLS that tells when its handshake begins, and who the other side is. The loop makes it in the check's context."""

    def do_handshake(self) -> None:
        """The next step of it."""
        seen = _SEEN.get()
        if seen is not None:
            seen.shakes_hands(self)
        super().do_handshake()


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Verifies against the system's authorities; made once, as reading those takes a while."""
    return watched(ssl.create_default_context())


def watched(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, whose handshakes are seen."""
    context.sslobject_class = _Watched
    return context


class _Resolver(AbstractResolver):
    """Looks names up on our line."""

    def __init__(self, line: Line, seen: _Seen) -> None:
        self._line, self._seen = line, seen

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses. Raises NoSuchNameError, which is no OSError: nobody wraps it."""
        found = await self._line.addresses(host, port)
        return [
            ResolveResult(hostname=host, host=where[0], port=port, family=family_, proto=0, flags=socket.AI_NUMERICHOST)
            for family_, where in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _tracing(seen: _Seen) -> aiohttp.TraceConfig:
    async def begins(_: aiohttp.ClientSession, __: SimpleNamespace, ___: object) -> None:
        seen.looks_up()
        seen.timing.dns = 0.0  # an address that is written as one is not looked up

    async def looks_up(_: aiohttp.ClientSession, __: SimpleNamespace, ___: object) -> None:
        seen.timing.dns = None
        seen.looks_up()

    async def looked_up(_: aiohttp.ClientSession, __: SimpleNamespace, ___: object) -> None:
        seen.looked_up()

    async def connected(_: aiohttp.ClientSession, __: SimpleNamespace, ___: object) -> None:
        seen.connected()

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(begins)
    config.on_dns_resolvehost_start.append(looks_up)
    config.on_dns_resolvehost_end.append(looked_up)
    config.on_connection_create_end.append(connected)
    return config
