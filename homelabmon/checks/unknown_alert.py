"""unknown-alert: an alert is named that no rule defines, so that whatever depends on it never happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.components.default_alerts import default_alerts_by_name, pack_alerts
from homelabmon.spec import names
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.matchers import Matcher, parse_matcher
from homelabmon.spec.routes import Match, Selector

_ELSEWHERE: Final = (names.LABEL_SOURCE,)
"""Labels of what no Prometheus rule makes: Falco's events, Flux' events, the outpost's own alerts."""

_LIKENESS: Final = 0.8


def _find(context: Context) -> Iterator[Problem]:
    for path, name in _named(context):
        if name not in context.alerts.here:
            yield _problem(context, path, name)
    for path, matcher in _expressions(context):
        if not any(matcher.matches({names.LABEL_ALERTNAME: name}) for name in context.alerts.here):
            message = f"no rule defines an alert that {matcher} fits"
            yield Problem(path, message, "check the expression: it must fit a whole name", Severity.INFO)
    yield from _switched_off(context)


def _problem(context: Context, path: Path, name: str) -> Problem:
    """An alert that never fires: a warning where it is plainly a mistake, else a remark, as rules may be elsewhere."""
    ours = None if context.stack.components.prometheus is not None else Severity.INFO
    reason = context.alerts.off.get(name)
    if reason is not None:
        message = f"the alert {name} never fires here: {reason}"
        return Problem(path, message, "remove it here, or switch it on", ours)
    message = f"no rule defines an alert {name!r}"
    if guess := _guess(context, name):
        return Problem(path, message, guess, ours)
    fix = "define it in alerts; if other rules of the cluster define it, this can stay"
    return Problem(path, message, fix, Severity.INFO)


def _guess(context: Context, name: str) -> str:
    """Only what is very much alike: most alerts end in the same words."""
    from difflib import SequenceMatcher

    guess = context.likely(name, context.alerts.here)
    meant = guess.removeprefix("did you mean '").removesuffix("'?")
    alike = SequenceMatcher(None, name.casefold(), meant.casefold()).ratio()
    return guess if alike >= _LIKENESS else ""


# Who names alerts ------------------------------------------------------------------------------------------


def _selectors(context: Context) -> Iterator[tuple[Path, Match, tuple[str, ...]]]:
    """Every place that selects alerts by label: its path, ``match`` and ``matchers``."""
    for place in context.routes:
        if place.route is not None and not _made_elsewhere(place.matchers):
            yield place.path, place.route.match, place.route.matchers
    for number, rule in enumerate(context.stack.inhibit):
        for side in ("source", "target"):
            selector: Selector = getattr(rule, side)
            if not _made_elsewhere(selector.all_matchers):
                yield ("inhibit", number, side), selector.match, selector.matchers


def _made_elsewhere(matchers: tuple[Matcher, ...]) -> bool:
    return any(matcher.name in _ELSEWHERE and matcher.positive and not matcher.matches({}) for matcher in matchers)


def _named(context: Context) -> Iterator[tuple[Path, str]]:
    """Every alert that is named in full, with its place."""
    for path, match, matchers in _selectors(context):
        yield from _in_match((*path, "match"), match)
        for number, text in enumerate(matchers):
            matcher = parse_matcher(text)
            if matcher.name == names.LABEL_ALERTNAME:
                for value in sorted(matcher.values or ()):
                    if value:
                        yield (*path, "matchers", number), value
    for name, thing in context.stack.depends_on.items():
        for key, match in (("match", thing.match), ("down", thing.down)):
            if not any(label in match for label in _ELSEWHERE):
                yield from _in_match(("depends_on", name, key), match)
    for number, test in enumerate(context.stack.tests):
        for way, labels in test.alerts:
            alert = labels.get(names.LABEL_ALERTNAME)
            if alert and not any(labels.get(label) for label in _ELSEWHERE):
                yield ("tests", number, *way, names.LABEL_ALERTNAME), alert


def _in_match(path: Path, match: Match) -> Iterator[tuple[Path, str]]:
    for number, value in enumerate(match.get(names.LABEL_ALERTNAME, ())):
        if value:
            yield (*path, names.LABEL_ALERTNAME, number), value


def _expressions(context: Context) -> Iterator[tuple[Path, Matcher]]:
    """Regular expressions on the alert's name that are more than a list of names."""
    for path, _, matchers in _selectors(context):
        for number, text in enumerate(matchers):
            matcher = parse_matcher(text)
            if matcher.name == names.LABEL_ALERTNAME and matcher.values is None and matcher.positive:
                yield (*path, "matchers", number), matcher


# Alerts that are to be switched off or changed --------------------------------------------------------------------


def _switched_off(context: Context) -> Iterator[Problem]:
    for pack, alerts in pack_alerts().items():
        key = pack.replace("-", "_")
        settings = getattr(context.stack.packs, key, None)
        for number, name in enumerate(settings.disabled if settings is not None else ()):
            if name not in alerts:
                message = f"the pack {key} has no alert {name!r}"
                fix = _other_place(name) or context.guess(name, alerts, "it has: ")
                yield Problem(("packs", key, "disabled", number), message, fix, Severity.ERROR)
    prometheus = context.stack.components.prometheus
    if prometheus is None:
        return
    section: Path = ("components", "prometheus")
    listed = [((*section, "disabled_alerts", n), name) for n, name in enumerate(prometheus.disabled_alerts)]
    listed += [((*section, "default_alerts", name), name) for name in prometheus.default_alerts]
    chart = default_alerts_by_name()
    for path, name in listed:
        if name not in chart:
            fix = _other_place(name) or context.likely(name, chart) or "see the chart's default rules, or remove it"
            yield Problem(path, f"the chart has no default alert {name!r}", fix, on_key=path[-1] == name)


def _other_place(name: str) -> str:
    """Where an alert is switched off that belongs to somebody else."""
    pack = _owners().get(name)
    if pack is not None:
        return f"it belongs to a pack: write packs: {{{pack}: {{disabled: [{name}]}}}}"
    if name in default_alerts_by_name():
        return f"it is the chart's: write components: {{prometheus: {{disabled_alerts: [{name}]}}}}"
    return ""


@cache
def _owners() -> Mapping[str, str]:
    return {name: pack.replace("-", "_") for pack, alerts in pack_alerts().items() for name in alerts}


CHECK = Check(
    "unknown-alert",
    Severity.WARNING,
    "An alert is named that no rule defines: own alerts, packs, the chart's default rules.",
    _find,
)
