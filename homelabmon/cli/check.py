"""``homelabmon check``: everything that can be found wrong with a stack and with what it renders to, at once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from homelabmon.cli.common import at_their_source, override_folder, read_stack, stack_option, templates_option
from homelabmon.cli.output import as_github, as_json, counted, print_findings
from homelabmon.errors import EXIT_FINDINGS, EXIT_OK, EXIT_USAGE, HomelabmonError, InputError, RenderError
from homelabmon.spec.findings import Finding, Severity

if TYPE_CHECKING:
    from homelabmon.render.plan import Plan

_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
_RENDERED: Final = "rendered"
_CHARTS: Final = {
    "prometheus": "kube-prometheus-stack",
    "alertmanager": "kube-prometheus-stack",
    "grafana": "kube-prometheus-stack",
    "loki": "loki",
    "vector": "vector",
    "falco": "falco",
}
"""Whose values go to which chart."""


@click.command(
    name="check",
    epilog="\b\nExample: homelabmon check --format github   # in CI: findings beside the lines of the pull request",
)
@stack_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "--crds",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="CRDs of your cluster, a file or a folder, to check objects against. May be given more than once.",
)
@click.option(
    "--charts",
    type=_FOLDER,
    help="Folder with the charts, unpacked or as archives, to check `values:` against.",
)
@templates_option
def command(stack_file: Path, form: str, crds: tuple[Path, ...], charts: Path | None, templates: Path | None) -> int:
    """Report every finding about the stack and what it renders to: schema, names, addresses, routes, PromQL, objects.

    Nothing is written and nothing is asked over the network. Exits 0 without findings (remarks are allowed), 1 with
    errors or warnings, 2 when the stack cannot be read as one.
    """
    try:
        findings, code = all_findings(stack_file, crds, charts, templates), EXIT_OK
    except InputError as error:
        findings, code = list(error.findings), EXIT_USAGE
    except HomelabmonError as error:
        if form == "text":
            raise
        from homelabmon.source import shown

        findings, code = [Finding("unreadable", str(error), file=shown(stack_file))], EXIT_USAGE
    _print(findings, form, stack_file)
    if code == EXIT_OK and any(finding.check == "schema" for finding in findings):
        return EXIT_USAGE
    if code == EXIT_OK and any(finding.severity is not Severity.INFO for finding in findings):
        return EXIT_FINDINGS
    return code


def all_findings(stack_file: Path, crds: Sequence[Path], charts: Path | None, templates: Path | None) -> list[Finding]:
    """Every finding: about the stack, its values, and, if it fits the schema, about what it renders to."""
    from homelabmon.render.overrides import template_finding, unread_templates
    from homelabmon.render.plan import make_plan
    from homelabmon.render.templates import cache_folder
    from homelabmon.source import shown

    reading = read_stack(stack_file)
    findings = list(reading.findings)
    if reading.stack is None or reading.schema_errors:
        return findings
    if charts is not None:
        findings += _values(stack_file, reading.stack, charts)
    folder = override_folder(stack_file, templates)
    if folder is not None:
        findings += unread_templates(folder)
    try:
        plan = make_plan(reading.stack, folder, cache_folder())
    except RenderError as error:
        return [*findings, template_finding(error, shown(stack_file))]
    objects = at_their_source(_objects(plan, reading.stack, crds), reading.stack, stack_file)
    return [*findings, *_alerts(stack_file, plan, reading.stack), *_rules(plan), *objects]


def _alerts(stack_file: Path, plan: Plan, stack: Any) -> Iterator[Finding]:
    """What rendered rules and routes say about tests of the packs' alerts, and about raw values for Alertmanager."""
    alertmanager = stack.components.alertmanager
    overridden = alertmanager is not None and "config" in (alertmanager.values.get("alertmanager") or {})
    if not overridden and not stack.tests:
        return
    from homelabmon.checks import CHECKS, Context
    from homelabmon.checks.support.check import Problem
    from homelabmon.journey.findings import impossible_tests, unheard
    from homelabmon.journey.running import running_from
    from homelabmon.source import parse, shown

    context = Context(stack, parse(stack_file.read_bytes(), shown(stack_file)))
    checks = {check.id: check for check in CHECKS}
    try:
        running = running_from(stack, plan.folded)
    except RenderError as error:
        place = ("components", "alertmanager", "values")
        yield checks["values-trap"].finding(context, Problem(place, str(error), severity=Severity.ERROR, on_key=True))
        return
    for problem in impossible_tests(running):
        yield checks["impossible-test"].finding(context, problem)
    for problem in unheard(running) if overridden else ():
        yield checks["unheard-alert"].finding(context, problem)


