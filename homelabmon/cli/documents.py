"""What ``docs``, ``graph``, ``schema`` and ``init`` share: the plan of a stack without errors, and writing one text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from homelabmon.cli.common import override_folder, read_stack
from homelabmon.cli.output import print_findings
from homelabmon.errors import EXIT_FINDINGS, HomelabmonError, InputError
from homelabmon.spec.findings import Severity

if TYPE_CHECKING:
    from homelabmon.render.plan import Plan
    from homelabmon.stack import Stack


def output_option(what: str) -> str:
    """The help of ``--output``."""
    return f"File to write {what} to. [default: standard output]"


def planned(stack_file: Path, templates: Path | None) -> tuple[Stack, Plan]:
    """The stack and its plan. Where the stack has errors, prints them and ends the command as ``render`` would."""
    from homelabmon.render.plan import make_plan
    from homelabmon.render.templates import cache_folder

    reading = read_stack(stack_file)
    if reading.schema_errors or reading.stack is None:
        raise InputError(reading.findings)
    errors = [finding for finding in reading.findings if finding.severity is Severity.ERROR]
    if errors:
        print_findings(errors, err=True)
        raise click.exceptions.Exit(EXIT_FINDINGS)
    stack: Stack = reading.stack
    return stack, make_plan(stack, override_folder(stack_file, templates), cache_folder())


def put(content: str | bytes, output: Path | None) -> None:
    """Prints the content, or writes it to a file. Raises HomelabmonError where the file cannot be written."""
    if output is None:
        click.echo(content, nl=False)
        return
    try:
        output.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise HomelabmonError(f"{output}: cannot be written: {error.strerror}") from None
