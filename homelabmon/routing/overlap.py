"""Which routes of one level may share an alert with a box.

Used by :mod:`homelabmon.routing.reach`. May import: spec, and its neighbours in routing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from homelabmon.routing.boxes import Box
from homelabmon.spec.matchers import Matcher


class Overlaps:
    """An index over the values that the routes of a level ask for. It never leaves out a route that does share one."""

    def __init__(self, routes: Mapping[int, Sequence[Matcher]]) -> None:
        self._positions = sorted(routes)
        self._asking: dict[str, dict[str, set[int]]] = {}
        self._silent: dict[str, list[int]] = {}
        for position, matchers in routes.items():
            for matcher in matchers:
                for value in (matcher.values if matcher.positive else None) or ():
                    self._asking.setdefault(matcher.name, {}).setdefault(value, set()).add(position)

    def candidates(self, box: Box) -> Iterable[int]:
        """The positions of all routes that may match an alert of the box, and of some that do not."""
        choices = (
            (
                self._silent_about(name),
                set[int]().union(*(self._asking[name].get(value, ()) for value in domain.values)),
            )
            for name, domain in box.items()
            if domain.sample is not None and name in self._asking
        )
        silent, asking = min(choices, key=lambda choice: len(choice[0]) + len(choice[1]), default=(self._positions, ()))
        return [*silent, *sorted(asking)]

    def _silent_about(self, name: str) -> list[int]:
        """The routes that do not ask for values of the label."""
        if name not in self._silent:
            asking = set[int]().union(*self._asking[name].values())
            self._silent[name] = [position for position in self._positions if position not in asking]
        return self._silent[name]
