"""``homelabmon docs``: the page that ``render`` writes, and nothing else on standard output."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelabmon.cli import run
from homelabmon.load import load
from homelabmon.render.plan import make_plan
from tests.stacks_common import GOLDEN

STACK = GOLDEN / "everything" / "stack.yaml"
BROKEN = """\
apiVersion: homelabmon/v1
name: home
cluster: {distribution: k3s}
components: {}
channels: {ops: {discord: {webhook: {secret: hooks, key: ops}}}}
defaults: {channel: opps}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def page() -> str:
    return make_plan(load(STACK)).files["docs/monitoring.md"]


def test_page_is_the_one_that_render_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs", "--stack", str(STACK)]) == 0
    assert capsys.readouterr() == (page(), "")


def test_page_goes_into_a_file_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs", "--stack", str(STACK), "--output", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text() == page()
    assert capsys.readouterr() == ("", "")


def test_stack_with_an_error_gives_findings_and_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stack.yaml").write_text(BROKEN)
    assert run(["docs", "--stack", str(tmp_path / "stack.yaml"), "--output", str(tmp_path / "page.md")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "stack.yaml:6:21: error: defaults.channel:" in err
    assert not (tmp_path / "page.md").exists()


def test_stack_that_cannot_be_read_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stack.yaml").write_text(BROKEN.replace("name: home\n", ""))
    assert run(["docs", "--stack", str(tmp_path / "stack.yaml")]) == 2
    assert "the key 'name' is missing" in capsys.readouterr().err


def test_missing_stack_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs", "--stack", str(tmp_path / "none.yaml")]) == 2
    assert "no such file; `homelabmon init` writes one" in capsys.readouterr().err
