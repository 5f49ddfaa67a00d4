"""Which labels can be left on a result: by reasoning, by a table, and by asking Prometheus itself."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.checks.support.promql import ANY, NONE, Labels, parse, returns_vector, shortened, surviving_labels

NAMES = "abcd"


def left(expression: str) -> set[str]:
    """Which of the labels a to d can be left."""
    tree = parse(expression).tree
    assert tree is not None, expression
    return {name for name in NAMES if name in surviving_labels(tree)}


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("x", "abcd"),
        ('x{a=""}', "bcd"),
        ('x{a="",a="1"}', "bcd"),
        ('x{a!="",b=~""}', "abcd"),
        ('x{a="" or b="1"}', "abcd"),
        ('absent(x{a="1" or b="2"})', "ab"),
        ("(-x)", "abcd"),
        ("rate(x[5m])", "abcd"),
        ("max_over_time(sum by (a) (x)[5m:1m])", "a"),
        ("5", ""),
        ("time()", ""),
        ("vector(1)", ""),
        ("scalar(x)", ""),
        ("hour()", ""),
        ("hour(x)", "abcd"),
        ("clamp_max(sum by (a) (x), scalar(y))", "a"),
        ("histogram_quantile(0.9, sum by (le, a) (rate(x[5m])))", "a"),
        ("sum(x)", ""),
        ("sum by () (x)", ""),
        ("sum by (a, b) (x)", "ab"),
        ("sum by (a, b) (max by (b, c) (x))", "b"),
        ("sum without (a) (x)", "bcd"),
        ("sum without () (x)", "abcd"),
        ("sum without (a) (sum by (a, b) (x))", "b"),
        ("topk(1, sum by (a) (x))", "a"),
        ("topk by (b) (1, x)", "abcd"),
        ('count_values("c", x)', "c"),
        ('count_values by (a) ("c", x)', "ac"),
        ('count_values without (a) ("a", x)', "abcd"),
        ('label_replace(sum(x), "a", "$1", "b", "(.*)")', "a"),
        ('label_join(sum by (b) (x), "a", "-", "b")', "ab"),
        ('absent(x{a="1",b=~"2",c!="3",d=""})', "a"),
        ('absent((x{a="1"}))', "a"),
        ('absent_over_time(x{a="1"}[5m])', "a"),
        ('absent(sum by (a) (x{a="1"}))', ""),
        ("info(sum(x))", "abcd"),
        ("sum by (a) (x) > 1", "a"),
        ("1 < bool sum by (a) (x)", "a"),
        ("2 * 3", ""),
        ("abs(2 * x)", "abcd"),
        ("abs(x * 2)", "abcd"),
        ("2 * x + on (a) y", "a"),
        ("x + y", "abcd"),
        ("sum by (a, b) (x) + sum by (b, c) (y)", "b"),
        ("x + on (a) y", "a"),
        ("x + on () y", ""),
        ("x + ignoring (a) y", "bcd"),
        ("sum by (a, b) (x) + ignoring (a) y", "b"),
        ("x * on (a) group_left y", "abcd"),
        ("sum by (a, b) (x) * on (a) group_left (c) y", "abc"),
        ("x * on (a) group_left (c) sum by (a) (y)", "abd"),
        ("x * on (a) group_right (c) sum by (a) (y)", "ac"),
        ("sum by (a) (x) * on (a) group_right y", "abcd"),
        ("x * ignoring (a) group_left sum by (b) (y)", "ab"),
        ("x * on (b) group_left sum by (a) (y)", "acd"),
        ("x * fill (0) sum by (a) (y)", "abcd"),
        ("x * on (a, b) fill (0) sum by (a) (y)", "ab"),
        ("x and y", "abcd"),
        ("x and sum by (a) (y)", "a"),
        ("x and on (a, b) sum by (a) (y)", "acd"),
        ("x and ignoring (b) sum by (a) (y)", "ab"),
        ("x unless sum by (a) (y)", "abcd"),
        ("sum by (a) (x) unless y", "a"),
        ("sum by (a) (x) or sum by (b) (y)", "ab"),
        ("sum by (a) (x) or y", "abcd"),
    ],
)
def test_labels_that_can_be_left(expression: str, labels: str) -> None:
    assert "".join(sorted(left(expression))) == labels


def test_the_name_of_the_metric_is_never_denied() -> None:
    assert "__name__" in NONE


@pytest.mark.parametrize("expression", ["x", "5", "sum(x) > 1", "-(x)"])
def test_an_alert_takes_vectors_and_numbers(expression: str) -> None:
    assert returns_vector(parse(expression).tree)


@pytest.mark.parametrize("expression", ["x[5m]", "(x[5m])", "x[5m:1m]", '"text"'])
def test_an_alert_takes_neither_ranges_nor_texts(expression: str) -> None:
    assert not returns_vector(parse(expression).tree)


def test_a_long_expression_is_shown_on_one_line_and_cut() -> None:
    assert shortened("sum(\n  x\n)") == "sum( x )"
    assert shortened("x" * 70) == "x" * 57 + "..."


# Sets of labels ----------------------------------------------------------------------------------------------------

names = st.sampled_from(NAMES)
sets = st.builds(Labels, st.frozensets(names), st.booleans())


def members(labels: Labels) -> set[str]:
    return {name for name in "abcdz" if name in labels}


@given(sets, sets)
def test_sets_of_labels_are_sets(one: Labels, other: Labels) -> None:
    assert members(one | other) == members(one) | members(other)
    assert members(one & other) == members(one) & members(other)
    assert members(one.complement()) == set("abcdz") - members(one)


@given(sets, st.frozensets(names))
def test_names_can_be_taken_away(labels: Labels, gone: frozenset[str]) -> None:
    assert members(labels - gone) == members(labels) - gone


# Prometheus' own opinion --------------------------------------------------------------------------------------------


class Expressions:
    """Random expressions over a few metrics and labels, most of which can be evaluated."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self) -> list[str]:
        return self.random.sample(NAMES, self.random.randint(0, 3))

    def selector(self) -> str:
        matchers = [
            f'{name}{self.random.choice(["=", "!=", "=~", "!~"])}"{self.random.choice(["", "1", "2", "1|2", ".+"])}"'
            for name in self.random.sample(NAMES, self.random.choice([0, 0, 1, 2]))
        ]
        return self.random.choice("xyz") + (f"{{{','.join(matchers)}}}" if matchers else "")

    def expression(self, depth: int) -> str:
        kinds = (self.aggregation, self.combination, self.combination, self.relabelled, self.function)
        return self.random.choice(kinds)(depth - 1) if depth > 0 else self.selector()

    def aggregation(self, depth: int) -> str:
        kind = self.random.choice(["sum", "max", "count", "group", "topk", "bottomk", "count_values", "quantile"])
        how = self.random.choice(["", f"by ({','.join(self.some())})", f"without ({','.join(self.some())})"])
        given = {"topk": "2, ", "bottomk": "2, ", "quantile": "0.5, "}.get(kind, "")
        if kind == "count_values":
            given = f'"{self.random.choice(NAMES)}", '
        return f"{kind} {how} ({given}{self.expression(depth)})"

    def combination(self, depth: int) -> str:
        left, right = self.expression(depth), self.expression(depth)
        kind = self.random.choice(["+", "*", "==", ">", "<=", "> bool", "and", "or", "unless", "and"])
        if self.random.random() < 0.2 and kind not in ("and", "or", "unless"):
            return f"({left}) {kind} {self.random.choice(['1', '-1', 'scalar(x)'])}"
        how, labels = self.random.choice(["", "on", "ignoring"]), self.some()
        matching = f" {how} ({','.join(labels)})" if how else ""
        if how and kind not in ("and", "or", "unless") and self.random.random() < 0.5:
            included = [name for name in self.some() if how == "ignoring" or name not in labels]
            matching += f" {self.random.choice(['group_left', 'group_right'])} ({','.join(included)})"
        return f"({left}) {kind}{matching} ({right})"

    def relabelled(self, depth: int) -> str:
        one, two, three = (self.random.choice(NAMES) for _ in range(3))
        inner = self.expression(depth)
        replacement = self.random.choice(["$1", "k", ""])
        return self.random.choice(
            [
                f'label_replace({inner}, "{one}", "{replacement}", "{two}", "(.*)")',
                f'label_join({inner}, "{one}", "-", "{two}", "{three}")',
            ]
        )

    def function(self, depth: int) -> str:
        inner = self.expression(depth)
        return self.random.choice(
            [
                f"abs({inner})",
                f"-({inner})",
                f"timestamp({inner})",
                f"clamp_min({inner}, 1)",
                f"max_over_time(({inner})[5m:1m])",
                f"histogram_quantile(0.5, {inner})",
                f"absent({inner})",
                'absent(nope{a="1",b=~"2",c="3"})',
                'absent(nope{a="1",a="2",c="1"})',
                'absent_over_time(nope{c="1"}[5m])',
                "vector(1)",
                "hour()",
                "rate(x[5m])",
            ]
        )

    def series(self) -> list[dict[str, str]]:
        found = {}
        for _ in range(24):
            labels = [f'{name}="{self.random.choice("12")}"' for name in NAMES if self.random.random() < 0.6]
            name = f"{self.random.choice('xyz')}{{{','.join(labels)}}}"
            found[name] = " ".join(str(self.random.randint(0, 3)) for _ in range(10))
        return [{"series": name, "values": values} for name, values in found.items()]


