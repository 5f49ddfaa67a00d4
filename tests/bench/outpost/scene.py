"""An outpost as a process with many heartbeats and probes, and clients that ping it as curl does, but faster."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homelabmon.relay import history
from homelabmon.relay.heartbeats.addresses import derived_ping_key
from homelabmon.relay.secrets import SecretText
from tests.bench.relay.bridges import Bridge, free_port, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY: Final = "a-key-of-the-benchmark"  # no secret
TOKEN: Final = "a-token-of-the-benchmark"  # no secret
PATH: Final = f"/ping/{derived_ping_key(SecretText(KEY))}"
ZONES: Final = ("Europe/London", "America/New_York", "UTC", "Australia/Lord_Howe", "Asia/Tehran", "Pacific/Chatham")
CONFIG: Final = """\
version: 1
name: bench
role: outpost
channels: {{ops: {{webhook_file: {folder}/webhook}}}}
intake: {{heartbeat_key_file: {folder}/key, scrape_token_file: {folder}/token}}
default: {{name: default, channel: ops, group_by: [alertname, heartbeat, probe], hold: 0s}}
database: {folder}/outpost.db
{rest}
"""


def mixed(number: int) -> list[dict[str, Any]]:
    """So many heartbeats: periods, and cron in every dialect, OnCalendar, in several zones. None is missed in a day."""
    dice = random.Random(number)
    return [_one(dice, place) for place in range(number)]


def _one(dice: random.Random, place: int) -> dict[str, Any]:
    beat: dict[str, Any] = {"name": f"beat-{place:05}", "grace": "1d", "timezone": ZONES[place % len(ZONES)]}
    clock = f"{dice.randrange(24):02}:{dice.randrange(60):02}"
    match place % 5:
        case 0:
            beat["period"] = dice.choice(["5m", "15m", "1h", "1d"])
        case 1:
            beat["calendar"] = dice.choice([f"*-*-* {clock}:00", f"Mon..Fri *-*-* {clock}:00", "*:0/15"])
        case dialect:
            minute, hour = dice.randrange(60), dice.randrange(24)
            daily, often = f"{minute} {hour} * * *", f"*/{dice.choice([5, 10, 15, 30])} * * * *"
            beat["schedule"] = dice.choice([daily, often, f"{minute} {hour} * * 1-5", f"{minute} {hour} 1,15 * *"])
            beat["dialect"] = ("debian", "kubernetes", "github")[dialect - 2]
    return beat


def probes_of(port: int, number: int) -> list[dict[str, Any]]:
    """So many probes, each once a minute: of every four, three speak HTTP and one connects."""
    common = {"from": "outpost", "interval": "60s", "timeout": "5s"}
    return [
        {
            "name": f"probe-{place:05}",
            **({"tcp": f"127.0.0.1:{port}"} if place % 4 == 3 else {"url": f"http://127.0.0.1:{port}/{place}"}),
            **common,
        }
        for place in range(number)
    ]


def configured(folder: Path, webhook: str = "http://127.0.0.1:9/api/webhooks/1/x", **rest: Any) -> Path:
    """The configuration's file; ``rest`` are further keys of it."""
    (folder / "key").write_text(KEY)
    (folder / "token").write_text(TOKEN)
    (folder / "webhook").write_text(webhook)
    lines = [line for name, value in rest.items() for line in _lines(name, value)]
    (folder / "relay.yaml").write_text(CONFIG.format(folder=folder, rest="\n".join(lines)))
    return folder / "relay.yaml"


def _lines(name: str, value: Any) -> Iterator[str]:
    """A list as the renderer writes it: an entry a block."""
    if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
        yield f"{name}: {json.dumps(value)}"
        return
    yield f"{name}:"
    for entry in value:
        first, *others = (f"{key}: {json.dumps(one)}" for key, one in entry.items())
        yield f"  - {first}"
        yield from (f"    {other}" for other in others)


