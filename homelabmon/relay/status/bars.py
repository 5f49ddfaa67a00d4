"""Ninety days as one small drawing, and the same days as runs for a table. Pure.

A run of equal days is one stroke of dashes, so that ninety quiet days cost forty bytes. What a day was is told by its
shape as well as by its colour: full, two thirds with a dot, hatched, outlined, or a stub. May import: model, page.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from homelabmon.relay.page.html import Html, tag
from homelabmon.relay.status.model import DayRow, State

STEP: Final = 6
BAR: Final = 4
HEIGHT: Final = 32
"""In the drawing's own units. A bar and the gap behind it make a step."""
_LINES: Final[dict[State, tuple[tuple[str, float], ...]]] = {
    "operational": (("ok", 16),),
    "degraded": (("slow", 21.5), ("dot", 4)),
    "partial": (("down", 16),),
    "outage": (("down", 16),),
    "unknown": (("none", 31),),
}
"""Strokes by state: their class, and the height of their middle."""
DEFINITIONS: Final = Html(
    '<svg class="defs" aria-hidden="true"><defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><path class="bad" d="M0 0h4v4H0z"/><path class="cut" d="M0 0h4v1.3H0z"/></pattern>'
    "</defs></svg>"
)
"""What every drawing on a page needs once."""


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row that were alike. ``first``: its number, the oldest day of all being 0."""

    state: State
    first: int
    days: Sequence[DayRow]


def runs(days: Sequence[DayRow]) -> Iterator[Run]:
    """The days as runs, the oldest first."""
    for state, found in groupby(enumerate(days), key=lambda pair: pair[1].state):
        rows = list(found)
        yield Run(state, rows[0][0], [row for _, row in rows])


def bars(days: Sequence[DayRow]) -> Html:
    """The drawing. It says nothing to a screen reader: there is a table."""
    strokes: dict[str, str] = {}
    for run in runs(days):
        left, long = run.first * STEP, len(run.days) * STEP - (STEP - BAR)
        for name, middle in _LINES.get(run.state, ()):
            strokes[name] = strokes.get(name, "") + f"M{left} {middle:g}h{long}"
        if run.state == "maintenance":
            outlines = (f"M{left + STEP * number + 0.5:g} .5h3v31h-3z" for number in range(len(run.days)))
            strokes["care"] = strokes.get("care", "") + "".join(outlines)
    width = len(days) * STEP - (STEP - BAR)
    paths = [path(name, data) for name, data in strokes.items()]
    return tag("svg", paths, viewBox=f"0 0 {width} {HEIGHT}", preserveAspectRatio="none", aria_hidden="true")


def path(name: str, data: str) -> Html:
    """One stroke. Both are ours."""
    return Html(f'<path class="{name}" d="{data}"/>')
