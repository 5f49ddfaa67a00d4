"""What the real Vector chart makes of our values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from homelabmon.components.vector import CHART, pod_labels
from homelabmon.render.fold import Folded
from homelabmon.render.merge import merge
from homelabmon.spec.contribution import Object
from tests.charts.inflate import PROBE, evaluations, inflate_release, nested, nulls, pick
from tests.components.folding import K3S, TALOS, folded, objects, only

ALL: dict[str, Any] = {"prometheus": {}, "loki": {}, "vector": {}, "falco": {}, "relay": {}}


def _without(component: str) -> dict[str, Any]:
    return {name: config for name, config in ALL.items() if name != component}


SYSLOG = {"aggregator": {"syslog": {"protocol": "tcp"}}}
STACKS: dict[str, dict[str, Any]] = {
    "k3s": {"components": ALL, "cluster": K3S},
    "talos": {"components": {**ALL, "vector": SYSLOG}, "cluster": TALOS},
    "ipv6": {"components": {**ALL, "vector": SYSLOG}, "lb_ips": {"vector": "fd00::32"}},
    "without-falco": {"components": _without("falco"), "lb_ips": {}},
    "without-relay": {"components": _without("relay")},
    "without-loki": {"components": _without("loki")},
}
WORKLOADS = (("vector-agent", "DaemonSet"), ("vector-aggregator", "StatefulSet"))


@pytest.fixture(params=STACKS)
def result(request: pytest.FixtureRequest) -> Folded:
    return folded(**STACKS[request.param])


def _services(found: list[Object]) -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in found if item["kind"] == "Service"}


def test_configuration_comes_through_helm_word_for_word(result: Folded) -> None:
    for release, _ in WORKLOADS:
        text = pick(inflate_release(result, release), "ConfigMap", release)["data"]["vector.yaml"]
        assert yaml.safe_load(text) == result.values[release]["customConfig"]
        assert "$" not in text


def test_no_port_is_null_and_none_is_made_up(result: Folded) -> None:
    for release, kind in WORKLOADS:
        found = inflate_release(result, release)
        workload = pick(found, kind, release)
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert container["ports"] == result.values[release]["containerPorts"]
        for item in (workload, *_services(found).values()):
            assert list(nulls(item["spec"])) == []
    assert _services(inflate_release(result, "vector-agent")) == {}


def test_service_shows_what_we_name(result: Folded) -> None:
    wanted = result.values["vector-aggregator"]["service"]
    services = _services(inflate_release(result, "vector-aggregator"))
    assert set(services) == {"vector-aggregator", "vector-aggregator-headless"}
    service = services["vector-aggregator"]
    assert service["spec"]["ports"] == wanted["ports"]
    assert service["spec"]["type"] == wanted["type"]
    assert service["metadata"].get("annotations") == wanted.get("annotations")
    assert "loadBalancerIP" not in service["spec"]


def test_readiness_is_asked_at_a_port_that_exists(result: Folded) -> None:
    for release, kind in WORKLOADS:
        (container,) = pick(inflate_release(result, release), kind, release)["spec"]["template"]["spec"]["containers"]
        port = container["readinessProbe"]["httpGet"]["port"]
        (number,) = [item["containerPort"] for item in container["ports"] if item["name"] == port]
        address = result.values[release]["customConfig"]["api"]["address"]
        assert address.rsplit(":", 1)[1] == str(number)


def test_our_monitors_and_our_service_find_the_pods(result: Folded) -> None:
    monitors = {item["metadata"]["name"]: item["spec"] for item in objects(result, "monitoring-config", "vector.yaml")}
    for release, kind in WORKLOADS:
        pod = pick(inflate_release(result, release), kind, release)["spec"]["template"]
        assert pod_labels(release).items() <= pod["metadata"]["labels"].items()
        assert monitors[release]["selector"]["matchLabels"] == pod_labels(release)
    if "service-forward.yaml" in result.objects["vector"]:
        assert only(result, "vector", "service-forward.yaml")["spec"]["selector"] == pod_labels("vector-aggregator")


def test_buffers_are_on_a_volume_that_is_mounted_where_vector_writes(result: Folded) -> None:
    for release, kind in WORKLOADS:
        workload = pick(inflate_release(result, release), kind, release)
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        mounts = {item["name"]: item["mountPath"] for item in container["volumeMounts"]}
        assert mounts["data"] == result.values[release]["customConfig"]["data_dir"]
        if kind == "StatefulSet":
            assert [claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]] == ["data"]
        else:
            volumes = {item["name"]: item for item in workload["spec"]["template"]["spec"]["volumes"]}
            assert volumes["data"]["hostPath"] == {"path": "/var/lib/vector"}


def test_image_is_that_of_the_chart(result: Folded) -> None:
    for release, kind in WORKLOADS:
        workload = pick(inflate_release(result, release), kind, release)
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert container["image"].endswith(":0.56.0-distroless-libc")


_OBJECT = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"x": PROBE}}]
_SPECIAL: dict[tuple[str, ...], Any] = {
    ("customConfig",): {"probe": PROBE},
    ("extraObjects",): _OBJECT,
    ("haproxy", "customConfig"): PROBE,
}


@pytest.mark.parametrize(
    ("path", "times"), CHART.tpl, ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_chart_evaluates_each_path_as_often_as_we_say(path: tuple[str, ...], times: int) -> None:
    base = {"customConfig": {"data_dir": "/vector-data-dir"}, "haproxy": {"enabled": path[0] == "haproxy"}}
    values = merge(base, nested(path, _SPECIAL.get(path, [{"name": PROBE}])))
    assert evaluations("vector", values, "vector") == times
