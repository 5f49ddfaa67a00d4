"""Logs are one JSON object a line, whatever is logged, and show no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from homelabmon.relay.exposition import counter, exposition, gauge, number
from homelabmon.relay.logs import set_up

HOOK = "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up(logging.DEBUG, stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_what_is_given_as_extra_stands_in_the_line(lines: io.StringIO) -> None:
    logging.getLogger("homelabmon.relay.app").warning("it is %s", "so", extra={"channel": "ops", "path": {1}})
    said = json.loads(lines.getvalue())
    assert said.pop("time").endswith("+00:00")
    assert said == {"level": "warning", "logger": "relay.app", "message": "it is so", "channel": "ops", "path": "{1}"}


def test_an_exception_is_one_line_too_and_secrets_are_nowhere(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"no such webhook: {HOOK}")
    except ValueError:
        logging.getLogger("x").exception("for %s", HOOK, extra={"where": HOOK})
    (line,) = lines.getvalue().splitlines()
    assert HOOK not in line
    assert "ValueError: no such webhook: [redacted]" in json.loads(line)["error"]


def test_metrics_are_written_as_prometheus_reads_them() -> None:
    families = [
        gauge("a", "What\nit \\ is.", ({"channel": 'q"\\\n'}, 1.5), ({}, float("inf"))),
        counter("b_total", "No samples."),
    ]
    assert exposition(families) == '# HELP a What\\nit \\\\ is.\n# TYPE a gauge\na{channel="q\\"\\\\\\n"} 1.5\na +Inf\n'
    assert [number(value) for value in (3.0, 0.1, 2**60, -float("inf"))] == [
        "3",
        "0.1",
        "1.152921504606847e+18",
        "-Inf",
    ]
