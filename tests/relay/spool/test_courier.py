"""What waits is sent on in order, as soon as the outpost takes it; to which it is as if it had been told at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.notifiers.contract import Response
from homelabmon.relay.heartbeats import records as heartbeats
from homelabmon.relay.heartbeats.keeper import Keeper
from homelabmon.relay.heartbeats.state import State
from homelabmon.relay.spool import records
from homelabmon.relay.spool.courier import LONGEST, Courier, request_of
from homelabmon.relay.spool.records import Letter
from homelabmon.relay.store.trouble import StoreError
from tests.relay.heartbeats.desk import Desk, beats
from tests.relay.memory_disk import MemoryDisk
from tests.relay.spool.line import KEY, OURS, URL, Line

HOURLY: Final = {"name": "hourly", "period": "1h", "grace": "1h"}
DAILY: Final = {"name": "daily", "period": "1d", "grace": "1h"}
HOUR: Final = 3600.0


class Cluster:
    """A spool with a courier, before an outpost that knows ``hourly`` and ``daily``; one clock for both."""

    def __init__(self) -> None:
        self.outpost = Desk(HOURLY, DAILY)
        self.clock = self.outpost.clock
        self.line = Line(self.outpost)
        self.disk = MemoryDisk()
        self.counts = Counter[str]()
        self.running: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        """A new process: it knows what the disk knows."""
        self.courier = Courier(self.disk, self.clock, self.line, self.counts)
        self.courier.url = URL
        self.running = asyncio.ensure_future(self.courier.run())

    async def kill(self) -> None:
        assert self.running is not None
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running

    async def restart(self) -> None:
        await self.kill()
        self.start()

    async def take(self, name: str, what: str = "", rid: str | None = None, **rest: Any) -> int | None:
        now = self.clock.now()
        letter = replace(Letter(now, now, f"{KEY}/{name}", what, rid), **rest)
        gone = await self.disk.transact(lambda connection: records.put(connection, letter))
        self.courier.nudge()
        await self.clock.turns()
        return gone

    @property
    def waiting(self) -> int:
        return records.waiting(self.disk.connection).count

    def state(self, name: str) -> State:
        found = heartbeats.find(self.outpost.disk.connection, name)
        assert found is not None
        return found.state


def in_cluster(scenario: Callable[[Cluster], Awaitable[None]]) -> None:
    async def run() -> None:
        cluster = Cluster()
        await cluster.outpost.keeper.look()
        await cluster.clock.turns()
        try:
            await scenario(cluster)
        finally:
            await cluster.kill()

    asyncio.run(run())


def test_a_ping_is_there_at_once_while_the_outpost_answers() -> None:
    async def scenario(cluster: Cluster) -> None:
        now = cluster.clock.now()
        await cluster.take("hourly", body=b"42 files saved")
        assert (cluster.state("hourly").last_success, cluster.waiting) == (now, 0)
        (ping,) = heartbeats.pings(cluster.outpost.disk.connection, "hourly")
        assert (ping.kind, ping.at, ping.body) == ("success", now, b"42 files saved")
        assert cluster.counts == {"delivered": 1}

    in_cluster(scenario)


def test_what_could_not_be_told_arrives_in_order_with_the_time_at_which_it_was_meant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario(cluster: Cluster) -> None:
        began = cluster.clock.now()
        cluster.line.down = True
        await cluster.take("hourly", "start")
        await cluster.clock.advance(300)
        await cluster.take("hourly", "0")
        await cluster.take("daily", "3")
        await cluster.clock.advance(HOUR)
        cluster.line.down = False
        cluster.line.asked.clear()
        await cluster.clock.advance(LONGEST)
        assert cluster.line.words() == ["hourly/start", "hourly/0", "daily/3"]
        hourly = cluster.state("hourly")
        assert (hourly.last_ping, hourly.duration, hourly.exit_code) == (began + 300, 300, 0)
        assert (cluster.state("daily").reason, cluster.state("daily").since) == ("failed", began + 300)
        assert cluster.waiting == 0

    in_cluster(scenario)
    told = [record.message for record in caplog.records if "the outpost takes" in record.message]
    assert told == ["the outpost takes no pings, they wait", "the outpost takes pings again"]
    assert KEY not in caplog.text


def test_it_asks_an_outpost_that_is_away_less_and_less_often_but_twice_a_minute() -> None:
    async def scenario(cluster: Cluster) -> None:
        cluster.line.down = True
        for _ in range(20):
            await cluster.take("hourly")
        await cluster.clock.advance(600)
        assert 20 <= len(cluster.line.asked) <= 30
        cluster.line.asked.clear()
        await cluster.clock.advance(600)
        assert len(cluster.line.asked) == 20

    in_cluster(scenario)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_the_outpost_refuses_for_good_does_not_wait(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(cluster: Cluster) -> None:
        cluster.line.said = [Response(status, OURS)]
        await cluster.take("hourly")
        await cluster.take("daily")
        assert (cluster.waiting, cluster.counts) == (0, {"refused": 1, "delivered": 1})
        assert cluster.state("daily").last_success == cluster.clock.now()

    in_cluster(scenario)
    (told,) = [record for record in caplog.records if "refuses" in record.message]
    assert (told.__dict__["status"], told.__dict__["heartbeat"]) == (status, "hourly")


@pytest.mark.parametrize("said", [Response(200), Response(404), Response(302), Response(502), Response(401)])
def test_an_answer_that_is_not_the_outposts_own_says_nothing(said: Response) -> None:
    """A proxy's page, or one to log in at: the ping is not there, and not refused."""

    async def scenario(cluster: Cluster) -> None:
        cluster.line.said = [said]
        await cluster.take("hourly")
        assert (cluster.waiting, cluster.counts) == (1, {})
        await cluster.clock.advance(1)
        assert (cluster.waiting, cluster.counts) == (0, {"delivered": 1})

    in_cluster(scenario)


