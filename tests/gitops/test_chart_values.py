"""Keys a chart does not know. Above all: no key is accused that a template can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelabmon.errors import RenderError
from homelabmon.gitops.chart_values import Known, findings, from_document, known_values, unknown_value_keys
from tests.gitops.charts import APP, VALUES, pack, write_chart
from tests.gitops.samples import lines
from tests.outside import SHARED_DATA

SUB = {
    "Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "values.yaml": "port: 80\nlevel: info\n",
    "templates/x.yaml": "{{ .Values.port }}{{ .Values.level }}{{ .Values.hidden.key }}",
}
DEPENDENCY = (
    "dependencies: [{name: sub, alias: inner, version: 1.0.0, condition: inner.enabled}, {name: far, version: 1}]\n"
)


@pytest.fixture
def known(tmp_path: Path) -> Known:
    return known_values(write_chart(tmp_path))


def nested(path: tuple[str, ...], value: object = "x") -> dict[str, Any]:
    """``("a", "b")`` as ``{"a": {"b": value}}``."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    "path",
    [
        ("replica",),
        ("Replicas",),
        ("service", "typo"),
        ("service", "external_traffic_policy"),
        ("pod", "prio"),
        ("pod", "network", "hots"),
        ("worker", "replicaz"),
        ("worker", "image", "repositry"),
        ("extra-map", "enable"),
        ("extraMap",),
    ],
    ids=".".join,
)
def test_a_key_that_no_template_reads_is_found(known: Known, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), known) == [path]


@pytest.mark.parametrize(
    "path",
    [
        ("replicas",),
        ("service", "externalTrafficPolicy"),
        ("service", "loadBalancerSourceRanges"),
        ("service", "ports", "anything"),
        ("annotations", "anything"),
        ("pod", "network", "host"),
        ("worker", "image", "tag"),
        ("worker", "resources", "limits"),
        ("worker", "anythingElse"),
        ("worker", "config", "anything"),
        ("extra-map", "enabled"),
        ("global", "anything"),
        ("x-anchors", "anything"),
        ("podLabels", "componet"),
        ("_common", "anything"),
    ],
    ids=".".join,
)
def test_a_key_that_may_be_read_is_never_accused(known: Known, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), known) == []


def test_a_finding_names_the_key_its_place_and_what_was_meant(known: Known) -> None:
    values = {"replica": 2, "service": {"zzz": 1}, "worker": {"replicaz": 1}}
    assert lines(findings(values, known, place=("components", "app", "values"))) == [
        "stack.yaml: components.app.values.replica: the chart does not know the key 'replica'; "
        "did you mean 'replicas'?",
        "stack.yaml: components.app.values.service.zzz: the chart does not know the key 'zzz'; "
        "it knows here: enabled, type, ports",
        "stack.yaml: components.app.values.worker.replicaz: the chart does not know the key 'replicaz'; "
        "did you mean 'replicas'?",
    ]


def test_a_value_that_the_users_own_templates_read_is_known(known: Known) -> None:
    values = {"service": {"name": "{{ .Values.mine.host }}"}, "mine": {"host": "x", "prot": "y"}}
    assert unknown_value_keys({"mine": values["mine"], "annotations": {"a": values["service"]["name"]}}, known) == []


def test_the_items_of_lists_are_not_judged(known: Known) -> None:
    assert unknown_value_keys({"service": {"ports": [{"prot": 80}]}}, known) == []


def test_an_archive_is_read_like_a_folder(tmp_path: Path, known: Known) -> None:
    assert known_values(pack(tmp_path / "app")) == known


def _with_subchart(tmp_path: Path, *, packed: bool) -> Path:
    files = {**APP, "Chart.yaml": APP["Chart.yaml"] + DEPENDENCY, "values.yaml": VALUES + "inner: {level: warn}\n"}
    if not packed:
        return write_chart(tmp_path, {**files, **{f"charts/sub/{name}": text for name, text in SUB.items()}})
    chart = write_chart(tmp_path, files)
    (chart / "charts").mkdir()
    archive = pack(write_chart(tmp_path / "elsewhere", SUB, name="sub"))
    archive.rename(chart / "charts" / archive.name)
    return chart


