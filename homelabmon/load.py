"""Reads stack.yaml into a typed Stack, or says everything that is wrong with it, each with its place, value and fix.

``load`` never stops at the first error: what is wrong is left out and the rest is read, so that checks can go on.
"""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.source import Source, parse
from homelabmon.spec.base import DURATION_PATTERN
from homelabmon.spec.findings import Finding, Path
from homelabmon.spec.secrets import redact
from homelabmon.spec.suggest import suggest
from homelabmon.stack import Stack

_MAX_ROUNDS = 25
_SECRET_KEYS = frozenset({"webhook", "token", "password", "bearer_token", "apikey", "api_key"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds: the stack (None when nothing could be read), its source, and what is wrong with it.

    When ``findings`` is not empty the stack lacks the parts they are about; it is good for further checks only. Then
    list indexes in the stack may differ from those in the file; ``original`` tells the way in the file.
    """

    stack: Stack | None
    source: Source
    findings: tuple[Finding, ...]
    kept: Mapping[Path, list[int]] = field(default_factory=dict)
    """For each list that lost items: the indexes in the file of those that are left."""

    def original(self, path: Path) -> Path:
        """The way in the file to what stands at ``path`` in the stack."""
        found: Path = ()
        for index, part in enumerate(path):
            left = self.kept.get(path[:index])
            inside = left is not None and isinstance(part, int) and part < len(left)
            found = (*found, left[part] if left is not None and inside and isinstance(part, int) else part)
        return found


def load(path: FilePath) -> Stack:
    """The stack of a file. Raises InputError with every finding, or HomelabmonError when it cannot be opened."""
    loaded = read(path)
    if loaded.findings or loaded.stack is None:
        raise InputError(loaded.findings)
    return loaded.stack


def read(path: FilePath) -> Loaded:
    """The stack of a file and what is wrong with it. Raises InputError when the file is no YAML mapping."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise HomelabmonError(
            f"{path}: no such file; `homelabmon init` writes one, or name yours with --stack"
        ) from None
    except IsADirectoryError:
        raise HomelabmonError(f"{path}: is a folder; name the file: --stack {path / 'stack.yaml'}") from None
    except OSError as error:
        raise HomelabmonError(f"{path}: cannot be read: {error.strerror}") from None
    return read_source(parse(raw, path.name))


def read_source(source: Source) -> Loaded:
    """The same for a source that is parsed already."""
    try:
        return Loaded(Stack.model_validate(source.data, by_alias=True, by_name=False), source, ())
    except ValidationError as error:
        findings = _findings(error, source)
    stack, kept = _salvage(source)
    return Loaded(stack, source, tuple(sorted(findings, key=lambda found: found.position or (0, 0))), kept)


_HOLE: Final = object()
_STAND_INS: Final[dict[Path, Any]] = {
    ("apiVersion",): "homelabmon/v1",
    ("name",): "home",
    ("cluster",): {"distribution": "k3s"},
    ("cluster", "distribution"): "k3s",
    ("components",): {},
}
"""What stands in for a required part that is wrong, so that the rest can be looked at all the same."""


def _salvage(source: Source) -> tuple[Stack | None, dict[Path, list[int]]]:
    """The stack without what is wrong: invalid parts are cut out, innermost first, until the rest is valid.

    Also, for each list that lost items, the original indexes of those left.
    """
    data = copy.deepcopy(source.data)
    for _ in range(_MAX_ROUNDS):
        kept: dict[Path, list[int]] = {}
        whole = _without_holes(data, (), kept)
        try:
            return Stack.model_validate(whole, by_alias=True, by_name=False), kept
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
        loaded = Loaded(None, source, (), kept)
        paths = {loaded.original(_cut_path(item)) for item in found}
        if () in paths:
            return None, {}
        for path in sorted(paths, key=len, reverse=True):
            _cut(data, path)
    return None, {}


def _without_holes(value: Any, path: Path, kept: dict[Path, list[int]]) -> Any:
    if isinstance(value, dict):
        return {key: _without_holes(item, (*path, key), kept) for key, item in value.items()}
    if isinstance(value, list):
        left = [index for index, item in enumerate(value) if item is not _HOLE]
        if len(left) < len(value):
            kept[path] = left
        return [_without_holes(value[index], (*path, place), kept) for place, index in enumerate(left)]
    return value


def _cut_path(error: Mapping[str, Any]) -> Path:
    path = _data_path(error["loc"])
    return path if error["type"] != "missing" or path in _STAND_INS else path[:-1]


def _cut(data: Any, path: Path) -> None:
    """Takes out what stands at ``path``, or the nearest thing above it that stands in the file (short forms)."""
    parent = data
    for length, part in enumerate(path[:-1], 1):
        try:
            below = parent[part]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(below, (dict, list)):
            path = path[:length]
            break
        parent = below
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
        if path in _STAND_INS:
            parent[path[-1]] = copy.deepcopy(_STAND_INS[path])
    elif isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent):
        parent[path[-1]] = _HOLE


