"""Circles are found, each once, and nothing else is taken for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homelabmon.checks.support.cycles import cycles

names = st.sampled_from("abcdef")
graphs = st.dictionaries(names, st.lists(st.sampled_from("abcdefz"), max_size=3))


def reachable(start: str, edges: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in seen and name in edges:
            seen.add(name)
            waiting.extend(edges[name])
    return seen


@given(graphs)
def test_every_name_in_a_circle_belongs_to_exactly_one_group(edges: dict[str, list[str]]) -> None:
    groups = {
        frozenset(other for other in edges if other in reachable(name, edges) and name in reachable(other, edges))
        for name in edges
        if name in reachable(name, edges)
    }
    found = list(cycles(edges))
    assert len(found) == len(groups)
    for circle in found:
        assert any(set(circle) <= group for group in groups)


@given(graphs)
def test_a_circle_is_a_way_back_to_where_it_begins(edges: dict[str, list[str]]) -> None:
    for circle in cycles(edges):
        for here, there in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert there in edges[here]
        assert len(set(circle)) == len(circle)


def test_a_long_chain_needs_no_recursion() -> None:
    chain = {str(number): [str(number + 1)] for number in range(20_000)}
    assert list(cycles({**chain, "20000": ["0"]})) == [tuple(str(number) for number in range(20_001))]
