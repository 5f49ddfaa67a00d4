"""From the disk to the page: reads, in one transaction, what is public.

Used by the part in the store's thread, and by ``status build`` in a process of its own.
May import: relay.history, relay.store.queries, the names of notes of heartbeats and vigil, its neighbours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from homelabmon.relay import history
from homelabmon.relay.heartbeats.keeper import LOOKED
from homelabmon.relay.history import Span
from homelabmon.relay.status import incidents
from homelabmon.relay.status.model import (
    ANNOUNCED,
    SHOWN_DAYS,
    Component,
    DayRow,
    Freshness,
    Gap,
    Group,
    Incident,
    Maintenance,
    Page,
    Phase,
    State,
    state_by_impact,
    worst,
)
from homelabmon.relay.status.setup import PublicComponent, Setup
from homelabmon.relay.store import queries
from homelabmon.relay.vigil.gaps import last_tick
from homelabmon.routing.windows import openings
from homelabmon.spec.routes import Maintenance as Window

DAY: Final = 86_400.0
BEHIND: Final = 7 * DAY
"""Seconds for which it is shown once it is over."""
STALE: Final = 600.0
"""Seconds without a look after which nothing is known about now."""


def page_of(connection: sqlite3.Connection, setup: Setup, now: float) -> Page:
    """The page as it is now. Raises sqlite3.Error."""
    told = [_public(incident, setup) for incident in incidents.since(connection, now - SHOWN_DAYS * DAY)]
    windows = list(_maintenance(setup, now))
    gaps = [Gap(*gap) for gap in history.gaps(connection, now - SHOWN_DAYS * DAY)]
    fresh = _freshness(connection, setup, now)
    blind = next((gap.began for gap in gaps if gap.ended is None), None)
    in_sight = blind is None and not fresh.stale
    return Page(
        title=setup.title,
        description=setup.description,
        url=setup.url,
        fresh=fresh,
        blind_since=blind,
        groups=_groups(connection, setup, now, told, windows, in_sight=in_sight),
        incidents=tuple(told),
        maintenance=tuple(windows),
        gaps=tuple(gaps),
    )


def _public(incident: Incident, setup: Setup) -> Incident:
    """Without components that are not public any more."""
    return Incident(
        **{name: getattr(incident, name) for name in Incident.__dataclass_fields__ if name != "components"},
        components=tuple(name for name in setup.components if name in incident.components),
    )


# Freshness -----------------------------------------------------------------------------------------------------------


def _freshness(connection: sqlite3.Connection, setup: Setup, now: float) -> Freshness:
    checked = max(_looks(connection, setup), default=None)
    if checked is not None:
        checked = min(checked, now)
    stale = checked is None or now - checked > STALE
    return Freshness(now, checked, now + setup.every, stale=stale and bool(setup.components))


def _looks(connection: sqlite3.Connection, setup: Setup) -> Iterator[float]:
    yield from (at for at in (last_tick(connection), queries.recall(connection, LOOKED)) if at is not None)
    for component in setup.components.values():
        if not component.heartbeat:
            row = connection.execute("SELECT checked_at FROM probes WHERE name = ?", (component.name,)).fetchone()
            if row is not None and row[0] is not None:
                yield float(row[0])


# Components ----------------------------------------------------------------------------------------------------------


def _groups(
    connection: sqlite3.Connection,
    setup: Setup,
    now: float,
    told: Sequence[Incident],
    windows: Sequence[Maintenance],
    *,
    in_sight: bool,
) -> tuple[Group, ...]:
    today = history.day_of(now)
    first = today - timedelta(days=SHOWN_DAYS - 1)
    ids = [component.id for component in setup.components.values()]
    days = history.days(connection, ids, first, today, now, setup.openings(now - SHOWN_DAYS * DAY, now))
    spans = history.states(connection)

    def shown(component: PublicComponent) -> Component:
        span = spans.get(component.id)
        return Component(
            name=component.name,
            title=component.title,
            description=component.description,
            state=_state(component, span, told, windows, in_sight=in_sight),
            since=span.began if span is not None and in_sight else None,
            days=tuple(DayRow(day, days[component.id][day]) for day in sorted(days[component.id])),
        )

    return tuple(Group(group.name, group.description, tuple(map(shown, group.components))) for group in setup.groups)


def _state(
    component: PublicComponent,
    span: Span | None,
    told: Sequence[Incident],
    windows: Sequence[Maintenance],
    *,
    in_sight: bool,
) -> State:
    """What was measured, or announced; the worse of that and what open incidents say."""
    said: list[State] = [
        state_by_impact(incident.impact)
        for incident in told
        if incident.status != "resolved" and not incident.automatic and component.name in incident.components
    ]
    measured: State = span.state if span is not None and in_sight else "unknown"
    if any(window.phase == "in_progress" and component.name in window.components for window in windows):
        measured = "maintenance"
    return worst((measured, *said))


# Maintenance ---------------------------------------------------------------------------------------------------------


def _maintenance(setup: Setup, now: float) -> Iterator[Maintenance]:
    """Public windows that are open, soon will be or lately were; by their opening."""
    found = [
        _opening(setup, window, opens, closes, now) for window in setup.windows for opens, closes in _near(window, now)
    ]
    yield from sorted(found, key=lambda one: (one.opens, one.key))


def _near(window: Window, now: float) -> list[tuple[float, float]]:
    """Those that have begun, and the next one."""
    pairs = openings(window, now - BEHIND, now + ANNOUNCED)
    ahead = [pair for pair in pairs if pair[0] > now]
    return [pair for pair in pairs if pair[0] <= now] + ahead[:1]


def _opening(setup: Setup, window: Window, opens: float, closes: float, now: float) -> Maintenance:
    phase: Phase = "scheduled" if now < opens else "in_progress" if now < closes else "completed"
    return Maintenance(
        key=f"{window.name}-{int(opens)}",
        title=window.title or window.name,
        description=window.description,
        components=tuple(name for name in setup.components if window.names(name)),
        opens=opens,
        closes=closes,
        zone=window.timezone,
        phase=phase,
        once=window.start is not None,
    )
