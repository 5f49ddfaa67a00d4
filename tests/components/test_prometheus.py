"""The Prometheus half of kube-prometheus-stack: what is scraped, kept, picked up, and which alerts can be true here."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.components.prometheus import share_of
from homelabmon.load import read_source
from homelabmon.source import Source
from tests.stacks_common import MINIMAL, plan_of

ON_METALLB = {"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}}


def values(**sections: Any) -> dict[str, Any]:
    """The release's values."""
    return plan_of(**{"components": {"prometheus": {}}, **sections}).folded.values["kube-prometheus-stack"]


def plane(cluster: dict[str, Any]) -> dict[str, bool]:
    """Which control-plane parts are scraped."""
    found = values(cluster=cluster)
    parts = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
    return {part: found[part]["enabled"] for part in parts}


@pytest.mark.parametrize("distribution", ["k3s", "rke2", "kubeadm", "talos"])
def test_a_control_plane_that_hides_its_metrics_is_not_scraped_or_its_alerts_fire_for_ever(distribution: str) -> None:
    assert not any(plane({"distribution": distribution}).values())


def test_an_exposed_control_plane_is_scraped_at_the_addresses_of_its_nodes() -> None:
    cluster = {"distribution": "k3s", "control_plane": {"metrics": "exposed", "endpoints": ["10.0.0.1", "10.0.0.2"]}}
    assert all(plane(cluster).values())
    found = values(cluster=cluster)
    assert found["kubeEtcd"]["endpoints"] == ["10.0.0.1", "10.0.0.2"]
    assert found["kubeScheduler"]["endpoints"] == ["10.0.0.1", "10.0.0.2"]


def test_no_kube_proxy_with_cilium_and_no_etcd_on_sqlite() -> None:
    cilium = {"distribution": "talos", "load_balancer": {"provider": "cilium"}, "control_plane": {"metrics": "exposed"}}
    assert plane(cilium)["kubeProxy"] is False
    sqlite = {"distribution": "k3s", "control_plane": {"metrics": "exposed", "etcd": False, "endpoints": ["10.0.0.1"]}}
    assert plane(sqlite)["kubeEtcd"] is False


def test_etcd_on_talos_is_no_pod_and_found_beside_the_api_server() -> None:
    found = values(cluster={"distribution": "talos", "control_plane": {"metrics": "exposed"}})
    assert found["kubeEtcd"]["service"] == {"selector": {"component": "kube-apiserver"}}


def test_our_own_rules_and_monitors_are_picked_up_and_no_selector_is_null() -> None:
    spec = values()["prometheus"]["prometheusSpec"]
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False
        assert f"{kind}Selector" not in spec


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("50Gi", "43520MiB"), ("1Ti", "891289MiB"), ("100G", "85000MB"), ("500M", "425MB"), ("1000000000", "850MB")],
)
def test_sizes_end_in_b_as_the_custom_resource_demands(quantity: str, expected: str) -> None:
    assert share_of(quantity, 0.85) == expected


def test_retention_storage_and_addresses() -> None:
    found = values(
        components={"prometheus": {"retention": "30d", "storage": "50Gi"}},
        cluster={**ON_METALLB, "storage_class": "longhorn"},
        lb_ips={"prometheus": "192.168.1.230"},
    )["prometheus"]
    spec = found["prometheusSpec"]
    assert (spec["retention"], spec["retentionSize"], spec["externalUrl"]) == (
        "30d",
        "43520MiB",
        "http://192.168.1.230:9090",
    )
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("longhorn", "50Gi")
    assert found["service"] == {"type": "ClusterIP"}, "with the reloader's port, which Prometheus scrapes"


def test_node_exporter_series_carry_the_node() -> None:
    (relabeling,) = values()["prometheus-node-exporter"]["prometheus"]["monitor"]["relabelings"]
    assert (relabeling["sourceLabels"], relabeling["targetLabel"]) == (["__meta_kubernetes_pod_node_name"], "node")


def test_default_alerts_can_be_dropped_and_changed_and_overcommit_makes_no_sense_on_small_clusters() -> None:
    found = values(
        components={
            "prometheus": {
                "disabled_alerts": ["CPUThrottlingHigh"],
                "default_alerts": {"KubeNodePressure": {"severity": "warning", "for": "5m"}},
            }
        },
        cluster={"distribution": "k3s", "nodes": 1},
    )
    assert found["defaultRules"]["disabled"] == {
        "CPUThrottlingHigh": True,
        "KubeCPUOvercommit": True,
        "KubeMemoryOvercommit": True,
    }
    assert found["customRules"] == {"KubeNodePressure": {"severity": "warning", "for": "5m"}}
    assert "disabled" not in values()["defaultRules"]


def test_what_is_not_in_the_stack_is_switched_off() -> None:
    found = values()
    assert found["alertmanager"] == {"enabled": False}
    assert found["grafana"] == {"enabled": False}
    alone = plan_of(components={"alertmanager": {}}).folded.values["kube-prometheus-stack"]
    assert alone["prometheus"] == {"enabled": False}
    assert alone["defaultRules"] == {"create": False}
    assert alone["nodeExporter"] == {"enabled": False}


def test_the_owners_values_come_last_and_null_removes_a_default_of_the_chart() -> None:
    found = values(
        components={
            "prometheus": {"values": {"prometheus": {"prometheusSpec": {"retention": "7d", "logLevel": None}}}},
            "alertmanager": {},
        }
    )
    assert found["prometheus"]["prometheusSpec"]["retention"] == "7d"
    assert found["prometheus"]["prometheusSpec"]["logLevel"] is None
    assert found["prometheus"]["prometheusSpec"]["ruleSelectorNilUsesHelmValues"] is False


def test_one_release_lives_in_one_namespace() -> None:
    data = {**MINIMAL, "components": {"prometheus": {"namespace": "a"}, "grafana": {"namespace": "b"}}}
    (finding,) = read_source(Source("stack.yaml", data, {}, {})).findings
    assert finding.message.startswith("prometheus, alertmanager and grafana are one Helm release")
    assert finding.fix == "write the same for all, not a, b"
