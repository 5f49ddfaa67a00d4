"""The example objects beside this file, and small helpers. Every example is valid, and as full as can be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from homelabmon.gitops import core
from homelabmon.gitops.catalogue import Catalogue, compile_for
from homelabmon.gitops.objects import Item
from homelabmon.spec.findings import Finding

Object = dict[str, Any]
Place = tuple[str | int, ...]

KUBERNETES = "1.34"
_FOLDER = Path(__file__).parent / "examples"
CUSTOM_FILES = ("flux.yaml", "monitoring.yaml", "others.yaml")


def examples(*files: str) -> list[Object]:
    """The objects of these example files."""
    return [document for file in files for document in yaml.safe_load_all((_FOLDER / file).read_text())]


def name_of(obj: Object) -> str:
    """A test id: ``HelmRelease-podinfo``."""
    return "-".join([obj["kind"], obj.get("metadata", {}).get("name", obj["apiVersion"].rpartition("/")[2])])


def catalogue_for(*objects: Object) -> Catalogue:
    """The schemas that judge these objects, without any CRDs of a user."""
    return compile_for([item_of(obj) for obj in objects], core.load(KUBERNETES), None)


def item_of(obj: Object) -> Item:
    """The object as validation sees it."""
    return Item("x.yaml", (), obj)


def lines(findings: list[Finding]) -> list[str]:
    """What a person would read."""
    return [finding.render() for finding in findings]


def places(value: object, here: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every node of an object, with the way to it."""
    yield here, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*here, key))


def changed(obj: Object, place: Place, value: object) -> Object:
    """A copy with another value at a place."""
    result = copy.deepcopy(obj)
    node: Any = result
    for part in place[:-1]:
        node = node[part]
    node[place[-1]] = value
    return result


def removed(obj: Object, place: Place) -> Object:
    """A copy without what is at a place."""
    result = copy.deepcopy(obj)
    node: Any = result
    for part in place[:-1]:
        node = node[part]
    del node[place[-1]]
    return result
