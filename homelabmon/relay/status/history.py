"""What happened, day by day, and a page for each incident. Pure.

May import: page.html, and its neighbours model, words, layout, telling.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from homelabmon.relay.page.html import Html, tag
from homelabmon.relay.status import words
from homelabmon.relay.status.layout import document, header, incident_card, shown_state
from homelabmon.relay.status.model import Component, DayRow, Incident, Page
from homelabmon.relay.status.telling import gap_in_words, long_gaps, what_happened


def history(page: Page) -> str:
    """Ninety days: those on which anything happened."""
    days = sorted(_days(page), reverse=True)
    body = [
        header(page, up=""),
        tag(
            "main",
            tag("h1", "History"),
            tag("p", "The last 90 days; on those that are not listed there is nothing to report.", class_="soft"),
            _uptimes(page.components),
            [_day(page, day) for day in days],
            id="main",
        ),
    ]
    return document(page, f"History: {page.title}", body)


def incident_page(page: Page, incident: Incident) -> str:
    """One incident by itself."""
    body = [header(page, up="../"), tag("main", incident_card(page, incident, up="../", alone=True), id="main")]
    return document(page, f"{incident.title}: {page.title}", body, up="../")


def _uptimes(components: Iterable[Component]) -> Html | None:
    rows = [
        tag(
            "tr",
            tag("th", component.title, scope="row", id=f"c-{component.name}"),
            tag("td", words.measured(component)),
        )
        for component in components
    ]
    if not rows:
        return None
    head = tag("tr", tag("th", "What", scope="col"), tag("th", "Uptime", scope="col"))
    return tag("table", tag("caption", "Uptime", class_="vh"), tag("thead", head), tag("tbody", rows), class_="small")


def _days(page: Page) -> set[date]:
    found = {row.date for component in page.components for row in component.days if _notable(row)}
    shown = {row.date for component in page.components for row in component.days}
    found |= {words.moment(incident.started_at).date() for incident in page.incidents}
    found |= {words.moment(gap.began).date() for gap in long_gaps(page)} & shown
    return found


def _notable(row: DayRow) -> bool:
    return row.state not in ("operational", "unknown")


def _day(page: Page, day: date) -> Html:
    rows = [
        tag("li", component.title, ": ", shown_state(row.state), f", {what_happened(row)}")
        for component in page.components
        for row in component.days
        if row.date == day and _notable(row)
    ]
    begun = [
        tag(
            "li",
            tag("a", incident.title, href=f"incidents/{incident.id}.html"),
            f" · {words.clock(incident.started_at)}",
        )
        for incident in page.incidents
        if words.moment(incident.started_at).date() == day
    ]
    gaps = [tag("li", gap_in_words(gap)) for gap in long_gaps(page) if words.moment(gap.began).date() == day]
    return tag("section", tag("h2", words.day(day)), tag("ul", begun, rows, gaps, class_="plain"), id=str(day))
