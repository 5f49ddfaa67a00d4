"""The guides say what is so: made pages are current, sessions print what stands there, nothing is left unsaid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from homelabmon import errors
from homelabmon.cli import COMMANDS
from homelabmon.cli.schema import stack_schema
from tests import reference, transcripts
from tests.outside import ROOT

DOCS: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
OURS: Final = ("tutorial", "how-to", "reference")
GUIDES: Final = [README, *(path for part in OURS[:2] for path in sorted((DOCS / part).glob("*.md")))]
SESSIONS: Final = [path for path in GUIDES if transcripts.BLOCK.search(path.read_text(encoding="utf-8"))]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether this run is to write what it makes, as ``make golden`` does."""
    return bool(request.config.getoption("update_snapshots", default=False))


def current(path: Path, made: str, golden: bool) -> None:
    if golden:
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, f"{path.relative_to(ROOT)} is not current: run `make golden`"


@pytest.mark.parametrize("name", reference.PAGES)
def test_made_page_is_current(name: str, golden: bool) -> None:
    current(reference.FOLDER / name, reference.PAGES[name](), golden)


@pytest.mark.parametrize("page", SESSIONS, ids=lambda path: path.name)
def test_sessions_print_what_stands_there(page: Path, golden: bool, tmp_path: Path) -> None:
    current(page, transcripts.replayed(page.read_text(encoding="utf-8"), tmp_path), golden)


def test_readme_and_tutorial_have_sessions() -> None:
    assert README in SESSIONS
    assert [path for path in (DOCS / "tutorial").glob("*.md") if path not in SESSIONS] == []


def test_every_command_is_run_in_a_session_or_named_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"homelabmon {name}" not in text] == []


def test_no_guide_names_a_command_that_is_not_there() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: homelabmon {name}"
        for path in GUIDES
        for name in re.findall(r"(?:^\$ |`)homelabmon ([a-z][a-z-]*)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if name not in COMMANDS
    ]
    assert wrong == []


def test_every_key_of_the_stack_has_its_line_in_the_reference() -> None:
    page = (DOCS / "reference" / "stack.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    schema = stack_schema()
    keys = [key for section in (schema, *schema["$defs"].values()) for key in section.get("properties", {})]
    assert sorted(rows) == sorted(keys)


def test_every_key_of_the_stack_is_described() -> None:
    schema = stack_schema()
    assert [
        f"{name}.{key}"
        for name, section in (("Stack", schema), *schema["$defs"].items())
        for key, value in section.get("properties", {}).items()
        if not value.get("description")
    ] == []


def test_every_module_is_on_the_layout_page() -> None:
    page = (DOCS / "reference" / "layout.md").read_text(encoding="utf-8")
    package = ROOT / "homelabmon"
    modules = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]
    parts = {path.name for path in package.iterdir() if path.is_dir()}
    missing = [name for name in modules if f"| `{name}` |" not in page]
    assert [name for name in missing if name.removesuffix("/__init__.py") not in parts] == []


def test_every_exit_code_is_explained() -> None:
    page = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    codes = [value for name, value in vars(errors).items() if name.startswith("EXIT_")]
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == [str(code) for code in sorted(codes)]


def test_every_page_is_on_the_contents_page() -> None:
    contents = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [path.relative_to(DOCS).as_posix() for part in OURS for path in (DOCS / part).glob("*.md")]
    assert [page for page in pages if f"]({page})" not in contents] == []
