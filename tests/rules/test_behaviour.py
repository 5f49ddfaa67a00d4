"""Every rule is run: promtool unit tests, ``<rendering>.test.yaml`` beside this file.

``runbook_url`` is left out of their expected annotations and added here, since it says nothing that the alert's name
does not.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules.packs import ALL_ALERTS, RENDERINGS, RUNBOOKS, render

TEST_FILES = sorted(Path(__file__).parent.glob("*.test.yaml"))


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for path in TEST_FILES:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                (fires if check["exp_alerts"] else silent).add(check["alertname"])
    ours = {rule["alert"] for _, rule in ALL_ALERTS}
    assert ours - fires == set()
    assert ours - silent == set()


@pytest.mark.program("promtool")
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_promtool_accepts_the_rules(rendering: str, tmp_path: Path) -> None:
    path = tmp_path / f"{rendering}.yaml"
    path.write_text(render(rendering))
    result = promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.program("promtool")
@pytest.mark.parametrize("path", TEST_FILES, ids=[path.name.removesuffix(".test.yaml") for path in TEST_FILES])
def test_rules_behave(path: Path, tmp_path: Path) -> None:
    rendering = path.name.removesuffix(".test.yaml")
    (tmp_path / f"{rendering}.yaml").write_text(render(rendering))
    suite = yaml.safe_load(path.read_text())
    for expected in expected_alerts(suite):
        expected["exp_annotations"]["runbook_url"] = f"{RUNBOOKS}/{expected.pop('alertname')}.md"
    suite["rule_files"] = [f"{rendering}.yaml"]
    suite.setdefault("evaluation_interval", "30s")
    prepared = tmp_path / path.name
    prepared.write_text(yaml.safe_dump(suite, sort_keys=False))
    result = promtool("test", "rules", str(prepared))
    assert result.returncode == 0, result.stdout + result.stderr


def expected_alerts(suite: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alerts that a suite expects, each with its name beside it."""
    for case in suite["tests"]:
        for check in case["alert_rule_test"]:
            for expected in check["exp_alerts"]:
                expected["alertname"] = check["alertname"]
                yield expected


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
