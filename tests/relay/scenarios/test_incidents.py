"""From the first notice to the last edit: one incident, one message."""

from __future__ import annotations

import asyncio

from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play

# One incident, one message ------------------------------------------------------------


def test_an_alert_fires_and_resolves_in_one_message(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown"))
        await rig.until(59)
        assert rig.titles() == []
        await rig.until(63)
        (title,) = rig.titles()
        assert "FIRING" in title
        assert "NodeDown" in title
        await rig.until(80)
        rig.tell(rig.alert("n1", group="NodeDown", at=0, ends=80))
        await rig.until(85)
        (title,) = rig.titles()
        assert "RESOLVED" in title
        assert "1 min 20 s" in title
        assert rig.discord.stats()["statuses"] == {"200": 2}
        assert rig.accounts() == {"received": 2, "posted": 2}

    play(scene)


def test_a_critical_alert_is_not_held(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(3)
        assert rig.discord.visible(["n1"]) == {"n1"}

    play(scene)


def test_a_blip_of_40_seconds_is_never_posted(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1"))
        await rig.until(45)
        rig.tell(rig.alert("n1", at=0, ends=40))
        await rig.until(300)
        assert rig.discord.seen == []
        assert rig.accounts() == {"received": 2, "suppressed": 2}

    play(scene)


def test_a_blip_whose_end_was_not_told_yet_is_asked_about_and_never_posted(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1"))
        rig.replicas.there["n1"] = "gone"
        await rig.until(65)
        rig.tell(rig.alert("n1", at=0, ends=58))
        await rig.until(300)
        assert rig.discord.seen == []
        assert [question.fingerprint for question in rig.replicas.asked] == ["n1"]

    play(scene)


def test_three_nodes_are_one_message(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        for number in range(3):
            await rig.until(number * 10)
            rig.tell(rig.alert(f"n{number}", group="NodeDown"))
        await rig.until(120)
        assert len(rig.discord.standing()) == 1
        assert rig.discord.visible(["n0", "n1", "n2"]) == {"n0", "n1", "n2"}

    play(scene)


def test_a_flap_is_one_message_with_a_count(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        for begin in (0, 200, 400):
            await rig.until(begin)
            rig.tell(rig.alert("n1", group="NodeDown", at=begin))
            await rig.until(begin + 100)
            rig.tell(rig.alert("n1", group="NodeDown", at=begin, ends=begin + 100))
        await rig.until(600)
        (message,) = rig.discord.standing()
        assert "NodeDown" in rig.titles()[0]
        assert "RESOLVED" in rig.titles()[0]
        assert len(message.versions) == 6

    play(scene)


def test_what_two_replicas_tell_is_told_once(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        first, end = rig.alert("n1"), rig.alert("n1", at=0, ends=90)
        rig.tell(first)
        await rig.until(15)
        rig.tell(first)
        await rig.until(95)
        rig.tell(end)
        rig.tell(end)
        await rig.until(200)
        assert len(rig.discord.standing()) == 1
        assert rig.accounts() == {"received": 4, "posted": 2, "deduplicated": 2}

    play(scene)


def test_a_firing_that_comes_after_its_end_opens_nothing_again(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", at=0))
        await rig.until(90)
        rig.tell(rig.alert("n1", at=0, ends=85))
        rig.replicas.there["n1"] = "gone"
        await rig.until(100)
        rig.tell(rig.alert("n1", at=0))
        rig.tell(rig.alert("late", at=0, ends=80))
        rig.tell(rig.alert("late", at=0))
        rig.replicas.there["late"] = "gone"
        await rig.until(200)
        assert ["RESOLVED" in title for title in rig.titles()] == [True, True]

    play(scene)


# Asking Alertmanager ------------------------------------------------------------


def test_without_an_answer_from_alertmanager_it_is_posted(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.replicas.down = True
        rig.tell(rig.alert("n1"))
        await rig.until(66)
        assert rig.discord.visible(["n1"]) == {"n1"}

    play(scene)


def test_an_alert_that_is_silenced_waits_until_it_is_not(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.replicas.there["n1"] = "silenced"
        rig.tell(rig.alert("n1"))
        await rig.until(600)
        assert rig.discord.seen == []
        rig.replicas.there["n1"] = "alive"
        await rig.until(665)
        assert rig.discord.visible(["n1"]) == {"n1"}

    play(scene)


def test_what_came_in_while_alertmanager_was_asked_outdoes_its_answer(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        asked = asyncio.Event()
        answer = rig.replicas.ask

        async def slow(questions: object) -> object:
            found = await answer(questions)  # type: ignore[arg-type]
            asked.set()
            await rig.clock.sleep(1)
            return found

        rig.replicas.ask = slow  # type: ignore[assignment,method-assign]
        rig.replicas.there["n1"] = "gone"
        rig.tell(rig.alert("n1"))
        await asked.wait()
        rig.replicas.there["n1"] = "alive"
        rig.tell(rig.alert("n1", at=0))
        await rig.until(70)
        assert rig.discord.visible(["n1"]) == {"n1"}

    play(scene)


def test_an_end_that_nobody_told_is_found_within_three_minutes(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1"))
        await rig.until(70)
        rig.replicas.there["n1"] = "gone"
        await rig.until(250)
        assert "RESOLVED" in rig.titles()[0]

    play(scene)


def test_an_end_while_the_watchdog_is_missing_is_unconfirmed(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.replicas.has_watchdog = True
        rig.tell(rig.alert("n1"))
        await rig.until(70)
        rig.replicas.has_watchdog = False
        await rig.until(130)
        rig.tell(rig.alert("n1", at=0, ends=130))
        await rig.until(140)
        assert "EXPIRED" in rig.titles()[0]

    play(scene)


def test_an_end_that_came_just_before_the_watchdog_was_missed_is_unconfirmed_too(play: Play) -> None:
    """Prometheus died: everything expires in Alertmanager within a minute, the Watchdog as well."""

    async def scene(rig: Rig) -> None:
        rig.replicas.has_watchdog = True
        rig.tell(rig.alert("sooner"), rig.alert("later"))
        await rig.until(65)
        rig.tell(rig.alert("sooner", at=0, ends=65))
        await rig.until(76)
        rig.replicas.has_watchdog = False
        rig.tell(rig.alert("later", at=0, ends=76))
        await rig.until(85)
        assert [title[:12] for title in rig.titles()] == ["✅ **RESOLVED", "✅ **RESOLVED"]
        await rig.until(95)
        assert ["EXPIRED" in title for title in rig.titles()] == [False, True]

    play(scene)


def test_a_watchdog_that_never_was_there_is_not_missing_and_one_that_was_still_is_after_a_restart(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.replicas.has_watchdog = False
        rig.tell(rig.alert("n1"))
        await rig.until(70)
        rig.tell(rig.alert("n1", at=0, ends=70))
        await rig.until(80)
        assert "RESOLVED" in rig.titles()[0]
        rig.replicas.has_watchdog = True
        await rig.until(150)
        rig.replicas.has_watchdog = False
        await rig.restart()
        rig.tell(rig.alert("n2", at=150))
        await rig.until(220)
        rig.tell(rig.alert("n2", at=150, ends=220))
        await rig.until(230)
        assert "EXPIRED" in rig.titles()[1]

    play(scene)
