"""What the real kube-prometheus-stack chart makes of our values."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from homelabmon.components.kps import CHART
from homelabmon.load import load
from homelabmon.render.plan import Plan, make_plan
from homelabmon.spec.contribution import Object
from tests.charts.inflate import PROBE, evaluations, inflate_release, nested, pick
from tests.stacks_common import EXAMPLE, GOLDEN, plan_of

NAME = "kube-prometheus-stack"


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """Every object of a kind."""
    return [item for item in objects if item["kind"] == kind]


def alerts(objects: list[Object]) -> set[str]:
    """Every default alert that is rendered."""
    groups = [group for rule in of_kind(objects, "PrometheusRule") for group in rule["spec"]["groups"]]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.fixture(scope="module")
def example() -> Plan:
    """The example's plan."""
    return make_plan(load(EXAMPLE))


@pytest.fixture(scope="module")
def objects(example: Plan) -> list[Object]:
    """What the chart makes of it."""
    return inflate_release(example.folded, NAME)


def test_names_are_those_that_rules_and_components_rely_on(objects: list[Object]) -> None:
    services = {item["metadata"]["name"] for item in of_kind(objects, "Service")}
    assert {f"{NAME}-{part}" for part in ("prometheus", "alertmanager", "grafana", "kube-state-metrics")} <= services


def test_the_config_reloaders_are_scraped_although_prometheus_and_alertmanager_are_on_the_lan(
    objects: list[Object],
) -> None:
    for part in ("prometheus", "alertmanager"):
        ports = [port["name"] for port in pick(objects, "Service", f"{NAME}-{part}")["spec"]["ports"]]
        (monitor,) = [
            item for item in of_kind(objects, "ServiceMonitor") if item["metadata"]["name"] == f"{NAME}-{part}"
        ]
        assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ["http-web", "reloader-web"]
        assert {"http-web", "reloader-web"} <= set(ports)


def test_alertmanager_gets_exactly_the_configuration_that_stands_in_the_plain_file(
    example: Plan, objects: list[Object]
) -> None:
    secret = pick(objects, "Secret", f"alertmanager-{NAME}-alertmanager")
    given = yaml.safe_load(base64.b64decode(secret["data"]["alertmanager.yaml"]))
    assert given == yaml.safe_load(example.files["alertmanager/alertmanager.yaml"])


def test_everything_is_selected_and_foreign_alertmanagerconfigs_are_not(objects: list[Object]) -> None:
    spec = pick(objects, "Prometheus", f"{NAME}-prometheus")["spec"]
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert spec[f"{kind}Selector"] == {}
        assert spec[f"{kind}NamespaceSelector"] == {}
    manager = pick(objects, "Alertmanager", f"{NAME}-alertmanager")["spec"]
    assert manager["alertmanagerConfigSelector"] == {"matchLabels": {"homelabmon/merge": "true"}}
    assert manager["replicas"] == 2


def test_no_control_plane_alert_can_fire_for_ever() -> None:
    hidden = plan_of(components={"prometheus": {}}, cluster={"distribution": "k3s"})
    found = alerts(inflate_release(hidden.folded, NAME))
    assert not {
        name for name in found if name.startswith(("KubeScheduler", "KubeControllerManager", "KubeProxy", "etcd"))
    }
    assert {"Watchdog", "InfoInhibitor", "KubePodCrashLooping", "KubeletDown"} <= found


def test_an_exposed_control_plane_is_reached_at_its_addresses(objects: list[Object]) -> None:
    for part in ("kube-controller-manager", "kube-scheduler", "kube-etcd"):
        endpoints = pick(objects, "Endpoints", f"{NAME}-{part}")
        assert [item["ip"] for item in endpoints["subsets"][0]["addresses"]] == [f"192.168.1.1{n}" for n in (1, 2, 3)]


def test_where_there_is_ipv6_the_node_exporter_listens_where_it_is_scraped() -> None:
    plan = plan_of(components={"prometheus": {}}, cluster={"distribution": "k3s", "ipv6": True})
    exporter = pick(inflate_release(plan.folded, NAME), "DaemonSet", f"{NAME}-prometheus-node-exporter")
    (container,) = exporter["spec"]["template"]["spec"]["containers"]
    (address,) = [item for item in container["env"] if item["name"] == "HOST_IP"]
    assert address["valueFrom"]["fieldRef"]["fieldPath"] == "status.hostIP"
    assert "--web.listen-address=[$(HOST_IP)]:9100" in container["args"]


def test_kube_state_metrics_shows_what_the_readiness_rules_read(objects: list[Object]) -> None:
    deployment = pick(objects, "Deployment", f"{NAME}-kube-state-metrics")
    arguments = " ".join(deployment["spec"]["template"]["spec"]["containers"][0]["args"])
    for collector in ("endpointslices", "services", "pods", "cronjobs", "nodes", "deployments", "statefulsets"):
        assert collector in arguments


def test_grafana_has_every_datasource_and_no_random_password(objects: list[Object]) -> None:
    text = pick(objects, "ConfigMap", f"{NAME}-grafana-datasource")["data"]["datasource.yaml"]
    assert [source["uid"] for source in yaml.safe_load(text)["datasources"]] == ["prometheus", "alertmanager", "loki"]
    assert not [item for item in of_kind(objects, "Secret") if "grafana" in item["metadata"]["name"]]


@pytest.mark.parametrize("case", sorted(path.parent.name for path in GOLDEN.glob("*/stack.yaml")))
def test_every_golden_stack_renders(case: str) -> None:
    plan = make_plan(load(GOLDEN / case / "stack.yaml"))
    assert inflate_release(plan.folded, NAME)


@pytest.mark.parametrize(
    ("components", "kinds"),
    [
        ({"alertmanager": {}}, {"Alertmanager"}),
        ({"grafana": {}}, set()),
        ({"prometheus": {}}, {"Prometheus"}),
    ],
    ids=["alertmanager", "grafana", "prometheus"],
)
def test_each_part_alone(components: dict[str, Any], kinds: set[str]) -> None:
    found = inflate_release(plan_of(components=components).folded, NAME)
    assert {item["kind"] for item in found} & {"Alertmanager", "Prometheus"} == kinds
    assert bool(of_kind(found, "PrometheusRule")) == ("prometheus" in components)


SHAPES: dict[str, Any] = {
    "additionalDataSources": [{"name": PROBE}],
    "datasources": {"x.yaml": {"datasources": [{"name": PROBE}]}},
    "grafana.ini": {"server": {"root_url": PROBE}},
    "extraManifests": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"x": PROBE}},
    ],
    "additionalScrapeConfigs": [{"job_name": PROBE}],
    "additionalAlertRelabelConfigs": [{"replacement": PROBE}],
    "additionalAlertManagerConfigs": [{"scheme": PROBE}],
    "containers": [{"name": PROBE}],
    "initContainers": [{"name": PROBE}],
    "remoteRead": [{"url": PROBE}],
    "remoteWrite": [{"url": PROBE}],
    "relabelings": [{"replacement": PROBE}],
    "metricRelabelings": [{"replacement": PROBE}],
    "externalUrl": PROBE,
    "podMetadata": {"annotations": {"x": PROBE}},
    "storage": {"emptyDir": {"medium": PROBE}},
    "storageSpec": {"emptyDir": {"medium": PROBE}},
}


@pytest.mark.parametrize(
    ("path", "times"), CHART.tpl, ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_the_chart_evaluates_what_we_say_as_often_as_we_say(path: tuple[str, ...], times: int) -> None:
    assert evaluations(CHART.name, nested(path, SHAPES.get(path[-1], {"x": PROBE})), NAME) == times
