"""The rules of ``conftest.py``, tried in test runs of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import outside

if TYPE_CHECKING:
    from pathlib import Path

    from tests.network import Loopback

MARKED = """\
import pytest

@pytest.mark.program("no-such-program")
def test_with_program(): ...

@pytest.mark.shared
def test_with_facts(shared_data):
    assert shared_data.is_dir()

@pytest.mark.shared
def test_that_gives_up():
    pytest.skip("not today")
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with only our conftest and ``MARKED``, so that ``../shared`` can be there or not."""
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    for name in ("__init__.py", "conftest.py", "network.py", "outside.py", "programs.txt"):
        (tests / name).write_bytes((outside.ROOT / "tests" / name).read_bytes())
    (tests / "test_marked.py").write_text(MARKED)
    (tests.parent / "pyproject.toml").write_bytes((outside.ROOT / "pyproject.toml").read_bytes())
    return tests.parent


def outcomes(checkout: Path, *, required: bool) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "HOMELABMON_REQUIRE_PROGRAMS"}
    if required:
        environment["HOMELABMON_REQUIRE_PROGRAMS"] = "1"
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = (line.split() for line in result.stdout.splitlines() if line.startswith("tests/test_marked.py::"))
    return {words[0].rpartition("::")[2]: words[1] for words in lines}


def test_what_is_missing_is_skipped_on_a_users_machine(checkout: Path) -> None:
    assert outcomes(checkout, required=False) == {
        "test_with_program": "SKIPPED",
        "test_with_facts": "SKIPPED",
        "test_that_gives_up": "SKIPPED",
    }


def test_where_everything_is_required_only_a_checkout_without_shared_may_skip(checkout: Path) -> None:
    assert outcomes(checkout, required=True) == {
        "test_with_program": "ERROR",
        "test_with_facts": "SKIPPED",
        "test_that_gives_up": "SKIPPED",
    }


def test_where_everything_is_required_a_test_that_gives_up_fails(checkout: Path) -> None:
    (checkout.parent / "shared" / "data").mkdir(parents=True)
    assert outcomes(checkout, required=True) == {
        "test_with_program": "ERROR",
        "test_with_facts": "PASSED",
        "test_that_gives_up": "FAILED",
    }


def test_a_missing_program_is_named_with_its_package() -> None:
    assert outside.missing_program("no-such-program") == (
        "no-such-program is not installed (apt-get install no-such-program, or make programs)"
    )


def test_a_program_too_old_for_our_output_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    amtool = tmp_path / "amtool"
    amtool.write_text("#!/bin/sh\necho 'amtool, version 0.25.0 (branch: x, revision: y)'\n")
    amtool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    outside.missing_program.cache_clear()
    reason = outside.missing_program("amtool")
    outside.missing_program.cache_clear()
    assert reason == "amtool 0.25.0 is too old, 0.28 is needed (make programs)"


def test_loopback_is_reached(loopback: Loopback) -> None:
    with socket.create_server(("localhost", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert loopback.refused == []


def test_a_name_reserved_for_failing_fails_to_resolve(loopback: Loopback) -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("nowhere.invalid", 80))
    assert loopback.refused == []


@pytest.mark.parametrize("host", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "status.example.net"])
def test_whatever_leaves_this_machine_is_refused_and_remembered(loopback: Loopback, host: str) -> None:
    with pytest.raises(OSError, match="tests reach loopback only"):
        socket.create_connection((host, 80), timeout=1)
    assert [refused for refused in loopback.refused if host in refused] != []
    loopback.refused.clear()


def test_a_datagram_that_leaves_this_machine_is_refused(loopback: Loopback) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(ConnectionRefusedError):
        sock.sendto(b"", ("192.0.2.1", 53))
    assert loopback.refused == ["a connection to 192.0.2.1 port 53"]
    loopback.refused.clear()
