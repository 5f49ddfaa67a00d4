"""Compiled templates, kept in one file between runs. Used by :mod:`homelabmon.render.templates`.

Jinja's own cache reads a file a template, and reads it bit by bit: 9 ms more for the example. A template counts as the
same as long as its text is.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any, Final

import jinja2
from jinja2.bccache import Bucket

_MOST: Final = 400
"""How many templates are kept at most; a stack has about 40, and users' own stand in folders of their own."""


class Compiled(jinja2.BytecodeCache):
    """What a folder keeps; :meth:`keep` writes what is new to it.

    Whatever is wrong with the file (another version's, cut short, gone) costs the time to compile and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"templates-{sys.implementation.cache_tag}-jinja-{jinja2.__version__}"
        self._new: dict[str, tuple[str, CodeType]] = {}

    @cached_property
    def _kept(self) -> dict[str, tuple[str, CodeType]]:
        try:
            kept: Any = marshal.loads(self._file.read_bytes())  # noqa: S302 - as Python does with its own .pyc files
        except (OSError, EOFError, ValueError, TypeError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The template's place: a user's own replaces ours under the same name."""
        return filename or name

    def get_source_checksum(self, source: str) -> str:
        """The text itself, which is shorter than to explain why a hash is enough."""
        return source

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code, if it was compiled from the same text."""
        source, code = self._kept.get(bucket.key, ("", None))
        if source == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember what has just been compiled."""
        if bucket.code is not None:
            self._new[bucket.key] = (bucket.checksum, bucket.code)

    def keep(self) -> None:
        """Write down what was compiled. A folder that cannot be written is no loss."""
        if not self._new:
            return
        kept = {**self._kept, **self._new} if len(self._kept) < _MOST else self._new
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            beside.write_bytes(marshal.dumps(kept))
            beside.replace(self._file)
        except OSError:
            beside.unlink(missing_ok=True)
