"""group-by-label: a `group_by` that Alertmanager refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity

_ALL = "..."


def _find(context: Context) -> Iterator[Problem]:
    for place in context.routes:
        labels = place.own.group_by or ()
        path = (*place.path, "group_by")
        if _ALL in labels and len(labels) > 1:
            message = f"{place.label}: `...` means all labels and stands alone, got {', '.join(labels)}"
            yield Problem(path, message, 'write ["..."], or the labels without it')
            continue
        for label, times in Counter(labels).items():
            if times > 1:
                message = f"{place.label}: the label {label!r} is in group_by {times} times"
                yield Problem((*path, _last(labels, label)), message, "keep one of them: Alertmanager refuses the rest")


def _last(labels: tuple[str, ...], label: str) -> int:
    return len(labels) - 1 - labels[::-1].index(label)


CHECK = Check("group-by-label", Severity.ERROR, "`group_by` names a label twice, or `...` beside others.", _find)
