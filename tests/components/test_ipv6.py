"""Pods with IPv6 addresses: what listens on IPv4 alone would be asked where it does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.source import walk
from tests.components.folding import K3S, folded

ALL: dict[str, Any] = {"prometheus": {}, "loki": {}, "vector": {"aggregator": {"syslog": {}}}, "falco": {}, "relay": {}}
V4: dict[str, str] = {"vector": "192.168.1.232"}


def listening(**sections: Any) -> set[str]:
    """The addresses that Vector, Falco and the node exporter listen on; ports left out."""
    result = folded(ALL, **sections)
    vectors = {name: result.helm_values(name)["customConfig"] for name in ("vector-agent", "vector-aggregator")}
    found = {value.rsplit(":", 1)[0] for path, value in walk(vectors) if path[-1] == "address" and _own(path)}
    found.add(result.helm_values("falco")["falco"].get("webserver", {}).get("listen_address", "falco's default"))
    exporter = result.helm_values("kube-prometheus-stack")["prometheus-node-exporter"]
    return found | {"every IPv4" if exporter.get("service", {}).get("listenOnAllInterfaces", True) else "the node's"}


@pytest.mark.parametrize("ipv6", [True, False])
def test_loki_finds_an_address_of_its_own_where_pods_have_no_ipv4(ipv6: bool) -> None:
    loki = folded(ALL, cluster={**K3S, "ipv6": ipv6}).helm_values("loki")["loki"]
    assert loki["commonConfig"]["ring"].get("instance_enable_ipv6", False) is ipv6
    assert loki.get("frontend", {}).get("instance_enable_ipv6", False) is ipv6


def _own(path: tuple[str | int, ...]) -> bool:
    return "sinks" not in path or "prom_exporter" in path


@pytest.mark.parametrize(
    "sections",
    [
        {"lb_ips": {"vector": "fd00::32"}},
        {"lb_ips": {}, "cluster": {**K3S, "load_balancer": {"provider": "metallb", "pool": ["fd00::/120"]}}},
        {"lb_ips": V4, "cluster": {**K3S, "ipv6": True}},
    ],
    ids=["an address", "a pool", "said so"],
)
def test_where_there_is_ipv6_everything_listens_on_it(sections: dict[str, Any]) -> None:
    assert listening(**sections) == {"[::]", "::", "the node's"}


@pytest.mark.parametrize(
    "sections",
    [{"lb_ips": V4}, {"lb_ips": {"loki": "fd00::31"}, "cluster": {**K3S, "ipv6": False}}],
    ids=["no such address", "said so"],
)
def test_without_it_nothing_asks_for_a_family_that_the_kernel_may_not_have(sections: dict[str, Any]) -> None:
    assert listening(**sections) == {"0.0.0.0", "falco's default", "every IPv4"}
