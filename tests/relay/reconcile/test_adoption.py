"""A relay without a memory takes over what fires, as soon as Alertmanager itself knows all of it."""

from __future__ import annotations

from collections.abc import Sequence

from homelabmon.relay.reconcile.adoption import AGAIN, PATIENCE, adopt
from homelabmon.relay.reconcile.alertmanager import ListedAlert
from tests.relay.rig import Rig
from tests.relay.virtual import run


class Waking:
    """An Alertmanager that has just been started itself: it hears of alerts one by one."""

    def __init__(self, rig: Rig, settles_after: int) -> None:
        self._rig, self._settles_after = rig, settles_after
        self.asked = 0

    async def active(self, receiver: str) -> tuple[Sequence[ListedAlert], bool]:
        self.asked += 1
        names = [f"n{number}" for number in range(1, self.asked)]
        listed = [
            ListedAlert(
                name,
                {"alertname": "NodeDown", "severity": "warning", "name": name},
                suppressed=False,
                updated_at=None,
                starts_at=self._rig.begun - 500,
            )
            for name in names
        ]
        return listed, self.asked >= self._settles_after


def test_it_looks_again_until_every_replica_has_settled() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            replicas = Waking(rig, settles_after=3)
            assert await adopt(rig.engine, replicas, rig.clock) == 2
            assert (replicas.asked, rig.second) == (3, 2 * AGAIN)
            await rig.until(rig.second + 70)
            assert rig.discord.visible(["n1", "n2", "n3"]) == {"n1", "n2"}
            assert rig.accounts() == {"received": 2, "posted": 2}

    run(scene())


def test_it_gives_up_after_a_quarter_of_an_hour() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            replicas = Waking(rig, settles_after=10_000)
            await adopt(rig.engine, replicas, rig.clock)
            assert rig.second == PATIENCE

    run(scene())
