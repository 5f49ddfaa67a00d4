"""Circles in who refers to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """One circle for each group of names that reach one another, in the order in which the names are given.

    Takes time in proportion to names and edges. Edges to unknown names are nobody's business here.
    """
    for group in _groups(edges):
        members = set(group)
        if len(group) > 1 or group[0] in edges[group[0]]:
            start = next(name for name in edges if name in members) if len(group) > 1 else group[0]
            yield _circle(start, edges, members)


def _circle(start: str, edges: Mapping[str, Sequence[str]], members: set[str]) -> tuple[str, ...]:
    """The shortest way from a name back to itself inside its group."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for target in edges[name]:
            if target == start:
                way = [name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if target in members and target not in came_from:
                came_from[target] = name
                waiting.append(target)
    raise AssertionError(f"{start} is in no circle")


def _groups(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Tarjan's strongly connected components, without recursion."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in edges:
        if root in number:
            continue
        work = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, targets = work[-1]
            for target in targets:
                if target not in edges:
                    continue
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[name] = min(low[name], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    yield _take(stack, on_stack, name)


def _take(stack: list[str], on_stack: set[str], name: str) -> list[str]:
    group = []
    while True:
        member = stack.pop()
        on_stack.remove(member)
        group.append(member)
        if member == name:
            return group
