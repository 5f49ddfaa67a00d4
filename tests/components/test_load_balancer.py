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


@pytest.mark.parametrize("provider", ["metallb", "cilium", "kube-vip"])
def test_the_rules_know_every_service_that_has_an_address(provider: str) -> None:
    rendered = plan(provider)
    offers = [offer for offer in rendered.folded.site.offers if offer.capability == "lb.service"]
    assert {offer.data["name"]: offer.data["ip"] for offer in offers} == LB_IPS
    text = rendered.files["rules/load-balancer.yaml"]
    for offer in offers:
        assert offer.service in text
