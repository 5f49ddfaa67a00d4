"""Kubernetes' own kinds, beside the validator of the package whose schemas are used: both judge alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelabmon.errors import HomelabmonError
from homelabmon.gitops import core
from homelabmon.gitops.explain import explain
from tests.gitops.samples import (
    KUBERNETES,
    Object,
    Place,
    catalogue_for,
    changed,
    examples,
    item_of,
    name_of,
    places,
    removed,
)

EXAMPLES = examples("core.yaml")
WRONG: list[Any] = ["text", 7, True, 1.5, None, "", {"noSuchField": 1}, ["item"], "64Mi", "25%"]


def refused(obj: Object) -> set[str]:
    """The names of the schema words that refuse the object; empty when it is accepted."""
    return {error.kind.name for error in catalogue_for(obj).errors(item_of(obj))}


def refused_by_the_package(obj: Object, version: str = KUBERNETES) -> bool:
    try:
        kubernetes_validate.validate(obj, version, strict=True)
    except kubernetes_validate.ValidationError:
        return True
    return False


def assert_alike(obj: Object) -> None:
    """The same verdict. Only ours judges formats (base64, times), as the API server does."""
    ours = refused(obj)
    assert bool(ours) == bool(explain(item_of(obj), catalogue_for(obj)))
    assert bool(ours - {"format"}) == refused_by_the_package(obj), ours


@st.composite
def mistakes(draw: st.DrawFn, obj: Object) -> Object:
    """The object with a mistake in it: an unknown field, another type, or something left out."""
    nodes = [(place, value) for place, value in places(obj) if place not in {(), ("apiVersion",), ("kind",)}]
    place, value = draw(st.sampled_from(nodes))
    kind = draw(st.sampled_from(["unknown", "wrong", "missing"]))
    mappings: list[Place] = [place for place, value in places(obj) if isinstance(value, dict)]
    if kind == "unknown":
        return changed(obj, (*draw(st.sampled_from(mappings)), draw(st.sampled_from(["replica", "x", "Name"]))), value)
    if kind == "missing":
        return removed(obj, place)
    return changed(obj, place, draw(st.sampled_from(WRONG)))


@pytest.mark.parametrize("obj", EXAMPLES, ids=name_of)
def test_examples_are_accepted_by_both(obj: Object) -> None:
    assert refused(obj) == set()
    assert not refused_by_the_package(obj)


@pytest.mark.parametrize("obj", EXAMPLES, ids=name_of)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_a_mistake_is_refused_by_both_or_by_none(obj: Object, data: st.DataObject) -> None:
    assert_alike(data.draw(mistakes(obj)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("spec", "template", "spec", "containers", 0, "resources", "limits", "cpu"), 1),
        (("spec", "template", "spec", "containers", 0, "resources", "limits", "cpu"), "100m"),
        (("spec", "template", "spec", "containers", 0, "resources", "limits", "cpu"), None),
        (("spec", "template", "spec", "containers", 0, "resources", "limits", "cpu"), []),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"), 8080),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"), 1.5),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"), None),
        (("spec", "strategy", "rollingUpdate", "maxSurge"), "25%"),
        (("spec", "strategy", "rollingUpdate", "maxSurge"), True),
        (("spec", "replicas"), 1.0),
        (("spec", "replicas"), 10**30),
        (("spec", "replicas"), None),
        (("metadata", "annotations"), None),
    ],
)
def test_quantities_ports_and_nulls_are_judged_alike(place: Place, value: object) -> None:
    deployment = next(obj for obj in EXAMPLES if obj["kind"] == "Deployment")
    assert_alike(changed(deployment, place, value))


@pytest.mark.parametrize("text", ["plain text!", "YQ", "====", "YWJj\n!"])
def test_data_of_a_secret_that_is_no_base64_is_refused_as_the_api_server_does(text: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"key": text}}
    assert refused(secret) == {"format"}


@pytest.mark.parametrize("text", ["", "YQ==", "YWJj\nZGVm\n"])
def test_base64_is_accepted_in_a_secret_line_breaks_included(text: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"key": text}}
    assert refused(secret) == set()


@pytest.mark.parametrize(
    ("wanted", "used"), [("1.25", "1.25"), ("1.34", "1.34"), ("v1.34.3", "1.34"), ("1.10", "1.25")]
)
def test_the_nearest_version_that_is_not_newer_is_used_else_the_oldest(wanted: str, used: str) -> None:
    assert core.load(wanted).version == used


def test_a_version_newer_than_all_is_judged_by_the_newest() -> None:
    assert core.load("1.99").version == core.load("2.0").version >= "1.37"


def test_a_version_that_is_none_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(
        HomelabmonError, match=r"^cluster.kubernetes: 'new' is no Kubernetes version: write for example"
    ):
        core.load("new")


def test_newer_versions_know_newer_kinds() -> None:
    assert ("resource.k8s.io/v1", "ResourceClaim") not in core.load("1.30").names
    assert ("resource.k8s.io/v1", "ResourceClaim") in core.load("1.34").names


def test_every_kind_of_every_version_compiles() -> None:
    """A kind's references are complete: no object makes the engine fail."""
    names = core.load(KUBERNETES).names
    objects = [{"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}} for api_version, kind in names]
    catalogue = catalogue_for(*objects)
    for obj in objects:
        list(catalogue.errors(item_of(obj)))


def test_what_is_kept_between_processes_is_the_same_and_damage_to_it_does_no_harm(tmp_path: Path) -> None:
    kinds = [("apps/v1", "Deployment"), ("v1", "Service"), ("example.net/v1", "Unknown")]
    fresh = core.load(KUBERNETES).subset(kinds)
    assert set(fresh.names) == set(kinds[:2])
    assert core.load(KUBERNETES).subset(kinds, tmp_path) == fresh
    (kept,) = tmp_path.iterdir()
    assert core.Core(KUBERNETES, core.load(KUBERNETES).folder).subset(kinds, tmp_path) == fresh
    for damage in ("", "{}", '{"key": "of another file"}', "[]"):
        kept.write_text(damage)
        assert core.load(KUBERNETES).subset(kinds, tmp_path) == fresh
    assert core.load(KUBERNETES).subset(kinds, tmp_path / "cannot" / "be" / "written") == fresh
