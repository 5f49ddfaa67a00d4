"""The third leg: a check at a hosted service is pinged while everything here works, so that somebody misses us, too.

It is pinged only when, since the last time, the loop that owns the book has gone round, the vigil has looked, the disk
has taken a write, and Discord has taken a message or answers for the webhook of the outpost's own channel. Never when
any of that is stale: a watcher that cannot tell anybody is as good as dead. Its address is a secret.
Started by the service. May import: relay.part, relay.delivery, relay.secrets, relay.store, notifiers, spec.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from homelabmon.notifiers.contract import Request
from homelabmon.relay.delivery.channels import Channels
from homelabmon.relay.delivery.figures import Figures
from homelabmon.relay.delivery.transport import HttpTransport, Transport, TransportFailure
from homelabmon.relay.exposition import Family, gauge
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.secrets import SecretError, SecretFile
from homelabmon.relay.store.trouble import StoreError
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile
from homelabmon.spec.relay_file import ThirdLeg as ThirdLegConfig

log = logging.getLogger(__name__)

STALE: Final = 30.0
"""Seconds after which a loop that has not gone round is stuck."""
AGAIN: Final = 15.0
"""Seconds after which it is looked at again where something does not work."""
PATIENCE: Final = 10.0
_WRITTEN: Final = "third_leg"


class ThirdLeg(Part):
    """Pings where the configuration names an address."""

    name = "third leg"

    def __init__(
        self,
        file: RelayFile,
        tools: Tools,
        channels: Channels,
        figures: Figures,
        looked: Callable[[], float | None],
        transport: Transport | None = None,
    ) -> None:
        """``looked``: when the vigil last looked, in monotonic seconds. ``transport``: in place of one of its own."""
        self._file, self._store, self._clock = file, tools.store, tools.clock
        self._channels, self._figures, self._looked, self._transport = channels, figures, looked, transport
        self._since = self._started_at = tools.clock.now()
        self._address: SecretFile | None = None
        self.pinged_at: float | None = None
        """When the check last answered; Unix seconds."""
        self.trouble = ""
        """Why it was not pinged, or did not answer, the last time."""

    async def run(self) -> None:
        """Pings, until it is cancelled."""
        async with HttpTransport(timeout=PATIENCE) as own:
            transport = self._transport or own
            while True:
                leg = self._file.third_leg
                nap = AGAIN
                if leg is not None:
                    try:
                        nap = await self._round(leg, transport)
                    except Exception:
                        log.exception("a bug: the third leg stumbled")
                await self._clock.sleep(nap)

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        self._file = file

    async def families(self) -> Iterable[Family]:
        """When the check last answered; from the start on, so that one that never does is missed as well."""
        if self._file.third_leg is None:
            return ()
        at = self._started_at if self.pinged_at is None else self.pinged_at
        return (gauge(names.METRIC_THIRD_LEG, "When the hosted check was last pinged, and answered.", ({}, at)),)

    async def _round(self, leg: ThirdLegConfig, transport: Transport) -> float:
        every = leg.every.total_seconds()
        trouble = await self._stuck() or await self._mute(transport) or await self._ping(leg, transport)
        if trouble != self.trouble:
            if trouble:
                log.warning("the third leg is not pinged", extra={"reason": trouble})
            else:
                log.info("the third leg is pinged again")
        self.trouble = trouble
        if trouble:
            return min(AGAIN, every)
        self.pinged_at = self._since = self._clock.now()
        return every

    async def _stuck(self) -> str:
        """What of the loops and the disk does not work; empty when all does."""
        looked = self._looked()
        if looked is None or self._clock.monotonic() - looked > STALE:
            return "the outpost does not look"
        now = self._clock.now()
        try:
            await self._store.remember(_WRITTEN, now)
            beat = await self._store.last_beat()
        except StoreError as error:
            return f"nothing can be stored: {error.reason}"
        return "" if beat is not None and now - beat <= STALE else "the relay's loop stands still"

    async def _mute(self, transport: Transport) -> str:
        """Why Discord is not known to take messages; empty when it is."""
        channel = self._file.watchdog.channel if self._file.watchdog is not None else self._file.default.channel
        if self._figures.delivered_at.get(channel, 0.0) > self._since:
            return ""
        target = self._channels.own(channel)
        if target is None:
            return f"#{channel} has no webhook that works"
        bare = urlunsplit(urlsplit(target.url)._replace(query="", fragment=""))
        response = await transport.send(Request("GET", bare))
        if isinstance(response, TransportFailure):
            return f"no answer from Discord ({response.reason})"
        return "" if response.status == 200 else f"Discord answers {response.status} for #{channel}"

    async def _ping(self, leg: ThirdLegConfig, transport: Transport) -> str:
        if self._address is None or self._address.path != leg.ping_file:
            self._address = SecretFile(leg.ping_file)
        try:
            url = self._address.one().reveal()
        except SecretError as error:
            return str(error)
        response = await transport.send(Request("GET", url))
        if isinstance(response, TransportFailure):
            return f"the hosted check does not answer ({response.reason})"
        return "" if 200 <= response.status < 300 else f"the hosted check answers {response.status}"
