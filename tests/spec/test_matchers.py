"""Matchers: what they mean, how they are written and read, and that regular expressions are RE2's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.spec.matchers import (
    Head,
    Matcher,
    MatcherSyntaxError,
    MatchOp,
    format_matchers,
    literal_alternatives,
    parse_matcher,
    parse_matchers,
    quote,
    sort_matchers,
)

EQ, NE, RE, NRE = MatchOp

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"\\\n{}=~!, .*|^$'`é\u00a0\u2028"), max_size=12
)
LITERALS = st.text(st.sampled_from("ab.-{}|+*\\^$() \né"), max_size=6)


def escaped(text: str) -> str:
    """An expression for just this text, each character that could mean something escaped."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$-" else char for char in text)


SIMPLE = st.lists(
    st.tuples(
        st.sampled_from(("", "^")),
        st.sampled_from(("", "", ".*", ".+")),
        LITERALS.map(escaped),
        st.sampled_from(("", "", ".*", ".+"))
        | st.tuples(st.sampled_from(("(", "(?:")), LITERALS.map(escaped), st.sampled_from((")?", ".*)?", ".+)?"))).map(
            "".join
        ),
        st.sampled_from(("", "$")),
    ).map("".join),
    min_size=1,
    max_size=4,
).map("|".join)
"""Expressions that need no RE2: literals with ``.*`` or ``.+`` at their ends, or endings that may be left out."""


def says(op: MatchOp, pattern: str, value: str) -> bool:
    return Matcher("x", op, pattern).matches({"x": value})


# What they mean ---------------------------------------------------------------------------------------------------


def test_operators() -> None:
    labels = {"x": "media"}
    yes = [
        matcher
        for op in MatchOp
        for matcher in (Matcher("x", op, "media"), Matcher("x", op, "med"), Matcher("x", op, "med.+"))
        if matcher.matches(labels)
    ]
    assert list(map(str, yes)) == ['x="media"', 'x!="med"', 'x!="med.+"', 'x=~"media"', 'x=~"med.+"', 'x!~"med"']


def test_missing_label_is_an_empty_one() -> None:
    assert [Matcher("x", op, value).matches({}) for op in (EQ, RE) for value in ("", "a", ".*")] == [
        *(True, False, False),
        *(True, False, True),
    ]
    assert [Matcher("x", op, value).matches({}) for op in (NE, NRE) for value in ("", "a", ".*")] == [
        *(False, True, True),
        *(False, True, False),
    ]


@given(pattern=SIMPLE | TEXT, value=TEXT)
def test_negated_matcher_says_the_opposite(pattern: str, value: str) -> None:
    for op in (EQ, RE):
        try:
            matcher = Matcher("x", op, pattern)
        except MatcherSyntaxError:
            continue
        assert matcher.matches({"x": value}) is not matcher.negated().matches({"x": value})
        assert matcher.negated().negated() == matcher


def test_matcher_needs_a_label_name() -> None:
    with pytest.raises(MatcherSyntaxError, match="a matcher needs a label name"):
        Matcher("", EQ, "x")