@pytest.mark.parametrize("packed", [False, True])
def test_a_subchart_stands_under_its_alias(tmp_path: Path, packed: bool) -> None:
    known = known_values(_with_subchart(tmp_path, packed=packed))
    assert known.values["inner"] == {"port": 80, "level": "warn", "global": {}, "tags": {}}
    values = {"inner": {"enabled": True, "port": 1, "hidden": {"key": 1}, "prot": 1, "global": {}}, "port": 1}
    assert unknown_value_keys(values, known) == [("inner", "prot"), ("port",)]


def test_a_subchart_that_is_not_there_may_know_anything(tmp_path: Path) -> None:
    known = known_values(_with_subchart(tmp_path, packed=False))
    assert unknown_value_keys({"far": {"anything": {"goes": 1}}}, known) == []


def test_what_a_library_chart_reads_is_read_from_the_chart_itself(tmp_path: Path) -> None:
    library = {**SUB, "Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\ntype: library\n"}
    files = {**APP, **{f"charts/sub/{name}": text for name, text in library.items()}}
    assert unknown_value_keys({"hidden": {"key": 1}}, known_values(write_chart(tmp_path, files))) == []


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{{ range $k, $v := .Values.service }}{{ $k }}{{ end }}", ("service", "anything")),
        ("{{ toYaml .Values.service }}", ("service", "anything")),
        ("{{ $s := .Values.service }}{{ $s.anyThing }}", ("service", "anyThing")),
        ("{{ $v := .Values }}{{ $v.anyThing }}", ("anyThing",)),
        ('{{ include "x" (dict "s" .Values.service) }}{{ .s.anyThing }}', ("service", "anyThing")),
        ('{{ include "x" (dict "Values" .Values.service) }}{{ .Values.anyThing }}', ("service", "anyThing")),
        ('{{ hasKey .Values.service "any-thing" }}', ("service", "any-thing")),
        ('{{ get .Values.service "any-thing" }}', ("service", "any-thing")),
        ('{{ index .Values "any-thing" "b" }}', ("any-thing", "b")),
        ('{{ (index .Values "any-thing").b }}', ("any-thing", "b")),
        ('{{ dig "any" "thing" "" .Values.service }}', ("service", "any", "thing")),
        ("{{ (.Values.service).anyThing }}", ("service", "anyThing")),
        ("{{ with .Values.service }}{{ if .inner }}{{ .anyThing }}{{ end }}{{ end }}", ("service", "anyThing")),
        ("{{ with .Values.service }}{{ with .inner }}{{ .thing }}{{ end }}{{ end }}", ("service", "inner", "thing")),
        ("{{ with .Values.service }}{{ with .inner }}{{ else }}{{ .anyThing }}{{ end }}{{ end }}",
         ("service", "anyThing")),
        ("{{ with .Values.service }}x{{ else }}{{ .Values.anyThing }}{{ end }}", ("anyThing",)),
        ("{{ with .Values.no }}x{{ else with .Values.service }}{{ .anyThing }}{{ end }}", ("service", "anyThing")),
        ("{{ ((.Values.service).inner).anyThing }}", ("service", "inner", "anyThing")),
        ("{{ index .Values.service .name }}", ("service", "anyThing")),
        ('{{ get (index .Values "service" "inner") $key }}', ("service", "inner", "anyThing")),
        ("{{ range tuple 1 }}{{ index $.Values . }}{{ end }}", ("anyThing",)),
        ("{{ with .Values.service }}{{ index .inner $key }}{{ end }}", ("service", "inner", "anyThing")),
        ("{{ fail `broken }}{{ .Values.anyThing }}", ("anyThing",)),
        ("{{ with $x := .Values.service }}{{ $x.anyThing }}{{ end }}", ("service", "anyThing")),
        ("{{ with (default dict .Values.service) }}{{ .anyThing }}{{ end }}", ("service", "anyThing")),
        ("{{ with .Values.service }}{{ toYaml . }}{{ end }}", ("service", "anything")),
        ('{{ if and .Values.service.enabled (ne .Values.service.mode "}}") }}{{ .Values.anyThing }}{{ end }}',
         ("anyThing",)),
        ('{{/* .Values.x }} */}}{{ .Values.anyThing }}', ("anyThing",)),
        ('{{ (tpl "{{ .Values.anyThing }}" .) }}', ("anyThing",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_way_in_which_a_template_reads_a_value_is_seen(
    tmp_path: Path, template: str, path: tuple[str, ...]
) -> None:
    chart = write_chart(tmp_path, {**APP, "templates/more.yaml": template})
    assert unknown_value_keys(nested(path), known_values(chart)) == []


def test_a_comment_in_a_template_reads_nothing(tmp_path: Path) -> None:
    chart = write_chart(
        tmp_path, {**APP, "templates/more.yaml": "{{/* .Values.anyThing */}}{{- /* .Values.other */ -}}"}
    )
    assert unknown_value_keys({"anyThing": 1, "other": 1}, known_values(chart)) == [("anyThing",), ("other",)]


# Without templates ----------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> Known:
    files = {name: text for name, text in APP.items() if not name.startswith("templates/")}
    return known_values(write_chart(tmp_path, files))


@pytest.mark.parametrize("path", [("replicsa",), ("service", "tpye"), ("service", "Enabled"), ("worker", "imge")])
def test_without_templates_a_plain_misspelling_is_found(bare: Known, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), bare) == [path]


@pytest.mark.parametrize(
    "path",
    [
        ("replica",),
        ("service", "externalTrafficPolicy"),
        ("anything",),
        ("worker", "image", "tag2"),
        ("podLabels", "componet"),
    ],
)
def test_without_templates_nothing_else_is_accused(bare: Known, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), bare) == []


