"""What holds for the repository as a whole: its files, its links, and that its guides name what is there."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.outside import ROOT

TOP_LEVEL: Final = {
    # what users read and change
    "README.md",
    "stack.yaml",
    "templates",
    "rendered",
    "docs",
    # the code
    "homelabmon",
    "tests",
    "pyproject.toml",
    "Makefile",
    # around it
    "LICENSE",
    ".ci",
    ".container",
    ".dockerignore",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
}

# Spelled so that this file does not contain what it looks for.
PACKAGE_INDEXES: Final = re.compile(
    "|".join(
        "".join(parts)
        for parts in (
            (r"py", r"pi\.org"),
            (r"python", r"hosted\.org"),
            (r"npm", r"js\.(?:org|com)"),
            (r"(?:deb|security|ftp\S*)\.", r"debian\.org"),
            (r"archive\.", r"ubuntu\.com"),
            (r"proxy\.", r"golang\.org"),
            (r"crates", r"\.io"),
            (r"(?:repo1?\.)?maven", r"\.(?:org|apache\.org)"),
        )
    )
)
MACHINE_PATHS: Final = re.compile(r"(?<![\w.])/(?:wo" + "rk/|ro" + "ot/|tm" + "p/h[0-9])")
TEXT: Final = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".j2", ""}
LEFT_FOR_LATER: Final = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


@cache
def listed(*which: str) -> tuple[Path, ...]:
    """The files of the checkout as ``git ls-files`` lists them."""
    # A checkout that belongs to another user (a container's mount) is none of git's worries here.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *which]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the repository is not known")
    return tuple(path for name in sorted(set(result.stdout.split("\0")) - {""}) if (path := ROOT / name).is_file())


def files() -> tuple[Path, ...]:
    """Every file that git does not ignore, committed or not yet."""
    return listed("--cached", "--others", "--exclude-standard")


@cache
def text(path: Path) -> str:
    """The file's text; nothing for a binary file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def matches(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(text(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_top_level_holds_what_it_should_and_no_more() -> None:
    present, committed = (
        {path.relative_to(ROOT).parts[0] for path in paths} for paths in (files(), listed("--cached"))
    )
    assert (TOP_LEVEL - present, committed - TOP_LEVEL) == (set(), set())


def test_no_file_names_a_package_index() -> None:
    assert matches(PACKAGE_INDEXES) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert matches(MACHINE_PATHS) == []


def test_no_file_names_this_checkout_or_this_home() -> None:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    places = [place for place in (str(ROOT), home) if place.count("/") > 1]
    assert [line for place in places for line in matches(re.compile(rf"{re.escape(place)}(?![\w.-])"))] == []


def test_nothing_is_left_for_later() -> None:
    assert matches(LEFT_FOR_LATER) == []


def test_every_text_file_ends_with_a_newline_and_holds_no_carriage_return() -> None:
    contents = ((str(path.relative_to(ROOT)), text(path)) for path in files() if path.suffix in TEXT)
    assert [name for name, content in contents if content and (not content.endswith("\n") or "\r" in content)] == []


def test_no_file_is_large() -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if path.stat().st_size > 600 * 1024] == []


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in files() if path.match("tests/**/*.py") or path.match("tests/*.py")}
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


LINK: Final = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
FENCE: Final = re.compile(r"^(`{3,}|~{3,}).*?^\1[`~]*\s*$", re.MULTILINE | re.DOTALL)
EXTERNAL: Final = re.compile(r"[a-z][a-z0-9+.-]*:")


def test_every_relative_link_in_markdown_leads_somewhere() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {link}"
        for path in files()
        if path.suffix == ".md"
        for link in links(text(path))
        if not leads_somewhere(path, link)
    ] == []


def links(markdown: str) -> list[str]:
    prose = re.sub(r"`[^`\n]*`", "code", FENCE.sub("", markdown))
    found = (inline or reference for inline, reference in LINK.findall(prose))
    return [link for link in found if not EXTERNAL.match(link)]


def leads_somewhere(page: Path, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.parent / place) if place else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in anchors(text(target))


def anchors(markdown: str) -> set[str]:
    """The anchors that GitHub gives a page's headings, and those it sets itself."""
    headings = re.findall(
        r"^#{1,6}\s+(.*?)\s*#*$", re.sub(r"^(`{3,}).*?^\1\s*$", "", markdown, flags=re.M | re.S), re.M
    )
    slugs: set[str] = set()
    for heading in headings:
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        slugs.add(next(name for name in _numbered(slug) if name not in slugs))
    return slugs | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", markdown))


def _numbered(slug: str) -> list[str]:
    return [slug, *(f"{slug}-{number}" for number in range(1, 100))]


def make_targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_contributing_names_every_make_target() -> None:
    guide = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    assert [target for target in make_targets() if f"`make {target}`" not in guide] == []


def test_contributing_and_ci_name_no_make_target_that_does_not_exist() -> None:
    sources = [
        ROOT / ".github" / "CONTRIBUTING.md",
        ROOT / "README.md",
        ROOT / ".ci" / "run",
        *(ROOT / ".github").rglob("*.yml"),
    ]
    named = {name for path in sources for name in re.findall(r"(?:`|run: |\d )make ([a-z][a-z-]*)", path.read_text())}
    assert named - set(make_targets()) == set()


def test_contributing_shows_where_every_part_of_the_package_lives() -> None:
    guide = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    layout = re.search(r"```text\n(.*?)```", guide, re.DOTALL)
    assert layout is not None
    package = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "homelabmon").iterdir()
        if path.name not in {"__init__.py", "__pycache__", "py.typed"} and (path.is_file() or any(path.glob("*.py")))
    }
    assert sorted(name for name in package if name not in layout[1]) == []


def test_every_pinned_version_is_exact_and_comes_from_no_address() -> None:
    lines = [line for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [page.name.partition("-")[0] for page in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert [number for number in numbers if numbers.count(number) > 1] == []
