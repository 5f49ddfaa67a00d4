"""`--help` of every command: each shows by an example how it is used, and the example is one that it takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

import click
import pytest

from homelabmon.cli import root
from tests.cli.running import cli


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The command and all below it, each with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


EVERY: Final = dict(commands(root, ("homelabmon",)))
EXAMPLE: Final = re.compile(r"\bhomelabmon [^|>&#)\n]+")


def test_every_command_is_walked() -> None:
    assert {
        ("homelabmon", "relay", "quarantine", "list"),
        ("homelabmon", "relay", "dead-letters", "replay"),
        ("homelabmon", "status", "incident", "open"),
        ("homelabmon", "heartbeat", "pause"),
        ("homelabmon", "probe"),
    } <= EVERY.keys()


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_shows_an_example_that_the_command_takes(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = EXAMPLE.findall(EVERY[path].epilog or "")
    assert found, f"{' '.join(path)} --help has no example"
    assert "\n  Example" in cli(capsys, *path[1:], "--help").out
    for command in EVERY.values():
        monkeypatch.setattr(command, "callback", lambda *_, **__: 0)
    for example in found:
        words = shlex.split(example)
        assert path == tuple(words[: len(path)]) or all(word in words for word in path), example
        outcome = cli(capsys, *words[1:])
        assert (outcome.code, outcome.err) == (0, ""), example
