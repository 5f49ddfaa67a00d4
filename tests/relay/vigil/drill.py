"""A whole outpost in virtual time: real files, a real database, real sockets, a fake Discord, a cluster that speaks.

``Drill`` is used inside a :mod:`tests.relay.virtual` loop. Anchors are listeners on loopback that can be taken away.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
import pytest

from homelabmon.relay import service as service_module
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.heartbeats.addresses import derived_ping_key
from homelabmon.relay.intake.reading import fingerprint
from homelabmon.relay.secrets import SecretText
from homelabmon.relay.service import Options, Service
from homelabmon.relay.store.store import Store
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.store.writer import Work
from homelabmon.relay.vigil.sight import reach
from tests.relay import virtual
from tests.relay.fake_discord import FakeDiscord
from tests.relay.intake.payloads import alert, webhook
from tests.relay.virtual import START, VirtualClock, VirtualLoop

T = TypeVar("T")

TOKEN: Final = "tok-outpost"
KEY: Final = "correct-horse-battery-staple"
PING: Final = f"/ping/{derived_ping_key(SecretText(KEY))}"
M: Final = 60.0
MIDNIGHT: Final = START - START % 86_400 + 86_400
"""When a drill begins: 2026-09-22 00:00 UTC."""


@contextmanager
def working() -> Iterator[None]:
    """Virtual time stands still meanwhile."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.works(+1)
    try:
        yield
    finally:
        loop.works(-1)


async def reached(address: str) -> bool:
    with working():
        return await reach(address)


class PacedStore(Store):
    """The real store. Virtual time stands still while its thread works. ``broken``: the disk takes nothing."""

    broken = False

    async def _do(self, work: Work[T]) -> T:
        if self.broken:
            self._writer.note("full")
            raise StoreError("full")
        with working():
            return await super()._do(work)

    async def close(self) -> None:
        with working():
            await super().close()


