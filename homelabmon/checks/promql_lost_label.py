"""promql-lost-label: a text shows a label that the alert's expression has thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.go_template import labels_read, read_template
from homelabmon.checks.support.promql import Labels, shortened, surviving_labels
from homelabmon.checks.support.texts import templated_texts
from homelabmon.spec import names
from homelabmon.spec.findings import Severity
from homelabmon.spec.watch import Alert


def _find(context: Context) -> Iterator[Problem]:
    for number, alert, parsed in context.own_alerts:
        if parsed.tree is None:
            continue
        left = surviving_labels(parsed.tree)
        for path, text in templated_texts(alert, ("alerts", number)):
            template = read_template(text)
            for label in labels_read(template) if template.flaw is None else ():
                if label not in left:
                    message = f"{{{{ $labels.{label} }}}} is empty: {shortened(alert.expr)} drops the label {label!r}"
                    yield Problem(path, message, _fix(context, alert, label, left))


def _fix(context: Context, alert: Alert, label: str, left: Labels) -> str:
    if label == names.LABEL_ALERTNAME:
        return f"write {alert.alert}: $labels holds what the expression returns, nothing else"
    if label in alert.labels or label == names.LABEL_SEVERITY:
        return "write it out: $labels holds what the expression returns, not the rule's own labels"
    if left.open:
        return f"let the expression keep {label}, or do not show it"
    if not left.names:
        return f"let the expression keep {label}, or do not show it"
    if guess := context.likely(label, left.names):
        return guess
    kept = ", ".join(sorted(left.names))
    return f"what is left: {kept}; let the expression keep {label} as well, or do not show it"


CHECK = Check(
    "promql-lost-label",
    Severity.WARNING,
    "A text shows `$labels.x`, but the expression drops the label x: it is always empty.",
    _find,
)
