"""The alerting rules there are: the owner's, those of packs and of the chart, and those in raw values and objects.

Made by :mod:`homelabmon.journey.running`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from homelabmon.checks.support.alerts import KnownAlerts
from homelabmon.checks.support.promql import ANY, Labels, parse, surviving_labels
from homelabmon.checks.support.shapes import added_labels, chart_rules_changed
from homelabmon.components.default_alerts import DefaultAlert, chart_version, default_alerts_by_name
from homelabmon.spec import names
from homelabmon.spec.base import parse_duration
from homelabmon.spec.findings import Path
from homelabmon.stack import Stack

Origin = Literal["own", "pack", "chart", "values", "extra"]


@dataclass(frozen=True)
class Rule:
    """One alerting rule. Times are seconds.

    ``expr`` is None where it is not known: the chart's own rules are not shipped with us.
    ``static`` are its labels with a fixed value, severity among them; ``templated`` the names of those without.
    ``usual`` are labels that its alerts are known to bring along, ``closed`` says that they can bring no others.
    ``interval`` is that of its group.
    """

    name: str
    origin: Origin
    pack: str = ""
    file: str = ""
    """The rendered file that holds it; empty for the chart's."""
    path: Path = ()
    """Where stack.yaml defines it, if it does."""
    group: str = ""
    expr: str | None = None
    for_: float = 0.0
    keep_firing_for: float = 0.0
    interval: float = 30.0
    static: Mapping[str, str] = field(default_factory=dict)
    templated: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    closed: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    everywhere: Labels = ANY
    """Labels that Prometheus adds to every alert on its way out."""

    @property
    def severity(self) -> str:
        """Its severity; empty when it has none, or a template for one."""
        return self.static.get(names.LABEL_SEVERITY, "")

    @property
    def from_(self) -> str:
        """Whose it is, for people."""
        return {
            "own": "yours",
            "pack": f"pack {self.pack}",
            "chart": f"chart {names.KPS_RELEASE} {chart_version()}",
            "values": "in your values",
            "extra": "in your extra objects",
        }[self.origin]

    @cached_property
    def labels(self) -> Labels:
        """Every label that its alerts may carry when they reach Alertmanager; open where that cannot be told."""
        named = Labels(frozenset((names.LABEL_ALERTNAME, *self.static, *self.templated)))
        return named | self.everywhere | self._from_series

    @cached_property
    def _from_series(self) -> Labels:
        """The labels that its series bring along."""
        if self.expr is None:
            return Labels(frozenset(self.usual)) if self.closed else ANY
        parsed = parse(self.expr)
        return ANY if parsed.tree is None else surviving_labels(parsed.tree)

    @cached_property
    def brings(self) -> tuple[str, ...]:
        """Labels that its alerts bring along whose value is not known here, sorted. Where the list is open: the usual
        ones, if they are known."""
        series = self._from_series
        found = set(self.usual) if series.open else set(series.names)
        return tuple(sorted((found | set(self.templated)) - set(self.static) - {names.LABEL_ALERTNAME, "__name__"}))

    def could_be(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert of this rule can have these labels, as far as its own fixed ones tell."""
        return all(labels.get(name, value) == value for name, value in self.static.items())


def read_rules(
    stack: Stack,
    rendered: Mapping[str, list[dict[str, Any]]],
    values: Mapping[str, Any],
    known: KnownAlerts,
    interval: float,
) -> tuple[Rule, ...]:
    """Every alerting rule: the owner's, the packs', those of raw values and extra objects, the chart's.

    ``rendered`` are rule groups by file, ``values`` what the chart is given, ``interval`` (seconds) how often rules are
    evaluated whose group does not say so.
    """
    everywhere = added_labels(values)
    found = [*_rendered(stack, rendered), *_in_values(values), *_in_extra(stack), *_of_chart(values, known)]
    return tuple(
        replace(rule, everywhere=everywhere, interval=rule.interval if rule.interval > 0 else interval)
        for rule in found
    )


def _rendered(stack: Stack, rendered: Mapping[str, list[dict[str, Any]]]) -> Iterator[Rule]:
    numbers: dict[str, list[int]] = {}
    for number, alert in enumerate(stack.alerts):
        numbers.setdefault(alert.alert, []).append(number)
    for name, groups in rendered.items():
        for rule in _of_groups(groups):
            if name != "own":
                yield replace(rule, origin="pack", pack=name.replace("-", "_"), file=f"rules/{name}.yaml")
            else:
                left = numbers.get(rule.name)
                path: Path = ("alerts", left.pop(0)) if left else ()
                yield replace(rule, origin="own", file="rules/own.yaml", path=path)


def _in_values(values: Mapping[str, Any]) -> Iterator[Rule]:
    for key, spec in _mapping(values, "additionalPrometheusRulesMap").items():
        groups = spec.get("groups") if isinstance(spec, Mapping) else None
        for rule in _of_groups(groups):
            yield replace(rule, origin="values", file=f"values/{names.KPS_RELEASE}.yaml", pack=str(key))


def _in_extra(stack: Stack) -> Iterator[Rule]:
    for number, item in enumerate(stack.extra):
        if item.get("kind") == "PrometheusRule":
            for rule in _of_groups(_mapping(item, "spec").get("groups")):
                yield replace(rule, origin="extra", path=("extra", number))


def _of_groups(groups: object) -> Iterator[Rule]:
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, Mapping):
            for rule in group.get("rules") or ():
                if isinstance(rule, Mapping) and isinstance(rule.get("alert"), str):
                    yield _rule(rule, group)


def _rule(rule: Mapping[str, Any], group: Mapping[str, Any]) -> Rule:
    labels = {str(name): str(value) for name, value in _mapping(rule, "labels").items()}
    return Rule(
        name=rule["alert"],
        origin="own",
        group=str(group.get("name", "")),
        expr=str(rule.get("expr", "")),
        for_=_seconds(rule.get("for")),
        keep_firing_for=_seconds(rule.get("keep_firing_for")),
        interval=_seconds(group.get("interval")),
        static={name: value for name, value in labels.items() if value and "{{" not in value},
        templated=tuple(name for name, value in labels.items() if "{{" in value),
        annotations={str(name): str(value) for name, value in _mapping(rule, "annotations").items()},
    )


def _of_chart(values: Mapping[str, Any], known: KnownAlerts) -> Iterator[Rule]:
    changes, changed = _mapping(values, "customRules"), chart_rules_changed(values)
    for name, alerts in default_alerts_by_name().items():
        if name in known.chart:
            for alert in alerts:
                rule = _chart_rule(alert, _mapping(changes, name))
                yield replace(rule, closed=rule.closed and not changed)


def _chart_rule(alert: DefaultAlert, change: Mapping[str, Any]) -> Rule:
    severity = str(change.get("severity") or alert.severity)
    return Rule(
        name=alert.name,
        origin="chart",
        group=alert.group,
        for_=_seconds(change["for"]) if "for" in change else float(alert.for_seconds),
        interval=0.0,
        static={names.LABEL_SEVERITY: severity, **alert.static},
        usual=alert.labels,
        closed=alert.exact,
    )


def _seconds(value: object) -> float:
    """A duration of a rule; zero where there is none or it cannot be read, which is another check's business."""
    try:
        found = parse_duration(value)
    except ValueError:
        return 0.0
    return found.total_seconds() if isinstance(found, timedelta) else 0.0


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}
