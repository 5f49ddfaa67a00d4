"""What was simulated, as JSON: see docs/reference/simulate.md. Asked by the command. May import: its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.preview import preview
from homelabmon.simulation.counts import Count, counts
from homelabmon.simulation.story import Story
from homelabmon.simulation.words import what
from homelabmon.simulation.world import Outcome, Told


def outcome_data(story: Story, outcome: Outcome, channels: tuple[str, ...]) -> dict[str, Any]:
    """Everything that was told, and the counts. Times are seconds from the beginning."""
    return {
        "start": datetime.fromtimestamp(story.start, UTC).isoformat(),
        "seconds": story.length,
        "alerts": [
            {
                "labels": dict(firing.labels),
                "firings": [
                    {
                        "fires": episode.fires_at - story.start,
                        "resolves": None if episode.resolves_at is None else episode.resolves_at - story.start,
                    }
                    for episode in firing.episodes
                ],
            }
            for firing in story.firings
        ],
        "messages": [told_data(told) for told in outcome.told],
        "suppressed": outcome.suppressed,
        "notifications": dict(sorted(outcome.notifications.items())),
        "channels": counts_data(counts(outcome.told, channels)),
    }


def told_data(told: Told) -> dict[str, Any]:
    """One message, edit or deletion."""
    data: dict[str, Any] = {
        "at": round(told.at, 3),
        "channel": told.channel,
        "by": told.by,
        "kind": told.kind,
        "number": told.number,
        "says": what(told),
        "mentions": list(told.mentions),
    }
    if told.notification is not None:
        data["notification"] = told.notification.payload()
    elif (text := text_of(told)) is not None:
        data["text"] = text
    return data


def text_of(told: Told, now: float | None = None) -> str | None:
    """The message as its readers see it; ``None`` where there is none any more, or Alertmanager writes it."""
    message = told.shown.message if told.shown is not None else None
    return None if message is None else preview(NOTIFIERS["discord"].render(message), now)


def counts_data(found: Mapping[str, Count]) -> dict[str, Any]:
    """The counts by channel."""
    return {
        channel: {"messages": one.messages, "edits": one.edits, "pings": one.pings, "busiest_hour": one.busiest}
        for channel, one in found.items()
    }


Side = tuple[Path, Outcome, tuple[str, ...]]
"""A stack's file, what it told, and its channels."""


def history_data(story: Story, outcome: Outcome, channels: tuple[str, ...]) -> dict[str, Any]:
    """The counts of a history."""
    return {**_past(story), **_side(outcome, channels)}


def comparison_data(story: Story, one: Side, other: Side) -> dict[str, Any]:
    """The counts of two stacks over the same story."""
    sides = [{"stack": str(file), **_side(outcome, channels)} for file, outcome, channels in (one, other)]
    return {**_past(story), "stacks": sides}


def _past(story: Story) -> dict[str, Any]:
    return {
        "start": datetime.fromtimestamp(story.start, UTC).isoformat(),
        "seconds": story.length,
        "alerts": len(story.firings),
        "firings": sum(len(firing.episodes) for firing in story.firings),
    }


def _side(outcome: Outcome, channels: tuple[str, ...]) -> dict[str, Any]:
    return {"suppressed": outcome.suppressed, "channels": counts_data(counts(outcome.told, channels))}
