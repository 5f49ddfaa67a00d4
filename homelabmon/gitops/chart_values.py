"""Which keys a chart's values can have, and which keys of a user's ``values:`` no template can read.

Most charts take any key in silence, so a mistyped one changes nothing and nobody is told. But a wrong accusation is
worse than a missed mistake: a key is named only when it is certain, or a plain misspelling of a key beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from homelabmon.gitops import chart_files, values_schema
from homelabmon.gitops.chart_files import ChartFiles
from homelabmon.gitops.template_reads import Keys, Reads, scan
from homelabmon.spec.findings import Finding, Path
from homelabmon.spec.suggest import suggest

_FREE_ENDS = (
    *("annotations", "labels", "selector", "resources", "affinity", "env", "envs", "securitycontext", "probe"),
    *("tolerations", "strategy", "configmap", "secret", "data", "args", "dnsconfig", "headers", "limits", "requests"),
)
_COMMENTED = re.compile(r"^\s*#+\s*-?\s*[\"']?([A-Za-z_][\w.-]*)[\"']?\s*:", re.MULTILINE)
_IN_TEXT = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_SHORTEST = 4


@dataclass(frozen=True)
class Known:
    """What is known of a chart: its default ``values`` with those of its subcharts, and what templates do with them."""

    values: Mapping[str, Any]
    reads: Reads = field(default_factory=Reads)
    templates: bool = False
    """Whether the templates were at hand. Without them only plain misspellings are named."""
    mentioned: frozenset[str] = frozenset()
    """Names of keys that stand in comments of the default values."""
    schemas: Mapping[Keys, Any] = field(default_factory=dict)
    """The ``values.schema.json`` of the chart and of its subcharts, by where their values stand."""


def known_values(chart: File) -> Known:
    """What is known of the chart in a folder or archive. Raises RenderError when it cannot be read."""
    return _known(chart_files.load(chart))


def unknown_value_keys(values: Mapping[str, Any], known: Known) -> list[Path]:
    """The ways to the keys of ``values`` that the chart does not know, in their order."""
    own = Reads()
    for path in _paths_in_texts(values):
        own.add_read(path)
    return list(_unknown(values, known.values, (), known, own.read))


def findings(values: Mapping[str, Any], known: Known, *, place: Path = (), file: str = "stack.yaml") -> list[Finding]:
    """The same as findings of the check ``chart-values``, and what the chart's schemas have against the values.

    ``place`` is the way to the values in the file.
    """
    refused = values_schema.judge(values, known.values, known.schemas)
    return [
        Finding(
            "chart-values",
            f"the chart does not know the key {path[-1]!r}",
            suggest(str(path[-1]), _siblings(known.values, path), "it knows here: "),
            (*place, *path),
            file=file,
        )
        for path in unknown_value_keys(values, known)
    ] + [
        Finding("chart-values", f"the chart's schema refuses this: {message}", "", (*place, *path), file=file)
        for path, message in refused
    ]


def from_document(document: Mapping[str, Any]) -> Known:
    """The same from a file that is kept for when the chart is not at hand.

    Its ``tree`` holds the default values (only their shape counts), the others paths: ``refs`` are read, ``dumps`` used
    whole, ``passed`` passed on, ``chains`` read from what was passed on. Raises ValueError when it is none.
    """
    try:
        reads = Reads(whole=_keys(document["dumps"]), passed=_keys(document["passed"]))
        for path in _keys(document["refs"]):
            reads.add_read(path)
        reads.names = {name for field in ("refs", "chains") for path in document[field] for name in path}
        return Known({**document["tree"], "global": {}}, reads, templates=True)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no document about a chart's values: {type(error).__name__} {error}") from None


def _keys(paths: object) -> set[Keys]:
    return {tuple(path) for path in paths} if isinstance(paths, list) else set()


# What a chart knows ---------------------------------------------------------------------------------------------------


def _known(chart: ChartFiles) -> Known:
    values: dict[str, Any] = dict(chart.values)
    reads = scan(chart.templates.values())
    templates, mentioned = bool(chart.templates), set(_COMMENTED.findall(chart.values_text))
    inside = {subchart.name: _known(subchart) for subchart in chart.subcharts}
    libraries = {subchart.name for subchart in chart.subcharts if subchart.metadata.get("type") == "library"}
    for name, alias, dependency in _dependencies(chart):
        subchart = inside.get(name)
        if subchart is None:
            values[alias] = {}
        else:
            own = values.get(alias)
            values[alias] = _merged(subchart.values, own if isinstance(own, dict) else {})
            reads.add(subchart.reads, (alias,))
            mentioned |= subchart.mentioned
            if name in libraries:
                reads.add(subchart.reads)
        for condition in str(dependency.get("condition") or "").split(","):
            reads.add_read(tuple(condition.strip().split(".")))
        if dependency.get("import-values"):
            reads.passed.add(())
    schemas: dict[Keys, Any] = {} if chart.schema is None else {(): chart.schema}
    for name, alias, _ in _dependencies(chart):
        if name in inside:
            schemas.update({(alias, *path): schema for path, schema in inside[name].schemas.items()})
    values["global"] = {}
    values.setdefault("tags", {})
    return Known(values, reads, templates, frozenset(mentioned), schemas)


def _dependencies(chart: ChartFiles) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Name, name in the values, and declaration of each subchart; also of those that are there undeclared."""
    declared = chart.metadata.get("dependencies")
    names = set()
    for dependency in declared if isinstance(declared, list) else ():
        if isinstance(dependency, dict) and dependency.get("name"):
            name = str(dependency["name"])
            names.add(name)
            yield name, str(dependency.get("alias") or name), dependency
    for subchart in chart.subcharts:
        if subchart.name not in names:
            yield subchart.name, subchart.name, {}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Helm folds them: mappings merge, the rest replaces. A null does not delete: the key stays known."""
    result = dict(below)
    for key, value in above.items():
        own = result.get(key)
        if isinstance(own, dict) and isinstance(value, dict):
            result[key] = _merged(own, value)
        elif value is not None or key not in result:
            result[key] = value
    return result


# Which keys it does not know ------------------------------------------------------------------------------------------


def _unknown(
    given: Mapping[str, Any], defaults: Mapping[str, Any], here: Keys, known: Known, own: set[Keys]
) -> Iterator[Path]:
    if not defaults or here in known.reads.whole or (here and here[-1].casefold().endswith(_FREE_ENDS)):
        return
    for key, value in given.items():
        path = (*here, str(key))
        if key in defaults:
            inner = defaults[key]
            if isinstance(value, Mapping) and isinstance(inner, Mapping):
                yield from _unknown(value, inner, path, known, own)
        elif _is_unknown(path, defaults, known, own):
            yield path


def _is_unknown(path: Keys, siblings: Mapping[str, Any], known: Known, own: set[Keys]) -> bool:
    key = path[-1]
    if key.startswith(("x-", "_", ".")) or key in known.mentioned or path in own:
        return False
    if not known.templates:
        return any(_misspelt(key, sibling) and not _plural(key, sibling) for sibling in siblings)
    if path in known.reads.read:
        return False
    handed_on = any(path[:length] in known.reads.passed for length in range(len(path)))
    if handed_on:
        return key not in known.reads.names and any(_misspelt(key, sibling) for sibling in siblings)
    return True


def _misspelt(word: str, right: str) -> bool:
    """Whether a word is another one up to case, dashes and underscores, or one slip of the fingers."""
    one, other = _folded(word), _folded(right)
    if one == other:
        return True
    if min(len(one), len(other)) < _SHORTEST or one.isdigit():
        return False
    return _one_slip(one, other)


def _folded(word: str) -> str:
    return word.casefold().replace("-", "").replace("_", "")


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less or other, or two neighbours exchanged; digits are never slips."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    first, second = one[start:], other[start:]
    changed = {*first[:1], *second[:1]}
    if any(letter.isdigit() for letter in changed):
        return False
    return (
        first[1:] == second[1:]
        or first[1:] == second
        or first == second[1:]
        or (first[:2] == second[1::-1] and first[2:] == second[2:])
    )


def _plural(one: str, other: str) -> bool:
    return one.rstrip("s") == other.rstrip("s")


def _paths_in_texts(value: object) -> set[Keys]:
    """``.Values`` paths in the texts of the values themselves: for what the chart passes through ``tpl``."""
    if isinstance(value, str):
        return {tuple(match[1:].split(".")) for match in _IN_TEXT.findall(value)} if ".Values" in value else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {path for item in inner for path in _paths_in_texts(item)}


def _siblings(defaults: Mapping[str, Any], path: Path) -> list[str]:
    node: Any = defaults
    for part in path[:-1]:
        node = node[part]
    return list(node)
