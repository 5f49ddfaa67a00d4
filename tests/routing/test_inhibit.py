"""Inhibition: which alert mutes which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from homelabmon.routing.inhibit import Inhibition, Inhibitor, InhibitRule, SourceAlert
from homelabmon.spec.matchers import parse_matchers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    return InhibitRule(parse_matchers(source), parse_matchers(target), equal)


NODE_DOWN = rule("alertname=NodeDown", 'alertname!="NodeDown"', "node")


def test_source_mutes_target_with_the_same_labels() -> None:
    assert NODE_DOWN.inhibits({"alertname": "NodeDown", "node": "n1"}, {"alertname": "PodDown", "node": "n1"})
    assert not NODE_DOWN.inhibits({"alertname": "NodeDown", "node": "n1"}, {"alertname": "PodDown", "node": "n2"})


def test_missing_and_empty_labels_are_equal() -> None:
    assert NODE_DOWN.inhibits({"alertname": "NodeDown"}, {"alertname": "PodDown"})
    assert NODE_DOWN.inhibits({"alertname": "NodeDown", "node": ""}, {"alertname": "PodDown"})
    assert not NODE_DOWN.inhibits({"alertname": "NodeDown"}, {"alertname": "PodDown", "node": "n1"})


def test_rule_without_equal_labels_mutes_every_target() -> None:
    everywhere = rule("alertname=NodeDown", "severity=warning")
    assert everywhere.inhibits({"alertname": "NodeDown", "node": "n1"}, {"severity": "warning", "node": "n2"})


def test_both_sides_must_match() -> None:
    strict = rule('alertname=NodeDown,severity="critical"', "severity=warning,team=a")
    assert not strict.inhibits({"alertname": "NodeDown", "severity": "warning"}, {"severity": "warning", "team": "a"})
    assert not strict.inhibits({"alertname": "NodeDown", "severity": "critical"}, {"severity": "warning"})


def test_alert_does_not_mute_itself() -> None:
    both = rule("severity=~critical|warning", "severity=~warning|info")
    assert not both.inhibits({"severity": "warning"}, {"severity": "warning"})


def test_alert_that_matches_both_sides_is_muted_only_by_one_that_does_not() -> None:
    both = rule('severity=~"critical|warning"', 'severity=~"warning|info"')
    assert not both.inhibits({"severity": "warning", "a": "1"}, {"severity": "warning", "a": "2"})
    assert both.inhibits({"severity": "critical"}, {"severity": "warning"})
    assert both.inhibits({"severity": "warning"}, {"severity": "info"})


def test_resolved_source_mutes_nothing() -> None:
    labels, target = {"alertname": "NodeDown", "node": "n1"}, {"alertname": "PodDown", "node": "n1"}
    over = Inhibitor([NODE_DOWN], [SourceAlert(labels, ends_at=NOW)])
    assert over.muting(target, NOW) is None
    assert over.muting(target, NOW - timedelta(seconds=1)) is not None
    assert Inhibitor([NODE_DOWN], [SourceAlert(labels)]).muting(target, NOW) is not None


def test_answer_names_the_rule_and_the_source() -> None:
    other = rule("alertname=ClusterDown", "")
    sources = [
        SourceAlert({"alertname": "NodeDown", "node": "n1"}, ends_at=NOW),
        SourceAlert({"alertname": "NodeDown", "node": "n2"}),
        SourceAlert({"alertname": "NodeDown", "node": "n1", "replica": "b"}),
    ]
    inhibitor = Inhibitor([other, NODE_DOWN], sources)
    assert inhibitor.muting({"alertname": "PodDown", "node": "n1"}, NOW) == Inhibition(NODE_DOWN, sources[2])
    assert inhibitor.muting({"alertname": "PodDown", "node": "n3"}, NOW) is None


def test_source_that_matches_both_sides_does_not_hide_another() -> None:
    both = rule('severity=~"critical|warning"', 'severity=~"warning|info"')
    sources = [SourceAlert({"severity": "warning", "a": "1"}), SourceAlert({"severity": "critical"})]
    found = Inhibitor([both], sources).muting({"severity": "warning", "a": "2"}, NOW)
    assert found == Inhibition(both, sources[1])
