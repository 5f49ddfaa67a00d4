"""Every check against its cases: text files with a piece of a stack and exactly what the check says about it.

``=== title`` begins a case, ``---`` ends its piece, and below it stands what is said; nothing means silence.
``pytest --snapshot-update`` writes what is said now: read the diff.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from homelabmon.checks import CHECKS
from tests.checks.examples import said

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    check: str
    title: str
    piece: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.check}: {self.title}"


def read(path: Path) -> list[Case]:
    cases = []
    for text in path.read_text().split("=== ")[1:]:
        title, _, rest = text.partition("\n")
        piece, _, lines = rest.partition("---\n")
        cases.append(Case(path.stem, title, piece, tuple(lines.splitlines())))
    return cases


CASES = [case for path in sorted(FOLDER.glob("*.txt")) for case in read(path)]


@pytest.fixture(scope="module", autouse=True)
def rewritten(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots", default=False):
        for path in FOLDER.glob("*.txt"):
            texts = ["\n".join([f"=== {c.title}", c.piece + "---", *said(c.piece, c.check), ""]) for c in read(path)]
            path.write_text("".join(texts))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots", default=False):
        pytest.skip("written anew")
    assert said(case.piece, case.check) == list(case.lines)


def test_every_check_has_cases_in_which_it_speaks_and_cases_in_which_it_is_silent() -> None:
    speaking = {case.check for case in CASES if case.lines}
    silent = {case.check for case in CASES if not case.lines}
    ids = {check.id for check in CHECKS}
    assert (speaking, silent) == (ids, ids)


def test_titles_are_unique() -> None:
    titles = [str(case) for case in CASES]
    assert sorted(titles) == sorted(set(titles))
