"""promql-syntax: an alert's expression that Prometheus cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.promql import Parsed, returns_vector, shortened
from homelabmon.spec.findings import Severity

_SINGLE_EQUALS: Final = re.compile(r"[)}\w\s]=(?![=~])\s*[-+.\d]")
_UNFINISHED: Final = re.compile(r"(?:[-+*/%^<>=]|\b(?:and|or|unless|by|on|without|ignoring|offset))\s*$")


def _find(context: Context) -> Iterator[Problem]:
    for number, _, parsed in context.own_alerts:
        verdict = promql_flaw(context.stack.alerts[number].expr, parsed)
        if verdict is not None:
            yield Problem(("alerts", number, "expr"), *verdict)


def promql_flaw(text: str, parsed: Parsed) -> tuple[str, str, Severity] | None:
    """Message, fix and severity for an expression that no alert can have, else None. Rendered rules ask as well."""
    shown = shortened(text)
    if parsed.tree is not None:
        if returns_vector(parsed.tree):
            return None
        fix = "an alert needs a vector: compare a function of it, as in rate(x[5m]) > 0"
        return f"the expression returns no vector: {shown}", fix, Severity.ERROR
    if parsed.uncertain:
        message = f"not checked, as Prometheus reads this behind a feature flag only: {shown}"
        return message, "make sure that the flag is on, or write it without", Severity.INFO
    return f"not PromQL: {parsed.error}: {shown}", _hint(text, parsed.error), Severity.ERROR


def _hint(text: str, error: str) -> str:
    if "$__" in text:
        return "$__interval and its like are Grafana's: write a duration such as 5m"
    if "expected type matrix" in error:
        return "add a range: rate(x[5m])"
    if "must use BOOL" in error:
        return "compare a vector: wrap one side in vector(...)"
    if _SINGLE_EQUALS.search(text):
        return "write == to compare"
    if _UNFINISHED.search(text):
        return "something is missing in the end"
    if "unknown function" in error:
        return "see Prometheus' list of functions"
    return "try it in Prometheus' own query field"


CHECK = Check("promql-syntax", Severity.ERROR, "An alert's expression is not PromQL, or returns no vector.", _find)
