"""A payload as readable text for a terminal.

Used by ``explain`` and ``simulate``, and by the notifier's snapshot tests. May import: notifiers.discord_text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from homelabmon.notifiers.discord_text import clean
from homelabmon.notifiers.facts import duration

_SYNTAX: Final = re.compile(
    r"\\(?P<literal>[^0-9A-Za-z\s])"
    r"|\[(?P<name>[^\]\\]*)\]\((?P<url>[^)\s]*)\)"
    r"|<t:(?P<time>\d{1,11}):(?P<style>[A-Za-z])>"
    r"|<@(?P<role>&?)(?P<id>\d+)>"
    r"|(?P<bold>\*\*)"
)
_LINKS: Final = re.compile(r"\[[^\]\\]*\]\([^)\s]*\)(?: · |$)")


def preview(payload: Mapping[str, Any], now: float | None = None) -> str:
    """What a reader sees: the headline, the card behind a bar, its footer. Ends without a line break.

    Times are in UTC; with ``now`` (Unix seconds), "how long ago" is worked out, else left out. Holds no control
    characters, so that a terminal shows what is there.
    """
    lines = list(_lines(str(payload.get("content", "")), now))
    for embed in payload.get("embeds", ()):
        lines.extend(f"  ┃ {line}".rstrip() for line in _lines(str(embed.get("description", "")), now))
        if footer := clean(str(embed.get("footer", {}).get("text", ""))):
            lines.append(f"  ┗ {footer}")
    return "\n".join(lines)


def _lines(text: str, now: float | None) -> Iterator[str]:
    for line in text.split("\n"):
        if line.startswith("[") and not _LINKS.sub("", line):
            yield from (_readable(one, now) for one in line.split(" · "))
        else:
            yield _readable(line, now)


def _readable(text: str, now: float | None) -> str:
    written = _SYNTAX.sub(lambda found: _read_one(found, now), clean(text))
    return re.sub(r" \(\)", "", written)


def _read_one(found: re.Match[str], now: float | None) -> str:
    if found["literal"]:
        return found["literal"]
    if found["url"] is not None:
        return f"{found['name']}: {found['url']}"
    if found["time"]:
        return _time(int(found["time"]), found["style"], now)
    if found["id"]:
        return f"@{'role' if found['role'] else 'user'}:{found['id']}"
    return ""


def _time(at: int, style: str, now: float | None) -> str:
    if style != "R":
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if now is None:
        return ""
    return f"{duration(now - at)} ago" if at <= now else f"in {duration(at - now)}"
