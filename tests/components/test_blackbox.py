"""The blackbox exporter: modules and Probe objects from the stack's probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelabmon.render.fold import Folded
from tests.components.folding import TALOS, folded, objects
from tests.components.real_crds import problems

DNS = {
    "name": "upstream_dns",
    "dns": {"server": "1.1.1.1:53", "query": "example.net", "type": "AAAA", "answer": "2606:"},
}
EVERY_KIND: list[dict[str, Any]] = [
    {"name": "ghcr", "url": "https://ghcr.io/v2/", "expect": {"status": [200, 401]}},
    {"name": "wiki", "url": "http://wiki.home", "interval": "30s", "timeout": "5s"},
    {"name": "shop", "url": "https://shop.example", "expect": {"body": "(?i)welcome", "redirects": False}},
    {"name": "ssh", "tcp": "192.168.1.10:22"},
    {"name": "router", "icmp": "192.168.1.1"},
    DNS,
]


def _folded(probes: list[dict[str, Any]], **more: Any) -> Folded:
    return folded({"prometheus": {}}, probes=probes, **more)


def _modules(probes: list[dict[str, Any]]) -> dict[str, Any]:
    modules: dict[str, Any] = _folded(probes).helm_values("blackbox-exporter")["config"]["modules"]
    return modules


def _probes(result: Folded) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item["spec"] for item in objects(result, "monitoring-config", "probes.yaml")}


@pytest.mark.parametrize("probes", [[], [{"name": "ghcr", "url": "https://ghcr.io", "from": "outpost"}]])
def test_without_a_probe_from_inside_there_is_no_exporter(probes: list[dict[str, Any]]) -> None:
    result = _folded(probes)
    assert "blackbox-exporter" not in result.releases
    assert "probes.yaml" not in result.objects["monitoring-config"]


def test_without_prometheus_there_is_nobody_to_ask_it() -> None:
    assert "blackbox-exporter" not in folded({"loki": {}}, probes=EVERY_KIND).releases


def test_probes_from_both_vantages_run_inside_too() -> None:
    assert list(_probes(_folded([{"name": "ghcr", "url": "https://ghcr.io", "from": "both"}]))) == ["ghcr"]


def test_probes_share_a_module_unless_they_differ() -> None:
    specs = _probes(_folded(EVERY_KIND))
    assert {name: spec["module"] for name, spec in specs.items()} == {
        "ghcr": "http-ghcr",
        "wiki": "http",
        "shop": "http-shop",
        "ssh": "tcp",
        "router": "icmp",
        "upstream-dns": "dns-upstream_dns",
    }
    assert set(_modules(EVERY_KIND)) == {spec["module"] for spec in specs.values()}


def test_expectations_become_conditions() -> None:
    modules = _modules(EVERY_KIND)
    assert modules["http"]["http"]["valid_status_codes"] == [200]
    assert modules["http-ghcr"]["http"]["valid_status_codes"] == [200, 401]
    assert modules["http-shop"]["http"]["fail_if_body_not_matches_regexp"] == ["(?i)welcome"]
    assert modules["http-shop"]["http"]["follow_redirects"] is False
    dns = modules["dns-upstream_dns"]["dns"]
    assert (dns["query_name"], dns["query_type"]) == ("example.net", "AAAA")
    assert dns["validate_answer_rrs"] == {"fail_if_none_matches_regexp": ["2606:"]}


def test_ipv4_comes_first_as_few_homelabs_have_a_route_for_the_other() -> None:
    for module in _modules(EVERY_KIND).values():
        assert module[module["prober"]]["preferred_ip_protocol"] == "ip4"


def test_a_failure_is_told_before_the_scrape_gives_up() -> None:
    specs = _probes(_folded([*EVERY_KIND, {"name": "tight", "url": "http://x", "interval": "10s", "timeout": "10s"}]))
    assert (specs["wiki"]["interval"], specs["wiki"]["scrapeTimeout"]) == ("30s", "5s500ms")
    # Prometheus refuses a timeout above the interval.
    assert (specs["tight"]["interval"], specs["tight"]["scrapeTimeout"]) == ("10s", "10s")


def test_probes_are_where_prometheus_is() -> None:
    items = objects(_folded(EVERY_KIND), "monitoring-config", "probes.yaml")
    assert {item["metadata"]["namespace"] for item in items} == {"monitoring"}


def test_series_carry_the_probe_s_name_and_the_job_of_the_rules() -> None:
    for spec in _probes(_folded(EVERY_KIND)).values():
        assert spec["jobName"] == "blackbox"
    static = _probes(_folded([DNS]))["upstream-dns"]["targets"]["staticConfig"]
    assert static == {"static": ["1.1.1.1:53"], "labels": {"probe": "upstream_dns"}}


def test_prober_is_the_release_s_service_in_the_cluster_s_domain() -> None:
    result = _folded(EVERY_KIND, cluster=TALOS)
    assert result.helm_values("blackbox-exporter")["fullnameOverride"] == "blackbox-exporter"
    urls = {spec["prober"]["url"] for spec in _probes(result).values()}
    assert urls == {"blackbox-exporter.monitoring.svc.home.arpa:9115"}


def test_pings_need_no_rights_and_only_pings_ask_for_the_sockets() -> None:
    with_icmp = _folded(EVERY_KIND).helm_values("blackbox-exporter")
    assert with_icmp["podSecurityContext"]["sysctls"] == [
        {"name": "net.ipv4.ping_group_range", "value": "0 2147483647"}
    ]
    assert "podSecurityContext" not in _folded([DNS]).helm_values("blackbox-exporter")


def test_braces_in_an_expression_stay_as_they_are() -> None:
    probe = {"name": "page", "url": "http://x", "expect": {"body": "{{ title }}"}}
    assert _modules([probe])["http-page"]["http"]["fail_if_body_not_matches_regexp"] == ["{{ title }}"]


@pytest.mark.shared
def test_probes_fit_the_real_crd(shared_data: Path) -> None:
    for item in objects(_folded(EVERY_KIND), "monitoring-config", "probes.yaml"):
        assert problems(shared_data, item) == []
