"""unknown-label: a label's name that no alert carries, and that is nearly the name of one that alerts do carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.promql import surviving_labels
from homelabmon.components.default_alerts import default_alerts
from homelabmon.source import walk
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.routes import Selector

_EVERYWHERE: Final = frozenset(
    {
        *(names.LABEL_ALERTNAME, names.LABEL_SEVERITY, "namespace", "instance", "container", "service", "deployment"),
        *("statefulset", "daemonset", "persistentvolumeclaim", "mountpoint", "hostname", "cronjob", "job"),
    }
)
"""Labels that everybody's alerts carry: nobody calls one of his own nearly like these."""
_OURS: Final = frozenset(
    {
        *(names.LABEL_SOURCE, names.LABEL_COMPONENT, names.LABEL_HEARTBEAT, names.LABEL_PROBE, "rule", "priority"),
        *("ip", "pool", "channel", "route", "component_id", "buffer_id", "workload", "kind", "address", "tenant"),
        *("error_type", "cluster", "prometheus", "endpoint", "alertstate"),
    }
)
"""Labels that our packs' alerts, and what comes to the relay past Alertmanager, carry besides."""
_CLASSIC: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_WORD: Final = re.compile(r"[a-zA-Z_][\w-]*")
_ALL: Final = "..."
_RULES: Final = frozenset({"PrometheusRule", "ConfigMap"})


def _find(context: Context) -> Iterator[Problem]:
    known = _known()
    asked = [(path, label) for path, label in _asked(context) if label not in known and label != _ALL]
    if not asked:
        return
    written, free = _written(context), _anything_goes(context)
    for path, label in asked:
        # Where alerts of the owner's can carry any label, only the names that everybody knows are vouched for.
        against = _EVERYWHERE if free and _CLASSIC.fullmatch(label) else known
        meant = None if label in written else _nearly(label, against)
        if meant is not None:
            yield Problem(path, f"no alert carries the label {label!r}", f"did you mean {meant!r}?", on_key=True)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    of_chart = {label for alert in default_alerts() for label in (*alert.labels, *alert.static)}
    return _EVERYWHERE | _OURS | of_chart


def _asked(context: Context) -> Iterator[tuple[Path, str]]:
    """Every place that names a label of alerts."""
    stack = context.stack
    for place in context.routes:
        for number, label in enumerate(place.own.group_by or ()):
            yield (*place.path, "group_by", number), label
        if place.route is not None:
            yield from _of_selector(place.path, place.route)
    for number, rule in enumerate(stack.inhibit):
        yield from _of_selector(("inhibit", number, "source"), rule.source)
        yield from _of_selector(("inhibit", number, "target"), rule.target)
        for index, label in enumerate(rule.equal):
            yield ("inhibit", number, "equal", index), label
    for name, thing in stack.depends_on.items():
        for key in ("match", "down"):
            for label in getattr(thing, key):
                yield ("depends_on", name, key, label), label


def _of_selector(path: Path, selector: Selector) -> Iterator[tuple[Path, str]]:
    for label in selector.match:
        yield (*path, "match", label), label
    for number, matcher in enumerate(selector.all_matchers[len(selector.match) :]):
        yield (*path, "matchers", number), matcher.name


def _written(context: Context) -> frozenset[str]:
    """Every word that may be the name of a label where the owner's own alerts, targets and rules are written."""
    stack = context.stack
    found: set[str] = set()
    for alert in stack.alerts:
        found.update(alert.labels, _WORD.findall(alert.expr))
    for item in stack.scrape:
        found.update(item.labels)
    for test in stack.tests:
        for _, labels in test.alerts:
            found.update(labels)
    for key in ("extra", "components"):
        for path, value in walk(context.data.get(key)):
            found.update(part for part in path if isinstance(part, str))
            found.update(_WORD.findall(value) if isinstance(value, str) else ())
    return frozenset(found)


def _anything_goes(context: Context) -> bool:
    """Whether somebody's alerts may carry labels that nobody here knows."""
    stack = context.stack
    if stack.components.alertmanager is not None and not stack.components.alertmanager.install:
        return True
    if stack.components.loki is not None and stack.components.loki.ruler:
        return True
    if any(item.get("kind") in _RULES for item in stack.extra) or _brings_rules(stack.components.prometheus):
        return True
    trees = (parsed.tree for _, _, parsed in context.own_alerts)
    return any(tree is None or surviving_labels(tree).open for tree in trees)


def _brings_rules(prometheus: Any) -> bool:
    return prometheus is not None and "additionalPrometheusRulesMap" in prometheus.values


@lru_cache(maxsize=4096)
def _nearly(label: str, known: frozenset[str]) -> str | None:
    """The known label that was most likely meant: written otherwise, or a slip or two away. None when in doubt."""
    folded = _fold(label)
    if not folded:
        return None
    alike = [name for name in sorted(known) if _fold(name) == folded]
    if alike:
        return alike[0]
    slips = 2 if len(folded) >= 8 else 1 if len(folded) >= 6 else 0
    near = [
        name for name in sorted(known) if name[:1].lower() == folded[:1] and _distance(folded, _fold(name)) <= slips
    ]
    plural = [
        name for name in near if {folded, _fold(name)} == {folded.removesuffix("s"), f"{folded.removesuffix('s')}s"}
    ]
    return near[0] if len(near) == 1 and not plural else None


def _fold(label: str) -> str:
    return re.sub(r"[-_. ]", "", label).casefold()


def _distance(left: str, right: str) -> int:
    """Letters added, left out, changed, or swapped with their neighbour (optimal string alignment)."""
    if abs(len(left) - len(right)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(right) + 1))
    for number, letter in enumerate(left, 1):
        older, before, row = before, row, [number]
        for index, other in enumerate(right, 1):
            cost = min(row[-1] + 1, before[index] + 1, before[index - 1] + (letter != other))
            if number > 1 and index > 1 and letter == right[index - 2] and other == left[number - 2]:
                cost = min(cost, older[index - 2] + 1)
            row.append(cost)
    return row[-1]


CHECK = Check(
    "unknown-label",
    Severity.WARNING,
    "A label is asked for that no alert carries, and that is nearly the name of one that alerts do carry.",
    _find,
    whole=True,
)