# Regular expressions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("media", ["media"], ["media-2", "my media", "media\n", "Media"]),
        ("a|b", ["a", "b"], ["ab", "", "a\n"]),
        ("a|", ["a", ""], ["b"]),
        ("^a|b$", ["a", "b"], ["ab", "xb"]),
        (".*", ["", "a b", "é"], ["a\nb", "\n"]),
        (".+", ["a"], ["", "\n"]),
        ("(?s).*", ["", "a\nb"], []),
        ("a(?s).b", ["a\nb"], ["ab"]),
        ("(?s:a.)b.", ["a\nbc"], ["a\nb\n"]),
        ("a$", ["a"], ["a\n"]),
        (r"a\z", ["a"], ["a\n"]),
        (r"\Aa", ["a"], ["ba"]),
        ("(?m)a$.*", ["a"], ["a\nb"]),
        (r"\d+", ["12"], ["٣", "1a"]),
        (r"\w+", ["a_1"], ["é"]),
        (r"\s", [" ", "\t"], ["\u00a0", "\v"]),
        (r"\bnode\b.*", ["node-1"], ["nodes"]),
        (r"\pN+", ["12٣"], ["a"]),
        (r"\p{Greek}+", ["λόγος"], ["logos"]),
        (r"\PL", ["1"], ["a"]),
        (r"[[:alpha:]]+", ["ab"], ["a1", "é"]),
        (r"[[:^digit:]\d]", ["a", "1"], [""]),
        (r"[^a]", ["b", "\n"], ["a"]),
        ("[]a]+", ["]a"], ["b"]),
        (r"\Qa.b|c\E", ["a.b|c"], ["axb|c"]),
        (r"\x41\x{e9}\101", ["AéA"], ["a"]),
        ("(?i)größe", ["GRÖSSE".replace("SS", "ß"), "größe"], ["grösse"]),
        ("(?i)s", ["S", "ſ"], ["ß"]),
        ("(?U)a+?", ["aa"], ["b"]),
        ("(?P<first>a)(?<second>b)", ["ab"], ["a"]),
        ("a{2,3}", ["aa", "aaa"], ["a", "aaaa"]),
        ("a{,2}", ["a{,2}"], ["", "a"]),
        ("a{1000}", ["a" * 1000], ["a" * 999]),
        (r"\pL{1000}", ["é" * 1000], ["é"]),
        ("a)|(b", ["a", "ab", "b", "cb"], ["ca", "bc"]),
        (r"\_\-\ \/", ["_- /"], ["_"]),
        ("(|a)+", ["", "aa"], ["b"]),
        ("日.", ["日本"], ["日", "日本語"]),
    ],
)
def test_expression_means_what_it_means_in_go(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [value for value in yes if not says(RE, pattern, value)] == []
    assert [value for value in no if says(RE, pattern, value)] == []
    assert [value for value in yes if says(NRE, pattern, value)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)b", "invalid perl operator: (?=; there is no lookahead or lookbehind: use a second matcher, with !~"),
        ("(?!a)b", "invalid perl operator: (?!; there is no lookahead or lookbehind: use a second matcher, with !~"),
        ("(?<=a)b", "invalid perl operator: (?<=; there is no lookahead or lookbehind: use a second matcher, with !~"),
        ("(?<!a)b", "invalid perl operator: (?<!; there is no lookahead or lookbehind: use a second matcher, with !~"),
        ("(?>a)", "invalid perl operator: (?>; there are no atomic groups: write (?:…)"),
        (r"(a)\1", r"invalid escape sequence: \1; there are no back-references"),
        ("(?P<n>a)(?P=n)", "invalid perl operator: (?P; there are no back-references"),
        ("a++", "bad repetition operator: ++; there are no possessive repetitions: drop the second +"),
        ("a{2}+", "bad repetition operator: {2}+; there are no possessive repetitions: drop the second +"),
        ("a**", "bad repetition operator: **"),
        (r"a\Z", r"invalid escape sequence: \Z; the end of the text is \z, and the expression is anchored anyway"),
        (r"\C", r"invalid: \C; there are no single bytes: write . for a character"),
        (r"[a]\C", r"invalid: \C; there are no single bytes: write . for a character"),
        ("a{1001}", "invalid repetition size: {1001}; a repetition goes up to 1000"),
        ("(a{100}){11}", "invalid repetition size: {11}; a repetition goes up to 1000"),
        ("a{1000000000}", "invalid: {1000000000}"),
        ("(?<é>a)", "invalid: (?<é>"),
        ("(?x)a b", "invalid perl operator: (?x; there are no comments inside expressions"),
        ("(a", "missing ): (a"),
        ("a)", "unexpected ): a)"),
        ("[a", "missing ]: [a"),
        ("*a", "no argument for repetition operator: *"),
        ("a\\", "trailing \\"),
        (r"\e", r"invalid escape sequence: \e"),
        (r"\p{Nope}", r"invalid character class range: \p{Nope}"),
        ("[\ud800]", "not valid Unicode text"),
    ],
)
def test_expression_that_go_refuses_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(MatcherSyntaxError) as refused:
        Matcher("x", RE, pattern)
    assert str(refused.value) == f"{pattern!r} is no regular expression to Alertmanager (RE2 syntax): {reason}"
    with pytest.raises(MatcherSyntaxError):
        Matcher("x", NRE, pattern)


