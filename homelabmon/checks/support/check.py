"""The contract of a check, and how what it says becomes a finding. Imported by every check and by the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Finding, Path, Severity


class Problem(NamedTuple):
    """One thing a check has to say: where, what is wrong (with the value), and what to write instead.

    ``severity`` differs from the check's own only where it is given. ``on_key``: the key is meant, not its value.
    ``in_source``: ``path`` is a way through the file as written, not through the stack (list indexes differ where the
    schema cut something out).
    """

    path: Path
    message: str
    fix: str = ""
    severity: Severity | None = None
    on_key: bool = False
    in_source: bool = False


class Check(NamedTuple):
    """A check: its id (file name, docs page, link), how much it matters, and a pure function that finds problems.

    ``about`` is its line in the docs. A ``whole`` check says nothing about a stack of which parts were cut out because
    they do not fit the schema: what it would miss there would make it accuse the innocent.
    """

    id: str
    severity: Severity
    about: str
    find: Callable[[Context], Iterator[Problem]]
    whole: bool = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Every finding, in the order of the stack. Never raises, never prints."""
        if self.whole and context.partial:
            return
        for problem in self.find(context):
            yield self.finding(context, problem)

    def finding(self, context: Context, problem: Problem) -> Finding:
        """A problem with its place in the file."""
        path = problem.path if problem.in_source else context.written(problem.path)
        position = context.source.position(path, key=problem.on_key) if context.source else None
        return Finding(
            self.id,
            problem.message,
            problem.fix,
            path,
            problem.severity or self.severity,
            context.source.name if context.source else "stack.yaml",
            position,
        )
