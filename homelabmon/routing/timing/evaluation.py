"""From a condition to an alert: Prometheus evaluates its rules on a grid.

Asked by ``simulate`` and ``test``. May import: the standard library, and its neighbours in timing.
Sources: Prometheus rules/alerting.go, rules/manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Final

from homelabmon.routing.timing.agenda import instant
from homelabmon.routing.timing.alerts import OPEN, Labels
from homelabmon.routing.timing.cluster import Put

RESEND: Final = 60.0
"""Prometheus repeats an alert to Alertmanager once more than this has passed (--rules.alert.resend-delay)."""

REMEMBERED: Final = 900.0
"""For how long it repeats one that is over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a condition becomes an alert. Seconds. Evaluated at ``offset`` and every ``interval`` from there."""

    for_: float = 0.0
    keep_firing_for: float = 0.0
    interval: float = 30.0
    offset: float = 0.0

    def first_from(self, time: float) -> float:
        """The first evaluation at or after a time."""
        return instant(self.offset + ceil(instant((time - self.offset) / self.interval)) * self.interval)


@dataclass(frozen=True, slots=True)
class Episode:
    """One firing. ``pending_at``: the evaluation that first found the condition. Without an end it fires on."""

    pending_at: float
    fires_at: float
    resolves_at: float | None


Span = tuple[float, float]
"""When a condition holds: from a time, until before another, which may be infinite."""


def episodes(spans: Iterable[Span], rule: Rule, until: float = inf) -> Iterator[Episode]:
    """The alert's firings up to a time. The spans are sorted and do not overlap. What ends later has no end.

    The condition must be found at every evaluation for as long as ``for`` says; a lapse between two is not seen. Once
    firing, the alert stays so until the condition has not been found for ``keep_firing_for``.
    """
    firing: Episode | None = None
    for found, lost in _seen(spans, rule):
        if firing is not None and firing.resolves_at is not None and found > firing.resolves_at:
            yield firing
            firing = None
        if firing is None:
            fires_at = rule.first_from(found + rule.for_)
            if fires_at >= lost:
                continue
            if fires_at > until:
                return
            firing = Episode(found, fires_at, None)
        given_up = rule.first_from(lost + rule.keep_firing_for) if lost < inf else inf
        firing = replace(firing, resolves_at=given_up if given_up <= until and given_up < inf else None)
        if firing.resolves_at is None:
            break
    if firing is not None:
        yield firing


def _seen(spans: Iterable[Span], rule: Rule) -> Iterator[Span]:
    """The spans as evaluations see them: from the first that finds the condition to the first that does not."""
    current: Span | None = None
    for start, end in spans:
        first, lapse = rule.first_from(start), rule.first_from(end) if end < inf else inf
        if first >= lapse:
            continue
        if current is not None and first <= current[1]:
            current = (current[0], lapse)
            continue
        if current is not None:
            yield current
        current = (first, lapse)
    if current is not None:
        yield current


def puts(labels: Labels, annotations: Labels, episodes: Iterable[Episode]) -> Iterator[Put]:
    """The least that Alertmanager must hear of the episodes: when each begins and when it ends."""
    for episode in episodes:
        yield Put(episode.fires_at, labels, episode.fires_at, OPEN, annotations)
        if (end := episode.resolves_at) is not None:
            yield Put(end, labels, episode.fires_at, end, annotations)


def all_puts(
    labels: Labels, annotations: Labels, episodes: Iterable[Episode], rule: Rule, until: float
) -> Iterator[Put]:
    """Everything that Prometheus posts about the episodes, repetitions included, up to a time.

    An alert that fires is given an end four repetitions ahead. One that is over is repeated for 15 minutes, unless
    the condition is found again before.
    """
    ahead = 4 * max(rule.interval, RESEND)
    known = list(episodes)
    for position, episode in enumerate(known):
        end = until if episode.resolves_at is None else episode.resolves_at
        at = episode.fires_at
        while at < end or (at == end and episode.resolves_at is None):
            yield Put(at, labels, episode.fires_at, at + ahead, annotations)
            at = _repeated(at, rule)
        if episode.resolves_at is None:
            continue
        again = known[position + 1].pending_at if position + 1 < len(known) else inf
        at = end
        while at < again and at <= min(end + REMEMBERED, until):
            yield Put(at, labels, episode.fires_at, end, annotations)
            at = _repeated(at, rule)


def _repeated(at: float, rule: Rule) -> float:
    """The first evaluation more than the resend delay later."""
    later = rule.first_from(at + RESEND)
    return later if later > at + RESEND else later + rule.interval
