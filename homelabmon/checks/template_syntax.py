"""template-syntax: an annotation or label of an alert whose template Prometheus refuses, and with it the rule."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.go_template import read_template
from homelabmon.checks.support.texts import templated_texts
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    for number, alert in enumerate(context.stack.alerts):
        for path, text in templated_texts(alert, ("alerts", number)):
            if "{{" not in text:
                continue
            flaw = read_template(text).flaw
            if flaw is not None:
                severity = None if flaw.sure else Severity.WARNING
                yield Problem(path, f"{alert.alert}: {flaw.message}", flaw.fix, severity)


CHECK = Check(
    "template-syntax",
    Severity.ERROR,
    "A template in an alert's texts is broken: Prometheus would refuse the rule.",
    _find,
)
