"""Webhooks that are gone, cannot be read, or hold others up."""

from __future__ import annotations

import pytest

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.channels import Disabled
from homelabmon.relay.delivery.limits import INVALID
from homelabmon.relay.delivery.memory import revive
from homelabmon.relay.delivery.transport import Transport, TransportFailure
from homelabmon.spec.relay_file import ChannelEntry
from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play


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


# Restarts --------------------------------------------------------------------------------------------------------


def refused(rig: Rig) -> int:
    """Requests that count towards a ban."""
    return sum(seen.status in INVALID for seen in rig.discord.seen)


async def crash(rig: Rig, seconds: float) -> None:
    """Killed, and started again by Kubernetes so many seconds later."""
    await rig.until(rig.second + seconds)
    await rig.restart()


def test_a_restart_does_not_call_a_dead_webhook_again(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.delete_webhook("ops")
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(60)
        for _ in range(30):
            await crash(rig, 20)
        await rig.until(rig.second + 1)
        assert refused(rig) == 1
        assert rig.channels.disabled()["ops"] == Disabled("unknown_webhook")
        rig.files["ops"] = rig.discord.add_webhook("new").url
        await crash(rig, 20)
        await rig.until(rig.second + 10)
        assert rig.discord.visible(["n1"], webhook="new") == {"n1"}

    play(scene)


def test_an_operator_who_says_that_a_webhook_lives_is_believed_within_seconds(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.webhooks["ops"].deleted = True
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(60)
        assert rig.channels.disabled()["ops"] is not None
        rig.discord.webhooks["ops"].deleted = False
        address = rig.files["ops"]
        assert rig.on_disk is not None
        assert await rig.on_disk.transact(lambda connection: revive(connection, address))
        assert not await rig.on_disk.transact(lambda connection: revive(connection, address))
        await rig.until(80)
        assert rig.discord.visible(["n1"]) == {"n1"}
        await rig.restart()
        await rig.until(100)
        assert rig.channels.disabled()["ops"] is None

    play(scene)


class Deaf:
    """Requests arrive, and no answer is heard before the process ends."""

    def __init__(self, inner: Transport, rig: Rig) -> None:
        self._inner, self._rig = inner, rig

    async def send(self, request: Request) -> Response | TransportFailure:
        await self._inner.send(request)
        await self._rig.clock.sleep(86_400)
        raise AssertionError("nobody waits for a day here")


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_crash_loop_comes_nowhere_near_a_ban(status: int, heard: bool, play: Play) -> None:
    """Killed three hundred times in ten minutes, after the answer or just before it."""

    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("status", status=status))
        rig.tell(*(rig.alert(name, severity="critical", channel=name) for name in rig.names))
        rig.wrap = (lambda inner: inner) if heard else (lambda inner: Deaf(inner, rig))
        for _ in range(300):
            await crash(rig, 2.0)
        assert 0 < refused(rig) < 50

    play(scene, lambda folder: Rig("ops", "media", "home", folder=folder))


def test_a_webhook_that_several_channels_share_is_called_once_when_it_is_gone(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.files["media"] = rig.files["tv"] = rig.files["ops"]
        rig.discord.delete_webhook("ops")
        for channel in ("ops", "media", "tv"):
            rig.tell(rig.alert(f"in {channel}", channel=channel, severity="critical"))
        await rig.until(120)
        assert [seen.status for seen in rig.discord.seen] == [404]

    play(scene, lambda folder: Rig("ops", "media", "tv", folder=folder))


def test_a_new_address_counts_for_what_waits_for_the_old_one_already(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("rate_limit", seconds=30.0, times=1))
        rig.tell(rig.alert("n1", severity="critical"))
        await rig.until(5)
        rig.files["ops"] = rig.discord.add_webhook("new").url
        await rig.until(60)
        assert rig.discord.visible(["n1"], webhook="new") == {"n1"}
        assert [seen.status for seen in rig.discord.seen] == [429, 200]

    play(scene)
