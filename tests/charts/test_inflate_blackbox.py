"""What the real chart of the blackbox exporter makes of our values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from homelabmon.components.blackbox import CHART
from homelabmon.render.merge import merge
from tests.charts.inflate import PROBE, evaluations, inflate_release, nested, pick
from tests.components.folding import K3S, TALOS, folded, objects
from tests.components.test_blackbox import EVERY_KIND

CLUSTERS = pytest.mark.parametrize("cluster", [K3S, TALOS], ids=["k3s", "talos"])


@CLUSTERS
def test_every_module_a_probe_asks_for_is_there(cluster: dict[str, Any]) -> None:
    result = folded({"prometheus": {}}, cluster=cluster, probes=EVERY_KIND)
    config = pick(inflate_release(result, "blackbox-exporter"), "ConfigMap", "blackbox-exporter")
    modules = yaml.safe_load(config["data"]["blackbox.yaml"])["modules"]
    ours = result.values["blackbox-exporter"]["config"]["modules"]
    assert {name: modules[name] for name in ours} == ours
    assert {item["spec"]["module"] for item in objects(result, "monitoring-config", "probes.yaml")} <= set(modules)


@CLUSTERS
def test_probes_reach_the_service(cluster: dict[str, Any]) -> None:
    result = folded({"prometheus": {}}, cluster=cluster, probes=EVERY_KIND)
    service = pick(inflate_release(result, "blackbox-exporter"), "Service", "blackbox-exporter")
    (port,) = service["spec"]["ports"]
    (url,) = {item["spec"]["prober"]["url"] for item in objects(result, "monitoring-config", "probes.yaml")}
    domain = cluster.get("domain", "cluster.local")
    assert url == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{domain}:{port['port']}"


def test_pod_pings_without_rights_in_a_baseline_namespace() -> None:
    result = folded({"prometheus": {}}, probes=EVERY_KIND)
    deployment = pick(inflate_release(result, "blackbox-exporter"), "Deployment", "blackbox-exporter")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["sysctls"] == [{"name": "net.ipv4.ping_group_range", "value": "0 2147483647"}]
    (container,) = pod["containers"]
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


_OBJECT = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"x": PROBE}}]
_TARGET = [{"name": "x", "url": "http://x", "labels": {"x": PROBE}}]
_SPECIAL: dict[tuple[str, ...], Any] = {("extraManifests",): _OBJECT, ("serviceMonitor", "targets"): _TARGET}


@pytest.mark.parametrize(
    ("path", "times"), CHART.tpl, ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_chart_evaluates_each_path_as_often_as_we_say(path: tuple[str, ...], times: int) -> None:
    base = {"serviceMonitor": {"enabled": path[0] == "serviceMonitor"}}
    values = merge(base, nested(path, _SPECIAL.get(path, [PROBE])))
    assert evaluations("prometheus-blackbox-exporter", values, "blackbox-exporter") == times
