"""Secrets that lie in files: read when needed, read again when they change, shown nowhere.

Asked by the doors (tokens) and by delivery (webhooks). May import: the standard library.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

_MOST: Final = 65_536


class SecretError(Exception):
    """A secret cannot be had: which file, and why. Never quotes the content."""


class SecretText:
    """A secret. Its text is had by :meth:`reveal` only; printed, logged or formatted it is ``[redacted]``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends or compares it."""
        return self._text

    def matches(self, offered: bytes) -> bool:
        """Whether the offered bytes are the secret, in a time that tells nothing about how much of it was right."""
        return hmac.compare_digest(self._text.encode(), offered)

    def __repr__(self) -> str:
        return "[redacted]"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "[redacted]"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be copied to where it can be read")


_Seen = tuple[int, int, int, int]


class SecretFile:
    """A file with one secret, or with several, one a line.

    It is looked at whenever the secret is asked for, and read when it is another one than before. Kubernetes swaps a
    symbolic link when a Secret changes: what the path leads to is compared, not the path. ``version`` grows whenever
    the content has changed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._path = Path(path)
        self.version = 0
        self._seen: _Seen | None = None
        self._content: bytes | None = None
        self._lines: tuple[SecretText, ...] = ()
        self._flaw = ""

    def all(self) -> tuple[SecretText, ...]:
        """Every secret in the file, at least one. Blank lines and spaces around a line do not count.

        Raises SecretError: no such file, empty, not readable, not a text, or a line with a space inside.
        """
        self.refresh()
        if self._flaw:
            raise SecretError(f"{self.path}: {self._flaw}")
        return self._lines

    def one(self) -> SecretText:
        """The only secret in the file. Raises SecretError as :meth:`all` does, and when there are several lines."""
        lines = self.all()
        if len(lines) > 1:
            raise SecretError(f"{self.path}: holds {len(lines)} lines: it must hold one")
        return lines[0]

    def refresh(self) -> int:
        """Looks at the file, reads it again if it is another one, and returns ``version``."""
        try:
            seen = _look(self._path)
            if seen != self._seen:
                self._take(_read(self._path))
                self._seen = seen
        except OSError as error:
            self._seen = None
            self._set(None, (), f"cannot be read: {error.strerror}")
        return self.version

    def _take(self, content: bytes) -> None:
        if len(content) > _MOST:
            self._set(content, (), f"is larger than {_MOST:,} bytes: is this the right file?")
            return
        try:
            lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
        except UnicodeDecodeError:
            self._set(content, (), "is not UTF-8 text")
            return
        lines = [line for line in lines if line]
        if not lines:
            self._set(content, (), "is empty")
        elif any(not char.isprintable() or char.isspace() for line in lines for char in line):
            self._set(content, (), "has a space or a control character inside a line")
        else:
            self._set(content, tuple(SecretText(line) for line in lines), "")

    def _set(self, content: bytes | None, lines: tuple[SecretText, ...], flaw: str) -> None:
        if content != self._content or self.version == 0:
            self.version += 1
        self._content, self._lines, self._flaw = content, lines, flaw

    def __repr__(self) -> str:
        return f"SecretFile({self.path!r})"


def _look(path: Path) -> _Seen:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST + 1)
