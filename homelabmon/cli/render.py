"""``homelabmon render``: the stack in, every file out; or a check that the files are current."""

from __future__ import annotations

import time
from pathlib import Path

import click

from homelabmon.cli.common import at_their_source, override_folder, read_stack, stack_option, templates_option
from homelabmon.cli.output import counted, print_findings
from homelabmon.errors import EXIT_FINDINGS, EXIT_OK, EXIT_USAGE
from homelabmon.spec.findings import Severity


@click.command(
    name="render",
    epilog="\b\nExample: homelabmon render --check   # in CI: exit 1 and a diff when rendered/ is not current",
)
@stack_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write. [default: rendered/ beside the stack]",
)
@click.option("--check", is_flag=True, help="Write nothing; print a diff and exit 1 if the folder is not current.")
@click.option("--watch", is_flag=True, help="Render again whenever the stack or a template changes.")
@templates_option
@click.option("-q", "--quiet", is_flag=True, help="Print findings and errors only.")
def command(stack_file: Path, out: Path | None, check: bool, watch: bool, templates: Path | None, quiet: bool) -> int:
    """Write everything the stack stands for: Flux objects, values, rules, routes, the relay, the monitoring page.

    Every object is validated before the first file is touched. Files that an earlier render wrote and this one does
    not are removed; files of yours in the folder stay.
    """
    if check and watch:
        raise click.UsageError("--check and --watch exclude each other")
    out = out or stack_file.parent / "rendered"
    code = render_once(stack_file, out, check, templates, quiet)
    while watch:
        _wait_for_change(stack_file, override_folder(stack_file, templates))
        code = render_once(stack_file, out, check, templates, quiet)
    return code


def render_once(stack_file: Path, out: Path, check: bool, templates: Path | None, quiet: bool) -> int:
    """Renders once and returns the exit code."""
    from homelabmon.gitops.validate import validate
    from homelabmon.render.overrides import unread_templates
    from homelabmon.render.plan import make_plan
    from homelabmon.render.templates import cache_folder
    from homelabmon.render.write import compare, diff, write

    reading = read_stack(stack_file)
    errors = [finding for finding in reading.findings if finding.severity is Severity.ERROR]
    if errors or reading.stack is None:
        print_findings(reading.findings, err=True)
        click.echo(f"{counted(len(errors), 'error')}; nothing was written", err=True)
        return EXIT_USAGE if reading.schema_errors else EXIT_FINDINGS
    cache = cache_folder()
    folder = override_folder(stack_file, templates)
    plan = make_plan(reading.stack, folder, cache)
    cluster = reading.stack.cluster
    found = validate(
        plan.objects,
        kubernetes=cluster.kubernetes,
        substitution=cluster.flux.substitution,
        files=plan.files,
        cache=cache,
    )
    found = at_their_source(found, reading.stack, stack_file)
    unread = unread_templates(folder) if folder is not None else ()
    remarks = [finding for finding in (*reading.findings, *unread, *found) if finding.severity is not Severity.INFO]
    print_findings(remarks, err=True)
    if any(finding.severity is Severity.ERROR for finding in found):
        click.echo("an object is not valid; nothing was written", err=True)
        return EXIT_FINDINGS
    if check:
        changes = compare(plan.files, out)
        if changes:
            click.echo(diff(plan.files, out, changes), nl=False)
            click.echo(f"{out} is not current: run `homelabmon render`", err=True)
            return EXIT_FINDINGS
        return EXIT_OK
    changes = write(plan.files, out)
    for path in changes.kept:
        click.echo(f"{out / path}: no longer rendered, but changed by somebody; left alone", err=True)
    if not quiet:
        _report(changes, out, len(plan.files))
    return EXIT_OK


def _report(changes: object, out: Path, total: int) -> None:
    from homelabmon.render.write import Changes

    assert isinstance(changes, Changes)
    if not changes:
        click.echo(f"{out}: {counted(total, 'file')}, nothing changed")
        return
    for sign, colour, paths in (
        ("+", "green", changes.added),
        ("~", "yellow", changes.changed),
        ("-", "red", changes.removed),
    ):
        for path in paths:
            click.echo(click.style(f"{sign} {path}", fg=colour))
    click.echo(
        f"{out}: {counted(total, 'file')}; {len(changes.added)} added, {len(changes.changed)} changed,"
        f" {len(changes.removed)} removed"
    )


def _wait_for_change(stack_file: Path, folder: Path | None, interval: float = 0.5) -> None:
    """Blocks until the stack or a template has another modification time; polling needs no package and no inotify."""
    before = _stamps(stack_file, folder)
    while _stamps(stack_file, folder) == before:
        time.sleep(interval)


def _stamps(stack_file: Path, folder: Path | None) -> dict[Path, int]:
    files = [stack_file, *(sorted(folder.rglob("*.j2")) if folder else ())]
    return {file: file.stat().st_mtime_ns for file in files if file.exists()}
