"""Routes as checks look at them: with everything they inherit, and as the tree that Alertmanager is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

from homelabmon.components.alertmanager_config import (
    NATIVE_GROUP_INTERVAL,
    NULL,
    RELAY_GROUP_WAIT,
    alertmanager_config,
    relay_interval,
)
from homelabmon.routing.reach import ReachFinding, find_pointless_routes
from homelabmon.routing.tree import RouteError, RouteNode, RouteTree
from homelabmon.spec import names
from homelabmon.spec.base import parse_duration
from homelabmon.spec.contribution import ALERTS_PEOPLE, Site
from homelabmon.spec.findings import Path
from homelabmon.spec.matchers import Matcher, parse_matcher
from homelabmon.spec.routes import Route, RouteOptions, hold_for
from homelabmon.stack import Stack

_OPTIONS: Final = ("channel", "group_by", "hold", "group_wait", "group_interval", "repeat_interval", "title")


class RoutePlace(NamedTuple):
    """One route, where it stands, and its options with what it inherits. The defaults are a place without a route.

    ``matchers`` are its own and those of all routes around it.
    """

    path: Path
    route: Route | None
    own: RouteOptions
    options: Mapping[str, Any]
    matchers: tuple[Matcher, ...]

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"route {self.route.name!r}" if self.route is not None else "defaults"


def route_places(stack: Stack) -> Iterator[RoutePlace]:
    """The defaults, then every route, each before those inside it."""
    options = {name: getattr(stack.defaults, name) for name in _OPTIONS}
    yield RoutePlace(("defaults",), None, stack.defaults, options, ())
    for number, route in enumerate(stack.routes):
        yield from _places(route, ("routes", number), options, ())


def _places(
    route: Route, path: Path, inherited: Mapping[str, Any], matchers: tuple[Matcher, ...]
) -> Iterator[RoutePlace]:
    own = {name: value for name in _OPTIONS if (value := getattr(route, name)) is not None}
    options = {**inherited, **own}
    met = (*matchers, *route.all_matchers)
    yield RoutePlace(path, route, route, options, met)
    for number, child in enumerate(route.routes):
        yield from _places(child, (*path, "routes", number), options, met)


def timings(options: Mapping[str, Any], relayed: bool) -> tuple[timedelta, timedelta, timedelta]:
    """What Alertmanager is given for a route: group_wait, group_interval, repeat_interval."""
    hold = hold_for(options["hold"], "warning")
    wait, interval = options["group_wait"], options["group_interval"]
    if wait is None:
        wait = min(RELAY_GROUP_WAIT, hold) if relayed else hold
    if interval is None:
        interval = relay_interval(hold) if relayed else NATIVE_GROUP_INTERVAL
    return wait, interval, options["repeat_interval"]


class Pointless(NamedTuple):
    """A route of the owner's that never matches or changes nothing.

    ``built_in``: because of one that always comes. ``named``: because of one that follows from a channel that a
    heartbeat or a probe names.
    """

    path: Path
    finding: ReachFinding
    built_in: bool
    named: bool


def pointless_routes(stack: Stack, site: Site) -> Iterator[Pointless]:
    """Findings about the owner's routes, in the tree that Alertmanager gets, the routes built around them included."""
    relayed = site.offer(ALERTS_PEOPLE) is not None
    rendered = alertmanager_config(site._replace(routes=(), channel_routes=(), inhibit=(), depends_on={}))["route"]
    built_in = [_built_in(route) for route in rendered["routes"]]
    # What comes first asks for something; the one at the end, where there is one, takes what nobody has taken.
    first = [route for route in built_in if route.matchers]
    built_ins = len(first)
    last = [replace(route, receiver=stack.defaults.channel) for route in built_in if not route.matchers]
    muted = {window.name: frozenset(window.routes) for window in stack.maintenance}
    everywhere = tuple(window.name for window in stack.maintenance if window.everything)
    options = {name: getattr(stack.defaults, name) for name in _OPTIONS}
    builder = _Builder(relayed, muted)
    first += [builder.node(route, options, everywhere) for route in site.channel_routes]
    owned = [builder.node(route, options, everywhere) for route in stack.routes]
    last = [*_stoppers(stack), *(replace(route, payload=_payload(options)) for route in last)] if last else []
    root = replace(_built_in(rendered), receiver=stack.defaults.channel, payload=_payload(options))
    try:
        tree = RouteTree[object](replace(root, routes=(*first, *owned, *last)))
    except RouteError:  # what Alertmanager refuses is another check's business
        return
    for finding in find_pointless_routes(tree):
        position = finding.path[0] - len(first)
        if 0 <= position < len(owned):
            rest = [part for index in finding.path[1:] for part in ("routes", index)]
            always = any(cause and cause[0] < built_ins for cause in finding.by)
            named = any(cause and built_ins <= cause[0] < len(first) for cause in finding.by)
            if always and relayed and _asks_for_events(tree, finding.path):
                continue  # what is posted to the relay itself does not come past Alertmanager's routes
            yield Pointless(("routes", position, *rest), finding, always, named)


