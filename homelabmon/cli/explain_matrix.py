"""What ``homelabmon explain --all`` prints: every alert by channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import click

from homelabmon.cli.output import counted
from homelabmon.journey.matrix import Matrix, Row

_SIGNS: Final = {"always": "●", "usually": "●", "possibly": "○"}


def print_matrix(matrix: Matrix) -> None:
    """Every alert, group by group; then those that nobody hears, a legend and sums."""
    heard = [row for row in matrix.rows if not row.unheard]
    name = max((len(row.alert) for row in heard), default=0) + 4
    severity = max((len(_severities(row)) for row in heard), default=0) + 2
    heads = "".join(f"  #{channel}" for channel in matrix.channels)
    for group, rows in _grouped(heard):
        click.echo(click.style(f"{group:{name + severity}}", bold=True) + click.style(heads, fg="blue"))
        for row in rows:
            cells = "".join(_cell(row, channel) for channel in matrix.channels)
            others = f"  {', '.join(row.others)}" if row.others else ""
            click.echo(f"  {row.alert:{name - 2}}{_severities(row):{severity}}{cells}{others}".rstrip())
        click.echo()
    unheard = [row for row in matrix.rows if row.unheard]
    if unheard:
        click.echo(click.style("nobody hears", fg="red", bold=True))
        for row in unheard:
            click.echo(f"  {row.alert:{name - 2}}{_severities(row):{severity}}  {row.group}".rstrip())
        click.echo()
    if any("possibly" in row.channels.values() for row in heard):
        click.echo("● told there   ○ told there, instead or as well, with labels that a route asks for")
    sums = [f"#{channel} {sum(channel in row.channels for row in heard)}" for channel in matrix.channels]
    nobody = [f"nobody {len(unheard)}"] if unheard else []
    click.echo(f"{counted(len(matrix.rows), 'alert')}: {', '.join((*sums, *nobody))}")


def _grouped(rows: Iterable[Row]) -> Iterable[tuple[str, Sequence[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found.items()


def _cell(row: Row, channel: str) -> str:
    sign = _SIGNS.get(row.channels.get(channel, ""), "·")
    return f"  {sign:^{len(channel) + 1}}"


def _severities(row: Row) -> str:
    return ", ".join(row.severities)
