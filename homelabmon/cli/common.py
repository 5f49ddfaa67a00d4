"""What several commands share: the options that name the stack, and reading it with every finding it gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from homelabmon.spec.findings import Finding

F = TypeVar("F", bound=Callable[..., Any])


def stack_option(function: F) -> F:
    """``--stack``: the file to read, ./stack.yaml unless said otherwise."""
    return click.option(
        "-s",
        "--stack",
        "stack_file",
        type=click.Path(path_type=Path),
        default=Path("stack.yaml"),
        show_default=True,
        envvar="HOMELABMON_STACK",
        show_envvar=True,
        help="The stack to read.",
    )(function)


def templates_option(function: F) -> F:
    """``--templates``: the user's own templates, which replace ours file by file."""
    return click.option(
        "--templates",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="Folder of templates that replace ours file by file. [default: templates/ beside the stack]",
    )(function)


class Reading(NamedTuple):
    """A stack file, read: the stack, or None with the findings that prevented it."""

    stack: Any
    findings: tuple[Finding, ...]
    schema_errors: bool


def read_stack(stack_file: Path, **options: Any) -> Reading:
    """Reads a stack and runs every check on it; schema errors and cross-reference errors come together.

    Raises InputError when the file is no YAML mapping, HomelabmonError when it cannot be opened.
    """
    from homelabmon.checks import run_checks
    from homelabmon.load import read

    loaded = read(stack_file)
    findings = list(loaded.findings)
    if loaded.stack is not None:
        findings += run_checks(
            loaded.stack, loaded.source, partial=bool(loaded.findings), original=loaded.original, **options
        )
    findings.sort(key=lambda finding: (finding.position or (0, 0), finding.check, finding.message))
    return Reading(loaded.stack, tuple(findings), bool(loaded.findings))


def override_folder(stack_file: Path, templates: Path | None) -> Path | None:
    """The folder of the user's own templates, if there is one."""
    if templates is not None:
        return templates
    beside = stack_file.resolve().parent / "templates"
    return beside if beside.is_dir() else None
