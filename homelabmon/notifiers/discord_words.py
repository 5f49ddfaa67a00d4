"""A message as words alone, for one that was refused: no embed, no link, no formatting, no emoji.

Used by ``discord_message``. May import: notifiers, the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from homelabmon.notifiers.discord_parts import (
    MORE,
    NOTE,
    Story,
    rank_of,
    room_of,
    tally_of,
    title_of,
    total_of,
    while_it_fits,
)
from homelabmon.notifiers.discord_text import (
    clean,
    cut,
    escape,
    moment,
    shorten,
)
from homelabmon.notifiers.facts import (
    STATE_WORD,
    counts,
    is_over,
    lasted,
    plural,
    severity_word,
    where,
)
from homelabmon.notifiers.message import IncidentView, Message

_PLAIN: Final = 1400
_TALLY: Final = 120
"""The line that says how many incidents there are."""


def plain_text(message: Message) -> str:
    """The note, then each incident, the worst first; what does not fit is counted."""
    lines = [line for line in (_words(message.note, NOTE), *_plain_lines(message.incidents)) if line]
    kept = while_it_fits(lines, _PLAIN - MORE)
    if len(kept) < len(lines):
        kept.append(f"and {plural(len(lines) - len(kept), 'more line')}. {total_of(message.incidents)} in all.")
    return "\n".join(kept)


def how_many_fit(incidents: Sequence[IncidentView]) -> int:
    """How many fit a plain message with each alert named; at least 1."""
    room, fit = _PLAIN - MORE - NOTE - _TALLY, 0
    for incident in incidents:
        room -= room_of(line for line in _plain_incident(incident) if line)
        if room < 0:
            break
        fit += 1
    return max(1, fit)


def _plain_lines(incidents: Iterable[IncidentView]) -> Iterator[str]:
    several = list(incidents)
    if len(several) > 1:
        yield f"{tally_of(several)}. The worst first:"
    for incident in sorted(several, key=_worst_first):
        yield from _plain_incident(incident)


def _worst_first(incident: IncidentView) -> tuple[bool, int]:
    return is_over(incident.state), rank_of(incident)


def _plain_incident(incident: IncidentView) -> Iterator[str]:
    """The incident in a sentence, then what is wrong, then its alerts."""
    story = Story.of(incident)
    state = " ".join(part for part in (STATE_WORD[incident.state], severity_word(incident.severity)) if part)
    took = f" after {lasted(incident)}" if lasted(incident) else ""
    number = f" {counts(incident)}." if len(incident.alerts) > 1 else ""
    started = f" Since {moment(incident.opened_at)}." if moment(incident.opened_at) else ""
    yield f"{_words(state, 80)} - {_words(title_of(incident), 160)}{took}.{number}{started}"
    if places := ", ".join(f"{name} {shorten(clean(text[:1000]), 80)}" for name, text in where(incident)[:6]):
        yield f"Where: {_words(places, 200)}"
    if text := story.summary or story.description:
        yield _words(text[:1200], 300)
    if len(incident.alerts) == 1:
        return
    for alert, labels in zip(incident.alerts, story.labels, strict=True):
        name = ", ".join(shorten(clean(text[:1000]), 60) for _, text in labels[:3]) or "(same labels)"
        state = f" ({STATE_WORD[alert.state].lower()})" if alert.state != incident.state else ""
        yield f"{_words(name, 200)}{state}"


def _words(text: str, limit: int) -> str:
    """Printable characters of the basic plane alone, escaped."""
    return cut(escape(_basic(text)), limit)


def _basic(text: str) -> str:
    """Printable characters of the basic plane alone."""
    return "".join(char if char.isprintable() and char <= "\uffff" else " " for char in clean(text))
