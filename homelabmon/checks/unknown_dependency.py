"""unknown-dependency: a thing stands on something that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    known = context.known("depends_on")
    for name, thing in context.stack.depends_on.items():
        for number, below in enumerate(thing.on):
            if below not in known:
                message = f"there is nothing called {below!r} in depends_on"
                fix = context.guess(below, known - {name}, "there are: ")
                yield Problem(("depends_on", name, "on", number), message, fix or f"add `{below}:` to depends_on")


CHECK = Check("unknown-dependency", Severity.ERROR, "`on:` names a thing that `depends_on:` does not define.", _find)
