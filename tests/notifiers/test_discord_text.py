"""Cleaning, escaping, cutting and counting text for Discord."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.notifiers.discord_text import clean, cut, escape, moment, paragraph, shorten, shown, units, web_address
from homelabmon.notifiers.discord_text import value as label_value
from tests.notifiers import strategies
from tests.relay.discord_rules import code_points, code_units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 5 % (ok) & more; a=b", "plain text, 5 % (ok) & more; a=b"),
        ("kube_pod_x", "kube\\_pod\\_x"),
        ("n1:9100", "n1:9100"),
        ("a - b > c # d", "a - b > c # d"),
        ("# a", "\\# a"),
        ("### a", "\\#\\#\\# a"),
        ("-# a", "\\-\\# a"),
        ("- a\n+ b\n* c\n1. d\n12. e", "\\- a\n\\+ b\n\\* c\n1\\. d\n12\\. e"),
        ("10.0.0.1", "10.0.0.1"),
        ("7.", "7\\."),
        (">>> a", "\\>\\>\\> a"),
        ("[a](https://b.c)", "\\[a\\](https\\://b.c)"),
        ("a:fire:b", "a\\:fire:b"),
        ("12:30:45", "12\\:30:45"),
        ("<@&1> <t:1:R>", "\\<@&1> \\<t\\:1:R>"),
        ("@everyone @Here me@example.com", "@\u200beveryone @\u200bHere me@example.com"),
        ("discord.gg/x DISCORDAPP.com/invite/x", "discord\\.gg/x DISCORDAPP\\.com/invite/x"),
        ("\\", "\\\\"),
    ],
)
def test_escaped_text_shows_as_it_is(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a \t b\nc ", "a b c"),
        ("a\x00b\x1b[31mc\x7f", "a b [31mc"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("\u202eabc\u202c", "abc"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        ("\u2800\u3164\u00ad", ""),
        ("\ud83d", "\ufffd"),
        ("👩\u200d👧 می\u200cخواهم", "👩\u200d👧 می\u200cخواهم"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
    ],
)
def test_cleaned_text_has_only_what_can_be_seen(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_lines_stay_where_they_may_but_no_empty_ones() -> None:
    assert clean("a  \r\n\r\n\n  b\n", lines=True) == "a\nb"


@pytest.mark.parametrize(
    ("escaped", "limit", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abc def", 5, "abc…"),
        ("ab\\*cd", 4, "ab…"),
        ("ab\\*cd", 5, "ab\\*…"),
        ("ab\\\\\\*", 5, "ab\\\\…"),
        ("🔥🔥🔥", 6, "🔥🔥🔥"),
        ("🔥🔥🔥", 5, "🔥🔥…"),
        ("🔥🔥🔥", 4, "🔥…"),
        ("👩\u200d👧 x", 5, "👩…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("abc", -5, ""),
    ],
)
def test_a_cut_never_halves_an_escape_or_a_character(escaped: str, limit: int, expected: str) -> None:
    assert cut(escaped, limit) == expected


@given(strategies.texts, st.integers(-1, 60))
def test_cut_text_is_short_enough_and_escapes_stay_whole(text: str, limit: int) -> None:
    for made in (shown(text, limit), paragraph(text, limit), cut(escape(clean(text)), limit)):
        assert code_points(made) <= max(0, limit)
        assert code_units(made) <= max(0, limit)
        assert "\\" not in re.sub(r"\\[^0-9A-Za-z\s\\]|\\\\", "", made)
        made.encode("utf-8")


@given(strategies.texts, st.integers(3, 60))
def test_shortened_text_keeps_both_ends(text: str, limit: int) -> None:
    text = clean(text)
    short = shorten(text, limit)
    assert units(short) <= limit
    assert (short == text) == (units(text) <= limit)
    assert units(label_value(text, limit)) <= 2 * limit + 2


def test_names_that_differ_at_the_end_stay_apart() -> None:
    pods = [f"{'very-' * 20}long-name-{end}" for end in ("x2x4z", "k9q8w")]
    assert len({label_value(pod, 40) for pod in pods}) == 2


@given(st.text(alphabet=st.characters(codec=None)))
def test_units_are_what_clients_count(text: str) -> None:
    assert units(text) == code_units(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://wiki.example.com/a?b=c&d=%20#e", "https://wiki.example.com/a?b=c&d=%20#e"),
        ("http://192.168.1.233:9093/#/silences", "http://192.168.1.233:9093/#/silences"),
        ("http://[fd00::1]:9090/graph", "http://[fd00::1]:9090/graph"),
        (" https://a.example/(x)[y] <z> \\*", "https://a.example/%28x%29%5By%5D%20%3Cz%3E%20%5C*"),
        ("https://a.example/ü", "https://a.example/%C3%BC"),
        ("https://a.example/x)\n[y](z", "https://a.example/x%29%0A%5By%5D%28z"),
        ("javascript:alert(1)", None),
        ("ftp://a.example/", None),
        ("//a.example/", None),
        ("https://user:password@a.example/", None),
        ("http://[", None),
        ("http://a.example:99999/", None),
        ("https://a.example/\ud800", None),
        ("https://a.example/" + "x" * 2000, None),
        ("", None),
    ],
)
def test_only_web_addresses_become_links(url: str, expected: str | None) -> None:
    assert web_address(url) == expected


@pytest.mark.parametrize("at", [None, 0.0, -62135596800.0, math.nan, math.inf, -math.inf, 1e20])
def test_a_time_that_is_none_is_not_shown(at: float | None) -> None:
    assert moment(at) == ""


def test_a_time_is_shown_in_whole_seconds() -> None:
    assert moment(1_790_000_000.9, "R") == "<t:1790000000:R>"