def _asks_for_events(tree: RouteTree[object], path: tuple[int, ...]) -> bool:
    """Whether a route wants a ``source``, as events have one."""
    chain = (tree[path[:depth]] for depth in range(1, len(path) + 1))
    asked = (matcher for route in chain for matcher in route.matchers if matcher.name == names.LABEL_SOURCE)
    return any(matcher.positive and not matcher.matches({}) for matcher in asked)


class _Builder:
    """Turns the owner's routes into nodes of the tree."""

    def __init__(self, relayed: bool, muted: Mapping[str, frozenset[str]]) -> None:
        self._relayed = relayed
        self._windows: dict[str, list[str]] = {}
        for window, routes in muted.items():
            for name in routes:
                self._windows.setdefault(name, []).append(window)

    def node(self, route: Route, inherited: Mapping[str, Any], mute: tuple[str, ...]) -> RouteNode[object]:
        own = {name: value for name in _OPTIONS if (value := getattr(route, name)) is not None}
        options = {**inherited, **own}
        mute = tuple(dict.fromkeys((*mute, *self._windows.get(route.name, ()), *route.mute)))
        wait, interval, repeat = timings(options, self._relayed)
        return RouteNode(
            name=route.name,
            receiver=options["channel"],
            matchers=route.all_matchers,
            group_by=options["group_by"],
            group_wait=wait.total_seconds(),
            group_interval=interval.total_seconds(),
            repeat_interval=repeat.total_seconds(),
            continue_=route.continue_,
            mute_time_intervals=mute,
            routes=tuple(self.node(child, options, mute) for child in route.routes),
            payload=_payload(options),
        )


def _stoppers(stack: Stack) -> list[RouteNode[object]]:
    """Routes to nobody, which keep what a `continue` route has taken from the one at the end."""
    return [
        RouteNode(name="", receiver=NULL, matchers=route.all_matchers, payload=None)
        for route in stack.routes
        if route.continue_
    ]


def _payload(options: Mapping[str, Any]) -> object:
    """What the relay does differently: how long it holds an alert back, and the title."""
    return tuple(sorted(options["hold"].items())), options["title"]


def _built_in(route: Mapping[str, Any]) -> RouteNode[object]:
    """A route that every rendered configuration has, from its data."""
    matchers = tuple(parse_matcher(text) for text in route.get("matchers", ()))
    return RouteNode(
        name=f"the built-in route for {', '.join(map(str, matchers))}" if matchers else "",
        receiver=route["receiver"],
        matchers=matchers,
        group_by=tuple(route["group_by"]) if "group_by" in route else None,
        group_wait=_seconds(route, "group_wait"),
        group_interval=_seconds(route, "group_interval"),
        repeat_interval=_seconds(route, "repeat_interval"),
        mute_time_intervals=tuple(route.get("mute_time_intervals", ())),
        payload=None,
    )


def _seconds(route: Mapping[str, Any], option: str) -> float | None:
    value = parse_duration(route[option]) if option in route else None
    return value.total_seconds() if isinstance(value, timedelta) else None
