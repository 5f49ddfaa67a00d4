"""How scenes are played: to their end, in virtual time, with the real store unless the disk itself is at fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from tests.relay.rig import Rig
from tests.relay.virtual import run

Scene = Callable[[Rig], Awaitable[None]]


class Play(Protocol):
    """Plays a scene to its end; ``rig`` makes what it is played with, on the real store unless it says otherwise."""

    def __call__(self, scene: Scene, rig: Callable[[Path | None], Rig] = ...) -> None: ...


def in_memory(scene: Scene) -> None:
    """For scenes in which the disk itself is at fault."""
    run(played(scene, Rig()))


async def played(scene: Scene, rig: Rig) -> None:
    async with rig:
        await scene(rig)
