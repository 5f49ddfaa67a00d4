"""Rendered objects as validation sees them: pure JSON data, with lists taken apart and a name for messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from homelabmon.spec.findings import Finding, Path


class Item(NamedTuple):
    """One object: the rendered file, the way to it inside the file's object (``()``, or into a List), and its data."""

    file: str
    at: Path
    data: dict[str, Any]

    @property
    def api_version(self) -> str:
        """``apps/v1``."""
        return str(self.data.get("apiVersion", ""))

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """``Deployment``."""
        return str(self.data.get("kind", ""))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata, empty when it is missing or no mapping."""
        metadata = self.data.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def name(self) -> str:
        """``metadata.name``, or nothing."""
        return str(self.metadata.get("name") or "")

    @property
    def namespace(self) -> str:
        """``metadata.namespace``, or nothing."""
        return str(self.metadata.get("namespace") or "")

    @property
    def label(self) -> str:
        """What messages call it: ``Deployment monitoring/relay``."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}".strip()

    def finding(self, check: str, message: str, fix: str = "", path: Path = ()) -> Finding:
        """An error about this object; ``path`` is the way inside it."""
        said = f"{self.label}: {message}" if self.label else message
        return Finding(check, said, fix, (*self.at, *path), file=self.file)


def read(objects: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[list[Item], list[Finding]]:
    """The objects that can be judged, and what cannot be: not JSON, or without apiVersion and kind."""
    items: list[Item] = []
    findings: list[Finding] = []
    for file, data in objects:
        pure = _pure(data)
        if isinstance(pure, dict):
            _take(Item(file, (), pure), items, findings)
        else:
            findings.append(_not_json(file, data))
    return items, findings


def _take(item: Item, items: list[Item], findings: list[Finding]) -> None:
    for field in ("apiVersion", "kind"):
        value = item.data.get(field)
        if not isinstance(value, str) or not value:
            findings.append(
                item.finding("object", f"no Kubernetes object: {field} is missing", f"add {field}", (field,))
            )
            return
    inside = item.data.get("items")
    if not (item.kind.endswith("List") and isinstance(inside, list)):
        items.append(item)
        return
    for index, data in enumerate(inside):
        place = (*item.at, "items", index)
        if isinstance(data, dict):
            _take(Item(item.file, place, data), items, findings)
        else:
            findings.append(Finding("object", "an item of a List is no object", "", place, file=item.file))


def _pure(data: object) -> object:
    """The data as a JSON reader gives it back; None when it is no JSON."""
    try:
        return json.loads(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError):
        return None


def _not_json(file: str, data: object) -> Finding:
    if not isinstance(data, Mapping):
        return Finding("object", "the file holds no Kubernetes object", "write one mapping a document", file=file)
    for path, value in leaves(data):
        if _pure(value) is None and value is not None:
            kind = type(value).__name__
            fix = "quote it" if kind in {"date", "datetime"} else "write a text or a number"
            return Finding("object", f"a value of type {kind} cannot stand in an object: {value}", fix, path, file=file)
    return Finding("object", "the object is no JSON data: a key is no text, or it contains itself", "", file=file)


def leaves(value: object, path: Path = (), depth: int = 60) -> Iterator[tuple[Path, object]]:
    """Every scalar inside, with the way to it; deeper than ``depth`` nothing."""
    if isinstance(value, Mapping) and depth:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)), depth - 1)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and depth:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index), depth - 1)
    else:
        yield path, value
