"""YAML out, for readers that differ, and YAML in, for templates.

Written for Kubernetes: its readers (Go, YAML 1.1 and 1.2 mixed) must see the same value that we meant, so every text
that any of them could take for something else is quoted. Same data, same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import yaml

from homelabmon.errors import RenderError

# What a YAML 1.1, a YAML 1.2 or Go's reader takes for something other than text: truth values, null, numbers
# (1_000, 0777, 0o17, 1e3, .5, 12:30:00), dates, merge and value keys.
_AMBIGUOUS: Final = re.compile(
    r"(?i:y|n|yes|no|on|off|true|false|null|~|nan|[-+]?\.(?:inf|nan))|=|<<"
    r"|[-+]?[.\d][-+.,:_xob\da-fA-F]*(?:[eE][-+]?\d+)?|\d{4}-\d\d?-\d\d?(?:[Tt\s].*)?"
)
_NOT_FIRST: Final = frozenset("-?:,[]{}#&*!|>'\"%@` ")
_WORDS: Final = {True: "true", False: "false", None: "null"}
_CONTAINERS: Final = (dict, list, tuple, Mapping)
"""Mapping last: to ask an abstract class takes longest."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump(*documents: Any) -> str:
    """Documents (mappings, lists and scalars) as YAML text: block style, keys in the order given, no folding.

    PyYAML's own writer takes five times as long; a property test holds that it, and ruamel.yaml, read the same.
    """
    lines: list[str] = []
    for document in documents:
        if len(documents) > 1:
            lines.append("---")
        _block(document, "", lines)
    return "\n".join(lines) + "\n"


def _block(value: Any, indent: str, lines: list[str]) -> None:
    if isinstance(value, (list, tuple)) and value:
        for item in value:
            _item(item, indent, lines)
    elif isinstance(value, (dict, Mapping)) and value:
        for key, item in value.items():
            _entry(f"{indent}{_text(key)}:", item, indent, lines)
    else:
        lines.append(indent + _scalar(value, indent))


def _entry(head: str, value: Any, indent: str, lines: list[str]) -> None:
    """``key:`` and its value; a list stands at the key's own column, as is usual in Kubernetes manifests."""
    if isinstance(value, str) or not value or not isinstance(value, _CONTAINERS):
        lines.append(f"{head} {_scalar(value, indent)}")
        return
    lines.append(head)
    _block(value, indent if isinstance(value, (list, tuple)) else indent + "  ", lines)


def _item(value: Any, indent: str, lines: list[str]) -> None:
    """``- `` and its value, whose first line stands behind the dash."""
    if isinstance(value, _CONTAINERS) and value:
        start = len(lines)
        _block(value, indent + "  ", lines)
        lines[start] = f"{indent}- {lines[start][len(indent) + 2 :]}"
    else:
        lines.append(f"{indent}- {_scalar(value, indent)}")


def _scalar(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return _literal(value, indent) if "\n" in value and _fits_literal(value) else _text(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise RenderError(f"a value of type {type(value).__name__} cannot be written as YAML: {value!r}")


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), ".nan")
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    sign = "" if exponent.startswith("-") else "+"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign}{exponent.lstrip('+')}"


def _fits_literal(value: str) -> bool:
    """Whether a block scalar keeps the text to the byte: it starts with a word, and nothing odd is in it."""
    if not value[0].isprintable() or value[0] == " ":
        return False
    return all((not line or line.isprintable()) and not line.endswith(" ") for line in value.split("\n"))


def _literal(value: str, indent: str) -> str:
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    chomp = "-" if ends == 0 else "" if ends == 1 else "+"
    inner = indent + "  "
    shown = "\n".join(inner + line if line else "" for line in body.split("\n"))
    return f"|{chomp}\n{shown}" + "\n" * max(0, ends - 1)


@lru_cache(maxsize=1 << 12)  # keys, names and labels stand in every other file
def _text(value: str) -> str:
    """A text in one line: plain where no reader can mistake it, else in quotes."""
    if not isinstance(value, str):
        raise RenderError(f"a key of type {type(value).__name__} cannot be written as YAML: {value!r}")
    if not value.isprintable():
        return _double_quoted(value)
    if (
        value
        and value[0] not in _NOT_FIRST
        and value[-1] not in ": "
        and ": " not in value
        and " #" not in value
        and not _AMBIGUOUS.fullmatch(value)
    ):
        return value
    if "'" not in value or '"' in value:
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    return _double_quoted(value)


def _double_quoted(value: str) -> str:
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(named.get(char) or (char if char.isprintable() else _escape(char)) for char in value) + '"'


def _escape(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class _TemplateLoader(_Loader):  # type: ignore[misc]
    """Refuses duplicate keys; dates, merge keys and ``=`` stay what they look like: text."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # PyYAML says why
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":timestamp", ":merge", ":value"))]
    for first, pairs in _Loader.yaml_implicit_resolvers.items()
}


class _NotPlainError(Exception):
    """The text has anchors, tags, or keys that are no texts: PyYAML's own loader knows what they mean."""


def _load_plainly(text: str) -> list[Any]:
    """What the loader makes of a text, in half the time. Raises _NotPlainError, and yaml.YAMLError for no YAML."""
    take = _TemplateLoader(text).get_event
    documents = []
    while type(event := take()) is not yaml.StreamEndEvent:
        if isinstance(event, yaml.NodeEvent):
            documents.append(_value(event, take))
    return documents


def _value(event: Any, take: Callable[[], Any]) -> Any:
    """The value that starts with an event; the rest of it is taken from the events that follow."""
    kind = type(event)
    if event.anchor is not None or event.tag is not None:  # an alias has no tag, but an anchor
        raise _NotPlainError
    if kind is yaml.ScalarEvent:
        return _resolve(event.value) if event.implicit[0] else event.value
    if kind is yaml.SequenceStartEvent:
        items = []
        while type(item := take()) is not yaml.SequenceEndEvent:
            items.append(_value(item, take))
        return items
    mapping: dict[str, Any] = {}
    while type(key_event := take()) is not yaml.MappingEndEvent:
        key = _value(key_event, take)
        if type(key) is not str or key in mapping:
            raise _NotPlainError
        mapping[key] = _value(take(), take)
    return mapping


@lru_cache(maxsize=1 << 12)
def _resolve(text: str) -> Any:
    """The value of a text without quotes."""
    if text[:1] not in _TemplateLoader.yaml_implicit_resolvers:
        return text
    loader = _TemplateLoader("")
    return loader.construct_document(yaml.ScalarNode(loader.resolve(yaml.ScalarNode, text, (True, False)), text))


def load_all(text: str, origin: str) -> list[Any]:
    """Every non-empty document of a YAML text. Raises RenderError that names ``origin`` and the line."""
    try:
        try:
            documents = _load_plainly(text)
        except _NotPlainError:
            documents = list(yaml.load_all(text, Loader=_TemplateLoader))
        return [document for document in documents if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line if mark is not None else 0
        shown = [*text.split("\n"), ""][line].strip()
        raise RenderError(f"{origin}: not YAML after rendering, line {line + 1}: {error.problem}: {shown!r}") from None
    except yaml.YAMLError as error:
        raise RenderError(f"{origin}: not YAML after rendering: {error}") from None


def load_one(text: str, origin: str) -> dict[str, Any]:
    """The one mapping in a YAML text; an empty text is an empty mapping. Raises RenderError otherwise."""
    documents = load_all(text, origin)
    if not documents:
        return {}
    if len(documents) > 1 or not isinstance(documents[0], dict):
        raise RenderError(f"{origin}: must render to one YAML mapping")
    return documents[0]
