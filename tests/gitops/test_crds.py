"""The user's own CRDs: how they are found, what they refuse, and what is said when they cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelabmon.errors import HomelabmonError
from homelabmon.gitops import core, crds
from homelabmon.gitops.catalogue import Catalogue, compile_for
from homelabmon.gitops.explain import explain
from homelabmon.gitops.validate import validate
from homelabmon.spec.findings import Finding
from tests.gitops import real_crds
from tests.gitops.samples import CUSTOM_FILES, Object, changed, examples, item_of, lines, name_of, places
from tests.gitops.test_schemas import REAL_EXAMPLES

WIDGET: Object = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "required": ["size", "mode"],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                "mode": {"type": "string", "default": "fast", "enum": ["fast", "slow"]},
                "note": {"type": "string", "nullable": True},
                "either": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True,
                         "properties": {"known": {"type": "object", "properties": {"a": {"type": "string"}}}}},
                "anything": {"x-kubernetes-preserve-unknown-fields": True},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
                "empty": {"type": "object"},
                "template": {"type": "object", "x-kubernetes-embedded-resource": True,
                             "x-kubernetes-preserve-unknown-fields": True},
                "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                          "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "choice": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                           "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
                "when": {"type": "string", "format": "duration"},
            },
        },
    },
}  # fmt: skip


def definition(schema: Object = WIDGET, *, version: str = "v1", served: bool = True) -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {"name": "v1beta1", "served": False, "storage": False, "schema": {"openAPIV3Schema": schema}},
                {"name": version, "served": served, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


def widget(spec: Object, api_version: str = "example.com/v1") -> Object:
    return {"apiVersion": api_version, "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1, **spec}}


def judge(folder: Path, obj: Object) -> list[Finding]:
    return validate([("w.yaml", obj)], kubernetes="1.34", crds=[folder])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "widgets.yaml").write_text(yaml.safe_dump(definition()))
    return tmp_path


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"note": None},
        {"either": 5},
        {"either": "50%"},
        {"free": {"x": 1, "known": {"a": "b"}}},
        {"anything": [1, {"a": None}]},
        {"map": {"any": "text"}},
        {"empty": {}},
        {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}},
        {"ports": [{"name": "a"}, {"name": "b"}]},
        {"choice": {"a": "x"}},
        {"when": "5m"},
    ],
    ids=str,
)
def test_what_the_api_server_takes_is_accepted(folder: Path, spec: Object) -> None:
    assert judge(folder, widget(spec)) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"sise": 1}, "w.yaml: spec.sise: Widget w: unknown field 'sise'; did you mean 'size'?"),
        ({"size": 0}, "w.yaml: spec.size: Widget w: 0 is not more than 0"),
        ({"size": None}, "w.yaml: spec.size: Widget w: the key has no value; write a whole number, or remove the key"),
        ({"mode": "fsat"}, "w.yaml: spec.mode: Widget w: 'fsat' is not known here; did you mean 'fast'?"),
        ({"either": 1.5}, "w.yaml: spec.either: Widget w: 1.5 is not a whole number or text; quote it: \"1.5\""),
        ({"free": {"known": {"b": 1}}}, "w.yaml: spec.free.known.b: Widget w: unknown field 'b'; known here: a"),
        ({"map": {"any": 5}}, "w.yaml: spec.map.any: Widget w: 5 is not text; quote it: \"5\""),
        ({"empty": {"x": 1}}, "w.yaml: spec.empty.x: Widget w: unknown field 'x'; remove it"),
        ({"template": {"metadata": {"nam": "x"}}},
         "w.yaml: spec.template.metadata.nam: Widget w: unknown field 'nam'; did you mean 'name'?"),
        ({"ports": [{"name": "a"}, {"name": "a"}]},
         "w.yaml: spec.ports: Widget w: items 0 and 1 have the same name 'a'"),
        ({"tags": ["a", "a"]}, "w.yaml: spec.tags: Widget w: the list holds the same item twice"),
        ({"choice": {"a": "x", "b": "y"}},
         'w.yaml: spec.choice: Widget w: {"a": "x", "b": "y"} fits more than one of the forms that exclude each other'),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_api_server_refuses_or_drops_is_said(folder: Path, spec: Object, message: str) -> None:
    assert lines(judge(folder, widget(spec))) == [message]


def test_a_version_that_is_not_served_is_an_error_that_names_the_served_ones(folder: Path) -> None:
    assert lines(judge(folder, widget({}, "example.com/v1beta1"))) == [
        "w.yaml: apiVersion: Widget w: Widget is not served as example.com/v1beta1; "
        "write apiVersion: example.com/v1, or give your cluster's CRDs: --crds DIR"
    ]


def test_the_metadata_of_a_custom_resource_is_closed_too(folder: Path) -> None:
    obj = {**widget({}), "metadata": {"name": "w", "label": {}}}
    assert lines(judge(folder, obj)) == [
        "w.yaml: metadata.label: Widget w: unknown field 'label'; did you mean 'labels'?"
    ]


def test_the_users_crds_come_before_our_own_schemas(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"ours": {"type": "string"}}}}}
    own = definition(schema, version="v1")
    own["spec"]["group"], own["spec"]["names"]["kind"] = "external-secrets.io", "ExternalSecret"
    (tmp_path / "crds.yaml").write_text(yaml.safe_dump(own))
    obj = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "x"}}
    assert judge(tmp_path, {**obj, "spec": {"ours": "x"}}) == []
    assert [finding.path for finding in judge(tmp_path, {**obj, "spec": {"data": []}})] == [("spec", "data")]


def _as_one(path: Path) -> None:
    (path / "crds.json").write_text(json.dumps(definition()))


def _as_documents(path: Path) -> None:
    (path / "crds.yml").write_text("---\n# nothing\n---\nkind: Other\n---\n" + yaml.safe_dump(definition()))


def _as_list(path: Path) -> None:
    (path / "crds.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [definition()]}))


def _deep_down(path: Path) -> None:
    (path / "a" / "b").mkdir(parents=True)
    (path / "a" / "kustomization.yaml").write_text("resources: [b/crd.yaml]\n")
    (path / "a" / "b" / "crd.yaml").write_text(yaml.safe_dump(definition()))


def _with_an_equals_sign(path: Path) -> None:
    (path / "crds.yaml").write_text(yaml.safe_dump(definition()) + "x-ops:\n- =\n- '!='\n")


def _as_a_bare_schema(path: Path) -> None:
    (path / "example.com").mkdir()
    (path / "example.com" / "widget_v1.json").write_text(json.dumps(WIDGET))


def _as_a_bare_schema_without_group(path: Path) -> None:
    (path / "widget_v1.json").write_text(json.dumps(WIDGET))


def _as_a_bare_schema_that_says_its_kind(path: Path) -> None:
    kind = [{"group": "example.com", "kind": "Widget", "version": "v1"}]
    (path / "w_v9.json").write_text(json.dumps({**WIDGET, "x-kubernetes-group-version-kind": kind}))


@pytest.mark.parametrize(
    "write",
    [
        _as_one,
        _as_documents,
        _as_list,
        _deep_down,
        _with_an_equals_sign,
        _as_a_bare_schema,
        _as_a_bare_schema_without_group,
        _as_a_bare_schema_that_says_its_kind,
    ],
)
def test_every_form_in_which_people_keep_crds_is_understood(tmp_path: Path, write: Any) -> None:
    write(tmp_path)
    assert judge(tmp_path, widget({})) == []
    assert [finding.path for finding in judge(tmp_path, widget({"sise": 1}))] == [("spec", "sise")]


def test_a_single_file_can_be_given(folder: Path) -> None:
    assert judge(folder / "widgets.yaml", widget({})) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("readme.md", "nothing",
         r"^--crds .*: no CustomResourceDefinition in it; fill it with: kubectl get crd -o yaml"),
        ("w.yaml", "kind: CustomResourceDefinition\nx: [Widget\n",
         r"^--crds: .*w.yaml cannot be parsed: line 3, column 1: "),
        ("w.json", '{"kind": "CustomResourceDefinition", "Widget": ',
         r"^--crds: .*w.json cannot be parsed: Expecting value"),
        ("w.yaml", "kind: CustomResourceDefinition\nspec: {group: Widget}\n",
         r"that cannot be understood \(KeyError: 'names'\)"),
        ("widget_v1.json", "[]", r"named like a JSON Schema of a kind, but has no properties"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(HomelabmonError, match=message):
        judge(tmp_path, widget({}))


def test_a_pattern_that_only_go_understands_is_not_judged(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "string", "pattern": r"^\Qa.b\E\z"}}}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(definition(schema)))
    assert judge(tmp_path, {**widget({}), "spec": "anything"}) == []


def test_a_crd_whose_schema_is_none_is_an_error(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "string", "minLength": "five"}}}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump(definition(schema)))
    with pytest.raises(HomelabmonError, match=r"^--crds: a schema of Widget is none: "):
        judge(tmp_path, widget({}))


def test_a_place_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HomelabmonError, match=r"nowhere: there is no such folder or file$"):
        judge(tmp_path / "nowhere", widget({}))


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HomelabmonError, match=r"w.yaml cannot be read: "):
        judge(tmp_path, widget({}))


# The real ones -------------------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize("obj", REAL_EXAMPLES, ids=name_of)
def test_the_real_crds_accept_our_examples_and_are_closed_like_the_api_server(obj: Object) -> None:
    custom = crds.read([real_crds.CRDS], {obj["kind"]})
    schema = custom.schema_for(obj["apiVersion"], obj["kind"])
    assert schema is not None
    catalogue = _catalogue(obj, custom)
    assert list(catalogue.errors(item_of(obj))) == []
    for place, value in places(obj):
        if place[:1] in {(), ("metadata",), ("apiVersion",), ("kind",)}:
            continue
        wrong: list[Object] = [changed(obj, place, other) for other in ("text", 7, {"noSuchField": 1}, ["item"])]
        if isinstance(value, dict):
            wrong.append(changed(obj, (*place, "noSuchField"), "x"))
        for other in wrong:
            assert bool(explain(item_of(other), catalogue)) == real_crds.refuses(other), place


@pytest.mark.shared
def test_every_kind_of_the_real_crds_can_be_judged() -> None:
    custom = crds.read([real_crds.CRDS], {kind for _, kind in real_crds.schemas()})
    for api_version, kind in real_crds.schemas():
        obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "noSuchField": 1}
        assert list(_catalogue(obj, custom).errors(item_of(obj))), kind


@pytest.mark.shared
def test_our_examples_have_no_findings_with_the_users_crds_either() -> None:
    objects = [("x.yaml", obj) for obj in examples(*CUSTOM_FILES)]
    findings = validate(objects, kubernetes="1.34", crds=[real_crds.CRDS])
    assert [finding for finding in findings if finding.check in {"custom-resource", "unknown-kind"}] == []


def _catalogue(obj: Object, custom: crds.CustomSchemas) -> Catalogue:
    return compile_for([item_of(obj)], core.load("1.34"), custom)
