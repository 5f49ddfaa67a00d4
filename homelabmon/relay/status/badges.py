"""Badges and the icon: small SVG pictures of a state, for other people's pages. Pure.

White text on our colours has a contrast of 4.5 to 1 at least. May import: its neighbours model, words.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from homelabmon.relay.status import words
from homelabmon.relay.status.model import State

COLOURS: Final[dict[State, str]] = {
    "operational": "#0b7a53",
    "maintenance": "#1d4ed8",
    "unknown": "#5b6472",
    "degraded": "#b45309",
    "partial": "#b42318",
    "outage": "#b42318",
}
_LABEL: Final = "#334155"
_WIDE: Final = frozenset("mwMW@%—…●◆○▲◐■")
_NARROW: Final = frozenset("iljItf.,:;'!|()[] -1r")
_LONGEST: Final = 60
_ICONS: Final[dict[State, str]] = {
    "operational": '<circle cx="8" cy="8" r="6.5"/>',
    "maintenance": '<path d="M8 1l7 7-7 7-7-7z"/>',
    "unknown": '<path d="M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13m0 3a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7"/>',
    "degraded": '<path d="M8 1.5l7 13H1z"/>',
    "partial": '<path d="M8 1.5a6.5 6.5 0 1 0 0 13zm1 1a5.6 5.6 0 0 1 0 11z"/>',
    "outage": '<path d="M1.5 1.5h13v13h-13z"/>',
}


def badge(label: str, state: State) -> str:
    """A badge: what it is about, and its state in words and shape. XML."""
    label = _printable(label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…")
    said = f"{words.SHAPES[state]} {words.STATE_WORDS[state].lower()}"
    left, right = (_width(text) + 14 for text in (label, said))
    whole = quoteattr(f"{label}: {words.STATE_WORDS[state].lower()}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label={whole}>'
        f"<title>{escape(label)}: {words.STATE_WORDS[state].lower()}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="{_LABEL}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLOURS[state]}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(said)}</text></g></svg>\n'
    )


def icon(state: State) -> str:
    """The page's icon: the shape and the colour of its state. XML."""
    drawn = f'<g fill="{COLOURS[state]}">{_ICONS[state]}</g>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{drawn}</svg>\n'


def _width(text: str) -> int:
    """About how many pixels a text takes: nobody measures it for us."""
    return round(sum(9.5 if char in _WIDE else 4.5 if char in _NARROW else 7.0 for char in text))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text).encode("utf-8", "replace").decode()
