"""non-canonical-cidr: a pool entry that does not say what it seems to say, or that overlaps another."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.pools import Block, Flaw, read_entry
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    blocks: list[tuple[Block, Path]] = []
    for number, text in enumerate(context.stack.cluster.load_balancer.pool):
        path: Path = ("cluster", "load_balancer", "pool", number)
        entry = read_entry(text)
        if isinstance(entry, Flaw):
            yield Problem(path, entry.message, entry.fix)
        else:
            blocks.append((entry, path))
    yield from _overlaps(blocks)


def _overlaps(blocks: list[tuple[Block, Path]]) -> Iterator[Problem]:
    """Each entry that shares an address with one that begins before it."""
    ordered = sorted(blocks, key=lambda item: (item[0].first.version, int(item[0].first), int(item[0].last)))
    widest: Block | None = None
    for block, path in ordered:
        if widest is not None and widest.holds(block.first):
            yield Problem(path, f"{block.text} overlaps {widest.text}", "let each address stand in one entry only")
        if widest is None or not widest.holds(block.last):
            widest = block


CHECK = Check(
    "non-canonical-cidr",
    Severity.ERROR,
    "A pool entry has host bits set, ends before it begins, overlaps another, or is no address range at all.",
    _find,
)
