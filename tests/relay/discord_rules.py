"""What Discord takes as a webhook's message, written down from its documentation alone, for the fake and for tests.

Shares no code with the notifier, so that a mistake in one is not a mistake in both. Sources, all from Discord's API
documentation unless a thread of its repository discord/discord-api-docs is named:

- resources/message, Embed Limits: sizes, trimming, 6000 characters over all embeds
- resources/webhook, Execute Webhook and Edit Webhook Message: which keys, thread_name, flags
- resources/message, Allowed Mentions Object: ``parse`` and ids exclude one another by type, 100 ids
- reference, Error Messages; topics/opcodes-and-status-codes: 50006, 50035, 50109, 220001 to 220003
- #1315: Discord counts code points. Its clients count UTF-16 code units: tests check both
- bugsink/bugsink#280: an embed's address needs a top-level domain or an IP address
- discordjs/discord.js#5837, Rapptz/discord.py#643: empty addresses and blank fields are refused
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

CONTENT: Final = 2000
EMBEDS: Final = 10
TITLE: Final = 256
DESCRIPTION: Final = 4096
FIELDS: Final = 25
FIELD_NAME: Final = 256
FIELD_VALUE: Final = 1024
FOOTER: Final = 2048
AUTHOR: Final = 256
ALL_EMBEDS: Final = 6000
USERNAME: Final = 80
THREAD_NAME: Final = 100
MENTIONED_IDS: Final = 100
URL: Final = 2048

SUPPRESS_EMBEDS: Final = 1 << 2
SUPPRESS_NOTIFICATIONS: Final = 1 << 12
COMPONENTS_V2: Final = 1 << 15

Measure = Callable[[str], int]


def code_points(text: str) -> int:
    """How Discord's API counts."""
    return len(text)


def code_units(text: str) -> int:
    """How Discord's clients count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class Violation:
    """One error of a form: where, Discord's name for it, and its sentence."""

    path: str
    code: str
    message: str


@dataclass(frozen=True)
class Refusal:
    """The answer to a message that is refused."""

    status: int
    code: int
    message: str
    violations: tuple[Violation, ...] = ()


