"""Every output of the status page, by its path. Pure: the same page, the same bytes.

Each path ends in a name with a dot, which no address of a heartbeat has: the two share one address.
May import: its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from homelabmon.relay.status import words
from homelabmon.relay.status.badges import badge, icon
from homelabmon.relay.status.feeds import feed
from homelabmon.relay.status.history import history, incident_page
from homelabmon.relay.status.index import index
from homelabmon.relay.status.model import Page
from homelabmon.relay.status.summary import shields, status, summary
from homelabmon.relay.status.text import text

INDEX: Final = "index.html"
_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"
_SVG: Final = "image/svg+xml; charset=utf-8"
_ATOM: Final = "application/atom+xml; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Output:
    """One file. ``make`` makes its text anew each time."""

    type: str
    make: Callable[[], str]


def outputs(page: Page) -> Mapping[str, Output]:
    """Every output, by its path; the first page comes last, so that what it leads to is there before it."""
    whole = words.STATE_WORDS[page.state].lower()
    found = {
        "favicon.svg": Output(_SVG, partial(icon, page.state)),
        "badge.svg": Output(_SVG, partial(badge, page.title, page.state)),
        "shields.json": Output(_JSON, partial(shields, page.title, page.state, whole)),
        "status.json": Output(_JSON, partial(summary, page)),
        "api/v2/summary.json": Output(_JSON, partial(summary, page)),
        "api/v2/status.json": Output(_JSON, partial(status, page)),
        "status.txt": Output(_TEXT, partial(text, page)),
        "feed.atom": Output(_ATOM, partial(feed, page)),
    }
    for component in page.components:
        title, state = component.title, component.state
        said = words.STATE_WORDS[state].lower()
        found[f"badge/{component.name}.svg"] = Output(_SVG, partial(badge, title, state))
        found[f"badge/{component.name}.json"] = Output(_JSON, partial(shields, title, state, said))
        found[f"feed/{component.name}.atom"] = Output(_ATOM, partial(feed, page, component))
    for incident in page.incidents:
        found[f"incidents/{incident.id}.html"] = Output(_HTML, partial(incident_page, page, incident))
    found["history.html"] = Output(_HTML, partial(history, page))
    found[INDEX] = Output(_HTML, partial(index, page))
    return found
