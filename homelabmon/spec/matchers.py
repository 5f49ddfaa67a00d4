r"""Label matchers: one condition on one label, with the syntax and the meaning they have in Alertmanager.

Used by whoever reads a matcher (the stack, the relay's route table) and by :mod:`homelabmon.routing`, which asks them.
May import: the standard library, and RE2 the first time a regular expression needs it.

Sources of the rules: Alertmanager pkg/labels/matcher.go (meaning, printing, order), matcher/parse (the UTF-8 syntax),
pkg/labels/parse.go (the classic syntax), matcher/compat (what it does when the two disagree); Go strconv and regexp.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from homelabmon.spec.expressions import Head, MatcherSyntaxError, Test, heads_of, literal_alternatives, searcher

__all__ = [
    "Head",
    "MatchOp",
    "Matcher",
    "MatcherSyntaxError",
    "Test",
    "format_matchers",
    "literal_alternatives",
    "parse_matcher",
    "parse_matchers",
    "quote",
    "sort_matchers",
]


class MatchOp(StrEnum):
    """How a label's value is compared."""

    EQ = "="
    NE = "!="
    RE = "=~"
    NRE = "!~"

    @property
    def negated(self) -> MatchOp:
        """The operator that says yes exactly where this one says no."""
        return _NEGATED[self]


_NEGATED: Final = {
    MatchOp.EQ: MatchOp.NE,
    MatchOp.NE: MatchOp.EQ,
    MatchOp.RE: MatchOp.NRE,
    MatchOp.NRE: MatchOp.RE,
}
_ORDER: Final = {op: number for number, op in enumerate(MatchOp)}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that is missing has the empty value (Alertmanager pkg/labels/matcher.go).

    Raises :class:`MatcherSyntaxError` for an empty label name, and for a regular expression that Alertmanager refuses.
    """

    name: str
    op: MatchOp
    value: str

    def __post_init__(self) -> None:
        if not self.name:
            raise MatcherSyntaxError("a matcher needs a label name")
        self.compiled()

    def __str__(self) -> str:
        """The matcher as Alertmanager prints it: the name is quoted only where it has to be."""
        if _RESERVED.search(self.name):
            return f"{quote(self.name)}{self.op}{quote(self.value)}"
        escaped = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.op}"{escaped}"'

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels meets the condition."""
        return self.compiled()(labels.get(self.name, ""))

    def compiled(self) -> Test:
        """The condition on the label's value alone, for whoever asks often."""
        return _test(self.op, self.value)

    def negated(self) -> Matcher:
        """The matcher that says yes exactly where this one says no."""
        return Matcher(self.name, self.op.negated, self.value)

    @property
    def positive(self) -> bool:
        """Whether it asks for a value, ``=`` or ``=~``, rather than against one."""
        return self.op in (MatchOp.EQ, MatchOp.RE)

    @property
    def values(self) -> frozenset[str] | None:
        """The values it asks for or against, where they can be listed; ``None`` for any other regular expression.

        ``severity=~"critical|warning"`` lists two. A matcher that lists values is decided by them alone.
        """
        if self.op in (MatchOp.EQ, MatchOp.NE):
            return frozenset((self.value,))
        return literal_alternatives(self.value)

    @property
    def heads(self) -> frozenset[Head]:
        """What a value that is asked for begins with: one of these. None at all when nothing is known.

        For indexes: a value with none of the heads is surely not asked for, one with a head may still not be.
        """
        if not self.positive:
            return frozenset()
        return frozenset((Head(None, self.value),)) if self.op == MatchOp.EQ else heads_of(self.value)


@lru_cache(maxsize=1 << 14)
def _test(op: MatchOp, value: str) -> Test:
    if op == MatchOp.EQ:
        return value.__eq__
    if op == MatchOp.NE:
        return value.__ne__
    found = searcher(value)
    return found if op == MatchOp.RE else lambda text: not found(text)


