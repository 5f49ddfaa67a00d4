"""One table of addresses, three providers, and never the same address asked for twice."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.render.plan import Plan
from homelabmon.source import walk
from tests.stacks_common import EVERYTHING, object_of, objects_of, plan_of

LB_IPS = {
    "grafana": "192.168.1.229",
    "prometheus": "192.168.1.230",
    "loki": "192.168.1.231",
    "vector": "192.168.1.232",
    "alertmanager": "192.168.1.233",
}
KEYS = {
    "metallb": "metallb.io/loadBalancerIPs",
    "cilium": "lbipam.cilium.io/ips",
    "kube-vip": "kube-vip.io/loadbalancerIPs",
}


def plan(provider: str, **more: Any) -> Plan:
    """Everything, with the owner's five addresses."""
    balancer = {"provider": provider, "pool": ["192.168.1.224/28"], **more}
    return plan_of(components=EVERYTHING, cluster={"distribution": "k3s", "load_balancer": balancer}, lb_ips=LB_IPS)


@pytest.mark.parametrize("provider", ["metallb", "cilium", "kube-vip"])
def test_each_address_is_asked_for_once_by_the_current_annotation(provider: str) -> None:
    rendered = plan(provider)
    asked = [value for path, value in walk([item for _, item in rendered.objects]) if path[-1] == KEYS[provider]]
    assert sorted(asked) == sorted(LB_IPS.values())
    text = "".join(rendered.files.values())
    assert "loadBalancerIP:" not in text
    assert "metallb.universe.tf" not in text
    assert "io.cilium/lb-ipam-ips" not in text


def test_metallb_gets_its_pool_in_its_own_namespace_which_is_not_ours_to_make() -> None:
    rendered = plan("metallb", interfaces=["eth0"])
    pool, advertisement = (
        object_of(rendered, "IPAddressPool", "homelab"),
        object_of(rendered, "L2Advertisement", "homelab"),
    )
    assert pool["metadata"]["namespace"] == advertisement["metadata"]["namespace"] == "metallb-system"
    assert pool["spec"] == {"addresses": ["192.168.1.224/28"]}
    assert advertisement["spec"] == {"ipAddressPools": ["homelab"], "interfaces": ["eth0"]}
    assert "metallb-system" not in [item["metadata"]["name"] for item in objects_of(rendered, "Namespace")]


def test_cilium_gets_first_and_last_address_as_a_cidr_may_reserve_them() -> None:
    rendered = plan("cilium", interfaces=["^eth[0-9]+"])
    pool = object_of(rendered, "CiliumLoadBalancerIPPool", "homelab")
    assert pool["apiVersion"] == "cilium.io/v2"
    assert pool["spec"] == {"blocks": [{"start": "192.168.1.224", "stop": "192.168.1.239"}]}
    policy = object_of(rendered, "CiliumL2AnnouncementPolicy", "homelab")
    assert policy["spec"] == {"loadBalancerIPs": True, "interfaces": ["^eth[0-9]+"]}


def test_kube_vip_needs_no_objects_and_a_pool_of_others_is_left_to_them() -> None:
    assert "load-balancer-pool" not in plan("kube-vip").folded.apps
    assert "load-balancer-pool" not in plan("metallb", manage_pool=False).folded.apps


def test_without_a_provider_there_are_no_load_balancers() -> None:
    rendered = plan_of(components=EVERYTHING)
    assert "LoadBalancer" not in str([item for _, item in rendered.objects if item["kind"] == "Service"])


def lan_services(rendered: Plan) -> dict[str, dict[str, Any]]:
    """Every LoadBalancer Service that stands as an object, by name."""
    found = [item for item in objects_of(rendered, "Service") if item["spec"]["type"] == "LoadBalancer"]
    return {item["metadata"]["name"]: item for item in found}


def test_every_address_is_that_of_a_service_of_ours_and_no_chart_opens_one() -> None:
    rendered = plan("metallb")
    assert set(lan_services(rendered)) == {f"{name}-lan" for name in LB_IPS}
    assert "LoadBalancer" not in [value for _, value in walk(rendered.folded.values)]


@pytest.mark.parametrize("provider", ["metallb", "cilium", "kube-vip"])
@pytest.mark.parametrize(("prefix", "family"), [("192.168.1.", "IPv4"), ("fd00::", "IPv6")])
def test_a_service_is_of_its_address_s_family_whichever_comes_first_in_the_cluster(
    provider: str, prefix: str, family: str
) -> None:
    names = [*LB_IPS, "relay"]
    addresses = {name: f"{prefix}{number}" for number, name in enumerate(names, 10)}
    balancer = {"provider": provider}
    rendered = plan_of(
        components=EVERYTHING, cluster={"distribution": "k3s", "load_balancer": balancer}, lb_ips=addresses
    )
    services = lan_services(rendered)
    assert set(services) == {f"{name}-lan" for name in names}
    for name, service in services.items():
        spec = service["spec"]
        assert (spec["ipFamilyPolicy"], spec["ipFamilies"]) == ("SingleStack", [family])
        assert service["metadata"]["annotations"][KEYS[provider]] == addresses[name.removesuffix("-lan")]
        assert service["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/force"] == "enabled"


