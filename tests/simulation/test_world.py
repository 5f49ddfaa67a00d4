"""What channels are told in virtual time: the whole way, with the relay's own book."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from homelabmon.journey.running import Running, running
from homelabmon.load import load
from homelabmon.simulation.story import Story, story_of
from homelabmon.simulation.timeline import Timeline, read_timeline
from homelabmon.simulation.words import clock, what
from homelabmon.simulation.world import Outcome, play
from tests.journey.test_running import running_of
from tests.stacks_common import EVERYTHING, EXAMPLE, GOLDEN, ROOT


@dataclass(frozen=True)
class Played:
    story: Story
    outcome: Outcome

    @property
    def lines(self) -> list[str]:
        return [f"{clock(one.at)} {one.channel} {one.kind} {one.number} {what(one)}" for one in self.outcome.told]


@cache
def example() -> Running:
    return running(load(EXAMPLE))


def played(found: Running, *alerts: dict[str, Any], **more: Any) -> Played:
    story = story_of(found, Timeline.model_validate({"alerts": alerts, **more}))
    return Played(story, play(found, story))


def test_one_condition_flapping_on_three_nodes_for_an_hour_is_one_message_edited() -> None:
    """The example of the documentation."""
    story = story_of(example(), read_timeline(ROOT / "docs" / "examples" / "flapping.yaml"))
    told = play(example(), story).told
    assert sum(len(firing.episodes) for firing in story.firings) > 10
    assert {one.channel for one in told} == {"ops"}
    assert [one.kind for one in told if one.kind != "edit"] == ["post"]
    assert {one.number for one in told} == {1}
    assert what(told[-1]).endswith("resolved (came back 4 times)")


def test_without_the_relay_the_same_is_a_message_each_time() -> None:
    found = running(load(GOLDEN / "no-relay" / "stack.yaml"))
    told = play(found, story_of(found, read_timeline(ROOT / "docs" / "examples" / "flapping.yaml"))).told
    assert len(told) > 5
    assert {(one.kind, one.by) for one in told} == {("post", "alertmanager")}


def test_an_alert_is_told_once_its_hold_is_over() -> None:
    """In a cluster of two: for of the rule, the hold since it fired, and a second to gather what comes with it."""
    found = running_of(components=EVERYTHING, alerts=[own("2m")])
    (line, *_) = played(found, {"alert": "A", "labels": {"node": "n1"}, "when": {}}, length="10m").lines
    assert line == "0:03:01 ops post 1 s: n1 firing"


@pytest.mark.parametrize(("lives", "posts"), [("30s", 0), ("59s", 0), ("61s", 1), ("70s", 1)])
def test_what_is_over_within_its_hold_is_never_told(lives: str, posts: int) -> None:
    found = running_of(components=EVERYTHING, alerts=[own("0s")])
    outcome = played(found, {"alert": "A", "when": {"for": lives}, "fires": True}).outcome
    assert sum(one.kind == "post" for one in outcome.told) == posts
    assert outcome.suppressed == (0 if posts else 1)


def test_a_critical_alert_is_told_at_once_and_pings() -> None:
    (told, *_) = played(
        example(), {"alert": "NodeDown", "labels": {"node": "n1"}, "when": {}, "fires": True}
    ).outcome.told
    assert told.at < 10
    assert told.mentions == ("role:1234",)


def test_an_inhibited_alert_is_not_told() -> None:
    down = {"alert": "NodeDown", "labels": {"node": "n1"}, "when": {}}
    ready = {"alert": "KubeNodeNotReady", "labels": {"node": "n1"}, "when": {"from": "10m", "to": "30m"}}
    told = played(example(), down, ready, length="1h").lines
    assert not [line for line in told if "KubeNodeNotReady" in line]
    assert [line for line in played(example(), ready, length="1h").lines if "KubeNodeNotReady" in line]


def test_a_maintenance_window_is_silent() -> None:
    """The example's weekly window, whenever it is."""
    window = {"name": "w", "from": "02:00", "to": "03:00"}
    found = running_of(components=EVERYTHING, alerts=[own("0s")], maintenance=[window])
    alert = {"alert": "A", "when": {"from": "10m", "for": "20m"}}
    assert played(found, alert, start="2026-01-05T02:00:00Z").outcome.told == ()
    assert played(found, alert, start="2026-01-05T04:00:00Z").outcome.told != ()


def test_falcos_events_are_folded() -> None:
    event = {"alert": "Terminal shell in container", "labels": {"source": "falco"}, "when": {"every": "1m", "to": "5m"}}
    outcome = played(example(), event).outcome
    assert {one.channel for one in outcome.told} == {"security"}
    assert [one.kind for one in outcome.told if one.kind != "edit"] == ["post"]
    assert what(outcome.told[-1]).endswith("5 times")


def test_a_heartbeat_is_told_by_the_outpost() -> None:
    lines = played(example(), {"alert": "nightly-backup", "when": {"for": "1h"}}).outcome.told
    assert lines
    assert {one.by for one in lines} == {"outpost"}


def test_an_alert_that_never_fires_tells_nobody() -> None:
    found = played(example(), {"alert": "NodeDown", "labels": {"node": "n1"}, "when": {"for": "1m"}})
    assert found.outcome.told == ()
    assert [firing.episodes for firing in found.story.firings] == [()]


def test_the_same_story_is_told_alike() -> None:
    alert = {"alert": "NodeDown", "labels": {"node": "n1"}, "when": {"every": "17m", "for": "9m", "to": "3h"}}
    assert played(example(), alert).lines == played(example(), alert).lines


def test_strange_labels_are_warned_of() -> None:
    story = played(example(), {"alert": "NodeDown", "labels": {"nodde": "n1"}, "when": {"for": "5m"}}).story
    assert any("nodde" in warning for warning in story.warnings)


def own(pends: str) -> dict[str, str]:
    return {"alert": "A", "expr": "up == 0", "for": pends, "summary": "s"}
