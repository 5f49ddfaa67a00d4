"""Go's text/template, as far as Prometheus parses it when it loads a rule: a rule whose template is broken is refused.

Reads actions as Go's lexer does (text/template/parse/lex.go) and checks what can be said for sure: open actions and
blocks, characters and operators that do not exist, variables and functions that are not defined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from homelabmon.spec.suggest import closest

_FUNCTIONS: Final = """
and call eq ge gt html index js le len lt ne not or print printf println slice urlquery
args externalURL first graphLink humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp label
match now parseDuration pathPrefix query reReplaceAll safeHtml sortByLabel stripDomain stripPort strvalue tableLink
title toDuration toLower toTime toUpper urlQueryEscape value
"""
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""Go's own functions, and those of Prometheus (template/template.go), the newest included."""
VARIABLES: Final = frozenset({"$", "$labels", "$externalLabels", "$externalURL", "$value"})
_KEYWORDS: Final = frozenset(
    {"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with", "nil", "true", "false"}
)
_OPENING: Final = frozenset({"if", "range", "with", "define", "block"})

_TOKEN: Final = re.compile(
    r"""
      (?P<space>   [ \t\r\n]+)
    | (?P<declare> :=)
    | (?P<string>  "(?:[^"\\\n]|\\.)*")
    | (?P<raw>     `[^`]*`)
    | (?P<char>    '(?:[^'\\\n]|\\.)+')
    | (?P<variable>\$\w*)
    | (?P<number>  [-+]? (?: 0[xX][\da-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+ | \d[\d_]*(?:\.[\d_]*)? | \.\d[\d_]* )
                   (?:[eEpP][-+]?\d+)? i? )
    | (?P<field>   \.[^\W\d]\w*)
    | (?P<dot>     \.)
    | (?P<word>    [^\W\d]\w*)
    | (?P<mark>    [|(),=])
    """,
    re.VERBOSE,
)
_TRIMMING: Final = re.compile(r"\{\{-[ \t\r\n]")
_ENDS_A_WORD: Final = re.compile(r"[ \t\r\n.,|:()]|-?\}\}")


class Flaw(NamedTuple):
    """What is wrong with a template, and what to write. ``sure``: Prometheus would refuse it whatever its version."""

    message: str
    fix: str
    sure: bool = True


class Token(NamedTuple):
    """A piece of an action."""

    kind: str
    text: str


class Action:
    """What stands between ``{{`` and ``}}``."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []

    @property
    def keyword(self) -> str:
        """``if``, ``range``, ``end`` ...; empty for an action that prints."""
        first = next((token for token in self.tokens if token.kind != "space"), None)
        return first.text if first is not None and first.kind == "word" and first.text in _KEYWORDS else ""

    @property
    def text(self) -> str:
        """As it was written, blanks aside."""
        return "".join(token.text for token in self.tokens).strip()


class Template(NamedTuple):
    """A template, read. ``flaw`` is the first thing Prometheus would stumble over, or None."""

    actions: list[Action]
    flaw: Flaw | None = None


def read_template(text: str) -> Template:
    """The actions of a text, and what is wrong with them."""
    actions: list[Action] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        # A trimming `{{-` needs a blank after it, and a comment comes right after either.
        inside = start + 4 if _TRIMMING.match(text, start) else start + 2
        if text.startswith("/*", inside):
            position = _after_comment(text, inside)
            if position < 0:
                return Template(actions, Flaw("the comment is not closed", "end it with */}}"))
            continue
        action, position, flaw = _read_action(text, inside)
        actions.append(action)
        if flaw is not None:
            return Template(actions, flaw)
    return Template(actions, _judge(actions))


def _after_comment(text: str, inside: int) -> int:
    end = text.find("*/", inside)
    match = re.compile(r"(?:[ \t\r\n]-)?\}\}").match(text, end + 2) if end >= 0 else None
    return match.end() if match is not None else -1


def _read_action(text: str, position: int) -> tuple[Action, int, Flaw | None]:
    action, start = Action(), text.rfind("{{", 0, position)
    depth = 0
    while True:
        if (closing := _closing(text, position)) and not depth:
            return action, closing, None
        if position >= len(text):
            return action, position, Flaw(f"{shorten(text[start:])!r} is not closed", "end it with }}")
        if closing:
            return action, position, Flaw(f"a ( is not closed in {shorten(text[start:closing])!r}", "add )")
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            return action, position, _bad_character(text, start, position)
        token = Token(match.lastgroup, match.group())
        position = match.end()
        named = token.kind in ("field", "variable", "word")
        if named and position < len(text) and not _ENDS_A_WORD.match(text, position):
            return action, position, _bad_ending(text, start, position)
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if depth < 0:
            return action, position, Flaw(f"a ) closes nothing in {shorten(text[start:position])!r}", "remove it")
        action.tokens.append(token)


def _closing(text: str, position: int) -> int:
    """The position after the action's end if it ends here, else 0. A trimming end needs a blank before its dash."""
    if text.startswith("}}", position):
        return position + 2
    if text.startswith("-}}", position) and position and text[position - 1] in " \t\r\n":
        return position + 3
    return 0


