"""unused-channel: a channel in which nobody is ever told anything."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.uses import channel_uses
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    used = {name for path, name in channel_uses(context) if path[0] != "tests"}
    for name in context.stack.channels:
        if name not in used:
            message = f"nothing is ever told in the channel {name!r}"
            yield Problem(("channels", name), message, "name it in a route, or remove it", on_key=True)


CHECK = Check(
    "unused-channel", Severity.WARNING, "No route, heartbeat, probe or fallback leads to a channel.", _find, whole=True
)
