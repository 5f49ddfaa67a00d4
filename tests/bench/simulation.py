"""`simulate`: eight hours of three nodes that flap, and a week of history with 100,000 transitions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.harness import Case, Command
from tests.simulation import histories
from tests.stacks_common import EXAMPLE

HOMELABMON = str(Path(sys.executable).parent / "homelabmon")
TRANSITIONS = 100_000
FLAPPING = """\
name: Three nodes that flap for eight hours
alerts:
  - {alert: NodeDown, labels: {node: n1}, when: {every: 12m, for: 5m, to: 8h}}
  - {alert: NodeDown, labels: {node: n2}, when: {from: 30s, every: 12m, for: 5m, to: 8h}}
  - {alert: NodeDown, labels: {node: n3}, when: {from: 1m, every: 12m, for: 5m, to: 8h}}
"""


def cases(scratch: Path) -> list[Case]:
    flapping = scratch / "flapping.yaml"
    flapping.write_text(FLAPPING, encoding="utf-8")
    week = scratch / "week.json"

    def written() -> None:
        if not week.exists():
            write_week(week)

    return [
        Case("simulate-flap", _command("8 hours of three flapping nodes", str(flapping))),
        Case("simulate-week", _command("a week, 100,000 transitions", "--history", str(week)), prepare=written),
    ]


def _command(label: str, *arguments: str) -> Command:
    return Command(f"homelabmon simulate, {label}", (HOMELABMON, "simulate", "--stack", str(EXAMPLE), *arguments))


def write_week(path: Path) -> None:
    """A week of a homelab that has gone mad: 500 alerts, each firing a hundred times."""
    path.write_text(json.dumps(histories.answer(histories.week(1, TRANSITIONS))), encoding="utf-8")
