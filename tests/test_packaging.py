"""The wheel holds everything a user needs, and each extra brings what it says and no more.

Everything is built and installed for real, from the package index, into empty environments. Without an index the tests
are skipped; in CI that is a failure.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.outside import ROOT, unavailable
from tests.relay.programs import eventually, free_port, get

if TYPE_CHECKING:
    from pathlib import Path

INDEX_UNREACHABLE: Final = re.compile(
    r"Retrying \(Retry\(|connection broken by|NewConnectionError|Failed to establish a new connection"
    r"|Name or service not known|Temporary failure in name resolution|ProxyError|Read timed out"
)
RENDERING: Final = {"jinja2", "kubernetes-validate", "helm-python-sdk", "promql-parser", "ruamel-yaml", "jsonschema-rs"}
BASE_MUST_NOT_HOLD: Final = {*RENDERING, "pyyaml", "aiohttp"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("homelabmon-*.whl")
    return built


@pytest.fixture(scope="module")
def base_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("base") / "venv", str(wheel))


@pytest.fixture(scope="module")
def render_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("render") / "venv", f"{wheel}[render]")


@pytest.fixture(scope="module")
def relay_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("relay") / "venv", f"{wheel}[relay]")


def test_the_wheel_holds_every_template_and_nothing_but_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    templates = {f"homelabmon/_templates/{name}" for name in tree(ROOT / "templates")}
    assert templates
    assert templates - names == set()
    assert "homelabmon/py.typed" in names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"homelabmon"}


def test_the_installed_package_renders_the_example_as_checked_in(render_install: Path, tmp_path: Path) -> None:
    stack = tmp_path / "stack.yaml"
    stack.write_bytes((ROOT / "stack.yaml").read_bytes())
    result = homelabmon(render_install, tmp_path, "render", "--stack", str(stack), "--out", str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr
    assert tree(tmp_path / "out") == tree(ROOT / "rendered")


def test_the_base_install_holds_nothing_of_the_rendering_side(base_install: Path) -> None:
    listed = json.loads(pip("--python", str(base_install), "list", "--format", "json"))
    assert {package["name"].lower().replace("_", "-") for package in listed} & BASE_MUST_NOT_HOLD == set()


def test_the_relay_runs_on_its_extra_and_that_brings_nothing_of_the_rendering_side(
    relay_install: Path, tmp_path: Path
) -> None:
    listed = json.loads(pip("--python", str(relay_install), "list", "--format", "json"))
    assert {package["name"].lower().replace("_", "-") for package in listed} & RENDERING == set()
    config = ROOT / "rendered" / "outpost" / "relay.yaml"
    result = homelabmon(relay_install, tmp_path, "relay", "--config", str(config), "check-config")
    assert (result.returncode, result.stderr) == (1, "")
    assert "channels.ops.webhook_file: /etc/homelabmon/secrets/discord-webhooks/ops: cannot be read" in result.stdout


def test_an_outpost_with_everything_runs_on_the_relays_extra(relay_install: Path, tmp_path: Path) -> None:
    """What the image carries: heartbeats, probes, the status page and the vigil need no more."""
    (tmp_path / "key").write_text("correct-horse-battery-staple")
    port, target = free_port(), free_port()
    config = {
        "version": 1,
        "name": "home",
        "role": "outpost",
        "channels": {"ops": {"webhook_file": str(tmp_path / "nowhere")}},
        "default": {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "0s"},
        "intake": {"heartbeat_key_file": str(tmp_path / "key")},
        "database": str(tmp_path / "outpost.db"),
        "heartbeats": [{"name": "backup", "calendar": "Mon..Fri 03:00", "timezone": "Europe/London", "group": "Home"}],
        "probes": [
            {"name": "web", "url": f"http://127.0.0.1:{port}/healthz", "from": "outpost", "group": "Home"},
            {"name": "port", "tcp": f"127.0.0.1:{port}", "from": "outpost", "group": "Home"},
            {"name": "names", "dns": {"server": f"127.0.0.1:{target}", "query": "a.invalid"}, "from": "outpost"},
        ],
        "watchdog": {"alertname": "Watchdog", "silence": "5m", "channel": "ops"},
        "status_page": {"title": "home", "groups": [{"name": "Home"}]},
        "url": "https://status.example.net",
    }
    (tmp_path / "relay.yaml").write_text(json.dumps(config))
    where = ["--config", str(tmp_path / "relay.yaml"), "--listen", f"127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [str(relay_install), "-m", "homelabmon", "relay", *where], cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        eventually(
            lambda: str(get(f"http://127.0.0.1:{port}/status.txt")).count("● Operational") >= 2,
            f"both probes are well: {tmp_path / 'log'}",
        )
    finally:
        running.terminate()
        assert running.wait(60) == 0
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert "channels.ops.webhook_file" in said


def test_the_base_install_says_which_extra_the_relay_needs(base_install: Path, tmp_path: Path) -> None:
    result = homelabmon(base_install, tmp_path, "relay", "--config", str(ROOT / "stack.yaml"))
    assert result.returncode == 2
    assert "homelabmon[relay]" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("render", "--help")])
def test_the_base_install_answers(base_install: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = homelabmon(base_install, tmp_path, *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


def test_the_base_install_says_which_extra_rendering_needs(base_install: Path, tmp_path: Path) -> None:
    result = homelabmon(
        base_install, tmp_path, "render", "--stack", str(ROOT / "stack.yaml"), "--out", str(tmp_path / "out")
    )
    assert result.returncode == 2
    assert "homelabmon[render]" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.glob("out*")) == []


def installed(folder: Path, requirement: str) -> Path:
    """An environment with the requirement and what it depends on, not even pip beside it. Gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    pip("--python", str(python), "install", "--constraint", ".ci/constraints.txt", requirement)
    return python


def pip(*arguments: str) -> str:
    """What pip printed. Skips the test, or fails it in CI, when the package index does not answer."""
    result = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "3", *arguments],
        # For the build backend: an old pip reads the first, a new one the second. Both split at spaces: no full path.
        cwd=ROOT,
        env={**os.environ, "PIP_CONSTRAINT": ".ci/constraints.txt", "PIP_BUILD_CONSTRAINT": ".ci/constraints.txt"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if result.returncode and INDEX_UNREACHABLE.search(result.stdout + result.stderr):
        unavailable("the package index cannot be reached", required=bool(os.environ.get("CI")))
    assert result.returncode == 0, result.stderr
    return result.stdout


def homelabmon(python: Path, empty: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, with an empty home and nothing of this checkout in sight."""
    home = empty / "home"
    home.mkdir()
    return subprocess.run(
        [str(python.with_name("homelabmon")), *arguments],
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path within it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
