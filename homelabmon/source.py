"""Reads a YAML text into plain data plus the position of every key and value. Used by :mod:`homelabmon.load`, and by
the relay for its configuration.

Stricter than YAML on purpose: one document, string keys, no duplicate keys, no anchors, aliases, merge keys or tags,
bounded size and depth. Scalars follow YAML 1.2's core schema (``yes`` and ``on`` are text); dates stay text.

libyaml reads the text, as it is ten times as fast; whatever it refuses is read again by ruamel.yaml, which knows
YAML 1.2 whole and has the last word on what is an error. The relay's container is without it: there libyaml has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

import yaml

from homelabmon.errors import InputError
from homelabmon.spec.findings import Finding, Path, Position

MAX_BYTES: Final = 4_900_000
MAX_DEPTH: Final = 40
_MOST_FINDINGS: Final = 20
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_NUMBER: Final = 300
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Source(NamedTuple):
    """A parsed file: its name, its data, and where every value (and every mapping key) starts."""

    name: str
    data: Any
    values: dict[Path, Position]
    keys: dict[Path, Position]

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        """Where ``path`` stands, or its nearest parent that does. ``key`` prefers the key over the value."""
        for length in range(len(path), -1, -1):
            part = path[:length]
            found = (self.keys.get(part) if key or length < len(path) else None) or self.values.get(part)
            if found is not None:
                return found
        return None


def shown(path: FilePath) -> str:
    """What findings call a file, so that editors and CI find it: as the user named it, with forward slashes.

    What lies below the working directory is told from there, as CI knows files from the root of a repository.
    """
    with suppress(OSError, ValueError):  # no working directory any more, or not below it
        path = FilePath(os.path.abspath(path)).relative_to(FilePath.cwd())  # noqa: PTH100 - a link keeps its name
    return path.as_posix()


def parse(raw: bytes, name: str, top: str = "") -> Source:
    """The data and positions of a YAML file. Raises InputError with every finding that parsing allows to tell.

    ``top``: what to write where there is no mapping at the top; by default, how a stack begins.
    """
    text = _decode(raw, name)
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        conflicts = _conflicts(text, name)
        if conflicts is not None:
            raise conflicts from None
        builder = _parse_slowly(text, name, error)
    if builder.findings:
        raise _conflicts(text, name) or InputError(builder.findings)
    if not isinstance(builder.root, dict):
        raise _conflicts(text, name) or _fail(name, *_not_a_mapping(builder.root, text, top or _TOP_FIX))
    return Source(name, builder.root, builder.values, builder.keys)


def _parse_slowly(text: str, name: str, refusal: yaml.YAMLError) -> _Builder:
    """The same by ruamel.yaml, for texts that libyaml refuses. Raises InputError with the reason."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ModuleNotFoundError:
        if isinstance(refusal, yaml.MarkedYAMLError):
            raise _fail(name, *_explain(refusal, text)) from None
        raise _fail(name, f"not YAML: {refusal}", None, "") from None

    builder = _Builder(name)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise _fail(name, *_explain(error, text)) from None
    except YAMLError as error:
        raise _fail(name, f"not YAML: {error}", None, "") from None
    return builder


_TOP_FIX = "a stack is a mapping that starts with `apiVersion: homelabmon/v1`; `homelabmon init` writes one"


def _not_a_mapping(root: Any, text: str, top: str) -> tuple[str, Position, str]:
    found = "empty" if root is None else f"a {_kind(root)} at the top"
    if isinstance(root, str) and (pair := re.match(r"\s*([A-Za-z_]\w*):(\S+)", text)):
        return (
            "the file is one long text: there is no blank after the colons",
            Position(1, 1),
            f"write `{pair[1]}: {pair[2]}`",
        )
    if isinstance(root, str) and re.match(r"\s*<(!DOCTYPE|html|\?xml)", text, re.IGNORECASE):
        return "the file is a web page", Position(1, 1), "download the file itself (the raw view), not its page"
    return f"the file is {found}", Position(1, 1), top


def _kind(value: object) -> str:
    return {list: "list", str: "text", bool: "truth value", int: "number", float: "number"}.get(type(value), "value")


