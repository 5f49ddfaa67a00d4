"""What delivery must still know after a restart: no address is on disk, and a disk that fails is waited for."""

from __future__ import annotations

import asyncio

from homelabmon.relay.delivery.memory import KEPT, Memory, Remembered, digest_of
from tests.relay.fake_clock import FakeClock
from tests.relay.memory_disk import MemoryDisk

URL = "https://discord.com/api/webhooks/1/secret"


def test_requests_that_count_are_known_with_their_age_until_they_count_no_more() -> None:
    async def scenario() -> None:
        disk, clock = MemoryDisk(), FakeClock()
        memory = Memory(disk, clock)
        note = await memory.expect(URL)
        await memory.answered(URL, note, invalid=True)
        await clock.advance(100)
        note = await memory.expect(URL)
        await memory.answered(URL, note, invalid=False)
        assert await memory.expect(URL) is None
        await memory.answered(URL, None, invalid=True)
        await clock.advance(50)
        found = await Memory(disk, clock).recall()
        assert found == Remembered({}, ((digest_of(URL), 150.0), (digest_of(URL), 50.0)))
        clock.set_wall(clock.now() - 1000)
        assert [age for _, age in (await memory.recall()).invalid] == [0.0, 0.0]
        clock.set_wall(clock.now() + 1000 + KEPT)
        assert (await memory.recall()).invalid == ()

    asyncio.run(scenario())


def test_no_address_is_on_disk() -> None:
    async def scenario() -> None:
        disk = MemoryDisk()
        memory = Memory(disk, FakeClock())
        await memory.expect(URL)
        await memory.bury(URL, "unknown_webhook")
        assert (await memory.recall()).dead == {digest_of(URL): "unknown_webhook"}
        said = "\n".join(disk.connection.iterdump())
        assert "secret" not in said
        assert "discord.com" not in said

    asyncio.run(scenario())


def test_a_disk_that_fails_is_waited_for() -> None:
    async def scenario() -> None:
        disk, clock = MemoryDisk(), FakeClock()
        memory = Memory(disk, clock)
        disk.broken = True
        burying = asyncio.ensure_future(memory.bury(URL, "unknown_webhook"))
        await clock.advance(60)
        assert not burying.done()
        disk.broken = False
        await clock.advance(10)
        await burying
        assert await memory.dead() == {digest_of(URL): "unknown_webhook"}

    asyncio.run(scenario())
