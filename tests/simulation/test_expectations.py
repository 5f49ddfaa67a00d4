"""The stack's tests: who must hear, in how many messages, how soon; and what is said when it is not so."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from homelabmon.errors import HomelabmonError
from homelabmon.journey.running import Running, running
from homelabmon.load import load
from homelabmon.simulation.expectations import Result, find_test, run
from homelabmon.spec.watch import Expectation
from homelabmon.stack import Stack
from tests.stacks_common import EXAMPLE

NODE = {"alertname": "NodeDown", "node": "n1"}
READY = {"alertname": "KubeNodeNotReady", "node": "n1"}
POD = {"alertname": "KubePodNotReady", "namespace": "media", "pod": "p"}


@cache
def example() -> Running:
    return running(load(EXAMPLE))


def tried(**test: Any) -> Result:
    return run(example(), 0, Expectation.model_validate(test))


@pytest.mark.parametrize(
    "test",
    [
        {"alert": NODE, "channel": "ops"},
        {"alert": {"alertname": "Watchdog"}, "nobody": True},
        {"alert": POD, "lives": "40s", "nobody": True},
        {"alert": POD, "lives": "70s", "channel": "media"},
        {"alert": NODE, "with": [{**NODE, "node": "n2"}, {**NODE, "node": "n3"}], "channel": "ops", "messages": 1},
        {"alert": NODE, "with": {**NODE, "node": "n2"}, "channel": "ops", "messages": 1},
        {"alert": READY, "while": NODE, "nobody": True},
        {"alert": READY, "channel": "ops", "within": "2m"},
        {"alert": NODE, "flaps": {"every": "10m", "for": "3m", "during": "1h"}, "channel": "ops", "messages": 1},
        {"alert": NODE, "channel": "ops", "within": "10s"},
        {"alert": {"alertname": "Shell", "source": "falco", "rule": "Shell"}, "channel": "security", "messages": 1},
    ],
    ids=str,
)
def test_what_is_so_passes(test: dict[str, Any]) -> None:
    result = tried(**test)
    assert result.wrong == ()
    assert result.way


@pytest.mark.parametrize(
    ("test", "wrong"),
    [
        ({"alert": NODE, "channel": "media"}, "expected #media, but #ops hears"),
        ({"alert": NODE, "channel": ["ops", "media"]}, "expected #ops and #media, but #ops hears"),
        ({"alert": NODE, "nobody": True}, "expected nobody, but #ops hears"),
        ({"alert": {"alertname": "Watchdog"}, "channel": "ops"}, "expected #ops, but nobody hears"),
        ({"alert": POD, "lives": "40s", "channel": "media"}, "expected #media, but nobody hears"),
        ({"alert": POD, "lives": "70s", "nobody": True}, "expected nobody, but #media hears"),
        ({"alert": READY, "while": NODE, "channel": "ops"}, "expected #ops, but nobody hears"),
        ({"alert": NODE, "channel": "ops", "messages": 2}, "expected 2 messages in #ops, but there are 1"),
        ({"alert": POD, "channel": "media", "within": "30s"}, "expected #media to hear within 30s, but it takes 1m1s"),
    ],
    ids=str,
)
def test_what_is_not_so_fails_and_is_said(test: dict[str, Any], wrong: str) -> None:
    assert tried(**test).wrong == (wrong,)


def way_of(**test: Any) -> str:
    return "\n".join(tried(**test).way)


def test_the_way_taken_and_why_no_other_is_are_said() -> None:
    way = way_of(alert=NODE, channel="media")
    assert "the relay's route infrastructure" in way
    assert "→ #ops" in way
    assert "which leads to #media" in way


def test_that_a_route_does_not_match_is_said_with_the_label() -> None:
    way = way_of(alert={"alertname": "KubeJobFailed", "namespace": "home"}, channel="science")
    assert (
        """route science (namespace=~"science(-.+)?"), which leads to #science, does not match: namespace is 'home'"""
        in way
    )


def test_a_channel_that_no_route_leads_to_is_said() -> None:
    assert "no route leads to #nowhere" in way_of(alert=NODE, channel="nowhere")


def test_why_nobody_hears_is_said() -> None:
    assert "it was over within its hold of 1m" in way_of(alert=POD, lives="40s", channel="media")
    assert 'NodeDown{node="n1", severity="critical"} inhibits it' in way_of(
        alert=READY, **{"while": NODE}, channel="ops"
    )


def test_an_alert_that_no_rule_defines_is_noted() -> None:
    assert tried(alert={"alertname": "Unheard"}, channel="ops").note == "no rule defines this alert"


def test_a_test_is_found_by_name_and_number() -> None:
    stack = load(EXAMPLE)
    assert find_test(stack, "trading") is stack.tests[3]
    assert find_test(stack, "4") is stack.tests[3]
    with pytest.raises(HomelabmonError, match="no test 'tradign'; did you mean 'trading'"):
        find_test(stack, "tradign")


def test_a_stack_without_tests_says_so() -> None:
    stack: Stack = load(EXAMPLE).model_copy(update={"tests": ()})
    with pytest.raises(HomelabmonError, match="the stack has no `tests:`"):
        find_test(stack, "a")


@pytest.mark.parametrize(
    ("test", "wrong"),
    [
        ({}, "nothing says who must hear of it"),
        ({"channel": "ops", "nobody": True}, "channel and nobody exclude each other"),
        ({"nobody": True, "messages": 1}, "messages and within are about those who hear"),
        (
            {"channel": "ops", "lives": "1m", "flaps": {"every": "2m", "for": "1m", "during": "1h"}},
            "lives and flaps both",
        ),
        ({"channel": "ops", "flaps": {"every": "2m", "for": "2m", "during": "1h"}}, "it never goes"),
        ({"channel": "ops", "flaps": {"every": "1ms", "for": "0s", "during": "1h"}}, "longer than zero"),
        ({"channel": "ops", "at": "2026-01-01T00:00:00+01:00"}, "at is in UTC"),
        ({"channel": "ops", "messages": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_expected_is_refused(test: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Expectation.model_validate({"alert": NODE, **test})