def test_the_lan_sees_the_one_port_that_people_use() -> None:
    ports = {name: [p["port"] for p in item["spec"]["ports"]] for name, item in lan_services(plan("metallb")).items()}
    assert ports == {
        "grafana-lan": [80],
        "prometheus-lan": [9090],
        "loki-lan": [3100],
        "vector-lan": [6000],
        "alertmanager-lan": [9093],
    }


# The provider's own metrics -----------------------------------------------------------------------------------------

OF_METALLB = {"LoadBalancerNotAnnounced", "LoadBalancerAnnouncedTwice", "AddressPoolNearlyFull", "LoadBalancerBlind"}
OF_CILIUM = {"AddressPoolNearlyFull", "LoadBalancerBlind"}


def of_the_provider(rendered: Plan) -> set[str]:
    """The rules that look at metrics of MetalLB or Cilium."""
    rules = [rule for group in rendered.folded.rules["load-balancer"] for rule in group["rules"]]
    found = {rule["alert"] for rule in rules if "metallb_" in rule["expr"] or "cilium_" in rule["expr"]}
    assert found == {rule["alert"] for rule in rules} & OF_METALLB
    return found


@pytest.mark.parametrize(
    ("provider", "metrics", "rules", "monitored"),
    [
        ("metallb", None, OF_METALLB, True),
        ("metallb", "elsewhere", OF_METALLB, False),
        ("metallb", "none", set(), False),
        ("cilium", None, OF_CILIUM, True),
        ("cilium", "elsewhere", OF_CILIUM, False),
        ("cilium", "none", set(), False),
        ("kube-vip", None, set(), False),
        ("kube-vip", "none", set(), False),
    ],
)
def test_a_rule_that_needs_the_provider_s_metrics_is_there_only_when_somebody_scrapes_them(
    provider: str, metrics: str | None, rules: set[str], monitored: bool
) -> None:
    rendered = plan(provider, **({"metrics": metrics} if metrics else {}))
    assert of_the_provider(rendered) == rules
    monitors = {item["metadata"]["name"] for item in objects_of(rendered, "PodMonitor")}
    assert monitors & {"metallb", "cilium-operator"} == (
        {"metallb" if provider == "metallb" else "cilium-operator"} if monitored else set()
    )


def test_metallb_is_scraped_in_every_version_and_with_every_way_of_installing_it() -> None:
    rendered = plan("metallb", namespace="lb")
    spec = object_of(rendered, "PodMonitor", "metallb")["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["lb"]}
    assert spec["selector"] == {}, "the chart and the plain manifests label their pods differently"
    old, new = spec["podMetricsEndpoints"]
    assert (old["port"], old.get("scheme")) == ("monitoring", None), "up to 0.15"
    assert (new["port"], new["scheme"]) == ("metricshttps", "https"), "from 0.16 on"
    for endpoint in (old, new):
        assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "metallb"}]


def test_whoever_reads_the_metrics_of_metallb_may_read_metrics_and_nothing_else() -> None:
    rendered = plan("metallb")
    monitor = object_of(rendered, "PodMonitor", "metallb")
    credentials = monitor["spec"]["podMetricsEndpoints"][1]["authorization"]["credentials"]
    secret = object_of(rendered, "Secret", credentials["name"])
    account = object_of(rendered, "ServiceAccount", "homelabmon-metrics-reader")
    role = object_of(rendered, "ClusterRole", "homelabmon-metrics-reader")
    binding = object_of(rendered, "ClusterRoleBinding", "homelabmon-metrics-reader")
    assert credentials["key"] == "token", "which Kubernetes writes"
    assert "data" not in secret
    assert "stringData" not in secret
    assert secret["type"] == "kubernetes.io/service-account-token"
    name = account["metadata"]["name"]
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] == name
    assert {item["metadata"]["namespace"] for item in (monitor, secret, account)} == {"monitoring"}
    assert role["rules"] == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "monitoring"}]


def test_without_prometheus_nobody_scrapes_the_provider() -> None:
    balancer = {"provider": "metallb", "pool": ["192.168.1.224/28"]}
    rendered = plan_of(
        components={"alertmanager": {}}, cluster={"distribution": "k3s", "load_balancer": balancer}, lb_ips={}
    )
    assert objects_of(rendered, "PodMonitor") == []


@pytest.mark.parametrize("provider", ["metallb", "cilium", "kube-vip"])
def test_the_rules_know_every_service_that_has_an_address(provider: str) -> None:
    rendered = plan(provider)
    offers = [offer for offer in rendered.folded.site.offers if offer.capability == "lb.service"]
    assert {offer.data["name"]: offer.data["ip"] for offer in offers} == LB_IPS
    text = rendered.files["rules/load-balancer.yaml"]
    for offer in offers:
        assert offer.service in text
