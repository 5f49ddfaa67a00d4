"""Rows to typed objects and back, field by field: what the tables and :mod:`..incidents.model` have in common.

May import: the incidents' model, the standard library.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final, Generic, TypeVar

from homelabmon.relay.incidents.model import DeadLetter, Episode, Incident, Post

T = TypeVar("T")
Row = tuple[Any, ...]
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Mapped(Generic[T]):
    """One table whose columns are the fields of one dataclass, in order.

    Mappings and lists are stored as JSON, truth values as 0 and 1, everything else as it is.
    """

    def __init__(self, table: str, kind: type[T]) -> None:
        self.table = table
        self.kind = kind
        hints = typing.get_type_hints(kind)
        self.columns: Final = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]  # a dataclass
        self._json = frozenset(number for number, name in enumerate(self.columns) if _holds(hints[name], dict, list))
        self._bool = frozenset(number for number, name in enumerate(self.columns) if _holds(hints[name], bool))
        names = ", ".join(f'"{name}"' for name in self.columns)
        values = ", ".join("?" * len(self.columns))
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in self.columns[1:])
        self.select: Final = f"SELECT {names} FROM {table}"  # noqa: S608  # names of ours
        self.upsert: Final = f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {updates}"  # noqa: S608

    def row(self, item: T) -> Row:
        """The object as a row."""
        values = [getattr(item, name) for name in self.columns]
        for number in self._json:
            values[number] = _encode(values[number])
        for number in self._bool:
            values[number] = int(values[number])
        return tuple(values)

    def item(self, row: Sequence[Any]) -> T:
        """The row as an object."""
        values = list(row)
        for number in self._json:
            values[number] = json.loads(values[number])
        for number in self._bool:
            values[number] = bool(values[number])
        return self.kind(*values)


def _holds(hint: Any, *kinds: type) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_holds(part, *kinds) for part in typing.get_args(hint))
    return (origin or hint) in kinds


EPISODES: Final = Mapped("episodes", Episode)
INCIDENTS: Final = Mapped("incidents", Incident)
POSTS: Final = Mapped("posts", Post)
DEAD_LETTERS: Final = Mapped("dead_letters", DeadLetter)
