"""impossible-test: a test describes an alert that cannot look like that, so that it proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.promql import ANY, Labels, surviving_labels
from homelabmon.components.default_alerts import default_alerts_by_name
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an alert of one name can look like: its severities, and the labels that it may carry."""

    severities: frozenset[str]
    labels: Labels

    def __or__(self, other: _Shape) -> _Shape:
        return _Shape(self.severities | other.severities, self.labels | other.labels)


def _find(context: Context) -> Iterator[Problem]:
    if not context.stack.tests:
        return
    own = _own_shapes(context)
    for number, test in enumerate(context.stack.tests):
        name = test.alert.get(names.LABEL_ALERTNAME, "")
        shape = own.get(name) or _chart_shape(context, name)
        if shape is None or test.alert.get(names.LABEL_SOURCE):
            continue
        path: Path = ("tests", number, "alert")
        severity = test.alert.get(names.LABEL_SEVERITY)
        if severity is not None and severity not in shape.severities:
            real = " or ".join(sorted(shape.severities))
            message = f"{name} has severity {real}, never {severity}"
            yield Problem((*path, names.LABEL_SEVERITY), message, f"write severity: {sorted(shape.severities)[0]}")
        for label in test.alert:
            if label not in shape.labels and label not in (names.LABEL_ALERTNAME, names.LABEL_SEVERITY):
                known = frozenset() if shape.labels.open else shape.labels.names
                message = f"{name} never carries the label {label!r}"
                fix = context.guess(label, known, "it has: ") or "remove the label"
                yield Problem((*path, label), message, fix, on_key=True)


def _own_shapes(context: Context) -> dict[str, _Shape]:
    found: dict[str, _Shape] = {}
    for _, alert, parsed in context.own_alerts:
        labels = ANY if parsed.tree is None else surviving_labels(parsed.tree) | Labels(frozenset(alert.labels))
        severity = alert.labels.get(names.LABEL_SEVERITY, alert.severity)
        shape = _Shape(frozenset({severity}), labels)
        found[alert.alert] = found[alert.alert] | shape if alert.alert in found else shape
    return found


def _chart_shape(context: Context, name: str) -> _Shape | None:
    prometheus = context.stack.components.prometheus
    if prometheus is None or name not in context.alerts.chart:
        return None
    change = prometheus.default_alerts.get(name)
    shape: _Shape | None = None
    for alert in default_alerts_by_name()[name]:
        severity = change.severity if change is not None and change.severity is not None else alert.severity
        labels = Labels(frozenset(alert.labels) | frozenset(alert.static)) if alert.exact else ANY
        this = _Shape(frozenset({severity}), labels)
        shape = this if shape is None else shape | this
    return shape


CHECK = Check(
    "impossible-test",
    Severity.WARNING,
    "A test names a severity or a label that its alert never has.",
    _find,
    whole=True,
)
