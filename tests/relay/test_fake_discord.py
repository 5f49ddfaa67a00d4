"""The fake is as strict as Discord: limits, routes, threads, what goes wrong on the way. Over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import pytest

from tests.relay.discord_process import DiscordProcess
from tests.relay.discord_rates import UNLIMITED, Rates
from tests.relay.fake_clock import FakeClock
from tests.relay.fake_discord import FakeDiscord, Fault, Webhook

HELLO: Final = {"content": "hello"}


class Caller:
    """Sends requests and keeps what came back."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(
        self, url: str, body: Any = None, method: str = "POST", **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        async with self._session.request(method, url, data=data, headers=sent) as response:
            text = await response.text()
            answer = json.loads(text) if response.content_type == "application/json" else text
            return response.status, answer, {name.lower(): value for name, value in response.headers.items()}


Scenario = Callable[[FakeDiscord, Webhook, Caller, FakeClock], Awaitable[None]]


def run(scenario: Scenario, rates: Rates | None = UNLIMITED, forum: bool = False) -> None:
    async def play() -> None:
        clock = FakeClock()
        async with FakeDiscord(clock=clock, rates=rates) as discord, aiohttp.ClientSession() as session:
            webhook = discord.add_webhook("ops", forum=forum)
            await scenario(discord, webhook, Caller(session), clock)

    asyncio.run(play())


def edit_url(webhook: Webhook, message: str, query: str = "") -> str:
    return f"{webhook.url}/messages/{message}{query}"


def test_a_message_is_stored_edited_and_deleted() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        status, message, _ = await call(f"{ops.url}?wait=true", {"content": "down", "embeds": [{"description": "n1"}]})
        assert (status, message["content"], message["channel_id"]) == (200, "down", ops.channel)
        await clock.advance(5)
        status, changed, _ = await call(edit_url(ops, message["id"]), {"content": "up \\*now\\*"}, "PATCH")
        assert (status, changed["id"], changed["embeds"][0]["description"]) == (200, message["id"], "n1")
        (posted,) = discord.standing("ops")
        assert posted.text == "up *now*\nn1"
        assert [version.at - posted.versions[0].at for version in posted.versions] == [0, 5]
        assert discord.visible(["down", "n1", "n2"]) == {"n1"}
        assert discord.first_seen("down|up") == {"down": posted.versions[0].at, "up": posted.versions[1].at}
        assert (await call(edit_url(ops, message["id"]), method="GET"))[0] == 200
        assert (await call(edit_url(ops, message["id"]), method="DELETE"))[0] == 204
        assert discord.standing() == []
        status, gone, _ = await call(edit_url(ops, message["id"]), HELLO, "PATCH")
        assert (status, gone["code"]) == (404, 10008)
        assert discord.stats()["statuses"] == {"200": 3, "204": 1, "404": 1}

    run(scenario)


def test_without_wait_nothing_is_said() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        status, answer, _ = await call(ops.url, HELLO)
        assert (status, answer) == (204, "")
        assert len(discord.standing()) == 1

    run(scenario)


def test_who_is_pinged_is_known_and_an_edit_pings_nobody() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        body = {"content": "<@&7> @everyone", "allowed_mentions": {"parse": [], "roles": ["7"]}}
        _, message, _ = await call(f"{ops.url}?wait=true", body)
        await call(
            edit_url(ops, message["id"]), {"content": "@everyone", "allowed_mentions": {"parse": ["everyone"]}}, "PATCH"
        )
        assert discord.messages[message["id"]].pinged == ["role:7"]

    run(scenario)


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "code"),
    [
        ("/api/webhooks/1/token", "POST", HELLO, 404, 10015),
        ("/api/webhooks/{id}/wrong", "POST", HELLO, 401, 50027),
        ("/api/webhooks/{id}/{token}?thread_id=5", "POST", HELLO, 404, 10003),
        ("/api/webhooks/{id}/{token}/messages/5", "PATCH", HELLO, 404, 10008),
        ("/api/v3/webhooks/{id}/{token}", "POST", HELLO, 404, 0),
        ("/webhooks/{id}/{token}", "POST", HELLO, 404, 0),
        ("/api/webhooks/{id}/{token}", "PUT", HELLO, 405, 0),
        ("/api/v10/webhooks/{id}/{token}", "POST", b"{", 400, 50109),
        ("/api/v10/webhooks/{id}/{token}", "POST", b"\xff", 400, 50109),
        ("/api/v10/webhooks/{id}/{token}", "POST", [], 400, 50035),
        ("/api/v10/webhooks/{id}/{token}", "POST", {"content": "x" * 2001}, 400, 50035),
        ("/api/v10/webhooks/{id}/{token}", "POST", {}, 400, 50006),
        ("/api/v10/webhooks/{id}/{token}", "GET", None, 200, None),
    ],
)
def test_what_is_wrong_is_refused_as_discord_refuses_it(
    path: str, method: str, body: Any, status: int, code: int | None
) -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        url = f"http://127.0.0.1:{discord.port}" + path.format(id=ops.id, token=ops.token)
        found, answer, _ = await call(url, body, method)
        assert (found, answer.get("code")) == (status, code)
        assert discord.standing() == []

    run(scenario)


