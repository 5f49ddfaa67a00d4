"""unknown-window-component: a maintenance window names a heartbeat or probe that is not there, or not the outpost's."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    known = context.known("heartbeats") | context.known("probes")
    inside = {probe.name for probe in context.stack.probes if probe.from_ == "cluster"}
    inside |= {beat.name for beat in context.stack.heartbeats if beat.cronjob is not None}
    for number, window in enumerate(context.stack.maintenance):
        for index, name in enumerate(window.components):
            path: Path = ("maintenance", number, "components", index)
            if name not in known:
                fix = context.guess(name, known, "there are: ") or "add it to `probes` or `heartbeats`"
                yield Problem(path, f"there is no heartbeat or probe {name!r}", fix)
            elif name in inside:
                message = (
                    f"{name!r} is watched from the cluster only: the outpost, which this is for, never tells of it"
                )
                fix = "remove it here, and name the route of its alerts in the window's `routes`"
                yield Problem(path, message, fix, Severity.WARNING)


CHECK = Check(
    "unknown-window-component",
    Severity.ERROR,
    "A maintenance window names a heartbeat or probe that does not exist, or that only the cluster watches.",
    _find,
)
