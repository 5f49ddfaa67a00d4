"""What ``check`` finds once everything is rendered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from homelabmon.journey.findings import impossible_tests, unheard
from tests.checks.examples import whole
from tests.cli.running import cli
from tests.journey.test_running import running_of

COMPONENTS: dict[str, Any] = {"prometheus": {}, "alertmanager": {}}


def about(*alerts: dict[str, str], **components: Any) -> list[str]:
    tests = [{"alert": alert, "channel": "ops"} for alert in alerts]
    found = running_of(components={**COMPONENTS, **components}, tests=tests)
    return [problem.message for problem in impossible_tests(found)]


def test_about_a_packs_alert_must_fit_its_rule() -> None:
    assert about({"alertname": "NodeDown", "severity": "warning", "namespace": "a"}) == [
        "NodeDown has severity critical, never warning",
        "NodeDown never carries the label 'namespace'",
    ]
    assert about({"alertname": "NodeDown", "severity": "critical", "node": "n1", "prometheus": "m/p"}) == []


def test_alerts_of_others_are_not_judged_here() -> None:
    assert about({"alertname": "KubeAPIDown", "node": "a"}, {"alertname": "Unknown", "x": "a"}, {"x": "a"}) == []
    assert about({"alertname": "NodeDown", "source": "event", "x": "a"}) == []


def test_a_name_that_raw_values_define_as_well_is_not_judged() -> None:
    groups = {"groups": [{"name": "g", "rules": [{"alert": "NodeDown", "expr": "up"}]}]}
    prometheus = {"values": {"additionalPrometheusRulesMap": {"x": groups}}}
    assert about({"alertname": "NodeDown", "severity": "info", "x": "a"}, prometheus=prometheus) == []


def test_values_that_lead_alerts_to_nobody_are_found() -> None:
    route = {"receiver": "null", "routes": [{"receiver": "discord-ops", "matchers": ['namespace="media"']}]}
    values = {"alertmanager": {"config": {"route": route}}}
    (problem,) = unheard(running_of(components={**COMPONENTS, "alertmanager": {"values": values}}))
    assert problem.path == ("components", "alertmanager", "values")
    assert problem.message.startswith("with these values nobody hears of NodeDown, NodeNotBackAfterMaintenance, ")
    assert "KubePodNotReady" not in problem.message, "it may have that namespace"


def test_no_alert_of_a_stack_without_such_values_is_unheard() -> None:
    assert list(unheard(running_of(components=COMPONENTS))) == []
    assert list(unheard(running_of(components={**COMPONENTS, "relay": {}}))) == []


CHECKED = """
tests: [{alert: {alertname: NodeDown, nod: n1}, channel: ops}]
components:
  prometheus: {}
  alertmanager: {values: {alertmanager: {config: {route: {receiver: RECEIVER, routes: []}}}}}
"""


@pytest.mark.parametrize(
    ("receiver", "said"),
    [
        (
            "'null'",
            [
                "stack.yaml:2:39: warning: tests[0].alert.nod: NodeDown never carries the label 'nod';"
                " did you mean 'node'? [impossible-test]",
                "stack.yaml:5:18: error: components.alertmanager.values: with these values nobody hears of NodeDown,"
                " NodeNotBackAfterMaintenance, NodeRebootedUnexpectedly, MemoryPressure, DiskPressure and more:"
                " their routes lead to nobody; give their route a receiver [unheard-alert]",
            ],
        ),
        (
            "gone",
            [
                "stack.yaml:5:18: error: components.alertmanager.values: Alertmanager would refuse its configuration"
                " with these values: a route names the receiver 'gone', which is not there [values-trap]"
            ],
        ),
        (
            "discord-ops",
            [
                "stack.yaml:2:39: warning: tests[0].alert.nod: NodeDown never carries the label 'nod';"
                " did you mean 'node'? [impossible-test]"
            ],
        ),
    ],
)
def test_check_says_it_with_the_place(
    receiver: str,
    said: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack.yaml").write_text(whole(CHECKED.replace("RECEIVER", receiver)))
    outcome = cli(capsys, "check", "--stack", str(tmp_path / "stack.yaml"))
    ours = ("[impossible-test]", "[unheard-alert]", "[values-trap]")
    found = [line for line in outcome.out.splitlines() if line.endswith(ours) and "Helm replaces lists" not in line]
    assert (outcome.code, sorted(re.sub(r"and \d+ more", "and more", line) for line in found)) == (1, said)
