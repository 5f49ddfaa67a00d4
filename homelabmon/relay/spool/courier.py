"""Sends pings on to the outpost, in the order in which they came: at once while it answers, later when it does not.

A ping is removed only after the outpost has answered: with 200 or 201 it is there; 400, 404, 409, 413 and 422 are final
as well, the same ping would never be taken. Anything else means later, and so does an answer that is not the outpost's
own (its answers carry a header): that of a proxy before it, or of a page to log in at. A crash between the answer and
the removal sends a ping twice, which the outpost notices, as it has the same time.

Started by the part. May import: notifiers.contract, relay.clock, relay.delivery.transport, relay.store, relay.waiting,
its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from functools import partial
from typing import Final, Literal
from urllib.parse import quote, urlencode

from homelabmon.notifiers.contract import Request
from homelabmon.relay.clock import Clock
from homelabmon.relay.delivery.transport import Transport, TransportFailure
from homelabmon.relay.heartbeats.api import LIMIT
from homelabmon.relay.heartbeats.keeper import Disk
from homelabmon.relay.spool import records
from homelabmon.relay.spool.records import Letter
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.waiting import happens
from homelabmon.spec import names

log = logging.getLogger(__name__)

Outcome = Literal["delivered", "refused", "later", "unreachable"]

BATCH: Final = 50
"""Pings that are looked at together."""
FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds between attempts: each is twice the one before, up to this."""
IDLE: Final = 600.0
"""Seconds between looks when nothing waits: what has waited for too long goes."""
STUBBORN: Final = 3
"""Addresses whose pings may be put off in a row, before it is taken that the outpost puts off all."""
_FINAL: Final = frozenset({400, 404, 409, 413, 422})


class Courier:
    """One sender. ``url``: the outpost's; None: there is none, and what waits goes on waiting."""

    def __init__(self, store: Disk, clock: Clock, transport: Transport, counts: Counter[str]) -> None:
        self.url: str | None = None
        self._store, self._clock, self._transport, self._counts = store, clock, transport, counts
        self._wake = asyncio.Event()
        self._pause = 0.0
        self._down_since: float | None = None

    def nudge(self) -> None:
        """Something came in, or the outpost is another."""
        self._wake.set()

    async def run(self) -> None:
        """Sends and waits, until it is cancelled."""
        while True:
            self._wake.clear()
            try:
                done = await self.round()
            except StoreError:
                done = False  # the store has said so itself
            except Exception:
                log.exception("a bug: pings could not be sent on")
                done = False
            if done:
                self._pause = 0.0
                await happens(self._wake, self._clock, IDLE)
            else:
                self._pause = min(max(self._pause * 2, FIRST), LONGEST)
                await self._clock.sleep(self._pause)

    async def round(self) -> bool:
        """Tries everything that waits, once; whether nothing of it has to be tried again. Raises StoreError."""
        await self._expire()
        if self.url is None:
            return True
        put_off, row, last = set[str](), 0, 0
        while letters := await self._next(last):
            last, done = letters[-1].id, list[int]()
            try:
                for letter in letters:
                    if letter.address in put_off:
                        continue
                    outcome = await self._deliver(self.url, letter)
                    if outcome == "unreachable":
                        return False
                    if outcome == "later":
                        put_off.add(letter.address)
                        row += 1
                        if row == STUBBORN:
                            return False
                        continue
                    row = 0
                    done.append(letter.id)
                    self._counts[outcome] += 1
            finally:
                if done:
                    await self._store.transact(partial(records.remove, numbers=done))
        return not put_off

    async def _next(self, last: int) -> list[Letter]:
        return await self._store.transact(lambda connection: records.after(connection, last, BATCH))

    async def _expire(self) -> None:
        now = self._clock.now()
        gone = await self._store.transact(lambda connection: records.expire(connection, now))
        if gone:
            self._counts["expired"] += gone
            log.error("pings have waited for the outpost for too long, and are thrown away", extra={"count": gone})

    async def _deliver(self, url: str, letter: Letter) -> Outcome:
        response = await self._transport.send(request_of(url, letter, self._clock.now()))
        if isinstance(response, TransportFailure):
            self._note(response.reason)
            return "unreachable"
        if LIMIT.lower() not in response.headers:
            self._note(f"somebody else answers in its place, with {response.status}")
            return "unreachable"
        if response.status in (200, 201):
            self._note(None)
            return "delivered"
        if response.status in _FINAL:
            self._note(None)
            _, _, name = letter.address.partition("/")
            log.warning(
                "the outpost refuses a ping for good",
                extra={"status": response.status, "heartbeat": name or "by its UUID", "what": letter.what or "success"},
            )
            return "refused"
        self._note(f"it answers {response.status}")
        return "later"

    def _note(self, reason: str | None) -> None:
        """Says once that it does not work, and once that it does again."""
        if reason is not None and self._down_since is None:
            self._down_since = self._clock.monotonic()
            log.warning("the outpost takes no pings, they wait", extra={"reason": reason})
        elif reason is None and self._down_since is not None:
            seconds = round(self._clock.monotonic() - self._down_since, 1)
            self._down_since = None
            log.info("the outpost takes pings again", extra={"seconds": seconds})


def request_of(url: str, letter: Letter, now: float) -> Request:
    """The ping as the outpost understands it, with the time at which it was meant, and what our clock says now."""
    query = {"at": repr(letter.at), "sent": repr(now)}
    if letter.rid is not None:
        query["rid"] = letter.rid
    if letter.create:
        query["create"] = "1"
    path = "/".join(quote(part, safe="") for part in (*letter.address.split("/"), letter.what) if part)
    return Request(
        "POST",
        f"{url.rstrip('/')}{names.PATH_PING}/{path}?{urlencode(query)}",
        letter.body,
        {"Content-Type": "text/plain", "User-Agent": letter.client or "homelabmon-spool"},
    )
