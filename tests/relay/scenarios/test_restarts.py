"""Restarts, crashes, disks that fail, clocks that are set."""

from __future__ import annotations

import pytest

from homelabmon.relay.incidents.book import Book
from homelabmon.relay.incidents.notice import Delivery
from homelabmon.relay.incidents.telling import Sending
from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play, in_memory

# Restarts, crashes, disks ------------------------------------------------------------


def test_a_restart_during_the_hold_changes_nothing(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1"))
        await rig.until(30)
        await rig.restart()
        await rig.until(59)
        assert rig.titles() == []
        await rig.until(62)
        assert rig.discord.visible(["n1"]) == {"n1"}

    play(scene)


def test_what_came_in_just_before_a_crash_is_told_after_it() -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.restart()
        await rig.until(5)
        assert rig.discord.visible(["n1"]) == {"n1"}

    in_memory(scene)


def test_a_crash_between_the_post_and_the_commit_repeats_one_message(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("hang", stored=True, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(5)
        await rig.restart()
        await rig.until(20)
        assert len(rig.discord.standing()) == 2
        assert rig.accounts() == {"received": 1, "posted": 1}

    play(scene)


def test_a_stop_finishes_what_is_under_way(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("slow", seconds=3, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(2)
        await rig.stop()
        await rig.start()
        await rig.until(20)
        assert len(rig.discord.standing()) == 1
        assert len(rig.discord.seen) == 1

    play(scene)


def test_a_full_disk_repeats_no_message_and_loses_none() -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("slow", seconds=3, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(2)
        rig.memory.broken = True
        rig.tell(rig.alert("n2", severity="critical"))
        await rig.until(120)
        assert not rig.saved()
        assert len(rig.discord.seen) == 1
        rig.memory.broken = False
        await rig.until(140)
        assert rig.saved()
        assert [seen.status for seen in rig.discord.seen] == [200, 200]
        assert rig.discord.visible(["n1", "n2"]) == {"n1", "n2"}
        assert rig.accounts() == {"received": 2, "posted": 2}

    in_memory(scene)


def test_a_commit_that_was_done_although_it_failed_repeats_nothing() -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("slow", seconds=3, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(2)
        rig.memory.lies = 1
        await rig.until(60)
        assert rig.memory.lies == 0
        assert [seen.status for seen in rig.discord.seen] == [200]
        assert rig.accounts() == {"received": 1, "posted": 1}

    in_memory(scene)


def test_a_delivery_that_the_book_stumbles_over_is_set_aside() -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", severity="critical"))
        rig.tell(rig.alert("n2", severity="critical", poison="yes"))
        rig.tell(rig.alert("n3", severity="critical"))
        await rig.until(10)
        assert rig.discord.visible(["n1", "n2", "n3"]) == {"n1", "n3"}
        assert rig.memory.quarantined == {2: "the relay could not take it: ZeroDivisionError"}
        assert rig.figures.poisoned == 1

    in_memory(scene)


def test_an_action_that_fails_is_undone_and_whoever_wanted_it_is_told(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", severity="critical"))

        def half(book: Book, now: float) -> None:
            book.take(Delivery(99, now, (rig.alert("half", severity="critical"),)), now)
            raise KeyError("half done")

        with pytest.raises(KeyError, match="half done"):
            await rig.engine.act(half)
        await rig.until(10)
        assert rig.discord.visible(["n1", "half"]) == {"n1"}

    play(scene)


def test_the_relay_notes_that_it_lives_every_ten_seconds() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(61)
        beats = [beat - rig.begun for beat in rig.memory.beats]
        assert beats == pytest.approx([0, 10, 20, 30, 40, 50, 60], abs=0.1)

    in_memory(scene)


# Clocks ------------------------------------------------------------


@pytest.mark.parametrize("jump", [-86_400.0, -7.0, 7.0, 86_400.0])
def test_a_jump_of_the_wall_clock_neither_loses_nor_freezes_a_hold(jump: float, play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("held"), rig.alert("told", severity="critical"))
        await rig.until(30)
        rig.clock.step(jump)
        await rig.until(40)
        rig.tell(rig.alert("told", severity="critical", at=0, ends=39))
        await rig.until(50)
        assert len(rig.discord.standing()[0].versions) == 2
        assert rig.discord.visible(["held"]) == set()
        await rig.until(67)
        assert rig.discord.visible(["held"]) == {"held"}

    play(scene)


def test_how_long_messages_took_is_counted(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("slow", seconds=20, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(10)
        assert rig.figures.latency["ops"].total == 0
        await rig.until(60)
        assert rig.figures.sent["ops", "post"] == 1

    play(scene)


def test_only_what_the_disk_knows_is_handed_out() -> None:
    async def scene(rig: Rig) -> None:
        handed: list[tuple[Sending, int]] = []
        original = rig.engine.next

        async def spying(channel: str) -> tuple[Sending | None, float | None]:
            sending, again = await original(channel)
            if sending is not None:
                assert all(number in rig.memory.disk.incidents for number in sending.incidents)
                handed.append((sending, rig.memory.commits))
            return sending, again

        rig.engine.next = spying  # type: ignore[method-assign]
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(10)
        assert handed

    in_memory(scene)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_hold_is_as_long_when_the_clock_is_set_while_the_disk_is_full(jump: float) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1"))
        await rig.until(20)
        rig.memory.broken = True
        rig.tell(rig.alert("n2", severity="critical"))
        rig.clock.step(jump)
        await rig.until(30)
        rig.memory.broken = False
        await rig.until(55)
        assert rig.discord.visible(["n1", "n2"]) == {"n2"}
        await rig.until(70)
        assert rig.discord.visible(["n1", "n2"]) == {"n1", "n2"}

    in_memory(scene)
