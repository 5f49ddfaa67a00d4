"""What readers see, from the first notice to the last edit: in virtual time, with a Discord that refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import pytest

from homelabmon.notifiers.contract import Request, Response, Style
from homelabmon.notifiers.discord import Discord
from homelabmon.notifiers.message import Message
from homelabmon.relay.delivery.transport import Transport, TransportFailure
from homelabmon.relay.incidents.book import Book
from homelabmon.relay.incidents.notice import Delivery
from homelabmon.relay.incidents.telling import Sending
from homelabmon.spec.relay_file import ChannelEntry
from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.virtual import run

Scene = Callable[[Rig], Awaitable[None]]


class Play(Protocol):
    """Plays a scene to its end; ``rig`` makes what it is played with, on the real store unless it says otherwise."""

    def __call__(self, scene: Scene, rig: Callable[[Path | None], Rig] = ...) -> None: ...


def in_memory(scene: Scene) -> None:
    """For scenes in which the disk itself is at fault."""
    run(_played(scene, Rig()))


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def played(scene: Scene, rig: Callable[[Path | None], Rig] = lambda folder: Rig(folder=folder)) -> None:
        run(_played(scene, rig(tmp_path)))

    return played


async def _played(scene: Scene, rig: Rig) -> None:
    async with rig:
        await scene(rig)


# One incident, one message -----------------------------------------------------------------------------------------


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


# Asking Alertmanager -----------------------------------------------------------------------------------------------


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


# Storms and outages ------------------------------------------------------------------------------------------------


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


# Webhooks that are gone --------------------------------------------------------------------------------------------


def test_a_revoked_webhook_is_called_once_and_its_fallback_takes_over(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("before", severity="critical"))
        await rig.until(10)
        rig.discord.delete_webhook("ops")
        rig.tell(rig.alert("after", severity="critical"), rig.alert("before", severity="critical", at=0, ends=9))
        await rig.until(60)
        assert rig.discord.visible(["after", "before"], webhook="backup") == {"after", "before"}
        note = "For #ops, whose webhook does not work: #backup stands in."
        assert all(note in message.text for message in rig.discord.standing("backup"))
        assert [seen.status for seen in rig.discord.seen].count(404) == 1
        assert rig.channels.disabled()["ops"] is not None
        assert rig.channels.disabled()["backup"] is None

    play(scene, lambda folder: Rig("ops", "backup", fallbacks={"ops": "backup", "backup": "ops"}, folder=folder))


def test_without_a_fallback_messages_wait_for_a_new_webhook(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.delete_webhook("ops")
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(3600)
        assert [seen.status for seen in rig.discord.seen] == [404]
        assert rig.accounts() == {"received": 1, "queued": 1}
        rig.files["ops"] = rig.discord.add_webhook("new").url
        await rig.until(3610)
        assert rig.discord.visible(["n1"], webhook="new") == {"n1"}
        assert rig.channels.disabled()["ops"] is None

    play(scene)


def test_what_stands_or_waits_in_a_channel_that_is_no_more_goes_to_the_last_resort(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("before", channel="media", severity="critical"))
        await rig.until(10)
        rig.tell(rig.alert("waits", channel="media", severity="critical"))
        rig.channels.reconfigure({"ops": ChannelEntry(webhook_file="ops")}, last_resort="ops")
        await rig.until(15)
        rig.tell(rig.alert("before", channel="media", severity="critical", at=0, ends=14))
        await rig.until(25)
        assert rig.discord.visible(["before", "waits"], webhook="ops") == {"before", "waits"}
        note = "For #media, which is no more: #ops stands in."
        assert all(note in message.text for message in rig.discord.standing("ops"))
        assert rig.accounts("media") == {"received": 3, "posted": 3}

    play(scene, lambda folder: Rig("ops", "media", folder=folder))


def test_a_channel_whose_webhook_cannot_be_read_uses_its_fallback_and_says_so_once(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(rig: Rig) -> None:
        del rig.files["ops"]
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(10)
        rig.tell(rig.alert("n2", severity="critical"))
        await rig.until(20)
        assert rig.discord.visible(["n1", "n2"], webhook="backup") == {"n1", "n2"}
        assert [record.message for record in caplog.records].count("the webhook cannot be read") == 1

    play(scene, lambda folder: Rig("ops", "backup", fallbacks={"ops": "backup"}, folder=folder))


def test_one_channels_outage_does_not_hold_up_another(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("hang", webhook="ops"))
        rig.tell(rig.alert("n1", severity="critical"), rig.alert("n2", severity="critical", channel="media"))
        await rig.until(5)
        assert rig.discord.visible(["n1", "n2"]) == {"n2"}

    play(scene, lambda folder: Rig("ops", "media", folder=folder))


# Messages that cannot be posted, or changed ------------------------------------------------------------------------


def test_a_message_that_somebody_deleted_is_posted_anew_when_it_changes(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical"))
        await rig.until(10)
        rig.discord.delete_message(rig.discord.standing()[0].id)
        rig.tell(rig.alert("n2", group="NodeDown", severity="critical"))
        await rig.until(20)
        assert rig.discord.visible(["n1", "n2"]) == {"n1", "n2"}

    play(scene)


def test_a_refused_message_is_tried_plain_and_then_buried_and_the_next_one_is_told() -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("status", status=400, times=1))
        rig.tell(rig.alert("plain", severity="critical"))
        await rig.until(10)
        assert rig.discord.visible(["plain"]) == {"plain"}
        rig.discord.faults.append(Fault("status", status=400, times=2))
        rig.tell(rig.alert("buried", severity="critical"))
        await rig.until(20)
        rig.tell(rig.alert("next", severity="critical"))
        await rig.until(30)
        assert rig.discord.visible(["plain", "buried", "next"]) == {"plain", "next"}
        (letter,) = rig.memory.disk.letters
        assert "buried" in letter.payload
        assert "t" * 20 not in letter.payload + letter.detail
        assert rig.accounts() == {"received": 3, "posted": 2, "dead_lettered": 1}

    in_memory(scene)


def test_a_thread_that_is_gone_is_left_for_the_channel_itself(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical"))
        await rig.until(10)
        assert rig.discord.standing()[0].thread == rig.threads["ops"]
        del rig.discord.webhooks["ops"].threads[rig.threads["ops"]]
        rig.tell(rig.alert("n2", group="NodeDown", severity="critical"), rig.alert("n3", severity="critical"))
        await rig.until(30)
        _, *outside = rig.discord.standing()
        assert [message.thread for message in outside] == [None, None]
        assert {name for name in ("n1", "n2", "n3") if any(name in one.text for one in outside)} == {"n1", "n2", "n3"}
        assert rig.accounts() == {"received": 3, "posted": 3}

    play(scene, lambda folder: Rig(threads=["ops"], folder=folder))


def test_in_a_forum_each_incident_is_a_post_of_its_own_and_an_archived_one_is_posted_anew(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical"))
        await rig.until(10)
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical", at=0, ends=10))
        await rig.until(20)
        (message,) = rig.discord.standing()
        assert len(message.versions) == 2
        assert message.thread is not None
        rig.discord.webhooks["ops"].threads[message.thread].locked = True
        rig.discord.webhooks["ops"].threads[message.thread].archived = True
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical", at=20))
        await rig.until(40)
        assert "FIRING" in rig.titles()[-1]
        assert rig.accounts() == {"received": 3, "posted": 3}

    play(scene, lambda folder: Rig(forums=["ops"], folder=folder))


def test_a_message_that_takes_no_more_changes_is_posted_anew_and_deleted(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical"))
        await rig.until(10)
        refusal = {"message": "Maximum number of edits to messages older than 1 hour reached.", "code": 30046}
        rig.wrap = lambda inner: Answering(inner, "PATCH", Response(400, {}, json.dumps(refusal).encode()))
        await rig.restart()
        rig.tell(rig.alert("n2", group="NodeDown", severity="critical"))
        await rig.until(20)
        (message,) = rig.discord.standing()
        assert message.text.count("n1") >= 1
        assert message.text.count("n2") >= 1
        assert rig.figures.sent["ops", "delete"] == 1

    play(scene)


def test_what_cannot_be_put_into_words_is_buried_and_the_next_one_is_told(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(rig: Rig) -> None:
        render = Discord.render

        def stumbling(self: Discord, message: Message, style: Style = "full") -> dict[str, Any]:
            if any(view.group.get("alertname") == "odd" for view in message.incidents):
                raise RecursionError("odd")
            return render(self, message, style)

        monkeypatch.setattr(Discord, "render", stumbling)
        rig.tell(rig.alert("odd", severity="critical"))
        await rig.until(10)
        rig.tell(rig.alert("even", severity="critical"))
        await rig.until(20)
        assert rig.discord.visible(["even"]) == {"even"}
        assert rig.accounts() == {"received": 2, "posted": 1, "dead_lettered": 1}

    play(scene)


def test_an_escalation_is_a_new_message_with_a_ping_and_the_old_one_goes(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.tell(rig.alert("n1", group="NodeDown"))
        await rig.until(70)
        rig.tell(rig.alert("n2", group="NodeDown", severity="critical"))
        await rig.until(80)
        (message,) = rig.discord.standing()
        assert message.pinged
        assert rig.discord.visible(["n1", "n2"]) == {"n1", "n2"}

    play(scene, lambda folder: Rig(mention={"critical": "role:123"}, folder=folder))


# Restarts, crashes, disks ------------------------------------------------------------------------------------------


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


class Answering:
    """A transport that answers requests of one method itself."""

    def __init__(self, inner: Transport, method: str, response: Response) -> None:
        self._inner, self._method, self._response = inner, method, response

    async def send(self, request: Request) -> Response | TransportFailure:
        return self._response if request.method == self._method else await self._inner.send(request)


class Choking:
    """A server that fails over whatever has an embed."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response | TransportFailure:
        data = json.loads(request.body or b"{}")
        return Response(500) if data.get("embeds") else await self._inner.send(request)


def test_a_message_over_which_the_server_itself_fails_is_told_plain_in_the_end(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.wrap = Choking
        await rig.restart()
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(600)
        assert rig.discord.visible(["n1"]) == {"n1"}
        assert rig.accounts() == {"received": 1, "posted": 1}

    play(scene)


class Stumbling:
    """A transport that raises now and then."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.stumbles = 3

    async def send(self, request: Request) -> Response | TransportFailure:
        if self.stumbles:
            self.stumbles -= 1
            raise RuntimeError("a bug")
        return await self._inner.send(request)


def test_a_worker_survives_any_exception(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.wrap = Stumbling
        await rig.restart()
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(60)
        assert rig.discord.visible(["n1"]) == {"n1"}
        assert rig.figures.failures["ops", "internal_error"] == 3

    play(scene)


def test_the_relay_notes_that_it_lives_every_ten_seconds() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(61)
        beats = [beat - rig.begun for beat in rig.memory.beats]
        assert beats == pytest.approx([0, 10, 20, 30, 40, 50, 60], abs=0.1)

    in_memory(scene)


# Clocks ------------------------------------------------------------------------------------------------------------


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
