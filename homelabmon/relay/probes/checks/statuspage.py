"""What a third party says of itself: the summary of its Statuspage (`/api/v2/summary.json`).

Written by strangers: read no further than a bound, and shown as short plain text. May import: its neighbours,
relay.intake.reading, spec.secrets.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from homelabmon.relay.intake.reading import UnreadableError, json_of, plain, text_of
from homelabmon.relay.probes.checks import http
from homelabmon.relay.probes.checks.line import Line
from homelabmon.relay.probes.outcome import Indicator, Theirs, Timing
from homelabmon.spec.secrets import redact

LONGEST: Final = 120
"""Characters of a description that are kept."""
PARTS: Final = 3
_INDICATORS: Final[tuple[Indicator, ...]] = get_args(Indicator)


async def read(url: str, line: Line, now: float) -> Theirs | None:
    """The summary; None where what came is none. Raises what the network raises."""
    answer = await http.get(url, line, Timing())
    if answer.status != 200:
        return None
    try:
        return parse(answer.body, now)
    except UnreadableError:
        return None


def parse(body: bytes, now: float) -> Theirs | None:
    """A summary. Raises UnreadableError where it is no JSON."""
    data = json_of(text_of(body))
    status = data.get("status") if isinstance(data, dict) else None
    if not isinstance(status, dict) or status.get("indicator") not in _INDICATORS:
        return None
    return Theirs(status["indicator"], _short(status.get("description")), now, tuple(_unwell(data.get("components"))))


def _unwell(components: Any) -> list[str]:
    """The names of the first parts that are not well."""
    if not isinstance(components, list):
        return []
    found = [
        _short(one.get("name"))
        for one in components
        if isinstance(one, dict) and not one.get("group") and one.get("status") not in (None, "operational")
    ]
    return [name for name in found if name][:PARTS]


def _short(value: Any) -> str:
    words = " ".join(redact(plain(value)).split()).rstrip(".") if isinstance(value, str) else ""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
