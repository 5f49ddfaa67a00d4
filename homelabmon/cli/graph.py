"""``homelabmon graph``: pictures of the stack, as Mermaid, DOT or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from homelabmon.cli.common import stack_option, templates_option
from homelabmon.cli.documents import output_option, planned, put

_BY_ENDING = {
    "": "mermaid",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".txt": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
}


@click.command(name="graph", epilog="\b\nExample: homelabmon graph --view alerts --output alerts.svg")
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
    kind = kind or _by_ending(output)
    from homelabmon.render.graph import graph, svg

    stack, plan = planned(stack_file, templates)
    text = graph(stack, plan.folded, view=view, format="mermaid" if kind == "mermaid" else "dot")
    put(svg(text) if kind == "svg" else text, output)


def _by_ending(output: Path | None) -> str:
    """The format that a file's name asks for. Raises click.UsageError where it asks for one that there is not."""
    ending = output.suffix.lower() if output is not None else ""
    if ending not in _BY_ENDING:
        raise click.UsageError(
            f"--output {output}: there are no {ending} pictures; write a name with .mmd or .md (Mermaid), .dot or .gv "
            "(DOT), or .svg (which needs Graphviz), or say which --format it is"
        )
    return _BY_ENDING[ending]
