"""Whatever a message holds, Discord takes it, nobody is pinged who should not be, and no alert goes uncounted."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Target
from homelabmon.notifiers.message import AlertView, IncidentView, Links, Message, State
from homelabmon.notifiers.preview import preview
from tests.notifiers import strategies
from tests.relay.discord_rules import code_points, code_units, pinged, refusal_of_edit, refusal_of_post

DISCORD: Final = NOTIFIERS["discord"]
TARGET: Final = Target("https://discord.com/api/webhooks/1234/" + "t" * 68)
FORUM: Final = Target(TARGET.url, forum=True)
NOW: Final = 1_800_000_000.0


def sent(body: bytes) -> dict[str, Any]:
    """The body as Discord reads it: UTF-8 that is no JSON, or JSON that is no UTF-8, fails."""
    data = json.loads(body.decode("utf-8"))
    assert isinstance(data, dict)
    return data


def assert_taken(message: Message) -> None:
    for style in ("full", "plain"):
        payload = DISCORD.render(message, "full" if style == "full" else "plain")
        post, edit = sent(DISCORD.post(TARGET, payload).body), sent(DISCORD.edit(TARGET, "1", payload).body)
        new_thread = sent(DISCORD.post(FORUM, payload).body)
        for measure in (code_points, code_units):
            assert refusal_of_post(post, measure=measure) is None
            assert refusal_of_post(new_thread, forum=True, measure=measure) is None
            assert refusal_of_edit(edit, post, measure=measure) is None
        for body in (post, edit):
            assert pinged(body) <= set(message.mentions)
            assert body["allowed_mentions"]["parse"] in ([], ["everyone"])
        assert "\n\n\n" not in preview(payload, NOW)


@settings(max_examples=60)
@given(strategies.messages())
def test_discord_takes_any_message(message: Message) -> None:
    assert_taken(message)


def alert(number: int, *, state: State = "firing", size: int = 1, **labels: str) -> AlertView:
    return AlertView(
        labels={"alertname": "Storm", "id": f"alert-{number:04}", **labels},
        severity="warning",
        state=state,
        starts_at=NOW,
        ends_at=None if state == "firing" else NOW + 60,
        annotations={"summary": f"Number {number} is in trouble", "description": "why " * size},
    )


def incident(number: int, alerts: tuple[AlertView, ...], state: State = "firing", title: str = "Storm") -> IncidentView:
    ended = NOW + 60 if state in ("resolved", "expired") else None
    return IncidentView(
        number, "storms", "alertmanager", state, "warning", title, {"group": f"g{number}"}, alerts, NOW, ended
    )


def named(payload: dict[str, Any]) -> set[str]:
    return set(re.findall(r"alert-\d{4}", preview(payload)))


def counted(payload: dict[str, Any]) -> int:
    """How many alerts the message speaks of: those it names, and those in its "and N more"."""
    text = preview(payload)
    more = sum(map(int, re.findall(r"and (\d+) more(?! incident| label| line)", text)))
    more += sum(map(int, re.findall(r"… (\d+) alerts?", text)))
    return len(named(payload)) + more + sum(map(int, re.findall(r"more incidents? with (\d+) alerts?", text)))


@pytest.mark.parametrize(
    "text", ["x", "\U0001f525", "*", "\\", "\ud800", "e\u0301", "\u202e", "\n", "\n# ", "@everyone "]
)
def test_discord_takes_texts_of_a_hundred_kilobytes_everywhere(text: str) -> None:
    huge = text * (100_000 // len(text))
    one = AlertView(
        {huge: huge, "alertname": huge, "node": huge},
        huge,
        "firing",
        NOW,
        {"summary": huge, "description": huge, huge: huge},
    )
    other = AlertView(
        {"alertname": huge, "node": f"{huge}2"}, huge, "resolved", NOW, {"summary": huge + "2", "value": huge}
    )
    for alerts in ((one,), (one, other)):
        single = IncidentView(1, huge, huge, "firing", huge, huge, {huge: huge}, alerts, NOW)
        assert_taken(Message(huge, (single,), ("role:1",), Links(huge, huge, huge, huge), huge, huge, huge))
        assert_taken(Message(huge, (single, single, single), ("role:1",), Links(), huge, huge, huge))


@pytest.mark.parametrize("number", [1, 2, 20, 50, 100, 5000])
@pytest.mark.parametrize("size", [1, 20, 1000])
def test_every_alert_of_one_incident_is_named_or_counted(number: int, size: int) -> None:
    alerts = tuple(alert(at, size=size) for at in range(number))
    message = Message("ops", (incident(1, alerts),), links=Links("http://a.example", "http://g.example"))
    payload = DISCORD.render(message)
    assert_taken(message)
    if number > 1:
        assert counted(payload) == number
        assert len(named(payload)) >= min(number, 50)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from(("firing", "resolved", "event")), st.integers(1, 100)),
        min_size=2,
        max_size=60,
    )
)
def test_every_alert_of_a_digest_is_named_or_counted(groups: list[tuple[int, State, int]]) -> None:
    incidents = []
    first = 0
    for number, (size, state, length) in enumerate(groups):
        ids = range(first, first + size)
        first += size
        incidents.append(incident(number, tuple(alert(at, state=state, pod="p" * length) for at in ids), state))
    message = Message("ops", tuple(incidents), ("everyone",), note="Behind.", stack="home")
    payload = DISCORD.render(message)
    assert_taken(message)
    assert counted(payload) == first
    fits = DISCORD.how_many_fit(incidents)
    shown = DISCORD.render(Message("ops", tuple(incidents[:fits]), links=Links("http://a.example"), note="n" * 999))
    if fits > 1:
        going = {one.labels["id"] for each in incidents[:fits] if each.state != "resolved" for one in each.alerts}
        assert going <= named(shown)
    if 1 <= fits < len(incidents):
        more = DISCORD.render(Message("ops", tuple(incidents[: fits + 1])))
        everyone = {one.labels["id"] for each in incidents[: fits + 1] for one in each.alerts}
        assert named(more) != everyone


@settings(max_examples=25)
@given(st.lists(strategies.incidents(most=12), min_size=1, max_size=8))
def test_what_fits_a_digest_is_shown_whole(incidents: list[IncidentView]) -> None:
    fits = DISCORD.how_many_fit(incidents)
    assert 1 <= fits <= len(incidents)
    if fits > 1:
        cards = [embed["description"] for embed in DISCORD.render(Message("ops", tuple(incidents[:fits])))["embeds"]]
        assert not re.search(r"^… ", "\n".join(cards), re.MULTILINE)
    if 1 <= fits < len(incidents):
        more = DISCORD.render(Message("ops", tuple(incidents[: fits + 1])))
        assert re.search(r"^… ", "\n".join(embed["description"] for embed in more["embeds"]), re.MULTILINE)


@settings(max_examples=25)
@given(st.lists(strategies.incidents(most=12), min_size=1, max_size=8))
def test_what_fits_a_plain_message_is_shown_whole(incidents: list[IncidentView]) -> None:
    fits = DISCORD.how_many_fit(incidents, "plain")
    assert 1 <= fits <= len(incidents)
    if fits > 1:
        text = DISCORD.render(Message("ops", tuple(incidents[:fits]), note="n" * 999), "plain")["content"]
        assert not re.search(r"^and [\d,]+ more line", text, re.MULTILINE)


def test_a_storm_fits_many_alerts_into_a_digest() -> None:
    groups = [incident(at, tuple(alert(5 * at + one) for one in range(5)), title=f"Storm {at}") for at in range(200)]
    messages, rest = 0, groups
    while rest:
        messages += 1
        fits = DISCORD.how_many_fit(rest)
        assert named(DISCORD.render(Message("ops", tuple(rest[:fits])))) == {
            one.labels["id"] for each in rest[:fits] for one in each.alerts
        }
        rest = rest[fits:]
    assert messages <= 20, "1,000 alerts in 200 groups at 30 messages a minute must be through within 40 s"


@pytest.mark.parametrize("text", ["x", "🔥", "*"])
def test_a_digest_has_room_for_everything_else_at_its_longest(text: str) -> None:
    mentions = ("everyone", "here", *(f"role:{2**62 + number}" for number in range(150)))
    long_links = Links(*(f"https://{name}.example.com/{'y' * 60}" for name in ("am", "grafana", "prometheus", "relay")))
    for length in (1, 7, 23):
        one = alert(1, pod="p" * length)
        number = next(
            number
            for number in range(20, 400)
            if DISCORD.how_many_fit([incident(1, (one,)), incident(2, (one,) * number)]) == 1
        )
        filled = (incident(1, (one,)), incident(2, (one,) * (number - 1)))
        assert_taken(Message("ops", filled, mentions, long_links, text * 5000, text * 5000, text * 5000))


def test_a_card_is_split_where_clients_count_twice_what_discord_counts() -> None:
    alerts = tuple(alert(at, pod="🔥" * 30) for at in range(60))
    assert_taken(Message("ops", (incident(1, alerts),)))
    assert_taken(Message("ops", (incident(1, alerts[:20]), incident(2, alerts[20:50]))))
