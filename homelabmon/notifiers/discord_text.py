"""Text for Discord: cleaned, escaped, cut, and counted the way Discord counts.

Used by :mod:`~homelabmon.notifiers.discord_message` and its parts. May import: the standard library.

Where the rules come from:

- Discord counts code points (staff on discord/discord-api-docs#1315); its clients count UTF-16 code units, of which
  there are never fewer. Everything here counts the latter, so that both agree that a text is short enough.
- A backslash takes the meaning from any punctuation mark after it, and disappears (Discord's Markdown 101). A link
  is no longer recognised when a backslash stands inside ``://``.
- Whitespace at both ends is trimmed by Discord before it counts, and a text that is nothing else counts as missing.
"""

from __future__ import annotations

import math
import re
from typing import Final
from urllib.parse import quote, urlsplit

ELLIPSIS: Final = "…"

_INVISIBLE: Final = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"  # soft hyphen, fillers and the like
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"  # zero width, direction
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # tags: invisible text
    "]"
)
"""What can hide text, turn its direction, or make a text that looks empty. Joiners (emoji, Persian) stay."""
_SPACE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000 ]+")
_LINES: Final = re.compile(r" *\n[ \n]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MARKS: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
"""More than four marks on one letter run over the lines around it."""

_ESCAPED: Final = re.compile(
    r"(?P<mark>[\\*_~`|\[\]<])"
    r"|(?P<start>^(?:>+|\#{1,3}|-\#?|\+|\d+(?=\.(?:\s|$))))"
    r"|(?P<scheme>:(?=//))"
    r"|(?P<emoji>:(?=[\w+-]+:))"
    r"|(?P<invite>(?<=discord)\.(?=gg|com)|(?<=discordapp)\.(?=com))"
    r"|(?P<ping>@(?=everyone|here))",
    re.IGNORECASE | re.MULTILINE,
)


def units(text: str) -> int:
    """How long a text is: in UTF-16 code units, at least as many as code points."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str, *, lines: bool = False) -> str:
    """The text on one line (or on several), without what cannot be seen or sent.

    Control characters become spaces, runs of spaces one space, and lone surrogates U+FFFD, as no UTF-8 can hold them.
    """
    text = _SURROGATE.sub("\ufffd", text)
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n") if lines else text.replace("\n", " "))
    text = _MARKS.sub(r"\1", _SPACE.sub(" ", text))
    return (_LINES.sub("\n", text) if lines else text).strip()


def escape(text: str) -> str:
    """The text so that Discord shows it as it is: no formatting, no link, no emoji by name, no mention, no timestamp.

    The start of the text counts as the start of a line. Cut what this returns with :func:`cut` only, and put no colon
    behind it: ``:100`` would become an emoji.
    """
    return _ESCAPED.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    text = found[0]
    if found["ping"]:
        return "@\u200b"  # Discord looks for @everyone in what was sent, backslash or not
    if found["start"] and text.isdigit():
        return f"{text}\\"
    if found["start"]:
        return "".join(f"\\{char}" for char in text)
    return f"\\{text}"


def cut(escaped: str, limit: int) -> str:
    """An escaped text within ``limit`` code units, with an ellipsis where something is missing.

    Never ends in half an escape. ``limit`` of 0 or less gives nothing.
    """
    if units(escaped) <= limit:
        return escaped
    if limit <= 0:
        return ""
    kept = _prefix(escaped, limit - 1)
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return kept.rstrip(" \n\u200d") + ELLIPSIS


def shorten(text: str, limit: int) -> str:
    """A cleaned text, not yet escaped, within ``limit`` code units. Both ends stay: names often differ at the end."""
    if units(text) <= limit:
        return text
    tail = max(0, limit // 2 - 1)
    end = _prefix(text[: -tail - 1 : -1], tail)[::-1] if tail else ""
    return _prefix(text, limit - 1 - units(end)).rstrip(" \u200d") + ELLIPSIS + end.lstrip(" \u200d")


def _prefix(text: str, limit: int) -> str:
    """The longest beginning within ``limit`` code units."""
    if len(text) <= limit and text.isascii():
        return text
    used = 0
    for at, char in enumerate(text[: max(0, limit) + 1]):
        used += 1 + (char > "\uffff")
        if used > limit:
            return text[:at]
    return text[: max(0, limit)]


def shown(text: str, limit: int) -> str:
    """Anything at all as one line of Discord text within ``limit`` code units."""
    return cut(escape(clean(text[: 4 * limit] if len(text) > 4 * limit else text)), limit)


def paragraph(text: str, limit: int) -> str:
    """Anything at all as lines of Discord text within ``limit`` code units."""
    long = len(text) > 4 * limit
    return cut(escape(clean(text[: 4 * limit] if long else text, lines=True)), limit)


def value(text: str, limit: int) -> str:
    """A label's value within ``limit`` code units before escaping; escaping at most doubles it."""
    whole = text if len(text) <= 8 * limit else text[: 4 * limit] + text[-4 * limit :]
    cleaned = clean(whole)
    if len(whole) < len(text) and units(cleaned) <= limit:
        cleaned += ELLIPSIS
    return escape(shorten(cleaned, limit))


def bold(escaped: str) -> str:
    """An escaped text in bold; nothing for nothing."""
    return f"**{escaped}**" if escaped else ""


def link(name: str, url: str) -> str:
    """A masked link. ``name`` is ours; ``url`` comes from :func:`web_address`."""
    return f"[{name}]({url})"


def web_address(url: str, limit: int = 1000) -> str | None:
    """An http or https address as it can stand in a masked link; None for anything else, or when it is too long."""
    url = url.strip()
    if len(url) > limit or _SURROGATE.search(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and parts.username is None
    except ValueError:
        return None
    safe = quote(url, safe="!#$%&'*+,-./:;=?@_~[]" if "[" in parts.netloc else "!#$%&'*+,-./:;=?@_~")
    return safe if usable and len(safe) <= limit else None


def moment(at: float | None, style: str = "f") -> str:
    """A Unix time that each reader sees in their own time zone (``R``: as "5 minutes ago"); empty for no real time."""
    if at is None or not math.isfinite(at) or not 0 < at < 253402300800:
        return ""
    return f"<t:{int(at)}:{style}>"


def since(at: float | None) -> str:
    """A Unix time as day and time, and as time that has passed."""
    return f"{moment(at)} ({moment(at, 'R')})" if moment(at) else ""
