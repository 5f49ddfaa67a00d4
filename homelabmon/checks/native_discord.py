"""native-discord: a forum or a thread in which Alertmanager is to post by itself, which it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.spec.contribution import ALERTS_PEOPLE
from homelabmon.spec.findings import Path, Severity


def _find(context: Context) -> Iterator[Problem]:
    stack = context.stack
    if stack.components.alertmanager is None:
        return
    relay = stack.components.relay if context.offers(ALERTS_PEOPLE) else None
    if relay is not None:
        told = [relay.self_channel or stack.defaults.channel]
        why = "alerts about the relay are posted here by Alertmanager itself"
        instead = "write components.relay.self_channel: a channel that is neither a forum nor a thread"
    else:
        told = list(dict.fromkeys(place.options["channel"] for place in context.routes))
        why = "without the relay Alertmanager itself posts here"
        instead = "add `relay: {}` to components, or take a webhook of an ordinary channel"
    for name in told:
        channel = stack.channels.get(name)
        if channel is None:
            continue
        path: Path = ("channels", name, "discord")
        if channel.discord.thread_id is not None:
            message = f"{why}, and knows no threads: its posts go past the thread, and are refused if it is in a forum"
            fix = instead if relay is not None else f"{instead}, or end the URL in the Secret with ?thread_id=…"
            yield Problem((*path, "thread_id"), message, fix, Severity.WARNING, on_key=True)
        elif channel.discord.forum:
            message = f"{why}, and Discord refuses its posts in a forum, as they give no thread a name"
            yield Problem((*path, "forum"), message, instead, on_key=True)


CHECK = Check(
    "native-discord",
    Severity.ERROR,
    "Alertmanager itself is to post in a forum, or in a thread, which it cannot.",
    _find,
    whole=True,
)
