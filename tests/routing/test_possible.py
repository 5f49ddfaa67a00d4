"""Which routes alerts may take of which only some labels are known."""

from __future__ import annotations

from random import Random

import pytest

from homelabmon.routing.boxes import Domain
from homelabmon.routing.possible import Possibilities
from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matchers
from tests.routing.generate import LISTED, MIXED, WILD, tree


def route(matchers: str, *routes: RouteNode[None], more: bool = False) -> RouteNode[None]:
    found = parse_matchers(matchers)
    return RouteNode(matchers, matchers=found, continue_=more, routes=routes, payload=None)


def possible(*routes: RouteNode[None], **known: str) -> list[tuple[str, str]]:
    root: RouteTree[None] = RouteTree(RouteNode("root", "r", routes=routes, payload=None))
    box = {name: Domain(frozenset((value,)), value) for name, value in known.items()}
    return [(one.route.name, ",".join(map(str, one.conditions))) for one in Possibilities(root).of(box)]


def test_a_route_on_an_unknown_label_is_possible_and_says_on_what_condition() -> None:
    routes = (route('a="1"'), route('b="1",c="2"'))
    assert possible(*routes) == [("root", ""), ('a="1"', 'a="1"'), ('b="1",c="2"', 'b="1",c="2"')]
    assert possible(*routes, a="2", b="1") == [("root", ""), ('b="1",c="2"', 'c="2"')]


def test_a_route_that_surely_takes_it_leaves_nothing_for_later_ones() -> None:
    assert possible(route('a="1"'), route('b="1"'), a="1") == [('a="1"', "")]
    assert possible(route('a="1"', more=True), route('b="1"'), a="1") == [('a="1"', ""), ('b="1"', 'b="1"')]


def test_routes_below_may_leave_nothing_for_the_one_they_are_in() -> None:
    inside = route('a="1"', route('b=""'), route('b!=""', more=True))
    assert possible(inside, a="1") == [('b=""', 'b=""'), ('b!=""', 'b!=""')]


@pytest.mark.parametrize("seed", range(4))
def test_the_routes_an_alert_takes_are_among_those_possible_for_any_part_of_its_labels(seed: int) -> None:
    random = Random(seed)
    told = 0
    for _ in range(60):
        vocabulary = random.choice((WILD, MIXED))
        compiled = RouteTree(tree(random, vocabulary))
        ready = Possibilities(compiled)
        for _ in range(8):
            labels = vocabulary.labels(random)
            taken = {found.path for found in compiled.match(labels)}
            for share in (0.0, 0.5, 1.0):
                known = {name: labels.get(name, "") for name in vocabulary.values if random.random() < share}
                box = {name: Domain(frozenset((value,)), value) for name, value in known.items()}
                found = {one.route.path for one in ready.of(box)}
                assert taken <= found
                told += len(compiled.routes) - len(found)
    assert told > 1000, "some routes must be ruled out for this to mean anything"


@pytest.mark.parametrize("seed", range(4))
def test_where_matchers_list_values_every_possible_route_is_taken_by_some_alert(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        compiled = RouteTree(tree(random, LISTED))
        known = {name: random.choice(values) for name, values in LISTED.values.items() if random.random() < 0.3}
        box = {name: Domain(frozenset((value,)), value) for name, value in known.items()}
        found = {one.route.path for one in Possibilities(compiled).of(box)}
        sets = [labels for labels in LISTED.label_sets() if all(labels.get(n, "") == v for n, v in known.items())]
        assert found == {route.path for labels in sets for route in compiled.match(labels)}
