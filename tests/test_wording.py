"""What the schema refuses, word by word: pieces of a stack in ``wording.txt``, and below each what is said about it.

``pytest --snapshot-update`` writes what is said now: read the diff.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homelabmon.cli.schema import schema_text
from homelabmon.spec.base import format_duration
from homelabmon.spec.duration_hints import meant
from homelabmon.wording import _PATTERNS
from tests.checks.examples import line, load
from tests.checks.test_cases import Case, read

FILE = Path(__file__).parent / "wording.txt"
CASES = read(FILE)


def told(piece: str) -> list[str]:
    return [line(finding) for finding in load(piece).findings]


@pytest.fixture(scope="module", autouse=True)
def rewritten(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots", default=False):
        texts = ["\n".join([f"=== {c.title}", c.piece + "---", *told(c.piece), ""]) for c in read(FILE)]
        FILE.write_text("".join(texts))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_snapshots", default=False):
        pytest.skip("written anew")
    assert told(case.piece) == list(case.lines)


def test_no_message_is_in_the_words_of_pydantic_or_of_python() -> None:
    every = [line for case in CASES for line in case.lines]
    assert every
    foreign = ("input should", "Input should", "None", "True", "False", "string should", "valid integer", "ctx")
    assert [line for line in every if any(word in line for word in foreign)] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.lines], ids=str)
def test_every_message_says_what_to_write(case: Case) -> None:
    assert [finding.message for finding in load(case.piece).findings if not finding.fix] == []


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30 days", "30d"),
        ("1.5h", "1h30m"),
        ("1h1d", "1d1h"),
        ("5M", "5m"),
        ("5 min", "5m"),
        ("1 hour and 30 minutes", "1h30m"),
        ("1y", "365d"),
        ("PT1H30M", "1h30m"),
        ("P1D", "1d"),
        ("2,5h", "2h30m"),
    ],
)
def test_what_is_nearly_a_duration_is_understood(text: str, duration: str) -> None:
    seconds = meant(text)
    assert seconds is not None
    assert format_duration(seconds) == duration


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "h5", "P", "5", "9999999999d"])
def test_what_is_no_duration_at_all_is_not_guessed(text: str) -> None:
    assert meant(text) is None


def test_a_token_where_a_name_belongs_is_never_shown_and_a_name_is() -> None:
    token = "aB3dE" * 14
    for secret in (token, "S3cretPassw0rd", "hunter2hunter2!"):
        piece = f"channels: {{ops: {{discord: {{webhook: {{secret: '{secret}', key: o}}}}}}}}"
        assert secret not in " ".join(told(piece))
        assert told(piece)
    (only,) = told("channels: {ops: {discord: {webhook: {secret: Discord Webhooks, key: o}}}}")
    assert "'Discord Webhooks' is no name of a Secret" in only


def patterns_in(node: Any) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "pattern" and isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            yield from patterns_in(value)


def test_every_pattern_of_the_schema_has_words_of_its_own() -> None:
    ours = set(patterns_in(json.loads(schema_text())))
    # What a validator of ours reads first has its words there.
    elsewhere = {pattern for pattern in ours if "ms)?" in pattern or r"\d{4}-\d{2}" in pattern}
    assert ours - elsewhere - set(_PATTERNS) == set()
