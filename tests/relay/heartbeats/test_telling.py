"""What people read, word for word: how a heartbeat went down, and how it came back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from homelabmon.relay.heartbeats import keeper
from tests.relay.heartbeats.desk import HOURLY, MIDNIGHT, NIGHTLY, Desk, H, M, beats

WEBHOOK: Final = "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68
RID: Final = "123e4567-e89b-12d3-a456-426614174000"


def told(scenario: Callable[[Desk], Awaitable[None]], *heartbeats: dict[str, Any]) -> list[tuple[str, str]]:
    """Summary and description of everything that was told."""

    async def run() -> list[tuple[str, str]]:
        desk = Desk(*heartbeats)
        await desk.at(0)
        await scenario(desk)
        notices = [notice["annotations"] for notice in desk.notices()]
        return [(words["summary"], words["description"]) for words in notices]

    return asyncio.run(run())


async def wait(desk: Desk, until: float) -> None:
    while desk.second < until:
        await desk.at(min(desk.second + keeper.LOOK_EVERY, until))


def test_a_run_that_did_not_come_and_came_late() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", at=MIDNIGHT)
        await wait(desk, 2 * H)
        await desk.ping("hourly", "start")
        await wait(desk, 2 * H + 90)
        await desk.ping("hourly", body=b"42 files\n")

    assert told(scenario, {**HOURLY, "description": "Copies the photos."}) == [
        (
            "hourly did not run",
            "Copies the photos. It was due at 2026-09-22 01:00 UTC. Its last success was at 2026-09-22 00:00 UTC.",
        ),
        ("hourly did not run", "It ran 1 h 1 min late, and took 1 min 30 s. It said:\n42 files"),
    ]


def test_a_run_that_was_told_of_late_had_run_in_time() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", at=MIDNIGHT)
        await wait(desk, 2 * H)
        await desk.ping("hourly", at=MIDNIGHT + H)

    assert told(scenario, HOURLY)[1:] == [("hourly did not run", "It had run in time.")]


def test_a_job_that_did_not_start() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("nightly", at=MIDNIGHT - 21 * H)
        await wait(desk, 3 * H + 5 * M)
        await desk.ping("nightly")

    assert told(scenario, {**NIGHTLY, "start_grace": "5m"}) == [
        (
            "nightly did not start",
            "It was due at 2026-09-22 03:00 UTC. Its last success was at 2026-09-21 03:00 UTC.",
        ),
        ("nightly did not start", "It ran 5 min late."),
    ]


def test_a_heartbeat_that_has_never_been_seen() -> None:
    async def scenario(desk: Desk) -> None:
        await wait(desk, 4 * H)
        await desk.ping("nightly")

    assert told(scenario, NIGHTLY) == [
        ("nightly has never been seen", "It was due at 2026-09-22 03:00 UTC."),
        ("nightly has never been seen", "It ran 1 h late."),
    ]


def test_a_run_that_did_not_end_and_ended() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", "start", rid=RID)
        await wait(desk, 15 * M)
        await desk.ping("hourly", rid=RID)

    assert told(scenario, HOURLY) == [
        ("hourly started and did not end", "It started at 2026-09-22 00:00 UTC. It has never succeeded."),
        ("hourly started and did not end", "It ended, and took 15 min."),
    ]


def test_a_run_that_takes_too_long() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", "start")
        await wait(desk, 3 * M)

    assert told(scenario, {**HOURLY, "max_runtime": "2m"}) == [
        ("hourly runs for too long", "It started at 2026-09-22 00:00 UTC. It has never succeeded."),
    ]


def test_each_failure_says_its_own_code_its_own_words_and_how_often_it_has_failed() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", "start")
        await wait(desk, 2 * M)
        await desk.ping("hourly", "fail", exit_code=3, body=b"disk is full")
        await wait(desk, 5 * M)
        await desk.ping("hourly", "fail", exit_code=143)
        await wait(desk, 9 * M)
        await desk.ping("hourly", "fail", body=f"POST {WEBHOOK} failed".encode())
        await wait(desk, 12 * M)
        await desk.ping("hourly", body=b"fine again")
        await desk.ping("hourly", "fail", exit_code=1)

    assert told(scenario, HOURLY) == [
        (
            "hourly failed with exit code 3",
            "It had run for 2 min. It has never succeeded. It said:\ndisk is full",
        ),
        ("hourly failed with exit code 143", "It has failed 2 times in a row. It has never succeeded."),
        (
            "hourly failed",
            "It has failed 3 times in a row. It has never succeeded. It said:\nPOST [redacted] failed",
        ),
        ("hourly failed", "It succeeded 10 min after it had failed. It said:\nfine again"),
        ("hourly failed with exit code 1", "Its last success was at 2026-09-22 00:12 UTC."),
    ]


def test_of_much_that_was_said_the_last_is_told() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.ping("hourly", "fail", body=b"x" * 9_000 + b" the end")

    ((_, description),) = told(scenario, HOURLY)
    assert description == f"It has never succeeded. It said:\n…{'x' * 591} the end"


def test_one_that_is_paused_or_not_expected_any_more_is_over() -> None:
    async def scenario(desk: Desk) -> None:
        for name in ("hourly", "nightly"):
            await desk.ping(name, "fail")
        desk.notices()
        keeper.pause(desk.disk.connection, beats(HOURLY), "hourly", MIDNIGHT + 5)
        desk.keeper.reconfigure(beats(HOURLY))
        await desk.at(10)

    assert told(scenario, HOURLY, NIGHTLY) == [
        ("hourly failed", "It is paused."),
        ("nightly failed", "It is not expected any more."),
    ]


def test_every_message_leads_to_a_runbook() -> None:
    async def run() -> list[str]:
        desk = Desk(HOURLY)
        await desk.at(0)
        await desk.ping("hourly", "fail")
        await desk.ping("hourly")
        await desk.at(9 * H)
        return [notice["annotations"]["runbook_url"].rpartition("/")[2] for notice in desk.notices()]

    assert asyncio.run(run()) == ["HeartbeatMissed.md", "HeartbeatMissed.md", "HeartbeatsUnverified.md"]
