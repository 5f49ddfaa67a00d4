"""``homelabmon explain``: what it prints for people and programs, and what it says of wrong input."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.running import Outcome, cli
from tests.stacks_common import EXAMPLE, GOLDEN

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def explain(capsys: Capture, *arguments: str, stack: Path = EXAMPLE) -> Outcome:
    return cli(capsys, "explain", "--stack", str(stack), *arguments)


def told(capsys: Capture, *arguments: str, stack: Path = EXAMPLE) -> str:
    """What is printed where nothing is wrong."""
    outcome = explain(capsys, *arguments, stack=stack)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


# For people --------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "a pack's alert, critical": ["NodeDown"],
    "a chart's alert, by namespace": ["KubePodNotReady", "namespace=media"],
    "a chart's alert without its labels": ["KubePodNotReady"],
    "an own alert": ["NasDown"],
    "an alert of severity info": ["KubeNodePressure"],
    "an alert about the relay": ["RelayDown"],
    "the Watchdog": ["Watchdog"],
    "what is inhibited by depends_on": ["upstream-dns"],
    "Falco": ["source=falco", "rule=Terminal shell in container"],
    "a heartbeat of the outpost": ["nightly-backup"],
    "a heartbeat of a CronJob": ["heartbeat=restic-offsite"],
    "a probe of the outpost": ["ghcr"],
    "a cluster that is silent": ["ClusterSilent"],
    "in a maintenance window": ["NodeDown", "--at", "2026-11-22T03:30+00:00"],
    "outside of a maintenance window": ["NodeDown", "--at", "2026-11-22T05:00+00:00"],
    "from elsewhere": ["Foreign", "team=a", "--unknown"],
}


@pytest.mark.parametrize("title", QUESTIONS)
def test_example(title: str, capsys: Capture, snapshot: SnapshotAssertion) -> None:
    assert told(capsys, *QUESTIONS[title]) == snapshot


@pytest.mark.parametrize(
    ("case", "question"),
    [
        ("no-relay", ["KubePodNotReady", "namespace=media"]),
        ("no-relay", ["KubePodNotReady", "severity=warning"]),
        ("no-relay", ["source=falco"]),
        ("no-relay", ["Watchdog"]),
        ("helm-only", ["InfoInhibitor"]),
        ("everything", ["KubePodCrashLooping", "node=edge-1"]),
        ("everything", ["NodeDown", "node=ceph-1"]),
    ],
)
def test_golden_stack(case: str, question: list[str], capsys: Capture, snapshot: SnapshotAssertion) -> None:
    assert told(capsys, *question, stack=GOLDEN / case / "stack.yaml") == snapshot


@pytest.mark.parametrize("case", ["example", "no-relay", "helm-only", "minimal"])
def test_every_alert(case: str, capsys: Capture, snapshot: SnapshotAssertion) -> None:
    path = EXAMPLE if case == "example" else GOLDEN / case / "stack.yaml"
    assert told(capsys, "--all", stack=path) == snapshot


def test_every_alert_of_a_namespace_goes_where_its_route_leads(capsys: Capture) -> None:
    out = told(capsys, "--all", "namespace=media")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith("  ")}
    assert rows["KubePodNotReady"] == ["KubePodNotReady", "warning", "·", "●", "·", "·", "·"]
    assert rows["KubePodCrashLooping"][-5:] == ["●", "·", "·", "·", "·"]
    assert "NodeDown" not in rows, "it never has a namespace"


def test_no_colours_where_nobody_sees_them(capsys: Capture) -> None:
    assert "\x1b" not in told(capsys, "NodeDown") + told(capsys, "--all")


def test_the_table_adds_up(capsys: Capture) -> None:
    for question in (["NodeDown"], ["KubePodNotReady"], ["ghcr"], ["nightly-backup"], ["source=falco"], ["RelayDown"]):
        (way,) = data(capsys, *question)["ways"]
        steps = way["delay"]["steps"]
        for end in ("best", "worst"):
            assert sum(step[end] for step in steps) == way["delay"][end]
        assert way["delay"]["best"] <= way["delay"]["worst"]


# For programs ------------------------------------------------------------------------------------------------------


def data(capsys: Capture, *arguments: str, stack: Path = EXAMPLE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *arguments, "--json", stack=stack))
    return found


def test_json(capsys: Capture, snapshot: SnapshotAssertion) -> None:
    question = ("KubePodNotReady", "namespace=media", "--at", "2026-11-22T03:30+00:00")
    assert data(capsys, *question) == snapshot(name="one")
    everything = data(capsys, "--all", stack=GOLDEN / "everything" / "stack.yaml")
    assert everything["alerts"][:3] == snapshot(name="all")


def shape(value: object) -> object:
    """A value's keys, however deep, as the documentation has to name them."""
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in shape(item) or ()}  # type: ignore[attr-defined]
    if isinstance(value, list):
        return {key for item in value for key in shape(item) or ()}  # type: ignore[attr-defined]
    return set()


