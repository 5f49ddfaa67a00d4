"""Which alerts can keep an alert silent, by the inhibit rules there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.shape import box_of, names_asked
from homelabmon.routing.boxes import Box, narrow
from homelabmon.routing.inhibit import InhibitRule
from homelabmon.spec import names
from homelabmon.spec.matchers import Matcher, MatchOp


@dataclass(frozen=True, slots=True)
class Silencer:
    """An inhibit rule that can keep the alert silent.

    ``sources`` are the rules whose alerts do it, none where no rule that is known fires such an alert. ``equal`` are
    labels that must be the same on both, but for those that neither can have. ``conditions`` are what the alert must
    meet besides, with labels that are not known.
    """

    rule: InhibitRule
    sources: tuple[Rule, ...]
    equal: tuple[str, ...]
    conditions: tuple[Matcher, ...] = ()


def silencers(running: Running, labels: Mapping[str, str], rule: Rule | None) -> tuple[Silencer, ...]:
    """Every inhibit rule that can keep an alert with these labels silent, in the order in which they stand.

    What cannot happen is left out: by labels that the alert, or every alert that could be the cause, never has.
    """
    if running.alertmanager is None:
        return ()
    return tuple(_Search(running, labels, rule).found())


class _Search:
    def __init__(self, running: Running, labels: Mapping[str, str], rule: Rule | None) -> None:
        self._running = running
        self._names = names_asked(running)
        self._target = box_of(labels, rule, self._names)
        self._sources: list[tuple[Rule, Box]] = []

    def found(self) -> Iterator[Silencer]:
        file = self._running.alertmanager
        for rule in file.inhibit_rules if file is not None else ():
            if narrow(self._target, *rule.target) is None:
                continue
            every = [(source, box) for source, box in self._all_sources() if narrow(box, *rule.source) is not None]
            able = [(source, box) for source, box in every if self._can(rule, box)]
            if every and not able:
                continue
            equal = tuple(
                name
                for name in rule.equal
                if not able or _can_have(self._target, name) or any(_can_have(box, name) for _, box in able)
            )
            conditions = tuple(m for m in rule.target if narrow(self._target, m.negated()) is not None)
            yield Silencer(rule, tuple(source for source, _ in able), equal, conditions)

    def _all_sources(self) -> list[tuple[Rule, Box]]:
        if not self._sources:
            self._sources = [
                (rule, box_of({names.LABEL_ALERTNAME: rule.name, **rule.static}, rule, self._names))
                for rule in self._running.rules
            ]
        return self._sources

    def _can(self, rule: InhibitRule, source: Box) -> bool:
        """Whether an alert of the source can mute one of the target (Alertmanager inhibit.go: an alert on both sides
        of a rule is muted by none that is so too)."""
        both = _surely(self._target, rule.source) and _surely(source, rule.target)
        return not both and all(_can_agree(source, self._target, name) for name in rule.equal)


def _surely(box: Box, matchers: Iterable[Matcher]) -> bool:
    return all(narrow(box, matcher.negated()) is None for matcher in matchers)


def _can_agree(one: Box, other: Box, name: str) -> bool:
    """Whether the label can have the same value in both."""
    for box, against in ((one, other), (other, one)):
        domain = box.get(name)
        if domain is not None and domain.sample is not None:
            return any(narrow(against, Matcher(name, MatchOp.EQ, value)) is not None for value in domain.values)
    return True


def _can_have(box: Box, name: str) -> bool:
    return narrow(box, Matcher(name, MatchOp.NE, "")) is not None
