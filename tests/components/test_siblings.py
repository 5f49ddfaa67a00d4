"""Routes side by side with equal matchers: each sends for itself, and a mute of one does not silence the other."""

from __future__ import annotations

from typing import Any

from homelabmon.components.siblings import told_apart
from homelabmon.journey.running import Running, running_from
from homelabmon.journey.ways import channels, ways
from homelabmon.spec.routes import Route
from tests.stacks_common import plan_of, stack_of

CHANNELS = {name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media", "log")}
NIGHT = {"name": "night", "from": "22:00", "to": "06:00"}


def runs(*routes: dict[str, Any], **sections: Any) -> Running:
    sections = {
        "components": {"alertmanager": {}, "relay": {}},
        "channels": CHANNELS,
        "routes": list(routes),
        "maintenance": [{**NIGHT, "routes": ["nobody"]}],
        **sections,
    }
    return running_from(stack_of(**sections), plan_of(**sections).folded)


def test_each_of_two_routes_with_equal_matchers_sends_for_itself_alone() -> None:
    match = {"namespace": "media"}
    found = runs(
        {"name": "log", "channel": "log", "match": match, "continue": True},
        {"name": "media", "channel": "media", "match": match, "mute": ["night"]},
    )
    first, second = ways(found, {"alertname": "A", "namespace": "media", "severity": "warning"})
    assert (first.route, second.route) != (None, None)
    assert [(way.route.name, way.entry.name) for way in (first, second) if way.route and way.entry] == [
        ("log", "log"),
        ("media", "media"),
    ]
    assert [way.route.mute_time_intervals for way in (first, second) if way.route] == [(), ("night",)]


def test_the_order_of_matchers_and_routes_inside_are_looked_at_as_well() -> None:
    inside = [
        {"name": "a", "channel": "log", "match": {"x": "1", "y": "2"}, "continue": True},
        {"name": "b", "channel": "media", "match": {"y": "2", "x": "1"}},
    ]
    found = runs({"name": "outer", "match": {"z": "3"}, "routes": inside})
    assert [way.channel for way in ways(found, {"x": "1", "y": "2", "z": "3"})] == ["log", "media"]


def test_routes_for_every_alert_are_told_apart_and_take_every_alert() -> None:
    everything = [
        {"name": name, "channel": channel, "continue": True} for name, channel in (("a", "log"), ("b", "media"))
    ]
    found = runs(*everything)
    for labels in ({"alertname": "A"}, {"alertname": "odd\nname"}, {}):
        assert channels(found, labels) == ("log", "media")
        assert len(ways(found, labels)) == 2


def test_what_differs_is_left_as_it_is_written() -> None:
    written = [Route(name=name, match={"x": name}) for name in ("a", "b")]
    assert [matchers for _, matchers in told_apart(written)] == [route.all_matchers for route in written]


def test_three_alike_are_three() -> None:
    written = [Route(name=name, match={"x": "1"}) for name in ("a", "b", "c")]
    assert [len(matchers) for _, matchers in told_apart(written)] == [1, 2, 3]
