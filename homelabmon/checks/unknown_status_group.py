"""unknown-status-group: a heartbeat or probe is in a group that the status page does not have."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    page = context.stack.status_page
    if page is None or not page.groups:
        return
    known = {group.name for group in page.groups}
    for section in ("heartbeats", "probes"):
        for number, item in enumerate(getattr(context.stack, section)):
            if item.group and item.group not in known:
                message = f"the status page has no group {item.group!r}, so {item.name!r} is not shown"
                yield Problem((section, number, "group"), message, context.guess(item.group, known, "groups: "))


CHECK = Check(
    "unknown-status-group",
    Severity.WARNING,
    "A heartbeat or probe is in a group that the status page does not list: it is not shown.",
    _find,
    whole=True,
)
