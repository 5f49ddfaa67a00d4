"""The routes on one level of the tree, indexed so that a decision does not try them all.

Used by :mod:`homelabmon.routing.tree`. May import: spec, and its neighbours in routing.
The meaning is Alertmanager's Route.Match. The index changes the speed and nothing else: it leaves out only routes of
which one matcher is known to say no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from homelabmon.routing.heads import HeadIndex, count_heads, crowd, rarest
from homelabmon.routing.searches import SearchIndex
from homelabmon.spec.matchers import Matcher, Test

T = TypeVar("T")


class _Route(NamedTuple, Generic[T]):
    """One route of the level. ``tests`` are those of its matchers that the index does not answer."""

    result: T
    tests: tuple[tuple[str, Test], ...]
    continues: bool
    below: Level[T] | None


_CROWD: Final = 8
"""More routes than this under one beginning, and it is as well to search."""

_Placed = tuple[int, _Route[T]]
"""A route with its place in the order. No two are in the same place, so that sorting never compares routes."""


class Level(Generic[T]):
    """Routes in order: first :meth:`add` each, then :meth:`close`, then :meth:`collect` for every alert.

    A route that asks for values with known beginnings (``=``, or ``=~`` with literals in front) waits under one of
    its labels for those: the label for whose values the fewest other routes ask. One that asks by any other expression,
    or among a crowd, waits for that expression to match. The rest is always tried.
    """

    __slots__ = ("_added", "_rest", "_searching", "_waiting")

    def __init__(self) -> None:
        self._added: list[tuple[T, tuple[Matcher, ...], bool, Level[T] | None]] = []
        self._waiting: HeadIndex[_Placed[T]] = HeadIndex()
        self._searching: dict[str, SearchIndex[_Placed[T]]] = {}
        self._rest: list[_Placed[T]] = []

    def add(self, result: T, matchers: tuple[Matcher, ...], continues: bool, below: Level[T] | None) -> None:
        """Append a route: what it gives, its matchers, whether the search goes on after it, the level below it."""
        self._added.append((result, matchers, continues, below))

    def close(self) -> Level[T]:
        """Build the index."""
        counted = count_heads(matchers for _, matchers, _, _ in self._added)
        for position, (result, matchers, continues, below) in enumerate(self._added):
            key, search = rarest(matchers, counted), None
            if key is None or crowd(key, counted) > _CROWD:
                search = next((matcher for matcher in matchers if matcher.positive and matcher.values is None), None)
            answered = search or (key if key is not None and key.values is not None else None)
            tests = tuple((matcher.name, matcher.compiled()) for matcher in matchers if matcher is not answered)
            placed = (position, _Route(result, tests, continues, below))
            if search is not None:
                self._searching.setdefault(search.name, SearchIndex()).add(search, placed)
            elif key is not None:
                self._waiting.add(key, placed)
            else:
                self._rest.append(placed)
        self._added.clear()
        return self

    def collect(self, labels: Mapping[str, str], found: list[T]) -> bool:
        """Append what the routes that take the alert give, in order; whether there was any."""
        get = labels.get
        matched = False
        for _, (result, tests, continues, below) in self._candidates(labels):
            for name, test in tests:
                if not test(get(name, "")):
                    break
            else:
                if below is None or not below.collect(labels, found):
                    found.append(result)
                if not continues:
                    return True
                matched = True
        return matched

    def _candidates(self, labels: Mapping[str, str]) -> list[_Placed[T]]:
        candidates = self._rest
        tables = self._waiting.tables
        for name in labels if len(labels) < len(tables) else tables:
            value = labels.get(name, "")
            for length, table in tables.get(name, ()):
                placed = table.get(value[:length])
                if placed is not None:
                    candidates = sorted(candidates + placed) if candidates else placed
        for name, searching in self._searching.items():
            if placed := searching.find(labels.get(name, "")):
                candidates = sorted(candidates + placed) if candidates else placed
        return candidates
