"""Takes pings for the outpost: answered as the outpost answers, once they are on disk.

It knows neither the key nor the heartbeats: whatever has the form of a ping's address is taken, 200 ``OK``, and the
outpost says later whether it knows it. What has not is turned away as the outpost would. 503 when there is no room.

Used by the part. May import: aiohttp, relay.heartbeats, relay.store.trouble, its neighbours.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from homelabmon.relay.clock import Clock
from homelabmon.relay.heartbeats.api import Address, PingDoor, answer, later
from homelabmon.relay.heartbeats.keeper import Disk
from homelabmon.relay.heartbeats.records import Heard
from homelabmon.relay.spool import records
from homelabmon.relay.spool.records import Letter
from homelabmon.relay.store.trouble import StoreError

log = logging.getLogger(__name__)


class SpoolDoor(PingDoor):
    """Answers pings, and stores them. ``nudge``: called when one was stored."""

    def __init__(self, store: Disk, clock: Clock, nudge: Callable[[], None], counts: Counter[str]) -> None:
        super().__init__(clock)
        self._store, self._nudge, self._counts = store, nudge, counts
        self._full = False
        self.taking = False
        """Whether the configuration wants it."""

    @property
    def open(self) -> bool:
        """Where the configuration wants it."""
        return self.taking

    def whose(self, address: Address) -> str:
        """What follows ``/ping/`` in the heartbeat's address."""
        return address.uuid or f"{address.key}/{address.name}"

    async def take(self, whose: str, heard: Heard, *, create: bool, close: bool) -> web.Response:
        """Keeps it for the outpost."""
        letter = Letter(
            received_at=heard.received_at,
            at=heard.at,
            address=whose,
            what=_what(heard),
            rid=heard.rid,
            create=create,
            client=heard.client,
            body=heard.body,
        )
        try:
            gone = await self._store.transact(lambda connection: records.put(connection, letter))
        except StoreError as error:
            return later(f"it could not be stored: {error}", close=close)
        if gone is None:
            self._counts["turned_away"] += 1
            if not self._full:
                log.error("too many pings wait for the outpost: further ones are turned away")
            self._full = True
            return later("too many pings wait for the outpost", close=close)
        self._full = False
        if gone:
            self._counts["superseded"] += gone
        self._nudge()
        return answer(200, "OK", close=close)


def _what(heard: Heard) -> str:
    """What the client said, as an address says it."""
    if heard.exit_code is not None:
        return str(heard.exit_code)
    return "" if heard.kind == "success" else heard.kind
