"""An Alertmanager that the owner runs: everybody finds it, it finds the relay, and nothing of the chart's is left."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from homelabmon.components.alertmanager import place_of
from homelabmon.render.plan import Plan
from homelabmon.render.yaml_io import dump, load_one
from homelabmon.spec.contribution import Place
from tests.stacks_common import object_of, plan_of

INSIDE = "http://alertmanager.observability.svc.cluster.local:9093"
OUTSIDE = "http://192.168.1.50:9093"
ALL: dict[str, Any] = {"prometheus": {}, "grafana": {}, "loki": {"ruler": True}, "relay": {}}
METALLB: dict[str, Any] = {"distribution": "kubeadm", "load_balancer": {"provider": "metallb"}}


def plan(*urls: str, **sections: Any) -> Plan:
    """Everything that speaks with an Alertmanager, and one of the owner's."""
    components = {**ALL, **sections.pop("components", {}), "alertmanager": {"install": False, "urls": list(urls)}}
    return plan_of(components=components, **sections)


def values(rendered: Plan) -> dict[str, Any]:
    """The chart's values."""
    return rendered.folded.values["kube-prometheus-stack"]


def policy(rendered: Plan) -> dict[str, Any]:
    """The relay's NetworkPolicy."""
    spec: dict[str, Any] = object_of(rendered, "NetworkPolicy", "discord-alert-proxy")["spec"]
    return spec


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (OUTSIDE, Place("", "192.168.1.50", 9093)),
        ("https://am.example.net/alerts", Place("", "am.example.net", 443)),
        ("http://svc.example.net", Place("", "svc.example.net", 80)),
        ("http://[fd00::5]:9093", Place("", "fd00::5", 9093)),
        ("http://am.monitoring.svc:9093", Place("monitoring", "am.monitoring.svc", 9093)),
        (INSIDE, Place("observability", "alertmanager.observability.svc.cluster.local", 9093)),
        (
            "http://am-0.am-operated.monitoring.svc.home.arpa:9093",
            Place("monitoring", "am-0.am-operated.monitoring.svc.home.arpa", 9093),
        ),
    ],
)
def test_an_address_leads_into_a_namespace_or_out_of_the_cluster(url: str, place: Place) -> None:
    assert place_of(url) == place


def test_prometheus_sends_to_every_replica() -> None:
    found = values(plan(OUTSIDE, "https://am.example.net/alerts/", "http://[fd00::5]:9093"))
    assert found["prometheus"]["prometheusSpec"]["additionalAlertManagerConfigs"] == [
        {"scheme": "http", "static_configs": [{"targets": ["192.168.1.50:9093"]}]},
        {"scheme": "https", "path_prefix": "/alerts", "static_configs": [{"targets": ["am.example.net:443"]}]},
        {"scheme": "http", "static_configs": [{"targets": ["[fd00::5]:9093"]}]},
    ]


@pytest.mark.program("promtool")
def test_promtool_accepts_where_prometheus_sends(tmp_path: Path) -> None:
    found = values(plan(OUTSIDE, "https://am.example.net/alerts/", "http://[fd00::5]:9093"))
    managers = found["prometheus"]["prometheusSpec"]["additionalAlertManagerConfigs"]
    (tmp_path / "prometheus.yaml").write_text(dump({"alerting": {"alertmanagers": managers}}))
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_of_the_chart_s_own_alertmanager_is_left() -> None:
    found = values(plan(OUTSIDE))
    assert found["alertmanager"] == {"enabled": False}
    assert found["defaultRules"]["rules"] == {"alertmanager": False}, "its metrics are not scraped"


def test_the_chart_s_rules_about_alertmanager_stay_where_it_is_installed() -> None:
    assert "rules" not in values(plan_of(components={"prometheus": {}, "alertmanager": {}}))["defaultRules"]


