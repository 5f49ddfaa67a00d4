"""``homelabmon simulate``: what is printed, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Outcome, cli
from tests.simulation import histories
from tests.stacks_common import EXAMPLE, GOLDEN, ROOT

FLAPPING = ROOT / "docs" / "examples" / "flapping.yaml"
TIMELINE = """\
alerts:
  - {alert: KubePodNotReady, labels: {namespace: media, pod: plex-0}, when: {to: 40m}}
"""


def simulate(capsys: pytest.CaptureFixture[str], *arguments: str, stack: Path = EXAMPLE) -> Outcome:
    return cli(capsys, "simulate", "--stack", str(stack), *arguments)


@pytest.fixture
def timeline(tmp_path: Path) -> str:
    (tmp_path / "timeline.yaml").write_text(TIMELINE)
    return str(tmp_path / "timeline.yaml")


def test_every_message_and_edit_is_printed_with_its_time(capsys: pytest.CaptureFixture[str], timeline: str) -> None:
    assert simulate(capsys, timeline) == Outcome(
        0,
        """\
1 alert, firing 1 time, over 1h25m:

  0:16:01  #media  post   1   KubePodNotReady: plex-0 firing
  0:40:05  #media  edit   1   KubePodNotReady: plex-0 resolved

#media: 1 message, edited 1 time
""",
        "",
    )


def test_the_example_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    found = simulate(capsys, str(FLAPPING))
    assert found.out.endswith("\n#ops: 1 message, edited 29 times\n")
    assert "came back 4 times" in found.out


def test_full_shows_what_readers_see(capsys: pytest.CaptureFixture[str], timeline: str) -> None:
    found = simulate(capsys, timeline, "--full")
    assert "        ┃" in found.out.replace("          ┃", "        ┃")
    assert "plex-0" in found.out


def test_json_holds_everything(capsys: pytest.CaptureFixture[str], timeline: str) -> None:
    data = json.loads(simulate(capsys, timeline, "--json").out)
    assert data["channels"]["media"] == {"messages": 1, "edits": 1, "pings": 0, "busiest_hour": 1}
    assert [(one["kind"], one["number"], one["by"]) for one in data["messages"]] == [
        ("post", 1, "relay"),
        ("edit", 1, "relay"),
    ]
    assert data["alerts"][0]["firings"] == [{"fires": 900.0, "resolves": 2400.0}]
    assert "plex-0" in data["messages"][0]["text"]


def test_without_the_relay_alertmanager_posts(capsys: pytest.CaptureFixture[str]) -> None:
    found = simulate(capsys, str(FLAPPING), stack=GOLDEN / "no-relay" / "stack.yaml")
    assert "edit" not in found.out
    data = json.loads(simulate(capsys, str(FLAPPING), "--json", stack=GOLDEN / "no-relay" / "stack.yaml").out)
    assert data["messages"][0]["notification"]["version"] == "4"


def test_a_test_of_the_stack_can_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    found = simulate(capsys, "--test", "one node down")
    assert found.code == 0
    assert "#ops  post   1   NodeDown: n1 firing" in found.out


def test_what_never_fires_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("alerts: [{alert: NodeDown, labels: {node: n1}, when: {for: 1m}}]\n")
    found = simulate(capsys, str(tmp_path / "t.yaml"))
    assert "nobody was told anything" in found.out
    assert "NodeDown never fired: its rule (pack nodes) waits longer than its condition held" in found.out


@pytest.fixture
def past(tmp_path: Path) -> str:
    (tmp_path / "history.json").write_text(json.dumps(histories.answer(histories.week(3, 600, 30))))
    return str(tmp_path / "history.json")


def test_history_counts_messages_by_channel(capsys: pytest.CaptureFixture[str], past: str) -> None:
    found = simulate(capsys, "--history", past)
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0].startswith("2026-01-05 ")
    assert lines[2].split() == ["channel", "messages", "a", "day", "edits", "pings", "busiest", "hour"]
    assert {line.split()[0] for line in lines[3:] if line.startswith("#")} >= {"#ops", "#media"}


def test_history_against_another_stack_shows_the_change(
    capsys: pytest.CaptureFixture[str], past: str, tmp_path: Path
) -> None:
    longer = tmp_path / "stack.yaml"
    longer.write_text(EXAMPLE.read_text().replace("hold: {default: 60s", "hold: {default: 10m"))
    found = simulate(capsys, "--history", past, "--against", str(longer))
    assert f"before: {EXAMPLE}\nafter:  {longer}\n" in found.out
    data = json.loads(simulate(capsys, "--history", past, "--against", str(longer), "--json").out)
    before, after = (sum(one["messages"] for one in side["channels"].values()) for side in data["stacks"])
    assert after < before
    assert f"{after - before:+}" in found.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ((), "name one of: a timeline file, --test, --history"),
        (("a.yaml", "--test", "x"), "name one of: a timeline file, --test, --history"),
        (("--test", "x", "--from", "1d"), "--from, --to and --step are about --history"),
        (("none.yaml",), "none.yaml: no such file; name a timeline"),
        (("--history", "none.json"), "none.json: no such file; name a saved answer"),
        (("--test", "one nod down"), "no test 'one nod down'; did you mean 'one node down'?"),
    ],
)
def test_wrong_use_is_said(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], wrong: str) -> None:
    found = simulate(capsys, *arguments)
    assert found.code == 2
    assert wrong in found.err


def test_an_alert_that_there_is_not_is_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("alerts: [{alert: NodeDonw, when: {for: 1m}}]\n")
    found = simulate(capsys, str(tmp_path / "t.yaml"))
    assert found.code == 2
    assert "no rule defines an alert 'NodeDonw'; did you mean 'NodeDown'?" in found.err
