"""``homelabmon docs``: the monitoring page by itself, as ``render`` writes it."""

from __future__ import annotations

from pathlib import Path

import click

from homelabmon.cli.common import stack_option, templates_option
from homelabmon.cli.documents import output_option, planned, put


@click.command(name="docs", epilog="\b\nExample: homelabmon docs > monitoring.md")
@stack_option
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help=output_option("the page"))
@templates_option
def command(stack_file: Path, output: Path | None, templates: Path | None) -> None:
    """Print the monitoring page: what watches, who is told about what, and which Secrets must exist.

    The page is Markdown with Mermaid pictures, for GitHub. `render` writes it to docs/monitoring.md; its links lead to
    the files beside that.
    """
    _, plan = planned(stack_file, templates)
    put(plan.files["docs/monitoring.md"], output)
