"""How states, times and shares are said on the status page. Pure; every output speaks through it.

May import: its neighbour model.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from homelabmon.relay.status.model import Component, Impact, Maintenance, Page, Phase, State, Step

STATE_WORDS: Final[dict[State, str]] = {
    "operational": "Operational",
    "maintenance": "Maintenance",
    "unknown": "No data",
    "degraded": "Degraded",
    "partial": "Partial outage",
    "outage": "Outage",
}
SHAPES: Final[dict[State, str]] = {
    "operational": "●",
    "maintenance": "◆",
    "unknown": "○",
    "degraded": "▲",
    "partial": "◐",
    "outage": "■",
}
"""So that nothing depends on colour."""
STEP_WORDS: Final[dict[Step, str]] = {
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
}
IMPACT_WORDS: Final[dict[Impact, str]] = {
    "none": "No impact",
    "minor": "Minor impact",
    "major": "Major impact",
    "critical": "Critical impact",
}
PHASE_WORDS: Final[dict[Phase, str]] = {
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "completed": "Completed",
}


def headline(page: Page) -> str:
    """The page in one sentence."""
    if page.blind_since is not None and not page.fresh.stale:
        return "The watcher has no sight right now"
    if page.fresh.stale and page.fresh.checked_at is not None:
        return "Nobody has looked lately"
    match page.state:
        case "unknown":
            return "Nothing is known yet"
        case "degraded":
            return "Some things are slow or impaired"
        case "partial":
            return "Some things are down"
        case "outage":
            several = len(list(page.components)) > 1
            return "Everything is down" if several and _all_down(page) else "Major outage" if several else "It is down"
        case "maintenance":
            return "Maintenance is under way"
    if any(component.state == "unknown" for component in page.components):
        return "All is well, as far as is known"
    return "All is well"


def _all_down(page: Page) -> bool:
    return all(component.state == "outage" for component in page.components)


def freshness(page: Page) -> str:
    """Until when things were looked at, and by when the page is made anew: a reader can tell a stale one."""
    fresh = page.fresh
    if fresh.checked_at is None:
        return (
            f"Never checked; this page was made {clock(fresh.made_at)}, next by {until(fresh.made_at, fresh.next_by)}"
        )
    if page.blind_since is not None and not fresh.stale:
        return f"Last saw anything {clock(page.blind_since)}, next by {until(page.blind_since, fresh.next_by)}"
    checked = clock(fresh.checked_at)
    if fresh.stale:
        return f"Last checked {checked}; this page was made {until(fresh.checked_at, fresh.made_at)}"
    return f"Checked {checked}, next by {until(fresh.checked_at, fresh.next_by)}"


# Times ---------------------------------------------------------------------------------------------------------------


def moment(at: float) -> datetime:
    """In UTC."""
    return datetime.fromtimestamp(at, UTC)


def iso(at: float) -> str:
    """For machines: ``2026-11-22T14:02:00Z``."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(at: float) -> str:
    """A day and a time: ``22 Nov 2026, 14:02 UTC``."""
    return f"{moment(at):%-d %b %Y, %H:%M} UTC"


def until(began: float, ended: float) -> str:
    """The end of something, without the day where that is the same: ``14:07 UTC``."""
    return f"{moment(ended):%H:%M} UTC" if moment(began).date() == moment(ended).date() else clock(ended)


def since(began: float, now: float) -> str:
    """When something began that lasts: ``02:11 UTC`` where that is today, else with its day."""
    return until(now, began)


def day(day: date) -> str:
    """``22 Nov 2026``."""
    return f"{day:%-d %b %Y}"


def short_day(day: date) -> str:
    """``22 Nov``."""
    return f"{day:%-d %b}"


def window(maintenance: Maintenance) -> str:
    """From when to when, by the clocks of its own zone, with their distance to UTC."""
    zone = UTC if maintenance.zone == "UTC" else ZoneInfo(maintenance.zone)
    opens, closes = (datetime.fromtimestamp(at, zone) for at in (maintenance.opens, maintenance.closes))
    first = f"{opens:%a %-d %b %Y, %H:%M}"
    last = f"{closes:%H:%M}" if opens.date() == closes.date() else f"{closes:%a %-d %b %Y, %H:%M}"
    if maintenance.zone == "UTC":
        return f"{first} to {last} UTC"
    if opens.utcoffset() != closes.utcoffset():
        return f"{first} ({_offset(opens)}) to {last} ({_offset(closes)}), {maintenance.zone}"
    return f"{first} to {last}, {maintenance.zone} ({_offset(opens)})"


def _offset(when: datetime) -> str:
    text = f"{when:%z}"
    return "UTC" if text == "+0000" else f"UTC{text[:3]}:{text[3:]}".replace("-", "−")


def lasting(seconds: float) -> str:
    """A length of time: ``45 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``. Never nothing where it is something."""
    if seconds < 59.5:
        return f"{max(round(seconds), 1 if seconds > 0 else 0)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


# Shares --------------------------------------------------------------------------------------------------------------


def share(part: float | None) -> str:
    """A part of 1 as per cent, cut and not rounded: 99.996 % is no 100 %."""
    if part is None:
        return "no data"
    hundredths = int(part * 10_000 + 1e-9)
    if part < 1.0:
        hundredths = min(hundredths, 9_999)
    return f"{hundredths / 100:.2f} %" if hundredths % 100 else f"{hundredths // 100} %"


def measured(component: Component) -> str:
    """What the uptime is about, and what it leaves out."""
    if component.uptime is None:
        return "Nothing has been measured yet."
    known = component.known_days
    since = f"since {day(known[0].date)}" if len(known) < len(component.days) else f"in {len(component.days)} days"
    left_out = [
        f"{lasting(seconds)} {words}"
        for seconds, words in ((component.maintenance, "of maintenance"), (component.no_data, "without data"))
        if seconds >= 1
    ]
    rest = f"; {listed(left_out)} left out" if left_out else ""
    return f"Up {share(component.uptime)} of {lasting(component.measured)} measured {since}{rest}."


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def affected(page: Page, names: Sequence[str]) -> list[Component]:
    """The components that are named, in the order of the page."""
    return [component for component in page.components if component.name in names]
