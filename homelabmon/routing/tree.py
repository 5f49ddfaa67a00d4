"""The route tree: what a route inherits, which routes an alert takes, and which group it joins there.

Everything that asks where an alert goes asks :class:`RouteTree`. May import: spec, and its neighbours in routing.
Source of every rule: Alertmanager dispatch/route.go and dispatch/dispatch.go; of what is refused: config/config.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from homelabmon.routing.levels import Level
from homelabmon.routing.trace import RouteTried, trace
from homelabmon.spec.matchers import Matcher, format_matchers, quote, sort_matchers

T_co = TypeVar("T_co", covariant=True)

Path = tuple[int, ...]
"""The way to a route: its index among the root's routes, then among that route's routes, ...; the root is ``()``."""

GROUP_BY_ALL: Final = ("...",)
"""Group by all labels: every label set is a group of its own."""

GROUP_WAIT: Final = 30.0
GROUP_INTERVAL: Final = 300.0
REPEAT_INTERVAL: Final = 14400.0


class RouteError(ValueError):
    """A route tree that Alertmanager would refuse. Says which route, and why."""


# No slots here: Python 3.11 cannot call RouteNode[X](...) of a frozen class that has them.
@dataclass(frozen=True)
class RouteNode(Generic[T_co]):
    """One route as written, with the routes below it. Durations are seconds. ``None`` (or no receiver) inherits.

    An empty ``group_by`` puts all alerts of the route into one group (Alertmanager since 0.31; before, it inherits).
    ``payload`` is what the owner of the tree wants back with a match; it is not inherited, and not looked at except
    by :mod:`~homelabmon.routing.reach`, which compares it.
    """

    name: str
    receiver: str | None = None
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: float | None = None
    group_interval: float | None = None
    repeat_interval: float | None = None
    continue_: bool = False
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    routes: tuple[RouteNode[T_co], ...] = ()
    payload: T_co = field(kw_only=True)


class ResolvedRoute(NamedTuple, Generic[T_co]):
    """One route with everything it inherits. Durations are seconds.

    ``key`` is what group keys begin with; routes with equal matchers share it. ``id`` is unique in the tree.
    Mute and active intervals are the route's own: they are the one thing that is not inherited, nor passed on.
    """

    path: Path
    name: str
    receiver: str
    matchers: tuple[Matcher, ...]
    group_by: tuple[str, ...]
    group_wait: float
    group_interval: float
    repeat_interval: float
    continue_: bool
    mute_time_intervals: tuple[str, ...]
    active_time_intervals: tuple[str, ...]
    key: str
    id: str
    payload: T_co

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels that name the alert's group, sorted by name. A label that the alert lacks is left out."""
        if self.group_by == GROUP_BY_ALL:
            return dict(sorted(labels.items()))
        return {name: labels[name] for name in sorted(self.group_by) if name in labels}

    def group_key(self, labels: Mapping[str, str]) -> str:
        """The name of the alert's group as webhooks carry it: ``{}/{severity="critical"}:{alertname="NodeDown"}``."""
        return f"{self.key}:{format_labels(self.group_labels(labels))}"


