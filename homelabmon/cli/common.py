"""What several commands share: the options that name the stack, and reading it with every finding it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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


def at_their_source(findings: Iterable[Finding], stack: Any, stack_file: Path) -> list[Finding]:
    """Findings about rendered objects; those about objects that stand below ``extra:`` at their place in the stack."""
    from homelabmon.components import extra

    numbers = {f"apps/{extra.APP}/{file}": number for number, file in enumerate(extra.files(stack.extra))}
    found = list(findings)
    if not any(finding.file in numbers for finding in found):
        return found
    from homelabmon.checks import Context
    from homelabmon.source import parse, shown

    source = parse(stack_file.read_bytes(), shown(stack_file))
    context = Context(stack, source)
    for index, finding in enumerate(found):
        if finding.file in numbers:
            path = ("extra", numbers[finding.file], *finding.path)
            position = source.position(context.written(path))
            message = re.sub(
                r"\bapps/extra/\S+\.yaml\b", lambda told: _entry(numbers.get(told[0]), told[0]), finding.message
            )
            found[index] = finding._replace(message=message, file=source.name, path=path, position=position)
    return found


def _entry(number: int | None, otherwise: str) -> str:
    return otherwise if number is None else f"extra[{number}]"


def override_folder(stack_file: Path, templates: Path | None) -> Path | None:
    """The folder of the user's own templates, if there is one."""
    if templates is not None:
        return templates
    beside = (stack_file.resolve() if stack_file.is_symlink() else stack_file).parent / "templates"
    return beside if beside.is_dir() else None
