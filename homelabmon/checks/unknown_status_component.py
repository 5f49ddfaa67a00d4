"""unknown-status-component: the status page is to show something it does not know, or never hears about."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    page = context.stack.status_page
    if page is None:
        return
    known = context.known("heartbeats") | context.known("probes")
    unseen = dict(_unseen(context))
    for number, group in enumerate(page.groups):
        for index, component in enumerate(group.components):
            name, path = component.name, _path(context, ("status_page", "groups", number, "components", index))
            if name not in known:
                yield Problem(
                    path, f"there is no heartbeat or probe {name!r}", context.guess(name, known, "there are: ")
                )
            elif name in unseen:
                yield Problem(path, *unseen[name], Severity.WARNING)
    listed = {group.name for group in page.groups}
    for section in ("heartbeats", "probes"):
        for number, item in enumerate(getattr(context.stack, section)):
            if item.group in listed and item.name in unseen:
                yield Problem((section, number, "group"), *unseen[item.name], Severity.WARNING)


def _path(context: Context, component: Path) -> Path:
    """A component is its name, or has one."""
    return (*component, "name") if context.says(*component, "name") else component


def _unseen(context: Context) -> Iterator[tuple[str, tuple[str, str]]]:
    """What only the cluster watches: the status page is served by the outpost, which never hears of it."""
    for probe in context.stack.probes:
        if probe.from_ == "cluster":
            message = f"the probe {probe.name!r} is asked from the cluster: the status page never hears of it"
            yield probe.name, (message, "write `from: both` or `from: outpost`, or take it off the page")
    for beat in context.stack.heartbeats:
        if beat.cronjob is not None:
            message = f"the heartbeat {beat.name!r} is read in the cluster: the status page never hears of it"
            yield beat.name, (message, "let the job ping the outpost instead of `cronjob`, or take it off the page")


CHECK = Check(
    "unknown-status-component",
    Severity.ERROR,
    "The status page lists something that does not exist, or that the outpost never hears of.",
    _find,
)
