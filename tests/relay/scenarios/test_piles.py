"""Ten thousand of anything: others have their turn meanwhile, and nothing is looked at more often than it need be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from homelabmon.notifiers.contract import Style
from homelabmon.notifiers.discord import Discord
from homelabmon.notifiers.message import IncidentView
from homelabmon.relay.engine import ANSWERS, BATCH_NOTICES, BREATH
from homelabmon.relay.incidents.model import Changes
from homelabmon.relay.store.queries import ROWS
from homelabmon.relay.store.store import Store
from tests.relay.rig import Rig
from tests.relay.scenarios.plays import in_memory
from tests.relay.store.examples import episode, with_store

MANY = 2_000


class Turns:
    """Counts how often others have their turn."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


def test_a_large_delivery_is_taken_a_little_at_a_time() -> None:
    async def scene(rig: Rig) -> None:
        turns = Turns()
        counting = asyncio.ensure_future(turns.run())
        rig.tell(*(rig.alert(f"n{number}", group="NodeDown") for number in range(MANY)))
        while rig.engine.book is None or rig.memory.commits == 0:
            await asyncio.sleep(0)
        counting.cancel()
        assert turns.count > MANY / BREATH
        assert rig.accounts() == {"received": MANY, "queued": MANY}

    in_memory(scene)


def test_many_deliveries_are_taken_some_at_a_time_and_none_twice() -> None:
    async def scene(rig: Rig) -> None:
        for group in range(20):
            rig.tell(*(rig.alert(f"g{group}-n{number}", group=f"g{group}") for number in range(100)))
        before = rig.memory.commits
        await rig.until(1)
        assert rig.memory.commits - before >= MANY / BATCH_NOTICES
        assert rig.accounts() == {"received": MANY, "queued": MANY}

    in_memory(scene)


def test_thousands_of_answers_are_heeded_some_at_a_time() -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(*(rig.alert(f"n{number}", group="NodeDown") for number in range(MANY)))
        rig.replicas.there = {f"n{number}": "gone" for number in range(MANY)}
        await rig.until(59)
        before = rig.memory.commits
        await rig.until(70)
        assert rig.memory.commits - before >= MANY / ANSWERS
        assert rig.accounts() == {"received": MANY, "suppressed": MANY}

    in_memory(scene)


def test_a_large_commit_is_made_ready_a_little_at_a_time(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        turns = Turns()
        counting = asyncio.ensure_future(turns.run())
        writing = asyncio.ensure_future(store.commit(Changes(episodes=[episode(n) for n in range(MANY)])))
        while store._writer._jobs.empty() and not writing.done():
            await asyncio.sleep(0)
        assert turns.count > MANY / ROWS
        await writing
        counting.cancel()
        assert len((await store.load()).episodes) == MANY

    with_store(tmp_path / "relay.db", scenario)


class Curious(Discord):
    """Notes how many alerts it is asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def how_many_fit(self, incidents: Sequence[IncidentView], style: Style = "full") -> int:
        self.asked = max(self.asked, sum(len(one.alerts) for one in incidents))
        return super().how_many_fit(incidents, style)


def test_only_what_may_fit_into_a_digest_is_looked_at() -> None:
    async def scene(rig: Rig) -> None:
        notifier = Curious()
        rig.notifier = notifier
        await rig.restart()
        for group in range(100):
            rig.tell(
                *(rig.alert(f"g{group}-n{number}", group=f"g{group}", severity="critical") for number in range(40))
            )
        await rig.until(30)
        assert 0 < notifier.asked < 1_000

    in_memory(scene)
