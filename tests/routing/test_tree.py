"""The route tree: what is inherited, who gets an alert, how groups are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.routing.tree import GROUP_BY_ALL, RouteError, RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matchers
from tests.routing import generate
from tests.routing.generate import Node


def node(name: str, matchers: str = "", *routes: Node, receiver: str | None = None, continue_: bool = False) -> Node:
    return Node(name, receiver, parse_matchers(matchers), continue_=continue_, routes=routes, payload=None)


def tree(*routes: Node) -> RouteTree[None]:
    return RouteTree(node("root", "", *routes, receiver="default"))


def names(tree: RouteTree[None], **labels: str) -> list[str]:
    return [route.name for route in tree.match(labels)]


# Who gets an alert ------------------------------------------------------------------------------------------------


def test_alert_that_no_route_takes_goes_to_the_root() -> None:
    assert names(tree(node("media", "namespace=media")), namespace="monitoring") == ["root"]
    assert names(tree(), namespace="monitoring") == ["root"]


def test_first_route_that_matches_takes_the_alert() -> None:
    routes = tree(node("media", "namespace=media"), node("critical", "severity=critical"))
    assert names(routes, namespace="media", severity="critical") == ["media"]
    assert names(routes, severity="critical") == ["critical"]


def test_search_goes_on_after_a_route_that_continues() -> None:
    routes = tree(
        node("audit", "", continue_=True), node("media", "namespace=media", continue_=True), node("all"), node("never")
    )
    assert names(routes, namespace="media") == ["audit", "media", "all"]
    assert names(routes) == ["audit", "all"]


def test_route_takes_the_alert_itself_only_if_none_below_does() -> None:
    routes = tree(node("media", "namespace=media", node("critical", "severity=critical")), node("after"))
    assert names(routes, namespace="media", severity="critical") == ["critical"]
    assert names(routes, namespace="media", severity="info") == ["media"]


def test_continue_below_does_not_carry_on_above() -> None:
    routes = tree(node("media", "", node("one", "", continue_=True), node("two", "a=b")), node("after"))
    assert names(routes) == ["one"]


def test_all_matchers_of_a_route_must_match() -> None:
    routes = tree(node("both", 'namespace=media,severity=~"critical|warning",alertname!=Watchdog'))
    assert names(routes, namespace="media", severity="warning") == ["both"]
    assert names(routes, namespace="media", severity="info") == ["root"]
    assert names(routes, namespace="media", severity="warning", alertname="Watchdog") == ["root"]


def test_missing_label_is_an_empty_one() -> None:
    routes = tree(node("no-namespace", 'namespace=""'), node("none-or-media", 'namespace=~"|media"'))
    assert names(routes) == ["no-namespace"]
    assert names(routes, namespace="") == ["no-namespace"]
    assert names(routes, namespace="media") == ["none-or-media"]


def test_two_matchers_on_one_label_must_both_match() -> None:
    routes = tree(node("two", 'a=~"1|2",a=~"2|3"'))
    assert [names(routes, a=value) for value in "123"] == [["root"], ["two"], ["root"]]


def walk(root: Node, labels: Mapping[str, str]) -> Iterator[Node]:
    """What Alertmanager's documentation says, word by word, without any index."""
    if not all(matcher.matches(labels) for matcher in root.matchers):
        return
    taken = []
    for child in root.routes:
        matches = list(walk(child, labels))
        taken += matches
        if matches and not child.continue_:
            break
    yield from taken or [root]


@given(seed=st.integers(0, 2**32))
def test_index_and_trace_agree_with_a_plain_walk(seed: int) -> None:
    random = Random(seed)
    root = generate.tree(random, random.choice((generate.WILD, generate.MIXED)), width=8)
    root = generate.Node("root", "t", routes=(generate.with_receivers(root, "t"),), payload=None)
    compiled = RouteTree(root)
    for _ in range(20):
        labels = generate.WILD.labels(random) | generate.MIXED.labels(random)
        expected = [route.receiver for route in walk(root, labels)]
        assert [route.receiver for route in compiled.match(labels)] == expected
        assert [step.route.receiver for step in compiled.trace(labels) if step.taken] == expected


def test_many_labels_and_many_indexed_labels_are_the_same_to_the_index() -> None:
    wide = tree(*(node(f"r{number}", f'label{number}="x"') for number in range(50)))
    assert names(wide, label7="x", label3="x") == ["r3"]
    assert names(wide, **{f"label{number}": "x" for number in reversed(range(2, 90))}) == ["r2"]


# What a route inherits --------------------------------------------------------------------------------------------


def test_defaults_are_those_of_alertmanager() -> None:
    root = tree()[()]
    assert (root.group_wait, root.group_interval, root.repeat_interval, root.group_by) == (30, 300, 14400, ())


def test_options_are_inherited_until_a_route_says_otherwise() -> None:
    leaf = RouteNode("leaf", payload=3)
    middle = RouteNode("middle", "ops", group_by=("a",), group_wait=5, routes=(leaf,), payload=2)
    routes = RouteTree(
        RouteNode(
            "root", "default", group_interval=60, repeat_interval=3600, group_wait=10, routes=(middle,), payload=1
        )
    )
    for path in ((0,), (0, 0)):
        route = routes[path]
        assert (route.receiver, route.group_by) == ("ops", ("a",))
        assert (route.group_wait, route.group_interval, route.repeat_interval) == (5, 60, 3600)
    assert [route.payload for route in routes.routes] == [1, 2, 3]


def test_zero_and_empty_are_said_not_inherited() -> None:
    child = Node("child", group_wait=0, group_by=(), payload=None)
    route = RouteTree(Node("root", "r", group_by=("a",), group_wait=10, routes=(child,), payload=None))[0,]
    assert (route.group_wait, route.group_by) == (0, ())


