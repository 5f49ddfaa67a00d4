"""What somebody most likely meant by a text that is no duration. Asked by :mod:`homelabmon.spec.base` in that case."""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"\s*(?:and\s+|,\s*)?(\d+(?:[.,]\d+)?)\s*([a-zA-Zµ]+)\.?\s*")
_WORDS: Final = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
    **dict.fromkeys(("y", "year", "years"), 31536000.0),
}
_ISO: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)


def meant(text: str) -> float | None:
    """The seconds of ``30 days``, ``1.5h``, ``1h 1d``, ``PT5M``, ``1y`` (365 days); None when it cannot be told."""
    iso = _ISO.fullmatch(text.strip())
    if iso is not None and any(iso.groups()):
        sizes = (86400.0, 3600.0, 60.0, 1.0)
        return sum(int(count) * size for count, size in zip(iso.groups(), sizes, strict=True) if count)
    seconds, position = 0.0, 0
    while position < len(text):
        part = _PART.match(text, position)
        size = _WORDS.get(part[2].lower()) if part is not None else None
        if part is None or size is None or len(part[1]) > 9:
            return None
        seconds += float(part[1].replace(",", ".")) * size
        position = part.end()
    return seconds if position else None