# Schemas of values ----------------------------------------------------------------------------------------------------

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"replicas": {"type": "integer", "minimum": 1}, "nameOverride": {"type": "string", "minLength": 1}},
}


def _judged(tmp_path: Path, schema: Any, values: dict[str, Any]) -> list[str]:
    files = {**APP, "values.schema.json": json.dumps(schema)}
    return lines(findings(values, known_values(write_chart(tmp_path, files))))


def test_values_are_judged_by_the_charts_schema_on_top_of_its_defaults(tmp_path: Path) -> None:
    assert _judged(tmp_path, SCHEMA, {"replicas": 0}) == [
        "stack.yaml: replicas: the chart's schema refuses this: 0 is less than the minimum of 1"
    ]
    assert _judged(tmp_path, {**SCHEMA, "required": ["replicas"]}, {"replicas": None}) == [
        'stack.yaml: the chart\'s schema refuses this: "replicas" is a required property'
    ]


def test_what_a_charts_schema_has_against_its_own_defaults_is_not_the_users_mistake(tmp_path: Path) -> None:
    assert _judged(tmp_path, SCHEMA, {"replicas": 2}) == []


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "https://example.net/schema.json"}, 5])
def test_a_schema_that_cannot_be_used_is_passed_over(tmp_path: Path, schema: Any) -> None:
    assert _judged(tmp_path, schema, {"replicas": 0}) == []


def test_the_schema_of_a_subchart_judges_the_values_under_its_alias(tmp_path: Path) -> None:
    schema = json.dumps({"properties": {"port": {"type": "integer"}}})
    chart = _with_subchart(tmp_path, packed=False)
    (chart / "charts" / "sub" / "values.schema.json").write_text(schema)
    assert [one.path for one in findings({"inner": {"port": "x"}}, known_values(chart))] == [("inner", "port")]