def _bad_character(text: str, start: int, position: int) -> Flaw:
    char = text[position]
    if char in "\"'`":
        return Flaw(f"a quote is not closed: {shorten(text[position:])!r}", f"end it with {char}")
    shown = _shown(text, start, position)
    if char == "{":
        return Flaw("an action begins with three braces", 'write {{ and }}, and a lone brace as {{ "{" }}')
    if char in "=!<>" or text.startswith(("&&", "||"), position):
        return Flaw(
            f"{char!r} is no operator in templates: {shown!r}", 'write a function first: {{ if eq $labels.x "y" }}'
        )
    if char in "+-*/%":
        return Flaw(
            f"{char!r} is no operator in templates: {shown!r}", "do the arithmetic in expr: $value is its result"
        )
    return Flaw(f"unexpected {char!r} in {shown!r}", "remove it")


def _bad_ending(text: str, start: int, position: int) -> Flaw:
    char = text[position]
    shown = _shown(text, start, position)
    if char in "-[/":
        return Flaw(f"{char!r} cannot stand in a label's name here: {shown!r}", 'write {{ index $labels "the-label" }}')
    return Flaw(f"unexpected {char!r} in {shown!r}", "put a blank before it, or remove it")


def _shown(text: str, start: int, position: int) -> str:
    """The action that a place is in, to its end if that is near."""
    end = text.find("}}", position)
    return shorten(text[start : end + 2 if end >= 0 else len(text)])


