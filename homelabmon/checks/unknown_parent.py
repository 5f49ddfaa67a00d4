"""unknown-parent: a probe hangs on another that is not there, or that its vantage never sees."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.cycles import cycles
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    probes = context.stack.probes
    known = context.known("probes")
    by_name = {probe.name: probe for probe in probes}
    for number, probe in enumerate(probes):
        path: Path = ("probes", number, "parent")
        if probe.parent is None:
            continue
        parent = by_name.get(probe.parent)
        if probe.parent not in known:
            fix = context.guess(probe.parent, known - {probe.name}, "probes: ") or "remove it, or add the probe"
            yield Problem(path, f"there is no probe {probe.parent!r}", fix)
        elif parent is not None and {probe.from_, parent.from_} == {"cluster", "outpost"}:
            message = (
                f"{probe.name!r} is asked from the {probe.from_}, its parent {parent.name!r} from the {parent.from_}: "
                "who asks the one does not know the other"
            )
            yield Problem(path, message, f"write `from: both` for {parent.name!r}", Severity.WARNING)
    yield from _circles(context)


def _circles(context: Context) -> Iterator[Problem]:
    probes = context.stack.probes
    numbers = {probe.name: number for number, probe in enumerate(probes)}
    for cycle in cycles({probe.name: [probe.parent] if probe.parent else [] for probe in probes}):
        message = f"probes hang on each other in a circle: {' -> '.join((*cycle, cycle[0]))}"
        if len(cycle) == 1:
            message = f"the probe {cycle[0]!r} is its own parent"
        yield Problem(("probes", numbers[cycle[0]], "parent"), message, "remove one `parent`")


CHECK = Check(
    "unknown-parent",
    Severity.ERROR,
    "A probe's `parent` does not exist, hangs on the probe itself, or is asked from elsewhere.",
    _find,
)
