"""What Alertmanager's own ``amtool`` says about a route tree."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelabmon.spec.matchers import Matcher, MatchOp
from tests.routing.generate import Node, configuration, with_receivers


def receivers(config: Path, labels: Mapping[str, str]) -> list[str]:
    """The receivers ``amtool config routes test`` names for an alert, in order."""
    told = [str(Matcher(name, MatchOp.EQ, value)) for name, value in labels.items()]
    output = _amtool("config", "routes", "test", f"--config.file={config}", "--", *told)
    return output.removesuffix("\n").split(",")


def routes(config: Path) -> list[str]:
    """The matchers ``amtool config routes show`` prints for each route, in tree order."""
    lines = _amtool("config", "routes", "show", f"--config.file={config}").split("\n")
    return [found[1] for line in lines if (found := re.search(r"── (.*?)(?:  continue: true)?  receiver: \S+$", line))]


def accepts(config: Path, *options: str) -> bool:
    """Whether ``amtool check-config`` takes the file."""
    command = ["amtool", *options, "check-config", str(config)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def decisions(folder: Path, trees: Sequence[Node], label_sets: Sequence[Mapping[str, str]]) -> list[list[list[str]]]:
    """For each label set the receivers of each tree, asked all at once: the trees hang below one root, continuing."""
    named = [with_receivers(tree, f"t{number}") for number, tree in enumerate(trees)]
    config = folder / "alertmanager.yaml"
    config.write_text(configuration(Node("all", receiver="all", routes=tuple(named), payload=None)))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda labels: receivers(config, labels), label_sets))
    return [[[name for name in answer if name.startswith(f"t{n}.")] for n in range(len(trees))] for answer in answers]


def _amtool(*arguments: str) -> str:
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=True).stdout
