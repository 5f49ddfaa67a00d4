"""Every finding has a page, and the example on it says what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelabmon.checks import CHECKS
from homelabmon.cli.check import all_findings
from homelabmon.gitops.validate import CHECKS as OBJECT_CHECKS
from homelabmon.spec import names
from homelabmon.spec.findings import Finding
from tests.checks.examples import line, said, whole
from tests.outside import ROOT

FOLDER = ROOT / "docs" / "reference" / "checks"
OTHERS = {
    "yaml": "The file is no YAML that a stack can be read from.",
    "schema": "A key, value or type that a stack does not have.",
    "unreadable": "The file cannot be opened.",
    "template": "A template of yours cannot be rendered, or replaces none of ours.",
    "chart-values": "A value that the chart does not know (with `--charts`).",
}
"""What is found outside of checks: by whoever reads the file, renders it, or looks into charts."""
RENDERED = {check: f"{about[0].upper()}{about[1:]}." for check, about in OBJECT_CHECKS.items()}
PAGES = {check.id: check.about for check in CHECKS} | OTHERS | RENDERED
SOURCES = ("homelabmon/checks", "homelabmon/gitops", "homelabmon/cli", "homelabmon/wording.py", "homelabmon/source.py")


def text(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


def index() -> str:
    """The contents page, made from the checks."""
    stack = [f"| [{check.id}]({check.id}.md) | {check.severity.value} | {check.about} |" for check in CHECKS]
    others = [f"| [{page}]({page}.md) | {about} |" for page, about in {**OTHERS, **RENDERED}.items()]
    return "\n".join(
        [
            "# Findings",
            "",
            "Everything that `homelabmon check` can find. Each finding ends with its id in brackets; its page says",
            "why it matters and what to write instead. An error stops `homelabmon render`; errors and warnings make",
            "`homelabmon check` exit 1; an info is a remark. A finding goes away when its cause does: there is no list",
            "of findings to ignore.",
            "",
            "## About the stack",
            "",
            "| id | severity | finds |",
            "| --- | --- | --- |",
            *stack,
            "",
            "## About the file, and what it renders to",
            "",
            "| id | finds |",
            "| --- | --- |",
            *others,
            "",
        ]
    )


def test_the_contents_page_is_current(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots", default=False):
        (FOLDER / "README.md").write_text(index(), encoding="utf-8")
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == index()


def test_every_finding_has_a_page_and_every_page_a_finding() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted([*PAGES, "README"])


def test_every_id_in_the_source_has_a_page() -> None:
    files = [
        path
        for place in SOURCES
        for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    said_there = {
        name
        for path in files
        for name in re.findall(r"(?:\bFinding|\.finding)\(\s*\"([a-z-]+)\"", path.read_text(encoding="utf-8"))
    }
    assert said_there >= {"schema", "yaml", "object"}
    assert said_there - set(PAGES) == set()


def test_a_finding_links_to_its_page() -> None:
    assert Finding("unknown-channel", "").docs == f"{names.CHECKS_URL}/unknown-channel.md"
    assert names.CHECKS_URL.endswith(f"/{FOLDER.relative_to(ROOT).as_posix()}")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_parts(page: str) -> None:
    lines = text(page).splitlines()
    assert lines[0] == f"# {page}"
    assert lines[2].startswith("**Severity:** ")
    assert [found for found in lines if found.startswith("## ")][:2] == ["## Why it matters", "## Example"]
    assert blocks(page, "text")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_page_names_the_severity_first_that_is_usual(check: object) -> None:
    assert text(check.id).splitlines()[2].startswith(f"**Severity:** {check.severity.value}")  # type: ignore[attr-defined]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_example_says_what_the_page_shows(check: object) -> None:
    page: str = check.id  # type: ignore[attr-defined]
    bad, good = blocks(page, "yaml")
    assert said(bad, page, "schema") == blocks(page, "text")[0].splitlines()
    assert said(good, page, "schema") == []
    assert [found for found in said(good) if ": error: " in found] == []


@pytest.mark.parametrize("page", ["schema", *(page for page in RENDERED if blocks(page, "yaml"))])
def test_the_example_of_what_is_rendered_says_what_the_page_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bad, good = blocks(page, "yaml")
    assert by_command(bad, page, tmp_path) == blocks(page, "text")[0].splitlines()
    assert by_command(good, page, tmp_path) == []


def by_command(piece: str, check: str, folder: Path) -> list[str]:
    stack = folder / "stack.yaml"
    stack.write_text(whole(piece))
    return [line(finding) for finding in all_findings(stack, (), None, None) if finding.check == check]
