"""How many messages each channel has had. Asked by ``simulate``. May import: its neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from homelabmon.simulation.world import Told


@dataclass(frozen=True, slots=True)
class Count:
    """One channel. ``busiest``: the most messages within an hour of the clock from the beginning."""

    messages: int = 0
    edits: int = 0
    pings: int = 0
    busiest: int = 0


def counts(told: Iterable[Told], channels: Iterable[str] = ()) -> dict[str, Count]:
    """By channel, sorted; channels that heard nothing are there if they are named."""
    posts: dict[str, list[float]] = {channel: [] for channel in channels}
    edits: dict[str, int] = {}
    pings: dict[str, int] = {}
    for one in told:
        posts.setdefault(one.channel, [])
        if one.kind == "post":
            posts[one.channel].append(one.at)
            pings[one.channel] = pings.get(one.channel, 0) + bool(one.mentions)
        elif one.kind == "edit":
            edits[one.channel] = edits.get(one.channel, 0) + 1
    return {
        channel: Count(len(times), edits.get(channel, 0), pings.get(channel, 0), _busiest(times))
        for channel, times in sorted(posts.items())
    }


def _busiest(times: Iterable[float]) -> int:
    hours: dict[int, int] = {}
    for at in times:
        hours[int(at // 3600)] = hours.get(int(at // 3600), 0) + 1
    return max(hours.values(), default=0)
