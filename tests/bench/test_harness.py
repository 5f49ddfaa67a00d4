"""The harness times what it says it times."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.bench.harness import Case, Command, CommandFailedError, Result, Timing, measure, table

if TYPE_CHECKING:
    from pathlib import Path


def python(label: str, code: str) -> Command:
    return Command(label, (sys.executable, "-c", code))


def test_commands_take_turns_and_the_warm_up_is_not_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    note = f"open({str(log)!r}, 'a').write"
    case = Case("turns", python("ours", f"{note}('o')"), (python("peer", f"{note}('p')"),))
    result = measure(case, runs=2)
    assert log.read_text() == "opopop"
    assert [len(timing.seconds) for timing in result.timings] == [2, 2]


def test_prepare_runs_before_every_process() -> None:
    calls: list[None] = []
    measure(Case("prepared", python("ours", "pass"), prepare=lambda: calls.append(None)), runs=2)
    assert len(calls) == 3


def test_a_command_that_fails_is_not_a_timing() -> None:
    with pytest.raises(CommandFailedError, match=r"ended with 3:\nwhy"):
        measure(Case("failing", python("ours", "print('why'); raise SystemExit(3)")), runs=1)


def test_ratios_are_taken_pair_by_pair() -> None:
    ours, peer = python("ours", "pass"), python("peer", "pass")
    result = Result(Case("render", ours, (peer,)), (Timing(ours, (0.1, 0.2, 0.4)), Timing(peer, (0.2, 0.2, 2.0))))
    lines = table([result]).splitlines()
    assert lines[2] == "| render | ours | 200 ms | 100 ms to 400 ms |  |"
    assert lines[3] == "| render | peer | 200 ms | 200 ms to 2000 ms | 2.00 (1.00 to 5.00) |"
    assert lines[5] == f"- render, ours: `{shlex.join(ours.argv)}`"
