"""``homelabmon simulate``: what channels would be told, in virtual time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from homelabmon.cli.common import override_folder, stack_option, templates_option
from homelabmon.errors import EXIT_OK

if TYPE_CHECKING:
    from homelabmon.journey.running import Running
    from homelabmon.simulation.story import Story

_EPILOG = """\b
Examples:
  homelabmon simulate flapping.yaml                  # docs/how-to/simulate.md shows the file
  homelabmon simulate --test "one node down"         # what one of the stack's tests goes through
  homelabmon simulate --history http://192.168.1.230:9090 --from 7d
  homelabmon simulate --history alerts.json --against proposed/stack.yaml"""


@click.command(name="simulate", epilog=_EPILOG)
@click.argument("timeline", required=False, type=click.Path(path_type=Path, dir_okay=False))
@stack_option
@click.option("--test", "test", metavar="NAME", help="Take one of the stack's `tests:`, by its name or its number.")
@click.option("--history", metavar="FILE|URL", help="Take what Prometheus remembers: its address, or a saved answer.")
@click.option("--from", "since", metavar="TIME", help="History from here on: 7d (ago), or 2026-11-22. [default: 1d]")
@click.option("--to", "until", metavar="TIME", help="History until here. [default: now]")
@click.option(
    "--step", metavar="DURATION", help="Seconds between samples of history. [default: as rules are evaluated]"
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another stack, to compare the number of messages.",
)
@click.option("--full", is_flag=True, help="Print every message as its readers see it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/reference/simulate.md).")
@templates_option
def command(
    timeline: Path | None,
    stack_file: Path,
    test: str | None,
    history: str | None,
    since: str | None,
    until: str | None,
    step: str | None,
    against: Path | None,
    full: bool,
    as_json: bool,
    templates: Path | None,
) -> int:
    """Simulate what channels would be told: alerts go through their rules, Alertmanager, inhibition, holds and the
    relay in virtual time, and every message and edit is printed with its time.

    TIMELINE is a file that says which condition holds when.
    """
    if sum(given is not None for given in (timeline, test, history)) != 1:
        raise click.UsageError("name one of: a timeline file, --test, --history")
    if history is None and (since or until or step):
        raise click.UsageError("--from, --to and --step are about --history")
    from homelabmon.cli.simulate_text import print_comparison, print_counts, print_outcome
    from homelabmon.simulation.data import comparison_data, history_data, outcome_data
    from homelabmon.simulation.world import play

    running = _running(stack_file, templates)
    other = _running(against, None) if against is not None else None
    if history is not None:
        from homelabmon.simulation.history import read_history, story_of_history

        past = read_history(history, since, until, step, running.evaluation_interval, time.time())
        story = story_of_history(past)
    else:
        story = _story(running, timeline, test)
    for warning in story.warnings:
        click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {warning}", err=True)
    outcome = play(running, story, texts=history is None and other is None)
    channels = tuple(running.stack.channels)
    if other is not None:
        others = play(other, story, texts=False)
        pair = ((stack_file, outcome, channels), (against or stack_file, others, tuple(other.stack.channels)))
        if as_json:
            click.echo(json.dumps(comparison_data(story, *pair), indent=2, ensure_ascii=False))
        else:
            print_comparison(story, *pair)
    elif history is not None:
        if as_json:
            click.echo(json.dumps(history_data(story, outcome, channels), indent=2, ensure_ascii=False))
        else:
            print_counts(story, outcome, channels)
    elif as_json:
        click.echo(json.dumps(outcome_data(story, outcome, channels), indent=2, ensure_ascii=False))
    else:
        print_outcome(story, outcome, channels, full=full)
    return EXIT_OK


def _story(running: Running, timeline: Path | None, test: str | None) -> Story:
    from homelabmon.simulation.story import story_of
    from homelabmon.simulation.timeline import read_timeline

    if timeline is not None:
        return story_of(running, read_timeline(timeline))
    from homelabmon.simulation.expectations import find_test, story_of_test

    return story_of_test(running, find_test(running.stack, test or ""))


def _running(stack_file: Path, templates: Path | None) -> Running:
    from homelabmon.journey.running import running
    from homelabmon.load import load
    from homelabmon.render.templates import cache_folder

    return running(load(stack_file), override_folder(stack_file, templates), cache_folder())
