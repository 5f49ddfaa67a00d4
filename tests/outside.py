"""What tests need from outside this repository: programs, and the shared facts beside the checkout.

``conftest.py`` turns a missing thing into a skip with the reason. Where the run requires everything (CI's gate sets
``HOMELABMON_REQUIRE_PROGRAMS=1``) it fails instead. May import nothing of homelabmon.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SHARED_DATA = SHARED / "data"
PRIVATE_PROGRAMS = ROOT / ".tools" / "bin"
"""Where ``make programs`` puts them."""
AXE_SCRIPT = ROOT / ".tools" / "axe" / "axe.min.js"
"""What a browser runs to say what hinders people on a page (axe-core): as good as a program, and no executable."""

REQUIRED = os.environ.get("HOMELABMON_REQUIRE_PROGRAMS") == "1"


def prefer_private_programs() -> None:
    """Let every test, and what it starts, find the programs of ``make programs`` first."""
    if PRIVATE_PROGRAMS.is_dir():
        os.environ["PATH"] = f"{PRIVATE_PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


@cache
def missing_program(name: str) -> str | None:
    """Why the program cannot be used: it is not installed, or too old. ``None`` when it can."""
    if name == "axe-core":
        return None if AXE_SCRIPT.is_file() else "axe-core is not here (make programs)"
    package, oldest = _known_programs().get(name, (name, None))
    if shutil.which(name) is None:
        return f"{name} is not installed (apt-get install {package}, or make programs)"
    if oldest is not None and (version := _version(name)) < oldest:
        return f"{name} {_dotted(version)} is too old, {_dotted(oldest)} is needed (make programs)"
    return None


def missing_shared() -> str | None:
    """Why the shared facts cannot be used, or ``None`` when they can."""
    return None if SHARED_DATA.is_dir() else "the shared facts (../shared/data) are not beside this checkout"


def unavailable(reason: str, *, required: bool = REQUIRED) -> NoReturn:
    """Skip the test with the reason, or fail it where the run requires everything."""
    if required:
        pytest.fail(f"required in this run: {reason}", pytrace=False)
    pytest.skip(reason)


@cache
def _known_programs() -> dict[str, tuple[str, tuple[int, ...] | None]]:
    rows = [line.split() for line in (ROOT / "tests" / "programs.txt").read_text().splitlines()]
    return {
        name: (package, None if oldest == "-" else _numbers(oldest))
        for name, package, oldest in (row for row in rows if row and not row[0].startswith("#"))
    }


def _version(program: str) -> tuple[int, ...]:
    """The program's own version; ``()``, older than any, when it does not tell."""
    result = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    match = re.search(r"(?:version |^systemd |^)v?(\d+(?:\.\d+)*)", result.stdout + result.stderr, re.MULTILINE)
    return _numbers(match[1]) if match else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "of unknown version"
