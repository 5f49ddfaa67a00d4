"""Routes are looked at as Alertmanager gets them: compared with the configuration that is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from homelabmon.checks.support.routes import _Builder, route_places, timings
from homelabmon.components.alertmanager_config import alertmanager_config
from homelabmon.load import load
from homelabmon.routing.tree import RouteNode
from homelabmon.spec.base import format_duration
from homelabmon.spec.contribution import ALERTS_PEOPLE
from homelabmon.stack import Stack, site_of
from tests.outside import ROOT

STACKS = [ROOT / "stack.yaml", *sorted((ROOT / "tests" / "stacks").glob("*/stack.yaml"))]


def rendered(stack: Stack) -> list[dict[str, Any]]:
    """The owner's routes as they are rendered, each before those inside it."""
    site = site_of(stack)
    routes = alertmanager_config(site)["route"]["routes"]
    bare = alertmanager_config(site._replace(routes=()))["route"]["routes"]
    before = sum("matchers" in route for route in bare)
    return list(below(routes[before : before + len(stack.routes)], stack.routes))


def below(routes: list[dict[str, Any]], written: Any) -> Iterator[dict[str, Any]]:
    """Without the relay each route has children of its own for severities, after the owner's."""
    for route, own in zip(routes, written, strict=False):
        yield route
        yield from below(route.get("routes", []), own.routes)


def nodes(routes: tuple[RouteNode[object], ...]) -> Iterator[RouteNode[object]]:
    for route in routes:
        yield route
        yield from nodes(route.routes)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_timings_and_grouping_are_those_that_are_rendered(path: Any) -> None:
    stack = load(path)
    relayed = site_of(stack).offer(ALERTS_PEOPLE) is not None
    ours = [
        (list(place.options["group_by"]), *map(format_duration, timings(place.options, relayed)))
        for place in route_places(stack)
        if place.route is not None
    ]
    keys = ("group_by", "group_wait", "group_interval", "repeat_interval")
    assert ours == [tuple(route[key] for key in keys) for route in rendered(stack)]


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_matchers_and_mutes_are_those_that_are_rendered(path: Any) -> None:
    stack = load(path)
    muted = {window.name: frozenset(window.routes) for window in stack.maintenance}
    everywhere = tuple(name for name, routes in muted.items() if not routes)
    options = next(route_places(stack)).options
    built = tuple(_Builder(True, muted).node(route, options, everywhere) for route in stack.routes)
    ours = [(list(map(str, node.matchers)), list(node.mute_time_intervals), node.continue_) for node in nodes(built)]
    assert ours == [
        (route["matchers"], route.get("mute_time_intervals", []), route.get("continue", False))
        for route in rendered(stack)
    ]
