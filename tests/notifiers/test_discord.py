"""Requests to Discord, what its answers mean, and the whole way through a strict fake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Budget, Outcome, Rejected, Request, Response, Retry, Sent, Target
from homelabmon.relay.delivery.transport import HttpTransport
from tests.notifiers.situations import SITUATIONS
from tests.relay.discord_rates import Rates
from tests.relay.fake_clock import FakeClock
from tests.relay.fake_discord import FakeDiscord, Fault, Webhook

DISCORD: Final = NOTIFIERS["discord"]
TOKEN: Final = "abcdefghij" * 6 + "ABCDEF_-"
URL: Final = f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}"
TARGET: Final = Target(URL)
PAYLOAD: Final = {"content": "x", "username": "u", "thread_name": "t", "allowed_mentions": {"parse": []}}


# Requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "post", "edit"),
    [
        (Target(URL), "wait=true", ""),
        (Target(f"{URL}/?wait=false"), "wait=true", ""),
        (Target(URL, thread_id="5"), "wait=true&thread_id=5", "thread_id=5"),
        (Target(f"{URL}?thread_id=6&x=y"), "x=y&wait=true&thread_id=6", "x=y&thread_id=6"),
        (Target(f"{URL}?thread_id=6", thread_id="5"), "wait=true&thread_id=5", "thread_id=5"),
    ],
)  # fmt: skip
def test_a_post_waits_for_the_id_and_the_thread_is_named(target: Target, post: str, edit: str) -> None:
    posted, edited = DISCORD.post(target, PAYLOAD), DISCORD.edit(target, "77", PAYLOAD)
    deleted = DISCORD.delete(target, "77")
    base = URL.replace("/api/", "/api/v10/")
    assert (posted.method, posted.url) == ("POST", f"{base}?{post}")
    assert (edited.method, edited.url) == ("PATCH", f"{base}/messages/77{f'?{edit}' if edit else ''}")
    assert (deleted.method, deleted.url, deleted.body) == ("DELETE", edited.url, b"")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"https://ptb.discord.com/api/webhooks/1/{TOKEN}", "/api/v10/webhooks/1/"),
        (f"https://discordapp.com/api/v8/webhooks/1/{TOKEN}", "/api/v8/webhooks/1/"),
        (f"http://127.0.0.1:8000/api/webhooks/1/{TOKEN}", "/api/webhooks/1/"),
        (f"http://proxy.example/discord/api/webhooks/1/{TOKEN}", "/discord/api/webhooks/1/"),
    ],
)
def test_the_apis_version_is_asked_for_where_discord_itself_answers(url: str, path: str) -> None:
    assert urlsplit(DISCORD.post(Target(url), PAYLOAD).url).path == path + TOKEN


def test_each_request_holds_only_what_it_takes() -> None:
    assert set(json.loads(DISCORD.post(TARGET, PAYLOAD).body)) == {"content", "username", "allowed_mentions"}
    forum = replace(TARGET, forum=True)
    assert json.loads(DISCORD.post(forum, PAYLOAD).body)["thread_name"] == "t"
    assert "thread_name" not in json.loads(DISCORD.post(replace(forum, thread_id="5"), PAYLOAD).body)
    edit = json.loads(DISCORD.edit(TARGET, "1", PAYLOAD).body)
    assert edit == {"embeds": [], "content": "x", "allowed_mentions": {"parse": []}}


def test_the_user_agent_has_the_form_that_discord_asks_for() -> None:
    headers = DISCORD.post(TARGET, PAYLOAD).headers
    assert headers["user-agent"].startswith("DiscordBot (homelabmon, ")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(""), "empty"),
        (Target("   "), "empty"),
        (Target(URL[:40] + " " + URL[40:]), "space"),
        (Target(URL + "\nx"), "line break"),
        (Target(URL.replace("https", "http")), "https://"),
        (Target(URL.replace("https://", "")), "https://"),
        (Target(URL.replace("https", "ftp")), "https://"),
        (Target("https://user:pw@" + URL.removeprefix("https://")), "password"),
        (Target(URL + "#x"), "after #"),
        (Target("https://[discord.com/api"), "no address"),
        (Target(URL + "/slack"), "/slack"),
        (Target(URL + "/github"), "/github"),
        (Target("https://discord.com/channels/1/2"), "/api/webhooks/ID/TOKEN"),
        (Target(URL.replace("123456789012345678", "ops")), "/api/webhooks/ID/TOKEN"),
        (Target(URL.replace("/api/", "/")), "/api/webhooks/ID/TOKEN"),
        (Target(URL[:-30]), "cut short"),
        (Target(URL, thread_id="general"), "thread"),
        (Target(f"{URL}?thread_id=x"), "thread"),
    ],
)
def test_a_flaw_is_told_without_the_address(target: Target, words: str) -> None:
    flaw = DISCORD.flaw(target)
    assert flaw is not None
    assert words in flaw
    assert TOKEN[:20] not in flaw
    assert "123456789" not in flaw


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}/",
        f" {URL}\n",
        f"{URL}?wait=true&thread_id=5",
        URL.replace("discord.com", "discordapp.com"),
        URL.replace("discord.com", "canary.discord.com"),
        URL.replace("/api/", "/api/v10/"),
        "http://127.0.0.1:5000/api/webhooks/1/token",
        "http://proxy.monitoring.svc/discord/webhooks/1/token",
    ],
)
def test_addresses_of_webhooks_have_no_flaw(url: str) -> None:
    assert DISCORD.flaw(Target(url)) is None


# Answers ----------------------------------------------------------------------------------------------------------


def judge(status: int, data: Any = None, *, edit: bool = False, thread: str | None = None, **headers: str) -> Outcome:
    target = replace(TARGET, thread_id=thread)
    request = DISCORD.edit(target, "77", PAYLOAD) if edit else DISCORD.post(target, PAYLOAD)
    body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
    return DISCORD.judge(
        request, Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)
    )


@pytest.mark.parametrize(
    ("status", "code", "edit", "kind"),
    [
        (404, 10015, False, "channel_gone"),
        (404, 10015, True, "channel_gone"),
        (401, 50027, False, "channel_gone"),
        (401, 0, False, "channel_gone"),
        (404, 0, False, "channel_gone"),
        (404, 10003, False, "channel_gone"),
        (404, 10008, True, "message_gone"),
        (403, 50005, True, "message_gone"),
        (400, 50035, False, "malformed"),
        (400, 50006, False, "malformed"),
        (400, 50109, False, "malformed"),
        (413, 40005, False, "malformed"),
        (400, 200000, False, "malformed"),
        (400, 240000, False, "malformed"),
        (400, 30046, True, "too_many_edits"),
        (429, 30046, True, "too_many_edits"),
        (400, 50083, True, "thread_gone"),
        (400, 160005, False, "thread_gone"),
        (400, 220001, False, "channel_gone"),
        (400, 220002, False, "malformed"),
        (400, 220003, False, "channel_gone"),
        (400, 40067, False, "channel_gone"),
        (403, 50013, False, "forbidden"),
        (405, 0, False, "forbidden"),
    ],
)
def test_what_discord_refuses_for_good(status: int, code: int, edit: bool, kind: str) -> None:
    outcome = judge(status, {"message": "No", "code": code}, edit=edit)
    assert isinstance(outcome, Rejected)
    assert outcome.kind == kind


def test_a_channel_that_is_unknown_is_a_thread_where_one_was_named() -> None:
    outcome = judge(404, {"message": "Unknown Channel", "code": 10003}, thread="5")
    assert isinstance(outcome, Rejected)
    assert (outcome.kind, outcome.reason) == ("thread_gone", "unknown_thread")


@pytest.mark.parametrize(
    ("status", "data", "headers", "expected"),
    [
        (429, {"retry_after": 0.3, "global": False}, {"retry_after": "1"}, Retry("rate_limit", 0.3, "webhook")),
        (429, {"retry_after": 64.57, "global": True}, {}, Retry("global_rate_limit", 64.57, "everything")),
        (429, {"retry_after": 2}, {"x_ratelimit_global": "true"}, Retry("global_rate_limit", 2.0, "everything")),
        (429, {"retry_after": 31.0}, {"x_ratelimit_scope": "shared"}, Retry("shared_rate_limit", 31.0, "webhook")),
        (429, {"message": "slow"}, {"retry_after": "7"}, Retry("rate_limit", 7.0, "webhook")),
        (429, {"retry_after": -1}, {}, Retry("rate_limit", None, "webhook")),
        (429, {"retry_after": True}, {}, Retry("rate_limit", None, "webhook")),
        (429, {"code": 30046, "retry_after": 20.5}, {}, Retry("too_many_edits", 20.5, "request")),
        (429, b"<html>1015</html>", {"retry_after": "35"}, Retry("cloudflare", 35.0, "everything")),
        (429, b"<html>1015</html>", {}, Retry("cloudflare", 60.0, "everything")),
        (403, b"<html>1020</html>", {}, Retry("blocked", 60.0, "everything")),
        (403, {"code": 40333}, {}, Retry("blocked", 60.0, "everything")),
        (400, {"code": 40062}, {}, Retry("resource_rate_limit", None, "webhook")),
        (400, {"code": 20028, "retry_after": 5}, {}, Retry("channel_rate_limit", 5.0, "webhook")),
        (403, {"code": 20029}, {}, Retry("server_rate_limit", None, "webhook")),
        (503, {"code": 130000}, {}, Retry("server_error", None, "webhook")),
        (500, {"code": 0}, {}, Retry("server_error", None, "request")),
        (502, b"<html>Bad gateway</html>", {}, Retry("server_error", None, "webhook")),
        (503, b"", {"retry_after": "12"}, Retry("server_error", 12.0, "webhook")),
        (302, b"", {"location": "http://portal.invalid/"}, Retry("redirected", None, "webhook")),
        (200, b"<html>Please log in</html>", {}, Retry("not_discord", None, "webhook")),
        (200, b"OK", {}, Retry("not_discord", None, "webhook")),
    ],
)
def test_what_is_worth_another_try_and_when(status: int, data: Any, headers: dict[str, str], expected: Retry) -> None:
    request = DISCORD.post(TARGET, PAYLOAD)
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    response = Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)
    assert DISCORD.judge(request, response) == expected


@pytest.mark.parametrize("status", [200, 204, 500, 429])
def test_every_answer_tells_what_is_left(status: int) -> None:
    outcome = judge(status, {}, x_ratelimit_remaining="3", x_ratelimit_reset_after="1.25")
    assert outcome.budget == Budget(3, 1.25)


@pytest.mark.parametrize(
    ("status", "data", "edit", "message_id"),
    [
        (200, {"id": "99"}, False, "99"),
        (200, {"id": 99}, False, "99"),
        (200, {"id": "99"}, True, "77"),
        (200, b'{"content": "x", "id": "9', True, "77"),
        (204, None, True, "77"),
        (200, b'{"content": "x", "id": "9', False, "0"),
        (204, None, False, "0"),
        (200, {"id": "../x"}, False, "0"),
    ],
)
def test_what_was_stored_counts_as_sent_even_when_its_id_is_lost(
    status: int, data: Any, edit: bool, message_id: str
) -> None:
    assert judge(status, data, edit=edit) == Sent(message_id)


def test_the_thread_that_a_forum_opened_is_remembered() -> None:
    request = DISCORD.post(replace(TARGET, forum=True), PAYLOAD)
    stored = Response(200, {}, b'{"id": "99", "channel_id": "99"}')
    assert DISCORD.judge(request, stored) == Sent("99", "99")
    assert DISCORD.judge(DISCORD.post(TARGET, PAYLOAD), stored) == Sent("99", None)


def test_a_refusal_tells_where_and_hides_the_token() -> None:
    errors = {"embeds": {"0": {"description": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Too long."}]}}}}
    outcome = judge(400, {"message": f"Invalid Form Body {TOKEN}\n\x1b", "code": 50035, "errors": errors})
    assert isinstance(outcome, Rejected)
    assert outcome.detail == ("status 400, code 50035: Invalid Form Body [redacted]  : embeds.0.description: Too long.")


# Through the fake -------------------------------------------------------------------------------------------------


class Way:
    """Sends as the relay does."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def __call__(self, request: Request) -> Outcome:
        response = await self._transport.send(request)
        assert isinstance(response, Response)
        return DISCORD.judge(request, response)