def _data_path(loc: Sequence[str | int]) -> Path:
    """pydantic's loc without what does not stand in the data: ``[key]`` markers of mapping keys."""
    return tuple(part for part in loc if part != "[key]")


def _findings(error: ValidationError, source: Source) -> list[Finding]:
    found = []
    for item in error.errors(include_url=False):
        path = _data_path(item["loc"])
        on_key = item["type"] == "extra_forbidden" or "[key]" in item["loc"]
        message, fix = _words(item, path)
        place = path[:-1] if item["type"] == "missing" else path
        found.append(
            Finding("schema", message, fix, path, file=source.name, position=source.position(place, key=on_key))
        )
    return found


def _words(error: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """What is wrong, with the value, and what to write instead."""
    kind, context = error["type"], error.get("ctx", {})
    value = path[-1] if "[key]" in error["loc"] else error["input"]
    shown = _show(value, path)
    if kind == "missing":
        return f"the key {path[-1]!r} is missing", f"add `{path[-1]}:`{_hint(path)}"
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        return f"unknown key {path[-1]!r}", suggest(str(path[-1]), known, "known keys here: ")
    if kind == "literal_error":
        choices = [part.strip("' ") for part in context["expected"].replace(" or ", ", ").split(",")]
        return f"{shown} is not allowed here", suggest(str(value), choices, "write one of: ")
    if kind in ("value_error", "assertion_error"):
        text = str(context["error"])
        what, _, fix = text.partition(": ")
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            what = f"{shown}: {what}"
        return what, fix
    if kind == "string_pattern_mismatch":
        return f"{shown} is not valid here", _PATTERNS.get(context["pattern"], f"it must match {context['pattern']}")
    if kind == "string_type":
        quoted = "put it in quotes, as it stands" if isinstance(value, (int, float)) else "write a text"
        return f"expected a text, got {_kind(value)} {shown}".rstrip(), quoted
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"expected a mapping, got {_kind(value)} {shown}".rstrip(), _mapping_fix(path)
    if kind in ("list_type", "tuple_type"):
        return f"expected a list, got {_kind(value)} {shown}".rstrip(), "write [a, b], or one `- item` a line"
    if kind in ("too_short", "string_too_short"):
        return "nothing is in it", "write at least one, or remove the key"
    if kind in ("bool_type", "bool_parsing"):
        return f"expected true or false, got {shown}", "write true or false"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}, got {shown}", ""