def sort_matchers(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """In the order Alertmanager keeps them and prints them in group keys: by name, then value, then operator."""
    return tuple(sorted(matchers, key=lambda matcher: (matcher.name, matcher.value, _ORDER[matcher.op])))


def format_matchers(matchers: Iterable[Matcher]) -> str:
    """``{alertname="NodeDown",severity=~"critical|warning"}``, as Alertmanager prints a list of matchers."""
    return "{" + ",".join(map(str, matchers)) + "}"


# Reading ---------------------------------------------------------------------------------------------------------

_SPACE: Final = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Go's unicode.IsSpace. Python's str.isspace has four control characters more."""
_SPECIAL: Final = rf"{_SPACE}{{}}!=~,\\\"'`"
_RESERVED: Final = re.compile(f"[{_SPECIAL}]")
_TOKEN: Final = re.compile(
    rf"""
      (?P<space> [{_SPACE}]+)
    | (?P<mark>  [{{}},])
    | (?P<op>    =~ | = | !~ | !=)
    | (?P<quoted>"(?:[^"\\] | \\.)*")
    | (?P<word>  [^{_SPECIAL}]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse_matcher(text: str) -> Matcher:
    """Read one matcher, without braces: ``alertname="NodeDown"``.

    Raises :class:`MatcherSyntaxError`. Alertmanager matcher/compat/parse.go: braces belong to lists only.
    """
    if text.startswith("{") or text.endswith("}"):
        raise MatcherSyntaxError(f"unexpected brace in {text!r}: write one matcher without braces")
    matchers = parse_matchers(text)
    if len(matchers) != 1:
        raise MatcherSyntaxError(f"expected one matcher, found {len(matchers)} in {text!r}")
    return matchers[0]


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read a list of matchers: ``{alertname="NodeDown", severity=~"critical|warning"}``, braces optional.

    The syntax is the UTF-8 one, which Alertmanager reads since 0.27. Alertmanager falls back to the classic syntax
    where that fails, and prefers it where the two read different things, unless it runs in UTF-8 strict mode. A text
    whose meaning hangs on this is refused, and the message has the spelling that means the same everywhere.

    Raises :class:`MatcherSyntaxError`.
    """
    classic = _read_classic(text)
    try:
        matchers = tuple(_read(_Tokens(text)))
    except MatcherSyntaxError as error:
        if classic is None:
            raise
        raise MatcherSyntaxError(f"{error}. Write: {_spelled(classic)}") from None
    if classic is not None and classic != matchers:
        raise MatcherSyntaxError(
            f"{text!r} means one thing to Alertmanager's UTF-8 parser and another to its classic parser. "
            f"Write: {_spelled(matchers)} (or, for the classic meaning: {_spelled(classic)})"
        )
    return matchers


def _spelled(matchers: tuple[Matcher, ...]) -> str:
    return ", ".join(map(str, matchers)) or "{}"


class _Tokens:
    """The tokens of a text, one at a time, without the spaces; the last one, of kind ``end``, has no text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scan()
        self.next = next(self._tokens)

    def take(self, what: str, *wanted: str) -> _Token:
        """The next token, whose kind or text must be among those wanted; ``what`` names them in the complaint."""
        token = self.next
        if token.kind not in wanted and token.text not in wanted:
            found = f"{token.text} at column {token.column}" if token.text else "the end"
            raise MatcherSyntaxError(f"expected {what}, found {found} in {self._text!r}")
        if token.text:
            self.next = next(self._tokens)
        return token

    def _scan(self) -> Iterator[_Token]:
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                raise MatcherSyntaxError(self._complaint(position))
            if match.lastgroup != "space":
                yield _Token(match.lastgroup, match.group(), position + 1)
            position = match.end()
        yield _Token("end", "", position + 1)

    def _complaint(self, position: int) -> str:
        char, place = self._text[position], f"at column {position + 1} in {self._text!r}"
        if char == '"':
            return f"missing end quote for the quote {place}"
        if char == "!":
            return f"expected != or !~ {place}"
        return f"{char} {place} must stand inside double quotes"


def _read(tokens: _Tokens) -> Iterator[Matcher]:
    """The grammar of Alertmanager matcher/parse/parse.go: a comma may end the list, braces come in pairs."""
    end, closing = "the end", "end"
    if tokens.next.text == "{":
        tokens.take("{", "{")
        end, closing = "}", "}"
    expected = "a matcher"
    while tokens.next.kind in ("word", "quoted"):
        name = _content(tokens.take("a label name", "word", "quoted"))
        op = MatchOp(tokens.take("an operator (=, !=, =~ or !~)", "op").text)
        yield Matcher(name, op, _content(tokens.take("a value", "word", "quoted")))
        expected = "a comma"
        if tokens.next.text != ",":
            break
        tokens.take(expected, ",")
        expected = "a matcher"
    tokens.take(f"{expected} or {end}", closing)
    tokens.take("the end", "end")


def _content(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    content = _unquote(token.text[1:-1])
    if content is None:
        raise MatcherSyntaxError(
            f"{token.text} at column {token.column} is not a valid quoted string: a backslash is written \\\\ there"
        )
    return content


_CLASSIC: Final = re.compile(
    r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*(.*?)[\t\n\f\r ]*", re.DOTALL
)
_CLASSIC_VALUE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|((?!")(?:[^"\\]|\\.)*\\?)', re.DOTALL)


def _read_classic(text: str) -> tuple[Matcher, ...] | None:
    """What the classic parser (Alertmanager pkg/labels/parse.go) makes of the text; ``None`` where it refuses."""
    matchers = []
    for part in _split_classic(text.removeprefix("{").removesuffix("}")):
        match = _CLASSIC.fullmatch(part)
        value = None if match is None else _CLASSIC_VALUE.fullmatch(match[3])
        if match is None or value is None:
            return None
        content = value[1] if value[1] is not None else value[2]
        unescaped = re.sub(r'\\([n"\\])', lambda escape: "\n" if escape[1] == "n" else escape[1], content)
        try:
            matchers.append(Matcher(match[1], MatchOp(match[2]), unescaped))
        except MatcherSyntaxError:
            return None
    return tuple(matchers)


def _split_classic(text: str) -> list[str]:
    """The parts between commas outside of quotes; what is left after the last comma counts unless it is blank."""
    parts, start, quoted, escaped = [], 0, False, False
    for position, char in enumerate(text):
        if char == "," and not quoted:
            parts.append(text[start:position])
            start = position + 1
        elif char == '"':
            quoted = quoted if escaped else not quoted
            escaped = False
        elif char != ",":
            escaped = char == "\\" and not escaped
    last = text[start:].strip(_SPACE)
    return [*parts, last] if last else parts


# Quoting, as Go does it -------------------------------------------------------------------------------------------

_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_ESCAPED: Final = {char: f"\\{letter}" for letter, char in _ESCAPES.items()}
_QUOTED_PART: Final = re.compile(
    r"""
      ([^"\\\n]+)
    | \\ (?: ([abfnrtv\\"]) | x([0-9a-fA-F]{2}) | ([0-7]{3}) | u([0-9a-fA-F]{4}) | U([0-9a-fA-F]{8}) )
    """,
    re.VERBOSE,
)


def quote(text: str) -> str:
    """The text in double quotes with everything escaped that is not printable (Go strconv.Quote)."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unquote(text: str) -> str | None:
    """What a double-quoted string stands for (Go strconv.Unquote); ``None`` for an escape that Go does not know."""
    content, position = bytearray(), 0
    while position < len(text):
        match = _QUOTED_PART.match(text, position)
        if match is None:
            return None
        plain, letter, byte, octal, *codes = match.groups()
        try:
            if byte or octal:
                content.append(int(byte, 16) if byte else int(octal, 8))
            else:
                content += (plain or _ESCAPES.get(letter) or chr(int(codes[0] or codes[1], 16))).encode()
        except ValueError:  # an octal above 377, a code point that is none
            return None
        position = match.end()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