def format_labels(labels: Mapping[str, str]) -> str:
    """``{alertname="NodeDown", node="n1"}``, sorted by name (Prometheus common model/labelset_string.go)."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in sorted(labels.items())) + "}"


class RouteTree(Generic[T_co]):
    """A compiled route tree. Build it once, ask it often; it never changes.

    Raises :class:`RouteError` for a tree that Alertmanager would refuse.
    """

    def __init__(self, root: RouteNode[T_co]) -> None:
        _check_root(root)
        self.root = root
        self.routes: tuple[ResolvedRoute[T_co], ...] = tuple(_resolve(root, None, ()))
        """Every route, each before the routes below it."""
        self._by_path = {route.path: route for route in self.routes}
        self._fallback = (self._by_path[()],)
        self._level = self._compile(root, ())

    def __getitem__(self, path: Path) -> ResolvedRoute[T_co]:
        """The route at a path. Raises KeyError."""
        return self._by_path[path]

    def match(self, labels: Mapping[str, str]) -> tuple[ResolvedRoute[T_co], ...]:
        """The routes an alert takes, in order; never none, as the root takes what no other route takes.

        Alertmanager Route.Match: depth first, left to right. A route that matches ends the search among its siblings
        unless it says ``continue``. It takes the alert itself only if no route below it does.
        """
        if self._level is None:
            return self._fallback
        found: list[ResolvedRoute[T_co]] = []
        self._level.collect(labels, found)
        return tuple(found) or self._fallback

    def trace(self, labels: Mapping[str, str]) -> tuple[RouteTried[ResolvedRoute[T_co]], ...]:
        """Every route that :meth:`match` looks at, in order, with each of its matchers and what it said."""
        return tuple(trace(self._by_path[()], self.children, labels))

    def children(self, route: ResolvedRoute[object]) -> Iterator[ResolvedRoute[T_co]]:
        """The routes right below one, in order."""
        position = 0
        while (child := self._by_path.get((*route.path, position))) is not None:
            yield child
            position += 1

    def _compile(self, node: RouteNode[T_co], path: Path) -> Level[ResolvedRoute[T_co]] | None:
        if not node.routes:
            return None
        level = Level[ResolvedRoute[T_co]]()
        for position, child in enumerate(node.routes):
            below = (*path, position)
            level.add(self._by_path[below], child.matchers, child.continue_, self._compile(child, below))
        return level.close()


def _resolve(node: RouteNode[T_co], parent: ResolvedRoute[T_co] | None, path: Path) -> Iterator[ResolvedRoute[T_co]]:
    _check(node, path)
    matchers = sort_matchers(node.matchers)
    printed = format_matchers(matchers)
    route = ResolvedRoute(
        path=path,
        name=node.name,
        receiver=node.receiver or (parent.receiver if parent else ""),
        matchers=matchers,
        group_by=_inherit(node.group_by, parent.group_by if parent else ()),
        group_wait=_inherit(node.group_wait, parent.group_wait if parent else GROUP_WAIT),
        group_interval=_inherit(node.group_interval, parent.group_interval if parent else GROUP_INTERVAL),
        repeat_interval=_inherit(node.repeat_interval, parent.repeat_interval if parent else REPEAT_INTERVAL),
        continue_=node.continue_,
        mute_time_intervals=node.mute_time_intervals,
        active_time_intervals=node.active_time_intervals,
        key=f"{parent.key}/{printed}" if parent else printed,
        id=f"{parent.id}/{printed}/{path[-1]}" if parent else printed,
        payload=node.payload,
    )
    yield route
    for position, child in enumerate(node.routes):
        yield from _resolve(child, route, (*path, position))


V = TypeVar("V")


def _inherit(own: V | None, inherited: V) -> V:
    return inherited if own is None else own


def _check_root(root: RouteNode[object]) -> None:
    if not root.receiver:
        raise RouteError("the root route needs a receiver: it takes every alert that no other route takes")
    if root.matchers:
        raise RouteError("the root route must not have matchers: it takes every alert that no other route takes")
    if root.mute_time_intervals or root.active_time_intervals:
        raise RouteError("the root route must not have mute or active time intervals")
    if root.continue_:
        raise RouteError("the root route must not have continue: nothing comes after it")


def _check(node: RouteNode[object], path: Path) -> None:
    where = f"route {node.name!r} ({format_path(path)})"
    if node.group_by is not None:
        if "..." in node.group_by and node.group_by != GROUP_BY_ALL:
            raise RouteError(f"{where}: group_by ... means all labels: leave out the others")
        if len(set(node.group_by)) != len(node.group_by):
            raise RouteError(f"{where}: group_by names a label twice: {', '.join(node.group_by)}")
        if "" in node.group_by:
            raise RouteError(f"{where}: group_by holds an empty label name")
    if node.group_wait is not None and node.group_wait < 0:
        raise RouteError(f"{where}: group_wait cannot be negative")
    for option, value in (("group_interval", node.group_interval), ("repeat_interval", node.repeat_interval)):
        if value is not None and value <= 0:
            raise RouteError(f"{where}: {option} must be longer than zero")


def format_path(path: Path) -> str:
    """``(0, 2)`` as ``routes[0].routes[2]``; the root as ``root``."""
    return ".".join(f"routes[{position}]" for position in path) or "root"
