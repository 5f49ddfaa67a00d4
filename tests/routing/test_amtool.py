"""Our answers and those of Alertmanager's own amtool, on the same random questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from homelabmon.routing.intervals import TimeIntervalError, parse_time_interval
from homelabmon.routing.tree import RouteTree
from homelabmon.spec.matchers import Matcher, MatcherSyntaxError, MatchOp, format_matchers, parse_matchers
from tests.routing import amtool
from tests.routing.generate import MIXED, WILD, Node, configuration, dump, tree, walk, with_receivers
from tests.routing.test_intervals import REFUSED

pytestmark = pytest.mark.program("amtool")

T = TypeVar("T")
R = TypeVar("R")


def two_at_a_time(ask: Callable[[T], R], questions: Iterable[T]) -> list[R]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(ask, questions))


# Routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_alerts_take_the_same_routes(seed: int, tmp_path: Path) -> None:
    """600 trees, 10 label sets for each hundred: 6,000 cases. Every route has a receiver that names it."""
    random = Random(seed)
    trees = [tree(random, WILD, depth=4, width=5) for _ in range(100)]
    label_sets = [WILD.labels(random) for _ in range(10)]
    theirs = amtool.decisions(tmp_path, trees, label_sets)
    compiled = [RouteTree(replace(with_receivers(root, f"t{n}"), continue_=False)) for n, root in enumerate(trees)]
    ours = [[[route.receiver for route in tree.match(labels)] for tree in compiled] for labels in label_sets]
    assert ours == theirs
    routed = sum(answer[0].count(".") > 1 or answer[0][-1] != "." for row in ours for answer in row)
    assert routed > 400, "most of the cases must get past the root for this to mean anything"


@pytest.mark.parametrize("seed", range(4))
def test_alerts_take_the_same_routes_on_levels_of_many_routes(seed: int, tmp_path: Path) -> None:
    """Up to 160 routes on a level, most by regular expressions: 5 trees, 20 label sets."""
    random = Random(seed)
    trees = [tree(random, WILD, depth=1, width=width) for width in (20, 40, 80, 120, 160)]
    label_sets = [WILD.labels(random) for _ in range(20)]
    theirs = amtool.decisions(tmp_path, trees, label_sets)
    compiled = [RouteTree(replace(with_receivers(root, f"t{n}"), continue_=False)) for n, root in enumerate(trees)]
    ours = [[[route.receiver for route in tree.match(labels)] for tree in compiled] for labels in label_sets]
    assert ours == theirs


@pytest.mark.parametrize("seed", range(2))
def test_trees_alone_give_the_same_inherited_receivers(seed: int, tmp_path: Path) -> None:
    """100 trees as they are, receivers inherited and all."""
    random = Random(seed)
    questions = []
    for number in range(50):
        root, labels = tree(random, random.choice((WILD, MIXED))), WILD.labels(random) | MIXED.labels(random)
        config = tmp_path / f"{number}.yaml"
        config.write_text(configuration(root))
        questions.append((config, root, labels))
    theirs = two_at_a_time(lambda question: amtool.receivers(question[0], question[2]), questions)
    assert [[route.receiver for route in RouteTree(root).match(labels)] for _, root, labels in questions] == theirs


def test_matchers_are_printed_and_sorted_alike(tmp_path: Path) -> None:
    random = Random(0)
    root = Node("root", "r", routes=tuple(tree(random, WILD, depth=4, width=5) for _ in range(50)), payload=None)
    config = tmp_path / "alertmanager.yaml"
    config.write_text(configuration(root))
    ours = [format_matchers(route.matchers) for route in RouteTree(root).routes]
    theirs = amtool.routes(config)
    assert len(theirs) == len(list(walk(root))) > 300
    assert ["default-route" if printed == "{}" else printed for printed in ours] == theirs


# Regular expressions ----------------------------------------------------------------------------------------------

PIECES = (
    *(
        "a",
        "b",
        "é",
        ".",
        "-",
        "_",
        " ",
        "1",
        "|",
        "^",
        "$",
        "(a|b)",
        "(?:a|)",
        "(?i)",
        "(?i:A)",
        "(?s).",
        "(?m)",
        "(?U)",
    ),
    *("[ab]", "[^a]", "[a-z]", "[]a]", "[[:alpha:]]", "[[:^space:]]", r"[\d-]", r"[^\W_]", r"[\pL1]"),
    *("a*", "b+", "é?", ".*", ".+", "a*?", ".+?", "a{2}", "a{0,2}", "a{1,}", "a{,2}", "(ab)*", "(a|b)+?"),
    *(r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", r"\A", r"\z", r"\pL", r"\PL", r"\p{Greek}", r"\pN"),
    *(r"\.", r"\-", r"\_", r"\|", r"\x61", r"\x{e9}", r"\141", r"\n", r"\t", r"\Qa.b\E", r"\Q|\E", r"(?P<n>a)", ")|("),
)
NOT_RE2 = (
    *(
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "(?P=n)",
        "(?#c)",
        "(?x)",
        "(?R)",
        "(?'n'a)",
        "(?<é>a)",
        "(?)",
        "(",
    ),
    *(
        "a++",
        "a**",
        "a?+",
        "a{2}{3}",
        "a{1001}",
        "(a{99}){99}",
        "a{2,1}",
        "a{1000000000}",
        "*",
        "+",
        "?",
        ")",
        "[",
        "[b-a]",
    ),
    *(r"\1", r"\8", r"\C", r"\Z", r"\e", r"\h", r"\R", r"\X", r"\k", r"\u0061", r"\é", r"\p{X}", r"\pX", "\\", r"[\b]"),
    *("[[:x:]]", r"\x{110000}", r"\xg", r"a\Qb"),
)
VALUES = (
    *("", "a", "b", "ab", "ba", "aa", "aaa", "aab", "A", "é", "É", "1", "٣", "σ", "ς", "Σ", "-", "_", " ", "\t", "\n"),
    *("a\n", "\na", "a\nb", "a.b", "axb", "a|b", "|", "a-b", "a b", "\u00a0", "\u2028", "日本", "\U0001f600", "a{,2}"),
)


def expression(random: Random) -> str:
    return "".join(random.choice(PIECES) for _ in range(random.choice((1, 2, 2, 3, 3, 4, 6))))


def is_expression(pattern: str) -> bool:
    try:
        Matcher("x", MatchOp.RE, pattern)
    except MatcherSyntaxError:
        return False
    return True


def test_expressions_match_the_same_values(tmp_path: Path) -> None:
    """300 expressions, each on 35 values: one route for each pair, all continuing."""
    random = Random(1)
    patterns = [*WILD.expressions, *filter(is_expression, (expression(random) for _ in range(260)))]
    labels = {f"v{number}": value for number, value in enumerate(VALUES)}
    pairs = [(pattern, name) for pattern in patterns for name in labels]
    routes = tuple(
        Node("pair", f"p{number}", (Matcher(name, MatchOp.RE, pattern),), continue_=True, payload=None)
        for number, (pattern, name) in enumerate(pairs)
    )
    root = Node("root", "none", routes=routes, payload=None)
    config = tmp_path / "alertmanager.yaml"
    config.write_text(configuration(root))
    theirs = {pairs[int(name[1:])] for name in amtool.receivers(config, labels)}
    ours = {pair for pair, route in zip(pairs, routes, strict=True) if route.matchers[0].matches(labels)}
    assert sorted(ours ^ theirs) == []
    assert len(pairs) > 8000
    assert len(ours) > 1000


def test_the_same_expressions_are_refused(tmp_path: Path) -> None:
    random = Random(2)
    patterns = [*NOT_RE2, *(random.choice(PIECES) + pattern + random.choice(PIECES) for pattern in NOT_RE2)]
    patterns += [expression(random) for _ in range(60)]

    def accepts(question: tuple[int, str]) -> bool:
        number, pattern = question
        config = tmp_path / f"{number}.yaml"
        route = {"receiver": "r", "routes": [{"match_re": {"x": pattern}}]}
        config.write_text(dump({"route": route, "receivers": [{"name": "r"}]}))
        return amtool.accepts(config)

    theirs = two_at_a_time(accepts, enumerate(patterns))
    assert [
        (p, said, is_expression(p)) for p, said in zip(patterns, theirs, strict=True) if said != is_expression(p)
    ] == []
    assert theirs.count(False) > 60


# The syntax of matchers -------------------------------------------------------------------------------------------

NAMES = ("foo", "größe", "a.b", "1x", '"foo"', '"foo bar"', r'"\u00e9"', '""', '"a\\"b"', "", "foo bar", "'a'")
OPERATORS = ("=", "!=", "=~", "!~", " = ", " =~\t", "==", "!", "~", "")
CONTENTS = (
    "bar",
    '"bar"',
    '""',
    '"a,b"',
    '"a\\\\d"',
    '"a\\d"',
    '"a\\n"',
    '"a\\tb"',
    "a:b",
    "",
    '"x',
    "'x'",
    "a b",
    "(",
    '"{"',
)
FRAMES = ("{}", "{{{}}}", "{{{},}}", "{},", " {} ", "{},,", "{{{}", "{}}}", "{}x", ",{}")


def test_texts_are_read_alike(tmp_path: Path) -> None:
    """What we read, Alertmanager reads so in every mode; what its UTF-8 parser refuses, so do we."""
    random = Random(3)
    texts = [
        random.choice(FRAMES[:6] if random.random() < 0.8 else FRAMES).format(
            random.choice((",", ", ", ",", ";")).join(
                random.choice(NAMES[:7]) + random.choice(OPERATORS[:6]) + random.choice(CONTENTS[:9])
                if random.random() < 0.8
                else random.choice(NAMES) + random.choice(OPERATORS) + random.choice(CONTENTS)
                for _ in range(random.choice((1, 1, 2)))
            )
        )
        for _ in range(200)
    ]

    def ask(question: tuple[int, str]) -> tuple[bool, list[str]]:
        number, text = question
        config = tmp_path / f"{number}.yaml"
        route = {"receiver": "r", "routes": [{"matchers": [text]}]}
        config.write_text(dump({"route": route, "receivers": [{"name": "r"}]}))
        strict = amtool.accepts(config, "--enable-feature=utf8-strict-mode")
        return strict, amtool.routes(config)[1:] if strict else []

    read = 0
    for text, (strict, printed) in zip(texts, two_at_a_time(ask, enumerate(texts)), strict=True):
        try:
            ours = format_matchers(sorted(parse_matchers(text), key=lambda matcher: (matcher.name, matcher.value)))
        except MatcherSyntaxError as error:
            assert not strict or "means one thing" in str(error) or "label name" in str(error), text
            continue
        assert (strict, printed) == (True, [ours if ours != "{}" else "default-route"]), text
        read += 1
    assert 60 < read < 180


# Time intervals ---------------------------------------------------------------------------------------------------


def test_the_same_time_intervals_are_refused(tmp_path: Path) -> None:
    """But for two that only we refuse: a month that no year has, and the zone of whatever machine it is."""
    taken: list[dict[str, object]] = [
        {},
        {"times": [{"start_time": "00:00", "end_time": "24:00"}], "location": "America/St_Johns"},
        {"weekdays": ["Monday:Friday", "sunday"], "months": ["1:march", "december"], "years": ["2026", 2028]},
        {"days_of_month": ["27:-1", "-31:-1", "1:31", "-1", "31", "29:31"], "location": ""},
        {"times": None, "weekdays": []},
    ]
    cases = [*((data, True) for data in taken), *((data, False) for data, _ in REFUSED)]

    def accepts(question: tuple[int, tuple[dict[str, object], bool]]) -> bool:
        number, (data, _) = question
        config = tmp_path / f"{number}.yaml"
        named = [{"name": "x", "time_intervals": [data]}]
        config.write_text(dump({"route": {"receiver": "r"}, "receivers": [{"name": "r"}], "time_intervals": named}))
        return amtool.accepts(config)

    theirs = two_at_a_time(accepts, enumerate(cases))
    only_ours = [data for (data, ours), said in zip(cases, theirs, strict=True) if said != ours]
    assert only_ours == [{"months": ["13"]}, {"location": "Local"}]
    for data in taken:
        parse_time_interval(data)
    for data in only_ours:
        with pytest.raises(TimeIntervalError):
            parse_time_interval(data)
