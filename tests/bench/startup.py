"""How long a user waits for any command at all: the interpreter's own start is the floor."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.harness import Case, Command


def cases(scratch: Path) -> list[Case]:
    """``scratch`` is an empty folder of this run's own."""
    homelabmon = str(Path(sys.executable).with_name("homelabmon"))
    return [
        Case(
            "start",
            ours=Command("homelabmon --help", (homelabmon, "--help"), cwd=scratch),
            peers=(Command("Python alone", (sys.executable, "-c", "pass"), cwd=scratch),),
        )
    ]
