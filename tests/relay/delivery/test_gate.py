"""The gate: in turn, not sooner than allowed, and never stuck."""

from __future__ import annotations

import asyncio

from homelabmon.notifiers.contract import Retry, Sent
from homelabmon.relay.delivery.gate import Gate
from homelabmon.relay.delivery.limits import Limits, Pace, Window
from homelabmon.relay.delivery.worker import BACKOFF_LAST, BACKOFF_LEAST, backoff
from tests.relay.virtual import VirtualClock, run


def test_many_workers_together_keep_to_the_limit_of_all() -> None:
    async def main() -> None:
        clock = VirtualClock()
        gate = Gate(Limits(lambda: 0.0, Pace(everything=Window(3, 1.0))), clock)
        begun: list[float] = []

        async def call(webhook: str) -> None:
            async with gate.turn(webhook):
                await gate.wait(webhook)
                ticket = gate.begin(webhook)
                begun.append(clock.monotonic())
                await clock.sleep(0.2)
                gate.end(ticket, 200, Sent("1"))

        await asyncio.gather(*(call(f"hook-{number}") for number in range(20)))
        assert all(later - sooner >= 1.0 for sooner, later in zip(begun, begun[3:], strict=False))
        assert begun[-1] - begun[0] < 20

    run(main())


def test_who_came_first_goes_first() -> None:
    async def main() -> None:
        clock = VirtualClock()
        gate = Gate(Limits(lambda: 0.0), clock)
        order: list[int] = []

        async def call(number: int) -> None:
            async with gate.turn("hook"):
                await gate.wait("hook")
                order.append(number)
                gate.end(gate.begin("hook"), 429, Retry("rate_limit", 2.0, "webhook"))

        await asyncio.gather(*(call(number) for number in range(6)))
        assert order == [0, 1, 2, 3, 4, 5]

    run(main())


def test_backing_off_doubles_with_full_jitter_and_ends_at_a_minute() -> None:
    assert [backoff(failures, 1.0) for failures in range(1, 9)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff(5, 0.5) == 16
    assert backoff(1, 0.0) == BACKOFF_LEAST
    assert backoff(10_000, 1.0) == BACKOFF_LAST
