"""``homelabmon test``: results for people, for programs, for CI; and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from homelabmon.source import shown
from tests.cli.running import Outcome, cli
from tests.stacks_common import EXAMPLE, GOLDEN


def expect(capsys: pytest.CaptureFixture[str], *arguments: str, stack: Path = EXAMPLE) -> Outcome:
    return cli(capsys, "test", "--stack", str(stack), *arguments)


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    text = EXAMPLE.read_text()
    text = text.replace(
        "alert: {alertname: NodeDown, node: n1, severity: critical}, channel: ops}",
        "alert: {alertname: NodeDown, node: n1, severity: critical}, channel: media}",
    )
    assert text != EXAMPLE.read_text()
    (tmp_path / "stack.yaml").write_text(text)
    return tmp_path / "stack.yaml"


def test_tests_that_pass_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    found = expect(capsys)
    assert found.code == 0
    assert found.out.splitlines()[0] == "ok   one node down"
    assert found.err.endswith(" passed\n")


def test_a_test_that_fails_shows_the_way_taken(capsys: pytest.CaptureFixture[str], failing: Path) -> None:
    found = expect(capsys, "one node down", stack=failing)
    assert found.code == 1
    lines = found.out.splitlines()
    assert lines[:2] == ["FAIL one node down", "     expected #media, but #ops hears"]
    assert lines[2].startswith("       Alertmanager's route infrastructure")
    assert found.err == "1 test: 0 passed, 1 failed\n"


def test_json_holds_every_result(capsys: pytest.CaptureFixture[str], failing: Path) -> None:
    data = json.loads(expect(capsys, "--json", stack=failing).out)
    assert data[0]["passed"] is False
    assert data[0]["wrong"] == ["expected #media, but #ops hears"]
    assert all(one["passed"] for one in data[1:])


def test_a_report_for_ci(capsys: pytest.CaptureFixture[str], failing: Path, tmp_path: Path) -> None:
    expect(capsys, "--junit", str(tmp_path / "report.xml"), stack=failing)
    root = ElementTree.fromstring((tmp_path / "report.xml").read_text())
    (suite,) = root
    assert suite.attrib["failures"] == "1"
    assert int(suite.attrib["tests"]) == len(suite)
    failure = suite[0].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "expected #media, but #ops hears"
    assert "route infrastructure" in (failure.text or "")


def test_the_report_survives_any_text(tmp_path: Path) -> None:
    from homelabmon.cli.junit import report
    from homelabmon.simulation.expectations import Result

    result = Result(0, 'a "<b>" \x00 & \ud800', ("x < y \x1b",), ("]]>",))
    suite = ElementTree.fromstring(report("s", [result]).encode())[0]
    assert suite[0].attrib["name"].startswith('a "<b>"')


def test_a_stack_without_tests_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    stack = GOLDEN / "minimal" / "stack.yaml"
    found = expect(capsys, stack=stack)
    assert (found.code, found.out) == (0, "")
    assert found.err == f"{shown(stack)} has no tests: write some below `tests:`\n"


def test_a_stack_that_cannot_be_read_is_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text("apiVersion: homelabmon/v1\n")
    told = expect(capsys, stack=tmp_path / "stack.yaml")
    assert told.code == 2
    assert told.err.startswith(f"{tmp_path}/stack.yaml:1:1: error: ")
    assert expect(capsys, "nosuch").code == 2


def test_tests_of_routes_alone_load_nothing_that_simulates() -> None:
    program = (
        "import sys\n"
        "from homelabmon.cli import run\n"
        f"code = run(['test', '--stack', {str(EXAMPLE)!r}, 'trading', 'media pod crashes'])\n"
        "assert not [name for name in sys.modules if name.startswith(('homelabmon.routing.timing',"
        " 'homelabmon.simulation.world', 'homelabmon.notifiers.discord'))], sys.modules\n"
        "sys.exit(code)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
