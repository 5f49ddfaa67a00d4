"""inhibit-everything: an inhibit rule that silences far more than anybody wants, the Watchdog included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec import names
from homelabmon.spec.findings import Severity
from homelabmon.spec.matchers import Matcher
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
    for name, thing in context.stack.depends_on.items():
        if thing.match and thing.on and _silences(matchers_of(thing.match), ()):
            message = f"match holds {names.WATCHDOG} as well: its silence means that the cluster is gone"
            yield Problem(("depends_on", name, "match"), message, "match what this thing's alerts alone carry")


def _silences(target: tuple[Matcher, ...], source: tuple[Matcher, ...]) -> bool:
    """Whether the rule can silence the Watchdog: an alert on both sides is silenced by no other such alert."""
    both = bool(source) and all(matcher.matches(_WATCHDOG) for matcher in source)
    return all(matcher.matches(_WATCHDOG) for matcher in target) and not both


CHECK = Check(
    "inhibit-everything",
    Severity.ERROR,
    "An inhibit rule without matchers, or one that can silence the Watchdog.",
    _find,
    whole=True,
)
