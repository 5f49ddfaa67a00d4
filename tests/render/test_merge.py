"""Helm's merge, and the escape of braces where charts evaluate them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.render.merge import escape_tpl, merge

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def test_mappings_merge_and_lists_are_replaced() -> None:
    base = {"a": {"x": 1, "list": [1, 2]}, "b": "keep"}
    assert merge(base, {"a": {"y": 2, "list": [3]}}) == {"a": {"x": 1, "list": [3], "y": 2}, "b": "keep"}


def test_null_stays_null_so_that_helm_removes_the_default() -> None:
    assert merge({"a": {"x": 1}}, {"a": {"x": None}}) == {"a": {"x": None}}


@given(MAPPINGS, MAPPINGS)
def test_what_is_merged_last_wins_everywhere_and_nothing_else_is_lost(
    base: dict[str, Any], over: dict[str, Any]
) -> None:
    merged = merge(base, over)
    assert merge(merged, over) == merged
    assert set(merged) == set(base) | set(over)
    for key in set(base) - set(over):
        assert merged[key] == base[key]


@given(MAPPINGS)
def test_inputs_are_not_changed(base: dict[str, Any]) -> None:
    import copy

    before = copy.deepcopy(base)
    merge(base, {"a": {"a": 1}})
    assert base == before


TPL = ((("customConfig",), 1), (("loki",), 1), (("loki", "limits_config"), 2), (("any", "*", "deep"), 1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"customConfig": {"x": "{{ a }}"}}, {"customConfig": {"x": "{{`{{`}} a }}"}}),
        ({"other": "{{ a }}"}, {"other": "{{ a }}"}),
        ({"loki": {"limits_config": {"x": "{{"}}}, {"loki": {"limits_config": {"x": "{{`{{`}}`{{`{{`}}`}}"}}}),
        ({"any": {"thing": {"deep": ["{{"]}}}, {"any": {"thing": {"deep": ["{{`{{`}}"]}}}),
        ({"any": {"thing": {"else": "{{"}}}, {"any": {"thing": {"else": "{{"}}}),
        ({"customConfig": {"{{ k }}": "}}"}}, {"customConfig": {"{{`{{`}} k }}": "}}"}}),
    ],
)
def test_braces_are_escaped_exactly_where_and_as_often_as_the_chart_evaluates_them(
    values: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert escape_tpl(values, TPL) == expected


def evaluate(text: str) -> str:
    """What Helm's tpl makes of a text whose only actions are raw string literals."""
    out, rest = "", text
    while "{{`" in rest:
        before, _, after = rest.partition("{{`")
        literal, _, rest = after.partition("`}}")
        out += before + literal
    return out + rest


@given(st.text(alphabet="{}`a ", max_size=20).filter(lambda text: "{{`" not in text))
def test_one_evaluation_gives_back_what_was_meant(text: str) -> None:
    escaped = escape_tpl({"customConfig": text}, TPL)["customConfig"]
    assert evaluate(escaped) == text


@given(st.text(alphabet="{}a ", max_size=20))
def test_two_evaluations_give_it_back_where_the_chart_evaluates_twice(text: str) -> None:
    escaped = escape_tpl({"loki": {"limits_config": {"x": text}}}, TPL)["loki"]["limits_config"]["x"]
    assert evaluate(evaluate(escaped)) == text
