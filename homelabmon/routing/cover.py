"""Whether some routes together take every alert of a box, so that nothing of it gets past them.

Used by :mod:`homelabmon.routing.reach`. May import: spec, and its neighbours in routing.

The search takes a typical alert of the box and looks for a route that takes it. If there is none, something gets
past. Otherwise the route's own part is cut out of the box, and what remains, box by box, is searched likewise. The
typical alert has listed values where the box lists them, and elsewhere a value that no matcher names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Final, NamedTuple

from homelabmon.routing.boxes import ANY_VALUE, Box, narrow
from homelabmon.routing.heads import HeadIndex, count_heads, rarest
from homelabmon.routing.searches import SearchIndex
from homelabmon.routing.tree import Path
from homelabmon.spec.matchers import Matcher, Test

MOST_BOXES: Final = 2000
"""Where the search gives up. Routes that only list values need one box for each value in which they differ."""


class _Condition(NamedTuple):
    """A matcher, made ready. ``unnamed``: what it says to a value that no matcher names; ``None`` if that depends."""

    matcher: Matcher
    test: Test
    unnamed: bool | None

    def holds(self, box: Box) -> bool:
        """Whether it surely lets the typical alert of the box through."""
        domain = box.get(self.matcher.name, ANY_VALUE)
        if domain.sample is not None:
            return self.test(domain.sample)
        return self.matcher in domain.expressions if self.unnamed is None else self.unnamed


class Blockers:
    """The routes of one level that end the search where they match: those without ``continue``."""

    def __init__(self, routes: Mapping[int, Sequence[Matcher]]) -> None:
        self._conditions = {position: tuple(map(_condition, matchers)) for position, matchers in routes.items()}
        self._by_head: HeadIndex[int] = HeadIndex()
        self._by_search: dict[str, SearchIndex[int]] = {}
        self._by_label: dict[str, list[int]] = {}
        self._by_expression: dict[Matcher, list[int]] = {}
        self._rest: list[int] = []
        counted = count_heads(routes.values())
        for position, matchers in sorted(routes.items()):
            self._place(position, matchers, rarest(matchers, counted))

    def _place(self, position: int, matchers: Sequence[Matcher], key: Matcher | None) -> None:
        """File the route under one matcher, so that :meth:`_candidates` has it for every alert it surely takes."""
        if key is not None:
            self._by_head.add(key, position)
        else:
            key = next((matcher for matcher in matchers if matcher.values is None), None)
            if key is None:
                self._rest.append(position)
            elif key.positive:
                self._by_search.setdefault(key.name, SearchIndex()).add(key, position)
            else:
                self._by_label.setdefault(key.name, []).append(position)
        if key is not None and key.values is None:
            self._by_expression.setdefault(key, []).append(position)

    def matchers(self, position: int) -> Iterator[Matcher]:
        """The matchers of the route there."""
        return (condition.matcher for condition in self._conditions[position])

    def first(self, box: Box, before: int, without: Set[int]) -> int | None:
        """The first route before a position, and not one of some, that surely takes the typical alert of the box."""
        first = before
        for candidates in self._candidates(box):
            for position in candidates:
                if position >= first:
                    break
                if position not in without and all(condition.holds(box) for condition in self._conditions[position]):
                    first = position
        return first if first < before else None

    def _candidates(self, box: Box) -> Iterator[list[int]]:
        yield self._rest
        for name, domain in box.items():
            if domain.sample is not None:
                yield from self._by_head.find(name, domain.sample)
                if (searching := self._by_search.get(name)) is not None:
                    yield searching.find(domain.sample)
                yield self._by_label.get(name, [])
            for expression in domain.expressions:
                yield self._by_expression.get(expression, [])


def _condition(matcher: Matcher) -> _Condition:
    return _Condition(matcher, matcher.compiled(), None if matcher.values is None else not matcher.positive)


class Barrier(NamedTuple):
    """What stands before a route on one level: the blockers of a parent's children up to a position, but for some."""

    parent: Path
    blockers: Blockers
    before: int
    without: Set[int] = frozenset()

    def first(self, box: Box) -> int | None:
        """The first of them that surely takes the typical alert of the box."""
        return self.blockers.first(box, self.before, self.without)


def cover(box: Box, barriers: Sequence[Barrier]) -> frozenset[Path] | None:
    """The routes that take every alert of the box; ``None`` when something gets past them, or may do so."""
    used: set[Path] = set()
    remaining = [box]
    for _ in range(MOST_BOXES):
        if not remaining:
            return frozenset(used)
        current = remaining.pop()
        barrier, position = next(
            ((barrier, found) for barrier in barriers if (found := barrier.first(current)) is not None), (None, 0)
        )
        if barrier is None:
            return None
        used.add((*barrier.parent, position))
        remaining += _cut(current, barrier.blockers.matchers(position))
    return None


def _cut(box: Box, matchers: Iterable[Matcher]) -> Iterator[Box]:
    """What remains of a box without the alerts that meet all the matchers, as boxes that share nothing."""
    inside: Box | None = box
    for matcher in matchers:
        if inside is None:
            return
        outside = narrow(inside, matcher.negated())
        if outside is not None:
            yield outside
        inside = narrow(inside, matcher)
