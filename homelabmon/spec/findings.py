"""A finding: one result of a check, as a value. Checks return findings; nobody raises or prints them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelabmon.spec import names


class Severity(StrEnum):
    """How much a finding matters: ``error`` stops ``render``, ``warning`` fails ``check``, ``info`` is a remark."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Position(NamedTuple):
    """A place in a text file, both counted from 1."""

    line: int
    column: int


Path = tuple[str | int, ...]
"""The way to a value in stack.yaml: keys and list indexes, ``("routes", 0, "channel")``."""


class Finding(NamedTuple):
    """One thing a check found.

    ``message`` says what is wrong and names the value; ``fix`` says what to write instead. ``file`` and ``position``
    are filled in by whoever knows the source, from ``path``.
    """

    check: str
    message: str
    fix: str = ""
    path: Path = ()
    severity: Severity = Severity.ERROR
    file: str = "stack.yaml"
    position: Position | None = None

    @property
    def docs(self) -> str:
        """Where the check is explained."""
        return f"{names.CHECKS_URL}/{self.check}.md"

    def render(self) -> str:
        """One line: ``stack.yaml:5:3: routes[0].channel: message; fix``."""
        place = self.file if self.position is None else f"{self.file}:{self.position.line}:{self.position.column}"
        where = f" {format_path(self.path)}:" if self.path else ""
        fix = f"; {self.fix}" if self.fix else ""
        return safe(f"{place}:{where} {self.message}{fix}")


def safe(text: str) -> str:
    """The text without anything that looks like a credential, wherever a user may have put one."""
    from homelabmon.spec.secrets import redact

    return redact(text)


def format_path(path: Path) -> str:
    """``("routes", 0, "channel")`` as ``routes[0].channel``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part:
            text += "['']"
        else:
            text += f".{part}" if text else part
    return text
