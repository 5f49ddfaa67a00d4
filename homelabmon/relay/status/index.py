"""The first page: the whole in one sentence, what is the matter, and ninety days of everything. Pure.

May import: page.html, and its neighbours model, words, layout, bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from homelabmon.relay.page.html import Child, Html, tag
from homelabmon.relay.status import words
from homelabmon.relay.status.bars import BAR, HEIGHT, Run, bars, path, runs
from homelabmon.relay.status.layout import document, header, incident_card, maintenance_card, shown_state
from homelabmon.relay.status.model import Component, Group, Page, State
from homelabmon.relay.status.telling import DAY, gap_in_words, long_gaps, span_of_days, what_happened

ALL_OPEN: Final = 12
"""Components up to which every group is unfolded; with more, only those in which something is the matter."""
MOST_DAYS: Final = 90
"""Days in words on the whole page, and ten of one component, so that a page of thirty stays small; the history has
the others."""
RECENT: Final = 14 * 86_400.0
PAST: Final = 5
"""Resolved incidents of the last fourteen days that are shown."""


def index(page: Page) -> str:
    """The page."""
    count = len(list(page.components))
    body = [
        header(page),
        tag(
            "main",
            _banner(page),
            _incidents(page),
            _maintenance(page),
            tag(
                "section",
                [_group(page, group, count) for group in page.groups],
                class_="groups",
                aria_label="Components",
            ),
            None if page.groups else tag("p", "Nothing is shown here yet.", class_="soft"),
            _key() if page.groups else None,
            _past(page),
            _gaps(page),
            id="main",
        ),
    ]
    made = f" Page made {words.clock(page.fresh.made_at)} by homelabmon."
    return document(page, f"{words.headline(page)}: {page.title}", body, made=made)


def _banner(page: Page) -> Html:
    state = page.state
    sight = None
    if page.blind_since is not None:
        sight = "Nothing can be said of what has happened since. Earlier days are as shown."
    elif page.fresh.stale and page.fresh.checked_at is not None:
        sight = "What is shown below is what was known then."
    return tag(
        "section",
        tag(
            "p",
            tag("span", words.SHAPES[state], class_="shape", aria_hidden="true"),
            words.headline(page),
            class_="head",
        ),
        tag("p", words.freshness(page), class_="soft small"),
        tag("p", sight, class_="small") if sight else None,
        class_=f"banner {state}",
        aria_label="Now",
    )


def _incidents(page: Page) -> Html | None:
    if not page.open_incidents:
        return None
    return tag("section", tag("h2", "Incidents"), [incident_card(page, one) for one in page.open_incidents])


def _maintenance(page: Page) -> Html | None:
    found = [one for one in page.maintenance if one.phase != "completed"]
    first = [one for one in found if one.phase == "in_progress"] + [one for one in found if one.phase == "scheduled"]
    if not first:
        return None
    return tag("section", tag("h2", "Maintenance"), [maintenance_card(page, one) for one in first])


def _past(page: Page) -> Html | None:
    since = page.fresh.made_at - RECENT
    found = [one for one in page.incidents if one.resolved_at is not None and one.resolved_at >= since]
    if not found:
        return None
    items = [
        tag(
            "li",
            tag("a", one.title, href=f"incidents/{one.id}.html"),
            f" · {words.clock(one.started_at)}, lasted {words.lasting(one.lasted)}",
        )
        for one in islice(found, PAST)
    ]
    return tag("section", tag("h2", "Lately resolved"), tag("ul", items, class_="plain small"))


def _gaps(page: Page) -> Html | None:
    """When the watcher itself saw nothing, since yesterday."""
    found = [gap for gap in long_gaps(page) if gap.ended is not None and page.fresh.made_at - gap.ended < DAY]
    return tag("p", [[gap_in_words(gap), " "] for gap in reversed(found)], class_="soft small") if found else None


# Components ----------------------------------------------------------------------------------------------------------


def _group(page: Page, group: Group, count: int) -> Html:
    most = min(10, max(MOST_DAYS // count, 3))
    return tag(
        "details",
        tag("summary", tag("h2", group.name), shown_state(group.state)),
        tag("p", group.description, class_="note soft") if group.description else None,
        [_row(component, most, page.fresh.made_at) for component in group.components],
        class_="group",
        open=count <= ALL_OPEN or group.state not in ("operational", "maintenance"),
    )


def _row(component: Component, most: int, made_at: float) -> Html:
    since = ""
    if component.since is not None and component.state in ("degraded", "outage"):
        since = f" since {words.since(component.since, made_at)}"
    share = words.share(component.uptime)
    return tag(
        "section",
        tag("header", tag("h3", component.title), shown_state(component.state, since)),
        tag("p", component.description) if component.description else None,
        tag(
            "details",
            tag("summary", bars(component.days), tag("span", f"{component.title}, day by day", class_="vh")),
            tag("p", words.measured(component)),
            _days(component, most),
        ),
        tag("p", tag("b", share if component.uptime is None else f"{share} up"), class_="scale"),
        class_="row",
        id=f"c-{component.name}",
    )


def _days(component: Component, most: int) -> Html:
    """What the drawing shows, in words: days on which anything was the matter, the newest first."""
    notable = [run for run in reversed(list(runs(component.days))) if run.state != "operational"]
    if notable and notable[-1].state == "unknown" and notable[-1].first == 0:
        del notable[-1]  # before it was first measured, which is said already
    items = list(islice((item for run in notable for item in _items(run)), most + 1))
    if len(items) > most:
        items[most:] = [tag("li", tag("a", "Earlier days", href=f"history.html#c-{component.name}"))]
    return tag("ul", items) if items else tag("p", "All days were well.")


def _items(run: Run) -> Iterator[Html]:
    if run.state == "unknown":
        yield tag("li", f"{span_of_days(run)}: no data")
        return
    for row in reversed(run.days):
        link = tag("a", words.short_day(row.date), href=f"history.html#{row.date}")
        yield tag("li", link, f": {what_happened(row)}")


# The key -------------------------------------------------------------------------------------------------------------

_KEY: Final[tuple[tuple[State, str], ...]] = (
    ("operational", "well"),
    ("degraded", "slow, or down for less than 15 min"),
    ("outage", "down for 15 min or more"),
    ("maintenance", "announced maintenance"),
    ("unknown", "no data"),
)


def _key() -> Html:
    items: list[Child] = [tag("li", _sample(state), what) for state, what in _KEY]
    return tag("ul", items, class_="key soft small", aria_label="What the bars mean")


def _sample(state: State) -> Html:
    """One bar."""
    paths: dict[State, tuple[tuple[str, str], ...]] = {
        "operational": (("ok", "M0 16H4"),),
        "degraded": (("slow", "M0 21.5H4"), ("dot", "M0 4H4")),
        "outage": (("down", "M0 16H4"),),
        "maintenance": (("care", "M.5 .5h3v31h-3z"),),
        "unknown": (("none", "M0 31H4"),),
    }
    drawn = [path(name, data) for name, data in paths[state]]
    return tag("svg", drawn, viewBox=f"0 0 {BAR} {HEIGHT}", preserveAspectRatio="none", aria_hidden="true")
