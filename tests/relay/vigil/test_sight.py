"""Blind or not: how many anchors have to answer, who shares an answer, and what counts as coming from far away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from homelabmon.relay.vigil.contract import CLEAR, Sight
from homelabmon.relay.vigil.sight import Anchored, from_afar, reach
from tests.relay.fake_clock import FakeClock

ANCHORS = ("a:443", "b:443", "[::1]:443")


class World:
    """``up``: the anchors that answer. Each answer takes a turn of the loop; ``slow`` ones take ten seconds."""

    def __init__(self, *up: str) -> None:
        self.clock = FakeClock()
        self.up, self.slow = set(up), set[str]()
        self.asked: list[str] = []
        self.sight = Anchored(ANCHORS, self.clock, self.reach)

    async def reach(self, anchor: str) -> bool:
        self.asked.append(anchor)
        await self.clock.sleep(10 if anchor in self.slow else 0)
        return anchor in self.up


def played(scenario: Callable[[World], Awaitable[None]], *up: str) -> None:
    async def main() -> None:
        await scenario(World(*up))

    asyncio.run(main())


@pytest.mark.parametrize(("up", "sure"), [((), False), (ANCHORS[:1], False), (ANCHORS[:2], True), (ANCHORS, True)])
def test_two_anchors_have_to_answer(up: tuple[str, ...], sure: bool) -> None:
    async def scenario(world: World) -> None:
        assert await world.sight.sure() is sure
        assert (world.sight.blind_since is None) is sure

    played(scenario, *up)


def test_two_answers_are_enough_however_slow_the_third_is() -> None:
    async def scenario(world: World) -> None:
        world.slow = {"b:443"}
        assert await asyncio.wait_for(world.sight.sure(), 1)
        assert world.clock.sleepers == 0

    played(scenario, *ANCHORS)


def test_an_answer_holds_for_two_seconds_and_is_shared_meanwhile() -> None:
    async def scenario(world: World) -> None:
        world.slow = set(ANCHORS)
        several = [asyncio.create_task(world.sight.sure()) for _ in range(5)]
        await world.clock.advance(10)
        assert await asyncio.gather(*several) == [True] * 5
        assert sorted(world.asked) == sorted(ANCHORS)
        world.slow = set()
        assert await world.sight.sure()  # what was asked ten seconds ago is no answer for now
        assert len(world.asked) == 6
        await world.clock.advance(2)
        assert await world.sight.sure()
        assert len(world.asked) == 6
        world.up = set()
        await world.clock.advance(0.1)
        assert not await world.sight.sure()

    played(scenario, *ANCHORS)


@pytest.mark.parametrize("stood_still", [2.0, 130.0])
def test_anchors_that_could_not_answer_as_this_process_stood_still_are_asked_again(stood_still: float) -> None:
    async def scenario(world: World) -> None:
        async def late(anchor: str) -> bool:
            world.asked.append(anchor)
            if len(world.asked) > len(ANCHORS):
                return True
            await world.clock.sleep(stood_still)
            return False

        sight = Anchored(ANCHORS, world.clock, late)
        answer = asyncio.create_task(sight.sure())
        await world.clock.advance(stood_still)
        assert await answer is (stood_still > 8)
        assert (sight.blind_since is None) is (stood_still > 8)

    played(scenario)


def test_blindness_begins_when_it_was_last_seen_and_ends_with_a_call() -> None:
    async def scenario(world: World) -> None:
        begun, calls = world.clock.now(), list[str]()
        world.sight.on_blind = lambda: calls.append("blind")
        world.sight.on_return(lambda: calls.append("back"))
        watching = asyncio.create_task(world.sight.watch())
        await world.clock.advance(70)  # asked at 0, 30 and 60
        world.up = set()
        await world.clock.advance(21)
        assert (world.sight.blind_since, calls) == (begun + 60, ["blind"])
        count = len(world.asked)
        assert not await world.sight.sure()
        assert len(world.asked) == count
        world.up = set(ANCHORS)
        await world.clock.advance(5)
        assert (world.sight.blind_since, calls) == (None, ["blind", "back"])
        watching.cancel()

    played(scenario, *ANCHORS)


def test_what_came_in_lately_counts_as_one_that_answers() -> None:
    async def scenario(world: World) -> None:
        world.sight.inbound()
        assert await world.sight.sure()
        await world.clock.advance(31)
        assert not await world.sight.sure()
        world.up = set()
        world.sight.inbound()
        assert not await world.sight.look()

    played(scenario, "a:443")


def test_without_anchors_it_always_sees() -> None:
    async def scenario(world: World) -> None:
        assert not await world.sight.sure()
        world.sight.reconfigure(())
        assert world.sight.blind_since is None
        assert await world.sight.sure()
        clear: Sight = CLEAR
        clear.on_return(lambda: None)
        assert (clear.blind_since, await clear.sure()) == (None, True)

    played(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_anchor_is_reached_where_something_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.bind((host, 0))
        port = listening.getsockname()[1]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        assert not asyncio.run(reach(address))
        listening.listen()
        assert asyncio.run(reach(address))


@pytest.mark.parametrize(
    ("peer", "forwarded", "afar"),
    [
        ("8.8.8.8", None, True),
        ("2606:4700::1111", None, True),
        ("127.0.0.1", None, False),
        ("192.168.1.4", "", False),
        ("127.0.0.1", "8.8.8.8", True),
        ("127.0.0.1", "8.8.8.8, 192.168.1.9", False),
        ("127.0.0.1", "192.168.1.9, 8.8.8.8", True),
        (None, "nonsense", False),
    ],
)
def test_what_comes_from_a_public_address_comes_from_afar(peer: str | None, forwarded: str | None, afar: bool) -> None:
    """Of what a proxy forwards only the last address is its own word."""
    assert from_afar(peer, forwarded) is afar
