"""Finds objects that Flux's post-build substitution would damage. It works on the text of each object it is let at.

Source: fluxcd/pkg kustomize_varsub.go and envsubst. ``${`` starts an expression (an unset variable fails the whole
Kustomization since Flux 2.9, before it vanished), every ``$$`` becomes ``$``; ``$x`` without braces is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Literal

from homelabmon.gitops.explain import shown
from homelabmon.gitops.metadata import KUSTOMIZE
from homelabmon.gitops.objects import Item, leaves
from homelabmon.spec import names
from homelabmon.spec.findings import Finding, Path

Mode = Literal["disabled", "escaped"]
"""``disabled``: objects are marked so that they are left alone; ``escaped``: every ``$`` in them is doubled."""

_DAMAGED = re.compile(r"\$\{[^}\n]{0,40}\}?|\$\$")
_UNESCAPED = re.compile(r"(?<!\$)(?:\$\$)*(\$\{[^}\n]{0,40}\}?)")
_MARK = f"{names.FLUX_SUBSTITUTE}: disabled"


def judge(items: Iterable[Item], mode: Mode) -> Iterator[Finding]:
    """One finding for each object that would be damaged, at the first place of it."""
    everything = list(items)
    marked_folders = {
        PurePosixPath(item.file).parent for item in everything if item.group == KUSTOMIZE and _marks_all(item.data)
    }
    for item in everything:
        if item.group == KUSTOMIZE:
            yield from _generators(item, mode)
        elif not _marked(item.metadata) and not marked_folders.intersection(PurePosixPath(item.file).parents):
            yield from _object(item, mode)


def _object(item: Item, mode: Mode) -> Iterator[Finding]:
    damage = next(_damage(item.data, mode), None)
    if damage is None:
        return
    path, text = damage
    if mode == "escaped":
        fix = "double the $ ($${...}), as cluster.flux.substitution: escaped does"
    else:
        fix = f"annotate the object with {_MARK} (or `enabled`, if it is meant)"
    yield item.finding("substitution", f"Flux's post-build substitution would damage {shown(text, item)}", fix, path)


def _damage(data: object, mode: Mode) -> Iterator[tuple[Path, str]]:
    if "$" not in json.dumps(data):
        return
    shape = _DAMAGED if mode == "disabled" else _UNESCAPED
    for path, value in leaves(data):
        for text in (value, *path[-1:]):
            if isinstance(text, str) and "$" in text and (match := shape.search(text)):
                yield path, match[match.lastindex or 0]


def _marked(metadata: Mapping[str, object]) -> bool:
    """Whether an object is left alone (``disabled``), or its owner says that it is meant (``enabled``, which Flux
    itself does not look at)."""
    return any(
        isinstance(entries, dict) and entries.get(names.FLUX_SUBSTITUTE) in ("disabled", "enabled")
        for entries in (metadata.get("annotations"), metadata.get("labels"))
    )


def _marks_all(kustomization: Mapping[str, object]) -> bool:
    """Whether a kustomization puts the mark on all of its objects."""
    pairs = kustomization.get("labels")
    entries = [pair.get("pairs") for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return any(
        isinstance(entry, dict) and entry.get(names.FLUX_SUBSTITUTE) == "disabled"
        for entry in (kustomization.get("commonAnnotations"), kustomization.get("commonLabels"), *entries)
    )


def _generators(item: Item, mode: Mode) -> Iterator[Finding]:
    """Generated ConfigMaps and Secrets: nothing is known of the files they hold, so they need the mark."""
    if mode == "escaped" or _marks_all(item.data) or _marked(_mapping(item.data.get("generatorOptions"))):
        return
    for field in ("configMapGenerator", "secretGenerator"):
        generators = item.data.get(field)
        for index, generator in enumerate(generators if isinstance(generators, list) else ()):
            inside = _mapping(generator)
            unknown = inside.get("files") or inside.get("envs") or next(_damage(inside.get("literals"), mode), None)
            if unknown and not _marked(_mapping(inside.get("options"))):
                yield item.finding(
                    "substitution",
                    f"Flux's post-build substitution would go through what is in {inside.get('name', index)!r}",
                    f"add generatorOptions.annotations: {{{_MARK}}}",
                    (field, index),
                )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
