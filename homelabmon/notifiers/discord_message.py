"""What a message looks like in Discord: a headline that a phone shows on its lock screen, and a card below it.

Used by :mod:`~homelabmon.notifiers.discord`. May import: notifiers, the standard library.

The headline is the message's ``content``, as notifications, replies, search and readers who switched embeds off show
nothing else. The card is one embed or a few, and consists of descriptions only: no ``url`` (Discord refuses
hosts without a top-level domain there, such as ``http://grafana/``), no titles, no fields that could be empty.

The room is shared out so that every limit holds by construction:

========== ===== ==========================================
headline    1200 content holds 2000; the rest is for mentions
card        5000 lines; one description holds 4096
note         300 in the card
links       1400 in the card; 400 in a digest
footer       200 all embeds together hold 6000 (5000 of lines and links, or of lines, note and links in a digest)
========== ===== ==========================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.notifiers import addresses
from homelabmon.notifiers.discord_text import (
    ELLIPSIS,
    bold,
    clean,
    cut,
    escape,
    link,
    moment,
    paragraph,
    shorten,
    shown,
    since,
    units,
    value,
    web_address,
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
    distinguishing,
    duration,
    is_over,
    lasted,
    plural,
    severity_word,
    shared_labels,
    symbol,
    told_once,
    value_of,
    where,
)
from homelabmon.notifiers.message import AlertView, IncidentView, Message

CONTENT: Final = 2000
DESCRIPTION: Final = 4096
ALL_EMBEDS: Final = 6000
FOOTER: Final = 2048
USERNAME: Final = 80
THREAD_NAME: Final = 100
MENTIONED: Final = 100
"""Discord's limits, resources/message and resources/webhook of its API documentation."""

_CARD: Final = 5700
"""Everything in the descriptions of one message, without the footer."""
_DIGEST: Final = 4900
"""The incidents' lines of a digest. What they leave of the card is for the note and the links."""
_NOTE: Final = 300
_FOOTER: Final = 200
_LINKS: Final = 1400
_DIGEST_LINKS: Final = 400
_HEADLINE: Final = 600
_SUMMARY: Final = 400
_MORE: Final = 100
"""A line "and N more"."""
_PLAIN: Final = 1400
_NAMED: Final = 3
"""Alerts that the headline names."""
_SAME_TIME: Final = 60.0
"""Seconds within which an alert began with its incident, so that its own beginning is not worth a word."""

_COLOURS: Final = {"critical": 0xD83A42, "warning": 0xE67E22, "info": 0x3A7BD5}
_OVER_COLOURS: Final = {"resolved": 0x2E9E5B, "expired": 0x8A8F98}
_OTHER_COLOUR: Final = 0x8E6BBF


def full(message: Message) -> dict[str, Any]:
    """The payload of a message, for POST and PATCH alike. ``thread_name`` is there for a forum only."""
    if len(message.incidents) == 1:
        headline, parts = _single(message)
    else:
        headline, parts = _digest(message)
    embeds = [
        {"description": text, "color": part.colour} for part in parts for text in _descriptions(part.lines) if text
    ]
    if embeds and (footer := _footer(message)):
        embeds[-1]["footer"] = {"text": footer}
    return _payload(message, headline, embeds)


def plain(message: Message) -> dict[str, Any]:
    """The same facts as words alone, for a message that was refused: no embed, no link, no formatting, no emoji."""
    lines = [line for line in (_words(message.note, _NOTE), *_plain_lines(message.incidents)) if line]
    kept = _while_it_fits(lines, _PLAIN - _MORE)
    if len(kept) < len(lines):
        kept.append(f"and {plural(len(lines) - len(kept), 'more line')}. {_total(message.incidents)} in all.")
    return _payload(message, "\n".join(kept), [], named=False)


def how_many_fit(incidents: Sequence[IncidentView]) -> int:
    """How many fit a digest with each alert named (ended ones: with their one line); at least 1."""
    room, fit = _DIGEST, 0
    for incident in incidents:
        room -= _room_of(_block(incident, room))
        if room < 0:
            break
        fit += 1
    return max(1, fit)


