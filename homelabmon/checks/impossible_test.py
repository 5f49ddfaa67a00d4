"""impossible-test: a test describes an alert that cannot look like that, so that it proves nothing.

Here for the owner's alerts and the chart's; for those of packs, once they are rendered, in
:mod:`homelabmon.journey.findings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.promql import ANY, Labels, surviving_labels
from homelabmon.checks.support.shapes import AlertShape, added_labels, chart_rules_changed, impossible
from homelabmon.components.default_alerts import default_alerts_by_name
from homelabmon.spec import names
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    if not context.stack.tests:
        return
    own, values = _own_shapes(context), _values(context)
    added = AlertShape(frozenset(), added_labels(values))
    for number, test in enumerate(context.stack.tests):
        for way, alert in test.alerts:
            name = alert.get(names.LABEL_ALERTNAME, "")
            if alert.get(names.LABEL_SOURCE) or name in context.alerts.packs or name in context.alerts.raw:
                continue
            shapes = [shape for shape in (own.get(name), _chart_shape(context, name, values)) if shape is not None]
            if shapes:
                shape = added
                for one in shapes:
                    shape |= one
                yield from impossible(("tests", number, *way), alert, shape, context.guess)


def _values(context: Context) -> dict[str, Any]:
    prometheus = context.stack.components.prometheus
    return prometheus.values if prometheus is not None else {}


def _own_shapes(context: Context) -> dict[str, AlertShape]:
    found: dict[str, AlertShape] = {}
    for _, alert, parsed in context.own_alerts:
        labels = ANY if parsed.tree is None else surviving_labels(parsed.tree) | Labels(frozenset(alert.labels))
        severity = alert.labels.get(names.LABEL_SEVERITY, alert.severity)
        shape = AlertShape(frozenset({severity}), labels)
        found[alert.alert] = found[alert.alert] | shape if alert.alert in found else shape
    return found


def _chart_shape(context: Context, name: str, values: dict[str, Any]) -> AlertShape | None:
    prometheus = context.stack.components.prometheus
    if prometheus is None or name not in context.alerts.chart:
        return None
    if chart_rules_changed(values) or name in (values.get("customRules") or {}):
        return AlertShape(None, ANY)
    change = prometheus.default_alerts.get(name)
    shape: AlertShape | None = None
    for alert in default_alerts_by_name()[name]:
        severity = change.severity if change is not None and change.severity is not None else alert.severity
        labels = Labels(frozenset(alert.labels) | frozenset(alert.static)) if alert.exact else ANY
        this = AlertShape(frozenset({severity}), labels)
        shape = this if shape is None else shape | this
    return shape


CHECK = Check(
    "impossible-test",
    Severity.WARNING,
    "A test names a severity or a label that its alert never has.",
    _find,
    whole=True,
)
