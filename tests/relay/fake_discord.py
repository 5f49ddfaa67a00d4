"""A Discord that takes and refuses what Discord takes and refuses, over real HTTP, and remembers everything.

In a test::

    async with FakeDiscord() as discord:
        ops = discord.add_webhook("ops")
        ...                                  # post to ops.url
        discord.faults.append(Fault("status", status=502, html=True, times=3))
        assert discord.visible(["alert-1"]) == {"alert-1"}

As a process, for programs that are tested from outside: ``python -m tests.relay.fake_discord --port 0 --webhook ops``
writes one line of JSON to stdout (``webhooks``: name to address; ``control``: where it takes orders), then serves until
it is terminated. :class:`tests.relay.discord_process.DiscordProcess` starts one and gives it orders.

What a message may hold: :mod:`tests.relay.discord_rules`. How often: :mod:`tests.relay.discord_rates`. Routes, answers
and threads: Discord's API documentation, resources/webhook and topics/threads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiohttp import web

from homelabmon.relay.clock import Clock, SystemClock
from tests.relay.discord_rates import Limited, Meter, Rates
from tests.relay.discord_rules import Refusal, edited, pinged, refusal_of_edit, refusal_of_post

_ROUTE: Final = re.compile(
    r"/api(?P<version>/v\d+)?/webhooks/(?P<id>\d+)/(?P<token>[\w-]+)(?:/messages/(?P<message>\d+))?"
)
_VERSIONS: Final = (None, "/v6", "/v7", "/v8", "/v9", "/v10")
_BIGGEST: Final = 25 * 1024 * 1024
_HOUR: Final = 3600.0
_HTML: Final = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>cloudflare</body></html>"


@dataclass
class Fault:
    """Something that goes wrong on the way. ``times``: for so many requests; None: until it is taken away.

    - ``hang``: no answer, ever; with ``seconds``, after so long the connection is closed
    - ``reset``: half an answer, then a reset connection; ``cut``: half an answer, then the end
    - ``status``: this status, as JSON or as a page of HTML
    - ``rate_limit``: 429 with ``seconds`` as its waiting time, ``everywhere`` or for the webhook, as JSON or HTML
    - ``slow``: the right answer, after ``seconds``

    ``stored``: the request does what it should, and only the answer goes wrong.
    """

    kind: Literal["hang", "reset", "cut", "status", "rate_limit", "slow"]
    status: int = 500
    seconds: float = 0.0
    html: bool = False
    everywhere: bool = False
    stored: bool = False
    times: int | None = None
    webhook: str | None = None
    method: str | None = None


@dataclass
class Thread:
    """A thread of a channel, or a post of a forum."""

    id: str
    name: str
    archived: bool = False
    locked: bool = False


@dataclass
class Webhook:
    """A webhook and its channel."""

    name: str
    id: str
    token: str
    channel: str
    forum: bool
    url: str = field(repr=False)
    deleted: bool = False
    threads: dict[str, Thread] = field(default_factory=dict)


@dataclass
class Version:
    """What a message held from one moment on."""

    at: float
    payload: dict[str, Any]


@dataclass
class Posted:
    """A message with everything it ever held. ``pinged``: whom the post notified; edits notify nobody."""

    id: str
    webhook: str
    channel: str
    thread: str | None
    pinged: list[str]
    versions: list[Version]
    deleted_at: float | None = None

    @property
    def payload(self) -> dict[str, Any]:
        return self.versions[-1].payload

    @property
    def text(self) -> str:
        """What a reader sees now."""
        return text_of(self.payload)


@dataclass(frozen=True)
class Seen:
    """A request that came in, and how it was answered. No status: it was not answered."""

    at: float
    method: str
    webhook: str | None
    status: int | None


def text_of(payload: dict[str, Any]) -> str:
    """Everything that is read in a message, as it looks: without escapes and invisible characters."""
    parts = [payload.get("content") or ""]
    for embed in payload.get("embeds") or ():
        parts += [str(embed.get(key) or "") for key in ("title", "description")]
        parts += [str(embed.get(part, {}).get(key) or "") for part, key in (("author", "name"), ("footer", "text"))]
        parts += [f"{one.get('name')}: {one.get('value')}" for one in embed.get("fields") or ()]
    written = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", "\n".join(part for part in parts if part))
    return written.replace("\u200b", "")


class FakeDiscord:
    """The server. ``clock``: times of messages and of rate limits; ``rates``: how often it lets itself be called."""

    def __init__(self, *, clock: Clock | None = None, rates: Rates | None = None, port: int = 0) -> None:
        self.clock: Clock = clock or SystemClock()
        self.meter = Meter(rates or Rates(), self.clock.monotonic)
        self.webhooks: dict[str, Webhook] = {}
        self.messages: dict[str, Posted] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.port = port
        self._next_id = 1_200_000_000_000_000_000
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._reserved: socket.socket | None = None

    # Life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_BIGGEST)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.come_up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self.go_down()
        if self._reserved is not None:
            self._reserved.close()
        assert self._runner is not None
        await self._runner.cleanup()

    async def go_down(self) -> None:
        """Refuses connections, and drops those there are. The port stays ours."""
        if self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        assert self._runner is not None
        if self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    _reset(connection.transport)
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", self.port))

    async def come_up(self) -> None:
        """Listens, on the same port as before."""
        if self._site is not None:
            return
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])

    def release(self) -> None:
        """Takes all faults away, and lets go of the requests that hang: their connections are closed."""
        self.faults.clear()
        self._released.set()
        self._released = asyncio.Event()

    # Channels -----------------------------------------------------------------------------------------------------

    def add_webhook(self, name: str, *, forum: bool = False, channel: str | None = None) -> Webhook:
        """A new webhook, in a channel of its own unless one is named by its id."""
        number, token = self._id(), f"{name.replace(' ', '-')}-{'t' * 60}"
        url = f"http://127.0.0.1:{self.port}/api/webhooks/{number}/{token}"
        webhook = Webhook(name, number, token, channel or self._id(), forum, url)
        self.webhooks[name] = webhook
        return webhook

    def add_thread(self, webhook: str, name: str = "thread") -> Thread:
        """A new thread in the webhook's channel."""
        thread = Thread(self._id(), name)
        self.webhooks[webhook].threads[thread.id] = thread
        return thread

    def delete_webhook(self, name: str) -> None:
        """Somebody deletes the webhook: it is unknown from now on. Its messages stay."""
        self.webhooks[name].deleted = True

    def delete_message(self, message: str) -> None:
        """Somebody deletes the message."""
        self.messages[message].deleted_at = self.clock.now()

    # What can be seen ---------------------------------------------------------------------------------------------

    def standing(self, webhook: str | None = None) -> list[Posted]:
        """The messages that can be read now, oldest first."""
        return [
            message
            for message in self.messages.values()
            if message.deleted_at is None and webhook in (None, message.webhook)
        ]

    def visible(self, needles: Iterable[str], *, webhook: str | None = None) -> set[str]:
        """Which of the texts (an alert's fingerprint, a label's value) can be read now."""
        everything = "\n".join(message.text for message in self.standing(webhook))
        return {needle for needle in needles if needle in everything}

    def find(self, pattern: str, *, webhook: str | None = None) -> Counter[str]:
        """What of this shape can be read now, and in how many messages."""
        return Counter(found for message in self.standing(webhook) for found in set(re.findall(pattern, message.text)))

    def first_seen(self, pattern: str) -> dict[str, float]:
        """When each text of this shape could first be read, in any version of any message (deleted ones as well)."""
        first: dict[str, float] = {}
        for message in self.messages.values():
            for version in message.versions:
                for found in set(re.findall(pattern, text_of(version.payload))):
                    first[found] = min(version.at, first.get(found, version.at))
        return first

    def stats(self) -> dict[str, Any]:
        """Counts: answers by status, posts, edits, deletions, and invalid requests within ten minutes."""
        statuses = Counter(str(seen.status) for seen in self.seen)
        kept = list(self.messages.values())
        return {
            "requests": len(self.seen),
            "statuses": dict(sorted(statuses.items())),
            "messages": len(kept),
            "edits": sum(len(message.versions) - 1 for message in kept),
            "deleted": sum(message.deleted_at is not None for message in kept),
            "invalid": self.meter.invalid,
            "banned": self.meter.ban() is not None,
        }

    # Answering ----------------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        at = self.clock.now()
        found = _ROUTE.fullmatch(request.path)
        webhook = self._webhook(found["id"]) if found else None
        status: int | None = None
        try:
            response = await self._with_faults(request, found, webhook)
            status = None if response.headers.get("X-Fake-Unanswered") else response.status
            return response
        finally:
            self.seen.append(Seen(at, request.method, webhook.name if webhook else None, status))

    async def _with_faults(
        self, request: web.Request, found: re.Match[str] | None, webhook: Webhook | None
    ) -> web.StreamResponse:
        body = await request.read()
        fault = self._fault(request.method, webhook)
        if fault is None:
            return self._respond(request, found, webhook, body)
        if fault.kind == "slow":
            await self.clock.sleep(fault.seconds)
            return self._respond(request, found, webhook, body)
        right = self._respond(request, found, webhook, body) if fault.stored else None
        if fault.kind == "status":
            self.meter.answered(fault.status)
            return _page(fault.status) if fault.html else _json(fault.status, {"message": "Oh no", "code": 0})
        if fault.kind == "rate_limit":
            return self._limited_by(fault)
        if fault.kind == "hang":
            await self._hang(fault.seconds)
            return _unanswered(request)
        return await _half(
            request, right or _json(200, {"id": self._id(), "content": "x" * 500}), fault.kind == "reset"
        )

    def _fault(self, method: str, webhook: Webhook | None) -> Fault | None:
        for fault in self.faults:
            if fault.webhook not in (None, webhook.name if webhook else None) or fault.method not in (None, method):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            return fault
        return None

    def _limited_by(self, fault: Fault) -> web.Response:
        self.meter.answered(429)
        limited = Limited("global" if fault.everywhere else "user", fault.seconds)
        if fault.html:
            return _page(429, {"Retry-After": limited.headers()["Retry-After"]})
        return _json(429, limited.body(), limited.headers())

    async def _hang(self, seconds: float) -> None:
        released = asyncio.create_task(self._released.wait())
        waits = [released, *([asyncio.create_task(self.clock.sleep(seconds))] if seconds else [])]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _respond(
        self, request: web.Request, found: re.Match[str] | None, webhook: Webhook | None, body: bytes
    ) -> web.Response:
        """The right answer, which Discord gives when nothing goes wrong on the way."""
        if banned := self.meter.ban():
            return _page(429, {"Retry-After": banned.headers()["Retry-After"]})
        limited = self.meter.everything()
        headers: dict[str, str] = {}
        if limited is None and found and webhook:
            limited = self.meter.webhook(request.method, webhook.id, webhook.channel)
            headers = self.meter.headers(request.method, webhook.id)
        if limited is not None:
            self.meter.answered(429, shared=limited.scope == "shared")
            return _json(429, limited.body(), {**headers, **limited.headers()})
        response = self._handle(request, found, webhook, body)
        response.headers.update(headers)
        self.meter.answered(response.status)
        return response

    def _handle(
        self, request: web.Request, found: re.Match[str] | None, webhook: Webhook | None, body: bytes
    ) -> web.Response:
        if found is None or found["version"] not in _VERSIONS:
            return _json(404, {"message": "404: Not Found", "code": 0})
        if webhook is None:
            return _error(404, 10015, "Unknown Webhook")
        if found["token"] != webhook.token:
            return _error(401, 50027, "Invalid Webhook Token")
        thread_id = request.query.get("thread_id")
        if thread_id is not None and thread_id not in webhook.threads:
            return _error(404, 10003, "Unknown Channel")
        if found["message"] is None:
            if request.method == "GET":
                return _json(200, {"id": webhook.id, "type": 1, "name": webhook.name, "channel_id": webhook.channel})
            if request.method == "POST":
                return self._post(request, webhook, thread_id, body, found["version"])
        elif request.method in ("GET", "PATCH", "DELETE"):
            return self._existing(request, webhook, thread_id, body, found)
        return _json(405, {"message": "405: Method Not Allowed", "code": 0})

    def _post(
        self, request: web.Request, webhook: Webhook, thread_id: str | None, body: bytes, version: str | None
    ) -> web.Response:
        payload, refusal = _read(request, body)
        if refusal is None:
            refusal = refusal_of_post(payload, forum=webhook.forum, thread_id=thread_id)
        if refusal is not None:
            return _refused(refusal, version)
        thread = webhook.threads[thread_id] if thread_id else None
        if thread is not None and thread.locked:
            return _error(400, 160005, "Thread is locked")
        number = self._id()
        if webhook.forum and thread is None:
            # The post's first message has the post's id.
            thread = webhook.threads[number] = Thread(number, str(payload["thread_name"]).strip())
        if thread is not None:
            thread.archived = False
        posted = Posted(
            id=number,
            webhook=webhook.name,
            channel=webhook.channel,
            thread=thread.id if thread else None,
            pinged=sorted(pinged(payload)),
            versions=[Version(self.clock.now(), payload)],
        )
        self.messages[number] = posted
        if request.query.get("wait", "false").lower() not in ("true", "1"):
            return web.Response(status=204)
        return _json(200, self._message(posted))

    def _existing(
        self, request: web.Request, webhook: Webhook, thread_id: str | None, body: bytes, found: re.Match[str]
    ) -> web.Response:
        posted = self.messages.get(found["message"])
        if (
            posted is None
            or posted.deleted_at is not None
            or posted.webhook != webhook.name
            or posted.thread not in (None, thread_id)
        ):
            return _error(404, 10008, "Unknown Message")
        if request.method == "GET":
            return _json(200, self._message(posted))
        thread = webhook.threads[posted.thread] if posted.thread else None
        if thread is not None and thread.archived:
            return _error(400, 50083, "Thread is archived")
        if request.method == "DELETE":
            posted.deleted_at = self.clock.now()
            return web.Response(status=204)
        payload, refusal = _read(request, body)
        refusal = refusal or refusal_of_edit(payload, posted.payload)
        if refusal is not None:
            return _refused(refusal, found["version"])
        if self.clock.now() - posted.versions[0].at > _HOUR and (limited := self.meter.old_edit(posted.channel)):
            # With this status, says aikaterna/aikaterna-cogs#302.
            said = {"message": "Maximum number of edits to messages older than 1 hour reached. Try again later."}
            return _json(429, {**said, "code": 30046}, {"Retry-After": limited.headers()["Retry-After"]})
        posted.versions.append(Version(self.clock.now(), edited(posted.payload, payload)))
        return _json(200, self._message(posted))

    def _message(self, posted: Posted) -> dict[str, Any]:
        """The message as the API shows it, its id late as there."""
        webhook = self.webhooks[posted.webhook]
        payload = posted.payload
        changed = _iso(posted.versions[-1].at) if len(posted.versions) > 1 else None
        return {
            "type": 0,
            "content": payload.get("content") or "",
            "mentions": [],
            "mention_roles": [one.partition(":")[2] for one in posted.pinged if one.startswith("role:")],
            "mention_everyone": "everyone" in posted.pinged or "here" in posted.pinged,
            "attachments": [],
            "embeds": [{"type": "rich", **embed} for embed in payload.get("embeds") or ()],
            "timestamp": _iso(posted.versions[0].at),
            "edited_timestamp": changed,
            "flags": payload.get("flags") or 0,
            "components": [],
            "id": posted.id,
            "channel_id": posted.thread or posted.channel,
            "author": {"id": webhook.id, "username": payload.get("username") or webhook.name, "bot": True},
            "pinned": False,
            "tts": False,
            "webhook_id": webhook.id,
        }

    def _webhook(self, number: str) -> Webhook | None:
        return next((one for one in self.webhooks.values() if one.id == number and not one.deleted), None)

    def _id(self) -> str:
        self._next_id += 4_194_304
        return str(self._next_id)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _json(status: int, data: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(data, status=status, headers=headers)


def _error(status: int, code: int, message: str) -> web.Response:
    return _json(status, {"message": message, "code": code})


def _page(status: int, headers: dict[str, str] | None = None) -> web.Response:
    """What Cloudflare says in Discord's place."""
    return web.Response(status=status, text=_HTML.format(status), content_type="text/html", headers=headers)


def _refused(refusal: Refusal, version: str | None) -> web.Response:
    """The error; in the API's old versions, to which an address without one leads, a form's errors look different."""
    if not refusal.violations:
        return _error(refusal.status, refusal.code, refusal.message)
    if version in (None, "/v6", "/v7"):
        old: dict[str, list[str]] = {}
        for one in refusal.violations:
            key, _, rest = one.path.partition(".")
            old.setdefault(key, []).append(rest.partition(".")[0] if rest else one.message)
        return _json(refusal.status, old)
    errors: dict[str, Any] = {}
    for one in refusal.violations:
        place = errors
        for key in filter(None, one.path.split(".")):
            place = place.setdefault(key, {})
        place.setdefault("_errors", []).append({"code": one.code, "message": one.message})
    return _json(refusal.status, {"message": refusal.message, "code": refusal.code, "errors": errors})


def _read(request: web.Request, body: bytes) -> tuple[Any, Refusal | None]:
    """The payload of a JSON request, or of the part ``payload_json`` of a form without files."""
    if request.content_type != "application/json":
        return None, Refusal(400, 50035, "Invalid Form Body")
    try:
        return json.loads(body.decode("utf-8")), None
    except (ValueError, RecursionError):
        return None, Refusal(400, 50109, "The request body contains invalid JSON.")


async def _half(request: web.Request, right: web.Response, reset: bool) -> web.StreamResponse:
    """Half of an answer."""
    body = right.body if isinstance(right.body, bytes) else b""
    half = web.StreamResponse(status=right.status, headers={"X-Fake-Unanswered": "1"})
    half.content_type = right.content_type
    half.content_length = max(len(body), 100)
    await half.prepare(request)
    with contextlib.suppress(ConnectionError):
        await half.write(body[: len(body) // 2] or b"{")
    _drop(request, reset=reset)
    return half


def _unanswered(request: web.Request) -> web.StreamResponse:
    _drop(request, reset=True)
    return web.Response(status=500, headers={"X-Fake-Unanswered": "1"})


def _drop(request: web.Request, *, reset: bool) -> None:
    if request.transport is None:
        return
    if reset:
        _reset(request.transport)
    else:
        request.transport.close()


def _reset(transport: asyncio.BaseTransport) -> None:
    """RST rather than FIN: closing without lingering."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.Transport):
        transport.abort()


# As a process -----------------------------------------------------------------------------------------------------


class FastClock:
    """Time that passes faster than it does, to see in a minute what takes ten."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._real = SystemClock()
        self._start, self._wall = self._real.monotonic(), self._real.now()

    def now(self) -> float:
        return self._wall + self.monotonic()

    def asleep(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return (self._real.monotonic() - self._start) * self._speed

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds / self._speed)


class Control:
    """Orders over HTTP, on a port of their own, so that they arrive while Discord is down."""

    def __init__(self, discord: FakeDiscord) -> None:
        self._discord = discord

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_BIGGEST)
        app.router.add_get("/stats", self._stats)
        app.router.add_get("/messages", self._messages)
        app.router.add_post("/visible", self._visible)
        app.router.add_post("/first-seen", self._first_seen)
        app.router.add_post("/faults", self._fault)
        app.router.add_delete("/faults", self._release)
        app.router.add_post("/down", self._down)
        app.router.add_post("/up", self._up)
        app.router.add_post("/webhooks", self._add_webhook)
        app.router.add_delete("/webhooks/{name}", self._delete_webhook)
        app.router.add_post("/threads", self._add_thread)
        app.router.add_delete("/messages/{id}", self._delete_message)
        return app

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(self._discord.stats())

    async def _messages(self, request: web.Request) -> web.Response:
        return web.json_response([{**asdict(one), "text": one.text} for one in self._discord.messages.values()])

    async def _visible(self, request: web.Request) -> web.Response:
        asked = await request.json()
        found = self._discord.visible(asked["needles"], webhook=asked.get("webhook"))
        return web.json_response(sorted(found))

    async def _first_seen(self, request: web.Request) -> web.Response:
        return web.json_response(self._discord.first_seen((await request.json())["pattern"]))

    async def _fault(self, request: web.Request) -> web.Response:
        self._discord.faults.append(Fault(**await request.json()))
        return web.Response(status=204)

    async def _release(self, request: web.Request) -> web.Response:
        self._discord.release()
        return web.Response(status=204)

    async def _down(self, request: web.Request) -> web.Response:
        await self._discord.go_down()
        return web.Response(status=204)

    async def _up(self, request: web.Request) -> web.Response:
        await self._discord.come_up()
        return web.Response(status=204)

    async def _add_webhook(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._discord.add_webhook(**await request.json())))

    async def _delete_webhook(self, request: web.Request) -> web.Response:
        self._discord.delete_webhook(request.match_info["name"])
        return web.Response(status=204)

    async def _add_thread(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._discord.add_thread(**await request.json())))

    async def _delete_message(self, request: web.Request) -> web.Response:
        self._discord.delete_message(request.match_info["id"])
        return web.Response(status=204)


async def _serve(options: argparse.Namespace) -> None:
    clock = FastClock(options.speed) if options.speed != 1 else SystemClock()
    rates = Rates(None, None, None, None) if options.unlimited else Rates()
    async with FakeDiscord(clock=clock, rates=rates, port=options.port) as discord:
        for name in options.webhook or ["default"]:
            name, _, kind = name.partition(":")
            discord.add_webhook(name, forum=kind == "forum")
        runner = web.AppRunner(Control(discord).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", options.control_port).start()
        webhooks = {name: webhook.url for name, webhook in discord.webhooks.items()}
        control = f"http://127.0.0.1:{runner.addresses[0][1]}"
        print(json.dumps({"port": discord.port, "control": control, "webhooks": webhooks}), flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


def main() -> None:
    """Serves until it is terminated."""
    parser = argparse.ArgumentParser(prog="python -m tests.relay.fake_discord", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0: any")
    parser.add_argument("--control-port", type=int, default=0, help="port for orders; 0: any")
    parser.add_argument("--webhook", action="append", help="NAME or NAME:forum; may be given several times")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than real time its clock runs")
    parser.add_argument("--unlimited", action="store_true", help="without rate limits")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
