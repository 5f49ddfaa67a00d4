"""Many expressions asked at once say what each says alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from homelabmon.routing import searches
from homelabmon.routing.searches import SearchIndex
from homelabmon.routing.tree import RouteTree
from homelabmon.spec import expressions
from homelabmon.spec.expressions import chooser, searcher
from homelabmon.spec.matchers import Matcher, MatchOp
from tests.routing.generate import WILD, Node

VALUES = [*(value for values in WILD.values.values() for value in values), "", "\ud800", "a" * 3000, "Node\nDown\n"]
ODD = ("a)(?i)|(?:b", "(?P<n>x)|y", "(?P<n>.)z", "\ud800", r"\_", "(?U)a+", "^", "$", "")
MANY = (*WILD.expressions, *ODD)


def one_by_one(patterns: Sequence[str], value: str) -> list[int]:
    return [place for place, pattern in enumerate(patterns) if searcher(pattern)(value)]


@pytest.mark.parametrize("patterns", [MANY, MANY[:3], (), MANY * 12])
def test_every_expression_is_heard(patterns: Sequence[str]) -> None:
    choose = chooser(patterns)
    for value in VALUES:
        assert sorted(choose(value)) == one_by_one(patterns, value), value


@pytest.mark.parametrize("size", range(12, 24))
def test_nothing_is_missed_when_memory_is_short(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_RE2_SET_MEMORY", 1 << size)
    patterns = [rf".*a{number}[^x]{{12}}[bc].*\d?" for number in range(40)]
    choose = chooser(patterns)
    random = Random(size)
    for _ in range(30):
        value = "".join(random.choice("abcxé0123456789") for _ in range(400))
        value += f"a{random.randrange(50)}{'d' * 12}b"
        assert sorted(choose(value)) == one_by_one(patterns, value)


def test_when_re2_keeps_silent_the_expressions_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2::Set::Match returns an empty list when its automaton runs out of memory, as if nothing matched."""
    import re2

    monkeypatch.setattr(re2.Set, "Match", lambda self, text: None)
    patterns = [f"(a|b){number}.*" for number in range(20)]
    choose = chooser(patterns)
    assert list(choose("b7x")) == [7]
    assert list(choose("x")) == []


def test_no_more_values_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_VALUES", 10)
    index = SearchIndex[str]()
    index.add(Matcher("pod", MatchOp.RE, "(a|b)-.*"), "here")
    for number in range(25):
        assert index.find(f"b-{number}") == ["here"]
        assert index.find(f"c-{number}") == []
        assert len(index._known) <= 10


def test_routes_under_one_crowded_beginning_keep_their_order() -> None:
    def route(number: int, value: str, *, go_on: bool = False) -> Node:
        matchers = (Matcher("pod", MatchOp.RE, value), Matcher("severity", MatchOp.EQ, "critical"))
        return Node(f"r{number}", f"r{number}", matchers, continue_=go_on, payload=None)

    routes = [route(number, f"(app|job)-{number}-[0-9]+", go_on=number == 5) for number in range(30)]
    routes += [route(30, ".*-5-.*"), route(31, "[^x]*")]
    tree = RouteTree(Node("root", "root", routes=tuple(routes), payload=None))

    def taken(**labels: str) -> list[str]:
        return [found.receiver for found in tree.match(labels)]

    assert taken(pod="job-7-1", severity="critical") == ["r7"]
    assert taken(pod="app-5-12", severity="critical") == ["r5", "r30"]
    assert taken(pod="app-50-12", severity="critical") == ["r31"]
    assert taken(severity="critical") == ["r31"]
    assert taken(pod="app-5-12", severity="warning") == ["root"]
    assert taken(pod="x", severity="critical") == ["root"]
