r"""Regular expressions with the meaning they have in Alertmanager: what a value must be for ``=~``.

Alertmanager compiles ``^(?:…)$`` with Go's regexp: anchored at both ends, RE2's syntax, and ``.`` is any character
but a newline (Prometheus differs: its ``.`` takes newlines as well). Most expressions people write are literals with
``.*`` or ``.+`` at an end, or an ending that may be left out; those need no RE2, everything else does. Used by
:mod:`homelabmon.spec.matchers`, and by :mod:`homelabmon.routing.searches` for many at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

Test = Callable[[str], bool]
"""A question about one label value."""


class Head(NamedTuple):
    """What a value has to begin with, ``value[:length] == text``; with no length, what it has to be."""

    length: int | None
    text: str


class MatcherSyntaxError(ValueError):
    """A text that is no matcher, or no regular expression to Alertmanager. Says what is wrong and what to write."""


_LITERAL: Final = r"(?:[^\\.+*?()|\[\]{}^$]|\\[\x00-/:-@\[-`{-\x7f])*"
_ALTERNATIVE: Final = re.compile(
    rf"\^?(\.[*+])?({_LITERAL})(?:(\.[*+])|\((?:\?:)?({_LITERAL})(\.[*+])?\)\?)?\$?(\||\Z)"
)
_RE2_MEMORY: Final = 64 << 20
"""Bytes a compiled expression may take. RE2's own 8 MiB refuse ``\\pL{1000}``, which Go takes."""
_MANY: Final = 8
"""From how many on expressions are compiled together: a few are tried as soon one after the other."""
_TOGETHER: Final = 500
_RE2_SET_MEMORY: Final = 16 << 20
"""Expressions that are compiled together at most, and bytes that they may take."""


def searcher(pattern: str) -> Test:
    """Whether a value is matched. Raises MatcherSyntaxError for an expression that Alertmanager refuses."""
    values = literal_alternatives(pattern)
    if values is not None:
        return values.__contains__
    alternatives = _plain_alternatives(pattern)
    return _search_re2(pattern) if alternatives is None else _search_plain(alternatives)


@lru_cache(maxsize=1 << 14)
def literal_alternatives(pattern: str) -> frozenset[str] | None:
    """The texts a regular expression stands for when it is nothing but literals joined by ``|``; else ``None``."""
    alternatives = _plain_alternatives(pattern)
    if alternatives is None or any(before or after for before, _, after in alternatives):
        return None
    return frozenset(literal for _, literal, _ in alternatives)


@lru_cache(maxsize=1 << 14)
def _plain_alternatives(pattern: str) -> tuple[tuple[str, str, str], ...] | None:
    """The alternatives as (``.*`` or ``.+`` or nothing, literal, likewise), when that is all there is.

    ``team(-.+)?`` is two: with what stands in the brackets, and without.
    """
    alternatives, position = [], 0
    while (match := _ALTERNATIVE.match(pattern, position)) is not None:
        before, literal, after, more, after_more, end = match.groups(default="")
        alternatives.append((before, _unescape(literal), after))
        if match[4] is not None:
            alternatives.append((before, _unescape(literal + more), after_more))
        if not end:
            return tuple(alternatives)
        position = match.end()
    return None


def _unescape(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal, flags=re.DOTALL)


_LEADING: Final = re.compile(rf"\^?({_LITERAL})(?![*?+{{])")


@lru_cache(maxsize=1 << 14)
def heads_of(pattern: str) -> frozenset[Head]:
    """What every matched value begins with: one of these; nothing at all where that is not known."""
    alternatives = _plain_alternatives(pattern)
    if alternatives is None:
        leading = None if "|" in pattern else _LEADING.match(pattern)
        alternatives = (("", _unescape(leading[1]) if leading else "", ".*"),)
    heads = [None if before else Head(len(text) if after else None, text) for before, text, after in alternatives]
    known = [head for head in heads if head is not None and head != Head(0, "")]
    return frozenset(known) if len(known) == len(heads) else frozenset()


def _search_plain(alternatives: Iterable[tuple[str, str, str]]) -> Test:
    pattern = "|".join(f"{before}{re.escape(literal)}{after}" for before, literal, after in alternatives)
    fullmatch = re.compile(pattern).fullmatch
    return lambda text: fullmatch(text) is not None


