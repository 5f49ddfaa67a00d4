"""What the real Falco chart makes of our values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from homelabmon.components.falco import CHART, POD_LABELS
from homelabmon.render.merge import merge
from homelabmon.spec.contribution import Object
from tests.charts.inflate import PROBE, evaluations, inflate_release, nested, pick
from tests.components.folding import K3S, TALOS, folded, only

ALL: dict[str, Any] = {"prometheus": {}, "loki": {}, "vector": {}, "falco": {}, "relay": {}}
CLUSTERS = pytest.mark.parametrize(
    ("cluster", "socket"),
    [(K3S, "/run/k3s/containerd/containerd.sock"), (TALOS, "/run/containerd/containerd.sock")],
    ids=["k3s", "talos"],
)


def _objects(config: dict[str, Any] | None = None, **more: Any) -> list[Object]:
    return inflate_release(folded({**ALL, "falco": config or {}}, **more), "falco")


def _falco_yaml(objects: list[Object]) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(pick(objects, "ConfigMap", "falco")["data"]["falco.yaml"])
    return read


@CLUSTERS
def test_the_runtime_s_socket_is_the_only_one_mounted_and_asked(cluster: dict[str, Any], socket: str) -> None:
    objects = _objects(cluster=cluster)
    pod = pick(objects, "DaemonSet", "falco")["spec"]["template"]["spec"]
    assert [
        v["hostPath"]["path"] for v in pod["volumes"] if v.get("hostPath", {}).get("path", "").endswith(".sock")
    ] == [socket]
    (plugin,) = [item for item in _falco_yaml(objects)["plugins"] if item["name"] == "container"]
    engines = plugin["init_config"]["engines"]
    assert engines["cri"] == {"enabled": True, "sockets": [socket]}
    assert not any(engines[name]["enabled"] for name in ("docker", "podman", "containerd"))


def test_where_there_is_ipv6_the_kubelet_s_question_is_heard() -> None:
    assert _falco_yaml(_objects(cluster={**K3S, "ipv6": True}))["webserver"]["listen_address"] == "::"
    assert _falco_yaml(_objects(cluster={**K3S, "ipv6": False}))["webserver"]["listen_address"] == "0.0.0.0"


def test_no_loader_and_no_privileged_container() -> None:
    objects = _objects()
    pod = pick(objects, "DaemonSet", "falco")["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["falcoctl-artifact-install"]
    rights = pod["containers"][0]["securityContext"]
    assert rights == {"capabilities": {"add": ["BPF", "SYS_RESOURCE", "PERFMON", "SYS_PTRACE"]}}
    assert _falco_yaml(objects)["engine"]["kind"] == "modern_ebpf"
    assert not [item for item in objects if item["kind"] in ("Role", "ClusterRole", "ServiceMonitor")]


def test_events_are_found_where_the_log_collector_looks() -> None:
    result = folded(ALL)
    objects = inflate_release(result, "falco")
    assert _falco_yaml(objects)["json_output"] is True
    assert _falco_yaml(objects)["stdout_output"] == {"enabled": True}
    daemonset = pick(objects, "DaemonSet", "falco")
    container = daemonset["spec"]["template"]["spec"]["containers"][0]["name"]
    files = result.values["vector-agent"]["customConfig"]["sources"]["falco_file"]["include"]
    assert files == [f"/var/log/pods/security_{daemonset['metadata']['name']}-*_*/{container}/*.log*"]


def test_posted_events_find_their_secret_in_the_environment() -> None:
    objects = _objects({"path": "http"})
    assert _falco_yaml(objects)["http_output"]["url"].endswith("/v1/falco/${HOMELABMON_FALCO_PATH}")
    environment = pick(objects, "DaemonSet", "falco")["spec"]["template"]["spec"]["containers"][0]["env"]
    (variable,) = [item for item in environment if item["name"] == "HOMELABMON_FALCO_PATH"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "homelabmon-relay", "key": "falco-path"}


def test_own_rules_arrive_as_they_were_written() -> None:
    text = "- rule: x\n  output: '{{ y }} $z ${z}'\n"
    assert pick(_objects({"rules": {"own.yaml": text}}), "ConfigMap", "falco-rules")["data"] == {
        "own.yaml": text.rstrip()
    }


def test_our_monitor_finds_the_service_and_the_pods() -> None:
    result = folded(ALL)
    objects = inflate_release(result, "falco")
    monitor = only(result, "monitoring-config", "falco.yaml")["spec"]
    service = pick(objects, "Service", "falco-metrics")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]
    pod = pick(objects, "DaemonSet", "falco")["spec"]["template"]
    assert POD_LABELS.items() <= pod["metadata"]["labels"].items()
    assert _falco_yaml(objects)["webserver"]["prometheus_metrics_enabled"] is True


@pytest.mark.parametrize(
    ("path", "times"), CHART.tpl, ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_chart_evaluates_each_path_as_often_as_we_say(path: tuple[str, ...], times: int) -> None:
    value = PROBE if path[-1] == "namespace" else [{"name": "x", "value": PROBE}]
    values = merge({"serviceMonitor": {"create": path[0] == "serviceMonitor"}}, nested(path, value))
    assert evaluations("falco", values, "falco") == times