def test_one_ping_that_is_put_off_keeps_back_those_of_its_heartbeat_and_no_others() -> None:
    async def scenario(cluster: Cluster) -> None:
        cluster.line.down = True
        for name in ("hourly", "daily", "hourly", "daily"):
            await cluster.take(name)
        cluster.line.down, cluster.line.said = False, [Response(503, OURS)]
        cluster.line.asked.clear()
        await cluster.clock.advance(1)
        assert cluster.line.words() == ["hourly", "daily", "daily"]
        assert cluster.waiting == 2
        await cluster.clock.advance(LONGEST)
        assert cluster.line.words() == ["hourly", "daily", "daily", "hourly", "hourly"]
        assert cluster.waiting == 0

    in_cluster(scenario)


def test_of_one_heartbeat_the_latest_wait_and_of_all_no_more_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MOST", 5)
    monkeypatch.setattr(records, "MOST_OF_ONE", 3)
    monkeypatch.setattr(records, "MOST_BYTES", 100)

    async def scenario(cluster: Cluster) -> None:
        cluster.line.down = True
        assert [await cluster.take("hourly", str(code)) for code in range(5)] == [0, 0, 0, 1, 1]
        kept = records.after(cluster.disk.connection, 0, 10)
        assert [letter.what for letter in kept] == ["2", "3", "4"]
        assert await cluster.take("daily", body=b"x" * 101) is None
        assert await cluster.take("daily", body=b"x" * 100) == 0
        assert await cluster.take("daily", body=b"x") is None
        assert await cluster.take("daily") == 0
        assert await cluster.take("daily") is None
        assert cluster.waiting == 5

    in_cluster(scenario)


def test_what_has_waited_for_too_long_goes_and_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST", 2 * HOUR)

    async def scenario(cluster: Cluster) -> None:
        cluster.line.down = True
        await cluster.take("hourly")
        await cluster.clock.advance(HOUR)
        await cluster.take("daily")
        await cluster.clock.advance(HOUR + LONGEST)
        assert [one.address for one in records.after(cluster.disk.connection, 0, 10)] == [f"{KEY}/daily"]
        assert cluster.counts == {"expired": 1}

    in_cluster(scenario)
    assert "thrown away" in caplog.text


def test_a_disk_that_fails_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.take("hourly")
        cluster.disk.broken = True
        with pytest.raises(StoreError):
            await cluster.take("daily")
        cluster.courier.nudge()
        await cluster.clock.advance(60)
        cluster.disk.broken = False
        await cluster.take("daily")
        await cluster.clock.advance(LONGEST)
        assert (cluster.waiting, cluster.counts) == (0, {"delivered": 2})

    in_cluster(scenario)


# Whatever happens, in whatever order ---------------------------------------------------------------------------------

RIDS: Final = (None, "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555")
PINGS: Final = st.tuples(
    st.sampled_from(["hourly", "daily"]),
    st.sampled_from(["", "start", "fail", "log", "0", "7"]),
    st.sampled_from(RIDS),
)
TROUBLES: Final = st.sampled_from(["down", "up", "kill", "loses", "503", "page"])
STEPS: Final = st.lists(st.tuples(st.floats(0.5, 90.0), PINGS | TROUBLES), max_size=30)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_whatever_fails_the_outpost_knows_in_the_end_what_it_would_have_been_told_at_once(
    steps: list[tuple[float, tuple[str, str, str | None] | str]],
) -> None:
    async def run() -> list[list[State]]:
        cluster, direct = Cluster(), Desk(HOURLY, DAILY)
        reference = Line(direct)
        direct.clock = cluster.clock
        direct.keeper = Keeper(direct.disk, cluster.clock, lambda: None, beats(HOURLY, DAILY), sight=direct.eyes)
        await cluster.outpost.keeper.look()
        await direct.keeper.look()
        try:
            for seconds, step in steps:
                await cluster.clock.advance(seconds)
                if isinstance(step, tuple):
                    name, what, rid = step
                    await cluster.take(name, what, rid)
                    await tell(reference, cluster.clock.now(), name, what, rid)
                else:
                    await trouble(cluster, step)
            cluster.line.down = cluster.line.loses = False
            cluster.line.said.clear()
            await cluster.clock.advance(3 * LONGEST)
            assert cluster.waiting == 0
            return [
                [record.state for record in heartbeats.everything(desk.disk.connection)]
                for desk in (cluster.outpost, direct)
            ]
        finally:
            await cluster.kill()

    told_late, told_at_once = asyncio.run(run())
    assert told_late == told_at_once


async def tell(line: Line, at: float, name: str, what: str, rid: str | None) -> None:
    """Straight to the outpost, without a spool."""
    await line.send(request_of(URL, Letter(at, at, f"{KEY}/{name}", what, rid), at))


async def trouble(cluster: Cluster, what: str) -> None:
    match what:
        case "down":
            cluster.line.down = True
        case "up":
            cluster.line.down = cluster.line.loses = False
        case "kill":
            await cluster.restart()
        case "loses":
            cluster.line.loses = True
        case "503":
            cluster.line.said.append(Response(503, OURS))
        case _:
            cluster.line.said.append(Response(200))
