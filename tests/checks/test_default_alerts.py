"""The facts about alerts that exist already are those of the real chart and of our own packs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelabmon.components.default_alerts import (
    chart_version,
    default_alerts,
    default_alerts_by_name,
    pack_alerts,
)
from homelabmon.components.kps import CHART
from homelabmon.spec.base import parse_duration
from homelabmon.spec.packs import Packs
from tests.outside import ROOT

DATA = ROOT / "homelabmon" / "components" / "data"


def compact(facts: dict[str, Any]) -> str:
    """The facts as our data file holds them: one alert a line; no expression and no sentence of the chart's."""
    sets = sorted({tuple(alert["labels"]) for alert in facts["alerts"]})
    rows = [row(alert, sets) for alert in facts["alerts"]]
    source = {
        "chart": facts["source"]["chart"],
        "version": facts["source"]["version"],
        "how": facts["source"]["how"],
        "licence": "names and numbers from prometheus-community/helm-charts, Apache-2.0",
    }
    lines = ["{", f'"source": {json.dumps(source)},', '"label_sets": [']
    lines += [",\n".join(json.dumps(labels) for labels in sets), "],", '"alerts": [']
    lines += [",\n".join(json.dumps(entry) for entry in sorted(rows, key=rank)), "]", "}"]
    return "\n".join(lines) + "\n"


def rank(entry: dict[str, Any]) -> tuple[str, str, int]:
    return entry["alert"], entry["severity"], entry["for"]


def row(alert: dict[str, Any], sets: list[tuple[str, ...]]) -> dict[str, Any]:
    pends = parse_duration(alert["for"])
    (switch,) = alert["rule_group_switch"]
    optional = {
        "exact": alert["labels_exact"],
        "static": alert.get("static_labels"),
        "exporter": alert.get("exporter_labels"),
        "needs": [need.removesuffix(".enabled") for need in alert["needs"]],
    }
    return {
        "alert": alert["alert"],
        "severity": alert["severity"],
        "for": int(pends.total_seconds()),  # type: ignore[attr-defined]
        "group": alert["group"],
        "labels": sets.index(tuple(alert["labels"])),
        "switch": switch.removeprefix("defaultRules.rules."),
        **{key: value for key, value in optional.items() if value},
    }


@pytest.mark.shared
def test_default_alerts_are_those_of_the_real_chart(shared_data: Path, request: pytest.FixtureRequest) -> None:
    wanted = compact(yaml.safe_load((shared_data / "default-alerts.yaml").read_text()))
    if request.config.getoption("update_snapshots", default=False):
        (DATA / "default_alerts.json").write_text(wanted)
    assert (DATA / "default_alerts.json").read_text() == wanted


def defined_in_templates() -> dict[str, list[str]]:
    found = {}
    for path in sorted((ROOT / "templates" / "packs").glob("*.yaml.j2")):
        alerts = re.findall(r"^\s*- alert: (\w+)$", path.read_text(), re.MULTILINE)
        if alerts:
            found[path.name.removesuffix(".yaml.j2")] = list(dict.fromkeys(alerts))
    return found


def test_pack_alerts_are_those_of_the_templates(request: pytest.FixtureRequest) -> None:
    packs = defined_in_templates()
    lines = ",\n".join(f"  {json.dumps(pack)}: {json.dumps(alerts)}" for pack, alerts in packs.items())
    wanted = f'{{"packs": {{\n{lines}\n}}}}\n'
    if request.config.getoption("update_snapshots", default=False):
        (DATA / "pack_alerts.json").write_text(wanted)
    assert (DATA / "pack_alerts.json").read_text() == wanted


def test_every_pack_of_the_stack_has_its_alerts() -> None:
    assert {name.replace("_", "-") for name in Packs.model_fields} == set(pack_alerts())


def test_the_facts_belong_to_the_chart_version_that_is_rendered() -> None:
    assert chart_version() == CHART.version


def test_an_alert_with_two_severities_is_there_twice() -> None:
    found = default_alerts_by_name()["NodeFilesystemAlmostOutOfSpace"]
    assert [alert.severity for alert in found] == ["critical", "warning"]
    assert {alert.for_seconds for alert in found} == {1800}


def test_an_alert_of_the_control_plane_names_what_it_needs() -> None:
    (alert,) = default_alerts_by_name()["KubeSchedulerDown"]
    assert (alert.needs, alert.switch, alert.severity) == (("kubeScheduler",), "kubeSchedulerAlerting", "critical")


def test_nothing_holds_an_expression_or_a_sentence() -> None:
    names = {alert.name for alert in default_alerts()}
    assert len(names) > 100
    for path in DATA.glob("*.json"):
        assert not re.search(r'"(?:expr|summary|description|runbook_url)"', path.read_text())
