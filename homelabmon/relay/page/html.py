"""HTML elements as values. Whatever is not an element is text, and is escaped. May import: the standard library."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

VOID: Final = frozenset({"meta", "link", "input", "br", "hr"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
"""An element, a text, nothing, or several of these."""


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """One element. ``class_`` is the attribute ``class``, ``data_x`` is ``data-x``; None and False leave one out."""
    opened = f"<{name}{''.join(map(_attribute, attributes, attributes.values()))}>"
    return Html(opened if name in VOID else f"{opened}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Several, one after the other."""
    return Html("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, (str, int)):
        return escape(_printable(str(child)))
    return join(child)


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    shown = name.rstrip("_").replace("_", "-")
    return f" {shown}" if value is True else f' {shown}="{escape(_printable(str(value)))}"'


def _printable(text: str) -> str:
    """Without what HTML cannot hold: control characters and lone surrogates."""
    return (
        "".join(char if char >= " " or char in "\n\t" else "\ufffd" for char in text)
        .encode("utf-8", "replace")
        .decode()
    )


def web_address(address: str) -> str | None:
    """The address where it leads to the web; None for ``javascript:`` and its like."""
    return address if address.startswith(("https://", "http://")) else None
