"""What the API server demands of every object's metadata: names, and texts in labels and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from homelabmon.gitops.explain import TEXT_MAPS, shown
from homelabmon.gitops.objects import Item
from homelabmon.gitops.schemas.dsl import DNS_LABEL, DNS_SUBDOMAIN
from homelabmon.spec.findings import Finding, Path, Severity

_LABEL = re.compile(DNS_LABEL)
_SUBDOMAIN = re.compile(DNS_SUBDOMAIN)
_SERVICE = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_LONGEST = {"Namespace": 63, "Service": 63, "CronJob": 52}
_ANNOTATIONS_BYTES = 262_144
KUSTOMIZE = "kustomize.config.k8s.io"
"""The group of the files that kustomize itself reads: no objects, so without name and metadata."""

_RULE = "lower case letters, digits and dashes"


def judge(item: Item) -> list[Finding]:
    """Findings about names, labels and annotations."""
    if item.group == KUSTOMIZE:
        return []
    metadata = item.data.get("metadata")
    if not isinstance(metadata, dict):
        return [item.finding("metadata", "metadata is missing", "add metadata with a name", ("metadata",))]
    findings = [*_names(item), *_maps(item, metadata, ("metadata",))]
    if item.kind == "HelmRelease":
        findings += _in_values(item)
    return findings


def _names(item: Item) -> Iterator[Finding]:
    name, place = item.metadata.get("name"), ("metadata", "name")
    if not isinstance(name, str) or not name:
        yield item.finding("metadata", "the name is missing, and Flux applies nothing without one", "add it", place)
    elif not _fits(item, name):
        yield item.finding("metadata", f"{shown(name)} is no name that Kubernetes accepts", f"write {_RULE}", place)
    elif len(name) > _LONGEST.get(item.kind, 253):
        yield item.finding("metadata", f"the name is longer than {_LONGEST.get(item.kind, 253)} characters", "", place)
    namespace = item.metadata.get("namespace")
    if isinstance(namespace, str) and (not _LABEL.fullmatch(namespace) or len(namespace) > 63):
        fix = f"write {_RULE}"
        yield item.finding("metadata", f"{shown(namespace)} is no namespace", fix, ("metadata", "namespace"))


def _fits(item: Item, name: str) -> bool:
    if item.group == "rbac.authorization.k8s.io":
        return not re.search(r"[/%]", name) and name not in {".", ".."}
    shape = {"Service": _SERVICE, "Namespace": _LABEL}.get(item.kind, _SUBDOMAIN)
    return shape.fullmatch(name) is not None


def _maps(item: Item, metadata: Mapping[str, object], place: Path) -> Iterator[Finding]:
    for field in ("labels", "annotations"):
        entries = metadata.get(field)
        if not isinstance(entries, dict):
            continue
        for key, value in entries.items():
            path = (*place, field, key)
            if not isinstance(value, str):
                yield not_text(item, value, path)
            elif field == "labels" and (len(value) > 63 or not _VALUE.fullmatch(value)):
                rule = "at most 63 letters, digits, dashes, dots and underscores"
                yield item.finding("metadata", f"{shown(value)} is no label value", f"write {rule}", path)
            prefix = key.partition("/")[0] if "/" in key else ""
            if not _KEY.fullmatch(key) or len(prefix) > 253:
                yield item.finding("metadata", f"{key!r} is no name for {field}", "write prefix.example/name", path)
        if (
            field == "annotations"
            and sum(len(key) + len(str(value)) for key, value in entries.items()) > _ANNOTATIONS_BYTES
        ):
            yield item.finding("metadata", "the annotations are larger than 256 KiB", "", (*place, field))


def not_text(item: Item, value: object, path: Path) -> Finding:
    """The finding about a label or an annotation that is no text."""
    field = "label" if "abel" in str(path[-2]) else "annotation" if "nnotation" in str(path[-2]) else "node selector"
    if value is None:
        return item.finding("string-values", f"the {field} has no value", 'write a text, "" for an empty one', path)
    fix = f'quote it: "{shown(value)}"' if not isinstance(value, (dict, list)) else "write a text"
    return item.finding("string-values", f"the {field} {shown(value)} is no text", fix, path)


def _in_values(item: Item) -> Iterator[Finding]:
    """The same in Helm values. A chart may quote what it is given, so this is a warning."""
    spec = item.data.get("spec")
    values = spec.get("values") if isinstance(spec, dict) else None
    for path, value in _text_maps(values, ("spec", "values")):
        if isinstance(value, (bool, int, float)):
            yield not_text(item, value, path)._replace(severity=Severity.WARNING)


def _text_maps(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _VALUE_MAPS and isinstance(inner, dict):
                yield from (((*path, key, name), entry) for name, entry in inner.items())
            else:
                yield from _text_maps(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _text_maps(inner, (*path, index))


_VALUE_MAPS = TEXT_MAPS | {"podLabels", "podAnnotations", "additionalLabels", "extraLabels", "externalLabels"}
