"""Atom: incidents, and maintenance that happens once; of the page, and of each component. Pure.

An entry's ``updated`` is when something was last said about it, so that a feed changes only when there is news.
RFC 4287. May import: its neighbours model, words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final
from xml.sax.saxutils import escape as xml
from xml.sax.saxutils import quoteattr

from homelabmon.relay.status import words
from homelabmon.relay.status.model import Component, Incident, Maintenance, Page

_NEVER: Final = 0.0
"""When a feed without entries was updated."""


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    title: str
    published: float
    updated: float
    html: str


def feed(page: Page, component: Component | None = None) -> str:
    """The feed of the page, or of one component. XML."""
    entries = sorted(_entries(page, component), key=lambda entry: (-entry.updated, entry.path))
    path = "feed.atom" if component is None else f"feed/{component.name}.atom"
    title = page.title if component is None else f"{component.title}: {page.title}"
    updated = max((entry.updated for entry in entries), default=_NEVER)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{_text(_id(page, path))}</id>",
        f"<title>{_text(title)}</title>",
        f"<updated>{words.iso(updated)}</updated>",
        f"<author><name>{_text(page.title)}</name></author>",
        *_links(page, path),
        *(line for entry in entries for line in _entry(page, entry)),
        "</feed>",
        "",
    ]
    return "\n".join(lines)


def _entries(page: Page, component: Component | None) -> Iterator[_Entry]:
    for incident in page.incidents:
        if component is None or component.name in incident.components:
            yield _incident(page, incident)
    for one in page.maintenance:
        if one.once and (component is None or component.name in one.components):
            yield _maintenance(page, one)


def _incident(page: Page, incident: Incident) -> _Entry:
    affected = [component.title for component in words.affected(page, incident.components)]
    parts = [f"<p>Affects {escape(words.listed(affected))}</p>"] if affected else []
    parts += [
        f"<p><strong>{words.STEP_WORDS[update.status]}</strong>, {words.clock(update.at)}<br>"
        f"{escape(update.body).replace(chr(10), '<br>')}</p>"
        for update in incident.updates
    ]
    title = f"{words.STEP_WORDS[incident.status]}: {incident.title}"
    return _Entry(f"incidents/{incident.id}.html", title, incident.started_at, incident.updated_at, "".join(parts))


def _maintenance(page: Page, one: Maintenance) -> _Entry:
    affected = [component.title for component in words.affected(page, one.components)]
    parts = [f"<p>{escape(words.window(one))}</p>"]
    parts += [f"<p>{escape(one.description)}</p>"] if one.description else []
    parts += [f"<p>Affects {escape(words.listed(affected))}</p>"] if affected else []
    title = f"Maintenance {words.PHASE_WORDS[one.phase].lower()}: {one.title}"
    return _Entry(f"index.html#maintenance-{one.key}", title, one.announced_at, one.updated_at, "".join(parts))


def _entry(page: Page, entry: _Entry) -> list[str]:
    address = quoteattr(f"{page.url}/{entry.path}")
    link = [f'<link rel="alternate" type="text/html" href={address}/>'] if page.url else []
    return [
        "<entry>",
        f"<id>{_text(_id(page, entry.path))}</id>",
        f"<title>{_text(entry.title)}</title>",
        f"<published>{words.iso(entry.published)}</published>",
        f"<updated>{words.iso(entry.updated)}</updated>",
        *link,
        f'<content type="html">{_text(entry.html)}</content>',
        "</entry>",
    ]


def _links(page: Page, path: str) -> list[str]:
    if not page.url:
        return []
    return [
        f'<link rel="self" type="application/atom+xml" href={quoteattr(f"{page.url}/{path}")}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(f"{page.url}/")}/>',
    ]


def _id(page: Page, path: str) -> str:
    """Stays as it is as long as the page's address does."""
    return f"{page.url}/{path}" if page.url else f"urn:homelabmon:status:{path}"


def _text(text: str) -> str:
    """Escaped, and without what XML cannot hold."""
    return xml("".join(char if char >= " " or char in "\n\t" else "\ufffd" for char in text)).translate(_NO_XML)


_NO_XML: Final = dict.fromkeys((*range(55296, 57344), 65534, 65535), "�")