def test_empty_receiver_inherits() -> None:
    assert tree(node("child", receiver=""))[0,].receiver == "default"


def test_group_by_all_is_inherited_and_can_be_left() -> None:
    named = Node("named", group_by=("a",), payload=None)
    everything = Node("all", group_by=GROUP_BY_ALL, routes=(named, Node("heir", payload=None)), payload=None)
    routes = RouteTree(Node("root", "r", group_by=("x",), routes=(everything,), payload=None))
    labels = {"b": "2", "a": "1"}
    assert routes[0,].group_labels(labels) == {"a": "1", "b": "2"}
    assert routes[0, 0].group_labels(labels) == {"a": "1"}
    assert routes[0, 1].group_labels(labels) == {"a": "1", "b": "2"}


def test_mute_and_active_intervals_are_not_inherited() -> None:
    child = Node("child", payload=None)
    parent = Node(
        "parent", mute_time_intervals=("night",), active_time_intervals=("day",), routes=(child,), payload=None
    )
    routes = RouteTree(Node("root", "r", routes=(parent,), payload=None))
    assert (routes[0,].mute_time_intervals, routes[0,].active_time_intervals) == (("night",), ("day",))
    assert (routes[0, 0].mute_time_intervals, routes[0, 0].active_time_intervals) == ((), ())


# How routes and groups are named ----------------------------------------------------------------------------------


def test_group_key_names_the_matchers_on_the_way_and_the_group_labels() -> None:
    child = Node("child", matchers=parse_matchers('severity="critical"'), group_by=("alertname", "node"), payload=None)
    route = RouteTree(Node("root", "r", routes=(child,), payload=None))[0,]
    assert route.group_key({"alertname": "x", "job": "j"}) == '{}/{severity="critical"}:{alertname="x"}'
    assert route.group_key({"node": "n1", "alertname": "x"}) == '{}/{severity="critical"}:{alertname="x", node="n1"}'


def test_key_has_the_matchers_sorted_and_the_id_the_place() -> None:
    routes = tree(node("a", 'b=~"y|z",a!="2",a="1",a=~"1",a!~"1"'), node("b", "c=d", node("c", '"e f"="g\\nh"')))
    assert routes[0,].key == '{}/{a="1",a=~"1",a!~"1",a!="2",b=~"y|z"}'
    assert routes[0,].id == '{}/{a="1",a=~"1",a!~"1",a!="2",b=~"y|z"}/0'
    assert routes[1, 0].key == '{}/{c="d"}/{"e f"="g\\nh"}'
    assert routes[1, 0].id == '{}/{c="d"}/1/{"e f"="g\\nh"}/0'


def test_group_labels_are_quoted_as_go_does_it() -> None:
    route = RouteTree(Node("root", "r", group_by=GROUP_BY_ALL, payload=None))[()]
    labels = {"b": 'say "hi"\n', "a": "\x00\u2028é\U000e0001\\"}
    assert route.group_key(labels) == r'{}:{a="\x00\u2028é\U000e0001\\", b="say \"hi\"\n"}'


# What explain shows -----------------------------------------------------------------------------------------------


def test_trace_shows_every_matcher_that_was_tried() -> None:
    routes = tree(node("media", 'namespace="media",severity!="none"', node("low", "severity=info")), node("after"))
    steps = routes.trace({"namespace": "media", "severity": "critical"})
    assert [
        (
            step.route.name,
            [(str(tried.matcher), tried.value, tried.matched) for tried in step.tried],
            step.matched,
            step.taken,
        )
        for step in steps
    ] == [
        ("root", [], True, False),
        ("media", [('namespace="media"', "media", True), ('severity!="none"', "critical", True)], True, True),
        ("low", [('severity="info"', "critical", False)], False, False),
    ]


def test_trace_asks_the_other_matchers_after_a_no() -> None:
    (_, step) = tree(node("two", "a=1,b=2")).trace({"b": "2"})
    assert [(tried.value, tried.matched) for tried in step.tried] == [("", False), ("2", True)]


# What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (Node("root", payload=None), "the root route needs a receiver"),
        (node("root", "a=b", receiver="r"), "the root route must not have matchers"),
        (node("root", receiver="r", continue_=True), "the root route must not have continue"),
        (Node("root", "r", mute_time_intervals=("x",), payload=None), "must not have mute or active time intervals"),
        (Node("root", "r", active_time_intervals=("x",), payload=None), "must not have mute or active time intervals"),
        (Node("root", "r", group_by=("...", "a"), payload=None), r"'root' \(root\): group_by ... means all labels"),
        (Node("root", "r", group_by=("a", "a"), payload=None), "group_by names a label twice: a, a"),
        (Node("root", "r", group_by=("",), payload=None), "group_by holds an empty label name"),
        (Node("root", "r", group_wait=-1, payload=None), "group_wait cannot be negative"),
        (Node("root", "r", group_interval=0, payload=None), "group_interval must be longer than zero"),
        (Node("root", "r", repeat_interval=0, payload=None), "repeat_interval must be longer than zero"),
        (
            Node(
                "root", "r", routes=(node("a"), node("b", "", Node("c", group_interval=0, payload=None))), payload=None
            ),
            r"route 'c' \(routes\[1\].routes\[0\]\): group_interval must be longer than zero",
        ),
    ],
)
def test_tree_that_alertmanager_refuses_is_refused(root: Node, message: str) -> None:
    with pytest.raises(RouteError, match=message):
        RouteTree(root)


def test_unknown_path_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        tree()[3,]