def refusal_of_post(
    payload: Any, *, forum: bool = False, thread_id: str | None = None, measure: Measure = code_points
) -> Refusal | None:
    """Why Discord refuses to post this; None when it takes it."""
    if not isinstance(payload, dict):
        return _invalid([Violation("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")])
    found = list(violations(payload, measure))
    if payload.get("flags", 0) not in (None, *_flags(SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, COMPONENTS_V2)):
        found.append(Violation("flags", "BASE_TYPE_CHOICES", "Only some flags can be set."))
    if found:
        return _invalid(found)
    if says_nothing(payload):
        return Refusal(400, 50006, "Cannot send an empty message")
    name = payload.get("thread_name")
    if forum and name is None and thread_id is None:
        return Refusal(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
    if forum and name is not None and thread_id is not None:
        return Refusal(400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
    if not forum and name is not None:
        return Refusal(400, 220003, "Webhooks can only create threads in forum channels")
    return None


def refusal_of_edit(payload: Any, before: dict[str, Any], *, measure: Measure = code_points) -> Refusal | None:
    """Why Discord refuses to edit the message ``before`` so; None when it takes it."""
    if not isinstance(payload, dict):
        return _invalid([Violation("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")])
    known = {key: value for key, value in payload.items() if key not in ("username", "thread_name")}
    found = list(violations(known, measure))
    if payload.get("flags", 0) not in (None, *_flags(SUPPRESS_EMBEDS, COMPONENTS_V2)):
        found.append(Violation("flags", "BASE_TYPE_CHOICES", "Only some flags can be set."))
    if found:
        return _invalid(found)
    if says_nothing(edited(before, payload)):
        return Refusal(400, 50006, "Cannot send an empty message")
    return None


def edited(before: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The message after the edit: what the edit does not name stays; null empties."""
    changed: dict[str, Any] = {
        key: payload[key] for key in ("content", "embeds", "flags", "components") if key in payload
    }
    return {**before, **changed}


def says_nothing(payload: dict[str, Any]) -> bool:
    """Whether nothing would be seen. Files and polls are not known here."""
    content = payload.get("content")
    return not (isinstance(content, str) and content.strip()) and not any(
        payload.get(key) for key in ("embeds", "components", "sticker_ids", "poll")
    )


def violations(payload: dict[str, Any], measure: Measure = code_points) -> Iterator[Violation]:
    """Everything in the form that Discord refuses."""
    yield from _text(payload, "content", CONTENT, measure, "content")
    yield from _username(payload, measure)
    if payload.get("thread_name") is not None:
        yield from _text(payload, "thread_name", THREAD_NAME, measure, "thread_name", required=True)
    for key in ("tts",):
        if not isinstance(payload.get(key, False), bool):
            yield Violation(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    yield from _address(payload, "avatar_url", "avatar_url")
    yield from _allowed_mentions(payload.get("allowed_mentions"))
    yield from _embeds(payload.get("embeds"), measure)
    yield from _unsendable(payload, "")


def _flags(*bits: int) -> Iterator[int]:
    for chosen in range(1 << len(bits)):
        yield sum(bit for at, bit in enumerate(bits) if chosen >> at & 1)


def _invalid(found: list[Violation]) -> Refusal:
    return Refusal(400, 50035, "Invalid Form Body", tuple(found))


def _text(
    holder: dict[str, Any], key: str, limit: int, measure: Measure, path: str, *, required: bool = False
) -> Iterator[Violation]:
    value = holder.get(key)
    if value is None:
        if required:
            yield Violation(path, "BASE_TYPE_REQUIRED", "This field is required")
        return
    if not isinstance(value, str):
        yield Violation(path, "STRING_TYPE_CONVERT", "Could not interpret as a string.")
        return
    trimmed = value.strip()
    if required and not trimmed:
        yield Violation(path, "BASE_TYPE_REQUIRED", "This field is required")
    if measure(trimmed) > limit:
        yield Violation(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def _username(payload: dict[str, Any], measure: Measure) -> Iterator[Violation]:
    name = payload.get("username")
    yield from _text(payload, "username", USERNAME, measure, "username", required=name is not None)
    if isinstance(name, str):
        for forbidden in ("clyde", "discord", "```"):
            if forbidden in name.lower():
                yield Violation("username", "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{forbidden}"')
        if name.strip().lower() in ("everyone", "here"):
            yield Violation("username", "USERNAME_INVALID_EQUALS", f'Username cannot be "{name}"')


def _address(holder: dict[str, Any], key: str, path: str) -> Iterator[Violation]:
    if key not in holder or holder[key] is None:
        return
    url = holder[key]
    if not isinstance(url, str):
        yield Violation(path, "STRING_TYPE_CONVERT", "Could not interpret as a string.")
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        yield Violation(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        return
    if parts.scheme not in ("http", "https"):
        said = f"Scheme \"{parts.scheme}\" is not supported. Scheme must be one of ('http', 'https')."
        yield Violation(path, "URL_TYPE_INVALID_SCHEME", said)
    elif not _is_public_host(host) or " " in url:
        yield Violation(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    if len(url) > URL:
        yield Violation(path, "BASE_TYPE_MAX_LENGTH", f"Must be {URL} or fewer in length.")


def _is_public_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host.strip(".")
    return True


def _allowed_mentions(allowed: Any) -> Iterator[Violation]:
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        yield Violation("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    parse = allowed.get("parse") or []
    if not isinstance(parse, list) or any(kind not in ("roles", "users", "everyone") for kind in parse):
        yield Violation(
            "allowed_mentions.parse", "BASE_TYPE_CHOICES", "Value must be one of ('users', 'roles', 'everyone')."
        )
        return
    for kind in ("roles", "users"):
        ids = allowed.get(kind) or []
        path = f"allowed_mentions.{kind}"
        if not isinstance(ids, list) or not all(_is_snowflake(one) for one in ids):
            yield Violation(path, "NUMBER_TYPE_COERCE", "Value is not snowflake.")
            continue
        if len(ids) > MENTIONED_IDS:
            yield Violation(path, "BASE_TYPE_MAX_LENGTH", f"Must be {MENTIONED_IDS} or fewer in length.")
        if len({str(one) for one in ids}) < len(ids):
            yield Violation(path, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value")
        if ids and kind in parse:
            said = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            yield Violation("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", said)


def _is_snowflake(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    text = str(value)
    return text.isascii() and text.isdigit() and 0 < int(text) < 2**63


def _embeds(embeds: Any, measure: Measure) -> Iterator[Violation]:
    if embeds is None:
        return
    if not isinstance(embeds, list):
        yield Violation("embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(embeds) > EMBEDS:
        yield Violation("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    for at, embed in enumerate(embeds):
        if isinstance(embed, dict):
            yield from _embed(embed, f"embeds.{at}", measure)
        else:
            yield Violation(f"embeds.{at}", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    if (
        sum(measure(text.strip()) for embed in embeds if isinstance(embed, dict) for text in texts_of(embed))
        > ALL_EMBEDS
    ):
        said = f"Embed size exceeds maximum size of {ALL_EMBEDS}"
        yield Violation("embeds", "MAX_EMBED_SIZE_EXCEEDED", said)


def _embed(embed: dict[str, Any], path: str, measure: Measure) -> Iterator[Violation]:
    yield from _text(embed, "title", TITLE, measure, f"{path}.title")
    yield from _text(embed, "description", DESCRIPTION, measure, f"{path}.description")
    yield from _address(embed, "url", f"{path}.url")
    for key, limit, part in (("text", FOOTER, "footer"), ("name", AUTHOR, "author")):
        holder = embed.get(part)
        if isinstance(holder, dict):
            yield from _text(holder, key, limit, measure, f"{path}.{part}.{key}", required=True)
            for address in ("url", "icon_url"):
                yield from _address(holder, address, f"{path}.{part}.{address}")
    for part in ("image", "thumbnail"):
        if isinstance(embed.get(part), dict):
            yield from _address(embed[part], "url", f"{path}.{part}.url")
    colour = embed.get("color")
    if colour is not None and (isinstance(colour, bool) or not isinstance(colour, int) or not 0 <= colour <= 0xFFFFFF):
        yield Violation(f"{path}.color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    time = embed.get("timestamp")
    if time is not None and not (isinstance(time, str) and re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", time)):
        yield Violation(f"{path}.timestamp", "DATE_TIME_TYPE_PARSE", "Could not parse. Should be ISO8601.")
    yield from _fields(embed.get("fields"), path, measure)
    parts = ("title", "description", "footer", "author", "image", "thumbnail", "fields")
    if not any(embed[key].strip() if isinstance(embed.get(key), str) else embed.get(key) for key in parts):
        yield Violation(path, "BASE_TYPE_REQUIRED", "This field is required")


def _fields(fields: Any, path: str, measure: Measure) -> Iterator[Violation]:
    if fields is None:
        return
    if not isinstance(fields, list):
        yield Violation(f"{path}.fields", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(fields) > FIELDS:
        yield Violation(f"{path}.fields", "BASE_TYPE_MAX_LENGTH", f"Must be {FIELDS} or fewer in length.")
    for at, one in enumerate(fields):
        if isinstance(one, dict):
            yield from _text(one, "name", FIELD_NAME, measure, f"{path}.fields.{at}.name", required=True)
            yield from _text(one, "value", FIELD_VALUE, measure, f"{path}.fields.{at}.value", required=True)
        else:
            yield Violation(f"{path}.fields.{at}", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")


def texts_of(embed: dict[str, Any]) -> Iterator[str]:
    """The texts that count towards the 6000."""
    holders = [embed, *(part for part in (embed.get("footer"), embed.get("author")) if isinstance(part, dict))]
    fields = embed.get("fields")
    holders += [one for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []
    for holder in holders:
        for key in ("title", "description", "text", "name", "value"):
            if isinstance(holder.get(key), str):
                yield holder[key]


def _unsendable(value: Any, path: str) -> Iterator[Violation]:
    """Texts that no UTF-8 can hold: Discord may strip them, which loses what they stood for."""
    if isinstance(value, str):
        if re.search("[\ud800-\udfff]", value):
            yield Violation(path, "STRING_TYPE_CONVERT", "Could not interpret as a string.")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _unsendable(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unsendable(one, f"{path}.{at}")


def pinged(payload: dict[str, Any]) -> set[str]:
    """Whom a message notifies: ``role:1``, ``user:2``, ``everyone``, ``here``. Embeds never do.

    Without ``allowed_mentions`` a webhook's message may ping users only (Default Settings for Allowed Mentions).
    Escapes are no protection: the server looks at the text as it was sent.
    """
    content = payload.get("content") or ""
    allowed = payload.get("allowed_mentions")
    allowed = {"parse": ["users"]} if allowed is None else allowed
    parse = allowed.get("parse") or []
    found = set()
    for kind, pattern in (("roles", r"<@&(\d+)>"), ("users", r"<@!?(\d+)>")):
        ids = {str(one) for one in allowed.get(kind) or []}
        found |= {f"{kind[:-1]}:{one}" for one in re.findall(pattern, content) if kind in parse or one in ids}
    if "everyone" in parse:
        found |= {name for name in ("everyone", "here") if f"@{name}" in content}
    return found
