"""What an alert can look like: its severities and its labels; and which tests describe one that cannot be.

Asked by impossible-test, and by :mod:`homelabmon.journey`, which knows the rendered rules as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from homelabmon.checks.support.check import Problem
from homelabmon.checks.support.promql import ANY, Labels
from homelabmon.spec import names
from homelabmon.spec.findings import Path

_RELABELLING: Final = ("additionalAlertRelabelConfigs", "additionalAlertRelabelConfigsSecret")
_CHANGING: Final = ("additionalRuleLabels", "additionalRuleGroupLabels", "additionalAggregationLabels")


class AlertShape(NamedTuple):
    """What alerts of one name can look like. ``severities`` None: any."""

    severities: frozenset[str] | None
    labels: Labels

    def __or__(self, other: AlertShape) -> AlertShape:
        both = None if self.severities is None or other.severities is None else self.severities | other.severities
        return AlertShape(both, self.labels | other.labels)


def added_labels(values: Mapping[str, Any]) -> Labels:
    """The labels that Prometheus adds to every alert on its way out, by the values of kube-prometheus-stack.

    External labels, and what alert relabelling makes of them. The operator gives each alert ``prometheus``, and drops
    ``prometheus_replica``.
    """
    spec = _mapping(_mapping(values, "prometheus"), "prometheusSpec")
    if any(spec.get(key) for key in _RELABELLING):
        return ANY
    own = () if spec.get("prometheusExternalLabelNameClear") else (spec.get("prometheusExternalLabelName"),)
    external = (*(str(name or "prometheus") for name in own), *map(str, _mapping(spec, "externalLabels")))
    return Labels(frozenset(external)) | _enforced(spec)


def _enforced(spec: Mapping[str, Any]) -> Labels:
    label = spec.get("enforcedNamespaceLabel")
    return Labels(frozenset((str(label),) if label else ()))


def chart_rules_changed(values: Mapping[str, Any]) -> bool:
    """Whether values give the chart's own rules other labels than they come with."""
    rules = _mapping(values, "defaultRules")
    groups = _mapping(rules, "additionalRuleGroupLabels")
    return any(rules.get(key) for key in _CHANGING if key != "additionalRuleGroupLabels") or any(groups.values())


def impossible(
    path: Path, alert: Mapping[str, str], shape: AlertShape, guess: Callable[[str, Collection[str], str], str]
) -> Iterator[Problem]:
    """What about an alert of a test, which stands at ``path``, cannot be. ``guess`` makes a suggestion of a word, the
    known ones and a lead-in."""
    name, severity = alert[names.LABEL_ALERTNAME], alert.get(names.LABEL_SEVERITY)
    if severity is not None and shape.severities is not None and severity not in shape.severities:
        real = sorted(shape.severities)
        message = f"{name} has severity {' or '.join(real)}, never {severity}"
        yield Problem((*path, names.LABEL_SEVERITY), message, f"write severity: {real[0]}")
    for label in alert:
        if label not in shape.labels and label not in (names.LABEL_ALERTNAME, names.LABEL_SEVERITY):
            known = frozenset() if shape.labels.open else shape.labels.names - _NOT_LISTED
            fix = guess(label, known, "it has: ") or "remove the label"
            yield Problem((*path, label), f"{name} never carries the label {label!r}", fix, on_key=True)


_NOT_LISTED: Final = frozenset((names.LABEL_ALERTNAME, names.LABEL_SEVERITY, "prometheus", "__name__"))
"""Labels that nobody is told of who looks for another."""


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}