@pytest.mark.parametrize("pattern", [r"\QC\C\E", r"\\C", r"\{1000000000}", "[(?<é>]", "[{1000000000}]", "(?<e>é>)"])
def test_what_only_looks_like_something_go_refuses_is_taken(pattern: str) -> None:
    Matcher("x", RE, pattern)


@given(pattern=SIMPLE, value=LITERALS)
def test_simple_expression_means_what_it_means_to_re2(pattern: str, value: str) -> None:
    """A group that changes nothing sends the expression to RE2."""
    assert says(RE, pattern, value) is says(RE, f"(?:{pattern})", value)
    for literal in literal_alternatives(pattern) or ():
        assert says(RE, pattern, literal)
        assert says(RE, f"(?:{pattern})", literal)


@given(pattern=SIMPLE, value=LITERALS)
def test_listed_values_are_just_those_that_match(pattern: str, value: str) -> None:
    values = Matcher("x", RE, pattern).values
    assert values is None or (value in values) is says(RE, pattern, value)


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("critical|warning", {"critical", "warning"}),
        (r"^10\.0\.0\.1$", {"10.0.0.1"}),
        ("a|", {"a", ""}),
        ("", {""}),
        (r"a\|b", {"a|b"}),
        ("a(b)?|c", {"a", "ab", "c"}),
        ("a(-.+)?", None),
        ("a(b)", None),
        ("a(b)??", None),
        ("(a|b)", None),
        ("a.b", None),
        ("a.*", None),
        ("a|[b]", None),
    ],
)
def test_literals_can_be_listed(pattern: str, values: set[str] | None) -> None:
    expected = None if values is None else frozenset(values)
    assert literal_alternatives(pattern) == expected
    assert Matcher("x", NRE, pattern).values == expected
    assert Matcher("x", EQ, pattern).values == frozenset((pattern,))


TAILS = st.sampled_from(("*", "+", "?", "{2}", r"\d", "[a-]", "(b|c)", "(?i)b", r"\b", "$", ".*a", "(?:)", r"\pL"))


@given(pattern=SIMPLE | st.tuples(LITERALS.map(escaped), TAILS).map("".join), value=LITERALS)
def test_value_that_matches_begins_with_a_head(pattern: str, value: str) -> None:
    try:
        matcher = Matcher("x", RE, pattern)
    except MatcherSyntaxError:
        return
    for text in (value, *(value[:length] for length in range(len(value)))):
        if matcher.heads and matcher.matches({"x": text}):
            assert any(text[: head.length] == head.text for head in matcher.heads)


@pytest.mark.parametrize(
    ("matcher", "heads"),
    [
        (Matcher("x", EQ, "a"), {Head(None, "a")}),
        (Matcher("x", RE, "a|b.*"), {Head(None, "a"), Head(1, "b")}),
        (Matcher("x", RE, r"10\.0\.[0-9]+"), {Head(5, "10.0.")}),
        (Matcher("x", RE, "team(-.+)?"), {Head(None, "team"), Head(5, "team-")}),
        (Matcher("x", RE, "^ab*"), {Head(1, "a")}),
        (Matcher("x", RE, "a|.*b"), set()),
        (Matcher("x", RE, "a[b]|c"), set()),
        (Matcher("x", RE, "(?i)a"), set()),
        (Matcher("x", RE, ".*"), set()),
        (Matcher("x", NE, "a"), set()),
        (Matcher("x", NRE, "a"), set()),
    ],
)
def test_heads_are_what_values_begin_with(matcher: Matcher, heads: set[Head]) -> None:
    assert matcher.heads == heads


