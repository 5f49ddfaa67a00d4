"""What the real Loki chart makes of our values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from homelabmon.components.loki import CHART, POD_LABELS
from homelabmon.render.merge import merge
from homelabmon.spec.contribution import Object
from tests.charts.inflate import PROBE, evaluations, inflate_release, nested, pick
from tests.components.folding import K3S, TALOS, folded, only

CLUSTERS = pytest.mark.parametrize("cluster", [K3S, TALOS], ids=["k3s", "talos"])


def _objects(config: dict[str, Any] | None = None, **more: Any) -> list[Object]:
    return inflate_release(folded({"prometheus": {}, "loki": config or {}}, **more), "loki")


def _loki_yaml(objects: list[Object]) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(pick(objects, "ConfigMap", "loki")["data"]["config.yaml"])
    return read


@CLUSTERS
def test_one_loki_with_a_volume_and_nothing_beside_it(cluster: dict[str, Any]) -> None:
    objects = _objects(cluster=cluster)
    workloads = [item for item in objects if item["kind"] in ("StatefulSet", "Deployment", "DaemonSet", "Pod", "Job")]
    assert [item["metadata"]["name"] for item in workloads] == ["loki"]
    (claim,) = workloads[0]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
    assert claim["spec"].get("storageClassName") == cluster.get("storage_class")
    assert [container["name"] for container in workloads[0]["spec"]["template"]["spec"]["containers"]] == ["loki"]


def test_our_service_for_the_lan_finds_the_pod_and_its_port() -> None:
    result = folded({"prometheus": {}, "loki": {}})
    pod = pick(inflate_release(result, "loki"), "StatefulSet", "loki")["spec"]["template"]
    assert POD_LABELS.items() <= pod["metadata"]["labels"].items()
    (port,) = only(result, "loki", "loki-lan.yaml")["spec"]["ports"]
    assert {"name": port["targetPort"], "containerPort": 3100, "protocol": "TCP"} in pod["spec"]["containers"][0][
        "ports"
    ]


def test_nothing_of_the_chart_is_shown_to_the_lan() -> None:
    services = [item for item in _objects() if item["kind"] == "Service"]
    assert {item["metadata"]["name"] for item in services} == {"loki", "loki-headless", "loki-memberlist"}
    assert {item["spec"]["type"] for item in services} == {"ClusterIP"}


def test_our_monitor_finds_one_service_and_its_port() -> None:
    result = folded({"prometheus": {}, "loki": {}})
    wanted = only(result, "monitoring-config", "loki.yaml")["spec"]["selector"]["matchLabels"]
    found = [
        item["metadata"]["name"]
        for item in inflate_release(result, "loki")
        if item["kind"] == "Service"
        and wanted.items() <= item["metadata"]["labels"].items()
        and "variant" not in item["metadata"]["labels"]
        and "http-metrics" in [port["name"] for port in item["spec"]["ports"]]
    ]
    assert found == ["loki"]


@CLUSTERS
def test_configuration_is_what_we_meant(cluster: dict[str, Any]) -> None:
    config = _loki_yaml(_objects({"retention": "30d"}, cluster=cluster))
    assert config["auth_enabled"] is False
    assert config["common"]["replication_factor"] == 1
    assert config["common"]["ring"]["kvstore"]["store"] == "inmemory"
    assert config["limits_config"]["retention_period"] == "30d"
    assert config["compactor"]["retention_enabled"] is True
    assert config["schema_config"]["configs"][0]["from"] == "2026-01-01"
    domain = cluster.get("domain", "cluster.local")
    assert config["memberlist"]["join_members"] == [f"loki-memberlist.monitoring.svc.{domain}"]


def test_where_there_is_ipv6_ring_and_frontend_look_for_such_an_address() -> None:
    config = _loki_yaml(_objects(cluster={**K3S, "ipv6": True}))
    assert config["common"]["ring"]["instance_enable_ipv6"] is True
    assert config["frontend"]["instance_enable_ipv6"] is True


def test_ruler_and_its_sidecar_meet_in_one_folder() -> None:
    objects = inflate_release(folded({"prometheus": {}, "alertmanager": {}, "loki": {"ruler": True}}), "loki")
    ruler = _loki_yaml(objects)["ruler"]
    assert ruler["storage"]["local"]["directory"] == "/rules"
    sidecar = pick(objects, "StatefulSet", "loki")["spec"]["template"]["spec"]["containers"][1]
    assert {"name": "FOLDER", "value": "/rules/fake"} in sidecar["env"]


def test_braces_arrive_as_they_were_written() -> None:
    raw = {"loki": {"limits_config": {"x": "{{ a }}"}, "structuredConfig": {"y": "{{{ b }}}"}}}
    config = _loki_yaml(_objects({"values": raw}))
    assert (config["limits_config"]["x"], config["y"]) == ("{{ a }}", "{{{ b }}}")


_OBJECT = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"x": PROBE}}]
_SPECIAL: dict[tuple[str, ...], Any] = {
    ("extraObjects",): _OBJECT,
    ("loki", "configObjectName"): PROBE,
    ("loki", "generatedConfigObjectName"): PROBE,
    **{("singleBinary", key): [PROBE] for key in ("extraContainers", "initContainers", "tolerations")},
}


@pytest.mark.parametrize(
    ("path", "times"), CHART.tpl, ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_chart_evaluates_each_path_as_often_as_we_say(path: tuple[str, ...], times: int) -> None:
    base = folded({"loki": {"ruler": True}}, lb_ips={}).values["loki"]
    values = merge(base, nested(path, _SPECIAL.get(path, {"probe": PROBE})))
    assert evaluations("loki", values, "loki") == times
