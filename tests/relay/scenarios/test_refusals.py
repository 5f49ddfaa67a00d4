"""Messages that cannot be posted as they are, or not be changed any more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homelabmon.notifiers.contract import Request, Response, Style
from homelabmon.notifiers.discord import Discord
from homelabmon.notifiers.message import Message
from homelabmon.relay.delivery.transport import Transport, TransportFailure
from tests.relay.fake_discord import Fault
from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play, in_memory


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


def test_a_message_that_went_out_plain_is_changed_plain(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.discord.faults.append(Fault("status", status=400, times=1))
        rig.tell(rig.alert("n1", group="NodeDown", severity="critical"))
        await rig.until(10)
        await rig.restart()
        rig.tell(rig.alert("n2", group="NodeDown", severity="critical"), rig.alert("other", severity="critical"))
        await rig.until(30)
        assert [(seen.method, seen.status) for seen in rig.discord.seen] == [
            ("POST", 400),
            ("POST", 200),
            ("PATCH", 200),
            ("POST", 200),
        ]
        plain, full = rig.discord.standing()
        assert "embeds" not in plain.payload or plain.payload["embeds"] == []
        assert full.payload["embeds"]
        assert rig.discord.visible(["n1", "n2"]) == {"n1", "n2"}

    play(scene)


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


def test_a_digest_that_goes_out_plain_hides_nothing_that_fires(play: Play) -> None:
    async def scene(rig: Rig) -> None:
        rig.wrap = Choking
        await rig.restart()
        names = [f"alert-{group}-{number}" for group in range(12) for number in range(8)]
        for name in names:
            rig.tell(rig.alert(name, group=name[:-2], severity="critical"))
        await rig.until(3600)
        known = {post.remote_id for post in rig.engine.book.posts()} if rig.engine.book is not None else set()
        texts = "\n".join(message.text for message in rig.discord.standing() if message.id in known)
        assert [name for name in names if name not in texts] == []
        assert rig.accounts() == {"received": 96, "posted": 96}

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
