"""The ping API: what healthchecks' clients know, at ``/ping`` and, as they take it for granted, at ``/`` too.

====================================================== ================================================
``/ping/<uuid>``, with or without a slash behind it    a run has succeeded
``/ping/<key>/<name>``                                 the same, by the key of all and the heartbeat's name
either with ``/start``, ``/fail``, ``/log``            a run begins, has failed, has something to say
either with a number from 0 to 255                     the exit code: 0 is a success, any other a failure
either with a signal's name, such as ``TERM``          a failure: 128 and its number. So systemd's ``$EXIT_STATUS`` is
                                                       taken as it is (systemd.exec(5))
====================================================== ================================================

``?rid=<uuid>`` tells runs apart, ``?create=1`` makes a heartbeat of that name, and ``?at=<Unix seconds>`` (ours) says
when the ping was meant, where it could not be sent then. Whoever knows the address may say so: it is never later than
now, and changes nothing about what is known already. ``&sent=<Unix seconds>``, by the same clock, tells how wrong that
clock is. Any method will do. The body is kept up to 10,000 bytes.
Answered once it is on disk: 200 ``OK``, 201 ``Created``, 400, 404; 503 while it cannot be stored, which clients repeat.

Used by the service. May import: aiohttp, relay.bodies, relay.clock, relay.store.trouble, relay.secrets, its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import signal
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from homelabmon.relay import bodies
from homelabmon.relay.clock import Clock
from homelabmon.relay.heartbeats.addresses import Addresses
from homelabmon.relay.heartbeats.keeper import Keeper, TooManyError
from homelabmon.relay.heartbeats.records import Heard
from homelabmon.relay.heartbeats.state import Kind
from homelabmon.relay.secrets import SecretError
from homelabmon.relay.store.trouble import StoreError
from homelabmon.spec import names

log = logging.getLogger(__name__)

BODY: Final = 10_000
"""Bytes of a body that are kept. The first ones: clients that read the limit send the last so many."""
LONGEST_BODY: Final = 2**20
"""Bytes that are read at all; who sends more is answered and shown out."""
LONGEST_NAME: Final = 100
CLIENT: Final = 200
MOST: Final = 512
"""Pings under way at the same time."""
SLACK: Final = 10.0
"""Seconds by which another machine's clock, and the way from there, may be off without being corrected: what is on its
way for long would else be taken for a clock that is slow, and a start could come out later than its end."""
PATIENCE: Final = 10.0
"""Seconds within which a body must have come."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]+")
_NUMBER: Final = re.compile(r"[0-9]+")
_WORDS: Final[Mapping[str, Kind]] = {"start": "start", "fail": "fail", "log": "log"}
_SIGNALS: Final[Mapping[str, int]] = {one.name.removeprefix("SIG"): one.value for one in signal.Signals}
_TAKEN: Final = frozenset({"v1", "quarantine", "dead-letters", "ping"})
"""First parts of paths that mean something else."""
LIMIT: Final = "Ping-Body-Limit"
"""The header by which an answer of this API is known."""
_HEADERS: Final[Mapping[str, str]] = {
    LIMIT: str(BODY),
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.CACHE_CONTROL: "no-cache, no-store, must-revalidate, private, max-age=0",
}


@dataclass(frozen=True, slots=True)
class Address:
    """What a path means: a UUID, or a key and a name; and what happened."""

    kind: Kind
    uuid: str | None = None
    key: str = ""
    name: str = ""
    exit_code: int | None = None


class BadPathError(Exception):
    """It is the path of a ping, and wrong."""


def address_of(path: str) -> Address | None:
    """What a path means; None when it is no ping's. Raises BadPathError."""
    parts = path.split("/")[1:]
    if parts[0] == names.PATH_PING.strip("/"):
        parts = parts[1:]
    elif parts[0] in _TAKEN:
        return None
    if not parts or not 1 <= len(parts) <= 3:
        return None
    return _by_uuid(parts) if _UUID.fullmatch(parts[0]) else _by_name(parts)


def _by_uuid(parts: list[str]) -> Address | None:
    if len(parts) == 1 or parts[1:] == [""]:
        return Address("success", parts[0])
    what = _what(parts[1]) if len(parts) == 2 else None
    if what is None:
        return _by_name(parts)
    return Address(what[0], parts[0], exit_code=what[1])


def _by_name(parts: list[str]) -> Address | None:
    if len(parts) < 2 or not all(_SLUG.fullmatch(part) for part in parts[:2]):
        return None
    what = _what(parts[2]) if len(parts) == 3 else ("success", None)
    if what is None:
        return None
    if parts[1] != parts[1].lower() or len(parts[1]) > LONGEST_NAME:
        raise BadPathError
    return Address(what[0], key=parts[0], name=parts[1], exit_code=what[1])


def _what(part: str) -> tuple[Kind, int | None] | None:
    if part in _WORDS:
        return _WORDS[part], None
    if part in _SIGNALS:
        return "fail", 128 + _SIGNALS[part]
    if not _NUMBER.fullmatch(part):
        return None
    if len(part) > 9 or int(part) > 255:
        raise BadPathError
    return ("fail" if int(part) else "success"), int(part)