def _fail(name: str, message: str, position: Position | None, fix: str) -> InputError:
    return InputError([Finding("yaml", message, fix, file=name, position=position)])


def _decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        size = f"the file has {len(raw):,} bytes; a stack has at most {MAX_BYTES:,}"
        raise _fail(name, size, None, "is this the right file? Large dashboards belong into ConfigMaps of their own")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        position = Position(before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        message = f"the file is not UTF-8: byte 0x{raw[error.start]:02x}"
        raise _fail(name, message, position, "save it as UTF-8") from None
    control = _CONTROL.search(text)
    if control is not None:
        line, column = text.count("\n", 0, control.start()) + 1, control.start() - text.rfind("\n", 0, control.start())
        message = f"control character {control.group()!r} is not allowed in YAML"
        raise _fail(name, message, Position(line, column), "remove it")
    return text


def _explain(error: Any, text: str) -> tuple[str, Position | None, str]:
    """What is wrong, where, and what to write, in a user's words as far as they are known."""
    mark, lines = error.problem_mark or error.context_mark, text.split("\n")
    number = mark.line if mark is not None else 0
    position = None if mark is None else Position(number + 1, mark.column + 1)
    line = lines[number] if mark is not None and number < len(lines) else ""
    problem, context = error.problem or error.context or "cannot be read", error.context or ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab is used for indentation", position, "use spaces: YAML does not allow tabs here"
    if "cannot start any token" in problem and mark is not None and line[mark.column : mark.column + 1] in "@`%":
        return f"an unquoted text cannot start with {line[mark.column]!r}", position, "put the text in quotes"
    if "mapping values are not allowed" in problem:
        return "a colon followed by a space stands inside an unquoted text", position, "put the text in quotes"
    began = error.context_mark
    opened = lines[began.line][began.column : began.column + 1] if began is not None and began.line < len(lines) else ""
    if "unknown escape character" in problem and mark is not None:
        escape = line[mark.column : mark.column + 1]
        fix = "put the text in single quotes, or write the backslash twice"
        return f"\\{escape} means nothing between double quotes", position, fix
    if opened and opened in "\"'" and "quoted scalar" in context:
        return f"a {opened} is opened here and never closed", _at(began), f"close the quote with another {opened}"
    if opened and opened in "{[" and "flow" in context:
        close = "}" if opened == "{" else "]"
        message = f"the {opened} that is opened here is not closed, or a comma is missing before line {number + 1}"
        return message, _at(began), f"write the {close}, or the comma"
    if "expected ':'" in problem and began is not None:
        return (
            f"the line {_cut(lines[began.line])!r} has no colon",
            _at(began),
            "write `key: value`, or remove the line",
        )
    if "expected <block end>" in problem and "<scalar>" in problem:
        return "a text goes on after its closing quote", position, "put the whole text in one pair of quotes"
    if "expected <block end>" in problem:
        return (
            "this line is indented neither like those before it nor deeper than its parent",
            position,
            "indent the keys of one mapping, and the dashes of one list, by the same number of spaces",
        )
    return f"not YAML: {problem}" + (f" ({context})" if context else ""), position, ""


def _at(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _cut(line: str) -> str:
    return line.strip() if len(line.strip()) <= 60 else f"{line.strip()[:57]}..."


_CONFLICT: Final = re.compile(r"^(?:<{7} |>{7} |\|{7} |={7}$)", re.MULTILINE)


def _conflicts(text: str, name: str) -> InputError | None:
    """What Git leaves in a file that two sides have changed: nothing else about such a file is worth saying."""
    if not re.search(r"^<{7} ", text, re.MULTILINE):
        return None
    findings = [
        Finding(
            "yaml",
            f"Git could not merge here: {_cut(text[match.start() : _line_end(text, match.start())])!r}",
            "take what is right of both sides, and remove the marker",
            file=name,
            position=Position(text.count("\n", 0, match.start()) + 1, 1),
        )
        for match in islice(_CONFLICT.finditer(text), _MOST_FINDINGS)
    ]
    return InputError(findings)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


class _Builder:
    """Turns parser events into data, without recursion, noting positions and what is not allowed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Any = None
        self.values: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self.findings: list[Finding] = []
        self._documents = 0
        self._open: list[tuple[Path, Any]] = []
        self._key: list[str | None] = []

    def take(self, event: Any) -> None:
        """Takes one event, of PyYAML's or ruamel.yaml's, which are alike."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, {} if kind == "MappingStartEvent" else [])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._key.pop()
        elif kind == "AliasEvent":
            message = f"alias *{event.anchor} is not supported"
            self._complain(event, message, "write the value out: an alias hides where an error is")
            self._place(None, event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise InputError(
                    [*self.findings, self._finding(event, "a second document starts here", "remove `---`")]
                )

    def _start(self, event: Any, container: Any) -> None:
        self._decorations(event)
        if len(self._open) >= MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise InputError([Finding("yaml", message, "flatten it", file=self.name, position=_position(event))])
        if self._open and isinstance(self._open[-1][1], dict) and self._key[-1] is None:
            fix = "keys are texts; a text that begins with { or [ stands in quotes"
            raise InputError([self._finding(event, "a key is a list or a mapping", fix)])
        path = self._place(container, event)
        self._open.append((path, container))
        self._key.append(None)

    def _scalar(self, event: Any) -> None:
        self._decorations(event)
        if self._open and isinstance(self._open[-1][1], dict) and self._key[-1] is None:
            self._name(event)
            return
        self._place(self._convert(event), event)

    def _name(self, event: Any) -> None:
        path, container = self._open[-1]
        key = event.value
        if key == "<<" and event.implicit[0]:
            self._complain(event, "merge key << is not supported", "write the keys out")
        if key in container:
            first = self.keys[(*path, key)]
            self._complain(event, f"the key {key!r} stands twice (first in line {first.line})", "keep one of them")
            key = f"{key}\0{len(container)}"
        self._key[-1] = key
        self.keys[(*path, key)] = _position(event)

    def _place(self, value: Any, event: Any) -> Path:
        if not self._open:
            path: Path = ()
            self.root = value
        else:
            parent, container = self._open[-1]
            if isinstance(container, dict):
                key = self._key[-1]
                assert key is not None
                path = (*parent, key)
                container[key] = value
                self._key[-1] = None
            else:
                path = (*parent, len(container))
                container.append(value)
        self.values[path] = _position(event)
        return path

    def _convert(self, event: Any) -> Any:
        text: str = event.value
        if odd := _UNPRINTABLE.search(text):
            self._complain(event, f"the character {odd.group()!r} cannot be written", "remove it")
        return resolve(text) if event.implicit[0] and event.style in (None, "") else text

    def _decorations(self, event: Any) -> None:
        if event.anchor is not None:
            message = f"anchor &{event.anchor} is not supported"
            self._complain(event, message, "write the value out where it is needed: an alias hides where an error is")
        if event.tag is not None and event.tag != "!":
            self._complain(event, f"tag {event.tag} is not supported", "remove it")

    def _complain(self, event: Any, message: str, fix: str) -> None:
        self.findings.append(self._finding(event, message, fix))
        if len(self.findings) == _MOST_FINDINGS:
            more = self._finding(event, f"more than {_MOST_FINDINGS} such mistakes", "the rest is not listed")
            raise InputError([*self.findings, more])

    def _finding(self, event: Any, message: str, fix: str) -> Finding:
        path = self._open[-1][0] if self._open else ()
        return Finding("yaml", message, fix, path, file=self.name, position=_position(event))


def resolve(text: str) -> Any:
    """The value of a plain scalar, by the core schema of YAML 1.2 (section 10.3.2)."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if text[0] not in "-+.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


def _position(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


def walk(data: Any) -> Iterator[tuple[Path, Any]]:
    """Every scalar inside plain data, with its path, in order."""
    stack: list[tuple[Path, Any]] = [((), data)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack.extend(((*path, key), item) for key, item in reversed(value.items()))
        elif isinstance(value, (list, tuple)):
            stack.extend(((*path, index), item) for index, item in reversed(list(enumerate(value))))
        else:
            yield path, value
