"""The owner's scrape targets, as the operator's objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelabmon.render.fold import Folded
from tests.components.folding import folded, only
from tests.components.real_crds import problems

PLEX: dict[str, Any] = {"name": "plex", "service": {"namespace": "media", "match_labels": {"app": "plex"}}}
BOT: dict[str, Any] = {
    "name": "bot",
    "pods": {"namespace": "trading", "match_labels": {"app": "bot"}, "port": "8080"},
    "path": "/prom",
    "scheme": "https",
    "interval": "15s",
    "timeout": "5s",
    "bearer_token": {"secret": "bot-metrics", "key": "token"},
}
NAS: dict[str, Any] = {
    "name": "nas",
    "targets": ["192.168.1.10:9100", "192.168.1.11:9100"],
    "labels": {"site": "attic"},
    "scheme": "https",
    "bearer_token": {"secret": "nas", "key": "token"},
}
EVERY_KIND: list[dict[str, Any]] = [PLEX, BOT, NAS]


def _folded(*items: dict[str, Any]) -> Folded:
    return folded({"prometheus": {}}, scrape=items)


def _object(item: dict[str, Any]) -> dict[str, Any]:
    return only(_folded(item), "monitoring-config", f"scrape-{item['name']}.yaml")


def test_an_app_behind_a_service_gets_a_service_monitor() -> None:
    monitor = _object(PLEX)
    assert monitor["kind"] == "ServiceMonitor"
    assert monitor["metadata"] == {"name": "scrape-plex", "namespace": "monitoring"}
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["media"]}
    assert monitor["spec"]["selector"] == {"matchLabels": {"app": "plex"}}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["interval"], endpoint["scrapeTimeout"]) == ("metrics", "30s", "10s")
    assert (endpoint["path"], endpoint["scheme"]) == ("/metrics", "http")
    assert "authorization" not in endpoint


def test_pods_get_a_pod_monitor() -> None:
    monitor = _object(BOT)
    assert monitor["kind"] == "PodMonitor"
    assert monitor["metadata"] == {"name": "scrape-bot", "namespace": "monitoring"}
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["path"], endpoint["scheme"], endpoint["interval"]) == ("/prom", "https", "15s")
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "bot-metrics", "key": "token"}}


def test_a_port_of_digits_is_a_number_and_no_name() -> None:
    (endpoint,) = _object(BOT)["spec"]["podMetricsEndpoints"]
    assert endpoint["portNumber"] == 8080
    assert "port" not in endpoint
    by_number = {**PLEX, "service": {**PLEX["service"], "port": "9100"}}
    (endpoint,) = _object(by_number)["spec"]["endpoints"]
    assert (endpoint["targetPort"], "port" in endpoint) == (9100, False)


def test_a_port_of_letters_is_a_name() -> None:
    by_name = {**BOT, "pods": {**BOT["pods"], "port": "web"}}
    (endpoint,) = _object(by_name)["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], "portNumber" in endpoint) == ("web", False)


def test_hosts_outside_get_a_scrape_config_of_the_version_that_is_served() -> None:
    config = _object(NAS)
    assert (config["apiVersion"], config["kind"]) == ("monitoring.coreos.com/v1alpha1", "ScrapeConfig")
    assert config["metadata"] == {"name": "scrape-nas", "namespace": "monitoring"}
    assert config["spec"]["jobName"] == "nas"
    assert (config["spec"]["metricsPath"], config["spec"]["scrapeInterval"]) == ("/metrics", "30s")
    assert config["spec"]["scheme"] == "HTTPS"
    assert config["spec"]["staticConfigs"] == [
        {"targets": ["192.168.1.10:9100", "192.168.1.11:9100"], "labels": {"site": "attic"}}
    ]
    assert config["spec"]["authorization"] == {"type": "Bearer", "credentials": {"name": "nas", "key": "token"}}


@pytest.mark.parametrize("item", [PLEX, BOT])
def test_token_is_sent_by_reference(item: dict[str, Any]) -> None:
    spec = _object({**item, "bearer_token": {"secret": "metrics", "key": "token"}})["spec"]
    (endpoint,) = spec.get("endpoints") or spec["podMetricsEndpoints"]
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "metrics", "key": "token"}}


@pytest.mark.parametrize("item", [PLEX, BOT])
def test_job_is_the_name_in_the_stack_whatever_the_service_is_called(item: dict[str, Any]) -> None:
    spec = _object(item)["spec"]
    (endpoint,) = spec.get("endpoints") or spec["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": item["name"]}]


def test_token_is_looked_for_where_the_object_is() -> None:
    needs = [(need.namespace, need.secret, need.key) for need in _folded(*EVERY_KIND).secrets]
    assert ("monitoring", "bot-metrics", "token") in needs
    assert ("monitoring", "nas", "token") in needs


def test_an_entry_may_be_called_like_one_of_ours() -> None:
    result = folded({"prometheus": {}, "loki": {}}, scrape=[{**PLEX, "name": "loki"}])
    names = [only(result, "monitoring-config", file)["metadata"]["name"] for file in ("loki.yaml", "scrape-loki.yaml")]
    assert names == ["loki", "scrape-loki"]


def test_without_prometheus_nothing_is_rendered() -> None:
    assert folded({"loki": {}}, lb_ips={}, scrape=EVERY_KIND).secrets == []


@pytest.mark.shared
def test_objects_fit_the_real_crds(shared_data: Path) -> None:
    for item in EVERY_KIND:
        assert problems(shared_data, _object(item)) == []
