"""The command line goes without pydantic's plugins; whoever imports the package has theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.outside import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "stack.yaml"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which a plugin is installed that says so when it is loaded."""
    told = "import os; os.write(1, b'a plugin was loaded ')\ndef new_schema_validator(*_): return None, None, None\n"
    (tmp_path / "plugin_for_tests.py").write_text(told)
    (metadata := tmp_path / "plugin_for_tests-1.0.dist-info").mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin-for-tests\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pydantic]\ntold = plugin_for_tests\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def run(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_no_plugin_of_pydantics_sees_what_a_command_reads(installed: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "rendered")
    rendering = ("-m", "homelabmon", "render", "--quiet", "--stack", str(EXAMPLE), "--out", out)
    assert run(installed, *rendering) == ""
    assert (tmp_path / "rendered").is_dir()


def test_whoever_imports_the_package_has_their_plugins(installed: dict[str, str]) -> None:
    code = "import sys; from pathlib import Path; from homelabmon.load import load; load(Path(sys.argv[1]))"
    assert run(installed, "-c", code, str(EXAMPLE)) == "a plugin was loaded "


def test_programs_that_a_command_starts_have_theirs() -> None:
    code = (
        "import os; from homelabmon.cli.no_plugins import go_without_plugins as go; before = dict(os.environ); go();"
        " print(before == dict(os.environ))"
    )
    assert run({**os.environ}, "-c", code) == "True\n"


def test_a_pydantic_that_asks_its_loader_for_more_gets_it(installed: dict[str, str]) -> None:
    code = (
        "from homelabmon.cli.no_plugins import go_without_plugins as go; go();"
        " from pydantic.plugin._loader import get_plugins, entry_points as others;"
        " print(list(get_plugins()), others.__name__)"
    )
    assert run(installed, "-c", code) == "[] entry_points\n"
