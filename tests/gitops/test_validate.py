"""What `validate` says about rendered objects: each finding's place, message and fix, word for word."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest

from homelabmon.gitops.validate import CHECKS, validate
from homelabmon.spec import names
from homelabmon.spec.findings import Finding, Severity
from tests.gitops.samples import CUSTOM_FILES, Object, Place, changed, examples, lines, name_of, removed

EXAMPLES = examples(*CUSTOM_FILES, "core.yaml")
BY_NAME = {name_of(obj): obj for obj in EXAMPLES}


def judge(*objects: Any, **options: Any) -> list[Finding]:
    """The findings about objects that stand in files of their own: ``0.yaml``, ``1.yaml``."""
    found = validate([(f"{n}.yaml", obj) for n, obj in enumerate(objects)], kubernetes="1.34", **options)
    assert {finding.check for finding in found} <= set(CHECKS)
    return found


def plain(kind: str = "ConfigMap", api_version: str = "v1", **fields: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "monitoring"}, **fields}


def test_a_whole_set_of_valid_objects_has_no_findings() -> None:
    assert lines(judge(*EXAMPLES)) == []


RELEASE, DEPLOYMENT, RULES = "HelmRelease-podinfo", "Deployment-relay", "PrometheusRule-nodes"


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        (DEPLOYMENT, ("spec", "replica"), 2,
         "object 0.yaml: spec.replica: Deployment monitoring/relay: unknown field 'replica'; did you mean 'replicas'?"),
        (DEPLOYMENT, ("spec", "replicas"), "2",
         "object 0.yaml: spec.replicas: Deployment monitoring/relay: '2' is not a whole number; "
         "write it without quotes: 2"),
        (DEPLOYMENT, ("spec", "template", "spec", "containers", 0, "env", 0, "value"), 1,
         "object 0.yaml: spec.template.spec.containers[0].env[0].value: Deployment monitoring/relay: 1 is not text; "
         'quote it: "1"'),
        (DEPLOYMENT, ("spec", "template", "metadata", "labels", "tier"), True,
         "string-values 0.yaml: spec.template.metadata.labels.tier: Deployment monitoring/relay: true is not text; "
         'quote it: "true"'),
        (DEPLOYMENT, ("metadata", "labels"), {"tier": True},
         "string-values 0.yaml: metadata.labels.tier: Deployment monitoring/relay: the label true is no text; "
         'quote it: "true"'),
        (DEPLOYMENT, ("metadata", "annotations"), {"example.net/note": None},
         "string-values 0.yaml: metadata.annotations.example.net/note: Deployment monitoring/relay: "
         'the annotation has no value; write a text, "" for an empty one'),
        (DEPLOYMENT, ("metadata", "labels"), {"tier": "a b"},
         "metadata 0.yaml: metadata.labels.tier: Deployment monitoring/relay: 'a b' is no label value; "
         "write at most 63 letters, digits, dashes, dots and underscores"),
        (DEPLOYMENT, ("metadata", "annotations"), {"a b": ""},
         "metadata 0.yaml: metadata.annotations.a b: Deployment monitoring/relay: 'a b' is no name for annotations; "
         "write prefix.example/name"),
        (DEPLOYMENT, ("metadata", "name"), "Relay",
         "metadata 0.yaml: metadata.name: Deployment monitoring/Relay: 'Relay' is no name that Kubernetes accepts; "
         "write lower case letters, digits and dashes"),
        ("Service-relay", ("metadata", "name"), "1relay",
         "metadata 0.yaml: metadata.name: Service monitoring/1relay: '1relay' is no name that Kubernetes accepts; "
         "write lower case letters, digits and dashes"),
        ("Secret-relay", ("data",), {"key": "not-base64"},
         "object 0.yaml: data.key: Secret monitoring/relay: the value is not of the format base64; "
         "encode it, or use stringData"),
        (RELEASE, ("spec", "interval"), "30d",
         "custom-resource 0.yaml: spec.interval: HelmRelease default/podinfo: '30d' is not valid here; "
         "write a Go duration such as 30s, 5m or 1h30m; 30d is 720h"),
        (RELEASE, ("spec", "chartRef"), {"kind": "OCIRepository", "name": "podinfo"},
         "custom-resource 0.yaml: spec: HelmRelease default/podinfo: exactly one of chart and chartRef must be set"),
        (RELEASE, ("spec", "install"), {"crds": "createreplace"},
         "custom-resource 0.yaml: spec.install.crds: HelmRelease default/podinfo: 'createreplace' is not known here; "
         "did you mean 'CreateReplace'?"),
        (RELEASE, ("spec", "install"), {"strategy": {"name": "RemediateOnFailure", "retryInterval": "5m"}},
         "custom-resource 0.yaml: spec.install.strategy: HelmRelease default/podinfo: "
         "name RemediateOnFailure does not take retryInterval"),
        (RELEASE, ("spec", "suspend"), None,
         "custom-resource 0.yaml: spec.suspend: HelmRelease default/podinfo: the key has no value; "
         "write true or false, or remove the key"),
        (RELEASE, ("spec", "values"), {"podLabels": {"tier": 1}},
         "string-values 0.yaml: spec.values.podLabels.tier: HelmRelease default/podinfo: the label 1 is no text; "
         'quote it: "1"'),
        (RULES, ("spec", "groups", 0, "rules", 0, "for"), "5 m",
         "custom-resource 0.yaml: spec.groups[0].rules[0].for: PrometheusRule monitoring/nodes: '5 m' is not valid "
         "here; write a Prometheus duration such as 30s, 5m, 1h30m or 30d, largest unit first"),
        (RULES, ("spec", "groups", 0, "rules", 1, "alert"), "X",
         "custom-resource 0.yaml: spec.groups[0].rules[1]: PrometheusRule monitoring/nodes: "
         "exactly one of alert and record must be set"),
        (RULES, ("spec", "groups", 1, "name"), "homelabmon.nodes",
         "custom-resource 0.yaml: spec.groups: PrometheusRule monitoring/nodes: "
         "items 0 and 1 have the same name 'homelabmon.nodes'"),
        ("ServiceMonitor-relay", ("spec", "endpoints", 0, "scrapeTimeout"), "1m",
         "custom-resource 0.yaml: spec.endpoints[0]: ServiceMonitor monitoring/relay: "
         "scrapeTimeout is longer than interval"),
        ("ServiceMonitor-relay", ("spec", "endpoints", 0, "relabelings", 0), {"sourceLabels": ["a"]},
         "custom-resource 0.yaml: spec.endpoints[0].relabelings[0]: ServiceMonitor monitoring/relay: "
         "this action (replace is the default) needs targetLabel"),
        ("Probe-jellyfin", ("spec", "prober", "url"), "http://blackbox:9115",
         "custom-resource 0.yaml: spec.prober.url: Probe monitoring/jellyfin: 'http://blackbox:9115' is not valid "
         "here; write host:port without http://, scheme stands apart"),
        ("ScrapeConfig-nas", ("spec", "consulSDConfigs"), [{"server": "consul:8500"}],
         "custom-resource 0.yaml: spec.consulSDConfigs: ScrapeConfig monitoring/nas: "
         "consulSDConfigs is beyond what homelabmon checks; give your cluster's CRDs: --crds DIR"),
        ("IPAddressPool-homelab", ("spec", "addresses"), [],
         "custom-resource 0.yaml: spec.addresses: IPAddressPool metallb-system/homelab: "
         "the list needs 1 item at least"),
        ("ExternalSecret-discord-webhooks", ("spec", "data", 0, "remoteRef"), {},
         "custom-resource 0.yaml: spec.data[0].remoteRef: ExternalSecret monitoring/discord-webhooks: "
         "the field 'key' is missing; add key"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_place_value_and_fix(name: str, place: Place, value: object, expected: str) -> None:
    assert [f"{one.check} {one.render()}" for one in judge(changed(BY_NAME[name], place, value))] == [expected]


def test_a_release_whose_values_are_left_empty_is_as_valid_as_the_api_server_finds_it() -> None:
    assert judge(changed(BY_NAME[RELEASE], ("spec", "values"), None)) == []


def test_a_scrape_may_take_as_long_as_its_interval() -> None:
    assert judge(changed(BY_NAME["ServiceMonitor-relay"], ("spec", "endpoints", 0, "scrapeTimeout"), "30s")) == []


def test_a_missing_field_names_what_to_write() -> None:
    assert lines(judge(removed(BY_NAME[RELEASE], ("spec", "interval")))) == [
        "0.yaml: spec: HelmRelease default/podinfo: the field 'interval' is missing; "
        "add interval: a Go duration such as 30s, 5m or 1h30m; 30d is 720h"
    ]


def test_all_mistakes_are_told_at_once() -> None:
    obj = changed(changed(BY_NAME[RELEASE], ("spec", "interval"), "1d"), ("spec", "suspnd"), True)
    assert [finding.path for finding in judge(obj)] == [("spec", "interval"), ("spec", "suspnd")]


def test_what_looks_like_a_credential_is_never_shown() -> None:
    webhook = "https://discord.com/api/webhooks/123456/abcdefghijklmnop"
    obj = changed(BY_NAME[RELEASE], ("spec", "interval"), webhook)
    assert lines(judge(obj))[0].startswith("0.yaml: spec.interval: HelmRelease default/podinfo: '[redacted]' is not")
    [finding] = judge(changed(BY_NAME["Secret-relay"], ("stringData", "note"), 123456))
    assert "123456" not in finding.message


def test_a_long_value_is_cut() -> None:
    [finding] = judge(changed(BY_NAME[RELEASE], ("spec", "interval"), "x" * 500))
    assert len(finding.message) < 150


# Kinds ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api_version", "kind", "severity", "expected"),
    [
        ("apps/v1", "Deploymnt", "error",
         "0.yaml: kind: Deploymnt monitoring/x: Kubernetes 1.34 has no kind 'Deploymnt' in apps/v1; "
         "did you mean 'Deployment'?"),
        ("batch/v1beta1", "CronJob", "error",
         "0.yaml: apiVersion: CronJob monitoring/x: Kubernetes 1.34 does not serve CronJob as batch/v1beta1; "
         "write apiVersion: batch/v1"),
        ("v1", "Deployment", "error",
         "0.yaml: apiVersion: Deployment monitoring/x: Kubernetes 1.34 does not serve Deployment as v1; "
         "write apiVersion: apps/v1"),
        ("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease", "error",
         "0.yaml: apiVersion: HelmRelease monitoring/x: HelmRelease is not served as helm.toolkit.fluxcd.io/v2beta1; "
         "write apiVersion: helm.toolkit.fluxcd.io/v2, or give your cluster's CRDs: --crds DIR"),
        ("monitoring.coreos.com/v1", "PrometheusRules", "error",
         "0.yaml: kind: PrometheusRules monitoring/x: there is no kind 'PrometheusRules'; "
         "did you mean 'PrometheusRule'?"),
        ("monitoring.coreos.com/v1", "PrometheusAgent", "info",
         "0.yaml: kind: PrometheusAgent monitoring/x: monitoring.coreos.com/v1 PrometheusAgent is not checked: "
         "no schema is known for it; give your cluster's CRDs: --crds DIR"),
        ("traefik.io/v1alpha1", "IngressRoute", "info",
         "0.yaml: kind: IngressRoute monitoring/x: traefik.io/v1alpha1 IngressRoute is not checked: "
         "no schema is known for it; give your cluster's CRDs: --crds DIR"),
    ],
)  # fmt: skip
def test_an_unknown_kind_is_a_mistake_or_not_checked(api_version: str, kind: str, severity: str, expected: str) -> None:
    [finding] = judge(plain(kind, api_version))
    assert (finding.check, finding.severity.value, finding.render()) == ("unknown-kind", severity, expected)


def test_the_metadata_of_an_unknown_kind_is_judged_all_the_same() -> None:
    obj = {**plain("IngressRoute", "traefik.io/v1alpha1"), "metadata": {"labels": {"a": 1}}}
    assert [(finding.check, finding.path) for finding in judge(obj)] == [
        ("metadata", ("metadata", "name")),
        ("string-values", ("metadata", "labels", "a")),
        ("unknown-kind", ("kind",)),
    ]


def test_a_kubernetes_that_is_too_old_is_an_error_in_the_stack() -> None:
    [finding] = validate([("0.yaml", plain())], kubernetes="1.19")
    assert finding.render() == (
        "stack.yaml: cluster.kubernetes: Kubernetes 1.19 is too old to be checked: the oldest schemas are for 1.25; "
        "write 1.25 or newer"
    )


def test_a_kubernetes_newer_than_all_schemas_is_a_remark() -> None:
    [finding] = validate([("0.yaml", plain())], kubernetes="1.99")
    assert finding.severity is Severity.INFO
    assert finding.message.startswith("there are no schemas for Kubernetes 1.99 yet: objects are checked against 1.")


# What is no object, and lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "0.yaml: apiVersion: no Kubernetes object: apiVersion is missing; add apiVersion"),
        ({"apiVersion": "v1"}, "0.yaml: kind: no Kubernetes object: kind is missing; add kind"),
        ({"apiVersion": 1, "kind": "Pod"},
         "0.yaml: apiVersion: Pod: no Kubernetes object: apiVersion is missing; add apiVersion"),
        ([], "0.yaml: the file holds no Kubernetes object; write one mapping a document"),
        (None, "0.yaml: the file holds no Kubernetes object; write one mapping a document"),
        (plain(data={"day": datetime.date(2026, 1, 1)}),
         "0.yaml: data.day: a value of type date cannot stand in an object: 2026-01-01; quote it"),
        (plain(data={"x": float("nan")}),
         "0.yaml: data.x: a value of type float cannot stand in an object: nan; write a text or a number"),
    ],
)  # fmt: skip
def test_what_is_no_object_is_said(data: Any, expected: str) -> None:
    assert lines(judge(data)) == [expected]


def test_tuples_and_text_subclasses_are_data_like_any_other() -> None:
    obj = plain("Service", spec={"type": Severity.ERROR, "ports": ({"port": 80},)})
    assert judge(obj) == []


def test_what_is_in_a_list_is_judged_one_by_one() -> None:
    inside = {"apiVersion": "v1", "kind": "List", "items": [plain(dta={}), "text"]}
    assert lines(judge({"apiVersion": "v1", "kind": "List", "items": [plain(), inside]})) == [
        "0.yaml: items[1].items[1]: an item of a List is no object",
        "0.yaml: items[1].items[0].dta: ConfigMap monitoring/x: unknown field 'dta'; did you mean 'data'?",
        "0.yaml: items[1].items[0].metadata.name: ConfigMap monitoring/x: the same object stands in 0.yaml already; "
        "remove or rename one of them",
    ]


# Substitution ---------------------------------------------------------------------------------------------------------

MARKED = {names.FLUX_SUBSTITUTE: "disabled"}


@pytest.mark.parametrize(
    "text",
    ["${VAR}", "a ${b.c} d", "${", "$$", "cost: 5$$", "${__rate_interval}", "x${1}y"],
)
def test_text_that_flux_would_substitute_is_found(text: str) -> None:
    [finding] = judge(plain(data={"text": text}))
    assert finding.check == "substitution"
    assert finding.path == ("data", "text")
    assert (
        finding.fix
        == "annotate the object with kustomize.toolkit.fluxcd.io/substitute: disabled (or `enabled`, if it is meant)"
    )


def test_the_message_about_substitution_shows_what_would_be_damaged() -> None:
    assert lines(judge(plain(data={"q": "rate(x[${__rate_interval}])"}))) == [
        "0.yaml: data.q: ConfigMap monitoring/x: Flux's post-build substitution would damage '${__rate_interval}'; "
        "annotate the object with kustomize.toolkit.fluxcd.io/substitute: disabled (or `enabled`, if it is meant)"
    ]


def test_keys_are_text_too() -> None:
    assert [finding.path for finding in judge(plain(data={"${key}": ""}))][-1] == ("data", "${key}")


@pytest.mark.parametrize("text", ["$VAR", "$1", "^a$", "{{ $labels.pod }}", "5$"])
def test_a_dollar_without_braces_is_left_alone_by_flux(text: str) -> None:
    assert judge(plain(data={"text": text})) == []


@pytest.mark.parametrize("field", ["annotations", "labels"])
def test_a_marked_object_may_hold_anything(field: str) -> None:
    obj = plain(data={"text": "${VAR} $$"})
    obj["metadata"][field] = MARKED
    assert judge(obj) == []


def test_what_flux_is_to_substitute_says_so() -> None:
    obj = plain(data={"host": "jellyfin.${DOMAIN}"})
    obj["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/substitute": "enabled"}
    assert judge(obj) == []


def test_a_kustomization_can_mark_everything_in_its_folder_and_below() -> None:
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "commonAnnotations": MARKED,
    }
    obj, other = plain(data={"text": "${VAR}"}), changed(plain(), ("metadata", "name"), "y")
    other["data"] = {"text": "${VAR}"}
    files = [("a/kustomization.yaml", kustomization), ("a/b/x.yaml", obj), ("c/y.yaml", other)]
    assert [finding.file for finding in validate(files, kubernetes="1.34")] == ["c/y.yaml"]


def test_generated_config_maps_need_the_mark_because_their_files_are_not_seen() -> None:
    generator = {"name": "dashboards", "files": ["x.json"]}
    obj = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "configMapGenerator": [generator]}
    assert lines(judge(obj)) == [
        "0.yaml: configMapGenerator[0]: Kustomization: Flux's post-build substitution would go through what is in "
        "'dashboards'; add generatorOptions.annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}"
    ]
    assert judge({**obj, "generatorOptions": {"annotations": MARKED}}) == []
    assert judge({**obj, "configMapGenerator": [{**generator, "options": {"labels": MARKED}}]}) == []
    assert judge({**obj, "configMapGenerator": [{"name": "x", "literals": ["a=b"]}]}) == []
    assert judge({**obj, "configMapGenerator": [{"name": "x", "literals": ["a=${b}"]}]}) != []


@pytest.mark.parametrize(("text", "damaged"), [("$${a}", False), ("$$", False), ("${a}", True), ("$$${a}", True)])
def test_in_escaped_mode_every_dollar_must_be_doubled(text: str, damaged: bool) -> None:
    findings = judge(plain(data={"text": text}), substitution="escaped")
    assert bool(findings) == damaged
    assert all(one.fix == "double the $ ($${...}), as cluster.flux.substitution: escaped does" for one in findings)


# Duplicates, releases, kustomize's files ------------------------------------------------------------------------------


def test_the_same_object_twice_is_found_across_files_and_versions() -> None:
    one, other = plain("CronJob", "batch/v1", spec={}), plain()
    findings = judge(other, one, other, plain("CronJob", "batch/v1beta1"))
    assert [(one.file, one.message) for one in findings if one.check == "duplicate-object"] == [
        ("2.yaml", "ConfigMap monitoring/x: the same object stands in 0.yaml already"),
        ("3.yaml", "CronJob monitoring/x: the same object stands in 1.yaml already"),
    ]


def test_the_same_name_in_another_namespace_or_kind_is_another_object() -> None:
    other = changed(plain(), ("metadata", "namespace"), "media")
    assert judge(plain(), other, plain("Secret"), {**plain(), "metadata": {"name": "x"}}) == []


def test_a_release_whose_name_is_not_what_one_expects_is_a_warning() -> None:
    obj = changed(BY_NAME[RELEASE], ("spec", "targetNamespace"), "apps")
    [finding] = judge(obj)
    assert finding.severity is Severity.WARNING
    assert finding.render() == (
        "0.yaml: spec: HelmRelease default/podinfo: without releaseName the release is called 'apps-podinfo', "
        "and its Services after that; add releaseName: podinfo"
    )
    assert judge(changed(obj, ("spec", "releaseName"), "podinfo")) == []


def test_two_helm_releases_of_one_name_are_one_release() -> None:
    other = changed(changed(BY_NAME[RELEASE], ("metadata", "name"), "other"), ("spec", "releaseName"), "podinfo")
    assert lines(judge(BY_NAME[RELEASE], other)) == [
        "1.yaml: spec.releaseName: HelmRelease default/other: HelmRelease default/podinfo in 0.yaml is the same "
        "Helm release 'podinfo'; give one of them another releaseName"
    ]


def _kustomization(**fields: Any) -> Object:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **fields}


def test_what_a_kustomization_names_must_be_there() -> None:
    kustomization = _kustomization(
        resources=["x.yaml", "y.yml", "../b", "../c", "https://example.net/z.yaml"],
        configMapGenerator=[{"name": "f", "files": ["k=data/f.txt", "g.txt"], "options": {"annotations": MARKED}}],
    )
    objects = [
        ("a/kustomization.yaml", kustomization),
        ("a/x.yaml", plain()),
        ("b/kustomization.yaml", _kustomization()),
    ]
    files = ["a/kustomization.yaml", "a/x.yaml", "a/y.yaml", "a/data/f.txt", "b/kustomization.yaml", "c/z.yaml"]
    assert lines(validate(objects, kubernetes="1.34", files=files)) == [
        "a/kustomization.yaml: resources[1]: Kustomization: there is no file 'y.yml'; did you mean 'y.yaml'?",
        "a/kustomization.yaml: resources[3]: Kustomization: the folder '../c' has no kustomization.yaml; add one",
        "a/kustomization.yaml: configMapGenerator[0].files[1]: Kustomization: there is no file 'g.txt'; "
        "beside it are kustomization.yaml, x.yaml, y.yaml",
    ]


def test_an_object_that_no_kustomization_names_is_never_applied() -> None:
    objects = [("a/kustomization.yaml", _kustomization(resources=[])), ("a/x.yaml", plain())]
    assert lines(validate(objects, kubernetes="1.34", files=[file for file, _ in objects])) == [
        "a/x.yaml: ConfigMap monitoring/x: no kustomization names its file, so it is never applied; "
        "add x.yaml to resources in a/kustomization.yaml"
    ]


# Cost -----------------------------------------------------------------------------------------------------------------


def test_validation_imports_neither_the_slow_validator_nor_what_only_crds_need() -> None:
    code = (
        "import sys; from homelabmon.gitops.validate import validate; "
        "obj = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'x'}}; "
        "validate([('x.yaml', obj)], kubernetes='1.34'); "
        "print(*sorted({'kubernetes_validate', 'jsonschema', 'yaml', 'homelabmon.gitops.crds', 'helm_python', "
        "'homelabmon.gitops.schemas.monitoring'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
