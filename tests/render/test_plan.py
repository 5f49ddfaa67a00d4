"""The plan: complete, deterministic, safe from substitution, ordered for Flux, and without a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from homelabmon.load import load
from homelabmon.render.plan import Plan, make_plan
from homelabmon.source import walk
from homelabmon.spec import names
from tests.stacks_common import EVERYTHING, EXAMPLE, ROOT, object_of, objects_of, plan_of

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"


@pytest.fixture(scope="module")
def example() -> Plan:
    """What the example renders to."""
    return make_plan(load(EXAMPLE))


def test_the_owners_five_addresses_and_components_are_all_there(example: Plan) -> None:
    services = {
        address
        for kind in ("Service",)
        for item in objects_of(example, kind)
        for address in [item["metadata"].get("annotations", {}).get("metallb.io/loadBalancerIPs")]
        if address
    }
    values = [value for path, value in walk(example.folded.values) if path[-1] == "metallb.io/loadBalancerIPs"]
    assert services | set(values) == {f"192.168.1.{number}" for number in range(229, 234)}
    releases = {item["metadata"]["name"] for item in objects_of(example, "HelmRelease")}
    assert releases == {
        "kube-prometheus-stack",
        "loki",
        "vector-agent",
        "vector-aggregator",
        "falco",
        "blackbox-exporter",
    }


def test_releases_are_named_so_that_names_inside_charts_stay_and_crds_are_kept_current(example: Plan) -> None:
    for release in objects_of(example, "HelmRelease"):
        spec = release["spec"]
        assert spec["releaseName"] == release["metadata"]["name"]
        assert "targetNamespace" not in spec
        assert spec["install"]["crds"] == spec["upgrade"]["crds"] == "CreateReplace"
        assert spec["chartRef"] == {"kind": "OCIRepository", "name": spec["releaseName"]}
        source = object_of(example, "OCIRepository", spec["releaseName"])
        assert source["spec"]["ref"]["tag"]
        assert source["spec"]["layerSelector"]["operation"] == "copy"


def test_charts_come_from_where_they_live_now(example: Plan) -> None:
    urls = {item["metadata"]["name"]: item["spec"]["url"] for item in objects_of(example, "OCIRepository")}
    assert urls["loki"] == "oci://ghcr.io/grafana-community/helm-charts/loki"
    assert urls["kube-prometheus-stack"] == "oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack"


def test_remediation_and_crds_can_be_left_to_cluster_wide_patches() -> None:
    flux = {"remediation": False, "crds": False}
    plan = plan_of(components={"prometheus": {}}, cluster={"distribution": "k3s", "flux": flux})
    spec = object_of(plan, "HelmRelease", "kube-prometheus-stack")["spec"]
    assert "install" not in spec
    assert "upgrade" not in spec


def test_without_flux_the_values_stand_alone(example: Plan) -> None:
    plan = plan_of(components=EVERYTHING, cluster={"distribution": "k3s", "flux": {"enabled": False}})
    assert not [path for path in plan.files if path.startswith("flux/")]
    assert not objects_of(plan, "HelmRelease")
    assert "values/kube-prometheus-stack.yaml" in plan.files
    for name in example.folded.releases:
        release = object_of(example, "HelmRelease", name)
        assert yaml.safe_load(example.files[f"values/{name}.yaml"]) == release["spec"]["values"]


def test_flux_applies_namespaces_first_and_our_custom_resources_after_their_kinds(example: Plan) -> None:
    def after(name: str) -> list[str]:
        found = object_of(example, "Kustomization", f"homelabmon-{name}")["spec"].get("dependsOn", [])
        return [item["name"] for item in found]

    assert after("namespaces") == []
    assert after("kube-prometheus-stack") == ["homelabmon-namespaces"]
    assert after("monitoring-config") == ["homelabmon-namespaces", "homelabmon-kube-prometheus-stack"]
    for app in example.folded.apps:
        assert app == "namespaces" or "homelabmon-namespaces" in after(app)


def test_flux_waits_for_what_operators_make_of_the_release(example: Plan) -> None:
    spec = object_of(example, "Kustomization", "homelabmon-kube-prometheus-stack")["spec"]
    assert [check["kind"] for check in spec["healthChecks"]] == ["HelmRelease", "Prometheus", "Alertmanager"]
    assert {check["kind"] for check in spec["healthCheckExprs"]} == {"Prometheus", "Alertmanager"}
    assert "wait" not in spec, "with wait Flux ignores healthChecks"
    assert object_of(example, "Kustomization", "homelabmon-loki")["spec"]["wait"] is True


def test_our_namespaces_wait_for_what_the_owner_names() -> None:
    flux = {"depends_on": [{"name": "metallb"}, {"name": "longhorn", "namespace": "storage"}]}
    plan = plan_of(components={"loki": {}}, cluster={"distribution": "k3s", "flux": flux})
    spec = object_of(plan, "Kustomization", "homelabmon-namespaces")["spec"]
    assert spec["dependsOn"] == [{"name": "metallb"}, {"name": "longhorn", "namespace": "storage"}]


def test_custom_resources_of_the_operator_stand_in_the_app_that_waits_for_it(example: Plan) -> None:
    for path, item in example.objects:
        if item["apiVersion"].startswith("monitoring.coreos.com/"):
            assert "/monitoring-config/" in path, path


def test_every_object_is_listed_in_its_kustomization(example: Plan) -> None:
    for path in example.files:
        if path.startswith(("apps/", "flux/")) and not path.endswith("kustomization.yaml"):
            folder, _, file = path.rpartition("/")
            assert file in yaml.safe_load(example.files[f"{folder}/kustomization.yaml"])["resources"]


def test_post_build_substitution_cannot_eat_anything(example: Plan) -> None:
    for path, item in example.objects:
        if "$" in str(item):
            assert item["metadata"]["annotations"][SUBSTITUTE] == "disabled", path


def test_where_substitution_always_runs_every_dollar_is_doubled() -> None:
    alert = {"alert": "A", "expr": "up == 0", "summary": "{{ $labels.job }} costs $$5 and ${X}"}
    plan = plan_of(
        components={"prometheus": {}},
        cluster={"distribution": "k3s", "flux": {"substitution": "escaped"}},
        alerts=[alert],
    )
    (rule,) = [item for item in objects_of(plan, "PrometheusRule") if item["metadata"]["name"] == "homelabmon-own"]
    assert SUBSTITUTE not in rule["metadata"].get("annotations", {})
    summary = rule["spec"]["groups"][0]["rules"][0]["annotations"]["summary"]
    assert summary == "{{ $$labels.job }} costs $$$$5 and $${X}"
    assert alert["summary"] in plan.files["rules/own.yaml"], "plain files are not read by Flux"


def test_namespaces_carry_the_level_that_runs_in_them_and_are_never_pruned(example: Plan) -> None:
    for name in ("monitoring", "security"):
        metadata = object_of(example, "Namespace", name)["metadata"]
        assert metadata["labels"][names.PSA_ENFORCE] == "privileged"
        assert metadata["annotations"][names.FLUX_PRUNE] == "disabled"
    plan = plan_of(components={"relay": {}})
    assert object_of(plan, "Namespace", "monitoring")["metadata"]["labels"][names.PSA_ENFORCE] == "restricted"


def test_external_secrets_are_rendered_for_exactly_what_is_read() -> None:
    plan = plan_of(components=EVERYTHING, secrets={"store": "onepassword", "prefix": "lab-"})
    found = {
        (item["metadata"]["namespace"], item["metadata"]["name"]): item["spec"]
        for item in objects_of(plan, "ExternalSecret")
    }
    hooks = found["monitoring", "hooks"]
    assert hooks["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "onepassword"}
    assert hooks["data"] == [{"secretKey": "ops", "remoteRef": {"key": "lab-hooks", "property": "ops"}}]
    assert {need.secret for need in plan.folded.secrets} == {name for _, name in found}
    assert all(item["apiVersion"] == "external-secrets.io/v1" for item in objects_of(plan, "ExternalSecret"))


def test_extra_manifests_are_not_changed() -> None:
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"x": "${SUBSTITUTE_ME}"}}
    plan = plan_of(extra=[extra, extra])
    assert [item for _, item in plan.objects if item["kind"] == "ConfigMap"] == [extra, extra]
    assert {"apps/extra/configmap-mine.yaml", "apps/extra/configmap-mine-2.yaml"} <= set(plan.files)


def test_a_pack_can_be_switched_off_or_lose_an_alert() -> None:
    plan = plan_of(
        components={"prometheus": {}}, packs={"pods": {"enabled": False}, "nodes": {"disabled": ["NodeDown"]}}
    )
    assert "rules/pods.yaml" not in plan.files
    assert "alert: NodeDown\n" not in plan.files["rules/nodes.yaml"]
    assert "alert: MemoryPressure\n" in plan.files["rules/nodes.yaml"]


def test_rules_stand_twice_and_alike(example: Plan) -> None:
    for path, text in example.files.items():
        if path.startswith("rules/"):
            rule = object_of(example, "PrometheusRule", f"homelabmon-{path[6:-5]}")
            assert yaml.safe_load(text)["groups"] == rule["spec"]["groups"]


def test_every_file_says_that_it_is_made_and_ends_with_a_newline(example: Plan) -> None:
    for path, text in example.files.items():
        assert names.HEADER in text[:1000], path
        assert text.endswith("\n"), path


DIGEST = """
import hashlib, sys
from pathlib import Path
from homelabmon.load import load
from homelabmon.render.plan import make_plan
files = make_plan(load(Path(sys.argv[1]))).files
print(hashlib.sha256(repr(list(files.items())).encode()).hexdigest())
"""


def test_same_input_same_bytes_whatever_the_hash_seed_the_zone_and_the_locale() -> None:
    def digest(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", DIGEST, str(EXAMPLE)],
            env={**os.environ, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    seen = {
        digest(PYTHONHASHSEED="1", TZ="UTC"),
        digest(PYTHONHASHSEED="2", TZ="Pacific/Auckland", LC_ALL="C"),
        digest(PYTHONHASHSEED="3", TZ="America/New_York", LC_ALL="C.UTF-8", PYTHONOPTIMIZE="1"),
    }
    assert len(seen) == 1


def optional_parts() -> list[dict[str, Any]]:
    """The full set of components with each one left out, and each one alone."""
    without = [{name: config for name, config in EVERYTHING.items() if name != left} for left in EVERYTHING]
    alone = [{name: config} for name, config in EVERYTHING.items()]
    return [*without, *alone, {}]


@pytest.mark.parametrize("components", optional_parts(), ids=lambda parts: "+".join(parts) or "none")
def test_components_are_optional_one_by_one(components: dict[str, Any]) -> None:
    plan = plan_of(
        components=components,
        cluster={"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}},
        lb_ips={"grafana": "192.168.1.229", "loki": "192.168.1.231", "vector": "192.168.1.232"},
        probes=[{"name": "x", "url": "https://x.example.net", "from": "both"}],
        scrape=[{"name": "nas", "targets": ["192.168.1.10:9100"]}],
        heartbeats=[{"name": "b", "cronjob": "a/b"}],
        outpost={"url": "https://o.example.net"},
    )
    present = set(plan.folded.apps)
    for item in objects_of(plan, "Kustomization"):
        for dependency in item.get("spec", {}).get("dependsOn", []):
            assert dependency["name"].removeprefix("homelabmon-") in present
    if "prometheus" not in components:
        kinds = {"PrometheusRule", "ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"}
        assert not [item for _, item in plan.objects if item["kind"] in kinds]
