"""Markdown for GitHub that shows a text as it stands, whatever is in it. Knows nothing of stacks.

Entities rather than backslashes: they mean the same inside table cells, code and link texts, and no reader of links or
formulas takes them for anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

# Underscores inside a word are left alone by GitHub, and names are full of them.
_SPECIAL: Final = re.compile(r"[&<>|\[\]*`~$\\]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START: Final = re.compile(r"^(?:[#+=-]+|\d+[.)])(?=\s|$)")

_ENDS_ADDRESS: Final = re.compile(r"[\s<>()|\\`\"]")


def plain(value: object) -> str:
    """A text on one line, with everything that Markdown or HTML would read as markup made harmless."""
    text = " ".join(str(value).split())
    escaped = _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", text)
    return _LINE_START.sub(lambda match: f"&#{ord(match[0][0])};{match[0][1:]}", escaped)


def code(value: object) -> str:
    """A text in fixed width. As HTML where a code span would end early or split a table row."""
    text = " ".join(str(value).split())
    if text and not re.search(r"[`|]", text):
        return f"`{text}`"
    return f"<code>{_SPECIAL.sub(lambda match: f'&#{ord(match.group())};', text)}</code>"


def link(text: str, address: str) -> str:
    """A link; ``text`` is Markdown already. In the address, whatever could end it is percent-encoded."""
    return f"[{text}]({_ENDS_ADDRESS.sub(_percent, address)})"


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def listed(items: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return " ".join([", ".join(items[:-1]), last, items[-1]]) if len(items) > 1 else "".join(items)


def blocks(*parts: Iterable[str]) -> list[str]:
    """Blocks of lines with an empty line between them; what is empty is left out."""
    lines: list[str] = []
    for part in parts:
        found = list(part)
        if found:
            lines += ["", *found] if lines else found
    return lines


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table as lines, without the columns in which no row has anything. Nothing without rows. Cells are Markdown."""
    found = list(rows)
    kept = [number for number in range(len(head)) if any(row[number] for row in found)]
    lines = [[row[number] for number in kept] for row in (head, ["---"] * len(head), *found)]
    return [f"| {' | '.join(cells)} |" for cells in lines] if found else []


def fenced(language: str, text: str) -> list[str]:
    """A block of code as lines, with a fence longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}{language}", *text.rstrip("\n").split("\n"), fence]
