"""Which routes an alert may take of which only some labels are known.

Asked by ``explain`` and the checks. May import: spec, and its neighbours in routing.

Sound, and exact where :mod:`~homelabmon.routing.reach` is: a route that is not named surely takes none of the alerts;
one that is named may still not, where regular expressions would have to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from homelabmon.routing.boxes import EVERYTHING, Box, narrow
from homelabmon.routing.cover import Barrier, Blockers, cover
from homelabmon.routing.tree import Path, ResolvedRoute, RouteTree
from homelabmon.spec.matchers import Matcher

T_co = TypeVar("T_co", covariant=True)


class Possible(NamedTuple, Generic[T_co]):
    """A route that may take some of the alerts. ``box`` holds those that meet its matchers and all above it.

    ``conditions`` are those of these matchers that not every one of the alerts meets.
    """

    route: ResolvedRoute[T_co]
    box: Box
    conditions: tuple[Matcher, ...]


class Possibilities(Generic[T_co]):
    """A route tree, ready to be asked which routes the alerts of a box may take."""

    def __init__(self, tree: RouteTree[T_co]) -> None:
        self._tree = tree
        self._children: dict[Path, tuple[ResolvedRoute[T_co], ...]] = {}
        self._enders: dict[Path, Blockers] = {}
        self._takers: dict[Path, Blockers] = {}
        for route in tree.routes:
            below = tuple(tree.children(route))
            if below:
                self._children[route.path] = below
                ending = {place: child.matchers for place, child in enumerate(below) if not child.continue_}
                self._enders[route.path] = Blockers(ending)
                self._takers[route.path] = Blockers({place: child.matchers for place, child in enumerate(below)})

    def of(self, box: Box = EVERYTHING) -> tuple[Possible[T_co], ...]:
        """Every route that may take an alert of the box, in tree order; never none."""
        return tuple(self._below(self._tree[()], box, (), ()))

    def _below(
        self, route: ResolvedRoute[T_co], box: Box, conditions: tuple[Matcher, ...], barriers: Sequence[Barrier]
    ) -> Iterator[Possible[T_co]]:
        children = self._children.get(route.path, ())
        for_itself = barriers
        if children:
            for_itself = (*barriers, Barrier(route.path, self._takers[route.path], len(children)))
        if not for_itself or cover(box, for_itself) is None:
            yield Possible(route, box, conditions)
        for position, child in enumerate(children):
            inside = narrow(box, *child.matchers)
            if inside is None:
                continue
            before = (*barriers, Barrier(route.path, self._enders[route.path], position))
            if cover(inside, before) is None:
                open_ = tuple(matcher for matcher in child.matchers if narrow(box, matcher.negated()) is not None)
                yield from self._below(child, inside, (*conditions, *open_), before)
