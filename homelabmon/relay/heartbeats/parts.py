"""The part of a service that is about heartbeats. May import: relay.part, relay.exposition,
relay.vigil.contract, its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from homelabmon.relay.exposition import Family, counter, gauge
from homelabmon.relay.heartbeats.addresses import Addresses
from homelabmon.relay.heartbeats.api import PingApi
from homelabmon.relay.heartbeats.beats import beats_of
from homelabmon.relay.heartbeats.keeper import Keeper, Unverified
from homelabmon.relay.part import Part, Tools
from homelabmon.relay.vigil.contract import CLEAR, Sight
from homelabmon.spec import names
from homelabmon.spec.relay_file import RelayFile


class Heartbeats(Part):
    """``keeper`` notices what is missed; ``api`` answers pings."""

    name = "heartbeats"

    def __init__(
        self, file: RelayFile, tools: Tools, sight: Sight = CLEAR, unverified: Unverified | None = None
    ) -> None:
        """``unverified``: takes the runs of which nobody knows, where something else tells of them."""
        beats = beats_of(file)
        self.addresses = Addresses(file.intake, beats)
        self.keeper = Keeper(tools.store, tools.clock, tools.nudge, beats, sight=sight, unverified=unverified)
        self.api = PingApi(self.keeper, self.addresses, tools.clock)

    async def prepare(self) -> None:
        """What was missed while the service was down, and what nobody can know of."""
        await self.keeper.look()

    async def run(self) -> None:
        """Looks, and sleeps until the next deadline; until it is cancelled."""
        await self.keeper.run()

    def reconfigure(self, file: RelayFile) -> None:
        """From now on another configuration holds."""
        beats = beats_of(file)
        self.addresses.reconfigure(file.intake, beats)
        self.keeper.reconfigure(beats)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The answer to a ping."""
        return await self.api.handle(request)

    async def families(self) -> Iterable[Family]:
        """Last successes, what is down, and pings by answer."""
        found = [({names.LABEL_HEARTBEAT: name}, status, at) for name, status, at in await self.keeper.in_short()]
        seen = [(labels, at) for labels, _, at in found if at is not None]
        down = [(labels, int(status == "down")) for labels, status, _ in found]
        answers = [({"code": str(code)}, count) for code, count in sorted(self.api.answers.items())]
        return (
            gauge(names.METRIC_HEARTBEAT_LAST_SUCCESS, "When a heartbeat last succeeded.", *seen),
            gauge(names.METRIC_HEARTBEAT_DOWN, "1: it was missed, or has failed.", *down),
            counter(names.METRIC_PINGS, "Pings of heartbeats, by answer.", *answers),
        )
