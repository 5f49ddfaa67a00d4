"""What an alert can look like of which only some labels are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.routing.boxes import Box, Domain
from homelabmon.spec.matchers import Matcher

UNNAMED: Final = "…"
"""Stands for a value that is not known, and that no matcher names."""


def box_of(labels: Mapping[str, str], rule: Rule | None, names: Iterable[str], *, likely: bool = False) -> Box:
    """The alerts that have these labels, and of the other ``names`` none that the rule never gives them.

    ``likely``: nor those that a rule of the chart is not known to give them, which is as good as never.
    """
    box = {name: Domain(frozenset((value,)), value) for name, value in labels.items()}
    for name in names:
        if name not in box and rule is not None and not _may_have(rule, name, likely=likely):
            box[name] = Domain(frozenset(("",)), "")
    return box


def _may_have(rule: Rule, name: str, *, likely: bool) -> bool:
    if likely and rule.origin == "chart":
        return name in rule.brings or name in rule.everywhere
    return name in rule.labels


def typical(rule: Rule, labels: Mapping[str, str]) -> dict[str, str]:
    """An alert as most of this rule's are: what it brings along has a value that no route names."""
    return {**dict.fromkeys(rule.brings, UNNAMED), **labels}


def names_asked(running: Running) -> frozenset[str]:
    """Every label that some route or inhibit rule looks at."""
    return frozenset(matcher.name for matcher in matchers_of(running)) | _equal(running)


def matchers_of(running: Running) -> Iterator[Matcher]:
    """Every matcher of routes and inhibit rules."""
    if running.alertmanager is not None:
        for rule in running.alertmanager.inhibit_rules:
            yield from (*rule.source, *rule.target)
    for tree in (running.alertmanager, running.relay, running.outpost):
        if tree is not None:
            for route in tree.tree.routes:
                yield from route.matchers


def _equal(running: Running) -> frozenset[str]:
    rules = running.alertmanager.inhibit_rules if running.alertmanager is not None else ()
    return frozenset(name for rule in rules for name in rule.equal)
