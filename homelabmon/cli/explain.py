"""``homelabmon explain``: who hears of an alert, when, how often, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from homelabmon.cli.common import override_folder, stack_option, templates_option
from homelabmon.errors import EXIT_OK

if TYPE_CHECKING:
    from homelabmon.journey.running import Running

_EPILOG = """\b
Examples:
  homelabmon explain NodeDown
  homelabmon explain KubePodNotReady namespace=media
  homelabmon explain NodeDown --at "2026-11-22 03:30"    # in a maintenance window?
  homelabmon explain source=falco rule="Terminal shell in container"
  homelabmon explain nightly-backup                      # a heartbeat, or a probe
  homelabmon explain --all namespace=media               # every alert there can be, by channel"""


@click.command(name="explain", epilog=_EPILOG)
@click.argument("alert", required=False)
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
@stack_option
@click.option("--all", "everything", is_flag=True, help="Every known alert, by channel; LABEL=VALUE narrows it down.")
@click.option("--at", metavar="TIME", help='When, for maintenance windows: "2026-11-22 03:30", with +01:00 or as here.')
@click.option(
    "--source",
    type=click.Choice(["falco", "flux", "event", "heartbeat", "probe", "outpost"]),
    help="What tells, in place of a rule.",
)
@click.option("--unknown", is_flag=True, help="Take an alert that no rule here defines by its labels alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/reference/explain.md).")
@templates_option
def command(
    alert: str | None,
    labels: tuple[str, ...],
    stack_file: Path,
    everything: bool,
    at: str | None,
    source: str | None,
    unknown: bool,
    as_json: bool,
    templates: Path | None,
) -> int:
    """Explain an alert's whole way: the rule that fires it, every route that is tried, what can keep it silent, the
    channel, the message, and how long it takes until somebody reads it.

    ALERT is the name of an alert, a heartbeat or a probe. Labels that are not given are taken from the rule.
    """
    name, given = _question(alert, labels, source)
    moment = _moment(at) if at is not None else None
    if everything and (name or at is not None):
        raise click.UsageError("--all is about every alert: leave out the name and --at, or leave out --all")
    running = _running(stack_file, templates)
    if everything:
        _print_all(running, given, as_json)
    else:
        _print_one(running, stack_file, name, given, moment, unknown, as_json)
    return EXIT_OK


def _question(alert: str | None, labels: Sequence[str], source: str | None) -> tuple[str, dict[str, str]]:
    """The name and the labels that are asked about."""
    name = alert or ""
    pairs = list(labels)
    if "=" in name:
        pairs.insert(0, name)
        name = ""
    given: dict[str, str] = {"source": source} if source is not None else {}
    for pair in pairs:
        label, equals, value = pair.partition("=")
        if not equals or not label:
            raise click.UsageError(f"{pair!r} is no label: write label=value, such as namespace=media")
        if label[-1] in "!~" or value.startswith("~"):
            raise click.UsageError(f"{pair!r} is a matcher: an alert has values, so write label=value")
        if given.get(label, value) != value:
            raise click.UsageError(f"two values for {label!r}: {given[label]!r} and {value!r}")
        given[label] = value
    return name, given


def _moment(text: str) -> datetime:
    """A moment with its zone; without one it is this machine's."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.astimezone()
    except (ValueError, OverflowError):
        raise click.UsageError(f'--at {text!r} is no time: write for example "2026-11-22 03:30"') from None


def _running(stack_file: Path, templates: Path | None) -> Running:
    from homelabmon.journey.running import running
    from homelabmon.load import load
    from homelabmon.render.templates import cache_folder

    return running(load(stack_file), override_folder(stack_file, templates), cache_folder())


def _print_one(
    running: Running,
    stack_file: Path,
    name: str,
    given: dict[str, str],
    at: datetime | None,
    unknown: bool,
    as_json: bool,
) -> None:
    from homelabmon.cli.explain_text import print_explanation
    from homelabmon.journey.data import explanation_data
    from homelabmon.journey.explain import explain
    from homelabmon.journey.subject import subject
    from homelabmon.source import shown

    found = subject(running, name, given, unknown=unknown)
    for warning in found.warnings:
        click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {warning}", err=True)
    explanation = explain(running, found, at)
    if as_json:
        click.echo(json.dumps(explanation_data(running, explanation, at), indent=2, ensure_ascii=False))
    else:
        print_explanation(running, explanation, at, shown(stack_file))


def _print_all(running: Running, given: dict[str, str], as_json: bool) -> None:
    from homelabmon.cli.explain_matrix import print_matrix
    from homelabmon.journey.data import matrix_data
    from homelabmon.journey.matrix import matrix

    found = matrix(running, given)
    if as_json:
        click.echo(json.dumps(matrix_data(found), indent=2, ensure_ascii=False))
    else:
        print_matrix(found)
