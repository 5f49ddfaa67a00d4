"""Routes that can never match, and routes that change nothing."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.routing.reach import ReachFinding, ReachKind, find_pointless_routes
from homelabmon.routing.tree import Path, RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matchers
from tests.routing import generate
from tests.routing.generate import Node, Universe


def node(name: str, matchers: str = "", *routes: Node, receiver: str | None = None, continue_: bool = False) -> Node:
    return Node(name, receiver or name, parse_matchers(matchers), continue_=continue_, routes=routes, payload=None)


def find(*routes: Node) -> list[tuple[Path, ReachKind, tuple[Path, ...], str]]:
    root = node("root", "", *routes)
    return [(f.path, f.kind, f.by, f.reason) for f in find_pointless_routes(RouteTree(root))]


def kinds(*routes: Node) -> list[tuple[Path, str]]:
    return [(path, kind.value) for path, kind, _, _ in find(*routes)]


# Shadowed ---------------------------------------------------------------------------------------------------------


def test_route_after_one_that_takes_the_same_alerts_is_shadowed() -> None:
    assert find(node("ops", "namespace=a"), node("media", "namespace=a,severity=critical")) == [
        (
            (1,),
            ReachKind.SHADOWED,
            ((0,),),
            "'media' never matches: 'ops' comes first, takes every alert it could match, without continue",
        )
    ]


def test_route_after_one_that_continues_is_not_shadowed() -> None:
    assert find(node("ops", "namespace=a", continue_=True), node("media", "namespace=a")) == []


def test_wider_route_after_a_narrower_one_is_not_shadowed() -> None:
    assert find(node("ops", "namespace=a,severity=critical"), node("media", "namespace=a")) == []


def test_everything_after_a_catch_all_is_shadowed() -> None:
    assert kinds(node("all"), node("a", "x=1"), node("b")) == [((1,), "shadowed"), ((2,), "shadowed")]


def test_routes_that_only_together_take_everything_are_all_named() -> None:
    findings = find(node("one", "a=1"), node("two", "a=2"), node("both", 'a=~"1|2"'))
    assert findings == [
        (
            (2,),
            ReachKind.SHADOWED,
            ((0,), (1,)),
            "'both' never matches: 'one', 'two' come first, together take every alert it could match, without continue",
        )
    ]
    assert kinds(node("is", "a=1"), node("is not", "a!=1"), node("late", "b=2")) == [((2,), "shadowed")]


def test_reason_names_the_first_routes_only() -> None:
    values = "123456789"
    (finding,) = find(*(node(f"r{value}", f"a={value}") for value in values), node("late", f'a=~"{"|".join(values)}"'))
    assert finding[2] == tuple((number,) for number in range(9))
    assert "'r1', 'r2', 'r3', 'r4', 'r5' and 4 more come first, together take every alert" in finding[3]


def test_route_that_takes_only_missing_labels_is_seen() -> None:
    assert kinds(node("some", 'a!=""'), node("none", "b=1"), node("late", 'a="",b=1')) == [((2,), "shadowed")]
    assert kinds(node("some", 'a!=""'), node("late", "b=1")) == []


def test_route_shadowed_by_a_sibling_of_its_parent_is_found() -> None:
    findings = find(
        node("critical", "severity=critical"), node("media", "namespace=media", node("paged", "severity=critical"))
    )
    assert [(path, by) for path, _, by, _ in findings] == [((1, 0), ((0,),))]


def test_routes_below_a_shadowed_one_have_no_findings_of_their_own() -> None:
    assert kinds(node("all"), node("late", "a=1", node("below", "b=1"))) == [((1,), "shadowed")]


def test_listed_values_are_checked_against_expressions() -> None:
    assert kinds(node("kube", 'alertname=~"Kube.*"'), node("jobs", 'alertname=~"KubeJobFailed|KubePodDown"')) == [
        ((1,), "shadowed")
    ]
    assert kinds(node("kube", 'alertname=~"Kube.*"'), node("jobs", 'alertname=~"KubeJobFailed|NodeDown"')) == []
    assert kinds(node("rest", 'alertname!~"Kube.*"'), node("node", "alertname=NodeDown")) == [((1,), "shadowed")]


def test_listed_values_are_checked_against_many_expressions() -> None:
    many = [node(f"many{number}", f'a=~"(x|y)-{number}-.+"') for number in range(20)]
    late = [node("late", 'a=~"x-3-1|y-17-2"'), node("new", 'a=~"x-3-1|z-17-2"')]
    assert [(path, by) for path, _, by, _ in find(*many, *late)] == [((20,), ((3,), (17,)))]


def test_the_same_expression_twice_is_seen() -> None:
    assert kinds(node("kube", 'a=~"Kube.*"'), node("late", 'a=~"Kube.*",b=1')) == [((1,), "shadowed")]
    assert kinds(node("rest", 'a!~"Kube.*"'), node("kube", 'a=~"Kube.*"'), node("late", 'a=~"Kube.*"')) == [
        ((2,), "shadowed")
    ]


def test_expressions_that_would_have_to_be_compared_are_left_alone() -> None:
    assert kinds(node("kube", 'a=~"Kube.*"'), node("pods", 'a=~"KubePod.*"')) == []
    assert kinds(node("some", 'a=~".+"'), node("kube", 'a=~"Kube.+"')) == []


def test_dot_star_is_not_everything_because_of_newlines() -> None:
    assert kinds(node("any", 'a=~".*"'), node("late", "b=1")) == []
    tree = RouteTree(node("root", "", node("any", 'a=~".*"'), node("late", "b=1")))
    assert [route.name for route in tree.match({"a": "\n", "b": "1"})] == ["late"]


# Contradictions ---------------------------------------------------------------------------------------------------


def test_matchers_of_a_route_that_exclude_one_another() -> None:
    assert find(node("never", "a=1,b=1,a=2")) == [
        ((0,), ReachKind.CONTRADICTION, (), '\'never\' never matches: no alert meets a="1" and a="2"')
    ]
    assert kinds(node("never", 'a="1",a!~"1|2"')) == [((0,), "contradiction")]
    assert kinds(node("never", 'a=~"x.*",a!~"x.*"')) == [((0,), "contradiction")]
    assert kinds(node("never", 'a=NodeDown,a=~"Kube.*"')) == [((0,), "contradiction")]
    assert kinds(node("never", 'a=~"1|2",a=~"2|3",a=~"1|3"')) == [((0,), "contradiction")]


def test_matchers_that_exclude_those_of_a_route_above() -> None:
    findings = find(node("media", "namespace=media", node("deep", "b=1", node("never", "namespace=ops"))))
    assert findings == [
        (
            (0, 0, 0),
            ReachKind.CONTRADICTION,
            ((0,),),
            "'never' never matches: no alert meets namespace=\"media\" of 'media' and namespace=\"ops\"",
        )
    ]


def test_a_label_may_be_missing_or_not_be_both() -> None:
    assert kinds(node("never", 'a="",a!=""')) == [((0,), "contradiction")]
    assert kinds(node("fine", 'a="",a!="1"')) == []


# Redundant --------------------------------------------------------------------------------------------------------


def plain(name: str, matchers: str, *, continue_: bool = False) -> Node:
    """A route that does just what the root does."""
    return node(name, matchers, receiver="root", continue_=continue_)


def test_route_that_does_what_its_parent_would_do_is_redundant() -> None:
    assert find(plain("critical", "severity=critical")) == [
        (
            (0,),
            ReachKind.REDUNDANT,
            ((),),
            "'critical' changes nothing: its alerts are treated as 'root' would treat them, "
            "only in messages of their own",
        )
    ]


def test_route_on_labels_that_the_parent_groups_by_changes_nothing_at_all() -> None:
    root = replace(node("root", "", plain("critical", "severity=critical")), group_by=("severity",))
    (finding,) = find_pointless_routes(RouteTree(root))
    assert finding.reason == "'critical' changes nothing: its alerts are treated as 'root' would treat them"


def test_route_that_keeps_alerts_from_a_later_one_is_not_redundant() -> None:
    assert kinds(plain("watchdog", "alertname=Watchdog"), node("rest", 'severity!="critical"')) == []
    assert kinds(plain("watchdog", "severity=critical"), node("rest", 'severity!="critical"')) == [((0,), "redundant")]


def test_route_that_keeps_alerts_from_one_it_shadows_is_not_redundant() -> None:
    assert kinds(plain("a", "a=1"), node("b", "a=1")) == [((1,), "shadowed")]


def test_route_before_others_that_change_nothing_either_is_redundant() -> None:
    assert kinds(plain("a", "a=1"), plain("b", "b=1"), node("c", "a=2")) == [((0,), "redundant")]


def test_one_of_two_routes_that_stand_in_for_one_another_stays() -> None:
    assert kinds(plain("a", "a=1"), plain("b", 'a=~"1|2"'), node("c", "a=1,b=1")) == [
        ((0,), "redundant"),
        ((2,), "shadowed"),
    ]


def test_route_that_continues_is_redundant_only_beside_none() -> None:
    assert kinds(plain("a", "a=1", continue_=True), plain("b", "b=1")) == []
    assert kinds(plain("a", "a=1", continue_=True), node("b", "a=2")) == [((0,), "redundant")]


def test_route_after_one_that_continues_is_not_redundant() -> None:
    assert kinds(node("audit", "", continue_=True), plain("a", "a=1")) == []


@pytest.mark.parametrize(
    "difference",
    [
        {"receiver": "other"},
        {"group_by": ("a",)},
        {"group_wait": 1.0},
        {"group_interval": 1.0},
        {"repeat_interval": 1.0},
        {"mute_time_intervals": ("night",)},
        {"active_time_intervals": ("day",)},
        {"routes": (node("below", "b=1"),)},
    ],
)
def test_route_that_differs_from_its_parent_is_not_redundant(difference: dict[str, object]) -> None:
    assert (0,) not in [path for path, _ in kinds(replace(plain("a", "a=1"), **difference))]  # type: ignore[arg-type]


def test_route_with_a_payload_of_its_own_is_not_redundant() -> None:
    child = RouteNode("child", matchers=parse_matchers("a=1"), payload="hold 0s")
    assert find_pointless_routes(RouteTree(RouteNode("root", "r", routes=(child,), payload="hold 60s"))) == ()
    assert len(find_pointless_routes(RouteTree(RouteNode("root", "r", routes=(child,), payload="hold 0s")))) == 1


# Against every label set there is ---------------------------------------------------------------------------------


def paths(root: Node, below: Path = ()) -> Iterator[Path]:
    for position, child in enumerate(root.routes):
        yield (*below, position)
        yield from paths(child, (*below, position))


def reached(tree: RouteTree[None], universe: Universe) -> set[Path]:
    """The routes that match some alert."""
    return {step.route.path for labels in universe.label_sets() for step in tree.trace(labels) if step.matched}


def dead(findings: tuple[ReachFinding, ...]) -> set[Path]:
    return {finding.path for finding in findings if finding.kind is not ReachKind.REDUNDANT}


def without(root: Node, path: Path) -> Node:
    position, *rest = path
    routes = list(root.routes)
    routes[position : position + 1] = [without(routes[position], tuple(rest))] if rest else []
    return replace(root, routes=tuple(routes))


def treatment(tree: RouteTree[None], labels: dict[str, str]) -> list[tuple[object, ...]]:
    """What is done about an alert, apart from which alerts it shares a message with."""
    return [
        (route.receiver, frozenset(route.group_by), route.group_wait, route.group_interval, route.repeat_interval)
        for route in tree.match(labels)
    ]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_with_listed_values_exactly_the_routes_that_never_match_are_found(seed: int) -> None:
    root = generate.tree(Random(seed), generate.LISTED, width=5)
    tree = RouteTree(root)
    alive = reached(tree, generate.LISTED)
    accused = dead(find_pointless_routes(tree))
    assert accused.isdisjoint(alive)
    unheard = {path for path in paths(root) if path not in alive}
    assert {path for path in unheard if path[:-1] in alive} == accused


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_with_expressions_no_route_that_matches_is_accused(seed: int) -> None:
    tree = RouteTree(generate.tree(Random(seed), generate.MIXED, width=5))
    assert dead(find_pointless_routes(tree)).isdisjoint(reached(tree, generate.MIXED))


@given(seed=st.integers(0, 2**32), universe=st.sampled_from([generate.LISTED, generate.MIXED]))
@settings(max_examples=150)
def test_redundant_routes_can_all_be_left_out(seed: int, universe: Universe) -> None:
    root = generate.tree(Random(seed), universe, width=4, receivers=2)
    redundant = [f.path for f in find_pointless_routes(RouteTree(root)) if f.kind is ReachKind.REDUNDANT]
    smaller = root
    for path in sorted(redundant, reverse=True):
        smaller = without(smaller, path)
    before, after = RouteTree(root), RouteTree(smaller)
    for labels in universe.label_sets():
        assert treatment(after, labels) == treatment(before, labels)


# How long it takes ------------------------------------------------------------------------------------------------


def calls(root: Node) -> int:
    tree = RouteTree(root)
    profile = cProfile.Profile()
    profile.runcall(find_pointless_routes, tree)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def by_name(number: int) -> Node:
    return node("r", f'alertname="A{number}"', receiver=f"r{number % 7}")


def by_name_and_namespace(number: int) -> Node:
    return node("r", f'alertname="A{number}",namespace="media"', receiver="root" if number % 2 else "other")


def by_anything(number: int) -> Node:
    own = ('alertname="A{}"', 'namespace="n{}",severity=critical', 'alertname=~"A{}|B{}"', 'job=~"x{}-.+"')[number % 4]
    return node("r", own.format(number, number), continue_=number % 5 == 0)


def by_expression(number: int) -> Node:
    """Half of them by an expression of which it is not known how its values begin, half by a value of the label."""
    return node("r", f'job=~"(x|y)-{number}-.+"' if number % 2 else f'job="z-{number}"', receiver=f"r{number % 7}")


@pytest.mark.parametrize("kind", [by_name, by_name_and_namespace, by_anything, by_expression])
def test_four_times_the_routes_take_about_four_times_as_long(kind: object) -> None:
    assert callable(kind)
    few, many = (calls(node("root", "", *(kind(number) for number in range(size)))) for size in (500, 2000))
    assert many < 6 * few
