"""depends-on-cycle: things that stand on each other in a circle, and so silence each other's alerts."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.cycles import cycles
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    things = context.stack.depends_on
    for cycle in cycles({name: thing.on for name, thing in things.items()}):
        path = ("depends_on", cycle[0], "on")
        if len(cycle) == 1:
            yield Problem(path, f"{cycle[0]!r} depends on itself", "remove it from `on`")
            continue
        message = (
            f"these depend on each other in a circle and would silence one another: {' -> '.join((*cycle, cycle[0]))}"
        )
        yield Problem(path, message, "cut the arrow that is not true")


CHECK = Check(
    "depends-on-cycle",
    Severity.ERROR,
    "Things depend on each other in a circle: their alerts silence one another.",
    _find,
)