def test_a_form_without_json_is_refused() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        status, answer, _ = await call(ops.url, HELLO, **{"Content-Type": "text/plain"})
        assert (status, answer["code"]) == (400, 50035)

    run(scenario)


def test_errors_of_a_form_say_where_and_look_older_without_a_version() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        body = {"embeds": [{"title": "x" * 257}]}
        _, old, _ = await call(ops.url, body)
        _, new, _ = await call(ops.url.replace("/api/", "/api/v10/"), body)
        assert old == {"embeds": ["0"]}
        assert new["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"

    run(scenario)


def test_a_forum_opens_a_thread_that_edits_must_name() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        assert (await call(ops.url, HELLO))[1]["code"] == 220001
        _, message, _ = await call(f"{ops.url}?wait=true", {**HELLO, "thread_name": "NodeDown"})
        thread = message["channel_id"]
        assert ops.threads[thread].name == "NodeDown"
        assert (await call(edit_url(ops, message["id"]), HELLO, "PATCH"))[1]["code"] == 10008
        assert (await call(edit_url(ops, message["id"], f"?thread_id={thread}"), HELLO, "PATCH"))[0] == 200
        assert (await call(f"{ops.url}?thread_id={thread}", {**HELLO, "thread_name": "x"}))[1]["code"] == 220002

    run(scenario, forum=True)


def test_threads_are_opened_again_by_a_post_but_not_by_an_edit_and_not_when_locked() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        thread = discord.add_thread("ops")
        url = f"{ops.url}?wait=true&thread_id={thread.id}"
        _, message, _ = await call(url, HELLO)
        thread.archived = True
        assert (await call(edit_url(ops, message["id"], f"?thread_id={thread.id}"), HELLO, "PATCH"))[1]["code"] == 50083
        assert (await call(url, HELLO))[0] == 200
        assert not thread.archived
        thread.locked = True
        assert (await call(url, HELLO))[1]["code"] == 160005

    run(scenario)


def test_a_deleted_webhook_is_unknown_and_its_messages_stay() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        await call(ops.url, HELLO)
        discord.delete_webhook("ops")
        assert (await call(ops.url, HELLO))[1]["code"] == 10015
        assert len(discord.standing("ops")) == 1

    run(scenario)


# How often --------------------------------------------------------------------------------------------------------


def test_five_requests_in_two_seconds_and_the_headers_say_so() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        left = []
        for _ in range(5):
            status, _, headers = await call(ops.url, HELLO)
            assert status == 204
            left.append(headers["x-ratelimit-remaining"])
        assert left == ["4", "3", "2", "1", "0"]
        await clock.advance(0.5)
        status, answer, headers = await call(ops.url, HELLO)
        assert (status, answer) == (
            429,
            {"message": "You are being rate limited.", "retry_after": 1.5, "global": False},
        )
        assert (headers["retry-after"], headers["x-ratelimit-scope"]) == ("2", "user")
        assert (headers["x-ratelimit-remaining"], headers["x-ratelimit-reset-after"]) == ("0", "1.500")
        await clock.advance(1.5)
        assert (await call(ops.url, HELLO))[0] == 204
        assert discord.stats()["invalid"] == 1

    run(scenario, Rates())


def test_thirty_posts_a_minute_into_a_channel_whatever_the_webhook_and_edits_do_not_count() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        second = discord.add_webhook("second", channel=ops.channel)
        _, message, _ = await call(f"{ops.url}?wait=true", HELLO)
        for at in range(29):
            await clock.advance(1)
            assert (await call((ops, second)[at % 2].url, HELLO))[0] == 204
        status, answer, headers = await call(second.url, HELLO)
        assert (status, answer["retry_after"], headers["x-ratelimit-scope"]) == (429, 31.0, "shared")
        assert headers["x-ratelimit-remaining"] != "0"
        assert discord.stats()["invalid"] == 0
        assert (await call(edit_url(ops, message["id"]), HELLO, "PATCH"))[0] == 200
        await clock.advance(31)
        assert (await call(second.url, HELLO))[0] == 204

    run(scenario, Rates())


def test_fifty_requests_a_second_altogether() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        urls = [discord.add_webhook(f"w{at}").url for at in range(51)]
        answers = [await call(url, HELLO) for url in urls]
        assert [status for status, _, _ in answers] == [204] * 50 + [429]
        assert answers[-1][1]["global"] is True
        assert answers[-1][2]["x-ratelimit-global"] == "true"

    run(scenario, Rates())


def test_too_many_invalid_requests_and_cloudflare_answers_with_a_page() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        for _ in range(4):
            await call(ops.url + "x", HELLO)
        status, answer, headers = await call(ops.url, HELLO)
        assert (status, headers["content-type"]) == (429, "text/html; charset=utf-8")
        assert "cloudflare" in answer
        assert headers["retry-after"] == "600"
        await clock.advance(600)
        assert (await call(ops.url, HELLO))[0] == 204

    run(scenario, Rates(invalid=(3, 600.0)))


def test_messages_older_than_an_hour_can_be_edited_less_often() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        _, message, _ = await call(f"{ops.url}?wait=true", HELLO)
        url = edit_url(ops, message["id"])
        assert [(await call(url, HELLO, "PATCH"))[0] for _ in range(3)] == [200] * 3
        await clock.advance(3601)
        answers = [await call(url, HELLO, "PATCH") for _ in range(2)]
        assert [status for status, _, _ in answers] == [200, 429]
        assert answers[1][1]["code"] == 30046

    run(scenario, Rates(None, None, None, None, old_edits=(1, 60.0)))


# What goes wrong on the way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault("status", status=500), 500, "application/json"),
        (Fault("status", status=502, html=True), 502, "text/html; charset=utf-8"),
        (Fault("rate_limit", seconds=0.3), 429, "application/json; charset=utf-8"),
        (Fault("rate_limit", seconds=60, html=True), 429, "text/html; charset=utf-8"),
    ],
)
def test_a_fault_answers_in_discords_place_and_passes(fault: Fault, status: int, kind: str) -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        fault.times = 1
        discord.faults.append(fault)
        found, answer, headers = await call(ops.url, HELLO)
        assert (found, headers["content-type"].partition(";")[0]) == (status, kind.partition(";")[0])
        if isinstance(answer, dict) and status == 429:
            assert answer["retry_after"] == 0.3
        assert discord.standing() == []
        assert (await call(ops.url, HELLO))[0] == 204

    run(scenario)