_PATTERNS = {
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": "use lower case letters, digits and dashes, such as `my-app`",
    r"^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$": "use lower case letters, digits, dashes and underscores, such as `my-app`",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": "use letters, digits and underscores, such as `DiskAlmostFull`",
    r"^https?://[^\s/?#{}<>\"`^\\]+[^\s{}<>\"`^\\]*$": "write an address with http:// or https://",
    r"^https?://[^\s/?#]+[^\s]*$": "write an address with http:// or https://",
    r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$": "write a size such as 50Gi",
    r"^1\.\d{2}$": 'write a minor version in quotes, such as "1.34"',
    r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$": "write an exact version, such as 88.5.3",
    r"^oci://\S+$": "write an OCI address, such as oci://ghcr.io/owner/charts/name",
    r"^/": "start it with a slash, such as /metrics",
    r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$": "write host:port, such as 192.168.1.10:9100",
    r"^(role:\d{1,21}|user:\d{1,21}|everyone|here)$": "write role:ID, user:ID, everyone or here",
    r"^\d{15,21}$": "write the number Discord shows under Copy Thread ID, in quotes",
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": 'write a time as "HH:MM", from "00:00" to "24:00"',
    r"^/\S+$": "write an absolute path, such as /run/containerd/containerd.sock",
    r"^[-._a-zA-Z0-9]+\.yaml$": "write a file name that ends in .yaml, such as own-rules.yaml",
    r"^\./[^\s]*[^/\s]$": "write a path that starts with ./ and ends without a slash, such as ./rendered",
    r"^[-._a-zA-Z0-9]+$": "use letters, digits, dashes, dots and underscores",
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": "use lower case letters, digits, dashes and dots",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$": "write namespace/name, such as backups/restic",
    DURATION_PATTERN: "write a duration such as 60s, 5m, 1h30m or 30d",
}


def _mapping_fix(path: Path) -> str:
    example = _example(path)
    return f"write for example {example}" if example else "write keys and values below it, or {}"


def _hint(path: Path) -> str:
    example = _example(path)
    return f", for example `{path[-1]}: {example}`" if example else ""


def _example(path: Path) -> str:
    """The first example that the model gives for a key, as YAML in one line."""
    model = _model_at(path[:-1])
    if model is None or not path:
        return ""
    for name, info in model.model_fields.items():
        if path[-1] in (name, info.alias) and info.examples:
            return str(info.examples[0]).replace("'", '"')
    return ""


def _show(value: Any, path: Path) -> str:
    """A value for a message: short, and never a secret."""
    if any(isinstance(part, str) and part.lower() in _SECRET_KEYS for part in path):
        return "[redacted]"
    if isinstance(value, (dict, list)):
        return ""
    text = redact(repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "the text", bool: "the truth value", type(None): "nothing"}
    return names.get(type(value), "the number")


def _known_keys(path: Path) -> list[str]:
    model = _model_at(path)
    return [] if model is None else [info.alias or name for name, info in model.model_fields.items()]


def _model_at(path: Path) -> type[BaseModel] | None:
    """The model that describes the mapping at a path of stack.yaml, or None where there is none."""
    here: set[type[BaseModel]] = {Stack}
    kinds: Iterable[Any] = [Stack]
    for part in path:
        following: list[Any] = []
        for kind in kinds:
            following.extend(_inside(kind, part))
        kinds = following
        here = {model for kind in kinds for model in _models(kind)}
    return next(iter(here), None)


def _strip(kind: Any) -> list[Any]:
    """The alternatives of an annotation, without Annotated, Optional and unions."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _strip(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return [inner for part in typing.get_args(kind) for inner in _strip(part)]
    return [kind]


def _models(kind: Any) -> list[type[BaseModel]]:
    return [part for part in _strip(kind) if isinstance(part, type) and issubclass(part, BaseModel)]


def _inside(kind: Any, part: str | int) -> list[Any]:
    found: list[Any] = []
    for option in _strip(kind):
        arguments = typing.get_args(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            found += [info.annotation for name, info in option.model_fields.items() if part in (name, info.alias)]
        elif arguments and isinstance(part, int):
            found.append(arguments[0])
        elif len(arguments) == 2:
            found.append(arguments[1])
    return found