# Charts that cannot be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"values.yaml": ""}, r"app: there is no Chart.yaml, so this is no Helm chart"),
        ({"Chart.yaml": "name: [x\n"}, r"app: line 2, column 1: "),
        ({"Chart.yaml": "name: x\n", "values.yaml": "[]"}, r"app: values.yaml is no mapping"),
    ],
)
def test_a_folder_that_is_no_chart_is_an_error(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        known_values(write_chart(tmp_path, files))


def test_a_file_that_is_no_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(b"nothing")
    with pytest.raises(RenderError, match=r"x.tgz: no Helm chart can be read there: "):
        known_values(tmp_path / "x.tgz")


def test_a_document_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^no document about a chart's values: KeyError 'dumps'$"):
        from_document({"tree": {}})


# The real charts' values ---------------------------------------------------------------------------------------------

WITH_DOCUMENT = ["falco", "kube-prometheus-stack", "loki", "prometheus-blackbox-exporter", "vector"]


def _document(chart: str) -> Any:
    return json.loads((SHARED_DATA / "values" / chart / "known-values.json").read_text())


def _defaults(chart: str) -> dict[str, Any]:
    values = yaml.safe_load((SHARED_DATA / "values" / chart / "values.yaml").read_text())
    assert isinstance(values, dict)
    return values


@pytest.mark.shared
@pytest.mark.parametrize("chart", WITH_DOCUMENT)
def test_no_path_that_a_real_chart_reads_is_accused(chart: str) -> None:
    """Neither with the document about the chart, nor with its default values alone."""
    with_document, alone = from_document(_document(chart)), known_values(SHARED_DATA / "values" / chart)
    for path in _document(chart)["refs"]:
        assert unknown_value_keys(nested(tuple(path)), with_document) == []
        if "reource" not in path:  # the chart's own slip: it reads this one, and documents "resource"
            assert unknown_value_keys(nested(tuple(path)), alone) == []


@pytest.mark.shared
@pytest.mark.parametrize("chart", WITH_DOCUMENT)
def test_a_real_charts_own_defaults_are_not_accused(chart: str) -> None:
    for known in (from_document(_document(chart)), known_values(SHARED_DATA / "values" / chart)):
        assert unknown_value_keys(_defaults(chart), known) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("chart", "path"),
    [
        ("kube-prometheus-stack", ("grafana", "service", "externalTrafficPolicy")),
        ("kube-prometheus-stack", ("prometheus", "prometheusSpec", "ruleSelectorNilUsesHelmValues")),
        ("kube-prometheus-stack", ("alertmanager", "config", "anything")),
        ("kube-prometheus-stack", ("defaultRules", "disabled", "KubeProxyDown")),
        ("loki", ("loki", "limits_config", "anything")),
        ("loki", ("loki", "rulerConfig", "storage", "type")),
        ("vector", ("customConfig", "sources", "logs")),
        ("falco", ("customRules", "mine.yaml")),
        ("falco", ("falco", "http_output", "url")),
    ],
    ids=str,
)
def test_keys_that_homelabmon_writes_are_known(chart: str, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), from_document(_document(chart))) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("chart", "path"),
    [
        ("kube-prometheus-stack", ("alertmanagerr",)),
        ("kube-prometheus-stack", ("grafana", "service", "typ")),
        ("kube-prometheus-stack", ("prometheus", "prometheusSpec", "retentionn")),
        ("loki", ("deploymentMod",)),
        ("loki", ("singleBinary", "replicaz")),
        ("vector", ("custom_config",)),
        ("falco", ("driver", "knd")),
    ],
    ids=str,
)
def test_mistyped_keys_of_real_charts_are_found(chart: str, path: tuple[str, ...]) -> None:
    assert unknown_value_keys(nested(path), from_document(_document(chart))) == [path]


@pytest.mark.shared
@pytest.mark.parametrize("chart", ["falco", "kube-prometheus-stack", "loki", "vector"])
def test_most_slips_of_the_fingers_in_a_real_charts_keys_are_found(chart: str) -> None:
    known = from_document(_document(chart))
    slips = [(*path[:-1], path[-1][:2] + path[-1][3:]) for path in _places(_defaults(chart)) if len(path[-1]) > 5]
    found = [slip for slip in slips if unknown_value_keys(nested(slip), known)]
    assert len(found) > 0.6 * len(slips)


def _places(values: dict[str, Any], here: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*here, key)
        if isinstance(value, dict):
            yield from _places(value, (*here, key))
