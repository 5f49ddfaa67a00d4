"""``play``: plays a scene on the real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.relay.rig import Rig
from tests.relay.scenarios.plays import Play, Scene, played
from tests.relay.virtual import run


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a scene to its end; ``rig`` makes what it is played with."""

    def play_it(scene: Scene, rig: Callable[[Path | None], Rig] = lambda folder: Rig(folder=folder)) -> None:
        run(played(scene, rig(tmp_path)))

    return play_it
