"""One of everything that is stored, with every field set to something."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from homelabmon.relay.incidents.model import Changes, DeadLetter, Episode, Incident, Post
from homelabmon.relay.store.queries import Limits
from homelabmon.relay.store.store import Store

T = TypeVar("T")
NOW = 1_795_379_476.5


def episode(number: int, *, incident: int | None = None, queued: int = 0) -> Episode:
    return Episode(
        id=number,
        route="media",
        channel="ops",
        source="alertmanager",
        fingerprint="0123456789abcdef",
        labels={"alertname": "NodeDown", "odd": 'a"\N{SNOWMAN}\n\0'},
        annotations={"summary": "it is down"},
        severity="warning",
        generator_url="http://prometheus.invalid",
        group={"alertname": "NodeDown"},
        title="{alertname}",
        group_by_all=True,
        event=False,
        hold=60.0,
        starts_at=NOW - 100.123456,
        received_at=NOW - 90.0,
        due=NOW - 40.0,
        phase="told",
        ends_at=NOW - 1.0,
        ending="expired",
        ended_seen_at=NOW,
        incident=incident,
        queued=queued,
        times=3,
        first_at=NOW - 1000.0,
        silenced=True,
        absent=1,
        doubted_at=NOW,
    )


def incident(number: int, *, post: int | None = None, closed_at: float | None = None) -> Incident:
    return Incident(
        id=number,
        channel="ops",
        route="media",
        source="falco",
        event=True,
        group={"rule": "shell"},
        title=None,
        group_by_all=False,
        opened_at=NOW - 50.0,
        told_since=NOW - 40.0,
        ended_at=NOW,
        returns=2,
        revision=5,
        told_revision=4,
        worst="critical",
        pinged=["critical", "warning"],
        post=post,
        changed_at=NOW,
        closed_at=closed_at,
    )


def post(number: int, *incidents: int) -> Post:
    return Post(number, "ops", "media", "1234567890", "987", list(incidents), NOW, NOW + 1.0, plain=True)


def dead_letter(number: int, at: float = NOW) -> DeadLetter:
    return DeadLetter(number, "ops", at, "malformed", "Invalid Form Body", [1, 2], 7, '{"content":"x"}', None)


def everything() -> Changes:
    return Changes(
        episodes=[episode(1, incident=2, queued=2), episode(7)],
        incidents=[incident(2, post=3)],
        posts=[post(3, 2)],
        dead_letters=[dead_letter(4)],
        accounts={("ops", "received"): 5, ("ops", "posted"): 3},
        next_id=8,
    )


def with_store(
    path: Path, scenario: Callable[[Store], Awaitable[T]], *, limits: Limits | None = None, now: float = NOW
) -> T:
    """Runs a scenario on a store at a path, and closes it."""

    async def run() -> T:
        store = Store(str(path), now, limits)
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(run())


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    """What another process sees."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
