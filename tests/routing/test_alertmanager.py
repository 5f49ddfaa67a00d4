"""Our answers and those of a running Alertmanager: what only the server tells, not amtool."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from homelabmon.routing.inhibit import Inhibitor, InhibitRule, SourceAlert
from homelabmon.routing.tree import RouteTree
from homelabmon.spec.matchers import parse_matchers
from tests.routing import alertmanager
from tests.routing.generate import LISTED, MIXED, WILD, Node, configuration, dump, tree, with_receivers

pytestmark = pytest.mark.program("alertmanager")

Labels = Mapping[str, str]
Groups = dict[tuple[str, str], tuple[dict[str, str], set[frozenset[tuple[str, str]]]]]
"""Receiver and group key to the group's labels, and the alerts in it."""


def test_alerts_are_grouped_and_groups_are_named_alike(tmp_path: Path) -> None:
    random = Random(0)
    trees = [tree(random, WILD, depth=3) for _ in range(12)]
    root = named(
        Node("root", "root", routes=tuple(with_receivers(each, str(n)) for n, each in enumerate(trees)), payload=None)
    )
    compiled = RouteTree(root)
    label_sets = [{"alertname": "x", **WILD.labels(random)} for _ in range(40)]
    expected: Groups = {}
    for labels in label_sets:
        for route in compiled.match(labels):
            group = expected.setdefault((route.receiver, route.group_key(labels)), (route.group_labels(labels), set()))
            group[1].add(frozenset(labels.items()))
    with alertmanager.webhook() as (url, payloads), alertmanager.running(tmp_path, calling(root, url)) as server:
        server.post(label_sets)
        deadline = time.monotonic() + alertmanager.PATIENCE
        while len(groups(payloads)) < len(expected) and time.monotonic() < deadline:
            time.sleep(0.1)
        received = groups(payloads)
    assert len(expected) > 100
    assert received == expected


def test_routes_alike_but_for_a_matcher_written_twice_name_their_groups_differently(tmp_path: Path) -> None:
    """What the renderer does with routes side by side that have equal matchers."""
    matcher = parse_matchers('a="1"')
    first = Node("first", "first", matcher, group_by=("a",), group_wait=1.0, continue_=True, payload=None)
    second = replace(first, name="second", receiver="second", matchers=matcher * 2)
    root = Node("root", "root", routes=(first, second), payload=None)
    with alertmanager.webhook() as (url, payloads), alertmanager.running(tmp_path, calling(root, url)) as server:
        server.post([{"alertname": "x", "a": "1"}])
        deadline = time.monotonic() + alertmanager.PATIENCE
        while len(groups(payloads)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
    ours = {(route.receiver, route.group_key({"a": "1"})) for route in RouteTree(root).match({"a": "1"})}
    assert set(groups(payloads)) == ours
    assert len({key for _, key in ours}) == 2


def named(node: Node) -> Node:
    """Receivers without dots, which Alertmanager would escape; a second for groups to gather; grouping of all kinds."""
    choices = (("missing",), ("severity", "alertname"), ("größe", "team name", "namespace"), ("...",))
    group_by = choices[len(node.routes) % len(choices)]
    routes = tuple(map(named, node.routes))
    receiver = str(node.receiver).replace(".", "-")
    return replace(node, receiver=receiver, group_wait=1.0, group_by=group_by, routes=routes)


def calling(root: Node, url: str) -> str:
    """The configuration in which every receiver calls the webhook."""
    data = json.loads(configuration(root))
    for receiver in data["receivers"]:
        receiver["webhook_configs"] = [{"url": url}]
    return dump(data)


def groups(payloads: list[dict[str, Any]]) -> Groups:
    found: Groups = {}
    for payload in payloads:
        alerts = {frozenset(alert["labels"].items()) for alert in payload["alerts"]}
        found[payload["receiver"], payload["groupKey"]] = (payload["groupLabels"], alerts)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_alerts_are_muted_alike(seed: int, tmp_path: Path) -> None:
    """60 alerts, 10 of them resolved, under 4 rules whose two sides often overlap."""
    random = Random(seed)
    rules = [rule(random) for _ in range(4)]
    label_sets = [{"alertname": f"A{number}", **LISTED.labels(random)} for number in range(60)]
    resolved, firing = label_sets[:10], label_sets[10:]
    now = datetime.now(UTC)
    alerts = [*(SourceAlert(labels, ends_at=now) for labels in resolved), *map(SourceAlert, firing)]
    inhibitor = Inhibitor(rules, alerts)
    ours = {labels["alertname"]: inhibitor.muting(labels, now) is not None for labels in firing}
    hanging = {labels["alertname"] for labels in firing if hangs_on_one_source(rules, labels, firing)}
    with alertmanager.running(tmp_path, muting(rules)) as server:
        server.post(resolved, resolved=True)
        server.post(firing)
        deadline = time.monotonic() + alertmanager.PATIENCE
        while (differing := different(ours, theirs := muted(server)) - hanging) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert differing == set()
    assert {name for name in hanging if theirs[name] and not ours[name]} == set()
    assert len(hanging) < len(firing)


def different(ours: Mapping[str, bool], theirs: Mapping[str, bool]) -> set[str]:
    return {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}


def rule(random: Random) -> InhibitRule:
    source, target = (tuple(MIXED.matcher(random) for _ in range(random.choice((1, 1, 2)))) for _ in range(2))
    return InhibitRule(source, target, tuple(random.sample(("a", "b", "c", "missing"), random.randint(0, 2))))


def hangs_on_one_source(rules: list[InhibitRule], target: Labels, firing: list[dict[str, str]]) -> bool:
    """Whether Alertmanager since 0.30 may overlook a source: of those with equal values it keeps but one."""
    for rule in rules:
        if rule.matches_source(target) and rule.matches_target(target):
            sources = [
                rule.matches_target(source)
                for source in firing
                if rule.matches_source(source) and rule.equal_values(source) == rule.equal_values(target)
            ]
            if len(set(sources)) > 1:
                return True
    return False


def muting(rules: list[InhibitRule]) -> str:
    return dump(
        {
            "route": {"receiver": "r"},
            "receivers": [{"name": "r"}],
            "inhibit_rules": [
                {
                    "source_matchers": list(map(str, rule.source)),
                    "target_matchers": list(map(str, rule.target)),
                    "equal": list(rule.equal),
                }
                for rule in rules
            ],
        }
    )


def muted(server: alertmanager.Alertmanager) -> dict[str, bool]:
    return {alert["labels"]["alertname"]: bool(alert["status"]["inhibitedBy"]) for alert in server.alerts()}
