"""What runs is what is rendered: raw values, extra objects and all."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.errors import RenderError
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running, running, running_from
from homelabmon.load import load
from tests.stacks_common import EVERYTHING, EXAMPLE, plan_of, stack_of


def running_of(**sections: Any) -> Running:
    return running(stack_of(**sections))


def rule(found: Running, name: str) -> Rule:
    (only,) = found.rules_by_name[name]
    return only


def test_the_example_has_rules_of_its_own_of_packs_and_of_the_chart() -> None:
    found = running(load(EXAMPLE))
    own, pack, chart = rule(found, "NasDown"), rule(found, "NodeDown"), rule(found, "KubePodCrashLooping")
    assert (own.origin, own.file, own.path, own.for_, own.severity) == (
        *("own", "rules/own.yaml", ("alerts", 0)),
        *(120.0, "critical"),
    )
    assert (own.expr, own.labels.open, own.annotations["summary"]) == (
        *('up{job="nas"} == 0', True),
        "The NAS does not answer",
    )
    assert (pack.origin, pack.pack, pack.file, pack.brings, pack.keep_firing_for) == (
        *("pack", "nodes", "rules/nodes.yaml"),
        *(("node",), 300.0),
    )
    assert (chart.origin, chart.file, chart.expr, chart.for_, chart.severity) == ("chart", "", None, 900.0, "warning")
    assert (found.scrape_interval, found.evaluation_interval, found.replicas) == (30.0, 30.0, 2)


def test_an_alert_can_carry_what_its_expression_keeps_its_labels_and_what_prometheus_adds() -> None:
    alerts = [{"alert": "A", "expr": "sum by (x) (up)", "summary": "s", "labels": {"y": "1", "z": "{{ $value }}"}}]
    found = rule(running_of(components={"prometheus": {}}, alerts=alerts), "A")
    assert not found.labels.open
    assert sorted(found.labels.names) == ["alertname", "prometheus", "severity", "x", "y", "z"]
    assert (found.static, found.templated, found.brings) == ({"severity": "warning", "y": "1"}, ("z",), ("x", "z"))
    assert found.could_be({"alertname": "A", "x": "anything"})
    assert not found.could_be({"y": "2"})


def test_external_labels_are_on_every_alert() -> None:
    spec = {"prometheus": {"prometheusSpec": {"externalLabels": {"cluster": "home"}}}}
    found = rule(running_of(components={"prometheus": {"values": spec}}), "KubeVersionMismatch")
    assert "cluster" in found.labels
    assert "site" not in found.labels


def test_alert_relabelling_may_add_any_label() -> None:
    spec = {"prometheus": {"prometheusSpec": {"additionalAlertRelabelConfigs": [{"target_label": "x"}]}}}
    assert rule(running_of(components={"prometheus": {"values": spec}}), "KubeVersionMismatch").labels.open


def test_raw_values_change_intervals_rules_and_replicas() -> None:
    values = {
        "prometheus": {"prometheusSpec": {"scrapeInterval": "10s", "evaluationInterval": "20s"}},
        "customRules": {"KubePodNotReady": {"severity": "critical", "for": "1m"}},
        "additionalPrometheusRulesMap": {
            "mine": {"groups": [{"name": "g", "interval": "5m", "rules": [{"alert": "Mine", "expr": "up == 0"}]}]}
        },
    }
    own = {"alertmanagerSpec": {"replicas": 3}}
    found = running_of(components={"prometheus": {"values": values}, "alertmanager": {"values": {"alertmanager": own}}})
    changed, added = rule(found, "KubePodNotReady"), rule(found, "Mine")
    assert (found.scrape_interval, found.evaluation_interval, found.replicas) == (10.0, 20.0, 3)
    assert (changed.severity, changed.for_, changed.interval) == ("critical", 60.0, 20.0)
    assert (added.origin, added.group, added.interval, added.static) == ("values", "g", 300.0, {})


def test_rules_of_extra_objects_count() -> None:
    rules = [{"alert": "Theirs", "expr": "up", "for": "3m", "labels": {"severity": "info"}}]
    item = {"kind": "PrometheusRule", "metadata": {"name": "x"}, "spec": {"groups": [{"name": "g", "rules": rules}]}}
    extra = [{"apiVersion": "monitoring.coreos.com/v1", **item}]
    found = rule(running_of(components={"prometheus": {}}, extra=extra), "Theirs")
    assert (found.origin, found.path, found.for_, found.severity) == ("extra", ("extra", 0), 180.0, "info")


def test_alerts_that_are_switched_off_are_not_there() -> None:
    found = running_of(components={"prometheus": {"disabled_alerts": ["KubePodNotReady"]}})
    assert "KubePodNotReady" not in found.rules_by_name
    assert "KubePodCrashLooping" in found.rules_by_name


def test_without_prometheus_nothing_evaluates_rules() -> None:
    found = running_of(components={"alertmanager": {}, "relay": {}})
    assert found.rules == ()
    assert found.relay is not None


def test_a_receiver_that_values_add_is_somebody_elses() -> None:
    config = {
        "route": {"receiver": "pager", "routes": []},
        "receivers": [{"name": "pager", "pagerduty_configs": [{}]}, {"name": "null"}, {"name": "relay"}],
    }
    values = {"alertmanager": {"config": config}}
    found = running_of(components={"prometheus": {}, "alertmanager": {"values": values}})
    assert found.alertmanager is not None
    assert [found.reader(name) for name in found.alertmanager.receivers] == [
        *[("other", "pager"), ("nobody", ""), ("nobody", "")],
    ]


def test_readers_are_the_relay_the_outpost_channels_and_nobody() -> None:
    found = running_of(components=EVERYTHING, outpost={"url": "https://status.example.net"})
    assert [found.reader(name) for name in ("null", "relay", "deadman", "discord-ops")] == [
        *[("nobody", ""), ("relay", ""), ("outpost", ""), ("channel", "ops")],
    ]


def test_values_that_alertmanager_would_refuse_are_an_error_and_name_the_place() -> None:
    values = {"alertmanager": {"config": {"route": {"receiver": "gone"}}}}
    plan = plan_of(components={"alertmanager": {"values": values}})
    with pytest.raises(RenderError) as error:
        running_from(stack_of(components={"alertmanager": {"values": values}}), plan.folded)
    assert str(error.value) == (
        "Alertmanager would refuse its configuration with these values:"
        " a route names the receiver 'gone', which is not there"
    )


def test_an_alertmanager_that_is_somebody_elses_gets_the_plain_file() -> None:
    found = running_of(components={"alertmanager": {"install": False}}, routes=[{"name": "a", "match": {"x": "1"}}])
    assert found.alertmanager is not None
    assert [route.name for route in found.alertmanager.tree.routes] == ["", "", "", "a", "", "", ""]
