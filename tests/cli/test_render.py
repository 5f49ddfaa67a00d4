"""`homelabmon render` as its user meets it: what it writes, prints and exits with, for good input and bad."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.running import cli
from tests.stacks_common import EXAMPLE, GOLDEN

SMALL = (GOLDEN / "minimal" / "stack.yaml").read_text()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small stack in a folder of its own, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOMELABMON_CACHE", str(tmp_path / ".cache"))
    path = tmp_path / "stack.yaml"
    path.write_text(SMALL)
    return path


def test_first_second_and_changed_render(
    stack: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    first = cli(capsys, "render")
    assert first.code == 0
    assert first.out.replace(str(stack.parent), "HERE") == snapshot(name="first")
    again = cli(capsys, "render")
    assert again.out.replace(str(stack.parent), "HERE") == snapshot(name="nothing changed")
    stack.write_text(SMALL.replace("name: minimal", "name: other").replace("alertmanager: {}", "relay: {}"))
    changed = cli(capsys, "render")
    assert changed.out.replace(str(stack.parent), "HERE") == snapshot(name="changed")


def test_quiet_prints_nothing_when_all_is_well(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(capsys, "render", "--quiet").out == ""


def test_check_prints_a_diff_and_exits_1_and_writes_nothing(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = cli(capsys, "render", "--check")
    assert missing.code == 1
    assert "--- /dev/null\n+++ b/alertmanager/alertmanager.yaml\n" in missing.out
    assert not (stack.parent / "rendered").exists()
    cli(capsys, "render")
    assert cli(capsys, "render", "--check").code == 0
    stack.write_text(SMALL.replace("defaults: {channel: ops}", "defaults: {channel: ops, repeat_interval: 3h}"))
    stale = cli(capsys, "render", "--check")
    assert stale.code == 1
    assert "-  repeat_interval: 12h\n+  repeat_interval: 3h\n" in stale.out
    assert "is not current: run `homelabmon render`" in stale.err


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", 2, "stack.yaml:1:1: error: the file is empty"),
        ("- a\n", 2, "the file is a list at the top"),
        ("a: 1\na: 2\n", 2, "the key 'a' stands twice"),
        (
            SMALL.replace("distribution: kubeadm", "distribution: k8s"),
            2,
            "cluster.distribution: 'k8s' is not allowed here",
        ),
        (SMALL.replace("defaults: {channel: ops}", "defaults: {channel: opps}"), 1, "'opps'"),
    ],
)
def test_bad_input_writes_nothing(
    stack: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, message: str
) -> None:
    stack.write_text(text)
    outcome = cli(capsys, "render")
    assert outcome.code == code
    assert message in outcome.err
    assert outcome.out == ""
    assert not (stack.parent / "rendered").exists()


def test_schema_errors_and_wrong_references_are_told_together(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack.write_text(
        SMALL.replace("defaults: {channel: ops}", "defaults: {channel: opps}").replace("name: minimal", "nam: minimal")
    )
    outcome = cli(capsys, "render")
    assert outcome.code == 2
    assert "unknown key 'nam'; did you mean 'name'?" in outcome.err
    assert "'opps'" in outcome.err


def test_findings_name_the_stack_and_its_templates_from_where_the_user_stands(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    templates = Path("infra/templates/alertmanager")
    templates.mkdir(parents=True)
    Path("infra/stack.yaml").write_text(SMALL.replace("defaults: {channel: ops}", "defaults: {channel: opps}"))
    assert re.search(r"(?m)^infra/stack\.yaml:\d+:\d+: error: ", cli(capsys, "render", "-s", "infra/stack.yaml").err)
    Path("infra/stack.yaml").write_text(SMALL)
    (templates / "values.yaml.j2").write_text("a: << nothing >>\n")
    said = "error: infra/templates/alertmanager/values.yaml.j2:1: 'nothing' is undefined\n"
    assert cli(capsys, "render", "-s", "infra/stack.yaml").err == said


def test_a_missing_file_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = cli(capsys, "render", "--stack", str(tmp_path / "stack.yaml"))
    assert outcome.code == 2
    assert "no such file; `homelabmon init` writes one" in outcome.err


def test_a_template_of_yours_replaces_ours(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stack.parent / "templates" / "alertmanager"
    folder.mkdir(parents=True)
    (folder / "values.yaml.j2").write_text("alertmanager:\n  enabled: true\n  mine: << config.replicas | json >>\n")
    assert cli(capsys, "render").code == 0
    assert "mine: 2" in (stack.parent / "rendered" / "values" / "kube-prometheus-stack.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: << nope >>\n", "templates/alertmanager/values.yaml.j2:1: 'nope' is undefined"),
        ("a: 1\n<% if %>\n", "templates/alertmanager/values.yaml.j2:2: "),
        ("a: [\n", "templates/alertmanager/values.yaml.j2: not YAML after rendering, line 2"),
        ("- a\n", "templates/alertmanager/values.yaml.j2: must render to one YAML mapping"),
        ("a: << 1 / 0 >>\n", "templates/alertmanager/values.yaml.j2:1: division by zero"),
        ("a: << config.nothing.more >>\n", "templates/alertmanager/values.yaml.j2:1: "),
    ],
)
def test_a_broken_template_of_yours_is_named_with_its_line(
    stack: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    folder = stack.parent / "templates" / "alertmanager"
    folder.mkdir(parents=True)
    (folder / "values.yaml.j2").write_text(text)
    outcome = cli(capsys, "render")
    assert outcome.code == 2
    assert message in outcome.err
    assert not (stack.parent / "rendered").exists()


def test_an_object_that_is_not_valid_is_never_written(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli(capsys, "render")
    before = {path: path.read_text() for path in (stack.parent / "rendered").rglob("*.yaml")}
    stack.write_text(SMALL + "extra:\n  - {apiVersion: v1, kind: Service, metadata: {name: x}, spec: {prots: []}}\n")
    outcome = cli(capsys, "render")
    assert outcome.code == 1
    assert outcome.err.startswith("stack.yaml:11:72: error: extra[0].spec.prots: Service x: "), outcome.err
    assert {path: path.read_text() for path in (stack.parent / "rendered").rglob("*.yaml")} == before


def test_a_compiled_template_cache_that_cannot_be_made_does_not_matter(
    stack: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack.parent / "file").write_text("")
    monkeypatch.setenv("HOMELABMON_CACHE", str(stack.parent / "file" / "below"))
    assert cli(capsys, "render").code == 0


def test_the_example_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = cli(capsys, "render", "--check", "--stack", str(EXAMPLE))
    assert outcome.code == 0, outcome.out[:2000] + outcome.err


def test_no_colour_and_no_chatter_in_a_pipe(stack: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homelabmon", "render"], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "\x1b" not in done.stdout + done.stderr


def test_wrong_use_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(capsys, "render", "--no-such-option").code == 2
    outcome = cli(capsys, "rendr")
    assert outcome.code == 2
    assert "did you mean 'render'?" in outcome.err
    assert cli(capsys, "render", "--check", "--watch").code == 2


def test_a_bug_of_ours_exits_3_without_spilling_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stack: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("https://discord.com/api/webhooks/123456789012345678/abcDEF_ghi-jkl0123456789")

    monkeypatch.setattr("homelabmon.render.plan.make_plan", broken)
    outcome = cli(capsys, "render")
    assert outcome.code == 3
    assert "This is a bug in homelabmon" in outcome.err
    assert "abcDEF" not in outcome.err


@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("text", ["name: 1\n", "a list: [\n", SMALL])
def test_no_colour_on_a_terminal_that_wants_none(stack: Path, wish: dict[str, str], text: str) -> None:
    stack.write_text(text)
    assert "\x1b" in _on_a_terminal({"TERM": "xterm"})
    shutil.rmtree("rendered", ignore_errors=True)
    assert "\x1b" not in _on_a_terminal({"TERM": "xterm", **wish})


def _on_a_terminal(environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    clean = {key: text for key, text in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    subprocess.run(
        [sys.executable, "-m", "homelabmon", "render"], stdout=theirs, stderr=theirs, env={**clean, **environment}
    )
    os.close(theirs)
    read = b""
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123
        try:
            while piece := terminal.read(65536):
                read += piece
        except OSError:  # how Linux says that the other side is closed
            pass
    return read.decode()


def test_closed_standard_output_and_error_are_no_bug(stack: Path) -> None:
    line = [sys.executable, "-m", "homelabmon", "docs"]
    done = subprocess.run(["/bin/sh", "-c", '"$@" >&-', "sh", *line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.run(["/bin/sh", "-c", '"$@" >&- 2>&-', "sh", *line, "--nope"]).returncode == 2


def test_an_interrupt_while_it_starts_leaves_no_traceback(stack: Path) -> None:
    early = "import builtins, sys\nreal = builtins.__import__\n"
    early += "def stop(name, *rest):\n    if name == 'homelabmon.cli': raise KeyboardInterrupt\n"
    early += "    return real(name, *rest)\nbuiltins.__import__ = stop\n"
    early += "from homelabmon.__main__ import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", early], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_cannot_be_written_is_named_as_the_user_did(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = cli(capsys, "render", "--out", "/proc/rendered")
    assert outcome.code == 2
    assert outcome.err.startswith("error: /proc/rendered: cannot be written: "), outcome.err


@pytest.mark.parametrize("command", [["docs"], ["schema"], ["render", "--check"], ["--help"]], ids=" ".join)
def test_a_reader_that_has_gone_ends_it_without_a_word(stack: Path, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    line = [sys.executable, "-m", "homelabmon", *command]
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
