"""`homelabmon probe`: every probe once, from here."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.running import cli
from tests.relay.probes.servers import HOST, Handler, answering, closed_port, http, tcp
from tests.relay.test_service import written


@contextmanager
def beside(handler: Handler) -> Iterator[int]:
    """A server in a thread of its own: the command has a loop of its own."""
    ready, ports = threading.Event(), list[int]()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with tcp(handler) as port:
            ports.append(port)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def port() -> Iterator[int]:
    with beside(answering(http())) as found:
        yield found


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def probe(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs the command: its exit code, and what it printed."""

    def ask(*arguments: str) -> tuple[int, str]:
        found = cli(capsys, "probe", *arguments)
        return found.code, found.out + found.err

    return ask


def stack(folder: Path, *probes: dict[str, Any]) -> Path:
    path = folder / "stack.yaml"
    data = {
        "apiVersion": "homelabmon/v1",
        "name": "home",
        "channels": {"ops": {"discord": {"webhook": {"secret": "hooks", "key": "ops"}}}},
        "defaults": {"channel": "ops"},
        "probes": list(probes),
    }
    path.write_text(yaml.safe_dump(data))
    return path


def timeless(text: str) -> str:
    return re.sub(r"\d+ ms", "… ms", text)


def test_what_is_as_it_should_be_exits_with_0(probe: Ask, tmp_path: Path, port: int) -> None:
    path = stack(tmp_path, {"name": "web", "url": f"http://me:pw@{HOST}:{port}/?key=pw"})
    code, output = probe("--stack", str(path))
    assert (code, timeless(output)) == (
        0,
        f"web  ok       http://{HOST}:{port}/?…\n              … ms (dns … ms, connect … ms, first byte … ms)\n",
    )


def test_what_is_not_says_why_and_exits_with_1(probe: Ask, tmp_path: Path, port: int) -> None:
    closed = closed_port()
    path = stack(
        tmp_path,
        {"name": "web", "url": f"http://{HOST}:{port}/", "expect": {"status": 204}},
        {"name": "database", "tcp": f"{HOST}:{closed}"},
        {"name": "slow", "url": f"http://{HOST}:{port}/", "expect": {"within": "1ms"}},
    )
    code, output = probe("--stack", str(path))
    assert (code, timeless(output)) == (
        1,
        f"web       failed   http://{HOST}:{port}/\n"
        "                   status 200 instead of 204\n"
        "                   … ms (dns … ms, connect … ms, first byte … ms)\n"
        f"database  failed   {HOST}:{closed}\n"
        "                   the connection was refused\n"
        "                   … ms (dns … ms)\n"
        f"slow      slow     http://{HOST}:{port}/\n"
        "                   slower than 0.001 s\n"
        "                   … ms (dns … ms, connect … ms, first byte … ms)\n",
    )


def test_only_those_that_are_named_are_asked(probe: Ask, tmp_path: Path, port: int) -> None:
    closed = {"name": "database", "tcp": f"{HOST}:{closed_port()}"}
    path = stack(tmp_path, {"name": "web", "url": f"http://{HOST}:{port}/"}, closed)
    code, output = probe("--stack", str(path), "web")
    assert (code, "database" in output) == (0, False)


def test_their_own_word_is_printed_beside_ours(probe: Ask, tmp_path: Path) -> None:
    body = b'{"status": {"indicator": "minor", "description": "Slow pulls"}, "components": []}'
    with beside(answering(http(body=body))) as found:
        url = f"http://{HOST}:{found}/"
        path = stack(tmp_path, {"name": "ghcr", "url": url, "statuspage": url})
        code, output = probe("--stack", str(path))
    assert (code, output.splitlines()[-1].strip()) == (0, "their own status page says: Slow pulls")


def test_the_probes_of_an_outposts_configuration(probe: Ask, tmp_path: Path, port: int) -> None:
    config = written(tmp_path, None, probes=[{"name": "web", "url": f"http://{HOST}:{port}/"}])
    code, output = probe("--config", str(config))
    assert (code, output.startswith("web  ok ")) == (0, True)


def test_a_name_that_is_not_there_is_wrong_use(probe: Ask, tmp_path: Path) -> None:
    path = stack(tmp_path, {"name": "web", "tcp": "web.example:1"})
    code, output = probe("--stack", str(path), "wep")
    assert (code, output) == (2, "error: there is no probe 'wep'; did you mean 'web'?\n")


def test_without_probes_there_is_nothing_to_ask(probe: Ask, tmp_path: Path) -> None:
    assert probe("--stack", str(stack(tmp_path))) == (0, "there are no probes\n")
