"""What the guides show works."""

from __future__ import annotations

import re

from homelabmon.journey.running import running_from
from homelabmon.load import load, read_source
from homelabmon.render.fold import fold
from homelabmon.render.templates import Templates
from homelabmon.simulation.expectations import run
from homelabmon.source import parse
from tests.stacks_common import EXAMPLE, ROOT

GUIDES = ROOT / "docs" / "how-to"


def blocks(guide: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", (GUIDES / guide).read_text(), re.MULTILINE | re.DOTALL)


def test_the_tests_of_the_guide_pass_on_the_example() -> None:
    (written,) = blocks("test.md")
    text = EXAMPLE.read_text()
    stack = text[: text.index("\ntests:\n")] + "\n" + written
    loaded = read_source(parse(stack.encode(), "stack.yaml"))
    assert loaded.findings == ()
    assert loaded.stack is not None
    found = running_from(loaded.stack, fold(loaded.stack, Templates(None, None)))
    results = [run(found, number, test) for number, test in enumerate(loaded.stack.tests)]
    assert [(result.name, result.wrong) for result in results if not result.passed] == []
    assert len(results) == 9


def test_the_guide_shows_the_example_timeline() -> None:
    (written,) = blocks("simulate.md")
    assert (ROOT / "docs" / "examples" / "flapping.yaml").read_text().endswith(written)
    assert load(EXAMPLE).tests
