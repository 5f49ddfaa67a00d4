"""unknown-channel: something is to be told in a channel that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.uses import channel_uses
from homelabmon.spec.findings import Severity


def _find(context: Context) -> Iterator[Problem]:
    if context.partial and not isinstance(context.data.get("channels"), dict):
        return
    known = context.known("channels")
    for path, name in channel_uses(context):
        if name not in known:
            fix = context.guess(name, known, "channels: ")
            yield Problem(path, f"there is no channel {name!r}", fix)


CHECK = Check("unknown-channel", Severity.ERROR, "A channel is named that `channels:` does not define.", _find)