Scenario = Callable[[FakeDiscord, Webhook, Way], Coroutine[Any, Any, None]]


def run(scenario: Scenario, *, forum: bool = False, rates: Rates | None = None) -> None:
    async def play() -> None:
        async with FakeDiscord(clock=FakeClock(), rates=rates) as discord, HttpTransport() as transport:
            await scenario(discord, discord.add_webhook("ops", forum=forum), Way(transport))

    asyncio.run(play())


def test_every_situation_is_posted_edited_and_taken_away() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, send: Way) -> None:
        target = Target(ops.url)
        for message in SITUATIONS.values():
            full, plain = DISCORD.render(message), DISCORD.render(message, "plain")
            sent = await send(DISCORD.post(target, full))
            assert isinstance(sent, Sent)
            assert discord.messages[sent.message_id].payload.get("embeds") == full.get("embeds")
            assert set(discord.messages[sent.message_id].pinged) == set(message.mentions)
            assert isinstance(await send(DISCORD.edit(target, sent.message_id, plain)), Sent)
            assert discord.messages[sent.message_id].payload["embeds"] == []
            assert isinstance(await send(DISCORD.delete(target, sent.message_id)), Sent)
            again = await send(DISCORD.edit(target, sent.message_id, full))
            assert isinstance(again, Rejected)
            assert again.kind == "message_gone"
        assert discord.standing() == []

    run(scenario, rates=Rates(None, None, None, None))


