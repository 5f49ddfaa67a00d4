"""Previews of messages: the relay's own, with what is not known left open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from homelabmon.journey.explain import explain
from homelabmon.journey.message import message_text
from homelabmon.journey.running import Running, running
from homelabmon.journey.subject import subject
from homelabmon.load import load
from tests.journey.test_running import running_of
from tests.stacks_common import EVERYTHING, EXAMPLE


@pytest.fixture(scope="module")
def example() -> Running:
    return running(load(EXAMPLE))


def message(found: Running, name: str, at: datetime | None = None, **labels: str) -> str | None:
    asked = subject(found, name, labels)
    (stop,) = explain(found, asked).stops
    return message_text(found, asked, stop, at)


def test_labels_are_filled_in_and_what_is_not_known_is_left_open(example: Running) -> None:
    known, open_ = message(example, "NodeDown", node="n1"), message(example, "NodeDown")
    assert known is not None
    assert open_ is not None
    assert "\nNode n1 is down\n" in known
    assert "\nNode ‹node› is down\n" in open_
    assert known.startswith("@role:1234 🚨 FIRING · critical · NodeDown\n")


def test_it_fires_when_it_is_asked_about(example: Running) -> None:
    at = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
    assert "Since 2026-11-22 03:30 UTC" in (message(example, "NodeDown", at) or "")
    assert "Since …" in (message(example, "NodeDown") or "")


def test_a_silence_needs_all_labels_of_the_group(example: Running) -> None:
    assert "Silence:" in (message(example, "KubePodNotReady", namespace="media") or "")
    assert "Silence:" not in (message(example, "KubePodNotReady") or "")


def test_an_event_is_one(example: Running) -> None:
    text = message(example, "Shell", source="falco") or ""
    assert text.startswith("⚠️ EVENT · warning · Shell")


def test_the_sender_and_the_mention_are_the_channels() -> None:
    channels = {"ops": {"discord": {"webhook": {"secret": "s", "key": "k"}}, "mention": {"info": "here"}}}
    alerts = [{"alert": "A", "expr": "up", "summary": "{{ $labels.x }} {{ $value }}", "severity": "info"}]
    text = message(running_of(components=EVERYTHING, channels=channels, alerts=alerts), "A", x="1") or ""
    assert text.startswith("@here ℹ️ FIRING · info · 1 …\n")


def test_what_the_relay_does_not_write_has_no_preview(example: Running) -> None:
    assert message(example, "RelayDown") is None
    assert message(example, "Watchdog") is None