Choice = Callable[[str], Sequence[int]]
"""Which of some expressions match a value, by their places; in any order."""


def chooser(patterns: Sequence[str]) -> Choice:
    """Asks many expressions at once: RE2 goes through a value once for hundreds of them.

    They must be such that Alertmanager takes. Says just what :func:`searcher` says of each.
    """
    parts = [_choose(patterns[start : start + _TOGETHER]) for start in range(0, len(patterns), _TOGETHER)]
    return lambda text: [number * _TOGETHER + place for number, choose in enumerate(parts) for place in choose(text)]


def _choose(patterns: Sequence[str]) -> Choice:
    tests = [searcher(pattern) for pattern in patterns]

    def one_by_one(text: str) -> Sequence[int]:
        return [place for place, test in enumerate(tests) if test(text)]

    return one_by_one if len(patterns) < _MANY else _choose_re2(patterns, one_by_one)


def _choose_re2(patterns: Sequence[str], one_by_one: Choice) -> Choice:
    """RE2's sets say nothing, without a word, when they run out of memory. So nothing they say is believed at once."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _RE2_SET_MEMORY
    anchored = [f"(?:^(?:{pattern})$)" for pattern in patterns]
    together = re2.Set.SearchSet(options)
    try:
        for pattern in anchored:
            together.Add(pattern)
        together.Compile()
        any_of = re2.compile("|".join(anchored), options).search
    except (re2.error, UnicodeEncodeError):  # too large, or plain to us and odd to RE2
        return one_by_one

    def choose(text: str) -> Sequence[int]:
        data = _encoded(text)
        if any_of(data) is None:
            return ()
        return together.Match(data) or one_by_one(text)

    return choose


def _search_re2(pattern: str) -> Test:
    search = _compile_re2(pattern)
    return lambda text: search(_encoded(text)) is not None


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from JSON: Go's decoder makes it U+FFFD
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _compile_re2(pattern: str) -> Callable[[bytes], object]:
    import re2  # here, not above: it takes time and memory that most stacks never need

    def complaint(expression: str) -> str | None:
        try:
            re2.compile(expression, options)
        except UnicodeEncodeError:
            return "not valid Unicode text"
        except re2.error as error:
            return str(error.args[0].decode(errors="replace"))
        return None

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _RE2_MEMORY
    anchored = f"^(?:{pattern})$"
    if (reason := complaint(anchored)) is not None:
        raise _refusal(pattern, complaint(pattern) or reason)
    if beyond := re.search(_BEYOND_GO, re.sub(_UNREAD, "", pattern)):
        raise _refusal(pattern, f"invalid: {beyond.group()}")
    search: Callable[[bytes], object] = re2.compile(anchored, options).search
    return search


_UNREAD: Final = r"(?xs) \\Q.*?(?:\\E|\Z) | \[\^?\]? (?:\[:\^?\w+:\] | \\. | [^\]\\])* \] | \\[^CQ]"
"""Quoted text, character classes and escapes, where what follows has another meaning."""
_BEYOND_GO: Final = r"(?x) \\C | \{\d{9,}(?:,\d*)?\} | \{\d+,\d{9,}\} | \(\?P?<[^>]*[^\x00-\x7f][^>]*>"
"""What RE2 takes and Go's regexp refuses: single bytes, counts beyond reason, groups named in other alphabets."""

_HINTS: Final = {
    r"operator: \(\?<?[=!]": "there is no lookahead or lookbehind: use a second matcher, with !~",
    r"operator: \(\?>": "there are no atomic groups: write (?:…)",
    r"operator: \(\?[#x]": "there are no comments inside expressions",
    r"operator: \(\?P$|escape sequence: \\[1-9k]": "there are no back-references",
    r"repetition operator: .*\+$": "there are no possessive repetitions: drop the second +",
    r"repetition size": "a repetition goes up to 1000",
    r"escape sequence: \\Z": r"the end of the text is \z, and the expression is anchored anyway",
    r"invalid: \\C": "there are no single bytes: write . for a character",
}
"""What to write instead, by what the reason says."""


def _refusal(pattern: str, reason: str) -> MatcherSyntaxError:
    hint = next((f"; {hint}" for sign, hint in _HINTS.items() if re.search(sign, reason)), "")
    return MatcherSyntaxError(f"{pattern!r} is no regular expression to Alertmanager (RE2 syntax): {reason}{hint}")