def test_half_a_surrogate_pair_is_a_character_like_any_other() -> None:
    assert says(RE, "(a).", "a\ud800")
    assert says(RE, "(a).", "a\ud83d\ude00")
    assert not says(RE, "(a)", "a\ud800")


def test_re2_is_loaded_only_when_an_expression_needs_it() -> None:
    code = (
        "import sys; from homelabmon.spec.matchers import Matcher, MatchOp\n"
        "Matcher('x', MatchOp.RE, r'^media|trading(-.+)?|10\\.0\\..*$'); before = 're2' in sys.modules\n"
        "Matcher('x', MatchOp.RE, '[ab]'); print(before, 're2' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "False True\n"


# How they are written ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        (Matcher("alertname", EQ, "NodeDown"), 'alertname="NodeDown"'),
        (Matcher("a", RE, 'x\\d"\n\t'), 'a=~"x\\\\d\\"\\n\t"'),
        (Matcher("größe", NE, "groß"), 'größe!="groß"'),
        (Matcher("kube.io/name", NRE, "x"), 'kube.io/name!~"x"'),
        (Matcher("team name", EQ, "a\tb\u2028\\"), r'"team name"="a\tb\u2028\\"'),
        (Matcher('say "hi"', EQ, "\x00\x7f\U000e0001"), r'"say \"hi\""="\x00\x7f\U000e0001"'),
    ],
)
def test_matcher_is_written_as_alertmanager_writes_it(matcher: Matcher, text: str) -> None:
    assert str(matcher) == text
    assert parse_matcher(text) == matcher


@given(name=TEXT.filter(bool), op=st.sampled_from(MatchOp), value=TEXT)
def test_what_is_written_is_read_back(name: str, op: MatchOp, value: str) -> None:
    matcher = Matcher(name, op, value if op in (EQ, NE) else escaped(value))
    assert parse_matcher(str(matcher)) == matcher
    assert parse_matchers(format_matchers((matcher, matcher))) == (matcher, matcher)


def test_lists_are_sorted_by_name_then_value_then_operator() -> None:
    matchers = parse_matchers('b="1",a!~"2",a="2",a=~"2",a!="2",a!~"1",é="x",z="y"')
    assert format_matchers(sort_matchers(matchers)) == '{a!~"1",a="2",a!="2",a=~"2",a!~"2",b="1",z="y",é="x"}'


def test_quote_escapes_as_go_does() -> None:
    assert quote('a"\\\a\b\f\n\r\t\v\x01\x7f\u00adé\u2028\U0001f600') == (
        r'"a\"\\\a\b\f\n\r\t\v\x01\x7f\u00adé\u2028' + '\U0001f600"'
    )


