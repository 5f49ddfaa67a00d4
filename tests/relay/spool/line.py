"""The way from the spool to an outpost: the outpost's own keeper and its reading of addresses, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, urlsplit

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.transport import TransportFailure
from homelabmon.relay.heartbeats.api import LIMIT, address_of, moment
from homelabmon.relay.heartbeats.records import Heard
from tests.relay.heartbeats.desk import Desk

URL: Final = "https://status.example.net"
KEY: Final = "0123456789abcdefghijkl"
OURS: Final = {LIMIT.lower(): "10000"}


class Line:
    """``down``: nobody answers. ``loses``: what arrives is heeded, and its answer lost. ``said``: answers in place of
    the outpost's own, as long as there are any."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.down = False
        self.loses = False
        self.said: list[Response] = []
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response | TransportFailure:
        parts = urlsplit(request.url)
        self.asked.append(parts.path)
        if self.down:
            return TransportFailure("refused")
        if self.said:
            return self.said.pop(0)
        status = await self._heed(request, parts.path, parse_qs(parts.query))
        return TransportFailure("reset") if self.loses else Response(status, OURS)

    async def _heed(self, request: Request, path: str, query: dict[str, list[str]]) -> int:
        address, now = address_of(path), self.desk.clock.now()
        assert address is not None
        at = moment(query["at"][0], query["sent"][0], now)
        assert at is not None
        if address.key != KEY:
            return 404
        rid = query["rid"][0] if "rid" in query else None
        heard = Heard(address.kind, at, now, rid, address.exit_code, body=request.body)
        made = await self.desk.keeper.hear(address.name, heard, create="create" in query)
        return {None: 404, False: 200, True: 201}[made]

    def words(self, prefix: str = f"/ping/{KEY}/") -> Sequence[str]:
        """What was asked for, without what all of it begins with."""
        return [path.removeprefix(prefix) for path in self.asked]