def how_many_fit_plain(incidents: Sequence[IncidentView]) -> int:
    """How many fit a plain message with each alert named; at least 1."""
    room, fit = _PLAIN - _MORE - _NOTE, 0
    for incident in incidents:
        room -= _room_of(line for line in _plain_incident(incident) if line)
        if room < 0:
            break
        fit += 1
    return max(1, fit)


# The parts of a payload -------------------------------------------------------------------------------------------


def _payload(message: Message, headline: str, embeds: list[dict[str, Any]], *, named: bool = True) -> dict[str, Any]:
    mentions = _Mentions.of(message.mentions)
    payload: dict[str, Any] = {"content": f"{mentions.text} {headline}".strip(), "allowed_mentions": mentions.allowed}
    if named and (name := _username(message.sender)):
        payload["username"] = name
    if embeds:
        payload["embeds"] = embeds
    payload["thread_name"] = _thread_name(message)
    return payload


@dataclass(frozen=True, slots=True)
class _Mentions:
    """Whom the message pings: the text that does it, and the permission that nothing else in the message has."""

    text: str
    allowed: Mapping[str, Any]

    @classmethod
    def of(cls, mentions: Iterable[str]) -> _Mentions:
        texts: list[str] = []
        roles: list[str] = []
        users: list[str] = []
        everyone = False
        for mention in dict.fromkeys(mentions):
            kind, _, number = mention.partition(":")
            if mention in ("everyone", "here"):
                everyone = True
                written = f"@{mention}"
            elif kind in ("role", "user") and _is_snowflake(number) and len(roles) + len(users) < 20:
                (roles if kind == "role" else users).append(number)
                written = f"<@&{number}>" if kind == "role" else f"<@{number}>"
            else:
                continue
            texts.append(written)
        allowed: dict[str, Any] = {"parse": ["everyone"] if everyone else []}
        if roles:
            allowed["roles"] = roles
        if users:
            allowed["users"] = users
        return cls(" ".join(texts), allowed)


