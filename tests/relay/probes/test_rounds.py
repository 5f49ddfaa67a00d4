"""Who is asked when, in virtual time: a keeper on a database in memory, a network and a sight that are made up."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelabmon.relay.probes.keeper import Keeper
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.rounds import AT_ONCE, Rounds
from homelabmon.relay.probes.targets import Target
from tests.relay.heartbeats.desk import MemoryDisk
from tests.relay.probes.desk import BAD, CANNOT, GHCR, OK, SLOW, Desk, chain, targets
from tests.relay.virtual import START, VirtualClock, run


class Sight:
    """Sees, or does not. ``asked``: how often somebody wanted to be sure."""

    def __init__(self) -> None:
        self.blind_since: float | None = None
        self.sees = True
        self.asked = 0

    async def sure(self) -> bool:
        self.asked += 1
        return self.sees

    def on_return(self, callback: Callable[[], None]) -> None:
        """Nobody has to be told here."""


class World(Desk):
    """The rounds, with what they ask. ``answers``: by probe, OK without."""

    def __init__(self, *probes: dict[str, Any], disk: MemoryDisk | None = None) -> None:
        super().__init__(*probes, disk=disk)
        self.time = VirtualClock()
        self.sight = Sight()
        self.answers: dict[str, Outcome] = {}
        self.lasts = 0.1
        self.during: Callable[[], Awaitable[None]] | None = None
        self.asked: list[tuple[float, str]] = []
        self.theirs_asked: list[float] = []
        self.under_way = self.most = 0
        self.keeper = Keeper(self.disk, self.time, self._nudge, targets(*probes), lambda *_: self.elsewhere)
        self.rounds = Rounds(self.keeper, self, self.sight, self.time)
        self.begun = self.time.now

    async def check(self, target: Target) -> Outcome:
        self.asked.append((self.second, target.name))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.time.sleep(self.lasts)
            if self.during is not None:
                await self.during()
        finally:
            self.under_way -= 1
        return self.answers.get(target.name, OK)

    async def theirs(self, target: Target, now: float) -> Theirs | None:
        self.theirs_asked.append(self.second)
        return Theirs("minor", "Slow", now)

    @property
    def second(self) -> float:
        return self.time.monotonic() - 1_000.0

    def begins(self) -> list[str]:
        return [one["labels"]["probe"] for one in self.notices() if one["firing"]]

    def when(self, name: str) -> list[float]:
        return [second for second, asked in self.asked if asked == name]


def living(
    scenario: Callable[[World], Awaitable[None]], *probes: dict[str, Any], disk: MemoryDisk | None = None
) -> World:
    """Runs the rounds for as long as the scenario takes."""

    async def main() -> World:
        world = World(*probes, disk=disk)
        await world.rounds.prepare()
        task = asyncio.create_task(world.rounds.run())
        await scenario(world)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return world

    return run(main())


def test_every_probe_is_asked_once_in_its_interval_and_the_first_time_within_a_minute() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(3_601)

    world = living(scenario, *chain("a"), *chain("b", interval="10m"), *chain("c", interval="20s", timeout="5s"))
    counts = Counter(name for _, name in world.asked)
    assert counts["a"] in (59, 60, 61)
    assert counts["b"] in (6, 7)
    assert counts["c"] in (179, 180, 181)
    for name, interval in (("a", 60), ("b", 600), ("c", 20)):
        when = world.when(name)
        assert when[0] <= 60
        assert {round(later - earlier, 3) for earlier, later in pairwise(when)} == {interval}


def test_many_probes_are_spread_and_never_too_many_at_once() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(59)
        tens = Counter(int(second // 10) for second, _ in world.asked)
        assert all(60 < count < 140 for count in tens.values())
        world.lasts = 20.0
        await world.time.sleep(120)

    world = living(scenario, *({"name": f"p{n}", "tcp": f"h{n}.lan:1"} for n in range(600)))
    assert world.most == AT_ONCE


def test_a_failure_is_looked_at_again_soon_and_told_when_it_is_one() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(300)
        world.answers["ghcr"] = BAD
        await world.time.sleep(95)
        assert world.begins() == ["ghcr"]
        failed = [second for second in world.when("ghcr") if second > 300]
        assert [round(later - failed[0]) for later in failed] == [0, 15, 30]

    living(scenario, {**GHCR, "interval": "1m"})


def test_a_parent_is_asked_at_once_when_its_child_fails() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(1_900)
        world.answers["web"] = BAD
        await world.time.sleep(60)
        assert world.begins() == ["web"]
        (failed,) = [second for second in world.when("web") if second > 1_900][:1]
        assert 0 < world.when("home")[-1] - failed < 2

    home, web = chain("home", "web", retries=0)
    living(scenario, {**home, "interval": "30m"}, web)


def test_a_child_of_a_parent_that_is_down_is_told_of_once_the_parent_is_back_and_it_still_fails() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        world.answers = {"home": BAD, "web": BAD}
        await world.time.sleep(600)
        assert world.begins() == ["home"]
        del world.answers["home"]
        await world.time.sleep(150)
        assert [(one["labels"]["probe"], one["firing"]) for one in world.notices()] == [("home", False), ("web", True)]

    living(scenario, *chain("home", "web"))


def test_an_outpost_that_is_blind_throws_away_what_it_sees_and_asks_nobody_until_it_sees_again() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        world.answers["ghcr"], world.sight.sees = BAD, False
        await world.time.sleep(120)
        assert world.rounds.counts["blind"] > 2
        world.sight.blind_since = world.time.now()
        await world.time.sleep(20)
        asked = len(world.asked)
        await world.time.sleep(1_200)
        assert len(world.asked) == asked
        known = world.state("ghcr")
        assert (known.status, known.failures) == ("up", 0)
        del world.answers["ghcr"]
        world.sight.blind_since, world.sight.sees = None, True
        await world.time.sleep(30)
        assert len(world.asked) > asked
        await world.time.sleep(600)
        assert world.notices() == []

    living(scenario, {**GHCR, "retries": 0})


def test_what_answered_before_the_outpost_knew_that_it_is_blind_counts_not_either() -> None:
    async def scenario(world: World) -> None:
        async def goes_blind() -> None:
            world.sight.blind_since = world.time.now()

        world.during = goes_blind
        await world.time.sleep(120)
        assert world.rounds.counts == {"blind": 1}
        assert world.state("ghcr").status == "new"

    living(scenario, GHCR)


def test_what_answers_needs_nobody_to_be_sure() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(600)
        assert world.sight.asked == 0

    living(scenario, GHCR)


def test_what_was_asked_while_the_machine_slept_counts_not() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        world.answers["ghcr"] = BAD

        async def sleeps() -> None:
            world.time.step(3_600.0)
            world.during = None
            asyncio.get_running_loop().call_soon(world.answers.clear)

        world.during = sleeps
        await world.time.sleep(120)
        assert world.rounds.counts["blind"] == 1
        assert world.notices() == []

    living(scenario, {**GHCR, "retries": 0, "interval": "1m"})


def test_what_ended_long_after_its_time_says_only_that_this_process_stood_still() -> None:
    async def scenario(world: World) -> None:
        world.answers["a"], world.lasts = BAD, 12.5
        await world.time.sleep(300)
        assert world.rounds.counts.keys() == {"blind"}
        assert (world.state("a").status, world.state("a").checked_at) == ("new", None)
        world.lasts = 11.5
        await world.time.sleep(100)
        assert world.begins() == ["a"]

    living(scenario, {"name": "a", "url": "https://a.example/", "timeout": "10s", "retries": 0})


def test_while_the_disk_fails_what_was_found_waits_for_it() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        world.answers["ghcr"], world.disk.broken = BAD, True
        await world.time.sleep(600)
        asked = len(world.asked)
        world.disk.broken = False
        await world.time.sleep(60)
        assert world.begins() == ["ghcr"]
        assert len(world.asked) > asked

    living(scenario, {**GHCR, "retries": 0})


def test_a_new_configuration_holds_at_once() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        world.keeper.reconfigure(targets(GHCR, *chain("new")))
        world.rounds.reconfigure()
        until = world.second
        await world.time.sleep(120)
        assert {name for second, name in world.asked if second > until + 1} == {"ghcr", "new"}

    living(scenario, GHCR, *chain("old"))


def test_a_probe_that_is_gone_while_it_is_asked_is_no_trouble() -> None:
    async def scenario(world: World) -> None:
        world.lasts = 50.0
        await world.time.sleep(70)
        world.keeper.reconfigure(targets(*chain("new", timeout="1m")))
        world.rounds.reconfigure()
        await world.time.sleep(300)
        assert world.state("new").status == "up"

    living(scenario, *chain("old", timeout="1m"))


def test_a_probe_that_is_gone_while_the_outpost_is_blind_is_no_trouble() -> None:
    async def scenario(world: World) -> None:
        world.lasts, world.sight.sees = 50.0, False
        world.answers["old"] = BAD
        await world.time.sleep(70)
        world.keeper.reconfigure(targets(*chain("new", timeout="1m")))
        world.rounds.reconfigure()
        await world.time.sleep(300)
        assert world.state("new").status == "up"

    living(scenario, *chain("old", timeout="1m"))


def test_a_third_partys_page_is_read_every_five_minutes_and_more_often_while_it_fails() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(1_800)
        assert len(world.theirs_asked) == 6
        world.answers["ghcr"] = BAD
        await world.time.sleep(600)
        assert 9 <= len(world.theirs_asked) - 6 <= 11

    living(scenario, {**GHCR, "statuspage": "https://www.githubstatus.example/api/v2/summary.json"})


def test_one_that_cannot_be_kept_keeps_nobody_else_from_being_asked() -> None:
    async def scenario(world: World) -> None:
        await world.time.sleep(120)
        take, failed = world.keeper.take, list[int]()

        async def breaks(found: Any) -> Any:
            if not failed:
                failed.append(1)
                raise ZeroDivisionError("a bug")
            return await take(found)

        world.keeper.take = breaks  # type: ignore[method-assign]
        asked = len(world.asked)
        await world.time.sleep(600)
        assert failed
        assert len(world.asked) - asked >= 9

    living(scenario, GHCR)


FAMILY = [
    *chain("home", "proxy", "web", retries=1),
    {"name": "api", "url": "https://api.example/", "parent": "proxy", "retries": 0},
    {"name": "ghcr", "url": "https://ghcr.example/", "expect": {"within": "1s"}},
    {"name": "dns", "tcp": "dns.example:53", "interval": "20s", "timeout": "5s"},
]
events = st.lists(
    st.tuples(
        st.floats(1, 400),
        st.sampled_from([one["name"] for one in FAMILY]),
        st.sampled_from([OK, BAD, SLOW, CANNOT]),
        st.sampled_from(["", "", "", "disk", "blind", "restart"]),
    ),
    max_size=15,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_whatever_happens_each_alert_begins_once_and_ends_once(events: list[tuple[float, str, Outcome, str]]) -> None:
    disk, left, answers = MemoryDisk(), list(events), dict[str, Outcome]()
    while not until_the_next_restart(disk, left, answers):
        disk.broken = False
    told = [
        notice
        for (body,) in disk.connection.execute("SELECT body FROM inbox ORDER BY id")
        for notice in json.loads(body)
    ]
    open_: dict[str, float] = {}
    for notice in told:
        if notice["firing"]:
            assert notice["fingerprint"] not in open_
            open_[notice["fingerprint"]] = notice["starts_at"]
        else:
            assert open_.pop(notice["fingerprint"]) == notice["starts_at"] <= notice["ends_at"]
    assert open_ == {}


def until_the_next_restart(
    disk: MemoryDisk, left: list[tuple[float, str, Outcome, str]], answers: dict[str, Outcome]
) -> bool:
    """One run of the outpost; whether it was the last one, at the end of which all is well."""
    already, over = passed(disk), list[bool]()

    async def scenario(world: World) -> None:
        world.answers = answers
        world.time.step(already)
        while left:
            seconds, name, answer, trouble = left.pop(0)
            answers[name] = answer
            disk.broken = trouble == "disk"
            world.sight.sees, world.sight.blind_since = trouble != "blind", 1.0 if trouble == "blind" else None
            await world.time.sleep(seconds)
            if trouble == "restart":
                return
        answers.clear()
        disk.broken, world.sight.sees, world.sight.blind_since = False, True, None
        await world.time.sleep(300)
        over.append(True)

    living(scenario, *FAMILY, disk=disk)
    return bool(over)


def passed(disk: MemoryDisk) -> float:
    """Seconds that have passed by what the disk knows, as each run's clock begins anew."""
    (last,) = disk.connection.execute("SELECT max(checked_at) FROM probes").fetchone()
    return 0.0 if last is None else float(last) - START
