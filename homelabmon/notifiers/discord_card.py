"""One incident as a card: what, where, since when, how many, each alert by what distinguishes it, and links.

Used by ``discord_message``. May import: notifiers, the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from homelabmon.notifiers import addresses
from homelabmon.notifiers.discord_parts import (
    CARD,
    Part,
    Story,
    called,
    colour_of,
    counted,
    link_line,
    note_line,
    pairs_of,
    repeats_title,
    room_of,
    take,
    times_of,
    title_of,
    while_it_fits,
    without_severity,
)
from homelabmon.notifiers.discord_text import (
    ELLIPSIS,
    bold,
    clean,
    moment,
    paragraph,
    shown,
    since,
    value,
)
from homelabmon.notifiers.facts import (
    DASHBOARDS,
    DESCRIPTIONS,
    EXPIRED,
    RUNBOOKS,
    STATE_WORD,
    SUMMARIES,
    VALUES,
    annotation,
    by_importance,
    counts,
    duration,
    is_over,
    lasted,
    plural,
    severity_word,
    symbol,
    value_of,
    where,
)
from homelabmon.notifiers.message import AlertView, IncidentView, Message

_LINKS: Final = 1400
_SUMMARY: Final = 400
_NAMED: Final = 3
"""Alerts that the headline names."""
_SAME_TIME: Final = 60.0
"""Seconds within which an alert began with its incident, so that its own beginning is not worth a word."""


def single(message: Message) -> tuple[str, list[Part]]:
    """The headline and the card of a message with one incident."""
    incident = message.incidents[0]
    story = Story.of(incident)
    top = [line for line in (note_line(message), *_facts(incident)) if line]
    links = link_line(addresses.of_incident(incident, message.links), _LINKS)
    bottom = ["", links] if links else []
    room = CARD - room_of(top) - room_of(bottom)
    alerts = _alerts(story, room - 1)
    lines = [*top, "", *alerts, *bottom] if alerts else [*top, *bottom]
    return _headline(story), [Part(colour_of(incident), lines)]


def _headline(story: Story) -> str:
    """State, severity, title; and what is wrong, in the words of the alert."""
    incident = story.incident
    severity = shown(severity_word(incident.severity), 40)
    words = f"{STATE_WORD[incident.state]} · {severity}" if severity else STATE_WORD[incident.state]
    first_alert = incident.alerts[0]
    if len(incident.alerts) == 1 and first_alert.silenced and incident.state == "firing":
        words += ", silenced"
    parts = [bold(words), bold(shown(title_of(incident), 300))]
    if len(incident.alerts) > 1 or first_alert.state == "event":
        parts.append(counts(incident))
    if lasted(incident):
        parts.append(f"after {lasted(incident)}")
    first = f"{symbol(incident.state, incident.severity)} {' · '.join(parts)}"
    said = "" if repeats_title(story.summary, incident) else shown(story.summary, _SUMMARY)
    said = ": ".join(part for part in (said.removesuffix("."), _who(story)) if part)
    if not said:
        return first
    return f"{first}\nIt was: {said}" if is_over(incident.state) else f"{first}\n{said}"


def _who(story: Story) -> str:
    """The first few of several alerts, those that fire first: a lock screen shows no more than the headline."""
    alerts = story.incident.alerts
    if len(alerts) < 2:
        return ""
    named = [value(labels[0][1], 60) for labels in map(without_severity, story.labels[:_NAMED]) if labels]
    return ", ".join([*named, *([ELLIPSIS] if len(named) < len(alerts) else [])]) if named else ""


def _facts(incident: IncidentView) -> list[str]:
    """Where, since when, how long, how often."""
    lines = []
    if places := where(incident):
        lines.append(f"**Where** {pairs_of(places, 600)}")
    if started := since(incident.opened_at):
        took = f", lasted {lasted(incident)}" if lasted(incident) else ""
        lines.append(f"**{'When' if incident.state == 'event' else 'Since'}** {started}{took}")
    if is_over(incident.state) and (ended := since(incident.ended_at)):
        lines.append(f"**Ended** {ended}")
    if how_often := _how_often(incident):
        lines.append(how_often)
    if incident.state == "expired":
        lines.append(f"**Unconfirmed** {EXPIRED}")
    if incident.state == "firing" and all(alert.silenced for alert in incident.alerts if alert.state == "firing"):
        lines.append("🔕 Silenced in Alertmanager: it still fires, but nobody is notified.")
    return lines


def _how_often(incident: IncidentView) -> str:
    said = []
    if incident.returns:
        said.append(f"came back {plural(incident.returns, 'time')}")
    if len(incident.alerts) == 1:
        said += times_of(incident.alerts[0])
    return f"**{'Seen' if incident.state == 'event' else 'Flapping'}** {', '.join(said)}" if said else ""


def _alerts(story: Story, room: int) -> list[str]:
    """Each alert by what distinguishes it; with what it says of itself while there is room.

    All names come before any details; what cannot be named is counted.
    """
    alerts = story.incident.alerts
    if len(alerts) == 1:
        return take(_details(alerts[0], story), room)
    shared = take([paragraph(story.description, 700)], room // 3)
    room -= room_of(shared)
    names = while_it_fits((_name_line(*one, story.incident) for one in zip(alerts, story.labels, strict=True)), room)
    if len(names) < len(alerts):
        return [*shared, *counted(names, alerts, room)]
    room -= room_of(names)
    lines = []
    for name, alert in zip(names, alerts, strict=True):
        details = take(_details(alert, story), room) if not is_over(alert.state) else []
        room -= room_of(details)
        lines += [name, *details]
    return [*shared, *lines]


def _name_line(alert: AlertView, labels: Sequence[tuple[str, str]], incident: IncidentView) -> str:
    """``• n2 · instance n2:9100 · 97 % · 5 minutes ago``."""
    names = without_severity(labels)
    said = [called(names, 200)]
    if number := value_of(alert):
        said.append(shown(number, 60))
    if names != [("severity", alert.severity)] and alert.severity != incident.severity:
        said.append(shown(severity_word(alert.severity), 40))
    if alert.silenced and alert.state == "firing":
        said.append("🔕 silenced")
    if alert.state == "firing" and moment(alert.starts_at) and abs(alert.starts_at - incident.opened_at) > _SAME_TIME:
        said.append(f"since {moment(alert.starts_at, 'R')}")
    said += times_of(alert)
    if is_over(alert.state):
        said.append(_over(alert))
    mark = symbol(alert.state, alert.severity) if alert.state != incident.state else "•"
    return f"{mark} {' · '.join(part for part in said if part)}"


def _over(alert: AlertView) -> str:
    took = duration(alert.ends_at - alert.starts_at) if alert.ends_at is not None else ""
    return f"{STATE_WORD[alert.state].lower()}{f' after {took}' if took else ''}"


_SHOWN_ELSEWHERE: Final = frozenset((*SUMMARIES, *DESCRIPTIONS, *VALUES, *RUNBOOKS, *DASHBOARDS))


def _details(alert: AlertView, story: Story) -> Iterator[str]:
    """What an alert says of itself, unless the message says it already."""
    alone = len(story.incident.alerts) == 1
    if alone and (number := annotation(alert, VALUES)):
        yield f"**Value** {shown(number, 300)}"
    if not story.summary and (summary := annotation(alert, SUMMARIES)):
        yield paragraph(summary, 300)
    if (alone or not story.description) and (text := annotation(alert, DESCRIPTIONS)):
        yield paragraph(text, 2000 if alone else 500)
    for name in by_importance(alert.annotations):
        text = alert.annotations[name]
        hidden = name in _SHOWN_ELSEWHERE or name.startswith("__") or name.lower().endswith("url")
        if not hidden and clean(text[:1000]):
            yield f"**{value(name, 60)}** {paragraph(text, 500 if alone else 200)}"
