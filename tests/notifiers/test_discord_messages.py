"""What readers see, situation by situation; and that no label can format, link, or ping."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.message import AlertView, IncidentView, Message
from homelabmon.notifiers.preview import preview
from tests.notifiers.situations import LINKS, NOW, SITUATIONS, crash_loop, incident, message, node_down
from tests.notifiers.strategies import NASTY
from tests.relay.discord_rules import pinged, refusal_of_post

DISCORD: Final = NOTIFIERS["discord"]


class AsIs(str):
    """A text that a snapshot shows with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_reader_sees(name: str, snapshot: SnapshotAssertion) -> None:
    payload = DISCORD.render(SITUATIONS[name])
    assert refusal_of_post({key: value for key, value in payload.items() if key != "thread_name"}) is None
    assert AsIs(preview(payload, NOW)) == snapshot(name="as it looks")
    said = AsIs(preview(DISCORD.render(SITUATIONS[name], "plain"), NOW))
    assert said == snapshot(name="plain, after Discord has refused it")


@pytest.mark.parametrize(
    "name", ["fires on three nodes", "is over", "falco", "tries to format and to ping", "digest of what is over"]
)
def test_what_discord_gets(name: str, snapshot: SnapshotAssertion) -> None:
    payload = DISCORD.render(SITUATIONS[name])
    assert AsIs(json.dumps(payload, ensure_ascii=False, indent=2)) == snapshot


@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_is_said_that_is_not_known(name: str) -> None:
    for style in ("full", "plain"):
        payload = DISCORD.render(SITUATIONS[name], "full" if style == "full" else "plain")
        for text in (payload["content"], *(embed["description"] for embed in payload.get("embeds", ()))):
            assert not re.search(r"None|null|\bnan\b|\*\*\*\*|\(\)|\[\]|: *,|· ·|· *$|<t:0:", text, re.MULTILINE)
        for embed in payload.get("embeds", ()):
            assert "\n\n\n" not in embed["description"]
            assert embed["description"] == embed["description"].strip()


# Formatting and pinging -------------------------------------------------------------------------------------------


def bare(text: str) -> str:
    """What is left of Discord text for formatting to act on: without escaped characters, and without our own."""
    text = re.sub(r"\[(?:Silence|Runbook|Grafana|Prometheus|Details|All incidents|Alertmanager)\]\(\S+?\)", "", text)
    text = re.sub(r"<t:\d+:[fR]>", "", text)
    return re.sub(r"\\[^0-9A-Za-z\s]", "¤", text)


def assert_inert(text: str) -> None:
    left = bare(text)
    assert left.count("**") % 2 == 0
    left = left.replace("**", "")
    assert not re.search(r"[*_~`|<\[\]]", left), left
    assert not re.search(r"^\s*(?:#{1,3} |-# |[-+] |\d+\. |>)", left, re.MULTILINE), left
    assert not re.search(r"https?://|@everyone|@here|:[\w+-]+:|discord\.gg|discord\.com", left, re.IGNORECASE), left
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f]", left), repr(left)


def everywhere(text: str) -> Message:
    """A message with the text wherever a text can be."""
    said = {"summary": text, "description": text, "value": text, text: text}
    one = AlertView({"alertname": text, "node": text, text: text}, text, "firing", NOW, said)
    other = AlertView({"alertname": text, "node": f"{text}2"}, "info", "resolved", NOW, {"summary": f"{text}2"})
    view = IncidentView(1, text, "alertmanager", "firing", text, text, {"g": text}, (one, other), NOW)
    return Message(text, (view,), ("role:99",), LINKS, text, text, text)


@pytest.mark.parametrize("text", NASTY)
def test_no_text_formats_links_or_pings(text: str) -> None:
    single = everywhere(text)
    alone = replace(single.incidents[0], alerts=single.incidents[0].alerts[:1])
    digest = replace(single, incidents=(alone, *single.incidents, replace(alone, state="resolved", ended_at=NOW)))
    for said in (single, replace(single, incidents=(alone,)), digest):
        for style in ("full", "plain"):
            payload = DISCORD.render(said, "full" if style == "full" else "plain")
            assert pinged(payload) == {"role:99"}
            assert_inert(payload["content"].removeprefix("<@&99> "))
            for embed in payload.get("embeds", ()):
                assert_inert(embed["description"])


@pytest.mark.parametrize(
    ("mentions", "content", "allowed"),
    [
        ((), "", {"parse": []}),
        (("role:5",), "<@&5> ", {"parse": [], "roles": ["5"]}),
        (("user:5", "role:5", "user:5"), "<@5> <@&5> ", {"parse": [], "roles": ["5"], "users": ["5"]}),
        (("everyone",), "@everyone ", {"parse": ["everyone"]}),
        (("here", "role:5"), "@here <@&5> ", {"parse": ["everyone"], "roles": ["5"]}),
        (("role:x", "role:0", "role:" + "9" * 21, f"user:{2**63}", "role:²", "nobody", ""), "", {"parse": []}),
    ],
)
def test_only_who_is_configured_is_mentioned(mentions: tuple[str, ...], content: str, allowed: dict[str, Any]) -> None:
    for style in ("full", "plain"):
        payload = DISCORD.render(
            message(incident(node_down("n1")), mentions=mentions), "full" if style == "full" else "plain"
        )
        assert payload["content"].startswith(f"{content}🚨 " if style == "full" else f"{content}FIRING critical")
        assert payload["allowed_mentions"] == allowed


