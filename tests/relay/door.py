"""The relay's doors and disk without an engine: a real server on a real port, a real database, secrets in files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from homelabmon.relay.app import App, Listener, Patience
from homelabmon.relay.clock import SystemClock
from homelabmon.relay.connections import House
from homelabmon.relay.doors import Doors
from homelabmon.relay.inbox import Inbox
from homelabmon.relay.store.store import Store
from homelabmon.spec import names
from homelabmon.spec.relay_file import Intake

SECRETS: Final = {"alertmanager": "tok-alertmanager", "falco": "path-falco", "flux": "key-flux", "event": "tok-event"}


class Answer:
    """What a client got."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, headers, text


class Door:
    """``async with Door(tmp_path) as door: await door.post(...)``."""

    def __init__(self, folder: Path, *, house: House | None = None, patience: Patience | None = None) -> None:
        self.folder = folder
        self.nudges = 0
        self._house, self._patience = house, patience

    async def __aenter__(self) -> Self:
        for name, secret in SECRETS.items():
            self.secret_file(name).write_text(f"{secret}\n")
        intake = Intake(
            alertmanager_token_file=str(self.secret_file("alertmanager")),
            falco_path_file=str(self.secret_file("falco")),
            flux_token_file=str(self.secret_file("flux")),
            event_token_file=str(self.secret_file("event")),
        )
        clock = SystemClock()
        self.store = Store(str(self.folder / "relay.db"), clock.now())
        self.inbox = Inbox(self.store, clock)
        self.app = App(
            self.inbox,
            Doors(intake),
            clock,
            metrics=self._metrics,
            nudge=self._nudge,
            most_body=2**24,
            house=self._house,
            patience=self._patience,
        )
        self.listener = Listener(self.app)
        self.port = await self.listener.start("127.0.0.1", 0)
        self.session = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.listener.stop(5)
        await self.store.close()

    def secret_file(self, name: str) -> Path:
        return self.folder / f"{name}.secret"

    async def post(self, path: str, body: Any = b"", token: str | None = None, **headers: str) -> Answer:
        """Posts with the right token for the path, unless another is given; ``""`` for none."""
        if token is None:
            token = next((SECRETS[name] for name in ("alertmanager", "event", "flux") if path == f"/v1/{name}"), "")
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        return await self.ask("POST", path, data=body, headers=headers)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, path, **options) as response:
            return Answer(response.status, response.headers, (await response.read()).decode())

    async def stored(self) -> list[tuple[str, bytes]]:
        """Every request in the inbox: its source and its body."""
        return [(row.source, row.body) for row in await self.store.inbox(0, 1000)]

    async def quarantined(self) -> list[str]:
        return [row.reason for row in await self.store.quarantine()]

    async def raw(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which somebody has said something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        return reader, writer

    def _nudge(self) -> None:
        self.nudges += 1

    async def _metrics(self) -> str:
        return f"{names.METRIC_STORE_WRITABLE} 1\n"
