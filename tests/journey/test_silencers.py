"""Which alerts keep an alert silent: nothing that can is missed, and what cannot is not named."""

from __future__ import annotations

from random import Random

import pytest

from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running, running
from homelabmon.journey.silencers import Silencer, silencers
from homelabmon.load import load
from tests.journey.test_running import running_of
from tests.stacks_common import EXAMPLE, GOLDEN

VALUES = ("media", "trading", "n1", "nas", "router", "a", "")
STACKS = (EXAMPLE, GOLDEN / "everything" / "stack.yaml")


def alert(random: Random, rule: Rule) -> dict[str, str]:
    """An alert that the rule could fire."""
    names = set(rule.brings) | {name for name in ("job", "site", "source", "namespace") if name in rule.labels}
    labels = {name: random.choice(VALUES) for name in sorted(names) if name not in rule.static}
    return {name: value for name, value in {**labels, "alertname": rule.name, **rule.static}.items() if value}


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_whatever_inhibits_an_alert_is_named_however_little_is_known_of_it(path: object) -> None:
    random, found = Random(0), running(load(path))  # type: ignore[arg-type]
    assert found.alertmanager is not None
    hits = 0
    for rule in found.rules:
        target = alert(random, rule)
        known = {name: value for name, value in target.items() if name in rule.static or random.random() < 0.5}
        said = silencers(found, {**known, "alertname": rule.name}, rule)
        for source in random.sample(found.rules, 40) + [one for one in found.rules if one.name == rule.name]:
            other = alert(random, source)
            for inhibit in found.alertmanager.inhibit_rules:
                if inhibit.inhibits(other, target):
                    hits += 1
                    assert any(one.rule is inhibit and source in one.sources for one in said)
    assert hits > 30


def named(found: Running, name: str, **labels: str) -> list[tuple[list[str], list[str], list[str]]]:
    rule = next(rule for rule in found.rules_by_name[name] if rule.could_be(labels))
    said = silencers(found, {"alertname": name, **rule.static, **labels}, rule)
    return [shown(silencer) for silencer in said]


def shown(silencer: Silencer) -> tuple[list[str], list[str], list[str]]:
    alerts = list(dict.fromkeys(rule.name for rule in silencer.sources))
    return alerts, list(silencer.equal), [str(matcher) for matcher in silencer.conditions]


@pytest.fixture(scope="module")
def example() -> Running:
    return running(load(EXAMPLE))


def test_a_warning_is_silent_beside_a_critical_alert_of_its_name(example: Running) -> None:
    said = named(example, "NodeFilesystemAlmostOutOfSpace", severity="warning", namespace="x")
    assert (["NodeFilesystemAlmostOutOfSpace"], ["namespace", "alertname", "node", "probe", "heartbeat"], []) in said


def test_a_critical_alert_without_a_cause_is_never_silent(example: Running) -> None:
    assert named(example, "NodeDown") == []


def test_what_stands_on_the_nas_is_silent_while_it_is_down(example: Running) -> None:
    assert named(example, "KubePodNotReady", namespace="media") == [(["NasDown"], [], [])]
    assert named(example, "KubePodNotReady", namespace="x") == []
    assert named(example, "KubePodNotReady") == [(["NasDown"], [], ['namespace="media"'])]


def test_an_alert_is_not_named_as_its_own_cause(example: Running) -> None:
    assert named(example, "ProbeDown", probe="router") == []
    assert named(example, "ProbeDown", probe="upstream-dns") == [(["ProbeDown"], [], [])]


def test_equal_labels_rule_out_what_never_has_them() -> None:
    alerts = [
        {"alert": "Cause", "expr": "max by (site) (up) == 0", "summary": "s", "severity": "critical"},
        {"alert": "Other", "expr": "sum(up) == 0", "summary": "s", "severity": "critical"},
        {"alert": "Effect", "expr": "max by (site) (up) > 1", "summary": "s"},
    ]
    inhibit = [
        {"source": {"match": {"alertname": ["Cause", "Other"]}}, "target": {"match": {"alertname": "Effect"}}}
        | {"equal": ["site"]}
    ]
    found = running_of(components={"prometheus": {}, "alertmanager": {}}, alerts=alerts, inhibit=inhibit)
    assert named(found, "Effect", site="home") == [(["Cause"], ["site"], [])]
    assert named(found, "Effect") == [(["Cause", "Other"], ["site"], [])]


def test_a_cause_that_no_rule_here_fires_is_still_named() -> None:
    inhibit = [{"source": {"match": {"alertname": "Foreign"}}, "target": {"match": {"alertname": "TargetDown"}}}]
    found = running_of(components={"prometheus": {}, "alertmanager": {}}, inhibit=inhibit)
    assert named(found, "TargetDown") == [([], [], [])]


def test_without_alertmanager_nobody_keeps_anything_silent() -> None:
    assert silencers(running_of(components={"prometheus": {}}), {"alertname": "A"}, None) == ()
