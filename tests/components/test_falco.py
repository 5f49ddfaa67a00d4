"""Falco: each test is a trap of its chart, and would notice its return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelabmon.spec.contribution import GUARD
from tests.components.folding import K3S, TALOS, folded, only
from tests.components.real_crds import problems

ALL: dict[str, Any] = {"prometheus": {}, "loki": {}, "vector": {}, "falco": {}, "relay": {}}


def _values(config: dict[str, Any] | None = None, components: dict[str, Any] = ALL, **more: Any) -> dict[str, Any]:
    return folded({**components, "falco": config or {}}, **more).helm_values("falco")


def test_driver_needs_neither_a_loader_nor_a_privileged_container() -> None:
    assert _values()["driver"] == {"kind": "modern_ebpf", "modernEbpf": {"leastPrivileged": True}}


def test_namespace_is_its_own_and_privileged_for_the_host_s_paths() -> None:
    result = folded(ALL)
    assert result.namespaces["security"] == "privileged"
    assert result.releases["falco"].namespace == "security"


def test_no_node_is_left_out() -> None:
    assert _values()["tolerations"] == [{"operator": "Exists"}]


def test_events_are_json_from_notice_on() -> None:
    falco = _values()["falco"]
    assert falco["json_output"] is True
    parts = ("output", "output_fields", "tags")
    assert [falco[f"json_include_{part}_property"] for part in parts] == [True, True, True]
    assert falco["priority"] == "notice"
    assert _values({"priority": "warning"})["falco"]["priority"] == "warning"


@pytest.mark.parametrize(
    ("cluster", "socket"),
    [
        (K3S, "/run/k3s/containerd/containerd.sock"),
        ({"distribution": "rke2"}, "/run/k3s/containerd/containerd.sock"),
        (TALOS, "/run/containerd/containerd.sock"),
        ({"distribution": "kubeadm"}, "/run/containerd/containerd.sock"),
    ],
)
def test_only_the_socket_that_exists_is_mounted(cluster: dict[str, Any], socket: str) -> None:
    engines = _values(cluster=cluster, lb_ips={})["collectors"]["containerEngine"]["engines"]
    assert engines["cri"] == {"enabled": True, "sockets": [socket]}
    assert [engines[name]["enabled"] for name in ("docker", "podman", "containerd")] == [False, False, False]


def test_another_runtime_is_one_option() -> None:
    engines = _values({"container_socket": "/run/crio/crio.sock"})["collectors"]["containerEngine"]["engines"]
    assert engines["cri"]["sockets"] == ["/run/crio/crio.sock"]


def test_events_go_through_the_log_collector_where_there_is_one() -> None:
    values = _values()
    assert values["falco"]["http_output"] == {"enabled": False}
    assert values["falco"]["stdout_output"] == {"enabled": True}
    assert values["falco"]["buffered_outputs"] is False
    assert "extra" not in values


@pytest.mark.parametrize("config", [{}, {"path": "vector"}, {"path": "http"}])
def test_events_are_posted_where_there_is_no_collector(config: dict[str, Any]) -> None:
    values = _values(config, {"prometheus": {}, "relay": {}})
    assert values["falco"]["http_output"]["enabled"] is True


def test_a_posted_event_carries_its_secret_in_the_path_as_falco_has_no_headers() -> None:
    result = folded({**ALL, "falco": {"path": "http"}})
    values = result.helm_values("falco")
    assert values["falco"]["http_output"]["url"] == (
        "http://discord-alert-proxy.monitoring.svc.cluster.local:8080/v1/falco/${HOMELABMON_FALCO_PATH}"
    )
    (variable,) = values["extra"]["env"]
    assert variable["name"] == "HOMELABMON_FALCO_PATH"
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "homelabmon-relay", "key": "falco-path"}
    # A pod reads Secrets of its own namespace only, so the owner needs it there as well.
    assert ("security", "homelabmon-relay", "falco-path") in [(n.namespace, n.secret, n.key) for n in result.secrets]


def test_posted_events_are_not_forwarded_as_well() -> None:
    result = folded({**ALL, "falco": {"path": "http"}})
    assert "falco" not in result.helm_values("vector-aggregator")["customConfig"]["sinks"]


def test_without_a_taker_events_stay_in_the_log() -> None:
    result = folded({"prometheus": {}, "falco": {}})
    assert result.helm_values("falco")["falco"]["http_output"] == {"enabled": False}
    (row,) = [row for row in result.docs if row.component == "Falco"]
    assert row.notes == "runtime threat detection, events in its log alone"


def test_events_do_not_go_to_a_syslog_that_is_not_there() -> None:
    falco = _values()["falco"]
    assert (falco["syslog_output"], falco["log_syslog"]) == ({"enabled": False}, False)


def test_nothing_that_the_chart_refuses_since_version_9() -> None:
    values = _values()
    assert not {"grpc", "grpc_output"} & set(values["falco"])
    assert not {"ebpf", "gvisor"} & set(values["driver"])


def test_whoever_takes_events_can_tell_falco_s_pods() -> None:
    for path in ("http", "vector"):
        (guard,) = folded({**ALL, "falco": {"path": path}}).site.offered(GUARD)
        assert guard.namespace == "security"
        assert guard.pod_labels == {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}


def test_own_rules_keep_their_braces() -> None:
    rules = {"homelab.yaml": "- rule: x\n  output: '{{ y }} $z ${z}'\n"}
    assert _values({"rules": rules})["customRules"] == rules


def test_metrics_are_scraped_under_the_job_that_rules_look_for() -> None:
    result = folded(ALL)
    assert result.helm_values("falco")["metrics"]["enabled"] is True
    assert result.helm_values("falco")["serviceMonitor"]["create"] is False
    monitor = only(result, "monitoring-config", "falco.yaml")
    assert monitor["metadata"] == {"name": "falco", "namespace": "monitoring"}
    # Falco's pods have no other Service, but the owner may give them one.
    assert monitor["spec"]["selector"]["matchLabels"]["type"] == "falco-metrics"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["security"]}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "falco"}]


def test_row_of_the_monitoring_page() -> None:
    (row,) = [row for row in folded(ALL).docs if row.component == "Falco"]
    assert (row.where, row.notes) == ("security/falco", "runtime threat detection, alerts through Discord")


@pytest.mark.shared
def test_monitor_fits_the_real_crd(shared_data: Path) -> None:
    assert problems(shared_data, only(folded(ALL), "monitoring-config", "falco.yaml")) == []