def test_in_a_forum_each_message_opens_a_thread_and_is_edited_there() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, send: Way) -> None:
        target = Target(ops.url, forum=True)
        payload = DISCORD.render(SITUATIONS["fires"])
        sent = await send(DISCORD.post(target, payload))
        assert isinstance(sent, Sent)
        assert sent.thread_id is not None
        assert ops.threads[sent.thread_id].name == "NodeDown"
        there = replace(target, thread_id=sent.thread_id)
        assert isinstance(await send(DISCORD.edit(there, sent.message_id, payload)), Sent)
        second = await send(DISCORD.post(there, payload))
        assert isinstance(second, Sent)
        assert discord.messages[second.message_id].thread == sent.thread_id

    run(scenario, forum=True)


def test_a_forum_that_is_not_called_one_is_told_how() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, send: Way) -> None:
        outcome = await send(DISCORD.post(Target(ops.url), DISCORD.render(SITUATIONS["fires"])))
        assert isinstance(outcome, Rejected)
        assert outcome.kind == "channel_gone"
        assert "forum: true" in outcome.detail

    run(scenario, forum=True)


def test_the_sixth_request_is_told_to_wait_and_the_fifth_said_so() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, send: Way) -> None:
        outcomes = [await send(DISCORD.post(Target(ops.url), PAYLOAD)) for _ in range(6)]
        assert outcomes[4].budget == Budget(0, 2.0)
        assert outcomes[5] == Retry("rate_limit", 2.0, "webhook", Budget(0, 2.0))

    run(scenario)


def test_cloudflare_and_a_deleted_webhook() -> None:
    async def scenario(discord: FakeDiscord, ops: Webhook, send: Way) -> None:
        discord.faults.append(Fault("rate_limit", seconds=30, html=True, times=1))
        post = DISCORD.post(Target(ops.url), PAYLOAD)
        assert await send(post) == Retry("cloudflare", 30.0, "everything")
        discord.delete_webhook("ops")
        outcome = await send(post)
        assert isinstance(outcome, Rejected)
        assert outcome.kind == "channel_gone"
        assert ops.token not in outcome.detail

    run(scenario)


def test_the_query_of_a_webhook_survives() -> None:
    url = DISCORD.post(Target(f"{URL}?with_components=true"), PAYLOAD).url
    assert parse_qs(urlsplit(url).query) == {"with_components": ["true"], "wait": ["true"]}
