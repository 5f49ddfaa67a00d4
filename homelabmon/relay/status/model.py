"""The status page as data: what everybody may know. Made by ``gather``, read by every output. Pure.

Times are Unix seconds, days are UTC's. May import: the days of relay.history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from homelabmon.relay.history.model import Day, uptime

State = Literal["operational", "maintenance", "unknown", "degraded", "partial", "outage"]
"""From the best to the worst. ``partial``: only an incident that somebody wrote says so."""
Impact = Literal["none", "minor", "major", "critical"]
Step = Literal["investigating", "identified", "monitoring", "resolved"]
Phase = Literal["scheduled", "in_progress", "completed"]

STATES: Final[tuple[State, ...]] = ("operational", "maintenance", "unknown", "degraded", "partial", "outage")
IMPACTS: Final[tuple[Impact, ...]] = ("none", "minor", "major", "critical")
STEPS: Final[tuple[Step, ...]] = ("investigating", "identified", "monitoring", "resolved")
SHOWN_DAYS: Final = 90
ANNOUNCED: Final = 30 * 86_400.0
"""Seconds for which maintenance is announced before it begins."""
OUTAGE_OF_A_DAY: Final = 900.0
"""Seconds from which on an outage marks the whole day as one; a shorter one marks it as degraded."""
SLOW_OF_A_DAY: Final = 300.0
"""Seconds of a degraded state from which on a day is marked so."""


def worst(states: Iterable[State]) -> State:
    """The worst of several states; operational where there is none."""
    return max(states, key=STATES.index, default="operational")


@dataclass(frozen=True, slots=True)
class DayRow:
    """One UTC day of one component. ``day``: its seconds, by state."""

    date: date
    day: Day

    @property
    def state(self) -> State:
        """What the day is marked as."""
        if self.day.outage >= OUTAGE_OF_A_DAY:
            return "outage"
        if self.day.outage > 0 or self.day.degraded >= SLOW_OF_A_DAY:
            return "degraded"
        if self.day.maintenance > 0:
            return "maintenance"
        return "operational" if self.day.measured > 0 else "unknown"


@dataclass(frozen=True, slots=True)
class Component:
    """A heartbeat or a probe, under the name that the public reads. ``days``: ninety, the oldest first."""

    name: str
    title: str
    description: str
    state: State
    since: float | None
    """Since when it has been so; None where nobody knows."""
    days: tuple[DayRow, ...]

    @property
    def known_days(self) -> tuple[DayRow, ...]:
        """The days since it was first measured."""
        first = next((number for number, row in enumerate(self.days) if row.day.measured > 0), len(self.days))
        return self.days[first:]

    @property
    def uptime(self) -> float | None:
        """The part, 0 to 1, of the measured time in which it was up; None where nothing was measured."""
        return uptime(row.day for row in self.days)

    @property
    def measured(self) -> float:
        """Seconds that the uptime is about: maintenance and time without data are left out."""
        return sum(row.day.measured - row.day.maintenance for row in self.days)

    @property
    def maintenance(self) -> float:
        """Seconds of announced maintenance in which it was not up."""
        return sum(row.day.maintenance for row in self.days)

    @property
    def no_data(self) -> float:
        """Seconds since it was first measured of which nothing is known; not of the very first day."""
        return sum(row.day.no_data for row in self.known_days[1:])


@dataclass(frozen=True, slots=True)
class Group:
    """Components under one heading."""

    name: str
    description: str
    components: tuple[Component, ...]

    @property
    def state(self) -> State:
        """The worst of its components'."""
        return worst(component.state for component in self.components)


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that was said about an incident."""

    id: int
    at: float
    status: Step
    body: str


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened, as it is told. ``components``: names of those that are affected and public.

    ``automatic``: an outage opened it, and nobody has written to it. ``updates``: the newest first, never none.
    """

    id: int
    title: str
    impact: Impact
    status: Step
    components: tuple[str, ...]
    automatic: bool
    started_at: float
    resolved_at: float | None
    updates: tuple[Update, ...]

    @property
    def updated_at(self) -> float:
        """When something was last said."""
        return max((update.at for update in self.updates), default=self.started_at)

    @property
    def lasted(self) -> float:
        """Seconds from its beginning to its end, as far as it has one."""
        return max((self.resolved_at or self.started_at) - self.started_at, 0.0)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One opening of a public window. ``components``: names of those that are affected and public."""

    key: str
    """Stays the same as long as the window's name and its opening do."""
    title: str
    description: str
    components: tuple[str, ...]
    opens: float
    closes: float
    zone: str
    phase: Phase
    once: bool
    """It happens once, and not every week."""

    @property
    def announced_at(self) -> float:
        """Since when it may be on the page."""
        return self.opens - ANNOUNCED

    @property
    def updated_at(self) -> float:
        """When its phase began."""
        return {"scheduled": self.announced_at, "in_progress": self.opens, "completed": self.closes}[self.phase]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the watcher itself saw nothing. ``ended`` None: it lasts."""

    began: float
    ended: float | None
    kind: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current the page is. ``checked_at``: until when things were looked at; None: never."""

    made_at: float
    checked_at: float | None
    next_by: float
    stale: bool
    """Nobody has looked for so long that nothing is known about now."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is public. Incidents: open ones and those of the last ninety days, the newest first."""

    title: str
    description: str
    url: str
    """Its public address, without a slash at the end; empty where nobody knows."""
    fresh: Freshness
    blind_since: float | None
    """Since when the watcher has had no sight; None while it sees."""
    groups: tuple[Group, ...]
    incidents: tuple[Incident, ...]
    maintenance: tuple[Maintenance, ...]
    """Those that are open, of the next thirty days, and of the last seven; by their opening."""
    gaps: tuple[Gap, ...]

    @property
    def components(self) -> Iterator[Component]:
        """Every component, in the order shown."""
        return (component for group in self.groups for component in group.components)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Those that are not resolved."""
        return tuple(incident for incident in self.incidents if incident.status != "resolved")

    @property
    def in_sight(self) -> bool:
        """Whether anything can be said about now."""
        return not self.fresh.stale and self.blind_since is None

    @property
    def state(self) -> State:
        """The worst of all. Maintenance never hides anything; ``unknown`` only where nothing at all is known."""
        known = [component.state for component in self.components if component.state != "unknown"]
        impacts = {incident.impact for incident in self.open_incidents if not incident.automatic}
        if not self.in_sight or (not known and not impacts):
            return "unknown"
        found = worst((*known, *map(state_by_impact, impacts)))
        if found == "outage" and "critical" not in impacts and any(state != "outage" for state in known):
            return "partial"
        return found


_BY_IMPACT: Final[dict[Impact, State]] = {
    "none": "operational",
    "minor": "degraded",
    "major": "partial",
    "critical": "outage",
}


def state_by_impact(impact: Impact) -> State:
    """What an open incident says of the components that it names."""
    return _BY_IMPACT[impact]
