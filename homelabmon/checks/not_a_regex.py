"""not-a-regex: an expression that the program it is written for refuses to start with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.matchers import Matcher, MatcherSyntaxError, MatchOp

OPTIONS: Final = frozenset(
    {
        "disk_mountpoints",
        "readonly_ignore",
        "temperature_ignore",
        "ignore_namespaces",
        "ignore_services",
        "exclude_nodes",
    }
)
"""The options of packs that are regular expressions."""


def _find(context: Context) -> Iterator[Problem]:
    for path, text in _expressions(context):
        try:
            Matcher("any", MatchOp.RE, text)
        except MatcherSyntaxError as error:
            _, _, reason = str(error).partition("(RE2 syntax): ")
            what = reason.partition("; ")[0]
            yield Problem(path, f"{text!r} is no regular expression (RE2 syntax): {what}", _hint(what))


def _expressions(context: Context) -> Iterator[tuple[Path, str]]:
    stack = context.stack
    for number, probe in enumerate(stack.probes):
        if probe.expect.body:
            yield ("probes", number, "expect", "body"), probe.expect.body
        if probe.dns is not None and probe.dns.answer:
            yield ("probes", number, "dns", "answer"), probe.dns.answer
    balancer = stack.cluster.load_balancer
    for number, interface in enumerate(balancer.interfaces if balancer.provider == "cilium" else ()):
        yield ("cluster", "load_balancer", "interfaces", number), interface
    for name in type(stack.packs).model_fields:
        pack = getattr(stack.packs, name)
        fields = type(pack).model_fields
        for option in sorted(OPTIONS & fields.keys()):
            text = getattr(pack, option)
            if text != fields[option].default:  # which is ours, and tested
                yield ("packs", name, option), text


def _hint(reason: str) -> str:
    if "(?" in reason:
        return "RE2 has no lookaround and no back-references"
    return "put a backslash before a character that stands for itself"


CHECK = Check(
    "not-a-regex",
    Severity.ERROR,
    "A regular expression (of a probe, a pack, Cilium's interfaces) is none to RE2, which all these programs use.",
    _find,
)
