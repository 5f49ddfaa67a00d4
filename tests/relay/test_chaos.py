"""Twenty minutes in which everything goes wrong at random, then five in which nothing does: nothing may be lost."""

from __future__ import annotations

import os
import random
import re

import pytest

from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.virtual import run

SEEDS = range(8 if os.environ.get("CI") else 3)
CHAOS, CALM = 1200.0, 400.0


class Chaos:
    """What happens, drawn from one seed. ``ended``: when each alert ended; those that go on are not in it."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig, self.random = rig, random.Random(seed)
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.repeats = 0
        """How many messages may stand twice: requests that were acted on and not answered, and crashes."""

    def group(self, name: str) -> str:
        return f"Group{int(name.split('-')[1]) % 40}"

    async def live(self) -> None:
        while self.rig.second < CHAOS:
            await self.rig.until(self.rig.second + self.random.expovariate(1 / 4))
            await self.random.choices(
                [self.fire, self.end, self.repeat, self.fault, self.crash, self.disk, self.clock],
                [10, 6, 3, 2, 0.4, 0.4, 0.2],
            )[0]()
        self.rig.discord.release()
        self.rig.memory.broken = False
        await self.rig.discord.come_up()
        await self.rig.until(CHAOS + CALM)

    async def fire(self) -> None:
        for _ in range(self.random.randint(1, 6)):
            name = f"alert-{len(self.began)}"
            self.began[name] = self.rig.second
            self.rig.tell(self.rig.alert(name, group=self.group(name), severity=self.severity(name)))

    def severity(self, name: str) -> str:
        return "critical" if int(name.split("-")[1]) % 7 == 0 else "warning"

    async def end(self) -> None:
        going_on = sorted(set(self.began) - set(self.ended))
        for name in self.random.sample(going_on, min(len(going_on), self.random.randint(1, 5))):
            self.ended[name] = self.rig.second
            self.rig.replicas.there[name] = "gone"
            self.tell_end(name)

    def tell_end(self, name: str) -> None:
        began, ended = self.began[name], self.ended[name]
        self.rig.tell(self.rig.alert(name, group=self.group(name), severity=self.severity(name), at=began, ends=ended))

    async def repeat(self) -> None:
        """The other replica tells it as well, perhaps late: a firing after the end."""
        for name in self.random.sample(sorted(self.began), min(len(self.began), 3)):
            severity = self.severity(name)
            self.rig.tell(self.rig.alert(name, group=self.group(name), severity=severity, at=self.began[name]))
            if name in self.ended:
                self.tell_end(name)

    async def fault(self) -> None:
        kind = self.random.choice(["hang", "reset", "cut", "status", "rate_limit", "slow"])
        times, stored = self.random.randint(1, 4), self.random.random() < 0.3 and kind in ("hang", "reset", "cut")
        self.repeats += times if stored else 0
        self.rig.discord.faults.append(
            Fault(
                kind,  # type: ignore[arg-type]
                status=self.random.choice([500, 502, 503, 504]),
                seconds=self.random.choice([0.3, 2.0, 20.0]),
                html=self.random.random() < 0.3,
                stored=stored,
                times=times,
            )
        )

    async def crash(self) -> None:
        self.repeats += 1
        await self.rig.restart()

    async def disk(self) -> None:
        """Full for a while; or a commit that is done, and seems not to be."""
        if self.random.random() < 0.5:
            self.rig.memory.lies += 1
            return
        self.rig.memory.broken = True
        await self.rig.until(self.rig.second + self.random.uniform(1, 40))
        self.rig.memory.broken = False

    async def clock(self) -> None:
        self.rig.clock.step(self.random.choice([-30.0, 8.0, 45.0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_readers_know_in_the_end_what_fires_and_what_outlived_its_hold(seed: int) -> None:
    async def scene() -> None:
        async with Rig() as rig:
            chaos = Chaos(rig, seed)
            await chaos.live()
            accounts = rig.accounts()
            assert accounts.get("queued", 0) == 0, "nothing waits"
            assert accounts.get("dead_lettered", 0) == 0
            assert rig.memory.quarantined == {}
            open_ = {name for name in chaos.began if name not in chaos.ended}
            assert rig.engine.book is not None
            firing = {one.fingerprint for _, members in rig.engine.book.incidents() for one in members if one.firing}
            assert firing == open_, "the book knows what fires"
            groups = {chaos.group(name) for name in open_}
            known = {post.remote_id for post in rig.engine.book.posts()}
            texts = "\n".join(message.text for message in rig.discord.standing() if message.id in known)
            assert set(re.findall(r"FIRING[^\n]*?(Group\d+)\b", texts)) == groups, "readers know what fires"
            left_over = [message for message in rig.discord.standing() if message.id not in known]
            assert len(left_over) <= chaos.repeats, "no more is repeated than was left unanswered"
            assert rig.discord.stats()["statuses"].get("400", 0) == 0

    run(scene())
