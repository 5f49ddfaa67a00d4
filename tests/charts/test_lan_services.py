"""Every Service that the LAN sees finds the pods that the real charts make, and a port of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from homelabmon.load import load
from homelabmon.render.plan import Plan, make_plan
from homelabmon.spec.contribution import LB_SERVICE, Object, Offer
from tests.charts.inflate import inflate_release, pick
from tests.stacks_common import EXAMPLE, GOLDEN, object_of

STACKS = {"example": EXAMPLE, **{path.parent.name: path for path in sorted(GOLDEN.glob("*/stack.yaml"))}}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@pytest.fixture(params=STACKS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return make_plan(load(STACKS[request.param]))


def everything(plan: Plan) -> list[Object]:
    """What is rendered, and what the charts make of it."""
    inflated = [item for name in plan.folded.releases for item in inflate_release(plan.folded, name)]
    return [*inflated, *(item for _, item in plan.objects)]


def lan(plan: Plan) -> Iterator[tuple[Offer, Object]]:
    for offer in plan.folded.site.offered(LB_SERVICE):
        yield offer, object_of(plan, "Service", offer.service)


def matched(selector: dict[str, str], namespace: str, objects: list[Object]) -> list[Object]:
    """The pod templates that a selector matches."""
    templates = [item["spec"]["template"] for item in objects if _runs(item, namespace)]
    return [template for template in templates if selector.items() <= template["metadata"]["labels"].items()]


def _runs(item: Object, namespace: str) -> bool:
    return item["kind"] in WORKLOADS and item["metadata"].get("namespace", namespace) == namespace


def ports(template: dict[str, Any]) -> set[str | int]:
    declared = [port for container in template["spec"]["containers"] for port in container.get("ports", [])]
    return {port.get("name", "") for port in declared} | {port["containerPort"] for port in declared}


def test_it_finds_the_pods_and_their_port(plan: Plan) -> None:
    objects = everything(plan)
    for offer, service in lan(plan):
        selector = service["spec"]["selector"]
        if offer.data["name"] in ("prometheus", "alertmanager"):
            # The operator makes these pods; the chart's own Service knows how it labels them and names their ports.
            theirs = pick(objects, "Service", offer.data["behind"])
            assert selector == theirs["spec"]["selector"]
            assert service["spec"]["ports"][0]["targetPort"] in [port["name"] for port in theirs["spec"]["ports"]]
            continue
        (template,) = matched(selector, service["metadata"]["namespace"], objects)
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports(template)


def test_nothing_else_has_an_address_and_no_chart_opens_a_load_balancer(plan: Plan) -> None:
    found = [
        item["metadata"]["name"] for item in everything(plan) if item.get("spec", {}).get("type") == "LoadBalancer"
    ]
    assert sorted(found) == sorted(offer.service for offer, _ in lan(plan))


def test_the_service_behind_it_exists_and_stays_inside(plan: Plan) -> None:
    objects = everything(plan)
    for offer, _ in lan(plan):
        assert pick(objects, "Service", offer.data["behind"])["spec"].get("type", "ClusterIP") == "ClusterIP"


def test_no_monitor_takes_it_for_the_chart_s_service(plan: Plan) -> None:
    monitors = [item for item in everything(plan) if item["kind"] == "ServiceMonitor"]
    for _, service in lan(plan):
        labels = service["metadata"]["labels"]
        for monitor in monitors:
            wanted = monitor["spec"]["selector"].get("matchLabels", {})
            assert not wanted or not wanted.items() <= labels.items(), monitor["metadata"]["name"]
