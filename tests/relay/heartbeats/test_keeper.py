"""Nothing is missed unseen, nothing is told twice, and an outage of ours is one message."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from homelabmon.relay.heartbeats import keeper, records
from homelabmon.relay.heartbeats.keeper import LOOK_EVERY, MOST_MADE, TooManyError
from homelabmon.relay.store.trouble import StoreError
from tests.relay.heartbeats.desk import DAY, HOURLY, MIDNIGHT, NIGHTLY, Desk, H, M, beats


async def awake(desk: Desk, until: float) -> None:
    """The keeper looks every ten seconds, as it does when it runs."""
    while desk.second < until:
        await desk.at(min(desk.second + LOOK_EVERY, until))


def test_a_missed_run_is_told_with_the_moment_of_its_deadline_and_its_return() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, H + 10 * M - 5)
        assert desk.told() == []
        assert await desk.at(H + 10 * M) == LOOK_EVERY
        assert desk.told() == [("down", "hourly", H + 10 * M)]
        assert desk.nudges == 1
        await awake(desk, 2 * H)
        assert desk.told() == []
        await desk.ping("hourly")
        assert desk.told() == [("back", "hourly", 2 * H)]
        assert (desk.nudges, desk.status("hourly")) == (2, "up")

    asyncio.run(scenario())


def test_the_keeper_sleeps_until_the_next_deadline_and_no_longer() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        running = asyncio.ensure_future(desk.keeper.run())
        await desk.clock.advance(1.25)
        await desk.ping("hourly", "start")
        await desk.clock.advance(10 * M - 0.01)
        assert desk.told() == []
        await desk.clock.advance(0.01)
        assert desk.told() == [("down", "hourly", 10 * M + 1.25)]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())


def test_a_ping_that_brings_the_deadline_forward_wakes_the_keeper() -> None:
    async def scenario() -> None:
        desk = Desk({"name": "quick", "period": "1h", "grace": "3s", "max_runtime": "3s"})
        running = asyncio.ensure_future(desk.keeper.run())
        await desk.clock.advance(1.0)
        await desk.ping("quick", "start")
        await desk.clock.advance(3.0)
        assert desk.told() == [("down", "quick", 4.0)]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())


def test_a_failure_is_told_at_once_with_its_words_and_a_second_one_with_new_words() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly", "fail", exit_code=3, body=b"disk is full")
        (first,) = desk.notices()
        assert first["annotations"]["summary"] == "hourly failed with exit code 3"
        assert first["annotations"]["description"].endswith("It has never succeeded. It said:\ndisk is full")
        await desk.at(M)
        await desk.ping("hourly", "fail", exit_code=4, body=b"disk is gone")
        (second,) = desk.notices()
        assert (second["fingerprint"], second["starts_at"]) == (first["fingerprint"], first["starts_at"])
        assert second["annotations"]["description"].endswith("disk is gone")
        await desk.ping("hourly", "start")
        await desk.ping("hourly", "log", body=b"trying")
        assert desk.notices() == []

    asyncio.run(scenario())


def test_nothing_is_stored_and_nothing_told_when_the_disk_fails() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        desk.disk.broken = True
        with pytest.raises(StoreError):
            await desk.ping("hourly", "fail")
        desk.disk.broken = False
        assert (desk.status("hourly"), desk.told(), desk.nudges) == ("new", [], 0)

    asyncio.run(scenario())


def test_the_keeper_goes_on_once_the_disk_does() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        running = asyncio.ensure_future(desk.keeper.run())
        await desk.clock.advance(5)
        await desk.ping("hourly")
        desk.disk.broken = True
        await desk.clock.advance(20)
        desk.disk.broken = False
        await desk.clock.advance(H + 10 * M)
        assert desk.told() == [("down", "hourly", H + 10 * M + 5)]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())


def test_what_nobody_knows_is_no_heartbeat_unless_a_ping_makes_it() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        assert await desk.ping("other") is None
        assert await desk.ping("other", create=True) is True
        assert await desk.ping("other", create=True) is False
        assert await desk.ping("hourly", create=True) is False
        await awake(desk, 20)
        assert desk.status("other") == "up"
        (made, other) = await desk.keeper.rows()
        assert (made.name, other.name, other.deadline) == ("hourly", "other", MIDNIGHT + DAY + H)
        assert len(records.pings(desk.disk.connection, "other")) == 2

    asyncio.run(scenario())


def test_pings_make_so_many_heartbeats_and_no_more() -> None:
    async def scenario() -> None:
        desk = Desk()
        for number in range(MOST_MADE):
            assert await desk.ping(f"made-{number}", create=True)
        with pytest.raises(TooManyError):
            await desk.ping("one-more", create=True)
        assert await desk.ping("made-7", create=True) is False

    asyncio.run(scenario())


def test_of_each_heartbeat_the_latest_pings_are_kept() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY, NIGHTLY)
        await desk.at(0)
        await desk.ping("nightly")
        for number in range(records.KEPT + 5):
            await desk.ping("hourly", "log", body=str(number).encode())
        kept = [heard.body for heard in records.pings(desk.disk.connection, "hourly")]
        assert kept == [str(number).encode() for number in range(records.KEPT + 4, 4, -1)]
        assert len(records.pings(desk.disk.connection, "nightly")) == 1

    asyncio.run(scenario())


def test_a_ping_that_was_kept_back_counts_from_when_it_was_meant() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, 2 * H)
        assert desk.told() == [("down", "hourly", H + 10 * M)]
        await desk.ping("hourly", at=MIDNIGHT + H + 5 * M)
        (back,) = desk.notices()
        assert back["ends_at"] == back["starts_at"] == MIDNIGHT + H + 10 * M
        assert "It ran 5 min late." in back["annotations"]["description"]
        await awake(desk, 5 * H)
        await desk.ping("hourly", at=MIDNIGHT + 2 * H + 5 * M)
        assert [what for what, _, _ in desk.told()] == ["down", "back", "down"]
        assert desk.status("hourly") == "down"

    asyncio.run(scenario())


# Our own outages -----------------------------------------------------------------------------------------------------


def test_a_restart_after_hours_is_one_message_and_no_storm() -> None:
    async def scenario() -> None:
        many = [{**NIGHTLY, "name": f"nightly-{number}"} for number in range(30)]
        desk = Desk(*many, HOURLY)
        await desk.at(2 * H + 10 * M)
        for beat in many:
            await desk.ping(beat["name"], at=MIDNIGHT - 20 * H)
        await desk.ping("hourly")
        desk.told()
        again = Desk(*many, HOURLY, disk=desk.disk, now=MIDNIGHT + 2 * H + 41 * M)
        await again.keeper.look()
        assert again.told() == []  # nothing was due from 02:10 to 02:41
        later = Desk(*many, HOURLY, disk=desk.disk, now=MIDNIGHT + 5 * H)
        await later.keeper.look()
        (notice,) = later.notices()
        assert notice["event"]
        assert notice["labels"]["alertname"] == "HeartbeatsUnverified"
        assert notice["annotations"]["summary"] == "31 runs unverified: nobody listened for 2 h 19 min"
        said = notice["annotations"]["description"]
        assert said.startswith("From 2026-09-22 02:41 to 05:00 UTC no ping could come in. Unknown: hourly, nightly-0, ")
        assert said.endswith(" and 11 more.")
        await awake(later, 6 * H + 10 * M - 1)
        assert later.told() == []
        await awake(later, 6 * H + 10 * M)
        assert later.told() == [("down", "hourly", 6 * H + 10 * M)]
        deadlines = {row.name: row.deadline for row in await later.keeper.rows()}
        assert deadlines == {"hourly": None, **{beat["name"]: MIDNIGHT + DAY + 4 * H for beat in many}}

    asyncio.run(scenario())


def test_a_short_restart_tells_nothing_and_gives_clients_a_minute() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        over = H + 10 * M
        await desk.at(over - 10)
        await desk.ping("hourly", at=MIDNIGHT)
        again = Desk(HOURLY, disk=desk.disk, now=MIDNIGHT + over + 20)
        desk.told()
        await again.keeper.look()
        assert again.told() == []
        await awake(again, over + 80)
        assert again.told() == [("down", "hourly", over + 80)]

    asyncio.run(scenario())


def test_a_suspended_machine_is_a_gap() -> None:
    async def scenario() -> None:
        desk = Desk(NIGHTLY)
        running = asyncio.ensure_future(desk.keeper.run())
        await desk.clock.advance(30)
        await desk.ping("nightly")
        desk.clock.set_wall(MIDNIGHT + 6 * H)
        await desk.clock.advance(LOOK_EVERY)
        assert [what for what, _, _ in desk.told()] == ["event"]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())


def test_a_clock_set_back_is_no_gap_and_leaves_nothing_in_the_future() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(5 * H)
        await desk.ping("hourly")
        await desk.at(0)
        assert desk.told() == []
        (row,) = await desk.keeper.rows()
        assert row.state.last_ping == MIDNIGHT
        await awake(desk, H + 10 * M)
        assert desk.told() == [("down", "hourly", H + 10 * M)]

    asyncio.run(scenario())


# Another configuration -----------------------------------------------------------------------------------------------


def test_a_heartbeat_that_is_not_expected_any_more_is_over() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY, NIGHTLY)
        await desk.at(0)
        await desk.ping("hourly", "fail")
        desk.told()
        desk.keeper.reconfigure(beats(NIGHTLY))
        await desk.at(5)
        (notice,) = desk.notices()
        assert (notice["firing"], notice["annotations"]["description"]) == (False, "It is not expected any more.")
        assert desk.status("hourly") is None
        assert await desk.ping("hourly") is None

    asyncio.run(scenario())


def test_nothing_is_missed_by_rules_that_did_not_hold_then() -> None:
    async def scenario() -> None:
        weekly = {**NIGHTLY, "schedule": "0 3 * * TUE"}
        desk = Desk(weekly, now=MIDNIGHT + 2 * H)
        await desk.keeper.look()
        await desk.ping("nightly", at=MIDNIGHT - 3 * DAY)
        desk.keeper.reconfigure(beats(NIGHTLY))
        await awake(desk, 4 * H - 1)
        assert desk.told() == []
        await awake(desk, 4 * H)
        assert desk.told() == [("down", "nightly", 4 * H)]

    asyncio.run(scenario())


def test_a_heartbeat_that_a_ping_made_can_be_declared_later() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.ping("hourly", create=True)
        desk.keeper.reconfigure(beats(HOURLY))
        await desk.at(5)
        record = records.find(desk.disk.connection, "hourly")
        assert record is not None
        assert (record.made, record.deadline) == (False, MIDNIGHT + H + 10 * M)

    asyncio.run(scenario())


def test_rows_tell_what_the_page_shows() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY, NIGHTLY, {"name": "shy", "period": "1d", "never_seen": "ignore"})
        await desk.at(0)
        await desk.ping("hourly")
        desk.clock.set_wall(MIDNIGHT + H)
        await desk.ping("nightly", "start")
        rows = await desk.keeper.rows()
        assert [(row.name, row.shown, row.running) for row in rows] == [
            ("hourly", "late", False),
            ("nightly", "new", True),
            ("shy", "new", False),
        ]
        assert [row.expected for row in rows] == [MIDNIGHT + H, MIDNIGHT + 3 * H, None]
        assert [row.deadline for row in rows] == [MIDNIGHT + H + 10 * M, MIDNIGHT + 2 * H, None]

    asyncio.run(scenario())


def test_the_worst_come_first_and_the_rest_is_counted() -> None:
    async def scenario() -> None:
        names = ("failed", "late", "unseen", "well", "asleep")
        desk = Desk(*({**HOURLY, "name": name} for name in reversed(names)))
        await desk.at(0)
        for name in ("late", "asleep"):
            await desk.ping(name)
        keeper.pause(desk.disk.connection, beats(HOURLY), "asleep", MIDNIGHT)
        await desk.at(30 * M)
        await desk.ping("well")
        await desk.ping("failed", "fail")
        desk.clock.set_wall(MIDNIGHT + H)
        rows, count = await desk.keeper.worst(9)
        assert [(row.name, row.shown) for row in rows] == list(
            zip(names, ("down", "late", "new", "up", "paused"), strict=True)
        )
        assert ([row.name for row in (await desk.keeper.worst(2))[0]], count) == (["failed", "late"], 5)
        assert await desk.keeper.in_short() == [
            ("asleep", "paused", MIDNIGHT),
            ("failed", "down", None),
            ("late", "up", MIDNIGHT),
            ("unseen", "new", None),
            ("well", "up", MIDNIGHT + 30 * M),
        ]

    asyncio.run(scenario())


def test_nothing_is_missed_while_the_service_is_blind_and_all_of_it_is_one_message_afterwards() -> None:
    """Ten minutes without the world: the deadline that fell into them is no miss, and its run is unverified."""

    async def scenario() -> None:
        desk = Desk(HOURLY, NIGHTLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, H + 10 * M - 10)
        assert desk.eyes.asked == 0
        desk.eyes.goes_blind = desk.clock.now() - 20
        await awake(desk, H + 20 * M)
        assert (desk.told(), desk.status("hourly"), desk.eyes.asked) == ([], "up", 1)
        desk.eyes.returns()
        await desk.at(H + 20 * M + 1)
        (event,) = desk.notices()
        words = event["annotations"]
        assert words["summary"] == "1 run unverified: nobody listened for 10 min"
        assert words["description"] == "From 2026-09-22 01:09 to 01:20 UTC no ping could come in. Unknown: hourly."
        await awake(desk, 2 * H + 30 * M)
        assert desk.told() == []
        await awake(desk, 2 * H + 31 * M)
        assert desk.told() == [("down", "hourly", 2 * H + 30 * M + 1)]

    asyncio.run(scenario())


def test_a_service_that_was_stopped_while_blind_knows_of_it_afterwards() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, H + 10 * M - 10)
        desk.eyes.goes_blind = desk.clock.now() - 60
        await awake(desk, H + 10 * M)
        later = Desk(HOURLY, disk=desk.disk)
        await later.at(H + 10 * M + 5)
        assert [(what, at) for what, _, at in later.told()] == [("event", H + 10 * M + 5)]

    asyncio.run(scenario())


def test_a_return_wakes_the_keeper() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        running = asyncio.ensure_future(desk.keeper.run())
        await desk.clock.advance(1)
        desk.eyes.blind_since = desk.clock.now()
        await desk.clock.advance(5)
        looked = desk.disk.connection.execute("SELECT value FROM meta WHERE key = 'heartbeats_looked'").fetchone()
        desk.eyes.returns()
        await desk.clock.advance(0.1)
        again = desk.disk.connection.execute("SELECT value FROM meta WHERE key = 'heartbeats_looked'").fetchone()
        assert again[0] > looked[0]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
