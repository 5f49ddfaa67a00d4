"""What cards, digests and plain messages are made of: lines that fit, names of alerts, what is said of each.

Used by its neighbours ``discord_card``, ``discord_digest`` and ``discord_words``. May import: notifiers, the standard
library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from homelabmon.notifiers.discord_text import (
    ELLIPSIS,
    bold,
    clean,
    cut,
    escape,
    link,
    moment,
    shown,
    units,
    value,
    web_address,
)
from homelabmon.notifiers.facts import (
    DESCRIPTIONS,
    SUMMARIES,
    distinguishing,
    is_over,
    plural,
    shared_labels,
    told_once,
)
from homelabmon.notifiers.message import AlertView, IncidentView, Message

CARD: Final = 5700
"""Everything in the descriptions of one message, without the footer."""
NOTE: Final = 300
MORE: Final = 100
"""A line "and N more"."""
_COLOURS: Final = {"critical": 0xD83A42, "warning": 0xE67E22, "info": 0x3A7BD5}
_OVER_COLOURS: Final = {"resolved": 0x2E9E5B, "expired": 0x8A8F98}
_OTHER_COLOUR: Final = 0x8E6BBF


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that share a colour. None is longer than a description."""

    colour: int
    lines: list[str]


def colour_of(incident: IncidentView) -> int:
    """By severity while it goes on, by how it ended after that."""
    if is_over(incident.state):
        return _OVER_COLOURS[incident.state]
    return _COLOURS.get(incident.severity, _OTHER_COLOUR)


def room_of(lines: Iterable[str]) -> int:
    """What the lines take of a text, line ends included."""
    return sum(units(line) + 1 for line in lines)


def link_line(links: Iterable[tuple[str, str]], limit: int) -> str:
    """As many of the links as there is room for; those that lead nowhere are left out."""
    line = ""
    for name, url in links:
        address = web_address(url)
        if address is None:
            continue
        longer = f"{line} · {link(name, address)}" if line else link(name, address)
        if units(longer) <= limit:
            line = longer
    return line


def total_of(incidents: Iterable[IncidentView]) -> str:
    """How many alerts they have together: ``12 alerts``."""
    return plural(sum(len(incident.alerts) for incident in incidents), "alert")


@dataclass(frozen=True, slots=True)
class Story:
    """An incident, and what takes a look at all its alerts to know."""

    incident: IncidentView
    labels: Sequence[Sequence[tuple[str, str]]]
    summary: str
    description: str

    @classmethod
    def of(cls, incident: IncidentView) -> Story:
        """Looks at all its alerts."""
        labels = distinguishing(incident)
        summary, description = (told_once(incident, names, labels) for names in (SUMMARIES, DESCRIPTIONS))
        return cls(incident, labels, summary, description)


def note_line(message: Message) -> str:
    """What the relay itself has to say about the message; empty mostly."""
    return shown(message.note, NOTE)


def repeats_title(summary: str, incident: IncidentView) -> bool:
    """Whether a summary says no more than the title does."""
    return clean(summary[:2000]) == title_of(incident)


def title_of(incident: IncidentView) -> str:
    """Its title as plain text; without one its alerts' name, or its number."""
    name = clean(incident.title[:2000]) or clean(shared_labels(incident).get("alertname", "")[:2000])
    return name or f"Incident {incident.id}"


def times_of(alert: AlertView) -> list[str]:
    """How often it fired or happened, where that was more than once."""
    if alert.times < 2:
        return []
    last = f", last {moment(alert.last_at, 'R')}" if moment(alert.last_at) else ""
    return [f"{alert.times} times{last}" if alert.state == "event" else f"fired {alert.times} times{last}"]


def pairs_of(pairs: Sequence[tuple[str, str]], limit: int) -> str:
    """``namespace media · node n1``: as many as fit, the rest counted."""
    text = ""
    for at, (name, said) in enumerate(pairs):
        one = f"{value(name, 60)} {bold(value(said, 120))}"
        longer = f"{text} · {one}" if text else one
        if units(longer) > limit:
            return f"{text} · and {plural(len(pairs) - at, 'more label')}" if text else cut(escape(name), limit)
        text = longer
    return text


def while_it_fits(lines: Iterable[str], room: int) -> list[str]:
    """The lines up to the first that does not fit; no more of them are made."""
    kept = []
    for line in lines:
        room -= units(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def take(lines: Iterable[str], room: int) -> list[str]:
    """Every line that still fits."""
    kept = []
    for line in lines:
        if line and units(line) + 1 <= room:
            kept.append(line)
            room -= units(line) + 1
    return kept


def counted(names: Sequence[str], alerts: Sequence[AlertView], room: int) -> list[str]:
    """The names that fit, and how many more there are."""
    kept = while_it_fits(names, room - MORE)
    rest = alerts[len(kept) :]
    firing = sum(alert.state == "firing" for alert in rest)
    more = f"and {len(rest)} more" if kept else plural(len(rest), "alert")
    return [*kept, f"{ELLIPSIS} {more}{f' ({firing} firing)' if firing not in (0, len(rest)) else ''}"]


def without_severity(labels: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The message and the line say it in a place of its own; unless there is nothing else to name the alert by."""
    return [pair for pair in labels if pair[0] != "severity"] or list(labels)


def called(labels: Sequence[tuple[str, str]], limit: int) -> str:
    """The first label's value in bold, the others with their names."""
    if not labels:
        return "(same labels)"
    first, *others = labels
    text = bold(value(first[1], 70))
    for name, said in others:
        longer = f"{text} · {value(name, 30)} {value(said, 60)}"
        if units(longer) > limit:
            break
        text = longer
    return text


SEVERITIES: Final = ("critical", "warning", "info")


def rank_of(incident: IncidentView) -> int:
    """0 for the worst severity; the last rank for one that nobody knows."""
    return SEVERITIES.index(incident.severity) if incident.severity in SEVERITIES else len(SEVERITIES)


def tally_of(incidents: Sequence[IncidentView]) -> str:
    """``7 incidents: 3 firing, 1 event, 2 resolved, 2 critical``."""
    going = [incident for incident in incidents if not is_over(incident.state)]
    said = []
    for state in ("firing", "event", "resolved", "expired"):
        if number := sum(incident.state == state for incident in incidents):
            said.append(plural(number, "event") if state == "event" else f"{number} {state}")
    severe = sum(incident.severity == "critical" for incident in going)
    critical = f", {severe} critical" if severe else ""
    return f"{plural(len(incidents), 'incident')}: {', '.join(said)}{critical}"
