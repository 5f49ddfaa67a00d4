"""How findings are printed: text for people, JSON for programs, workflow commands for GitHub. Shared by commands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import click

from homelabmon.spec.findings import Finding, Severity, format_path, safe

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


MOST_LINES = 100
"""How many findings are printed for people; programs get all of them."""
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def print_findings(findings: Iterable[Finding], *, err: bool = False) -> None:
    """One line a finding; colour only on a terminal. Of very many, the gravest, in their order, and how many more."""
    every = list(findings)
    graver = sorted(range(len(every)), key=lambda number: (_RANKS[every[number].severity], number))
    for finding in [every[number] for number in sorted(graver[:MOST_LINES])]:
        severity = click.style(finding.severity.value, fg=_COLOURS[finding.severity], bold=True)
        place, _, rest = finding.render().partition(": ")
        click.echo(f"{click.style(place, bold=True)}: {severity}: {rest} [{finding.check}]", err=err)
    if len(every) > MOST_LINES:
        left = Counter(every[number].check for number in graver[MOST_LINES:])
        what = ", ".join(f"{count} {check}" for check, count in left.most_common(5))
        more = "" if len(left) <= 5 else ", …"
        click.echo(
            f"and {len(every) - MOST_LINES} more ({what}{more}); all of them: homelabmon check --format json", err=err
        )


def as_json(findings: Sequence[Finding]) -> str:
    """Findings as a JSON list; keys: check, severity, file, line, column, path, message, fix, docs."""
    return json.dumps(
        [
            {
                "check": finding.check,
                "severity": finding.severity.value,
                "file": finding.file,
                "line": finding.position.line if finding.position else None,
                "column": finding.position.column if finding.position else None,
                "path": safe(format_path(finding.path)),
                "message": safe(finding.message),
                "fix": safe(finding.fix),
                "docs": finding.docs,
            }
            for finding in findings
        ],
        indent=2,
        ensure_ascii=False,
    )


def as_github(finding: Finding) -> str:
    """A finding as a GitHub workflow command, which shows it beside the line in a pull request."""
    place = f"file={_escape(finding.file, property_=True)}"
    if finding.position is not None:
        place += f",line={finding.position.line},col={finding.position.column}"
    title = _escape(finding.check, property_=True)
    text = f"{finding.message}; {finding.fix}" if finding.fix else finding.message
    return f"::{_GITHUB[finding.severity]} {place},title={title}::{_escape(safe(text))}"


def _escape(text: str, *, property_: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
