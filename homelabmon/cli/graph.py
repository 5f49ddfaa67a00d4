"""``homelabmon graph``: pictures of the stack, as Mermaid, DOT or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from homelabmon.cli.common import stack_option, templates_option
from homelabmon.cli.documents import output_option, planned, put

_BY_ENDING = {".svg": "svg", ".dot": "dot", ".gv": "dot"}


@click.command(name="graph", epilog="Example: homelabmon graph --view alerts --output alerts.svg")
@stack_option
@click.option(
    "--view",
    type=click.Choice(["all", "components", "alerts", "logs", "depends"]),
    default="all",
    show_default=True,
    help="What to draw: `alerts` the way to the channels, `depends` what falls with what.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["mermaid", "dot", "svg"]),
    help="SVG needs Graphviz. [default: by the ending of --output, else mermaid]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help=output_option("the picture"))
@templates_option
def command(
    stack_file: Path,
    view: Literal["all", "components", "alerts", "logs", "depends"],
    kind: str | None,
    output: Path | None,
    templates: Path | None,
) -> None:
    """Draw components, the way of logs and alerts, and what falls when something falls."""
    from homelabmon.render.graph import graph, svg

    kind = kind or _BY_ENDING.get(output.suffix if output is not None else "", "mermaid")
    stack, plan = planned(stack_file, templates)
    text = graph(stack, plan.folded, view=view, format="mermaid" if kind == "mermaid" else "dot")
    put(svg(text) if kind == "svg" else text, output)
