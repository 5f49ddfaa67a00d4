"""Where the stack names things that other sections define."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelabmon.spec.findings import Path

if TYPE_CHECKING:
    from homelabmon.checks.support.context import Context


def channel_uses(context: Context) -> Iterator[tuple[Path, str]]:
    """Every place that names a channel, in the order of the stack's sections."""
    stack = context.stack
    if stack.components.relay is not None and stack.components.relay.self_channel is not None:
        yield ("components", "relay", "self_channel"), stack.components.relay.self_channel
    for name, channel in stack.channels.items():
        if channel.fallback is not None:
            yield ("channels", name, "fallback"), channel.fallback
    for place in context.routes:
        if place.own.channel is not None:
            yield (*place.path, "channel"), place.own.channel
    for number, beat in enumerate(stack.heartbeats):
        if beat.channel is not None:
            yield ("heartbeats", number, "channel"), beat.channel
    for number, probe in enumerate(stack.probes):
        if probe.channel is not None:
            yield ("probes", number, "channel"), probe.channel
    if stack.outpost is not None and stack.outpost.channel is not None:
        yield ("outpost", "channel"), stack.outpost.channel
    for number, test in enumerate(stack.tests):
        for index, name in enumerate(test.channel):
            yield ("tests", number, "channel", index), name
