"""What can be found only once everything is rendered: tests of the packs' alerts, and raw values that silence alerts.

Asked by ``homelabmon check``. Raises nothing, prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Problem
from homelabmon.checks.support.promql import Labels
from homelabmon.checks.support.shapes import AlertShape, impossible
from homelabmon.checks.support.suggester import Suggester
from homelabmon.journey.explain import possible_ends
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.shape import box_of, names_asked
from homelabmon.spec import names

_NAMED = 5
"""How many alerts a message names."""


def impossible_tests(running: Running) -> Iterator[Problem]:
    """Tests that give an alert of a pack a severity or a label that it never has."""
    suggester = Suggester()
    for number, test in enumerate(running.stack.tests):
        for way, alert in test.alerts:
            name = alert.get(names.LABEL_ALERTNAME, "")
            ours = name in running.known.packs and name not in running.known.raw
            rules = running.rules_by_name.get(name, ())
            if ours and rules and not alert.get(names.LABEL_SOURCE):
                yield from impossible(("tests", number, *way), alert, _shape(rules), suggester.suggest)


def _shape(rules: tuple[Rule, ...]) -> AlertShape:
    shape = AlertShape(frozenset(), Labels(frozenset()))
    for rule in rules:
        severities = frozenset({rule.severity}) if rule.severity else None
        shape |= AlertShape(severities, rule.labels)
    return shape


def unheard(running: Running) -> Iterator[Problem]:
    """Alerts whose every way leads to nobody: by raw values, as no route of the stack does that."""
    asked = names_asked(running)
    found = [
        rule.name
        for rule in running.rules
        if rule.name not in (names.WATCHDOG, names.INFO_INHIBITOR) and _nobody(running, rule, asked)
    ]
    if found:
        told = list(dict.fromkeys(found))
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        message = f"with these values nobody hears of {', '.join(told[:_NAMED])}{more}: their routes lead to nobody"
        yield Problem(("components", "alertmanager", "values"), message, "give their route a receiver", on_key=True)


def _nobody(running: Running, rule: Rule, asked: frozenset[str]) -> bool:
    box = box_of({names.LABEL_ALERTNAME: rule.name, **rule.static}, rule, asked)
    ends = list(possible_ends(running, "rule", box))
    return bool(ends) and all(end.reader == "nobody" for end in ends)
