"""Times whole processes: ours and a peer's, turn by turn in one run, so that both meet the same machine.

A module of this folder gives a list of :class:`Case`; ``__main__`` measures them and prints :func:`table`.
"""

from __future__ import annotations

import os
import platform
import shlex
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

WARM_UP: Final = 1
TIMEOUT: Final = 600.0
"""Seconds after which a command counts as hung."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to time. ``env`` is added to the environment; ``exits`` are the exit codes that count as success."""

    label: str
    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    exits: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Case:
    """One question: how long does ``ours`` take, and how does that compare with each peer?

    ``prepare`` runs before every single process and is not timed: it puts back what the command changes.
    """

    name: str
    ours: Command
    peers: tuple[Command, ...] = ()
    prepare: Callable[[], object] = lambda: None

    @property
    def commands(self) -> tuple[Command, ...]:
        return (self.ours, *self.peers)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one command took, in seconds of wall clock, run by run."""

    command: Command
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    timings: tuple[Timing, ...]
    """Ours first, then the peers in their order; all with the same number of runs."""

    def ratios(self, peer: Timing) -> tuple[float, ...]:
        """The peer's time over ours, pair by pair: above 1 we are faster."""
        return tuple(theirs / ours for theirs, ours in zip(peer.seconds, self.timings[0].seconds, strict=True))


class CommandFailedError(Exception):
    """A timed command ended with an exit code that the case does not expect. The text holds its output."""


def measure(case: Case, runs: int) -> Result:
    """Run every command ``runs`` times after one warm-up, taking turns. Raises :class:`CommandFailedError`."""
    seconds: list[list[float]] = [[] for _ in case.commands]
    for turn in range(WARM_UP + runs):
        for command, own in zip(case.commands, seconds, strict=True):
            case.prepare()
            elapsed = _run(command)
            if turn >= WARM_UP:
                own.append(elapsed)
    return Result(case, tuple(map(Timing, case.commands, map(tuple, seconds))))


def table(results: Iterable[Result]) -> str:
    """The results as a Markdown table, and below it the command behind every row."""
    rows = ["| case | what | median | min to max | peer / ours |", "| --- | --- | --- | --- | --- |"]
    commands = []
    for result in results:
        for timing in result.timings:
            own = timing is result.timings[0]
            ratio = "" if own else _range(result.ratios(timing), "{:.2f}")
            rows.append(
                f"| {result.case.name} | {timing.command.label} | {_milliseconds(timing.median)} "
                f"| {_milliseconds(min(timing.seconds))} to {_milliseconds(max(timing.seconds))} | {ratio} |"
            )
            commands.append(f"- {result.case.name}, {timing.command.label}: `{shlex.join(timing.command.argv)}`")
    return "\n".join([*rows, "", *commands])


def conditions(runs: int) -> str:
    """On what the numbers were taken."""
    return (
        f"{runs} runs each after {WARM_UP} warm-up, taking turns; Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores. Medians; ratios are medians of pairs."
    )


def _run(command: Command) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        command.argv,
        cwd=command.cwd,
        env={**_environment(), **command.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    elapsed = time.perf_counter() - start
    if done.returncode not in command.exits:
        raise CommandFailedError(f"{shlex.join(command.argv)} ended with {done.returncode}:\n{done.stdout}")
    return elapsed


def _environment() -> dict[str, str]:
    """Ours, but Python keeps its compiled files as it does for everybody: ours, and those of a peer's plugin."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _range(values: Sequence[float], form: str) -> str:
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
