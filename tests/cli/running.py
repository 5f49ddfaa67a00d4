"""Runs a command line inside the test process, as a user would see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homelabmon.cli import run

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """The exit code and what was printed."""
    capsys.readouterr()
    code = run(arguments)
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err)
