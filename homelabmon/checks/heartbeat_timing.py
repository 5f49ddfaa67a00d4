"""heartbeat-timing: times of a heartbeat that make it cry wolf, or miss what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.cron import cron_flaw, shortest_gap
from homelabmon.spec.base import format_duration
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.watch import Heartbeat


def _find(context: Context) -> Iterator[Problem]:
    for number, beat in enumerate(context.stack.heartbeats):
        path: Path = ("heartbeats", number)
        if beat.grace <= timedelta(0):
            message = f"{beat.name!r} has no grace: a run that takes a second is late"
            yield Problem((*path, "grace"), message, "write how late a run may end, such as 1h")
        if beat.start_grace is not None and beat.start_grace > beat.grace:
            message = (
                f"start_grace {format_duration(beat.start_grace)} is longer than grace {format_duration(beat.grace)}: "
                "the run is missed before it may have begun"
            )
            yield Problem((*path, "start_grace"), message, "write a start_grace shorter than grace, or a longer grace")
        gap = _gap(beat)
        if gap is not None:
            yield from _against(gap, beat, path)


def _against(gap: timedelta, beat: Heartbeat, path: Path) -> Iterator[Problem]:
    apart = f"runs of {beat.name!r} are {format_duration(gap)} apart"
    if beat.grace >= gap:
        message = f"{apart}, but one is late only after {format_duration(beat.grace)}: the next run hides a missed one"
        yield Problem((*path, "grace"), message, f"write a grace shorter than {format_duration(gap)}")
    if beat.max_runtime is not None and beat.max_runtime > gap:
        message = f"{apart}, but one may take {format_duration(beat.max_runtime)}: they would overlap"
        yield Problem((*path, "max_runtime"), message, f"write {format_duration(gap)} or less, or run it less often")
    if beat.early_tolerance is not None and beat.early_tolerance >= gap:
        message = (
            f"{apart}, but one may come {format_duration(beat.early_tolerance)} early: each then counts for the next"
        )
        yield Problem((*path, "early_tolerance"), message, f"write less than {format_duration(gap)}")


def _gap(beat: Heartbeat) -> timedelta | None:
    """A time between two runs, the shortest of the first few; None when no schedule is known."""
    if beat.period is not None:
        return beat.period
    if beat.schedule is None or cron_flaw(beat.schedule) is not None:
        return None
    return shortest_gap(beat.schedule)


CHECK = Check(
    "heartbeat-timing",
    Severity.WARNING,
    "A heartbeat's grace, runtime or tolerance does not go together with how often it runs.",
    _find,
    whole=True,
)
