"""More than a channel takes, and a Discord that is not there, refuses or says later."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play, Scene


def test_a_storm_of_1000_alerts_in_200_groups_is_read_within_two_minutes(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        names = [f"storm-{number:04}" for number in range(1000)]
        for group in range(200):
            await rig.until(group / 20)
            rig.tell(*(rig.alert(name, group=f"Group{group}") for name in names[group * 5 : group * 5 + 5]))
        await rig.until(240)
        first = rig.discord.first_seen(r"storm-\d{4}")
        assert sorted(first) == names
        assert min(first.values()) - rig.begun < 65
        assert max(first.values()) - rig.begun < 60 + 120
        assert rig.discord.stats()["statuses"].get("429", 0) <= 2
        assert set(rig.discord.find(r"storm-\d{4}").values()) == {1}
        assert rig.accounts() == {"received": 1000, "posted": 1000}

    play(scene)


def test_a_digest_that_has_grown_too_long_hides_nothing_that_fires(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        for group in range(12):
            rig.tell(rig.alert(f"first-{group}", group=f"Group{group}"))
        await rig.until(70)
        assert len(rig.discord.standing()) == 1
        for group in range(12):
            more = (rig.alert(f"more-{group}-{number:02}", group=f"Group{group}") for number in range(30))
            rig.tell(*more, rig.alert(f"first-{group}", group=f"Group{group}", at=0))
        await rig.until(200)
        assert len(rig.discord.standing()) > 1
        said = "\n".join(message.text for message in rig.discord.standing())
        assert [said.count(f"**Group{group}**") for group in range(12)] == [1] * 12
        assert "more incidents" not in said
        assert rig.accounts() == {"received": 12 * 32, "posted": 12 * 31, "deduplicated": 12}

    play(scene)


DOWN: dict[str, Scene] = {
    "refused": lambda rig: rig.discord.go_down(),
    "500": lambda rig: fault(rig, Fault("status", status=500)),
    "hang": lambda rig: fault(rig, Fault("hang")),
    "reset": lambda rig: fault(rig, Fault("reset")),
    "dns": lambda rig: no_names(rig),
}


async def no_names(rig: Rig) -> None:
    rig.no_names = True


async def fault(rig: Rig, wrong: Fault) -> None:
    rig.discord.faults.append(wrong)


@pytest.mark.parametrize("how", DOWN)
def test_ten_minutes_without_discord_lose_nothing_and_are_made_up_for_in_three(how: str, play: Play) -> None:
    async def scene(rig: Rig) -> None:
        names = [f"down-{number:04}" for number in range(2000)]
        await DOWN[how](rig)
        for group in range(400):
            await rig.until(group)
            rig.tell(*(rig.alert(name, group=f"Group{group}") for name in names[group * 5 : group * 5 + 5]))
        await rig.until(500)
        for group in range(200):
            ended = names[group * 5 : group * 5 + 5]
            rig.tell(*(rig.alert(name, group=f"Group{group}", at=group, ends=500) for name in ended))
        await rig.until(600)
        before = len(rig.discord.seen)
        rig.discord.release()
        rig.no_names = False
        await rig.discord.come_up()
        await rig.until(780)
        assert rig.accounts() == {"received": 3000, "posted": 3000}
        assert rig.discord.visible(names[1000:]) == set(names[1000:])
        stands = "\n".join(message.text for message in rig.discord.standing())
        assert all(stands.count(f"Group{group}**") >= 1 for group in range(400)), "every group can be read"
        assert rig.discord.stats()["statuses"].get("429", 0) <= 2
        assert before < 120, "an outage is not hammered"

    play(scene)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 12.5, 60.0])
@pytest.mark.parametrize("kind", ["json", "html", "global"])
def test_a_429_is_waited_for_and_nothing_is_lost(kind: str, seconds: float, play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(
            Fault("rate_limit", seconds=seconds, html=kind == "html", everywhere=kind == "global", times=3)
        )
        rig.tell(rig.alert("n1"))
        await rig.until(300)
        assert rig.discord.visible(["n1"]) == {"n1"}
        times = [seen.at for seen in rig.discord.seen]
        assert len(times) == 4
        assert all(later - sooner >= seconds for sooner, later in pairwise(times))

    play(scene)


def test_a_discord_that_only_refuses_gets_fewer_than_fifty_requests_in_ten_minutes(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("rate_limit", seconds=0.3))
        for number in range(100):
            rig.tell(rig.alert(f"n{number}", severity="critical", channel=rig.names[number % 5]))
        await rig.until(1800)
        times = [seen.at for seen in rig.discord.seen]
        assert all(later - sooner >= 600 for sooner, later in zip(times, times[49:], strict=False))
        rig.discord.release()
        await rig.until(2600)
        assert len(rig.discord.visible([f"n{number}" for number in range(100)])) == 100

    play(scene, lambda folder: Rig("ops", "media", "home", "lab", "garden", folder=folder))