def _values(stack_file: Path, stack: Any, charts: Path) -> Iterator[Finding]:
    """What the charts have against the values that the stack hands them."""
    from homelabmon.checks import Context
    from homelabmon.checks.support.raw import value_trees
    from homelabmon.gitops import chart_values
    from homelabmon.source import parse, shown

    source = parse(stack_file.read_bytes(), shown(stack_file))
    known: dict[str, chart_values.Known | None] = {}
    for component, path, values in value_trees(Context(stack, source)):
        name = _CHARTS[component]
        if name not in known:
            chart = _chart(charts, name)
            known[name] = chart_values.known_values(chart) if chart is not None else None
        chart_knows = known[name]
        if chart_knows is None:
            message = f"the values are not checked: there is no chart {name} in {charts}"
            found = [
                Finding("chart-values", message, f"run: helm pull --untar {name}", path, Severity.INFO, source.name)
            ]
        else:
            found = chart_values.findings(values, chart_knows, place=path, file=source.name)
        for finding in found:
            yield finding._replace(position=source.position(finding.path, key=True))


def _chart(folder: Path, name: str) -> Path | None:
    """The chart of a name: a folder of that name, an archive, or the folder given itself."""
    if (folder / name / "Chart.yaml").is_file():
        return folder / name
    archives = sorted(folder.glob(f"{name}-[0-9v]*.tgz"))
    if archives:
        return archives[-1]
    return folder if folder.name == name and (folder / "Chart.yaml").is_file() else None


def _rules(plan: Plan) -> Iterator[Finding]:
    """Expressions of rendered rules that Prometheus cannot read; the owner's own are judged in the stack."""
    from homelabmon.checks.promql_syntax import promql_flaw
    from homelabmon.checks.support.promql import parse

    for name, groups in plan.folded.rules.items():
        for number, group in enumerate(groups) if name != "own" else ():
            for index, rule in enumerate(group.get("rules", ())):
                text = str(rule.get("expr", ""))
                flaw = promql_flaw(text, parse(text))
                if flaw is not None:
                    message, fix, severity = flaw
                    title = rule.get("alert") or rule.get("record") or "rule"
                    path = ("groups", number, "rules", index, "expr")
                    yield Finding("promql-syntax", f"{title}: {message}", fix, path, severity, f"rules/{name}.yaml")


def _objects(plan: Plan, stack: Any, crds: Sequence[Path]) -> list[Finding]:
    from homelabmon.gitops.validate import validate
    from homelabmon.render.templates import cache_folder

    return validate(
        plan.objects,
        kubernetes=stack.cluster.kubernetes,
        crds=crds,
        substitution=stack.cluster.flux.substitution,
        files=plan.files,
        cache=cache_folder(),
    )


# Printing ------------------------------------------------------------------------------------------


def _print(findings: Sequence[Finding], form: str, stack_file: Path) -> None:
    if form == "json":
        click.echo(as_json(findings))
    elif form == "github":
        for finding in findings:
            click.echo(as_github(finding._replace(file=_in_repository(finding, stack_file))))
    else:
        print_findings(findings)
    if form == "text" and (findings or sys.stdout.isatty()):
        click.echo(_count(findings), err=True)


def _in_repository(finding: Finding, stack_file: Path) -> str:
    """Where GitHub finds a file: findings name stack and templates so; what is rendered lies beside the stack."""
    from homelabmon.source import shown

    if finding.check == "template" or finding.file == shown(stack_file):
        return finding.file
    return shown(stack_file.parent / _RENDERED / finding.file)


def _count(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 warning``."""
    numbers = Counter(finding.severity for finding in findings)
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "remark"}
    parts = [counted(numbers[severity], noun) for severity, noun in nouns.items() if numbers[severity]]
    return ", ".join(parts) or "nothing found"