def test_every_key_of_the_json_is_documented(capsys: Capture) -> None:
    page = (EXAMPLE.parent / "docs" / "reference" / "explain.md").read_text()
    labels = {"namespace", "severity", "alertname", "node"}
    keys = shape(data(capsys, "NodeDown", "node=n1", "--at", "2026-11-22T03:30+00:00"))
    keys = keys | shape(data(capsys, "KubePodNotReady"))  # type: ignore[operator]
    keys = keys | shape({**data(capsys, "--all"), "channels": []})
    channels = {"ops", "media", "security", "trading", "science"}
    assert sorted(key for key in keys - labels - channels if f"`{key}`" not in page) == []


# Wrong input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["NodeDwn"],
            "error: no rule defines an alert 'NodeDwn'; did you mean 'NodeDown'? (--unknown: it comes from elsewhere)",
        ),
        (
            ["Zzzz"],
            "error: no rule defines an alert 'Zzzz'; `explain --all` lists them (--unknown: it comes from elsewhere)",
        ),
        (["nightly-bakup"], "error: no rule defines an alert 'nightly-bakup'; did you mean 'nightly-backup'?"),
        (["KubeProxyDown"], "error: the alert KubeProxyDown never fires here: kubeProxy is not scraped here"),
        ([], "error: which alert? Name one, or give the labels of one: explain NodeDown, explain source=falco"),
        (["NodeDown", "alertname=Other"], "error: two names: 'NodeDown' and alertname=Other; write one of them"),
        (["NodeDown", "node"], "Error: 'node' is no label: write label=value, such as namespace=media"),
        (["NodeDown", "=n1"], "Error: '=n1' is no label: write label=value, such as namespace=media"),
        (["NodeDown", "node!=n1"], "Error: 'node!=n1' is a matcher: an alert has values, so write label=value"),
        (["NodeDown", "node=~n.*"], "Error: 'node=~n.*' is a matcher: an alert has values, so write label=value"),
        (["NodeDown", "node=a", "node=b"], "Error: two values for 'node': 'a' and 'b'"),
        (["NodeDown", "--at", "noon"], "Error: --at 'noon' is no time: write for example \"2026-11-22 03:30\""),
        (["NodeDown", "--all"], "Error: --all is about every alert: leave out the name and --at, or leave out --all"),
    ],
)
def test_wrong_use_ends_with_2_and_a_way_out(arguments: list[str], message: str, capsys: Capture) -> None:
    outcome = explain(capsys, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        (
            ["NodeDown", "nod=n1"],
            "NodeDown never carries the label 'nod'; did you mean 'node'?",
        ),
        (
            ["NodeDown", "zone=a"],
            "NodeDown never carries the label 'zone'; it has: node, prometheus, severity",
        ),
        (["NodeDown", "severity=info"], "NodeDown has severity=critical, never info: explained as asked"),
        (
            ["NodeFilesystemAlmostOutOfSpace", "severity=info"],
            "NodeFilesystemAlmostOutOfSpace has severity=critical or warning, never info: explained as asked",
        ),
        (
            ["KubePodCrashLooping", "namespce=media"],
            "no route asks for the label 'namespce'; did you mean 'namespace'?",
        ),
    ],
)
def test_labels_that_cannot_be_are_warned_of(arguments: list[str], warning: str, capsys: Capture) -> None:
    outcome = explain(capsys, *arguments)
    assert (outcome.code, outcome.err) == (0, f"warning: {warning}\n")
    assert outcome.out


