"""``homelabmon test``: the stack's ``tests:``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from homelabmon.cli.common import override_folder, stack_option, templates_option
from homelabmon.cli.output import counted
from homelabmon.errors import EXIT_FINDINGS, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homelabmon.simulation.expectations import Result

_EPILOG = """\b
Examples:
  homelabmon test
  homelabmon test "one node down" --verbose    # one test, with the way that its alert takes
  homelabmon test --junit report.xml           # for CI"""


@click.command(name="test", epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@stack_option
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit report as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: name, passed, wrong, way.")
@click.option("-v", "--verbose", is_flag=True, help="Print the way of tests that pass, too.")
@templates_option
def command(
    names: tuple[str, ...], stack_file: Path, junit: Path | None, as_json: bool, verbose: bool, templates: Path | None
) -> int:
    """Test what the stack's owner expects: who hears of an alert, in how many messages, how soon, or nobody at all.

    NAME picks tests by name or number. Exits 0 when all pass, 1 when one fails, 2 when the stack cannot be read.
    """
    from homelabmon.journey.running import running
    from homelabmon.load import load
    from homelabmon.render.templates import cache_folder
    from homelabmon.simulation.expectations import find_test, run

    stack = load(stack_file)
    wanted = [find_test(stack, name) for name in names] or list(stack.tests)
    results: list[Result] = []
    if wanted:
        found = running(stack, override_folder(stack_file, templates), cache_folder())
        results = [run(found, number, test) for number, test in enumerate(stack.tests) if test in wanted]
    if junit is not None:
        from homelabmon.cli.junit import report

        junit.write_text(report(stack.name, results), encoding="utf-8")
    if as_json:
        click.echo(json.dumps([_data(result) for result in results], indent=2, ensure_ascii=False))
    else:
        for result in results:
            _print(result, verbose)
        _sum(results, stack_file)
    return EXIT_OK if all(result.passed for result in results) else EXIT_FINDINGS


def _data(result: Result) -> dict[str, object]:
    data = {"name": result.name, "passed": result.passed, "wrong": list(result.wrong), "way": list(result.way)}
    return {**data, "note": result.note} if result.note else data


def _print(result: Result, verbose: bool) -> None:
    word = click.style("ok  ", fg="green") if result.passed else click.style("FAIL", fg="red", bold=True)
    note = f" ({result.note})" if result.note else ""
    click.echo(f"{word} {result.name}{note}")
    for line in result.wrong:
        click.echo(f"     {line}")
    if result.wrong or verbose:
        for line in result.way:
            click.echo(f"       {line}")


def _sum(results: Sequence[Result], stack_file: Path) -> None:
    if not results:
        from homelabmon.source import shown

        click.echo(f"{shown(stack_file)} has no tests: write some below `tests:`", err=True)
        return
    failed = sum(not result.passed for result in results)
    passed = f"{len(results) - failed} passed"
    click.echo(f"{counted(len(results), 'test')}: {passed}" + (f", {failed} failed" if failed else ""), err=True)
