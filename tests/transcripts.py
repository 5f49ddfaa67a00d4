"""Shell sessions in Markdown that are run: the blocks of a page, one after the other, in one folder that starts empty.

In a ``console`` block a line that starts with ``$ `` is a command; what follows, up to the next, is what it prints
(both streams). A ``diff`` block that begins with ``--- file`` and ``+++ file`` changes that file, or makes it where the
first is ``/dev/null``. What stands in ``<!-- run: command -->`` is run out of sight.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

BLOCK: Final = re.compile(r"^```(console|diff)\n(.*?)^```$|^<!-- run: ([^\n]*) -->$", re.MULTILINE | re.DOTALL)
_SECONDS: Final = 120


def replayed(page: str, folder: Path) -> str:
    """The page with what its commands print now."""
    session = _Session(folder)

    def replay(match: re.Match[str]) -> str:
        if match[3] is not None:
            session.run(match[3])
            return match[0]
        return f"```{match[1]}\n{session.block(match[1], match[2])}```"

    return BLOCK.sub(replay, page)


def commands(page: str) -> list[str]:
    """Every command of a page's sessions."""
    return [line[2:] for _, block, _ in BLOCK.findall(page) for line in block.splitlines() if line.startswith("$ ")]


class _Session:
    """A shell that remembers the folder it is in, with nothing of this checkout in sight but the command."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        self.folder = folder / "homelab"
        self.folder.mkdir()
        self.environment = {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def block(self, kind: str, text: str) -> str:
        if kind == "diff":
            self.change(text)
            return text
        found = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        return "".join(f"$ {command}\n{self.run(command)}" for command in found)

    def change(self, text: str) -> None:
        """Applies one change. The lines around it must stand in the file exactly once."""
        first, second, *lines = text.splitlines()
        path = self.folder / second.removeprefix("+++ ")
        before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        if first == "--- /dev/null":
            assert not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(after, encoding="utf-8")
            return
        assert first == f"--- {second[4:]}", text
        content = path.read_text(encoding="utf-8")
        assert content.count(before) == 1, f"{path.name} has these lines {content.count(before)} times:\n{before}"
        path.write_text(content.replace(before, after), encoding="utf-8")

    def run(self, command: str) -> str:
        """What one command prints. Its exit code is not looked at: findings are no failure of a page."""
        result = subprocess.run(
            ["bash", "-c", f"{command}\ncode=$?; printf '\\0%s' \"$PWD\"; exit $code"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        output, _, place = result.stdout.rpartition("\0")
        self.folder = Path(place)
        output = output.replace(f"{place}/", "")
        assert not re.search(r"^Traceback|command not found|^```|^(cat|find|grep|ls|sed): ", output, re.MULTILINE), (
            output
        )
        return "".join(f"{line.rstrip()}\n" for line in output.splitlines())
