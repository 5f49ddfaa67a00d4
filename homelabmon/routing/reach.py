"""Routes that can never match, and routes that change nothing.

Asked by the checks. May import: spec, and its neighbours in routing.

Exact for matchers that list values (``=``, ``!=``, and regular expressions that are nothing but literals), as far as
:data:`~homelabmon.routing.cover.MOST_BOXES` goes. For other regular expressions a finding is always right, but some are
missed: nothing is said of what would need two expressions to be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import combinations
from typing import Final, NamedTuple

from homelabmon.routing.boxes import EVERYTHING, Box, narrow
from homelabmon.routing.cover import Barrier, Blockers, cover
from homelabmon.routing.overlap import Overlaps
from homelabmon.routing.tree import GROUP_BY_ALL, Path, ResolvedRoute, RouteTree, format_path
from homelabmon.spec.matchers import Matcher

MOST_NEIGHBOURS: Final = 2000
"""Of how many routes beside it a route is compared with, before nothing is said about it."""

MOST_NAMES: Final = 5
"""How many routes a reason names."""

Route = ResolvedRoute[object]


class ReachKind(StrEnum):
    """What is wrong with a route."""

    CONTRADICTION = "contradiction"
    """No alert meets its matchers and those of the routes around it."""
    SHADOWED = "shadowed"
    """Routes before it take every alert that it could match."""
    REDUNDANT = "redundant"
    """Its alerts would be treated alike without it."""


class ReachFinding(NamedTuple):
    """One route that never matches, or changes nothing. ``by``: the routes that are the cause, in tree order.

    The routes below one that never matches do not either; they have no findings of their own.
    """

    path: Path
    kind: ReachKind
    by: tuple[Path, ...]
    reason: str


def find_pointless_routes(tree: RouteTree[object]) -> tuple[ReachFinding, ...]:
    """Every finding about a tree, in tree order."""
    return tuple(sorted(_Search(tree).below(tree[()], EVERYTHING, ()), key=lambda finding: finding.path))


class _Child(NamedTuple):
    """A route below another, and the box of the alerts that meet its matchers and all above it."""

    position: int
    route: Route
    box: Box
    is_leaf: bool
    acts_as_parent: bool

    @property
    def stands_in(self) -> bool:
        """Whether an alert that comes here is treated just as the parent does it, and goes nowhere else."""
        return self.is_leaf and self.acts_as_parent and not self.route.continue_


class _Search:
    def __init__(self, tree: RouteTree[object]) -> None:
        self._tree = tree

    def below(self, parent: Route, box: Box, barriers: Sequence[Barrier]) -> Iterator[ReachFinding]:
        """The findings about what is below a route whose alerts are those of the box that the barriers leave."""
        routes = tuple(self._tree.children(parent))
        if not routes:
            return
        blockers = Blockers({place: route.matchers for place, route in enumerate(routes) if not route.continue_})
        children, reached = [], []
        for position, route in enumerate(routes):
            before = (*barriers, Barrier(parent.path, blockers, position))
            child_box = narrow(box, *route.matchers)
            if child_box is None:
                yield self._contradiction(route)
                continue
            is_leaf = not any(self._tree.children(route))
            child = _Child(position, route, child_box, is_leaf, _act_alike(route, parent))
            children.append(child)
            if by := cover(child_box, before):
                yield self._shadowed(route, by)
                continue
            reached.append(child)
            yield from self.below(route, child_box, before)
        level = _Level(parent, children, barriers, blockers)
        yield from (_redundant(child, parent) for child in reached if level.leaves_out(child))

    def _contradiction(self, route: Route) -> ReachFinding:
        clash = _smallest_clash(route, [self._tree[route.path[:depth]] for depth in range(1, len(route.path) + 1)])
        said = " and ".join(
            str(matcher) if owner is route else f"{matcher} of {_name(owner)}" for owner, matcher in clash
        )
        by = tuple(dict.fromkeys(owner.path for owner, _ in clash if owner is not route))
        reason = f"{_name(route)} never matches: no alert meets {said}"
        return ReachFinding(route.path, ReachKind.CONTRADICTION, by, reason)

    def _shadowed(self, route: Route, by: Iterable[Path]) -> ReachFinding:
        takers = tuple(sorted(by))
        more = f" and {len(takers) - MOST_NAMES} more" if len(takers) > MOST_NAMES else ""
        names = ", ".join(_name(self._tree[path]) for path in takers[:MOST_NAMES]) + more
        how = "comes first, takes" if len(takers) == 1 else "come first, together take"
        reason = f"{_name(route)} never matches: {names} {how} every alert it could match, without continue"
        return ReachFinding(route.path, ReachKind.SHADOWED, takers, reason)


class _Level:
    """The routes below one parent, to be left out one by one where that changes nothing.

    Each is looked at without those left out before it, so that all of them together can go.
    """

    def __init__(
        self, parent: Route, children: Sequence[_Child], barriers: Sequence[Barrier], blockers: Blockers
    ) -> None:
        self._parent = parent
        self._children = {child.position: child for child in children}
        self._barriers = barriers
        self._blockers = blockers
        self._overlaps = Overlaps({child.position: child.route.matchers for child in children})
        self._left_out: set[int] = set()

    def leaves_out(self, child: _Child) -> bool:
        """Whether every alert of the child would be treated alike without it, namely just as by the parent."""
        if not child.is_leaf or not child.acts_as_parent:
            return False
        self._left_out.add(child.position)
        for number, position in enumerate(self._overlaps.candidates(child.box)):
            other = self._children[position]
            if number == MOST_NEIGHBOURS or (self._interferes(child, other) and self._meet(child, other)):
                self._left_out.remove(child.position)
                return False
        return True

    def _interferes(self, child: _Child, other: _Child) -> bool:
        """Whether an alert that both match is treated differently without the child."""
        if other.position in self._left_out:
            return False
        if other.position < child.position:
            return other.route.continue_
        return child.route.continue_ or not other.stands_in

    def _meet(self, child: _Child, other: _Child) -> bool:
        """Whether some alert of both might get past the routes before the later one of them."""
        both = narrow(child.box, *other.route.matchers)
        if both is None:
            return False
        before = max(child.position, other.position)
        between = Barrier(self._parent.path, self._blockers, before, self._left_out)
        return cover(both, (*self._barriers, between)) is None


def _redundant(child: _Child, parent: Route) -> ReachFinding:
    grouped = parent.group_by == GROUP_BY_ALL or all(m.name in parent.group_by for m in child.route.matchers)
    apart = "" if grouped else ", only in messages of their own"
    reason = f"{_name(child.route)} changes nothing: its alerts are treated as {_name(parent)} would treat them{apart}"
    return ReachFinding(child.route.path, ReachKind.REDUNDANT, (parent.path,), reason)


def _act_alike(route: Route, parent: Route) -> bool:
    return _action(route) == _action(parent) and route.payload == parent.payload


def _action(route: Route) -> tuple[object, ...]:
    return (
        route.receiver,
        frozenset(route.group_by),
        route.group_wait,
        route.group_interval,
        route.repeat_interval,
        frozenset(route.mute_time_intervals),
        frozenset(route.active_time_intervals),
    )


def _smallest_clash(route: Route, chain: Sequence[Route]) -> list[tuple[Route, Matcher]]:
    """Matchers on one label, of the route and those above it, that no value meets: two where two are enough."""
    for name in dict.fromkeys(matcher.name for matcher in route.matchers):
        about = [(owner, matcher) for owner in chain for matcher in owner.matchers if matcher.name == name]
        if narrow(EVERYTHING, *(matcher for _, matcher in about)) is None:
            pairs = ([one, two] for one, two in combinations(about, 2) if narrow(EVERYTHING, one[1], two[1]) is None)
            return next(pairs, about)
    return []


def _name(route: Route) -> str:
    return repr(route.name) if route.name else format_path(route.path)
