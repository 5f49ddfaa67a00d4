"""Both vantages mean the same: the blackbox exporter with the module that is rendered, and our own checks, asked about
the same servers at the same time."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import trustme
import yaml

from homelabmon.components.blackbox import module_name, modules
from homelabmon.relay.probes.checks import http as http_check
from homelabmon.relay.probes.checks.network import Network
from homelabmon.relay.probes.outcome import Outcome
from homelabmon.relay.probes.targets import target_of
from homelabmon.spec.watch import Probe
from tests.relay.probes import servers
from tests.relay.probes.servers import HOST, Dns, answering, http, tcp
from tests.relay.probes.test_checks import ZONE, certificate

pytestmark = pytest.mark.program("blackbox_exporter")


@dataclass(frozen=True)
class Verdict:
    """What a vantage says of a probe."""

    up: bool
    certificate_until: float | None = None


class Exporter:
    """A real exporter, whose modules are those of one probe after the other."""

    def __init__(self, folder: Path, authorities: Path) -> None:
        self._config = folder / "blackbox.yml"
        self._config.write_text("modules: {}\n")
        self.port = servers.closed_port()
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                "blackbox_exporter",
                f"--config.file={self._config}",
                f"--web.listen-address={HOST}:{self.port}",
            ],
            env={"SSL_CERT_FILE": str(authorities), "PATH": os.environ["PATH"]},
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self._get("/-/healthy")
                return
            except OSError:
                assert time.monotonic() < deadline
                assert self._process.poll() is None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def _get(self, path: str, data: bytes | None = None) -> str:
        patience = {"X-Prometheus-Scrape-Timeout-Seconds": "1.5"}  # the exporter stops half a second before
        asked = urllib.request.Request(f"http://{HOST}:{self.port}{path}", data, patience)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return str(answer.read().decode())

    def ask(self, probe: Probe) -> Verdict:
        self._config.write_text(yaml.safe_dump({"modules": modules((probe,))}))
        self._get("/-/reload", b"")
        target = probe.dns.server if probe.dns is not None else probe.target
        text = self._get(f"/probe?{urlencode({'target': target, 'module': module_name(probe)})}")
        found = dict(re.findall(r"^(probe_success|probe_ssl_earliest_cert_expiry) (\S+)$", text, re.MULTILINE))
        until = found.get("probe_ssl_earliest_cert_expiry")
        return Verdict(found["probe_success"] == "1", None if until is None else float(until))


CA = trustme.CA()


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    folder = tmp_path_factory.mktemp("blackbox")
    CA.cert_pem.write_to_path(str(folder / "ca.pem"))
    made = Exporter(folder, folder / "ca.pem")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    monkeypatch.setattr(http_check, "tls_context", lambda: http_check.watched(context))


async def outside(probe: Probe) -> Outcome:
    return await Network().check(target_of(probe))


async def agree(exporter: Exporter, **fields: Any) -> bool:
    """Both are asked; what they say, which is the same."""
    probe = Probe.model_validate({"name": "a", "timeout": "2s", **fields})
    inside = await asyncio.to_thread(exporter.ask, probe)
    ours = await outside(probe)
    assert Verdict(ours.verdict == "ok", ours.certificate_until) == inside, ours.words
    return inside.up


HTTP: list[tuple[bytes, dict[str, Any], bool]] = [
    (http(), {}, True),
    (http("503 No"), {}, False),
    (http("503 No"), {"status": [200, 503]}, True),
    (http("201 Made"), {}, False),
    (http(body=b"<h1>Welcome</h1>\nsecond"), {"body": "Welc.me"}, True),
    (http(body=b"<h1>Welcome</h1>\nsecond"), {"body": "^second"}, False),
    (http(body=b"<h1>Welcome</h1>\nsecond"), {"body": "(?m)^second"}, True),
    (http(body=b"<h1>Welcome</h1>\nsecond"), {"body": "Welcome.*second"}, False),
    (http(body="Grüße".encode()), {"body": "^Gr..e$"}, True),
    (http(body=b"\xff\xfe binary"), {"body": "binary$"}, True),
    (http("204 None", b""), {"status": [204]}, True),
    (http("302 Go", b"", "Location: /"), {}, False),
    (http("302 Go", b"", "Location: /"), {"redirects": False, "status": [302]}, True),
    (http("302 Go", b"", "Location: /"), {"redirects": False}, False),
    (http("302 Go", b"", "Location: ftp://nobody.invalid/"), {}, False),
    (b"SSH-2.0-OpenSSH_9.6\r\n", {}, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nshort", {}, False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", {}, False),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", {"body": "end$"}, True),
]


@pytest.mark.parametrize(("answer", "expect", "up"), HTTP)
def test_an_answer_over_http(exporter: Exporter, answer: bytes, expect: dict[str, Any], up: bool) -> None:
    async def scenario() -> None:
        async with tcp(answering(answer)) as port:
            assert await agree(exporter, url=f"http://{HOST}:{port}/", expect=expect) == up

    asyncio.run(scenario())


@pytest.mark.parametrize("handler", [servers.reset, servers.hangs_up, servers.silent])
def test_no_answer_over_http(exporter: Exporter, handler: servers.Handler) -> None:
    async def scenario() -> None:
        async with tcp(handler) as port:
            assert not await agree(exporter, url=f"http://{HOST}:{port}/", timeout="1s")

    asyncio.run(scenario())


@pytest.mark.parametrize("hops", [9, 10, 11])
def test_so_many_redirects(exporter: Exporter, hops: int) -> None:
    def home(path: str, _: dict[str, str]) -> bytes:
        number = int(path[1:] or 0)
        return http() if number == hops else http("302 Go", b"", f"Location: /{number + 1}")

    async def scenario() -> None:
        async with tcp(answering(home)) as port:
            assert await agree(exporter, url=f"http://{HOST}:{port}/0") == (hops <= 10)

    asyncio.run(scenario())


def test_redirects_with_cookies(exporter: Exporter) -> None:
    def home(path: str, headers: dict[str, str]) -> bytes:
        if "cookie" in headers:
            return http()
        return http("302 Go", b"", "Location: /", "Set-Cookie: seen=1; Path=/")

    async def scenario() -> None:
        async with tcp(answering(home)) as port:
            assert await agree(exporter, url=f"http://{HOST}:{port}/")

    asyncio.run(scenario())


@asynccontextmanager
async def over_tls(context: ssl.SSLContext, answer: bytes) -> AsyncIterator[int]:
    async with tcp(answering(answer), tls=context) as port:
        yield port


@pytest.mark.parametrize(
    ("names", "days", "ca", "up"),
    [
        ((HOST, "localhost"), 90.0, CA, True),
        ((HOST,), 3.0, CA, True),
        ((HOST,), -1.0, CA, False),
        (("other.example",), 90.0, CA, False),
        ((HOST,), 90.0, trustme.CA(), False),
    ],
)
def test_a_certificate(exporter: Exporter, names: tuple[str, ...], days: float, ca: trustme.CA, up: bool) -> None:
    async def scenario() -> None:
        async with over_tls(certificate(*names, days=days, ca=ca), http()) as port:
            assert await agree(exporter, url=f"https://{HOST}:{port}/") == up

    asyncio.run(scenario())


@pytest.mark.parametrize("expect", [{}, {"body": "fine"}])
def test_who_is_sent_from_tls_to_plain_http(exporter: Exporter, expect: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with tcp(answering(http())) as plain:
            going = http("301 Go", b"", f"Location: http://{HOST}:{plain}/")
            async with over_tls(certificate(HOST, ca=CA), going) as port:
                probe = Probe.model_validate({"name": "a", "url": f"https://{HOST}:{port}/", "expect": expect})
                inside = await asyncio.to_thread(exporter.ask, probe)
                assert (inside.up, (await outside(probe)).verdict) == (False, "failed")

    asyncio.run(scenario())


def test_connections(exporter: Exporter) -> None:
    async def scenario() -> None:
        async with tcp(servers.silent) as port:
            assert await agree(exporter, tcp=f"{HOST}:{port}")
        assert not await agree(exporter, tcp=f"{HOST}:{servers.closed_port()}")
        assert not await agree(exporter, tcp="nobody.invalid:80")

    asyncio.run(scenario())


QUESTIONS: list[tuple[dict[str, str], bool]] = [
    ({"query": "a.example"}, True),
    ({"query": "a.example", "answer": r"192\.0\.2\.2$"}, True),
    ({"query": "a.example", "answer": r"^a\.example\.\t300\tIN\tA\t192\.0\.2\.1$"}, True),
    ({"query": "a.example", "answer": "198"}, False),
    ({"query": "a.example", "type": "AAAA"}, False),
    ({"query": "a.example", "type": "AAAA", "answer": ".*"}, False),
    ({"query": "six.example", "type": "AAAA", "answer": "2001:db8::1$"}, True),
    ({"query": "mail.example", "type": "MX", "answer": r"\t10 mx\.example\.$"}, True),
    ({"query": "text.example", "type": "TXT", "answer": r'\t"v=spf1 -all"$'}, True),
    ({"query": "example", "type": "SOA", "answer": " 7 3600 600 86400 300$"}, True),
    ({"query": "example", "type": "NS", "answer": r"ns\.example\.$"}, True),
    ({"query": "www.example", "type": "CNAME", "answer": r"a\.example\.$"}, True),
    ({"query": "www.example", "type": "A"}, False),
    ({"query": "nobody.example"}, False),
]


@pytest.mark.parametrize(("question", "up"), QUESTIONS)
def test_a_question(exporter: Exporter, question: dict[str, str], up: bool) -> None:
    async def scenario() -> None:
        async with Dns(ZONE).serving() as address:
            assert await agree(exporter, dns={"server": address, **question}) == up

    asyncio.run(scenario())


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "SERVFAIL", "REFUSED"])
def test_a_name_server_that_has_no_answer(exporter: Exporter, rcode: str) -> None:
    async def scenario() -> None:
        async with Dns(ZONE, rcode=rcode).serving() as address:
            assert not await agree(exporter, dns={"server": address, "query": "a.example"})

    asyncio.run(scenario())
