"""A transport that sends nothing: it shows what would be sent, and answers as if it had been taken.

Used by `homelabmon relay --dry-run`. May import: notifiers, the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

from homelabmon.notifiers.contract import Request, Response
from homelabmon.notifiers.preview import preview


class DryTransport:
    """Hands each message to ``show`` as text. Addresses are not part of it: they are secrets."""

    def __init__(self, show: Callable[[str], None], now: Callable[[], float]) -> None:
        self._show, self._now = show, now
        self._numbers = count(1)

    async def send(self, request: Request) -> Response:
        """Shows the message, and answers as Discord does."""
        verb = {"POST": "posted", "PATCH": "edited", "DELETE": "deleted"}.get(request.method, request.method)
        if request.method == "DELETE":
            self._show(f"--- would be {verb}")
            return Response(204)
        payload = json.loads(request.body or b"{}")
        self._show(f"--- would be {verb}\n{preview(payload, self._now())}")
        return Response(
            200, {"content-type": "application/json"}, json.dumps({"id": str(next(self._numbers))}).encode()
        )