class Anchor:
    """Something that listens, until it is cut off. The system answers for it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host, self.port = host, 0
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    def listen(self) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self._host, self.port))
        self._socket.listen(1024)
        self.port = self._socket.getsockname()[1]

    def cut(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Drill:
    """One outpost. ``changed``: more of its configuration, or what makes it once it is known who listens where."""

    def __init__(self, folder: Path, **changed: Any) -> None:
        self.folder, self._changed = folder, changed
        self.clock = VirtualClock()
        self.clock.offset = MIDNIGHT - 1_000.0
        self.anchors = [Anchor(), Anchor(), Anchor("::1")]
        self.places = {name: Anchor() for name in ("home", "ghcr")}
        """What probes from outside ask."""
        self.discord = FakeDiscord(clock=self.clock)
        self.service: Service | None = None
        self._running: asyncio.Task[None] | None = None
        self._speaking: dict[str, asyncio.Task[None]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.discord)
        self._session = await self._stack.enter_async_context(self.session())
        for anchor in (*self.anchors, *self.places.values()):
            anchor.listen()
        (self.folder / "token").write_text(TOKEN)
        (self.folder / "key").write_text(KEY)
        (self.folder / "ops").write_text(self.discord.add_webhook("ops").url)
        self._config = self.folder / "outpost.yaml"
        self.configure(**{key: made(self) if callable(made) else made for key, made in self._changed.items()})
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._speaking.values():
            task.cancel()
        await self.stop()
        for anchor in (*self.anchors, *self.places.values()):
            anchor.cut()
        await self._stack.aclose()

    def configure(self, **changed: Any) -> None:
        """Writes the configuration."""
        data = {
            "version": 1,
            "name": "home",
            "role": "outpost",
            "channels": {"ops": {"webhook_file": str(self.folder / "ops")}},
            "default": {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "0s"},
            "intake": {
                "alertmanager_token_file": str(self.folder / "token"),
                "heartbeat_key_file": str(self.folder / "key"),
                "scrape_token_file": str(self.folder / "token"),
            },
            "watchdog": {"alertname": "Watchdog", "silence": "5m", "channel": "ops"},
            "anchors": [anchor.address for anchor in self.anchors],
            "database": str(self.folder / "outpost.db"),
            **changed,
        }
        self._config.write_text(json.dumps(data))

    # Its life ------------------------------------------------------------

    async def start(self) -> None:
        """A new process."""
        self.service = Service(WatchedConfig(self._config), self.clock, Options("127.0.0.1", 0, reach=reached))
        ready = asyncio.Event()
        self._running = asyncio.create_task(self.service.run(lambda _: ready.set()))
        waiting = asyncio.create_task(ready.wait())
        with working():
            await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            await self._running

    async def stop(self) -> None:
        """The process ends."""
        if self.service is not None and self._running is not None:
            await asyncio.sleep(1)  # what is on its way arrives first
            self.service.stop()
            await self._running
            self.service = self._running = None

    async def away(self, seconds: float) -> None:
        """It is stopped for so long."""
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()

    async def blind(self, seconds: float) -> None:
        """Nothing in the world can be reached for so long."""
        self.cut_off()
        await asyncio.sleep(seconds)
        self.back()

    def cut_off(self) -> None:
        for anchor in self.anchors:
            anchor.cut()

    def back(self) -> None:
        for anchor in self.anchors:
            anchor.listen()

    # Who speaks to it ------------------------------------------------------------

    async def post(self, path: str, body: bytes, token: str = TOKEN, **headers: str) -> int:
        assert self.service is not None
        url = f"http://127.0.0.1:{self.service.port}{path}"
        headers = {"Authorization": f"Bearer {token}", **headers}
        with working():
            async with self._session.post(url, data=body, headers=headers) as response:
                await response.read()
                return response.status

    def session(self) -> aiohttp.ClientSession:
        """For whoever talks to somebody else."""
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        assert self.service is not None
        url = f"http://127.0.0.1:{self.service.port}{path}"
        with working():
            async with self._session.get(url, headers=headers) as response:
                return response.status, await response.text()

    async def get_from(self, address: str, path: str) -> tuple[int, str]:
        """As if the proxy in front of it had taken the request from there."""
        return await self.get(path, **{"X-Forwarded-For": address})

    async def metrics(self) -> tuple[int, str]:
        return await self.get("/metrics", Authorization=f"Bearer {TOKEN}")

    async def ping(self, name: str) -> None:
        assert await self.get(f"{PING}/{name}") == (200, "OK")

    async def watchdog(self, engine: str = "monitoring/k8s", *, resolved: bool = False, token: str = TOKEN) -> int:
        """The Watchdog comes once, as Alertmanager sends it."""
        labels = {"alertname": "Watchdog", "severity": "none", "prometheus": engine}
        status = "resolved" if resolved else "firing"
        changed: dict[str, Any] = {"labels": labels, "annotations": {}, "status": status}
        changed["fingerprint"] = f"{sum(map(ord, engine)):016x}"
        if resolved:
            changed["endsAt"] = "2026-09-22T00:00:00Z"
        return await self.post("/v1/alertmanager", webhook(alert(**changed), status=status), token)

    def webhook(self, labels: Mapping[str, str]) -> bytes:
        """What Alertmanager sends of one alert."""
        return webhook(alert(labels=dict(labels), fingerprint=fingerprint(labels)))

    def speaks(self, engine: str = "monitoring/k8s", token: str = TOKEN) -> None:
        """From now on its Watchdog comes each minute."""
        self._every_minute(f"watchdog {engine}", lambda: self.watchdog(engine, token=token))

    def hushes(self, engine: str = "monitoring/k8s") -> None:
        self._speaking.pop(f"watchdog {engine}").cancel()

    def reports(self, **report: Any) -> None:
        """From now on the cluster's relay reports each minute."""
        if "report" in self._speaking:
            self.reports_no_more()
        self._every_minute("report", lambda: self.post("/v1/report", self.report(**report)))

    def reports_no_more(self) -> None:
        self._speaking.pop("report").cancel()

    def report(self, **report: Any) -> bytes:
        """What the cluster's relay sends of itself."""
        return json.dumps(
            {"version": 1, "name": "home", "at": self.clock.now(), "started_at": MIDNIGHT, **report}
        ).encode()

    def _every_minute(self, name: str, say: Callable[[], Awaitable[int]]) -> None:
        async def speak() -> None:
            while True:
                if self.service is not None:
                    with suppress(aiohttp.ClientError):
                        await say()
                await asyncio.sleep(60)

        self._speaking[name] = asyncio.create_task(speak())

    def probes(self) -> list[dict[str, Any]]:
        """Probes from outside, of all places."""
        return [
            {"name": name, "tcp": place.address, "from": "outpost", "retries": 1} for name, place in self.places.items()
        ]

    # What readers see ------------------------------------------------------------

    async def until(self, second: float) -> None:
        """So many seconds after midnight, by the wall clock."""
        await asyncio.sleep(max(MIDNIGHT + second - self.clock.now(), 0.0))

    def told(self) -> list[tuple[str, str]]:
        """Every message as it stands now, in order: its first line, and what it says, without decoration."""
        return [_plain(one.text) for one in self.discord.messages.values() if one.deleted_at is None]

    def posted(self) -> list[float]:
        """When each message was first posted, in seconds after midnight."""
        return [message.versions[0].at - MIDNIGHT for message in self.discord.messages.values()]


def _plain(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    pieces = rest.split("\n\n")
    state, _, title = first.replace("**", "").partition(" · ")
    return f"{state.partition(' ')[2]} · {title}", pieces[1] if len(pieces) > 2 else ""


def drill(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[Drill], Awaitable[None]],
    **changed: Any,
) -> None:
    """Runs a scenario in virtual time."""
    monkeypatch.setattr(service_module, "Store", PacedStore)

    async def main() -> None:
        async with Drill(folder, **changed) as made:
            await scenario(made)

    virtual.run(main())
