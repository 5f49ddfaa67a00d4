"""The guide's ways to ping, run as they stand there: shell lines, a unit, a workflow, a CronJob."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.outside import ROOT
from tests.relay.heartbeats.test_api import UUID, Server, served

PAGE: Final = (ROOT / "docs" / "how-to" / "heartbeats.md").read_text(encoding="utf-8")
Told = list[tuple[str, int | None, bytes]]
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def block(kind: str, having: str) -> str:
    """The one block of that kind that has such a text in it."""
    (found,) = [text for text in re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S) if having in text]
    return str(found)


def told(folder: Path, *scripts: str, job: str = "true", **environment: str) -> Told:
    """What the outpost hears when these run one after the other, the earliest first. ``job``: what the job does."""
    heard: Told = []
    (folder / "job").write_text(f"#!/bin/sh\n{job}\n")
    (folder / "job").chmod(0o755)

    async def scenario(server: Server) -> None:
        known = {"PATH": "/usr/bin:/bin", "NO_PROXY": "*", "URL": f"{server.url}/ping/{UUID}", **environment}
        for script in scripts:
            await asyncio.to_thread(
                subprocess.run, ["sh", "-c", script], cwd=folder, env=known, check=False, capture_output=True
            )
        heard.extend((one.kind, one.exit_code, one.body) for one in reversed(await server.pings()))

    served(folder, scenario)
    return heard


def test_the_lines_for_a_shell(tmp_path: Path) -> None:
    assert told(tmp_path, block("bash", '"$URL/start"')) == [
        ("success", None, b""),
        ("start", None, b""),
        ("fail", None, b""),
    ]


def test_the_exit_code_and_the_last_words(tmp_path: Path) -> None:
    script = block("bash", "job.log")
    assert told(tmp_path, script, job="seq 9000; echo the end; exit 3") == [
        ("fail", 3, "".join([*(f"{one}\n" for one in range(1, 9001)), "the end\n"]).encode()[-10_000:])
    ]
    assert told(tmp_path, script, job="echo fine >&2")[-1] == ("success", 0, b"fine\n")


def test_the_line_for_cron(tmp_path: Path) -> None:
    (line,) = block("crontab", "./job").splitlines()
    script = line.split(maxsplit=5)[5]
    assert told(tmp_path, script) == [("success", None, b"")]
    assert told(tmp_path, script, job="exit 1") == [("success", None, b"")]  # that of before


def _unit(key: str) -> str:
    """A command of the unit as systemd runs it (systemd.service(5), command lines)."""
    (line,) = re.findall(rf"^{key}=-(.*)$", block("ini", "[Service]"), re.M)
    words = shlex.split(line.replace("$$", "\0").replace("${URL}", "$URL"))
    return " ".join(f'"{word}"' if word == "$URL/start" else shlex.quote(word.replace("\0", "$")) for word in words)


@pytest.mark.parametrize(
    ("status", "kind", "code"), [("0", "success", 0), ("2", "fail", 2), ("TERM", "fail", 143), (None, "fail", None)]
)
def test_the_unit_for_systemd(tmp_path: Path, status: str | None, kind: str, code: int | None) -> None:
    ended = {} if status is None else {"EXIT_STATUS": status}
    heard = told(tmp_path, _unit("ExecStartPre"), _unit("ExecStopPost"), **ended)
    assert heard == [("start", None, b""), (kind, code, b"")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "nightly-backup.service"
    unit.write_text(block("ini", "[Service]").replace("/usr/local/bin/nightly-backup", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "nightly-backup" not in done.stderr


def test_the_workflow_for_github(tmp_path: Path) -> None:
    workflow: Any = yaml.safe_load(block("yaml", "runs-on"))
    job, success, failure = workflow["jobs"]["report"]["steps"]
    assert (job["run"], success["if"], failure["if"]) == ("./job", "success()", "failure()")
    assert told(tmp_path, success["run"], failure["run"]) == [("success", None, b""), ("fail", None, b"")]


@pytest.mark.parametrize(("code", "kind"), [(0, "success"), (5, "fail")])
def test_the_cronjob_for_kubernetes(tmp_path: Path, code: int, kind: str) -> None:
    manifest: Any = yaml.safe_load(block("yaml", "kind: CronJob"))
    (container,) = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    (script,) = container["args"]
    script = script.replace("/tmp/job.log", str(tmp_path / "job.log"))  # the guide's own
    assert told(tmp_path, script, job=f"echo words; exit {code}") == [("start", None, b""), (kind, code, b"words\n")]