# How they are read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("", []),
        ("{}", []),
        (" { } ", []),
        ("foo=bar", ['foo="bar"']),
        (" foo = bar ", ['foo="bar"']),
        ("foo=bar,", ['foo="bar"']),
        ("{foo=bar,}", ['foo="bar"']),
        ('{foo="bar", baz!~"a|b" ,c=~d}', ['foo="bar"', 'baz!~"a|b"', 'c=~"d"']),
        ('"foo"="bar"', ['foo="bar"']),
        ('"foo bar"="b\\"az"', ['"foo bar"="b\\"az"']),
        (r'"\x41\u00e9\U0001F600\101"=x', ['Aé\U0001f600A="x"']),
        ("größe=groß", ['größe="groß"']),
        ("foo:bar=1:2", ['foo:bar="1:2"']),
        ('foo="a,b}{"', ['foo="a,b}{"']),
        ('foo=""', ['foo=""']),
        ("foo\u00a0=\u3000bar", ['foo="bar"']),
        ('foo=~"a\\\\.b"', ['foo=~"a\\\\.b"']),
        ("foo=\x1cbar", ['foo="\x1cbar"']),
    ],
)
def test_text_is_read_as_alertmanager_reads_it(text: str, matchers: list[str]) -> None:
    assert list(map(str, parse_matchers(text))) == matchers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "expected an operator (=, !=, =~ or !~), found the end in 'foo'"),
        ("=bar", "expected a matcher or the end, found = at column 1 in '=bar'"),
        ("foo!bar", "expected != or !~ at column 4 in 'foo!bar'"),
        (
            "foo=bar baz=x",
            "expected a comma or the end, found baz at column 9 in 'foo=bar baz=x'. Write: foo=\"bar baz=x\"",
        ),
        ("foo=bar,,a=b", "expected a matcher or the end, found , at column 9 in 'foo=bar,,a=b'"),
        ("{foo=bar", "expected a comma or }, found the end in '{foo=bar'. Write: foo=\"bar\""),
        ("foo=bar}", "expected a comma or the end, found } at column 8 in 'foo=bar}'. Write: foo=\"bar\""),
        ("{foo=bar}}", "expected the end, found } at column 10 in '{foo=bar}}'. Write: foo=\"bar}\""),
        ('"foo bar="x', "expected an operator (=, !=, =~ or !~), found x at column 11 in '\"foo bar=\"x'"),
        ('"foo bar"="x', 'missing end quote for the quote at column 11 in \'"foo bar"="x\''),
        ("foo='bar'", "' at column 5 in \"foo='bar'\" must stand inside double quotes. Write: foo=\"'bar'\""),
        ("foo=", "expected a value, found the end in 'foo='. Write: foo=\"\""),
        ("foo==bar", "expected a value, found = at column 5 in 'foo==bar'. Write: foo=\"=bar\""),
        ('""=x', "a matcher needs a label name"),
        (
            r'ip=~"10\.0\..*"',
            r'"10\.0\..*" at column 5 is not a valid quoted string: a backslash is written \\ there. '
            r'Write: ip=~"10\\.0\\..*"',
        ),
        (
            r'a="x\",y\d",b=z',
            r'"x\",y\d" at column 3 is not a valid quoted string: a backslash is written \\ there. '
            r'Write: a="x\",y\\d", b="z"',
        ),
        (r'"a b"="\xff"', r'"\xff" at column 7 is not a valid quoted string: a backslash is written \\ there'),
        ('foo=~"("', "'(' is no regular expression to Alertmanager (RE2 syntax): missing ): ("),
    ],
)
def test_text_that_is_no_matcher_is_refused_with_the_fix(text: str, message: str) -> None:
    with pytest.raises(MatcherSyntaxError) as refused:
        parse_matchers(text)
    assert str(refused.value) == message


def test_text_that_means_two_things_is_refused_with_both_spellings() -> None:
    with pytest.raises(MatcherSyntaxError) as refused:
        parse_matchers(r'foo=~"a\tb"')
    assert str(refused.value) == (
        r"""'foo=~"a\\tb"' means one thing to Alertmanager's UTF-8 parser and another to its classic parser. """
        'Write: foo=~"a\tb" (or, for the classic meaning: foo=~"a\\\\tb")'
    )


@pytest.mark.parametrize("text", [r'a="\x41"', r'a="\u0041",b=c', "a=b\u00a0,c=d", r'a="\101"'])
def test_texts_that_mean_two_things(text: str) -> None:
    with pytest.raises(MatcherSyntaxError, match="means one thing to Alertmanager's UTF-8 parser"):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{foo=bar}", "unexpected brace in '{foo=bar}': write one matcher without braces"),
        ("foo=bar}", "unexpected brace in 'foo=bar}': write one matcher without braces"),
        ("foo=bar,a=b", "expected one matcher, found 2 in 'foo=bar,a=b'"),
        ("", "expected one matcher, found 0 in ''"),
    ],
)
def test_one_matcher_is_just_one(text: str, message: str) -> None:
    with pytest.raises(MatcherSyntaxError) as refused:
        parse_matcher(text)
    assert str(refused.value) == message
    assert parse_matcher(" foo = bar , ") == Matcher("foo", EQ, "bar")


@given(st.text(st.sampled_from('ab=!~{}",\\ n\tx\n'), max_size=15))
def test_no_text_is_read_in_a_way_that_is_not_written_back(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except MatcherSyntaxError:
        return
    assert parse_matchers(format_matchers(matchers)) == matchers
