"""Every matcher tried on an alert's way through the route tree, for ``explain``.

Used by :mod:`homelabmon.routing.tree`. May import: spec. It walks the tree plainly, as Alertmanager's Route.Match
does, but asks all matchers of a route it looks at, so that a reader sees every reason for a no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

from homelabmon.spec.matchers import Matcher


class _Route(Protocol):
    @property
    def matchers(self) -> tuple[Matcher, ...]: ...
    @property
    def continue_(self) -> bool: ...


R_co = TypeVar("R_co", bound=_Route, covariant=True)
R = TypeVar("R", bound=_Route)


class MatcherTried(NamedTuple):
    """One matcher, the value it saw (empty for a missing label) and whether it said yes."""

    matcher: Matcher
    value: str
    matched: bool


class RouteTried(NamedTuple, Generic[R_co]):
    """One route that was looked at. ``matched``: all its matchers said yes. ``taken``: the alert goes out here."""

    route: R_co
    tried: tuple[MatcherTried, ...]
    matched: bool
    taken: bool


def trace(route: R, children: Callable[[R], Iterable[R]], labels: Mapping[str, str]) -> Iterator[RouteTried[R]]:
    """The route and what lies below it, in the order of the search."""
    tried = tuple(
        MatcherTried(matcher, labels.get(matcher.name, ""), matcher.matches(labels)) for matcher in route.matchers
    )
    matched = all(step.matched for step in tried)
    below: list[RouteTried[R]] = []
    for child in children(route) if matched else ():
        steps = list(trace(child, children, labels))
        below += steps
        if steps[0].matched and not child.continue_:
            break
    yield RouteTried(route, tried, matched, taken=matched and not any(step.taken for step in below))
    yield from below
