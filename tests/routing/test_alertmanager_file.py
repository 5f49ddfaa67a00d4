"""Alertmanager's file read into what can be asked."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.routing.alertmanager_file import AlertmanagerFileError, Receiver, printed, read_alertmanager
from homelabmon.spec.matchers import parse_matcher

FILE: dict[str, Any] = {
    "route": {
        "receiver": "people",
        "group_by": ["alertname"],
        "group_wait": "10s",
        "routes": [
            {"receiver": "nobody", "match": {"alertname": "Watchdog"}},
            {"matchers": ['team="a"'], "continue": True, "mute_time_intervals": ["night"], "group_interval": "1m"},
            {"match_re": {"team": "a|b"}, "routes": [{"matchers": ["severity=critical"], "repeat_interval": "1h"}]},
        ],
    },
    "receivers": [
        {"name": "people", "webhook_configs": [{"url": "http://127.0.0.1/"}], "slack_configs": []},
        {"name": "nobody"},
    ],
    "inhibit_rules": [
        {"source_match": {"severity": "critical"}, "target_matchers": ["severity=~warning|info"], "equal": ["node"]}
    ],
    "time_intervals": [
        {"name": "night", "time_intervals": [{"times": [{"start_time": "22:00", "end_time": "24:00"}]}]}
    ],
}


def test_routes_inherit_and_keep_what_stands_there() -> None:
    tree = read_alertmanager(FILE).tree
    assert [
        (route.path, route.receiver, route.group_wait, route.group_interval, route.repeat_interval)
        for route in tree.routes
    ] == [
        ((), "people", 10.0, 300.0, 14400.0),
        ((0,), "nobody", 10.0, 300.0, 14400.0),
        ((1,), "people", 10.0, 60.0, 14400.0),
        ((2,), "people", 10.0, 300.0, 14400.0),
        ((2, 0), "people", 10.0, 300.0, 3600.0),
    ]
    assert [route.path for route in tree.match({"team": "a", "severity": "critical"})] == [(1,), (2, 0)]
    assert tree[(1,)].mute_time_intervals == ("night",)
    assert tree[(1,)].payload is FILE["route"]["routes"][1]


def test_receivers_without_an_integration_are_nobody() -> None:
    assert read_alertmanager(FILE).receivers == {
        "people": Receiver("people", ("webhook",), send_resolved=True),
        "nobody": Receiver("nobody"),
    }


def test_older_keys_of_inhibit_rules_count() -> None:
    (rule,) = read_alertmanager(FILE).inhibit_rules
    assert rule.inhibits({"severity": "critical", "node": "a"}, {"severity": "info", "node": "a"})
    assert not rule.inhibits({"severity": "critical", "node": "a"}, {"severity": "info", "node": "b"})


def test_names_are_given_by_matchers_and_in_order() -> None:
    matchers = printed([parse_matcher('team="a"')])
    data = {**FILE, "route": {"receiver": "people", "routes": [{"matchers": ['team="a"']}] * 3}}
    tree = read_alertmanager(data, {(matchers,): ["first", "second"]}).tree
    assert [route.name for route in tree.routes] == ["", "first", "second", ""]
    tree = read_alertmanager(data, {(matchers,): ["first", "second"]}, unnamed=1).tree
    assert [route.name for route in tree.routes] == ["", "", "first", "second"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"route": None}, "route: expected a mapping, found None"),
        ({"route": {"receiver": "x"}}, "a route names the receiver 'x', which is not there"),
        ({"route": {}}, "the root route needs a receiver: it takes every alert that no other route takes"),
        (
            {"route": {"receiver": "people", "routes": [{"mute_time_intervals": ["x"]}]}},
            "a route names the time interval 'x', which is not there",
        ),
        (
            {"route": {"receiver": "people", "group_wait": "5"}},
            "route.group_wait: '5': not a duration: write for example 60s, 5m, 1h30m or 30d (largest unit first)",
        ),
        (
            {"route": {"receiver": "people", "group_wait": 5}},
            "route.group_wait: 5: a duration needs a unit: write 5s or 5m",
        ),
        ({"route": {"receiver": "people", "routes": {}}}, "route.routes: expected a list, found {}"),
        (
            {"route": {"receiver": "people", "routes": ["x"]}},
            "route.routes[0]: expected a mapping, found 'x'",
        ),
        (
            {"route": {"receiver": "people", "routes": [{"matchers": [{"a": "b"}]}]}},
            "route.routes[0].matchers: {'a': 'b'} is no matcher: write it as text",
        ),
        (
            {"route": {"receiver": "people", "routes": [{"matchers": ["a"]}]}},
            "expected an operator (=, !=, =~ or !~), found the end in 'a'",
        ),
    ],
)
def test_what_alertmanager_refuses_is_said(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AlertmanagerFileError) as error:
        read_alertmanager({**FILE, **change})
    assert str(error.value) == message
