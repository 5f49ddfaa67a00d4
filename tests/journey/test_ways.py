"""Where alerts go, by Alertmanager's routes and the relay's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from homelabmon.journey.running import Running, running
from homelabmon.journey.ways import channels, ways
from homelabmon.load import load
from homelabmon.render.plan import make_plan
from homelabmon.routing.alertmanager_file import AlertmanagerFile
from tests.journey.test_running import running_of
from tests.routing import amtool
from tests.stacks_common import EVERYTHING, EXAMPLE, GOLDEN

STACKS = [EXAMPLE, *sorted(GOLDEN.glob("*/stack.yaml"))]
OUTPOST = {"url": "https://status.example.net"}
CHANNELS = {name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media", "security")}


@pytest.fixture(scope="module")
def example() -> Running:
    return running(load(EXAMPLE))


def test_an_alert_goes_by_alertmanager_to_the_relay_and_by_its_table_to_a_channel(example: Running) -> None:
    (way,) = ways(example, {"alertname": "NodeDown", "severity": "critical", "node": "n1"})
    assert way.route is not None
    assert way.entry is not None
    assert (way.reader, way.route.name, way.entry.name, way.channel, way.hold) == (
        *("relay", "infrastructure", "infrastructure"),
        *("ops", 0.0),
    )


def test_the_hold_is_that_of_the_severity(example: Running) -> None:
    (way,) = ways(example, {"alertname": "KubePodNotReady", "severity": "warning", "namespace": "media"})
    assert (way.channel, way.hold) == ("media", 60.0)


def test_falco_posts_to_the_relay_itself(example: Running) -> None:
    (way,) = ways(example, {"source": "falco", "rule": "Terminal shell in container"})
    assert (way.reader, way.route, way.channel) == ("relay", None, "security")


def test_what_is_about_the_relay_does_not_go_through_it(example: Running) -> None:
    (way,) = ways(example, {"alertname": "RelayDown", "severity": "critical", "component": "relay"})
    assert (way.reader, way.entry, way.channel) == ("channel", None, "ops")


def test_the_watchdog_goes_to_the_outpost_and_to_no_channel(example: Running) -> None:
    (way,) = ways(example, {"alertname": "Watchdog", "severity": "none"})
    assert (way.reader, way.channel) == ("outpost", None)


def test_a_heartbeat_of_the_outpost_goes_to_the_channel_it_names() -> None:
    beats = [{"name": "backup", "schedule": "0 3 * * *", "channel": "media"}, {"name": "sync", "period": "1d"}]
    found = running_of(components=EVERYTHING, outpost=OUTPOST, channels=CHANNELS, heartbeats=beats)
    assert [channels(found, {"source": "heartbeat", "heartbeat": name}) for name in ("backup", "sync")] == [
        *[("media",), ("ops",)],
    ]


def test_one_alert_reaches_several_channels_by_continue_and_each_is_named_once() -> None:
    routes = [
        {"name": "a", "channel": "media", "match": {"x": "1"}, "continue": True},
        {"name": "b", "channel": "media", "match": {"x": "1"}, "continue": True},
        {"name": "c", "channel": "security", "match": {"x": "1"}},
    ]
    without_relay: dict[str, Any] = {"prometheus": {}, "alertmanager": {}}
    for components in (EVERYTHING, without_relay):
        found = running_of(components=components, channels=CHANNELS, routes=routes)
        assert channels(found, {"alertname": "A", "x": "1"}) == ("media", "security")


def test_without_a_relay_nobody_takes_what_posts_to_it() -> None:
    assert ways(running_of(components={"alertmanager": {}}), {"source": "falco"}) == ()
    assert ways(running_of(components={"prometheus": {}}), {"alertname": "A"}) == ()


def alerts(found: Running, file: AlertmanagerFile) -> Iterator[dict[str, str]]:
    """Every known alert, and again with each value that some route asks for of a label the alert has left open."""
    wanted = sorted(
        {
            (matcher.name, value)
            for route in file.tree.routes
            for matcher in route.matchers
            for value in (matcher.values or {"trading-live", "science-batch"})
            if value and matcher.name != "alertname"
        }
    )
    for number, rule in enumerate(found.rules):
        labels = {"alertname": rule.name, **rule.static}
        yield labels
        if number % 20 == 0:
            yield from (labels | {name: value} for name, value in wanted if name not in labels)


@pytest.mark.program("amtool")
@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_every_known_alert_goes_where_amtool_says(path: Path, tmp_path: Path) -> None:
    stack = load(path)
    plan = make_plan(stack)
    found = running(stack)
    if found.alertmanager is None:
        assert "alertmanager/alertmanager.yaml" not in plan.files
        return
    config = tmp_path / "alertmanager.yaml"
    config.write_text(plan.files["alertmanager/alertmanager.yaml"])
    questions = list({str(labels): labels for labels in alerts(found, found.alertmanager)}.values())
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda labels: amtool.receivers(config, labels), questions))
    tree = found.alertmanager.tree
    assert [[route.receiver for route in tree.match(labels)] for labels in questions] == theirs
