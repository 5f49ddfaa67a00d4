"""What keeps a group silent, as it changes: inhibition and time intervals.

Used by :mod:`homelabmon.routing.timing.replica`. May import: the standard library, and its neighbours in routing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from homelabmon.routing.intervals import Intervals, muting_intervals
from homelabmon.routing.timing.alerts import Alert, Subject
from homelabmon.routing.timing.matching import Side, Traits
from homelabmon.routing.tree import ResolvedRoute

G = TypeVar("G", bound=Hashable)


class Inhibition(Generic[G]):
    """The alerts that mute others in one Alertmanager, and the groups that have something to be muted.

    Every source counts, as with :class:`homelabmon.routing.inhibit.Inhibitor`, which this agrees with.
    """

    def __init__(self) -> None:
        self._sources: dict[Side, dict[Subject, tuple[Alert, bool]]] = {}
        self._watchers: dict[Side, dict[G, None]] = {}

    def put(self, alert: Alert, traits: Traits) -> None:
        """Note what is new about an alert that may mute others."""
        for side, both in traits.mutes.items():
            self._sources.setdefault(side, {})[alert.subject] = (alert, both)

    def mutes(self, traits: Traits, now: float) -> bool:
        """Whether something that fires mutes the alert of these traits."""
        return any(True for _ in self.sources(traits, now))

    def sources(self, traits: Traits, now: float) -> Iterator[Subject]:
        """What mutes the alert of these traits, in the order of the rules."""
        for side, target_is_both in traits.muted_by.items():
            for alert, source_is_both in self._sources.get(side, {}).values():
                if not (source_is_both and target_is_both) and not alert.resolved_at(now):
                    yield alert.subject

    def watch(self, group: G, traits: Traits) -> None:
        """From now on, tell who asks that the group is concerned where an alert of these traits is."""
        for side in traits.muted_by:
            self._watchers.setdefault(side, {})[group] = None

    def forget(self, group: G, sides: Iterable[Side]) -> None:
        """The group is no more."""
        for side in sides:
            self._watchers.get(side, {}).pop(group, None)

    def concerned(self, traits: Traits) -> list[G]:
        """The groups whose alerts an alert of these traits may mute."""
        return [group for side in traits.mutes for group in self._watchers.get(side, ())]


MINUTE: Final = 60.0
HORIZON: Final = 1440
"""How many minutes ahead a change is looked for."""


class Calendar:
    """When routes with mute and active time intervals are silent. Intervals change on whole minutes only."""

    def __init__(self, intervals: Intervals) -> None:
        self._intervals = intervals
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[float, float, bool]] = {}

    def silent(self, route: ResolvedRoute[object], now: float) -> tuple[bool, float | None]:
        """Whether the route is silent now, and until when that is so at least; ``None`` for always."""
        if not route.mute_time_intervals and not route.active_time_intervals:
            return False, None
        names = (route.mute_time_intervals, route.active_time_intervals)
        since, until, silent = self._known.get(names, (now, now, False))
        if not since <= now < until:
            minute = now // MINUTE * MINUTE
            silent = self._at(names, minute)
            until = minute + MINUTE
            while until < minute + HORIZON * MINUTE and self._at(names, until) == silent:
                until += MINUTE
            self._known[names] = (minute, until, silent)
        return silent, until

    def _at(self, names: tuple[tuple[str, ...], tuple[str, ...]], moment: float) -> bool:
        return bool(muting_intervals(*names, self._intervals, datetime.fromtimestamp(moment, UTC)))
