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

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homelabmon.notifiers.discord_card import single
from homelabmon.notifiers.discord_digest import digest
from homelabmon.notifiers.discord_text import (
    clean,
    shorten,
    units,
)
from homelabmon.notifiers.discord_words import plain_text
from homelabmon.notifiers.message import Message

CONTENT: Final = 2000
DESCRIPTION: Final = 4096
ALL_EMBEDS: Final = 6000
FOOTER: Final = 2048
USERNAME: Final = 80
THREAD_NAME: Final = 100
MENTIONED: Final = 100
"""Discord's limits, resources/message and resources/webhook of its API documentation."""
_FOOTER: Final = 200


def full(message: Message) -> dict[str, Any]:
    """The payload of a message, for POST and PATCH alike. ``thread_name`` is there for a forum only."""
    if len(message.incidents) == 1:
        headline, parts = single(message)
    else:
        headline, parts = digest(message)
    embeds = [
        {"description": text, "color": part.colour} for part in parts for text in _descriptions(part.lines) if text
    ]
    if embeds and (footer := _footer(message)):
        embeds[-1]["footer"] = {"text": footer}
    return _payload(message, headline, embeds)


def plain(message: Message) -> dict[str, Any]:
    """The same facts as words alone, for a message that was refused: no embed, no link, no formatting, no emoji."""
    return _payload(message, plain_text(message), [], named=False)


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
