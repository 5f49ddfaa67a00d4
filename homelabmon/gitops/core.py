"""The schemas of Kubernetes' own kinds, read from the files that the package ``kubernetes-validate`` ships.

Only its data is used: its own validator reads and compiles everything anew for every object (12 ms each, and 85 ms to
import). ``tests/gitops/test_core.py`` holds that both judge alike.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from homelabmon.errors import HomelabmonError, MissingDependencyError

_FOLDER = re.compile(r"v(\d+)\.(\d+)\.\d+-local-strict")
_DEFINITION = "#/$defs/"
_FILE = "_definitions.json"
_CACHED = 1
"""Changes whenever what is kept would be made differently."""


class Subset(NamedTuple):
    """Some kinds of one version: (apiVersion, kind) to definition, and the definitions they need, without prose."""

    names: dict[tuple[str, str], str]
    definitions: dict[str, Any]


class Core:
    """The kinds of one Kubernetes version, read from its folder when first asked for (1.4 MB)."""

    def __init__(self, version: str, folder: Path) -> None:
        self.version = version
        self.folder = folder

    @cached_property
    def definitions(self) -> dict[str, Any]:
        """Every definition by name."""
        found: dict[str, Any] = json.loads((self.folder / _FILE).read_bytes())["$defs"]
        return found

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """(apiVersion, kind) to the name of its definition."""
        return _names(self.definitions)

    def subset(self, kinds: Iterable[tuple[str, str]], cache: Path | None = None) -> Subset:
        """What the schemas of these kinds need, and no more; kinds that are not Kubernetes' own are left out.

        ``cache`` is a folder to keep it in between processes; what is kept there is good for the same file alone.
        """
        wanted = sorted(set(kinds))
        stat = (self.folder / _FILE).stat()
        key = json.dumps([_CACHED, str(self.folder), stat.st_size, stat.st_mtime_ns, wanted])
        kept = None if cache is None else cache / f"kubernetes-{self.version}-{zlib.crc32(key.encode()):08x}.json"
        if kept is not None and (found := _kept(kept, key)) is not None:
            return found
        names = {kind: self.names[kind] for kind in wanted if kind in self.names}
        subset = Subset(names, self.with_references(names.values()))
        if kept is not None:
            _keep(kept, key, subset)
        return subset

    def with_references(self, names: Iterable[str]) -> dict[str, Any]:
        """These definitions and everything they refer to, without descriptions."""
        found: dict[str, Any] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = _trimmed(self.definitions[name], waiting)
        return found

    def versions_of(self, kind: str) -> list[str]:
        """The apiVersions that serve a kind, the newest last."""
        return sorted((api_version for api_version, other in self.names if other == kind), key=_age)

    @property
    def groups(self) -> set[str]:
        """The API groups that are Kubernetes' own."""
        return {api_version.rpartition("/")[0] for api_version, _ in self.names}


@lru_cache(maxsize=2)
def load(kubernetes: str) -> Core:
    """The schemas for a version such as ``1.34``: its own, else the nearest older ones, else the oldest there are.

    ``Core.version`` tells which. Raises HomelabmonError when the version is unreadable.
    """
    folders = _folders()
    best = max((version for version in folders if version <= minor(kubernetes)), default=min(folders))
    return Core(_dotted(best), folders[best])


def _kept(path: Path, key: str) -> Subset | None:
    try:
        data = json.loads(path.read_bytes())
        if data["key"] != key:
            return None
        return Subset({(api, kind): name for api, kind, name in data["names"]}, data["definitions"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, key: str, subset: Subset) -> None:
    """Written beside and renamed: a reader never sees half of it. A folder that cannot be written is no loss."""
    names = [(api, kind, name) for (api, kind), name in subset.names.items()]
    text = json.dumps({"key": key, "names": names, "definitions": subset.definitions})
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)


def _folders() -> dict[tuple[int, int], Path]:
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("kubernetes_validate", "render")
    folder = Path(spec.origin).parent / "kubernetes-json-schema"
    matches = ((path, _FOLDER.fullmatch(path.name)) for path in folder.iterdir())
    return {(int(match[1]), int(match[2])): path for path, match in matches if match}


def minor(kubernetes: str) -> tuple[int, int]:
    """``1.34`` as numbers, to be compared."""
    match = re.match(r"v?(\d+)\.(\d+)", kubernetes)
    if match is None:
        raise HomelabmonError(f"cluster.kubernetes: {kubernetes!r} is no Kubernetes version: write for example 1.34")
    return int(match[1]), int(match[2])


def _age(api_version: str) -> tuple[bool, bool, str]:
    """Sorts alpha before beta before stable versions."""
    return "alpha" not in api_version, "beta" not in api_version, api_version


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _names(definitions: dict[str, Any]) -> dict[tuple[str, str], str]:
    names = {}
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", ())
        if len(kinds) == 1 and "metadata" in definition.get("properties", {}):
            group, version, kind = kinds[0]["group"], kinds[0]["version"], kinds[0]["kind"]
            names[f"{group}/{version}" if group else version, kind] = name
    return names


def _trimmed(schema: dict[str, Any], references: list[str]) -> dict[str, Any]:
    """A copy without what only people read, which is most of it; what it refers to is added to ``references``."""
    copy: dict[str, Any] = {}
    for key, value in schema.items():
        if isinstance(value, dict):
            copy[key] = _trimmed(value, references)
        elif isinstance(value, list):
            copy[key] = [_trimmed(item, references) if isinstance(item, dict) else item for item in value]
        elif key == "$ref":
            copy[key] = value
            references.append(value.removeprefix(_DEFINITION))
        elif key != "description":
            copy[key] = value
    return copy