def test_loki_and_grafana_find_it() -> None:
    rendered = plan(OUTSIDE, INSIDE)
    assert rendered.folded.values["loki"]["loki"]["rulerConfig"]["alertmanager_url"] == f"{OUTSIDE},{INSIDE}"
    assert values(rendered)["grafana"]["sidecar"]["datasources"]["alertmanager"] == {"enabled": True, "url": OUTSIDE}


def test_the_relay_asks_every_replica_and_may_reach_them() -> None:
    rendered = plan(OUTSIDE, INSIDE, "http://alerts.example.net:9093")
    config = load_one(object_of(rendered, "ConfigMap", "discord-alert-proxy")["data"]["relay.yaml"], "relay.yaml")
    assert config["alertmanagers"] == [OUTSIDE, INSIDE, "http://alerts.example.net:9093"]
    egress = policy(rendered)["egress"]
    port = [{"port": 9093, "protocol": "TCP"}]
    assert {"ports": port, "to": [{"ipBlock": {"cidr": "192.168.1.50/32"}}]} in egress
    assert {"ports": port} in egress, "a NetworkPolicy cannot name a host"
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}
    assert {"to": [namespace]} in egress, "nothing is known of its pods' labels and ports"


def test_one_inside_reaches_the_relay_at_its_service_and_reads_its_secrets_in_its_own_namespace() -> None:
    rendered = plan(INSIDE)
    assert webhook(rendered) == "http://discord-alert-proxy.monitoring.svc.cluster.local:8080/v1/alertmanager"
    (senders,) = [
        item["from"]
        for item in policy(rendered)["ingress"]
        if item["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == "observability"
    ]
    assert "podSelector" not in senders[0]
    readers = {(need.namespace, need.secret) for need in rendered.folded.secrets if need.reader == "Alertmanager"}
    assert readers == {("observability", "homelabmon-relay"), ("observability", "hooks")}


def test_one_outside_reaches_the_relay_at_its_address_there_and_no_secret_of_the_cluster_is_asked_for_it() -> None:
    on_the_lan = plan(OUTSIDE, cluster=METALLB, lb_ips={"relay": "192.168.1.240"})
    assert webhook(on_the_lan) == "http://192.168.1.240:8080/v1/alertmanager"
    assert policy(on_the_lan)["ingress"] == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]
    assert not [need for need in on_the_lan.folded.secrets if need.reader == "Alertmanager"]
    behind_a_proxy = plan(OUTSIDE, components={"relay": {"external_url": "https://relay.example.net/"}})
    assert webhook(behind_a_proxy) == "https://relay.example.net/v1/alertmanager"


def webhook(rendered: Plan) -> str:
    """Where its configuration sends what is for people."""
    config = load_one(rendered.files["alertmanager/alertmanager.yaml"], "alertmanager.yaml")
    (receiver,) = [item for item in config["receivers"] if item["name"] == "relay"]
    url: str = receiver["webhook_configs"][0]["url"]
    return url


def test_values_of_its_section_still_reach_the_release() -> None:
    found = plan_of(
        components={
            "prometheus": {},
            "alertmanager": {"install": False, "values": {"prometheus": {"prometheusSpec": {"logLevel": "debug"}}}},
        }
    )
    assert values(found)["prometheus"]["prometheusSpec"]["logLevel"] == "debug"
    assert "additionalAlertManagerConfigs" not in values(found)["prometheus"]["prometheusSpec"]


def test_the_page_says_whose_it_is() -> None:
    page = plan(OUTSIDE).files["docs/monitoring.md"]
    (row,) = [line for line in page.splitlines() if line.startswith("| Alertmanager |")]
    assert OUTSIDE in row
    assert "yours" in row


def test_it_may_be_in_another_namespace_than_the_release() -> None:
    rendered = plan_of(components={"prometheus": {}, "alertmanager": {"install": False, "namespace": "elsewhere"}})
    assert {need.namespace for need in rendered.folded.secrets if need.reader == "Alertmanager"} == {"elsewhere"}
    assert "elsewhere" not in rendered.folded.namespaces, "it is there already"
