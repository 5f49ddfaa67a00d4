"""Reads stack.yaml into a typed Stack, or says everything that is wrong with it, each with its place, value and fix.

``load`` never stops at the first error: what is wrong is left out and the rest is read, so that checks can go on.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.source import Source, parse, shown
from homelabmon.spec.findings import Finding, Path
from homelabmon.stack import Stack

_MAX_ROUNDS = 25


class Loaded(NamedTuple):
    """What a file holds: the stack (None when nothing could be read), its source, and what is wrong with it.

    When ``findings`` is not empty the stack lacks the parts they are about; it is good for further checks only. Then
    list indexes in the stack may differ from those in the file; ``original`` tells the way in the file.
    """

    stack: Stack | None
    source: Source
    findings: tuple[Finding, ...]
    kept: Mapping[Path, list[int]] = MappingProxyType({})
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
    if str(path) == "-":
        raise HomelabmonError(
            "the stack is not read from standard input, as templates and what is rendered lie beside it; "
            "write it to a file, and name that with --stack"
        )
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
    return read_source(parse(raw, shown(path)))


def read_source(source: Source) -> Loaded:
    """The same for a source that is parsed already."""
    try:
        return Loaded(Stack.model_validate(source.data, by_alias=True, by_name=False), source, ())
    except ValidationError as error:
        from homelabmon.wording import findings_of

        findings = findings_of(error, source, Stack)
    stack, kept = _salvage(source)
    return Loaded(stack, source, tuple(sorted(findings, key=lambda found: found.position or (0, 0))), kept)


_HOLE: Final = object()
_STAND_INS: Final[dict[Path, Any]] = {
    ("apiVersion",): "homelabmon/v1",
    ("name",): "home",
    ("cluster",): {"distribution": "k3s"},
    ("cluster", "distribution"): "k3s",
    ("components",): {},
    ("channels",): {"ops": {"discord": {"webhook": {"secret": "stand-in", "key": "ops"}}}},
    ("defaults",): {"channel": "ops"},
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
    from homelabmon.wording import data_path

    path = data_path(error["loc"])
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
        if path == ("defaults",) and isinstance(channels := parent.get("channels"), dict) and channels:
            parent["defaults"] = {"channel": next(iter(channels))}
    elif isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent):
        parent[path[-1]] = _HOLE
