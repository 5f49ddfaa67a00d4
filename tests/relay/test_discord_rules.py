"""What Discord takes and refuses, line by line, with where that is said."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.relay.discord_rules import code_points, code_units, pinged, refusal_of_edit, refusal_of_post

DOCS: Final = "resources/message, Embed Limits"
MENTIONS: Final = "resources/message, Allowed Mentions Object"
WEBHOOK: Final = "resources/webhook, Execute Webhook"


def one_embed(**embed: Any) -> dict[str, Any]:
    return {"embeds": [embed]}


def fields(*pairs: tuple[Any, Any]) -> dict[str, Any]:
    return one_embed(fields=[{"name": name, "value": value} for name, value in pairs])


TAKEN: Final[dict[str, dict[str, Any]]] = {
    "content of 2000": {"content": "x" * 2000},
    "content of 2000 between spaces: trimmed first": {"content": " " * 10 + "x" * 2000 + "\n" * 10},
    "content of 2000 emoji: code points count (#1315)": {"content": "🔥" * 2000},
    "ten embeds": {"embeds": [{"description": "x"}] * 10},
    "title of 256": one_embed(title="x" * 256),
    "description of 4096": one_embed(description="x" * 4096),
    "25 fields": fields(*[("n", "v")] * 25),
    "field of 256 and 1024": fields(("n" * 256, "v" * 1024)),
    "field of a zero-width space (discord-net/Discord.Net#758)": fields(("\u200b", "\u200b")),
    "footer of 2048": one_embed(footer={"text": "x" * 2048}),
    "author of 256": one_embed(author={"name": "x" * 256}),
    "6000 in all": {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2000}]},
    "6000 and what is trimmed": {"embeds": [{"description": "x" * 4000 + " " * 50}, {"description": "x" * 2000}]},
    "username of 80": {"content": "x", "username": "u" * 80},
    "an address with a top-level domain": one_embed(title="x", url="https://a.example/b"),
    "an address by number": one_embed(title="x", url="http://192.168.1.2:3000/"),
    "nobody may be pinged": {"content": "x", "allowed_mentions": {"parse": []}},
    "some roles, and all users": {"content": "x", "allowed_mentions": {"parse": ["users"], "roles": ["1", "2"]}},
    "parse and an empty list of the same kind": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": []}},
    "a hundred roles": {"content": "x", "allowed_mentions": {"roles": [str(at) for at in range(1, 101)]}},
    "content and no embeds": {"content": "x", "embeds": []},
    "no notification, no embeds": {"content": "x", "flags": 4096 | 4},
}

REFUSED: Final[dict[str, tuple[str, int, str, dict[str, Any]]]] = {
    "nothing at all": (WEBHOOK, 50006, "", {}),
    "content of spaces": (WEBHOOK, 50006, "", {"content": " \n "}),
    "content of 2001": (WEBHOOK, 50035, "content", {"content": "x" * 2001}),
    "content that is no text": (WEBHOOK, 50035, "content", {"content": 5}),
    "eleven embeds": (WEBHOOK, 50035, "embeds", {"embeds": [{"description": "x"}] * 11}),
    "embeds that are no list": (WEBHOOK, 50035, "embeds", {"embeds": {"description": "x"}}),
    "an embed without anything": (WEBHOOK, 50035, "embeds.0", {"content": "x", "embeds": [{}]}),
    "an embed of spaces": (WEBHOOK, 50035, "embeds.0", one_embed(description="  ")),
    "an embed of colour alone": (WEBHOOK, 50035, "embeds.0", one_embed(color=5)),
    "title of 257": (DOCS, 50035, "embeds.0.title", one_embed(title="x" * 257)),
    "description of 4097": (DOCS, 50035, "embeds.0.description", one_embed(description="x" * 4097)),
    "26 fields": (DOCS, 50035, "embeds.0.fields", fields(*[("n", "v")] * 26)),
    "field name of 257": (DOCS, 50035, "embeds.0.fields.0.name", fields(("n" * 257, "v"))),
    "field value of 1025": (DOCS, 50035, "embeds.0.fields.0.value", fields(("n", "v" * 1025))),
    "field without value": ("Glitchii/embedbuilder#57", 50035, "embeds.0.fields.0.value", fields(("n", None))),
    "field of a no-break space": ("discord-net#758", 50035, "embeds.0.fields.0.value", fields(("n", "\u00a0"))),
    "footer of 2049": (DOCS, 50035, "embeds.0.footer.text", one_embed(footer={"text": "x" * 2049})),
    "author of 257": (DOCS, 50035, "embeds.0.author.name", one_embed(author={"name": "x" * 257})),
    "6001 in all": ("#4047", 50035, "embeds", {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]}),
    "an address without a top-level domain": ("bugsink#280", 50035, "embeds.0.url", one_embed(title="x", url="http://g/")),
    "an empty address": ("#5837", 50035, "embeds.0.author.url", one_embed(author={"name": "x", "url": ""})),
    "another scheme": ("discord.js#3646", 50035, "embeds.0.url", one_embed(title="x", url="steam://run/1")),
    "a colour beyond white": (DOCS, 50035, "embeds.0.color", one_embed(title="x", color=0x1000000)),
    "username of 81": (WEBHOOK, 50035, "username", {"content": "x", "username": "u" * 81}),
    "username with discord": ("Create Webhook", 50035, "username", {"content": "x", "username": "My Discord bot"}),
    "username with clyde": ("Create Webhook", 50035, "username", {"content": "x", "username": "CLYDE"}),
    "username of spaces": (WEBHOOK, 50035, "username", {"content": "x", "username": " "}),
    "parse and ids of one kind": (
        MENTIONS, 50035, "allowed_mentions", {"content": "x", "allowed_mentions": {"parse": ["roles"], "roles": ["1"]}},
    ),
    "the same role twice": (
        MENTIONS, 50035, "allowed_mentions.roles", {"content": "x", "allowed_mentions": {"roles": ["1", "1"]}},
    ),
    "101 users": (
        MENTIONS, 50035, "allowed_mentions.users",
        {"content": "x", "allowed_mentions": {"users": [str(at) for at in range(1, 102)]}},
    ),
    "an id beyond 64 bits": (
        MENTIONS, 50035, "allowed_mentions.roles", {"content": "x", "allowed_mentions": {"roles": ["9" * 21]}},
    ),
    "here is no kind of its own": (
        MENTIONS, 50035, "allowed_mentions.parse", {"content": "x", "allowed_mentions": {"parse": ["here"]}},
    ),
    "flags that cannot be set": (WEBHOOK, 50035, "flags", {"content": "x", "flags": 1}),
    "half a surrogate pair": ("resources/webhook, warning", 50035, "content", {"content": "\ud83d"}),
    "a thread where there is no forum": (WEBHOOK, 220003, "", {"content": "x", "thread_name": "t"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_discord_takes(name: str) -> None:
    assert refusal_of_post(TAKEN[name]) is None


@pytest.mark.parametrize("name", REFUSED)
def test_discord_refuses(name: str) -> None:
    _, code, path, payload = REFUSED[name]
    refusal = refusal_of_post(payload)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, code)
    assert [one.path for one in refusal.violations][:1] == ([path] if path else [])


def test_code_units_count_what_is_beyond_the_basic_plane_twice() -> None:
    assert (code_points("a🔥"), code_units("a🔥")) == (2, 3)
    assert refusal_of_post({"content": "🔥" * 1001}, measure=code_units) is not None


@pytest.mark.parametrize(
    ("payload", "forum", "thread_id", "code"),
    [
        ({"content": "x"}, True, None, 220001),
        ({"content": "x", "thread_name": "t"}, True, None, None),
        ({"content": "x"}, True, "5", None),
        ({"content": "x", "thread_name": "t"}, True, "5", 220002),
        ({"content": "x", "thread_name": "t" * 101}, True, None, 50035),
        ({"content": "x", "thread_name": " "}, True, None, 50035),
        ({"content": "x"}, False, "5", None),
    ],
)
def test_a_forum_wants_a_thread_or_a_name_for_one(
    payload: dict[str, Any], forum: bool, thread_id: str | None, code: int | None
) -> None:
    refusal = refusal_of_post(payload, forum=forum, thread_id=thread_id)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"content": "new"}, None),
        ({"content": None}, None),
        ({"content": None, "embeds": []}, 50006),
        ({"embeds": None, "content": ""}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "username": "discord", "thread_name": ""}, None),
        ({}, None),
    ],
)
def test_an_edit_changes_what_it_names_and_must_leave_something(edit: dict[str, Any], code: int | None) -> None:
    before = {"content": "old", "embeds": [{"description": "x"}]}
    refusal = refusal_of_edit(edit, before)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("content", "allowed", "expected"),
    [
        ("@everyone <@&1> <@2>", None, {"user:2"}),
        ("@everyone <@&1> <@2> <@!3>", {"parse": []}, set()),
        ("@everyone @here <@&1> <@2>", {"parse": ["everyone"]}, {"everyone", "here"}),
        ("<@&1> <@&2> <@3>", {"parse": [], "roles": ["1"]}, {"role:1"}),
        ("\\@everyone \\<@&1>", {"parse": ["everyone"], "roles": ["1"]}, {"everyone", "role:1"}),
        ("nobody", {"parse": ["everyone"], "roles": ["1"]}, set()),
    ],
)
def test_only_who_is_named_and_allowed_is_pinged(content: str, allowed: Any, expected: set[str]) -> None:
    assert pinged({"content": content, "allowed_mentions": allowed}) == expected
