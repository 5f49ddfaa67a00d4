"""Time moves when it is told to, and a wall clock that was set is noticed."""

from __future__ import annotations

import asyncio

import pytest

from homelabmon.relay.clock import STEP, Clock, Steps, SystemClock
from tests.relay.fake_clock import FakeClock


def test_both_clocks_are_clocks() -> None:
    clocks: list[Clock] = [SystemClock(), FakeClock()]
    assert all(clock.monotonic() <= clock.monotonic() for clock in clocks)


def test_sleepers_wake_in_the_order_of_their_time_and_see_it() -> None:
    async def scenario() -> list[tuple[str, float]]:
        clock, woken = FakeClock(now=100.0), list[tuple[str, float]]()

        async def sleeper(name: str, *naps: float) -> None:
            for nap in naps:
                await clock.sleep(nap)
                woken.append((name, clock.now()))

        tasks = [asyncio.ensure_future(sleeper("late", 30)), asyncio.ensure_future(sleeper("twice", 10, 10))]
        await clock.advance(29)
        assert not tasks[0].done()
        await clock.advance(1)
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(scenario()) == [("twice", 110.0), ("twice", 120.0), ("late", 130.0)]


@pytest.mark.parametrize(("jump", "noticed"), [(STEP / 2, 0.0), (-STEP / 2, 0.0), (3600.0, 3600.0), (-3600.0, -3600.0)])
def test_a_step_of_the_wall_clock_is_noticed_once(jump: float, noticed: float) -> None:
    async def scenario() -> tuple[float, float]:
        clock = FakeClock()
        steps = Steps(clock)
        await clock.advance(1000)
        clock.set_wall(clock.now() + jump)
        return steps.stepped(), steps.stepped()

    assert list(asyncio.run(scenario())) == pytest.approx([noticed, 0.0])


def test_the_systems_clock_sleeps_not_at_all_for_the_past() -> None:
    asyncio.run(SystemClock().sleep(-10))
