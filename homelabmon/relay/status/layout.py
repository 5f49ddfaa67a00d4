"""What every HTML page of the status page has around it, and the pieces that several of them show. Pure.

May import: page.html, and its neighbours model, words, style, bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homelabmon.relay.page.html import Child, Html, tag
from homelabmon.relay.status import words
from homelabmon.relay.status.bars import DEFINITIONS
from homelabmon.relay.status.model import Incident, Maintenance, Page, State, Update, state_by_impact
from homelabmon.relay.status.style import STYLE, STYLE_HASH

POLICY: Final = f"default-src 'none'; style-src '{STYLE_HASH}'; img-src 'self'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: nothing but our own style and icon; no script at all."""


def document(page: Page, title: str, body: Child, *, up: str = "", made: str = "") -> str:
    """A whole page. ``up``: the way from it to the first page's folder, ``../`` or nothing. ``made``: says when it was
    made; a page that does not say so stays the same until there is news.
    """
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="description", content=page.description or f"Status of {page.title}"),
        tag("title", title),
        tag("link", rel="icon", type="image/svg+xml", href=f"{up}favicon.svg"),
        tag("link", rel="alternate", type="application/atom+xml", title=page.title, href=f"{up}feed.atom"),
        tag("style", Html(STYLE)),
    ]
    whole = [
        tag("a", "Skip to the content", class_="skip", href="#main"),
        DEFINITIONS,
        body,
        _footer(up, made),
    ]
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', whole), lang='en')}\n"


def header(page: Page, *, up: str | None = None) -> Html:
    """Title and description; a link to the first page where this is another one."""
    title: Child = page.title if up is None else tag("a", page.title, href=f"{up}index.html")
    return tag(
        "header",
        tag("h1" if up is None else "p", title, class_=None if up is None else "state"),
        tag("p", page.description, class_="soft") if page.description and up is None else None,
    )


def _footer(up: str, made: str) -> Html:
    links = (
        ("index.html", "Status"),
        ("history.html", "History"),
        ("feed.atom", "Atom"),
        ("status.json", "JSON"),
        ("status.txt", "Text"),
    )
    return tag(
        "footer",
        tag("nav", [[tag("a", name, href=f"{up}{path}"), " "] for path, name in links], aria_label="Outputs"),
        tag(
            "p",
            "Times are UTC where no zone is named, and days are UTC’s. Uptime is about measured time only: downtime in"
            " announced maintenance and time without data are left out. Figures are cut, never rounded up.",
            made,
            class_="soft small",
        ),
        class_="small",
    )


def shown_state(state: State, more: str = "") -> Html:
    """A state; the style sheet puts its shape before it."""
    return tag("span", f"{words.STATE_WORDS[state]}{more}", class_=f"state {state}")


def stamp(at: float) -> Html:
    """A moment, for people and for machines."""
    return tag("time", words.clock(at), datetime=words.iso(at))


def incident_card(page: Page, incident: Incident, *, up: str = "", alone: bool = False) -> Html:
    """An incident with everything that was said, the newest first. ``alone``: it is the page's only subject."""
    resolved = incident.status == "resolved"
    state = "operational" if resolved else state_by_impact(incident.impact)
    links = [
        tag("a", one.title, href=f"{up}index.html#c-{one.name}") for one in words.affected(page, incident.components)
    ]
    title: Child = incident.title if alone else tag("a", incident.title, href=f"{up}incidents/{incident.id}.html")
    lasted = f" · lasted {words.lasting(incident.lasted)}" if resolved else None
    about = (words.IMPACT_WORDS[incident.impact], " · since ", stamp(incident.started_at), lasted)
    return tag(
        "article",
        tag("h1" if alone else "h3", title),
        tag("p", about, class_="soft small"),
        tag("p", "Affects ", _listed(links), class_="small") if links else None,
        tag("ol", map(_update, incident.updates)),
        class_=f"card {state if resolved or state != 'operational' else 'unknown'}",
    )


def _update(update: Update) -> Html:
    said = tag("strong", words.STEP_WORDS[update.status])
    return tag("li", said, " · ", stamp(update.at), tag("p", update.body))


def _listed(links: Sequence[Html]) -> list[Child]:
    return [piece for number, link in enumerate(links) for piece in ((", ", link) if number else (link,))]


def maintenance_card(page: Page, one: Maintenance) -> Html:
    """One opening of a window, by the clocks of its own zone."""
    affected = words.listed([component.title for component in words.affected(page, one.components)])
    phase = tag(
        "strong", words.PHASE_WORDS[one.phase], class_="state maintenance" if one.phase == "in_progress" else None
    )
    return tag(
        "article",
        tag("h3", one.title),
        tag("p", phase, " · ", tag("time", words.window(one), datetime=words.iso(one.opens)), class_="small"),
        tag("p", one.description) if one.description else None,
        tag("p", f"Affects {affected}", class_="small") if affected else None,
        class_="card unknown" if one.phase == "completed" else "card maintenance",
        id=f"maintenance-{one.key}",
    )


def lost(title: str) -> str:
    """The page for an address at which there is nothing."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"Not here: {title}"),
        tag("style", Html(STYLE)),
    ]
    body = tag("main", tag("h1", "There is nothing here"), tag("p", tag("a", f"Status of {title}", href="/")))
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', body), lang='en')}\n"
