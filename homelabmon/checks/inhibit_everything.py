"""inhibit-everything: an inhibit rule that silences far more than anybody wants, the Watchdog included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.promql import is_constant
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.matchers import Matcher, MatchOp
from homelabmon.spec.routes import matchers_of

_WATCHDOG: Final = {names.LABEL_ALERTNAME: names.WATCHDOG, names.LABEL_SEVERITY: "none"}


def _find(context: Context) -> Iterator[Problem]:
    for number, rule in enumerate(context.stack.inhibit):
        source, target = rule.source.all_matchers, rule.target.all_matchers
        if not target:
            message = "the target has no matchers: while the source fires, every alert is silent"
            yield Problem(("inhibit", number, "target"), message, "say which alerts are to be silent")
        elif _silences(target, source):
            message = f"the target matches {names.WATCHDOG}: its silence means that the cluster is gone"
            fix = f'add the matcher alertname!="{names.WATCHDOG}"'
            yield Problem(("inhibit", number, "target"), message, fix)
        if not source:
            message = "the source has no matchers: any alert at all silences the target"
            yield Problem(("inhibit", number, "source"), message, "say which alert is the cause", Severity.WARNING)
        else:
            yield from _for_ever(context, (source, target), rule.equal, ("inhibit", number, "source"))
    for name, thing in context.stack.depends_on.items():
        if thing.down:
            yield from _for_ever(context, (matchers_of(thing.down), ()), (), ("depends_on", name, "down"))
        if thing.match and thing.on and _silences(matchers_of(thing.match), ()):
            message = f"match holds {names.WATCHDOG} as well: its silence means that the cluster is gone"
            yield Problem(("depends_on", name, "match"), message, "match what this thing's alerts alone carry")


def _for_ever(
    context: Context, sides: tuple[tuple[Matcher, ...], tuple[Matcher, ...]], equal: tuple[str, ...], path: Path
) -> Iterator[Problem]:
    """A source that always fires silences its targets for ever; one that is a target as well, not those like it."""
    source, target = sides
    named = any(matcher.name == names.LABEL_ALERTNAME and matcher.op is MatchOp.EQ for matcher in source)
    for labels, why in _always_firing(context, bool(equal)):
        as_target = bool(target) and all(matcher.matches(labels) for matcher in target)
        if all(matcher.matches(labels) for matcher in source) and not as_target and (named or not equal):
            alert = labels[names.LABEL_ALERTNAME]
            message = f"{alert} {why}"
            fix = "name the alert that says what is down" if named else f'add the matcher alertname!="{alert}"'
            yield Problem(path, message, fix)


def _always_firing(context: Context, equal: bool) -> Iterator[tuple[dict[str, str], str]]:
    """Labels of alerts that fire whatever happens, and why."""
    if names.WATCHDOG in context.alerts.chart:
        yield _WATCHDOG, "always fires: what it silences is silent for ever"
    if names.INFO_INHIBITOR in context.alerts.chart and not equal:
        labels = {names.LABEL_ALERTNAME: names.INFO_INHIBITOR, names.LABEL_SEVERITY: "none"}
        yield labels, "fires with every alert of severity info: what it silences is then silent as well"
    for _, alert, parsed in context.own_alerts:
        if is_constant(parsed.tree):
            labels = {names.LABEL_ALERTNAME: alert.alert, names.LABEL_SEVERITY: alert.severity, **alert.labels}
            yield labels, f"always fires ({alert.expr}): what it silences is silent for ever"


def _silences(target: tuple[Matcher, ...], source: tuple[Matcher, ...]) -> bool:
    """Whether the rule can silence the Watchdog: an alert on both sides is silenced by no other such alert."""
    both = bool(source) and all(matcher.matches(_WATCHDOG) for matcher in source)
    return all(matcher.matches(_WATCHDOG) for matcher in target) and not both


CHECK = Check(
    "inhibit-everything",
    Severity.ERROR,
    "An inhibit rule without matchers, one that can silence the Watchdog, or one whose source always fires.",
    _find,
    whole=True,
)