class PingDoor(ABC):
    """Reads pings. What becomes of them is for those who inherit it: the outpost heeds them, the spool sends them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answers: Counter[int] = Counter()
        """By status."""
        self._under_way = 0

    @property
    @abstractmethod
    def open(self) -> bool:
        """Whether pings are answered at all."""

    @abstractmethod
    def whose(self, address: Address) -> str | web.Response:
        """Whom it is for; an answer where nothing else of it needs to be read."""

    @abstractmethod
    async def take(self, whose: str, heard: Heard, *, create: bool, close: bool) -> web.Response:
        """The answer, once it is on disk. ``close``: the rest of the body is not read."""

    async def handle(self, request: web.BaseRequest) -> web.Response | None:
        """The answer; None when it is no ping."""
        if not self.open:
            return None
        try:
            address = address_of(request.path)
        except BadPathError:
            return self._count(answer(400, "invalid url format"))
        below = request.path == names.PATH_PING or request.path.startswith(f"{names.PATH_PING}/")
        if address is None:
            return self._count(answer(404, "not found")) if below else None
        if self._under_way >= MOST:
            return self._count(later("too many pings at once"))
        self._under_way += 1
        try:
            return self._count(await self._ping(request, address))
        finally:
            self._under_way -= 1

    def _count(self, response: web.Response) -> web.Response:
        self.answers[response.status] += 1
        return response

    async def _ping(self, request: web.BaseRequest, address: Address) -> web.Response:
        whose = self.whose(address)
        if isinstance(whose, web.Response):
            return whose
        rid = request.query.get("rid")
        if rid is not None and not _ANY_UUID.fullmatch(rid):
            return answer(400, "invalid uuid format")
        now = self._clock.now()
        at = moment(request.query.get("at"), request.query.get("sent"), now)
        if at is None:
            return answer(400, "invalid time format")
        try:
            async with asyncio.timeout(PATIENCE):
                body, whole = await _body(request)
        except TimeoutError:
            return later("the body takes too long", close=True)
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            return answer(400, "the body is broken", close=True)
        heard = Heard(
            kind=address.kind,
            at=at,
            received_at=now,
            rid=None if rid is None else rid.lower(),
            exit_code=address.exit_code,
            method=request.method[:16],
            client=request.headers.get(hdrs.USER_AGENT, "")[:CLIENT],
            address=_from(request),
            body=body,
        )
        create = address.uuid is None and request.query.get("create") == "1"
        return await self.take(whose, heard, create=create, close=not whole)


class PingApi(PingDoor):
    """Answers pings of heartbeats that are kept here."""

    def __init__(self, keeper: Keeper, addresses: Addresses, clock: Clock) -> None:
        super().__init__(clock)
        self._keeper, self._addresses = keeper, addresses
        self._complained = ""

    @property
    def open(self) -> bool:
        """Where the configuration names addresses."""
        return self._addresses.open

    def whose(self, address: Address) -> str | web.Response:
        """The heartbeat's name."""
        try:
            name = self._name(address)
        except SecretError as error:
            if self._complained != str(error):
                self._complained = str(error)
                log.error("the addresses of heartbeats cannot be read", extra={"reason": str(error)})
            return later("the addresses cannot be read")
        return answer(404, "not found") if name is None else name

    async def take(self, whose: str, heard: Heard, *, create: bool, close: bool) -> web.Response:
        """Heeds it."""
        try:
            made = await self._keeper.hear(whose, heard, create=create)
        except StoreError as error:
            return later(f"it could not be stored: {error}", close=close)
        except TooManyError:
            return answer(404, "not found", close=close)
        if made is None:
            return answer(404, "not found", close=close)
        return answer(201, "Created", close=close) if made else answer(200, "OK", close=close)

    def _name(self, address: Address) -> str | None:
        if address.uuid is not None:
            return self._addresses.by_uuid(address.uuid)
        return address.name if self._addresses.knows_key(address.key) else None


async def _body(request: web.BaseRequest) -> tuple[bytes, bool]:
    """What is kept of the body, and whether all of it was read."""
    await bodies.invite(request)
    found, size = bytearray(), 0
    async for piece in request.content.iter_any():
        found += piece[: BODY - len(found)]
        size += len(piece)
        if size > LONGEST_BODY:
            return bytes(found), False
    return bytes(found), True


def moment(at: str | None, sent: str | None, now: float) -> float | None:
    """When a ping was meant: not in the future. None when that is no time.

    ``sent``: what the sender's clock said when it was sent; where that is far from ours, by so much its times are off.
    """
    if at is None:
        return now
    meant, said = _seconds(at), now if sent is None else _seconds(sent)
    if meant is None or said is None:
        return None
    return min(meant if abs(now - said) <= SLACK else meant + now - said, now)


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found > 0 else None


def _from(request: web.BaseRequest) -> str:
    """The client's address; behind a proxy, what that says."""
    said = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
    return (said or request.remote or "")[:64]


def answer(status: int, words: str, *, close: bool = False) -> web.Response:
    """An answer as clients know it."""
    headers = dict(_HEADERS)
    if close:
        headers[hdrs.CONNECTION] = "close"
    return web.Response(status=status, text=words, headers=headers)


def later(words: str, *, close: bool = False) -> web.Response:
    """Clients are to come again."""
    response = answer(503, words, close=close)
    response.headers[hdrs.RETRY_AFTER] = "1"
    return response
