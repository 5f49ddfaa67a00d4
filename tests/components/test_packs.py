"""What the packs are told of the stack: they watch what is there, where it is, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from homelabmon.render.fold import Folded
from tests.components.folding import folded


def alerts(result: Folded, pack: str) -> dict[str, str]:
    """A pack's alerts and their expressions."""
    rules = [rule for group in result.rules.get(pack, []) for rule in group["rules"]]
    return {rule["alert"]: rule["expr"] for rule in rules if "alert" in rule}


@pytest.mark.parametrize(
    ("pack", "alert", "component"),
    [("logs", "VectorAgentMissing", "vector"), ("falco", "FalcoMissingOnNode", "falco")],
)
def test_daemonsets_are_looked_for_where_they_are_installed(pack: str, alert: str, component: str) -> None:
    components: dict[str, Any] = {"prometheus": {"namespace": "o11y"}, "loki": {"namespace": "logging"}}
    result = folded({**components, component: {"namespace": "nodes"}}, lb_ips={})
    assert re.findall(r'kube_pod_info{[^}]*namespace="([^"]+)"', alerts(result, pack)[alert]) == ["nodes"]


@pytest.mark.parametrize(
    ("components", "watched"),
    [
        ({"prometheus": {}, "vector": {}}, False),
        ({"prometheus": {}, "vector": {}, "falco": {}}, False),
        ({"prometheus": {}, "vector": {}, "falco": {}, "relay": {}}, True),
        ({"prometheus": {}, "vector": {}, "loki": {}}, True),
    ],
    ids=["nowhere to ship to", "nobody takes the events", "events alone", "logs"],
)
def test_vector_is_watched_only_where_it_is_installed(components: dict[str, Any], watched: bool) -> None:
    result = folded(components, lb_ips={})
    assert ("vector-aggregator" in result.releases) is watched
    assert any(name.startswith("Vector") for name in alerts(result, "logs")) is watched


def test_a_service_behind_an_address_is_told_of_once_unless_nobody_tells_of_the_address() -> None:
    def expression(packs: dict[str, Any]) -> str:
        return alerts(folded({"prometheus": {}, "loki": {}}, packs=packs), "readiness")["ServiceWithoutReadyEndpoints"]

    twin = 'kube_service_spec_type{job="kube-state-metrics",namespace="monitoring",service="loki"}'
    assert f"unless on (namespace, service) {twin}" in expression({})
    assert twin not in expression({"readiness": {"disabled": ["LoadBalancerBackendsGone"]}})
