"""What kustomizations name, looked up among the rendered files.

A file that is missing fails the whole build; one that no kustomization names is never applied.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator

from homelabmon.gitops.metadata import KUSTOMIZE
from homelabmon.gitops.objects import Item
from homelabmon.spec.findings import Finding, Path
from homelabmon.spec.suggest import suggest

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def judge(items: Iterable[Item], files: Collection[str]) -> Iterator[Finding]:
    """Findings about references that lead nowhere, and about objects beside a kustomization that it does not name."""
    everything = list(items)
    present = {posixpath.normpath(file) for file in files}
    folders = {folder for file in present for folder in _parents(file)}
    kustomizations = {item.file: item for item in everything if item.group == KUSTOMIZE}
    named: set[str] = set()
    for item in kustomizations.values():
        here = posixpath.dirname(item.file)
        for path, reference in _references(item):
            target = posixpath.normpath(posixpath.join(here, reference))
            named.add(target)
            if "://" in reference or reference.startswith("git@") or target.startswith(".."):
                continue
            if target not in present and not any(posixpath.join(target, name) in present for name in _NAMES):
                yield _missing(item, path, reference, target, present, folders)
    yield from _lost(everything, {posixpath.dirname(file) for file in kustomizations}, named)


def _missing(
    item: Item, path: Path, reference: str, target: str, present: Collection[str], folders: Collection[str]
) -> Finding:
    if target in folders:
        return item.finding("kustomize-files", f"the folder {reference!r} has no kustomization.yaml", "add one", path)
    beside = [posixpath.basename(file) for file in present if posixpath.dirname(file) == posixpath.dirname(target)]
    fix = suggest(posixpath.basename(target), sorted(beside), "beside it are ")
    return item.finding("kustomize-files", f"there is no file {reference!r}", fix, path)


def _lost(items: Iterable[Item], folders: Collection[str], named: Collection[str]) -> Iterator[Finding]:
    for item in items:
        folder = posixpath.dirname(item.file)
        if item.group != KUSTOMIZE and folder in folders and item.file not in named:
            fix = f"add {posixpath.basename(item.file)} to resources in {posixpath.join(folder, _NAMES[0])}"
            yield item.finding("kustomize-files", "no kustomization names its file, so it is never applied", fix)


def _references(item: Item) -> Iterator[tuple[Path, str]]:
    for field in ("resources", "components", "configurations", "crds", "generators", "transformers"):
        for index, entry in _entries(item.data.get(field)):
            if isinstance(entry, str) and "\n" not in entry:
                yield (field, index), entry
    for index, patch in _entries(item.data.get("patches")):
        if isinstance(patch, dict) and isinstance(patch.get("path"), str):
            yield ("patches", index, "path"), patch["path"]
    for field in ("configMapGenerator", "secretGenerator"):
        for index, generator in _entries(item.data.get(field)):
            for kind in ("files", "envs"):
                for number, entry in _entries(generator.get(kind) if isinstance(generator, dict) else None):
                    if isinstance(entry, str):
                        path = entry.rpartition("=")[2] if kind == "files" else entry
                        yield (field, index, kind, number), path


def _entries(value: object) -> Iterator[tuple[int, object]]:
    return iter(enumerate(value if isinstance(value, list) else ()))


def _parents(file: str) -> Iterator[str]:
    folder = posixpath.dirname(file)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
