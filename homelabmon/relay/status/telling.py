"""How a day and a gap are told. Pure. May import: its neighbours model, words, bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from homelabmon.relay.status import words
from homelabmon.relay.status.bars import Run
from homelabmon.relay.status.model import DayRow, Gap, Page

DAY: Final = 86_400.0
SHORTEST_GAP: Final = 60.0
"""Seconds: clients try again for so long, so that a shorter gap loses nothing."""
_GAPS: Final = {
    "restart": "The watcher itself did not run",
    "suspend": "The watcher itself stood still",
    "clock": "The watcher’s own clock was set",
    "blind": "The watcher itself had no sight",
    "disk": "The watcher itself could not keep notes",
    "stall": "The watcher itself had no time",
}


def span_of_days(run: Run) -> str:
    """``22 Nov``, or ``1 Oct to 21 Nov``."""
    first, last = run.days[0].date, run.days[-1].date
    return words.short_day(first) if first == last else f"{words.short_day(first)} to {words.short_day(last)}"


def what_happened(row: DayRow) -> str:
    """How long a day was anything but operational."""
    seconds = (
        (row.day.outage, "down"),
        (row.day.degraded, "degraded"),
        (row.day.maintenance, "in maintenance"),
        (row.day.no_data if row.day.measured > 0 else 0.0, "without data"),
    )
    return words.listed([f"{words.lasting(value)} {name}" for value, name in seconds if value >= 1]) or "well"


def long_gaps(page: Page) -> Iterator[Gap]:
    """Those that are worth telling, the oldest first."""
    now = page.fresh.made_at
    return (gap for gap in page.gaps if (now if gap.ended is None else gap.ended) - gap.began >= SHORTEST_GAP)


def gap_in_words(gap: Gap) -> str:
    """``The watcher itself had no sight: 22 Nov 2026, 02:10 to 02:31 UTC.``"""
    what = _GAPS.get(gap.kind, _GAPS["blind"])
    if gap.ended is None:
        return f"{what}: since {words.clock(gap.began)}."
    began = words.clock(gap.began).removesuffix(" UTC")
    return f"{what}: {began} to {words.until(gap.began, gap.ended)}."