@pytest.mark.parametrize("kind", ["reset", "cut"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_broken_answer_may_leave_a_message_behind(kind: Any, stored: bool) -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        discord.faults.append(Fault(kind, stored=stored, times=1))
        with pytest.raises(aiohttp.ClientError):
            await call(f"{ops.url}?wait=true", HELLO)
        assert len(discord.standing()) == stored
        assert discord.seen[0].status is None

    run(scenario)


def test_a_request_that_hangs_ends_when_the_fault_is_released() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        discord.faults.append(Fault("hang", stored=True))
        hanging = asyncio.create_task(call(ops.url, HELLO))
        while not discord.standing():
            await asyncio.sleep(0)
        assert not hanging.done()
        discord.release()
        with pytest.raises(aiohttp.ClientError):
            await hanging

    run(scenario)


def test_a_slow_answer_is_the_right_one() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        discord.faults.append(Fault("slow", seconds=20, webhook="ops", method="POST"))
        slow = asyncio.create_task(call(ops.url, HELLO))
        while not clock.sleepers:
            await asyncio.sleep(0)
        await clock.advance(20)
        assert (await slow)[0] == 204

    run(scenario)


def test_while_it_is_down_connections_are_refused_and_it_comes_back_on_the_same_port() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, call: Caller, clock: FakeClock) -> None:
        assert (await call(ops.url, HELLO))[0] == 204
        await discord.go_down()
        with pytest.raises(aiohttp.ClientOSError):  # the connection that was open is reset
            await call(ops.url, HELLO)
        with pytest.raises(aiohttp.ClientConnectorError):
            await call(ops.url, HELLO)
        await discord.come_up()
        assert (await call(ops.url, HELLO))[0] == 204

    run(scenario)


def test_as_a_process_it_takes_orders() -> None:
    async def post(url: str, body: Any) -> int:
        async with aiohttp.ClientSession() as session:
            return (await Caller(session)(url, body))[0]

    with DiscordProcess("ops", "forum:forum", speed=10) as discord:
        assert asyncio.run(post(discord.webhooks["ops"], {"content": "alert-1"})) == 204
        assert asyncio.run(post(discord.webhooks["forum"], {"content": "alert-2"})) == 400
        discord.fault("status", status=503, times=1)
        assert asyncio.run(post(discord.webhooks["ops"], {"content": "alert-3"})) == 503
        discord.go_down()
        with pytest.raises(aiohttp.ClientConnectorError):
            asyncio.run(post(discord.webhooks["ops"], {"content": "alert-4"}))
        discord.come_up()
        discord.delete_webhook("ops")
        assert asyncio.run(post(discord.webhooks["ops"], {"content": "alert-5"})) == 404
        discord.release()
        assert discord.visible(["alert-1", "alert-2", "alert-3"]) == {"alert-1"}
        assert list(discord.first_seen(r"alert-\d")) == ["alert-1"]
        assert [message["text"] for message in discord.messages()] == ["alert-1"]
        assert discord.stats()["statuses"] == {"204": 1, "400": 1, "404": 1, "503": 1}
