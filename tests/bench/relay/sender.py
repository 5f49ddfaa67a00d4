"""Alertmanager as a sender: webhooks in its format, sent with its patience (facts: notify/retry_stage.go).

2xx is delivered; 5xx and transport errors are tried again with a growing pause for half a minute; all else is final.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from tests.bench.relay.bridges import Bridge

GIVE_UP: Final = 30.0
FIRST_PAUSE: Final = 0.5
GROWTH: Final = 1.5


@dataclass(slots=True)
class Sent:
    """What became of the requests. ``answers``: seconds until each was answered, the good ones only."""

    answers: list[float] = field(default_factory=list)
    delivered: int = 0
    failed: int = 0

    def quantile(self, share: float) -> float:
        """Seconds within which so many of the answers came."""
        ordered = sorted(self.answers)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def alert(name: str, host: str, *, started: float, ended: float | None = None, **labels: str) -> dict[str, Any]:
    """One alert of a webhook."""
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {"alertname": name, "instance": host, "severity": "critical", "job": "node-exporter", **labels},
        "annotations": {
            "summary": f"{name} on {host}",
            "description": f"{host} has not answered the scrapes of the last two minutes.",
            "runbook_url": f"https://runbooks.example.net/{name}",
        },
        "startsAt": stamp(started),
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else stamp(ended),
        "generatorURL": "http://prometheus.example.net:9090/graph?g0.expr=up+%3D%3D+0",
        "fingerprint": f"{abs(hash((name, host))) % 2**64:016x}",
    }


def payload(name: str, alerts: Sequence[dict[str, Any]]) -> bytes:
    """A whole webhook, version 4, of one group."""
    firing = any(one["status"] == "firing" for one in alerts)
    whole = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "relay",
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name, "severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.net:9093",
        "alerts": list(alerts),
    }
    return json.dumps(whole).encode()


def stamp(at: float) -> str:
    """As Alertmanager writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


async def send(session: aiohttp.ClientSession, url: str, body: bytes, sent: Sent) -> None:
    """One notification, until it is delivered or given up."""
    give_up, pause = time.monotonic() + GIVE_UP, FIRST_PAUSE
    while True:
        started = time.monotonic()
        status = await _try(session, url, body, give_up - started)
        if 200 <= status < 300:
            sent.answers.append(time.monotonic() - started)
            sent.delivered += 1
            return
        if 300 <= status < 500 or time.monotonic() + pause > give_up:
            sent.failed += 1
            return
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(60.0, pause * GROWTH)


async def _try(session: aiohttp.ClientSession, url: str, body: bytes, seconds: float) -> int:
    """The status of the answer; 599 when there is none."""
    try:
        timeout = aiohttp.ClientTimeout(total=max(0.1, seconds))
        async with session.post(url, data=body, timeout=timeout) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 599


def session_for(bridge: Bridge) -> aiohttp.ClientSession:
    """A client as Alertmanager is one."""
    headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/0.28.0"}
    if bridge.token:
        headers["Authorization"] = f"Bearer {bridge.token}"
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers)


async def spread(bridge: Bridge, bodies: Sequence[bytes], seconds: float) -> Sent:
    """Every body once, evenly over so many seconds."""
    sent = Sent()
    async with session_for(bridge) as session:
        tasks = []
        for body in bodies:
            tasks.append(asyncio.create_task(send(session, bridge.url, body, sent)))
            await asyncio.sleep(seconds / len(bodies))
        await asyncio.gather(*tasks)
    return sent


async def hammer(bridge: Bridge, bodies: Sequence[bytes], parallel: int) -> tuple[Sent, float]:
    """Every body once, as fast as they are taken, so many at a time; and the seconds it took."""
    sent, waiting = Sent(), iter(bodies)
    async with session_for(bridge) as session:

        async def one() -> None:
            for body in waiting:
                await send(session, bridge.url, body, sent)

        started = time.monotonic()
        await asyncio.gather(*(one() for _ in range(parallel)))
    return sent, time.monotonic() - started
