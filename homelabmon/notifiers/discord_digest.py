"""Several incidents as one message: the worst first, a line for whatever is over, and nothing left uncounted.

Used by ``discord_message``. May import: notifiers, the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homelabmon.notifiers import addresses
from homelabmon.notifiers.discord_parts import (
    MORE,
    SEVERITIES,
    Part,
    called,
    colour_of,
    counted,
    link_line,
    note_line,
    pairs_of,
    rank_of,
    repeats_title,
    room_of,
    tally_of,
    times_of,
    title_of,
    total_of,
    without_severity,
)
from homelabmon.notifiers.discord_text import (
    ELLIPSIS,
    bold,
    moment,
    shown,
    units,
    value,
)
from homelabmon.notifiers.facts import (
    STATE_WORD,
    SUMMARIES,
    annotation,
    distinguishing,
    is_over,
    lasted,
    plural,
    severity_word,
    symbol,
    value_of,
    where,
)
from homelabmon.notifiers.message import AlertView, IncidentView, Message

_DIGEST: Final = 4900
"""The incidents' lines of a digest. What they leave of the card is for the note and the links."""
_DIGEST_LINKS: Final = 400


def how_many_fit(incidents: Sequence[IncidentView]) -> int:
    """How many fit a digest with each alert named (ended ones: with their one line); at least 1."""
    room, fit = _DIGEST, 0
    for incident in incidents:
        room -= room_of(_block(incident, room))
        if room < 0:
            break
        fit += 1
    return max(1, fit)


def digest(message: Message) -> tuple[str, list[Part]]:
    """The headline and the cards of a message with several incidents: what goes on, then what is over."""
    going = [incident for incident in message.incidents if not is_over(incident.state)]
    going.sort(key=rank_of)
    over = [incident for incident in message.incidents if is_over(incident.state)]
    blocks = _blocks([*going, *over])
    parts = []
    if note := note_line(message):
        blocks[0].insert(0, note)
    for incidents, some in ((going, blocks[: len(going)]), (over, blocks[len(going) :])):
        if lines := [line for block in some for line in block]:
            parts.append(Part(_worst_colour(incidents), lines))
    if links := link_line(addresses.of_digest(message.links), _DIGEST_LINKS):
        parts[-1].lines.extend(("", links))
    return _digest_headline(message.incidents), parts


def _worst_colour(incidents: Sequence[IncidentView]) -> int:
    return colour_of(min(incidents, key=rank_of))


def _digest_headline(incidents: Sequence[IncidentView]) -> str:
    going = [incident for incident in incidents if not is_over(incident.state)]
    worst = next((name for name in SEVERITIES if any(incident.severity == name for incident in going)), "")
    mark = symbol("firing", worst) if going else symbol(incidents[0].state, "")
    return f"{mark} **{tally_of(incidents)}** ({total_of(incidents)})"


def _blocks(incidents: Sequence[IncidentView]) -> list[list[str]]:
    """Each incident's lines: all of them when they fit, else fair shares, with the rest counted."""
    if len(incidents) <= how_many_fit(incidents) and len(incidents) > 1:
        return [_block(incident, _DIGEST) for incident in incidents]
    room = _DIGEST - 2 * MORE
    kept: list[list[str]] = []
    for at, incident in enumerate(incidents):
        share = min(room, max(room // (len(incidents) - at), 700))
        block = _block(incident, share)
        if room_of(block) > share:
            block = _shortened(incident, block, share)
        if not block:
            rest = incidents[at:]
            kept.append([f"{ELLIPSIS} and {plural(len(rest), 'more incident')} with {total_of(rest)}"])
            break
        kept.append(block)
        room -= room_of(block)
    return [*kept, *([] for _ in range(len(incidents) - len(kept)))]


def _shortened(incident: IncidentView, block: list[str], room: int) -> list[str]:
    """The incident's own line and the alerts that fit ``room``; nothing when not even that fits."""
    head, *names = block
    room -= units(head) + 1
    if room < 0 or (names and room < MORE):
        return []
    return [head, *(counted(names, incident.alerts, room) if names else [])]


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
        said = [_places(incident), "" if repeats_title(summary, incident) else shown(summary, 120), *times_of(alert)]
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
    return bold(shown(title_of(incident), 120))


_MEASURED_BY: Final = frozenset(("job", "service", "instance"))


def _places(incident: IncidentView) -> str:
    """The few labels that say where; those about who measured only where there is nothing else."""
    title = title_of(incident)
    pairs = [pair for pair in where(incident) if pair[1] not in title]
    return pairs_of([pair for pair in pairs if pair[0] not in _MEASURED_BY][:3] or pairs[:2], 160)


def _short_name_line(alert: AlertView, labels: Sequence[tuple[str, str]]) -> str:
    said = [called(without_severity(labels)[:3], 110)]
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