def test_a_label_cannot_turn_here_into_everyone() -> None:
    payload = DISCORD.render(message(incident(node_down("n1"), title="@everyone"), mentions=("here",)))
    assert pinged(payload) == {"here"}
    assert "@everyone" in preview(payload)


# Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("homelab", "homelab"),
        (None, None),
        ("", None),
        ("  ", None),
        ("\u200b", None),
        ("Discord alerts", None),
        ("Clyde", None),
        ("everyone", None),
        ("x" * 100, "x" * 40 + "…" + "x" * 39),
    ],
)
def test_a_senders_name_is_left_out_where_discord_refuses_it(sender: str | None, shown: str | None) -> None:
    payload = DISCORD.render(message(incident(node_down("n1")), sender=sender))
    assert payload.get("username") == shown
    assert "username" not in DISCORD.render(message(incident(node_down("n1")), sender=sender), "plain")


def test_alerts_are_named_by_what_distinguishes_them() -> None:
    alerts = (node_down("n1"), node_down("n2"))
    text = preview(DISCORD.render(message(incident(*alerts))))
    assert "• n1\n" in text
    assert "job node-exporter" not in text.partition("•")[2]
    ports = (alerts[0], replace(alerts[0], labels={**alerts[0].labels, "instance": "n1:9256"}), alerts[1])
    assert "• n1 · instance n1:9256" in preview(DISCORD.render(message(incident(*ports))))
    twins = preview(DISCORD.render(message(incident(alerts[0], alerts[0]))))
    assert twins.count("• (same labels)") == 2


def test_what_all_alerts_say_is_said_once_with_gaps() -> None:
    text = preview(DISCORD.render(message(incident(node_down("n1"), node_down("n2")))))
    assert text.count("is unreachable") == 1
    assert "Node … is unreachable" in text
    differing = (node_down("n1"), node_down("n2", annotations={"summary": "The fan of n2 stands still"}))
    text = preview(DISCORD.render(message(incident(*differing))))
    assert "Node n1 is unreachable" in text
    assert "The fan of n2 stands still" in text


def test_a_severity_is_said_once() -> None:
    """By the headline for those that have it, by its line for an alert that has another."""
    alerts = [node_down("n1"), node_down("n2", severity="warning")]
    alerts[1] = replace(alerts[1], labels={**alerts[1].labels, "severity": "warning"})
    text = preview(DISCORD.render(message(incident(*alerts))))
    assert "• n1\n" in text
    assert "• n2 · warning\n" in text
    alike = [replace(one, labels={"alertname": "NodeDown", "severity": one.severity}) for one in alerts]
    text = preview(DISCORD.render(message(incident(*alike))))
    assert ("• critical\n" in text, "• warning" in text) == (True, True)
    assert "warning · warning" not in text
    other = incident(node_down("n9"))
    digest = preview(DISCORD.render(message(incident(*alerts), other)))
    assert "severity" not in digest


def test_a_lock_screen_names_the_first_few() -> None:
    content = DISCORD.render(message(incident(*(node_down(f"n{at}") for at in range(1, 6)))))["content"]
    assert content.splitlines()[-1] == "Node … is unreachable: n1, n2, n3, …"
    content = DISCORD.render(message(incident(node_down("n1"), node_down("n2"))))["content"]
    assert content.splitlines()[-1] == "Node … is unreachable: n1, n2"


def test_several_incidents_told_plain_begin_with_the_worst() -> None:
    over = incident(node_down("n1", "resolved"), state="resolved")
    text = DISCORD.render(message(over, incident(crash_loop("web-1", 1)), incident(node_down("n2"))), "plain")[
        "content"
    ]
    first, *rest = text.splitlines()
    assert first.endswith("3 incidents: 2 firing, 1 resolved, 1 critical. The worst first:")
    heads = [line.split(" - ")[0] for line in rest if " - " in line]
    assert heads == ["FIRING critical", "FIRING warning", "RESOLVED critical"]


def test_all_names_come_before_any_details() -> None:
    alerts = [crash_loop(f"pod-{at:03}-a-b", at) for at in range(60)]
    alerts = [replace(one, annotations={"description": f"{one.labels['pod']} {'why ' * 200}"}) for one in alerts]
    text = preview(DISCORD.render(message(incident(*alerts))))
    assert all(f"pod-{at:03}-a-b" in text for at in range(60))
    assert "more" not in text