@dataclass(frozen=True, slots=True)
class Outpost:
    """One that runs."""

    bridge: Bridge
    port: int
    started: float
    """Seconds that it took to start."""

    def processor(self) -> float:
        """Seconds on processors so far."""
        fields = Path(f"/proc/{self.bridge.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def outpost(config: Path) -> Iterator[Outpost]:
    """The outpost, from when it answers until the end of the block."""
    port = free_port()
    command = [sys.executable, "-m", "homelabmon", "relay", "--config", str(config), "--listen", f"127.0.0.1:{port}"]
    began = time.monotonic()
    with running("outpost", command, f"http://127.0.0.1:{port}/healthz", config.parent) as bridge:
        yield Outpost(bridge, port, time.monotonic() - began)


def on_disk(folder: Path) -> int:
    """Pings in the database. To be asked when nothing runs."""
    with sqlite3.connect(folder / "outpost.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM heartbeat_pings").fetchone()
    connection.close()
    return int(count)


def lived(folder: Path, names: Sequence[str]) -> None:
    """Ninety days behind heartbeats, in the database of an outpost that does not run: each has had its bad ones."""
    dice, now = random.Random(3), datetime.now(UTC).date()
    rows = []
    for name, back in product(names, range(1, 91)):
        lost = dice.choice([0.0] * 28 + [600.0, 7_200.0])
        sums = (86_400.0 - lost, 0.0, lost, 0.0)
        rows.append((history.of_heartbeat(name), (now - timedelta(days=back)).isoformat(), *sums))
    connection = sqlite3.connect(folder / "outpost.db")
    with connection:
        columns = "component, day, operational, degraded, outage, maintenance"
        connection.executemany(f"INSERT OR REPLACE INTO daily ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()


# Clients -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Pinged:
    """Seconds until each good answer, and how many others there were."""

    answers: list[float] = field(default_factory=list)
    failed: int = 0

    def quantile(self, share: float) -> float:
        """Seconds within which so many of the answers came."""
        ordered = sorted(self.answers)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Client:
    """One connection that is kept, without the weight of a client library: the benchmark shares the machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body. Raises OSError and EOFError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        reader, writer = self._streams
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
        head += f"Authorization: Bearer {TOKEN}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answer[9:12]), await reader.readexactly(size)

    def close(self) -> None:
        """Hangs up."""
        if self._streams is not None:
            self._streams[1].close()


async def ping(client: Client, path: str, body: bytes, into: Pinged) -> None:
    """One ping, and what came of it."""
    began = time.monotonic()
    status, _ = await client.ask(path, body)
    if status == 200:
        into.answers.append(time.monotonic() - began)
    else:
        into.failed += 1


async def hammer(port: int, pings: Iterable[tuple[str, bytes]], parallel: int) -> tuple[Pinged, float]:
    """Every ping, as fast as they are taken, so many at a time; and the seconds it took."""
    found, waiting = Pinged(), iter(pings)

    async def one(client: Client) -> None:
        for path, body in waiting:
            await ping(client, path, body, found)

    clients = [Client(port) for _ in range(parallel)]
    began = time.monotonic()
    await asyncio.gather(*(one(client) for client in clients))
    seconds = time.monotonic() - began
    for client in clients:
        client.close()
    return found, seconds


# What is probed ------------------------------------------------------------------------------------------------------


class Target:
    """Answers every request with 200, and counts connections by port."""

    def __init__(self) -> None:
        self.connections: dict[int, int] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        port = writer.get_extra_info("sockname")[1]
        self.connections[port] = self.connections.get(port, 0) + 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (EOFError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def targets(number: int) -> AsyncIterator[tuple[Target, Sequence[int]]]:
    """Several ports at which the target answers."""
    target = Target()
    servers = [await asyncio.start_server(target.answer, "127.0.0.1", 0) for _ in range(number)]
    try:
        yield target, [server.sockets[0].getsockname()[1] for server in servers]
    finally:
        for server in servers:
            server.close()
