"""What ``homelabmon simulate`` prints for people. Colours only on a terminal; nothing depends on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click

from homelabmon.cli.output import counted
from homelabmon.simulation.counts import Count, counts
from homelabmon.simulation.data import Side, text_of
from homelabmon.simulation.story import Story
from homelabmon.simulation.words import clock, what
from homelabmon.simulation.world import Outcome, Told
from homelabmon.spec.base import format_duration

_DONE: Final = {"post": "post", "edit": "edit", "delete": "delete"}


def print_outcome(story: Story, outcome: Outcome, channels: Sequence[str], *, full: bool) -> None:
    """Everything that was told, line by line, and the sums."""
    click.echo(_headline(story))
    if outcome.told:
        click.echo()
    width = max((len(told.channel) for told in outcome.told), default=0) + 1
    for told in outcome.told:
        click.echo(_line(told, width))
        if full and (text := text_of(told, story.start + told.at)) is not None:
            click.echo("".join(f"        {line}\n".rstrip(" ") for line in text.splitlines()))
    click.echo()
    _sums(story, outcome, channels)


def _line(told: Told, width: int) -> str:
    pings = f"  pings {', '.join(told.mentions)}" if told.mentions else ""
    channel = click.style(f"#{told.channel}".ljust(width), bold=True)
    return f"{clock(told.at):>9}  {channel}  {_DONE[told.kind]:6} {told.number:<3} {what(told)}{pings}"


def _headline(story: Story) -> str:
    firings = sum(len(firing.episodes) for firing in story.firings)
    parts = []
    if story.firings:
        fires = f"firing {counted(firings, 'time')}" if firings else "never firing"
        parts.append(f"{counted(len(story.firings), 'alert')}, {fires}")
    if story.events:
        parts.append(counted(len(story.events), "event"))
    return f"{' and '.join(parts)}, over {format_duration(round(story.length))}:"


def _sums(story: Story, outcome: Outcome, channels: Sequence[str]) -> None:
    found = {name: one for name, one in counts(outcome.told, channels).items() if one.messages}
    if not found:
        click.echo("nobody was told anything")
    for channel, one in found.items():
        edits = f", edited {counted(one.edits, 'time')}" if one.edits else ""
        click.echo(f"{click.style(f'#{channel}', bold=True)}: {counted(one.messages, 'message')}{edits}")
    _silent(outcome)
    for firing in story.firings:
        if not firing.episodes:
            rule = f": its rule ({firing.rule}) waits longer than its condition held" if firing.rule else ""
            click.echo(f"{firing.title} never fired{rule}")


def _silent(outcome: Outcome) -> None:
    if outcome.suppressed:
        click.echo(f"{counted(outcome.suppressed, 'firing')} over within the hold: nobody was told")
    for receiver, number in sorted(outcome.elsewhere.items()):
        click.echo(f"receiver {receiver}: {counted(number, 'notification')}")


# History -----------------------------------------------------------------------------------------------------------


def print_counts(story: Story, outcome: Outcome, channels: Sequence[str]) -> None:
    """How many messages each channel would have had."""
    click.echo(_past(story))
    click.echo()
    rows = [(f"#{channel}", *_cells(one, story)) for channel, one in counts(outcome.told, channels).items()]
    _table(("channel", "messages", "a day", "edits", "pings", "busiest hour"), rows)
    click.echo()
    _silent(outcome)


def print_comparison(story: Story, one: Side, other: Side) -> None:
    """How many messages each channel would have had with either stack."""
    click.echo(_past(story))
    click.echo()
    click.echo(f"before: {one[0]}\nafter:  {other[0]}\n")
    before, after = (counts(outcome.told, channels) for _, outcome, channels in (one, other))
    nothing = Count()
    rows = []
    for channel in sorted({*before, *after}):
        old, new = before.get(channel, nothing), after.get(channel, nothing)
        change = new.messages - old.messages
        numbers = (old.messages, new.messages, f"{change:+}" if change else "0", old.edits, new.edits)
        rows.append((f"#{channel}", *map(str, numbers), str(old.busiest), str(new.busiest)))
    heads = ("channel", "messages", "after", "change", "edits", "after", "busiest hour", "after")
    _table(heads, [*rows, _total(before, after)])


def _total(before: Mapping[str, Count], after: Mapping[str, Count]) -> tuple[str, ...]:
    old, new = (sum(one.messages for one in side.values()) for side in (before, after))
    old_edits, new_edits = (sum(one.edits for one in side.values()) for side in (before, after))
    change = f"{new - old:+}" if new != old else "0"
    return ("all", str(old), str(new), change, str(old_edits), str(new_edits), "", "")


def _past(story: Story) -> str:
    since, until = (_day(at) for at in (story.start, story.start + story.length))
    firings = sum(len(firing.episodes) for firing in story.firings)
    alerts = counted(len(story.firings), "alert")
    return f"{since} to {until}: {alerts}, firing {counted(firings, 'time')}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cells(one: Count, story: Story) -> tuple[str, ...]:
    a_day = one.messages / max(story.length / 86400, 1.0)
    return (str(one.messages), f"{a_day:.1f}", str(one.edits), str(one.pings), str(one.busiest))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        click.echo("  ".join(cells).rstrip())
