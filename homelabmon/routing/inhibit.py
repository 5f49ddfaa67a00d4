"""Inhibition: while one alert fires, another is not notified.

Asked by ``explain``, ``simulate`` and the checks. May import: spec. Source: Alertmanager inhibit/inhibit.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from homelabmon.spec.matchers import Matcher

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert that matches ``source`` fires, alerts that match ``target`` are muted.

    Both must have the same values of the labels in ``equal``; a missing label and an empty one are the same.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    name: str = ""

    def matches_source(self, labels: Labels) -> bool:
        """Whether the alert can mute others by this rule."""
        return all(matcher.matches(labels) for matcher in self.source)

    def matches_target(self, labels: Labels) -> bool:
        """Whether the alert can be muted by this rule."""
        return all(matcher.matches(labels) for matcher in self.target)

    def inhibits(self, source: Labels, target: Labels) -> bool:
        """Whether a firing ``source`` mutes ``target``.

        An alert that matches both sides is muted by none that does so too, itself included; one that matches the
        target side only is muted by either kind.
        """
        if not self.matches_target(target) or not self.matches_source(source):
            return False
        if self.matches_source(target) and self.matches_target(source):
            return False
        return self.equal_values(source) == self.equal_values(target)

    def equal_values(self, labels: Labels) -> tuple[str, ...]:
        """The values that must be equal on both sides, in the order of ``equal``."""
        return tuple(labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, slots=True)
class SourceAlert:
    """An alert that may mute others, until ``ends_at``; without one it fires on."""

    labels: Labels
    ends_at: datetime | None = None

    def resolved_at(self, now: datetime) -> bool:
        """Whether it is over (common model/alert.go: an end that is now counts as over)."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Why an alert is muted."""

    rule: InhibitRule
    source: SourceAlert


class Inhibitor:
    """Inhibit rules and the alerts there are, ready to be asked about many targets.

    Where several sources share their ``equal`` values and one of them matches both sides, Alertmanager (since 0.30,
    which remembers one source for each set of values) may overlook the others; here every source counts, as its
    documentation says.
    """

    def __init__(self, rules: Iterable[InhibitRule], alerts: Iterable[SourceAlert]) -> None:
        self._sources: list[tuple[InhibitRule, dict[tuple[str, ...], list[SourceAlert]]]] = []
        alerts = tuple(alerts)
        for rule in rules:
            by_values: dict[tuple[str, ...], list[SourceAlert]] = {}
            for alert in alerts:
                if rule.matches_source(alert.labels):
                    by_values.setdefault(rule.equal_values(alert.labels), []).append(alert)
            self._sources.append((rule, by_values))

    def muting(self, target: Labels, now: datetime) -> Inhibition | None:
        """What mutes the target at this time: the first rule in order and its first source. Resolved ones mute none."""
        for rule, by_values in self._sources:
            for source in by_values.get(rule.equal_values(target), ()):
                if not source.resolved_at(now) and rule.inhibits(source.labels, target):
                    return Inhibition(rule, source)
        return None
