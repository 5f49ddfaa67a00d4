"""A JSON answer over HTTP, or nothing: what the two clients here share.

May import: relay.delivery.transport, notifiers.contract and the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from homelabmon.notifiers.contract import Request
from homelabmon.relay.delivery.transport import Transport, TransportFailure

BODY_LIMIT: Final = 16 * 1024 * 1024
"""Bytes. A longer answer is cut, cannot be read then, and counts as none."""
TIMEOUT: Final = 2.0
"""Seconds for one question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. ``date``: the other side's own time, Unix seconds; None when it does not say."""

    data: Any
    date: float | None


async def get_json(transport: Transport, base: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer | None:
    """The answer to a GET; None when there is no proper one: another status than 200, cut, no JSON, too late."""
    url = f"{base.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
    response = await transport.send(Request("GET", url, headers={"Accept": "application/json"}))
    if isinstance(response, TransportFailure) or response.status != 200:
        return None
    try:
        data = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return Answer(data, http_date(response.headers.get("date")))


def http_date(text: str | None) -> float | None:
    """Unix seconds of a ``Date`` header."""
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def unix(text: object) -> float | None:
    """Unix seconds of an RFC 3339 time; None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