def evaluated(expressions: list[str], series: list[dict[str, str]], folder: Path) -> dict[str, str]:
    """What promtool says an expression returns, where it returns something; it tells only what it did not expect."""
    wrong = [{"labels": "not_this", "value": 77}]
    tests = [
        {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [{"expr": text, "eval_time": "8m", "exp_samples": wrong}],
        }
        for text in expressions
    ]
    (folder / "test.yaml").write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": tests}, width=10_000))
    done = subprocess.run(["promtool", "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    output = done.stdout + done.stderr
    found = re.finditer(r'expr: "((?:[^"\\]|\\.)*)", time: 8m, ?\n\s*exp: .*\n\s*got: (.*)', output)
    return {match[1].replace('\\"', '"'): match[2] for match in found}


@pytest.mark.program("promtool")
def test_no_label_that_prometheus_leaves_is_said_to_be_gone(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    make = Expressions(seed)
    expressions = [make.expression(make.random.randint(1, 4)) for _ in range(600)]
    results = evaluated(expressions, make.series(), tmp_path)
    assert len(results) > 250, "too few expressions could be evaluated to prove anything"
    denied = 0
    for expression, result in results.items():
        parsed = parse(expression)
        if parsed.tree is None:
            continue
        there, possible = set(re.findall(r'(\w+)="', result)), surviving_labels(parsed.tree)
        denied += sum(name not in possible for name in NAMES)
        assert {name for name in there if name not in possible} == set(), (seed, expression, result)
    assert denied > 250, "too little was said to be gone to prove anything"


def test_what_the_parser_does_not_know_may_carry_any_label() -> None:
    class Unknown:
        pass

    assert surviving_labels(Unknown()) == ANY