def test_external_labels_are_no_strangers(capsys: Capture, tmp_path: Path) -> None:
    values = "{prometheus: {prometheusSpec: {externalLabels: {cluster: home}}}}"
    text = EXAMPLE.read_text().replace("storage: 50Gi}", f"storage: 50Gi, values: {values}}}")
    (tmp_path / "stack.yaml").write_text(text)
    assert explain(capsys, "NodeDown", "cluster=home", stack=tmp_path / "stack.yaml").err == ""


def test_a_stack_that_does_not_fit_the_schema_is_said(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(EXAMPLE.read_text().replace("channel: media\n", "channnel: media\n"))
    outcome = explain(capsys, "NodeDown", stack=tmp_path / "stack.yaml")
    assert outcome.code == 2
    assert re.match(rf"{tmp_path}/stack\.yaml:\d+:\d+: error: .*channnel", outcome.err)


def test_a_channel_that_is_not_there_is_said(capsys: Capture, tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("    channel: trading\n", "    channel: tradingg\n")
    (tmp_path / "stack.yaml").write_text(text)
    out = told(capsys, "TradingBotStale", "namespace=trading", stack=tmp_path / "stack.yaml")
    assert "There is no channel 'tradingg': nobody hears." in out


def test_heartbeats_probes_and_their_alerts_are_the_same_question(capsys: Capture) -> None:
    by_name = told(capsys, "nightly-backup")
    for question in (
        ["heartbeat=nightly-backup"],
        ["HeartbeatMissed", "heartbeat=nightly-backup"],
        ["--source", "heartbeat", "heartbeat=nightly-backup"],
    ):
        assert told(capsys, *question).splitlines()[0] == by_name.splitlines()[0]
    inside, outside = told(capsys, "upstream-dns"), told(capsys, "upstream-dns", "--source", "probe")
    assert "pack probes" in inside
    assert "the outpost asks" in outside


def test_a_silent_cluster_is_told_where_the_outpost_speaks_whatever_the_routes_say(
    tmp_path: Path, capsys: Capture
) -> None:
    text = EXAMPLE.read_text().replace("  channel: ops\n  silence: 5m", "  channel: science\n  silence: 10m")
    (tmp_path / "stack.yaml").write_text(text)
    first, *_ = told(capsys, "ClusterSilent", stack=tmp_path / "stack.yaml").splitlines()
    assert first == "ClusterSilent is told in #science, 9m1s to 10m5s after the cluster falls silent."
    outcome = explain(capsys, "ClusterSilent", stack=GOLDEN / "minimal" / "stack.yaml")
    assert outcome.err.startswith("error: no rule defines an alert 'ClusterSilent'")


def test_the_times_are_those_of_the_stack(capsys: Capture) -> None:
    (way,) = data(capsys, "KubePodNotReady", stack=GOLDEN / "no-relay" / "stack.yaml")["ways"]
    named = {step["step"]: timedelta(seconds=step["worst"]) for step in way["delay"]["steps"]}
    assert named == {
        "scrape": timedelta(seconds=30),
        "evaluation": timedelta(seconds=30),
        "for": timedelta(minutes=15),
        "group_wait": timedelta(minutes=1),
        "replica": timedelta(seconds=15),
        "delivery": timedelta(seconds=2),
    }
