"""An index of routes by regular expressions of which it is not known what they ask for.

Used by :mod:`homelabmon.routing.levels` and :mod:`homelabmon.routing.cover`. May import: spec.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, Generic, TypeVar

from homelabmon.spec.expressions import Choice, chooser
from homelabmon.spec.matchers import Matcher

T = TypeVar("T")

MOST_VALUES: Final = 4096
"""How many values of a label are remembered; then all are forgotten. An alert's labels have few values, again and
again, but a sender could make up new ones without end."""


class SearchIndex(Generic[T]):
    """Expressions on one label, and who waits for a value that matches each; a missing label is the empty value."""

    def __init__(self) -> None:
        self._patterns: list[str] = []
        self._waiting: list[T] = []
        self._known: dict[str, list[T]] = {}

    def add(self, matcher: Matcher, waiting: T) -> None:
        """Let someone wait for what the matcher, a ``=~``, matches. All must be added before the first is found."""
        self._patterns.append(matcher.value)
        self._waiting.append(waiting)

    def find(self, value: str) -> list[T]:
        """Whoever's expression matches the value, in the order added."""
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= MOST_VALUES:
                self._known.clear()
            found = self._known[value] = [self._waiting[place] for place in sorted(self._choose(value))]
        return found

    @cached_property
    def _choose(self) -> Choice:
        """Compiled when first asked: many a tree is only looked at."""
        return chooser(self._patterns)
