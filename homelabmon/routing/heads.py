"""An index of routes by what the values they ask for begin with.

Used by :mod:`homelabmon.routing.levels` and :mod:`homelabmon.routing.cover`. May import: spec.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from homelabmon.spec.matchers import Head, Matcher

T = TypeVar("T")

Tables = list[tuple[int | None, dict[str, list[T]]]]
"""For each length of head there is: the heads, and who waits for a value that begins so."""


class HeadIndex(Generic[T]):
    """Labels, and under each who waits for values of it. Those under one head are in the order they were added."""

    __slots__ = ("tables",)

    def __init__(self) -> None:
        self.tables: dict[str, Tables[T]] = {}

    def add(self, matcher: Matcher, waiting: T) -> None:
        """Let someone wait for what the matcher asks for; it must be one that :func:`can_wait`."""
        tables = self.tables.setdefault(matcher.name, [])
        for head in matcher.heads:
            table = next((table for length, table in tables if length == head.length), None)
            if table is None:
                table = {}
                tables.append((head.length, table))
            table.setdefault(head.text, []).append(waiting)

    def find(self, name: str, value: str) -> Iterator[list[T]]:
        """Who may wait for this value of the label, in lists; nobody waits for the value of a missing label."""
        for length, table in self.tables.get(name, ()):
            if (waiting := table.get(value[:length])) is not None:
                yield waiting


def can_wait(matcher: Matcher) -> bool:
    """Whether it is known what the matcher asks for, and that it is not a missing label."""
    heads = matcher.heads
    return bool(heads) and Head(None, "") not in heads


def count_heads(routes: Iterable[Iterable[Matcher]]) -> Counter[tuple[str, Head]]:
    """How many routes ask for each head of each label."""
    return Counter((matcher.name, head) for matchers in routes for matcher in matchers for head in matcher.heads)


def crowd(matcher: Matcher, counted: Counter[tuple[str, Head]]) -> int:
    """How many routes ask for what the matcher asks for: for the head of which the most do."""
    return max(counted[matcher.name, head] for head in matcher.heads)


def rarest(matchers: Sequence[Matcher], counted: Counter[tuple[str, Head]]) -> Matcher | None:
    """The matcher to wait under: the one for whose heads the fewest routes ask; ``None`` when none can wait."""
    choices = [
        (crowd(matcher, counted), matcher.name, position)
        for position, matcher in enumerate(matchers)
        if can_wait(matcher)
    ]
    return matchers[min(choices)[2]] if choices else None
