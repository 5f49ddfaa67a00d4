"""The rule packs: rendered, parsed, and checked for what every alert owes its reader."""

import json
import re
from typing import Any

import promql_parser
import pytest
import yaml

from homelabmon.spec import names
from homelabmon.spec.packs import Packs
from tests.outside import SHARED_DATA
from tests.rules.kept_labels import kept_labels
from tests.rules.packs import (
    ALL_ALERTS,
    EXTRA,
    JOBS,
    PACKS,
    PACKS_DIR,
    RENDERINGS,
    RUNBOOKS,
    RUNBOOKS_DIR,
    VARIANTS,
    alerts,
    awkward,
    documented_options,
    environment,
    render,
    rules,
)

each_alert = pytest.mark.parametrize(
    ("rendering", "rule"), ALL_ALERTS, ids=[f"{rendering}-{rule['alert']}" for rendering, rule in ALL_ALERTS]
)


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_pack_renders_one_document_of_groups(rendering: str) -> None:
    text = render(rendering)
    assert list(yaml.safe_load(text)) == ["groups"]
    assert "${" not in text, "Flux would take it for a variable of its own"
    assert text == render(rendering), "same input, same bytes"
    assert text.endswith("\n")


@pytest.mark.parametrize("rendering", ["load-balancer-none", "logs-none", "probes-none"])
def test_pack_with_nothing_to_watch_has_no_rules(rendering: str) -> None:
    assert yaml.safe_load(render(rendering)) == {"groups": []}


@pytest.mark.parametrize(("rendering", "other"), [("logs-loki", "vector"), ("logs-vector", "loki")])
def test_rules_of_a_missing_component_are_not_rendered(rendering: str, other: str) -> None:
    assert not [rule["alert"] for rule in alerts(rendering) if rule["alert"].lower().startswith(other)]
    assert alerts(rendering)


@pytest.mark.parametrize("pack", PACKS)
def test_every_option_a_template_reads_is_documented_at_its_head_and_the_other_way_round(pack: str) -> None:
    source = (PACKS_DIR / f"{pack}.yaml.j2").read_text()
    assert set(re.findall(r"\bpack\.(\w+)", source)) == set(documented_options(pack))


@pytest.mark.parametrize("pack", PACKS)
def test_options_and_their_defaults_are_those_of_the_stack(pack: str) -> None:
    options = getattr(Packs(), pack.replace("-", "_")).params()
    assert {name: options[name] for name in options.keys() - {"enabled", "disabled"}} == documented_options(pack)


@pytest.mark.parametrize("pack", PACKS)
def test_options_reach_the_rules(pack: str) -> None:
    """Each option is changed alone; a default that is a literal in the template would go unnoticed otherwise."""
    for name, default in documented_options(pack).items():
        changed = default + 61 if isinstance(default, int) else "changed"
        assert render(pack, **{name: changed}) != render(pack), f"{pack}.{name} changes nothing"


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_every_expression_parses(rendering: str) -> None:
    for rule in rules(rendering):
        promql_parser.parse(rule["expr"])


@pytest.mark.parametrize("pack", PACKS)
def test_awkward_values_of_a_stack_stay_inside_their_strings(pack: str) -> None:
    """Values with quotes, colons and backslashes must break neither the YAML nor the PromQL."""
    text = (
        environment()
        .get_template(f"{pack}.yaml.j2")
        .render(
            runbooks=RUNBOOKS,
            jobs=awkward(JOBS),
            pack=awkward(documented_options(pack)),
            **(awkward(EXTRA.get(pack, {})) | ({"lb_provider": "metallb"} if pack == "load-balancer" else {})),
        )
    )
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            promql_parser.parse(rule["expr"])


@each_alert
def test_alert_has_what_its_reader_needs(rendering: str, rule: dict[str, Any]) -> None:
    annotations = rule["annotations"]
    assert list(annotations) == ["summary", "description", "runbook_url"]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert "\n" not in annotations["summary"]
    assert len(annotations["summary"]) <= 140
    assert "$value" not in annotations["summary"], "a summary that changes is a message that is edited all the time"
    assert "\n" not in annotations["description"]
    assert annotations["runbook_url"] == f"{RUNBOOKS}/{rule['alert']}.md"
    assert (RUNBOOKS_DIR / f"{rule['alert']}.md").is_file()


@each_alert
def test_annotations_use_only_labels_that_the_expression_keeps(rendering: str, rule: dict[str, Any]) -> None:
    """Labels that the rule itself adds do not count: Prometheus does not show them to annotations."""
    read = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert read <= kept_labels(rule["expr"])


@each_alert
def test_expression_aggregates_the_labels_of_exporters_away(rendering: str, rule: dict[str, Any]) -> None:
    """Series of kube-state-metrics carry its own pod and instance; an alert must not change when it restarts."""
    assert kept_labels(rule["expr"]).isdisjoint({"instance", "endpoint"})


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_relay_and_outpost_alerts_carry_their_component_and_no_others_do(rendering: str) -> None:
    pack = VARIANTS[rendering][0] if rendering in VARIANTS else rendering
    expected = pack if pack in {"relay", "outpost"} else None
    assert {rule["labels"].get(names.LABEL_COMPONENT) for rule in alerts(rendering)} <= {expected}


def test_recording_rules_have_the_names_that_the_package_knows() -> None:
    recorded = {rule["record"] for pack in PACKS for rule in rules(pack) if "record" in rule}
    assert recorded == {names.RECORD_SERVICE_ENDPOINTS, names.RECORD_SERVICE_READY_ENDPOINTS}


def test_relay_and_outpost_metrics_have_the_names_that_the_package_emits() -> None:
    emitted = {value for name, value in vars(names).items() if name.startswith("METRIC_")}
    for pack in ("relay", "outpost"):
        used = set(re.findall(r"\b(?:homelabmon|outpost)_\w+", "".join(rule["expr"] for rule in rules(pack))))
        assert used
        assert used <= emitted


def test_an_alert_has_one_severity_unless_the_owner_chooses_it() -> None:
    """The chart inhibits a warning by a critical alert of the same name and namespace, whatever else differs."""
    severities: dict[str, set[str]] = {}
    for _, rule in ALL_ALERTS:
        severities.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    assert {name for name, found in severities.items() if len(found) > 1} == {"ProbeDown"}


def test_alert_and_group_names_are_unique_across_packs() -> None:
    owners: dict[str, set[str]] = {}
    groups: list[str] = []
    for pack in PACKS:
        for rule in alerts(pack):
            owners.setdefault(rule["alert"], set()).add(pack)
        groups += [group["name"] for group in yaml.safe_load(render(pack))["groups"]]
    assert {name: packs for name, packs in owners.items() if len(packs) > 1} == {}
    assert len(groups) == len(set(groups))


@pytest.mark.shared
def test_alert_names_are_not_those_of_the_chart() -> None:
    shipped = yaml.safe_load((SHARED_DATA / "default-alerts.yaml").read_text())
    ours = {rule["alert"] for pack in PACKS for rule in alerts(pack)}
    assert ours.isdisjoint(alert["alert"] for alert in shipped["alerts"])
    assert {"NodeDown", "MemoryPressure"} <= ours, "the chart has neither, and routes are written for both"
