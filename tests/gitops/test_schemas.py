"""Our schemas of custom resources, beside the real CRDs: never more lenient, and closed in the same places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelabmon.gitops import schemas
from homelabmon.gitops.explain import explain
from homelabmon.gitops.schemas.dsl import SHARED, Schema
from tests.gitops import real_crds
from tests.gitops.samples import CUSTOM_FILES, Object, catalogue_for, changed, examples, item_of, name_of, places
from tests.gitops.strategies import objects

EXAMPLES = examples(*CUSTOM_FILES)
KINDS = [
    (f"{group}/{kind.split('/')[0]}", kind.split("/")[1]) for group, kinds in schemas.GROUPS.items() for kind in kinds
]
WITHOUT_A_REAL_CRD = {"kustomize.config.k8s.io", "notification.toolkit.fluxcd.io"}
REAL_KINDS = [kind for kind in KINDS if kind[0].partition("/")[0] not in WITHOUT_A_REAL_CRD]
REAL_EXAMPLES = [obj for obj in EXAMPLES if obj["apiVersion"].partition("/")[0] not in WITHOUT_A_REAL_CRD]


@pytest.mark.parametrize("kind", KINDS, ids="/".join)
def test_every_kind_has_a_schema_and_an_example(kind: tuple[str, str]) -> None:
    assert schemas.schema_for(*kind) is not None
    assert any((obj["apiVersion"], obj["kind"]) == kind for obj in EXAMPLES)


@pytest.mark.parametrize("obj", EXAMPLES, ids=name_of)
def test_examples_are_accepted(obj: Object) -> None:
    assert explain(item_of(obj), catalogue_for(obj)) == []


@pytest.mark.shared
@pytest.mark.parametrize("obj", REAL_EXAMPLES, ids=name_of)
def test_examples_are_accepted_by_the_real_crds(obj: Object) -> None:
    assert not real_crds.refuses(obj)


@pytest.mark.shared
@pytest.mark.parametrize("kind", REAL_KINDS, ids="/".join)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_our_schema_accepts_the_real_crd_accepts(kind: tuple[str, str], data: st.DataObject) -> None:
    schema = schemas.schema_for(*kind)
    assert schema is not None
    obj = data.draw(objects(schema))
    assert not real_crds.refuses(obj)


@pytest.mark.shared
@pytest.mark.parametrize("obj", REAL_EXAMPLES, ids=name_of)
def test_an_unknown_field_is_refused_wherever_the_real_crd_refuses_it(obj: Object) -> None:
    catalogue = catalogue_for(obj)
    for place, value in places(obj):
        if not isinstance(value, dict) or place[:1] == ("metadata",):
            continue
        other = changed(obj, (*place, "noSuchField"), "x")
        assert bool(list(catalogue.errors(item_of(other)))) == real_crds.refuses(other), place


@pytest.mark.shared
@pytest.mark.parametrize("obj", REAL_EXAMPLES, ids=name_of)
def test_a_value_of_another_type_is_refused_wherever_the_real_crd_refuses_it(obj: Object) -> None:
    catalogue = catalogue_for(obj)
    others: list[Any] = ["text", 7, True, {"noSuchField": 1}, ["item"], 1.5, None, ""]
    for place, _ in places(obj):
        if place[:1] in {(), ("metadata",), ("apiVersion",), ("kind",)}:
            continue
        for value in others:
            other = changed(obj, place, value)
            if real_crds.refuses(other):
                assert explain(item_of(other), catalogue), (place, value)


@pytest.mark.parametrize("obj", EXAMPLES, ids=name_of)
def test_unknown_fields_are_refused_in_the_envelope(obj: Object) -> None:
    catalogue = catalogue_for(obj)
    for place in ((), ("metadata",)):
        if place == () or "metadata" in obj:
            assert list(catalogue.errors(item_of(changed(obj, (*place, "noSuchField"), "x"))))


@pytest.mark.parametrize("obj", EXAMPLES, ids=name_of)
def test_status_is_the_controllers_and_refused(obj: Object) -> None:
    assert list(catalogue_for(obj).errors(item_of({**obj, "status": {}})))


@pytest.mark.shared
@pytest.mark.parametrize("kind", REAL_KINDS, ids="/".join)
def test_fields_words_and_duties_are_the_real_crds(kind: tuple[str, str]) -> None:
    """Field by field, however deep: no field of our own invention, no further word, nothing required left optional."""
    schema = schemas.schema_for(*kind)
    assert schema is not None
    assert list(_liberties(schema["properties"]["spec"], real_crds.schemas()[kind]["properties"]["spec"])) == []


def _liberties(ours: Schema, real: dict[str, Any], place: str = "spec") -> Iterator[str]:
    ours = SHARED[ours["$ref"].rpartition("/")[2]] if "$ref" in ours else ours
    if "not" in ours and "type" not in ours:
        return
    if "enum" in real and not set(ours.get("enum", ["anything"])) <= set(real["enum"]):
        yield f"{place}: values"
    for word in ("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems"):
        if word in real and word not in ours and "enum" not in ours and not _forbids_empty(ours):
            yield f"{place}: {word}"
    defaults = {name for name, field in real.get("properties", {}).items() if "default" in field}
    if missing := set(real.get("required", ())) - defaults - set(ours.get("required", ())):
        yield f"{place}: {missing} required"
    for name, field in ours.get("properties", {}).items():
        if name not in real.get("properties", {}):
            yield f"{place}.{name}: no such field"
        else:
            yield from _liberties(field, real["properties"][name], f"{place}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(ours.get(word), dict):
            yield from _liberties(ours[word], real[word], f"{place}[]")


def _forbids_empty(schema: Schema) -> bool:
    return "pattern" in schema and re.search(schema["pattern"], "") is None
