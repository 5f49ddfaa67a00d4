"""What intakes share: JSON of any quality to plain data, texts that can be stored and sent, times, fingerprints.

May import: the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?(?:[Zz]|([+-])(\d\d):?(\d\d))"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_APART: Final = 1e-6
"""Seconds; a float holds the time of day to a quarter of that."""
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_FNV_MASK: Final = 0xFFFFFFFFFFFFFFFF


class UnreadableError(ValueError):
    """A value is not what it should be. The text says how, and quotes at most a key's name."""


def text_of(body: bytes) -> str:
    """The bytes as text; what is not UTF-8 becomes the replacement character, as Go writes it too."""
    return body.decode("utf-8-sig", "replace")


def json_of(text: str) -> Any:
    """The data of a JSON text. Raises UnreadableError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UnreadableError(f"it is not JSON{place}") from None


def arrivals(now: float) -> Iterator[float]:
    """A moment for each event of one request that does not say when it happened: two of them are not the same one."""
    return (now + number * _APART for number in count())


def written(data: Any) -> bytes:
    """Plain data as JSON again."""
    return json.dumps(data, separators=(",", ":")).encode()


def plain(value: Any) -> str:
    """A scalar as text, as a label or an annotation holds it. Raises UnreadableError for lists and mappings."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        try:
            return repr(value)
        except ValueError:
            raise UnreadableError("a number is too long") from None
    raise UnreadableError("a value is neither text nor number")


def texts(value: Any, what: str) -> dict[str, str]:
    """A mapping of texts; null is an empty one. Raises UnreadableError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableError(f"{what} is not an object")
    try:
        return {plain(name): plain(item) for name, item in value.items()}
    except UnreadableError as error:
        raise UnreadableError(f"{what}: {error}") from None


def timestamp(value: Any) -> float | None:
    """An RFC 3339 time in Unix seconds, whatever its zone and precision; Go's zero time and nothing at all are None.

    Raises UnreadableError.
    """
    if value is None or value == "":
        return None
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UnreadableError("a time is not RFC 3339")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        raise UnreadableError("a time is not on the calendar") from None
    if year <= 1:
        return None
    seconds = moment.timestamp() + (second == 60)
    if match[8]:
        offset = int(match[9]) * 3600 + int(match[10]) * 60
        seconds += offset if match[8] == "-" else -offset
    return seconds + float(f"0.{match[7]}") if match[7] else seconds


def fingerprint(labels: Mapping[str, str]) -> str:
    """What Prometheus calls the fingerprint of a label set, as Alertmanager writes it: 16 hexadecimal digits.

    FNV-1a, 64 bits, over the sorted names and values, each followed by the byte 0xff (common/model/signature.go).
    """
    return fnv1a(part for name in sorted(labels) for part in (name, labels[name]))


def fnv1a(parts: Iterable[str]) -> str:
    """FNV-1a, 64 bits, over texts that are each followed by the byte 0xff."""
    number = _FNV_OFFSET
    for part in parts:
        for byte in part.encode("utf-8", "replace"):
            number = ((number ^ byte) * _FNV_PRIME) & _FNV_MASK
        number = ((number ^ 0xFF) * _FNV_PRIME) & _FNV_MASK
    return f"{number:016x}"
