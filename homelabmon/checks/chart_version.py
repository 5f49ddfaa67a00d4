"""chart-version: a chart pinned to a version with another major number than the one homelabmon was tested with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.components import blackbox, falco, kps, loki, vector
from homelabmon.spec.findings import Path, Severity

TESTED: Final = {module.CHART.name: module.CHART.version for module in (kps, loki, vector, falco, blackbox)}


def _find(context: Context) -> Iterator[Problem]:
    for name, pin in context.stack.charts.items():
        tested = TESTED.get(name)
        path: Path = ("charts", name)
        if tested is not None and _major(pin.version) != _major(tested):
            message = f"{name} {pin.version} has another major version than the one that was tested, {tested}"
            yield Problem(path, message, "read the chart's upgrade notes, and look at the diff of the rendered values")


def _major(version: str) -> tuple[str, ...]:
    """The part of a version that announces a break: before 1.0 that is the minor number."""
    numbers = version.removeprefix("v").split(".")
    return tuple(numbers[:2]) if numbers[0] == "0" else (numbers[0],)


CHECK = Check(
    "chart-version",
    Severity.INFO,
    "A chart is pinned to another major version than the one homelabmon was tested with.",
    _find,
)