def shorten(text: str, length: int = 40) -> str:
    """On one line, cut in the end."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 3]}..."


# What actions say ----------------------------------------------------------------------------------------------------


def _judge(actions: list[Action]) -> Flaw | None:
    """The first flaw, in the order in which Go finds them."""
    defined: list[set[str]] = [set(VARIABLES)]
    opened: list[str] = []
    for action in actions:
        keyword = action.keyword
        if keyword == "end":
            if not opened:
                return Flaw("{{ end }} ends nothing", "remove it")
            opened.pop()
            defined.pop()
            continue
        if keyword == "else":
            if not opened or opened[-1] not in ("if", "range", "with"):
                return Flaw("{{ else }} belongs to nothing", "remove it")
        elif keyword in _OPENING:
            opened.append(keyword)
            defined.append(set())
        if flaw := _judge_action(action, defined):
            return flaw
    if opened:
        return Flaw(f"{{{{ {opened[-1]} }}}} has no {{{{ end }}}}", "add {{ end }}")
    return None


def _judge_action(action: Action, defined: list[set[str]]) -> Flaw | None:
    tokens = [token for token in action.tokens if token.kind != "space"]
    if not tokens:
        return Flaw("an action is empty: {{ }}", "write what it should print, or remove it")
    declared = _declared(action)
    for number, token in enumerate(tokens):
        if token.kind == "variable":
            known = set[str]().union(*defined)
            if token.text not in known and token.text not in declared:
                guess = closest(token.text, known)
                fix = f"did you mean {guess!r}?" if guess else f"known: {', '.join(sorted(VARIABLES - {'$'}))}"
                return Flaw(f"the variable {token.text} is not defined", fix)
        elif token.kind == "word" and token.text not in _KEYWORDS and token.text not in FUNCTIONS:
            return _unknown_function(token.text)
        elif token == ("mark", "=") and not _assigned(tokens, number):
            shown = shorten(f"{{{{ {action.text} }}}}")
            return Flaw(f"'=' compares nothing in templates: {shown!r}", 'write {{ if eq $labels.x "y" }}')
    defined[-1].update(declared)
    return None


def _assigned(tokens: list[Token], number: int) -> bool:
    """Whether the `=` gives a variable a new value."""
    doubled = number + 1 < len(tokens) and tokens[number + 1].text == "="
    return number > 0 and tokens[number - 1].kind == "variable" and not doubled


def _declared(action: Action) -> set[str]:
    """The variables that the action brings in."""
    found: set[str] = set()
    waiting: list[str] = []
    for token in action.tokens:
        if token.kind == "variable":
            waiting.append(token.text)
        elif token.kind == "declare" or token == ("mark", "="):  # Go takes an assignment for a declaration
            found.update(waiting)
        elif token.kind != "space" and token.text != ",":
            waiting.clear()
    return found


def _unknown_function(name: str) -> Flaw:
    if name in ("labels", "Labels", "value", "Value", "externalLabels"):
        right = f"${name[0].lower()}{name[1:]}"
        return Flaw(f"the function {name} is not defined", f"did you mean {right!r}?")
    guess = closest(name, FUNCTIONS)
    if guess:
        return Flaw(f"the function {name} is not defined", f"did you mean {guess!r}?")
    return Flaw(f"Prometheus has no function {name} for templates", "see Prometheus' template reference", sure=False)


# Labels that are read ------------------------------------------------------------------------------------------


def labels_read(template: Template) -> Iterator[str]:
    """The labels of the alert that a template surely prints, in order, each once.

    Not those it first asks for (`{{ if $labels.x }}`, `with`, `or`), and not `.Labels` where the dot may be something
    else.
    """
    dotted = not any(action.keyword in ("range", "with", "define", "block", "template") for action in template.actions)
    if any("$labels" in _declared(action) or _assigns(action) for action in template.actions):
        return
    asked: set[str] = set()
    printed: dict[str, None] = {}
    for action in template.actions:
        cautious = bool(action.keyword) or any(token.text in ("or", "and", "not", "if") for token in action.tokens)
        for label in _labels_of(action, dotted):
            if cautious:
                asked.add(label)
            else:
                printed[label] = None
    yield from (label for label in printed if label not in asked)


def _assigns(action: Action) -> bool:
    return ("mark", "=") in action.tokens


def _labels_of(action: Action, dotted: bool) -> Iterator[str]:
    tokens = action.tokens
    for number, token in enumerate(tokens):
        following = tokens[number + 1] if number + 1 < len(tokens) else Token("", "")
        if token == ("variable", "$labels") and following.kind == "field":
            yield following.text[1:]
        elif token == ("field", ".Labels") and following.kind == "field":
            before = tokens[number - 1] if number else Token("space", " ")
            if before == ("variable", "$") or (dotted and before.kind in ("space", "mark")):
                yield following.text[1:]
        elif token == ("word", "index"):
            rest = [item for item in tokens[number + 1 :] if item.kind != "space"][:2]
            if len(rest) == 2 and rest[0] == ("variable", "$labels") and rest[1].kind in ("string", "raw"):
                yield rest[1].text[1:-1]
