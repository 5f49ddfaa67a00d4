"""``homelabmon graph``: a view in a format, to standard output or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelabmon.cli import run
from homelabmon.load import load
from homelabmon.render.graph import graph
from homelabmon.render.plan import make_plan
from tests.stacks_common import GOLDEN

STACK = GOLDEN / "everything" / "stack.yaml"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def draw(*arguments: str) -> int:
    return run(["graph", "--stack", str(STACK), *arguments])


def test_everything_as_mermaid_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw() == 0
    stack = load(STACK)
    assert capsys.readouterr() == (graph(stack, make_plan(stack).folded), "")


@pytest.mark.parametrize("view", ["components", "alerts", "logs", "depends"])
def test_view_is_what_is_drawn(view: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert draw("--view", view) == 0
    assert capsys.readouterr().out.startswith("flowchart ")


def test_dot_is_printed_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw("--format", "dot") == 0
    assert capsys.readouterr().out.startswith("digraph homelabmon {\n")


@pytest.mark.parametrize(
    ("name", "start"), [("a.mmd", "flowchart"), ("a.md", "flowchart"), ("a.dot", "digraph"), ("a.gv", "digraph")]
)
def test_ending_of_the_file_decides_the_format(tmp_path: Path, name: str, start: str) -> None:
    assert draw("--output", str(tmp_path / name)) == 0
    assert (tmp_path / name).read_text().startswith(start)


def test_format_that_is_asked_for_beats_the_ending(tmp_path: Path) -> None:
    assert draw("--output", str(tmp_path / "a.dot"), "--format", "mermaid") == 0
    assert (tmp_path / "a.dot").read_text().startswith("flowchart")


@pytest.mark.program("dot")
def test_svg_is_drawn_by_graphviz(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert draw("--output", str(tmp_path / "a.svg")) == 0
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert draw("--format", "svg") == 0
    assert capsysbinary.readouterr().out == (tmp_path / "a.svg").read_bytes()


def test_svg_without_graphviz_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw("--format", "svg") == 2
    assert "install Graphviz (apt-get install graphviz)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.png", "a.jpeg", "a.html"])
def test_ending_that_no_format_has_is_wrong_use_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    assert draw("--output", str(path)) == 2
    assert not path.exists()
    said = " ".join(capsys.readouterr().err.split())
    assert f"there are no {path.suffix} pictures; write a name with .mmd or .md (Mermaid)" in said
    assert ".svg (which needs Graphviz)" in said
