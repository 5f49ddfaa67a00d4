"""Logs are one JSON object a line, whatever is logged, and show no secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelabmon.relay.exposition import counter, exposition, gauge, number
from homelabmon.relay.logs import set_up
from tests.relay.door import Door

HOOK = "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    libraries = {name: logging.getLogger(name).level for name in ("aiohttp", "aiohttp.server", "asyncio")}
    stream = io.StringIO()
    set_up(logging.DEBUG, stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    for name, old in libraries.items():
        logging.getLogger(name).setLevel(old)


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


@pytest.mark.parametrize(
    "said",
    [
        b"POST /v1/event HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/event HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_strangers_send_is_answered_with_400_and_fills_no_log(
    said: bytes, tmp_path: Path, lines: io.StringIO
) -> None:
    async def scene() -> bytes:
        async with Door(tmp_path) as door:
            reader, client = await door.raw(said)
            answer = await reader.read()
            client.close()
            return answer

    logging.getLogger().setLevel(logging.WARNING)
    answer = asyncio.run(scene())
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 401"))
    assert lines.getvalue() == ""


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