def _is_snowflake(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 21 and 0 < int(text) < 2**63 and text[0] != "0"


def _username(sender: str | None) -> str:
    """The sender's name where Discord takes it; it refuses names with "discord" or "clyde" in them."""
    name = shorten(clean(sender or ""), USERNAME)
    lower = name.lower()
    return "" if any(part in lower for part in ("discord", "clyde", "```")) or lower in ("everyone", "here") else name


def _thread_name(message: Message) -> str:
    """Name of the post in a forum. It stays when the incident ends (a webhook cannot rename), so it tells no state."""
    first = message.incidents[0]
    name = clean(first.title) or first.group.get("alertname", "")
    more = len(message.incidents) - 1
    text = f"{name} and {more} more" if more else name
    return shorten(clean(text), THREAD_NAME) or f"Incident {first.id}"


def _footer(message: Message) -> str:
    said = [clean(message.stack)]
    if len(message.incidents) == 1:
        incident = message.incidents[0]
        said += [clean(incident.route), clean(incident.source), f"incident {incident.id}"]
    return shorten(" · ".join(shorten(part, 60) for part in said if part), _FOOTER)


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines that share a colour. None is longer than a description."""

    colour: int
    lines: list[str]


def _descriptions(lines: Iterable[str]) -> Iterator[str]:
    """The lines, in as few texts as Discord takes."""
    text, size = "", 0
    for line in lines:
        longer = size + 1 + units(line)
        if text and longer > DESCRIPTION:
            yield text.strip()
            text, size = line, units(line)
        else:
            text, size = (f"{text}\n{line}", longer) if text else (line, units(line))
    yield text.strip()


def _colour(incident: IncidentView) -> int:
    if is_over(incident.state):
        return _OVER_COLOURS[incident.state]
    return _COLOURS.get(incident.severity, _OTHER_COLOUR)


def _room_of(lines: Iterable[str]) -> int:
    return sum(units(line) + 1 for line in lines)


def _link_line(links: Iterable[tuple[str, str]], limit: int) -> str:
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


def _total(incidents: Iterable[IncidentView]) -> str:
    return plural(sum(len(incident.alerts) for incident in incidents), "alert")


@dataclass(frozen=True, slots=True)
class _Story:
    """An incident, and what takes a look at all its alerts to know."""

    incident: IncidentView
    labels: Sequence[Sequence[tuple[str, str]]]
    summary: str
    description: str

    @classmethod
    def of(cls, incident: IncidentView) -> _Story:
        labels = distinguishing(incident)
        summary, description = (told_once(incident, names, labels) for names in (SUMMARIES, DESCRIPTIONS))
        return cls(incident, labels, summary, description)


# One incident -----------------------------------------------------------------------------------------------------


def _single(message: Message) -> tuple[str, list[_Part]]:
    incident = message.incidents[0]
    story = _Story.of(incident)
    top = [line for line in (_note_line(message), *_facts(incident)) if line]
    links = _link_line(addresses.of_incident(incident, message.links), _LINKS)
    bottom = ["", links] if links else []
    room = _CARD - _room_of(top) - _room_of(bottom)
    alerts = _alerts(story, room - 1)
    lines = [*top, "", *alerts, *bottom] if alerts else [*top, *bottom]
    return _headline(story), [_Part(_colour(incident), lines)]


def _note_line(message: Message) -> str:
    return shown(message.note, _NOTE)


def _headline(story: _Story) -> str:
    """State, severity, title; and what is wrong, in the words of the alert."""
    incident = story.incident
    severity = shown(severity_word(incident.severity), 40)
    words = f"{STATE_WORD[incident.state]} · {severity}" if severity else STATE_WORD[incident.state]
    first_alert = incident.alerts[0]
    if len(incident.alerts) == 1 and first_alert.silenced and incident.state == "firing":
        words += ", silenced"
    parts = [bold(words), bold(shown(_title(incident), 300))]
    if len(incident.alerts) > 1 or first_alert.state == "event":
        parts.append(counts(incident))
    if lasted(incident):
        parts.append(f"after {lasted(incident)}")
    first = f"{symbol(incident.state, incident.severity)} {' · '.join(parts)}"
    said = "" if _repeats_title(story.summary, incident) else shown(story.summary, _SUMMARY)
    said = ": ".join(part for part in (said.removesuffix("."), _who(story)) if part)
    if not said:
        return first
    return f"{first}\nIt was: {said}" if is_over(incident.state) else f"{first}\n{said}"


def _who(story: _Story) -> str:
    """The first few of several alerts, those that fire first: a lock screen shows no more than the headline."""
    alerts = story.incident.alerts
    if len(alerts) < 2:
        return ""
    named = [value(labels[0][1], 60) for labels in map(_without_severity, story.labels[:_NAMED]) if labels]
    return ", ".join([*named, *([ELLIPSIS] if len(named) < len(alerts) else [])]) if named else ""


def _repeats_title(summary: str, incident: IncidentView) -> bool:
    return clean(summary[:2000]) == _title(incident)


def _title(incident: IncidentView) -> str:
    name = clean(incident.title[:2000]) or clean(shared_labels(incident).get("alertname", "")[:2000])
    return name or f"Incident {incident.id}"


def _facts(incident: IncidentView) -> list[str]:
    """Where, since when, how long, how often."""
    lines = []
    if places := where(incident):
        lines.append(f"**Where** {_pairs(places, 600)}")
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
        said += _times(incident.alerts[0])
    return f"**{'Seen' if incident.state == 'event' else 'Flapping'}** {', '.join(said)}" if said else ""


def _times(alert: AlertView) -> list[str]:
    if alert.times < 2:
        return []
    last = f", last {moment(alert.last_at, 'R')}" if moment(alert.last_at) else ""
    return [f"{alert.times} times{last}" if alert.state == "event" else f"fired {alert.times} times{last}"]


def _pairs(pairs: Sequence[tuple[str, str]], limit: int) -> str:
    """``namespace media · node n1``: as many as fit, the rest counted."""
    text = ""
    for at, (name, said) in enumerate(pairs):
        one = f"{value(name, 60)} {bold(value(said, 120))}"
        longer = f"{text} · {one}" if text else one
        if units(longer) > limit:
            return f"{text} · and {plural(len(pairs) - at, 'more label')}" if text else cut(escape(name), limit)
        text = longer
    return text


def _alerts(story: _Story, room: int) -> list[str]:
    """Each alert by what distinguishes it; with what it says of itself while there is room.

    All names come before any details; what cannot be named is counted.
    """
    alerts = story.incident.alerts
    if len(alerts) == 1:
        return _take(_details(alerts[0], story), room)
    shared = _take([paragraph(story.description, 700)], room // 3)
    room -= _room_of(shared)
    names = _while_it_fits((_name_line(*one, story.incident) for one in zip(alerts, story.labels, strict=True)), room)
    if len(names) < len(alerts):
        return [*shared, *_counted(names, alerts, room)]
    room -= _room_of(names)
    lines = []
    for name, alert in zip(names, alerts, strict=True):
        details = _take(_details(alert, story), room) if not is_over(alert.state) else []
        room -= _room_of(details)
        lines += [name, *details]
    return [*shared, *lines]


def _while_it_fits(lines: Iterable[str], room: int) -> list[str]:
    """The lines up to the first that does not fit; no more of them are made."""
    kept = []
    for line in lines:
        room -= units(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _take(lines: Iterable[str], room: int) -> list[str]:
    kept = []
    for line in lines:
        if line and units(line) + 1 <= room:
            kept.append(line)
            room -= units(line) + 1
    return kept


def _counted(names: Sequence[str], alerts: Sequence[AlertView], room: int) -> list[str]:
    """The names that fit, and how many more there are."""
    kept = _while_it_fits(names, room - _MORE)
    rest = alerts[len(kept) :]
    firing = sum(alert.state == "firing" for alert in rest)
    more = f"and {len(rest)} more" if kept else plural(len(rest), "alert")
    return [*kept, f"{ELLIPSIS} {more}{f' ({firing} firing)' if firing not in (0, len(rest)) else ''}"]


def _name_line(alert: AlertView, labels: Sequence[tuple[str, str]], incident: IncidentView) -> str:
    """``• n2 · instance n2:9100 · 97 % · 5 minutes ago``."""
    names = _without_severity(labels)
    said = [_called(names, 200)]
    if number := value_of(alert):
        said.append(shown(number, 60))
    if names != [("severity", alert.severity)] and alert.severity != incident.severity:
        said.append(shown(severity_word(alert.severity), 40))
    if alert.silenced and alert.state == "firing":
        said.append("🔕 silenced")
    if alert.state == "firing" and moment(alert.starts_at) and abs(alert.starts_at - incident.opened_at) > _SAME_TIME:
        said.append(f"since {moment(alert.starts_at, 'R')}")
    said += _times(alert)
    if is_over(alert.state):
        said.append(_over(alert))
    mark = symbol(alert.state, alert.severity) if alert.state != incident.state else "•"
    return f"{mark} {' · '.join(part for part in said if part)}"


def _without_severity(labels: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The message and the line say it in a place of its own; unless there is nothing else to name the alert by."""
    return [pair for pair in labels if pair[0] != "severity"] or list(labels)


def _over(alert: AlertView) -> str:
    took = duration(alert.ends_at - alert.starts_at) if alert.ends_at is not None else ""
    return f"{STATE_WORD[alert.state].lower()}{f' after {took}' if took else ''}"


def _called(labels: Sequence[tuple[str, str]], limit: int) -> str:
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


_SHOWN_ELSEWHERE: Final = frozenset((*SUMMARIES, *DESCRIPTIONS, *VALUES, *RUNBOOKS, *DASHBOARDS))


def _details(alert: AlertView, story: _Story) -> Iterator[str]:
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


# Several incidents ------------------------------------------------------------------------------------------------


def _digest(message: Message) -> tuple[str, list[_Part]]:
    going = [incident for incident in message.incidents if not is_over(incident.state)]
    going.sort(key=_rank)
    over = [incident for incident in message.incidents if is_over(incident.state)]
    blocks = _blocks([*going, *over])
    parts = []
    if note := _note_line(message):
        blocks[0].insert(0, note)
    for incidents, some in ((going, blocks[: len(going)]), (over, blocks[len(going) :])):
        if lines := [line for block in some for line in block]:
            parts.append(_Part(_worst_colour(incidents), lines))
    if links := _link_line(addresses.of_digest(message.links), _DIGEST_LINKS):
        parts[-1].lines.extend(("", links))
    return _digest_headline(message.incidents), parts


_SEVERITIES: Final = ("critical", "warning", "info")


def _rank(incident: IncidentView) -> int:
    return _SEVERITIES.index(incident.severity) if incident.severity in _SEVERITIES else len(_SEVERITIES)


def _worst_colour(incidents: Sequence[IncidentView]) -> int:
    return _colour(min(incidents, key=_rank))


def _digest_headline(incidents: Sequence[IncidentView]) -> str:
    going = [incident for incident in incidents if not is_over(incident.state)]
    worst = next((name for name in _SEVERITIES if any(incident.severity == name for incident in going)), "")
    mark = symbol("firing", worst) if going else symbol(incidents[0].state, "")
    return f"{mark} **{_tally(incidents)}** ({_total(incidents)})"


def _tally(incidents: Sequence[IncidentView]) -> str:
    """``7 incidents: 3 firing, 1 event, 2 resolved, 2 critical``."""
    going = [incident for incident in incidents if not is_over(incident.state)]
    said = []
    for state in ("firing", "event", "resolved", "expired"):
        if number := sum(incident.state == state for incident in incidents):
            said.append(plural(number, "event") if state == "event" else f"{number} {state}")
    severe = sum(incident.severity == "critical" for incident in going)
    critical = f", {severe} critical" if severe else ""
    return f"{plural(len(incidents), 'incident')}: {', '.join(said)}{critical}"


def _blocks(incidents: Sequence[IncidentView]) -> list[list[str]]:
    """Each incident's lines: all of them when they fit, else fair shares, with the rest counted."""
    if len(incidents) <= how_many_fit(incidents) and len(incidents) > 1:
        return [_block(incident, _DIGEST) for incident in incidents]
    room = _DIGEST - 2 * _MORE
    kept: list[list[str]] = []
    for at, incident in enumerate(incidents):
        share = min(room, max(room // (len(incidents) - at), 700))
        block = _block(incident, share)
        if _room_of(block) > share:
            block = _shortened(incident, block, share)
        if not block:
            rest = incidents[at:]
            kept.append([f"{ELLIPSIS} and {plural(len(rest), 'more incident')} with {_total(rest)}"])
            break
        kept.append(block)
        room -= _room_of(block)
    return [*kept, *([] for _ in range(len(incidents) - len(kept)))]


def _shortened(incident: IncidentView, block: list[str], room: int) -> list[str]:
    """The incident's own line and the alerts that fit ``room``; nothing when not even that fits."""
    head, *names = block
    room -= units(head) + 1
    if room < 0 or (names and room < _MORE):
        return []
    return [head, *(_counted(names, incident.alerts, room) if names else [])]


def _block(incident: IncidentView, room: int) -> list[str]:
    """An incident in a digest. What ended takes one line; what has one alert, as well.

    Of an incident that needs more than ``room``, only so many lines are made as show that.
    """
    if is_over(incident.state):
        return [_over_line(incident)]
    head = f"{symbol(incident.state, incident.severity)} **{_state_in_digest(incident)}** · {_digest_title(incident)}"
    when = moment(incident.opened_at, "R")
    when = f"{'first' if incident.state == 'event' else 'since'} {when}" if when else ""
    flaps = f" · came back {plural(incident.returns, 'time')}" if incident.returns else ""
    if len(incident.alerts) == 1:
        alert = incident.alerts[0]
        summary = annotation(alert, SUMMARIES)
        said = [_places(incident), "" if _repeats_title(summary, incident) else shown(summary, 120), *_times(alert)]
        silenced = "🔕 silenced" if alert.silenced else ""
        return [" · ".join(part for part in (head, *said, silenced, when) if part) + flaps]
    head = " · ".join(part for part in (head, _places(incident), when) if part) + flaps
    lines = [head]
    room -= units(head) + 1
    for alert, labels in zip(incident.alerts, distinguishing(incident), strict=True):
        if room < 0:
            break
        lines.append(_short_name_line(alert, labels))
        room -= units(lines[-1]) + 1
    return lines


def _state_in_digest(incident: IncidentView) -> str:
    return f"{STATE_WORD[incident.state]} {shown(severity_word(incident.severity), 30)}".strip()


def _digest_title(incident: IncidentView) -> str:
    return bold(shown(_title(incident), 120))


_MEASURED_BY: Final = frozenset(("job", "service", "instance"))


def _places(incident: IncidentView) -> str:
    """The few labels that say where; those about who measured only where there is nothing else."""
    title = _title(incident)
    pairs = [pair for pair in where(incident) if pair[1] not in title]
    return _pairs([pair for pair in pairs if pair[0] not in _MEASURED_BY][:3] or pairs[:2], 160)


def _short_name_line(alert: AlertView, labels: Sequence[tuple[str, str]]) -> str:
    said = [_called(_without_severity(labels)[:3], 110)]
    if number := value_of(alert):
        said.append(shown(number, 30))
    if is_over(alert.state):
        said.append(STATE_WORD[alert.state].lower())
    if alert.silenced and alert.state == "firing":
        said.append("🔕 silenced")
    if alert.times > 1:
        said.append(f"×{alert.times}")
    return f"• {' · '.join(said)}"


def _over_line(incident: IncidentView) -> str:
    """``✅ RESOLVED · NodeDown · n1, n2 · lasted 5 min``."""
    took = f" · lasted {lasted(incident)}" if lasted(incident) else ""
    flaps = f" · came back {plural(incident.returns, 'time')}" if incident.returns else ""
    head = f"{symbol(incident.state, '')} {STATE_WORD[incident.state]} · {_digest_title(incident)}"
    if len(incident.alerts) == 1:
        return " · ".join(part for part in (head, _places(incident)) if part) + took + flaps
    names, room = "", 220
    for at, labels in enumerate(distinguishing(incident)):
        one = value(labels[0][1], 50) if labels else "(same labels)"
        longer = f"{names}, {one}" if names else one
        if units(longer) > room:
            return f"{head} · {names} and {len(incident.alerts) - at} more{took}{flaps}"
        names = longer
    return f"{head} · {names}{took}{flaps}"


# Plain ------------------------------------------------------------------------------------------------------------


def _plain_lines(incidents: Iterable[IncidentView]) -> Iterator[str]:
    several = list(incidents)
    if len(several) > 1:
        yield f"{_tally(several)}. The worst first:"
    for incident in sorted(several, key=_worst_first):
        yield from _plain_incident(incident)


def _worst_first(incident: IncidentView) -> tuple[bool, int]:
    return is_over(incident.state), _rank(incident)


def _plain_incident(incident: IncidentView) -> Iterator[str]:
    """The incident in a sentence, then what is wrong, then its alerts."""
    story = _Story.of(incident)
    state = " ".join(part for part in (STATE_WORD[incident.state], severity_word(incident.severity)) if part)
    took = f" after {lasted(incident)}" if lasted(incident) else ""
    number = f" {counts(incident)}." if len(incident.alerts) > 1 else ""
    started = f" Since {moment(incident.opened_at)}." if moment(incident.opened_at) else ""
    yield f"{_words(state, 80)} - {_words(_title(incident), 160)}{took}.{number}{started}"
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
