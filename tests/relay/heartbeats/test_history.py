"""What becomes of heartbeats is history, in the very transaction that noticed it."""

from __future__ import annotations

import asyncio

from homelabmon.relay import history
from homelabmon.relay.heartbeats import keeper
from homelabmon.relay.heartbeats.beats import beats_of
from tests.relay.heartbeats.desk import HOURLY, MIDNIGHT, NIGHTLY, Desk, H, M, beats, file_of
from tests.relay.heartbeats.test_keeper import awake


def noted(desk: Desk, name: str = "hourly") -> list[tuple[float, str]]:
    """When it began to be what, in seconds after midnight."""
    found = history.spans(desk.disk.connection, history.of_heartbeat(name), 0.0)
    return [(span.began - MIDNIGHT, span.state) for span in found]


def test_a_heartbeat_is_unknown_then_well_then_out_since_the_moment_it_was_missed() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await awake(desk, 5 * M)
        await desk.ping("hourly")
        await awake(desk, 5 * M + H)
        await desk.ping("hourly")
        await awake(desk, 15 * M + 2 * H + 3)
        await desk.ping("hourly", at=MIDNIGHT + 15 * M + 2 * H + 3)
        assert noted(desk) == [
            (0, "unknown"),
            (5 * M, "operational"),
            (15 * M + 2 * H, "outage"),
            (15 * M + 2 * H + 3, "operational"),
        ]

    asyncio.run(scenario())


def test_a_heartbeat_that_is_late_is_still_well_and_one_that_is_paused_is_nobodys_outage() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, H + 5 * M)
        known = beats_of(file_of(HOURLY))
        assert keeper.pause(desk.disk.connection, known, "hourly", MIDNIGHT + H + 6 * M)
        assert noted(desk) == [(0, "operational"), (H + 6 * M, "unknown")]

    asyncio.run(scenario())


def test_a_run_that_is_told_of_late_was_no_outage() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly")
        await awake(desk, 75 * M)
        assert noted(desk) == [(0, "operational"), (H + 10 * M, "outage")]
        await desk.ping("hourly", at=MIDNIGHT + H)
        assert noted(desk) == [(0, "operational")]

    asyncio.run(scenario())


def test_one_that_is_not_expected_any_more_has_no_data_from_then_on() -> None:
    async def scenario() -> None:
        desk = Desk(HOURLY, NIGHTLY)
        await desk.at(0)
        await desk.ping("hourly")
        desk.keeper.reconfigure(beats(NIGHTLY))
        await desk.at(5)
        assert set(history.states(desk.disk.connection)) == {"heartbeat:nightly"}

    asyncio.run(scenario())
