"""The user's own CustomResourceDefinitions (``--crds``): found in folders and files, made into closed schemas.

Understands CRD manifests in YAML and JSON, several in a file, a List as ``kubectl get crd -o yaml`` prints it, and
bare JSON Schemas named ``<kind>_<version>.json`` in a folder named like the group, as schema catalogues keep them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelabmon.errors import HomelabmonError
from homelabmon.gitops.schemas.dsl import Schema
from homelabmon.gitops.structural import closed
from homelabmon.gitops.yaml_documents import YamlError, documents

_SUFFIXES = {".yaml", ".yml", ".json"}
_BARE = re.compile(r"(?P<kind>[a-z0-9]+)[_-](?P<version>v\d+(?:(?:alpha|beta)\d+)?)")
_CRD = "CustomResourceDefinition"
_IDENTITY = "x-kubernetes-group-version-kind"


@dataclass(frozen=True)
class CustomSchemas:
    """Schemas by (group, version, kind in lower case). A bare schema whose group is unknown stands under ``*``."""

    raw: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)

    def schema_for(self, api_version: str, kind: str) -> Schema | None:
        """The closed schema of a kind, or None when the CRDs do not serve it."""
        group, _, version = api_version.rpartition("/")
        found = self.raw.get((group, version, kind.lower())) or self.raw.get(("*", version, kind.lower()))
        return None if found is None else closed(found)

    def versions_of(self, group: str, kind: str) -> list[str]:
        """The versions in which the CRDs serve a kind."""
        return sorted(version for own, version, name in self.raw if own in {group, "*"} and name == kind.lower())


def read(places: Sequence[Path], kinds: Iterable[str]) -> CustomSchemas:
    """The schemas of these kinds in the folders (searched to the bottom) and files.

    Files in which no such kind is named are not parsed. Raises HomelabmonError for a place that does not exist or
    holds no CRD, for a file that cannot be read, and for a CRD without a schema.
    """
    wanted = {kind.lower() for kind in kinds}
    raw: dict[tuple[str, str, str], dict[str, Any]] = {}
    for place in places:
        found = False
        for path in _files(place):
            text = _text(path)
            bare = _bare_name(path)
            found = found or _CRD in text or bare is not None
            if bare is not None and _CRD not in text:
                if bare[1] in wanted or (_IDENTITY in text and _names_any(wanted, text)):
                    raw.update(_bare_schema(path, text, *bare))
            elif _CRD in text and _names_any(wanted, text):
                raw.update(_definitions(path, text, wanted))
        if not found:
            raise HomelabmonError(
                f"--crds {place}: no {_CRD} in it; fill it with: kubectl get crd -o yaml > {place}/crds.yaml"
            )
    return CustomSchemas(raw)


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise HomelabmonError(f"--crds {place}: there is no such folder or file")
    return sorted(path for path in place.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def _names_any(kinds: set[str], text: str) -> bool:
    lower = text.lower()
    return any(kind in lower for kind in kinds)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HomelabmonError(f"--crds: {path} cannot be read: {error}") from None


def _definitions(path: Path, text: str, wanted: set[str]) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    try:
        parsed = [json.loads(text)] if path.suffix == ".json" else documents(text)
    except (ValueError, YamlError) as error:
        raise HomelabmonError(f"--crds: {path} cannot be parsed: {error}") from None
    for definition in _flat(parsed):
        if definition.get("kind") != _CRD:
            continue
        try:
            group, kind = definition["spec"]["group"], definition["spec"]["names"]["kind"]
            if kind.lower() not in wanted:
                continue
            for version in definition["spec"]["versions"]:
                if version.get("served", True):
                    schema = version["schema"]["openAPIV3Schema"]
                    yield (group, version["name"], kind.lower()), dict(schema)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise HomelabmonError(
                f"--crds: {path} holds a {_CRD} that cannot be understood ({type(error).__name__}: {error}); "
                "it needs spec.group, spec.names.kind and spec.versions[].schema.openAPIV3Schema"
            ) from None


def _flat(values: Iterable[object]) -> Iterator[dict[str, Any]]:
    for value in values:
        if isinstance(value, dict):
            yield value
            if isinstance(value.get("items"), list):
                yield from _flat(value["items"])


def _bare_name(path: Path) -> tuple[str, str, str] | None:
    """Group, kind and version as the path of a bare JSON Schema tells them."""
    match = _BARE.fullmatch(path.stem.lower()) if path.suffix == ".json" else None
    if match is None:
        return None
    group = path.parent.name if "." in path.parent.name else "*"
    return group, match["kind"], match["version"]


def _bare_schema(
    path: Path, text: str, group: str, kind: str, version: str
) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise HomelabmonError(f"--crds: {path} cannot be parsed: {error}") from None
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise HomelabmonError(f"--crds: {path} is named like a JSON Schema of a kind, but has no properties")
    identities = schema.get(_IDENTITY)
    if isinstance(identities, list) and identities and isinstance(identities[0], dict):
        told = identities[0]
        group, version = str(told.get("group", group)), str(told.get("version", version))
        kind = str(told.get("kind", kind)).lower()
    yield (group, version, kind), schema
