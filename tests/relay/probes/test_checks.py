"""Every check against a real server that does what it should not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from homelabmon.relay.checking import flaws
from homelabmon.relay.config import read_config
from homelabmon.relay.probes.checks import http as http_check
from homelabmon.relay.probes.checks import icmp, line
from homelabmon.relay.probes.checks.errors import UnknownError
from homelabmon.relay.probes.checks.network import Network
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.probes.targets import target_of
from homelabmon.spec.watch import Probe
from tests.relay.probes import servers
from tests.relay.probes.servers import HOST, Dns, answering, http, tcp
from tests.relay.test_service import written

CA = trustme.CA()
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority of these tests is one of the system's."""
    context = ssl.create_default_context()
    CA.configure_trust(context)
    monkeypatch.setattr(http_check, "tls_context", lambda: http_check.watched(context))


async def look(**probe: Any) -> Outcome:
    """Asks a probe once; half a second is enough on loopback."""
    return await Network().check(target_of(Probe.model_validate({"name": "a", "timeout": "5s", **probe})))


def said(outcome: Outcome) -> tuple[str, str]:
    return outcome.verdict, outcome.words


# HTTP ------------------------------------------------------------------------------------------------------


def test_what_answers_as_expected_is_fine_and_its_steps_are_timed() -> None:
    async def scenario() -> None:
        async with tcp(answering(http())) as port:
            found = await look(url=f"http://{HOST}:{port}/")
        assert said(found) == ("ok", "")
        assert found.latency is not None
        assert found.latency < 5
        assert [step.rsplit(" ", 2)[0] for step in found.timing.split(", ")] == ["dns", "connect", "first byte"]

    asyncio.run(scenario())


ANSWERS: list[tuple[bytes, dict[str, Any], str]] = [
    (http("503 Unavailable"), {}, "status 503 instead of 200"),
    (http("503 Unavailable"), {"status": [200, 401]}, "status 503 instead of 200 or 401"),
    (http("503 Unavailable"), {"status": [200, 204, 401]}, "status 503 instead of 200, 204 or 401"),
    (http("401 No"), {"status": [200, 401]}, ""),
    (http(body=b"<h1>Welcome</h1>"), {"body": "Welc.me"}, ""),
    (http(body=b"<h1>Welcome</h1>"), {"body": "^Welcome"}, "its body does not match '^Welcome'"),
    (http(body="Grüße".encode()), {"body": "^Gr..e$"}, ""),
    (http("200 OK", gzip.compress(b"Welcome"), "Content-Encoding: gzip"), {"body": "Welcome"}, ""),
    (
        http("200 OK", gzip.compress(b"x" * 2**22), "Content-Encoding: gzip"),
        {"body": "y"},
        "its body does not match 'y'",
    ),
    (http("200 OK", b"no gzip at all", "Content-Encoding: gzip"), {"body": "no gzip"}, ""),
    (http("204 None", b""), {"status": [204]}, ""),
    (http("302 Go", b"", "Location: /on"), {"redirects": False, "status": [302]}, ""),
    (http("302 Go", b"", "Location: /on"), {}, "it redirects more than 10 times"),
    (http("302 Go", b"", "Location: ftp://a.invalid/"), {}, "it redirects to what is no web address"),
    (http("302 Go", b"", "Location: http://[::1"), {}, "it redirects to what is no web address"),
    (http("302 Go", b""), {}, "status 302 instead of 200"),
    (b"SSH-2.0-OpenSSH_9.6\r\n", {}, "what came is not HTTP"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", {}, "the answer broke off"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", {}, "what came is not HTTP"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", {}, "what came is not HTTP"),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", {"body": "the end$"}, ""),
]


@pytest.mark.parametrize(("answer", "expect", "words"), ANSWERS)
def test_an_answer_is_what_was_expected_or_the_difference_is_told(
    answer: bytes, expect: dict[str, Any], words: str
) -> None:
    async def scenario() -> None:
        async with tcp(answering(answer)) as port:
            found = await look(url=f"http://{HOST}:{port}/", expect=expect)
        assert said(found) == ("failed" if words else "ok", words)

    asyncio.run(scenario())


def test_a_body_that_would_fill_the_memory_is_unpacked_as_far_as_needed() -> None:
    packed = gzip.compress(b"x" * 2**26)
    assert len(http_check.decompressed(packed, "gzip")) == http_check.BODY_LIMIT


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (servers.silent, "no answer within 0.3 s"),
        (servers.reset, "the connection was reset"),
        (servers.hangs_up, "the connection was closed without an answer"),
        (servers.dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), "no answer within 0.3 s"),
        (servers.dripping(b"HTTP/1.1 200 OK\r\n\r\n"), "its answer did not end within 0.3 s"),
    ],
)
def test_who_does_not_answer_properly_is_told_apart(handler: servers.Handler, words: str) -> None:
    async def scenario() -> None:
        async with tcp(handler) as port:
            found = await look(url=f"http://{HOST}:{port}/", timeout="300ms")
        assert said(found) == ("failed", words)

    asyncio.run(scenario())


def test_nobody_there_and_nobody_who_takes_connections() -> None:
    async def scenario() -> None:
        port = servers.closed_port()
        assert said(await look(url=f"http://{HOST}:{port}/")) == ("failed", "the connection was refused")
        async with servers.full() as port:
            found = await look(url=f"http://{HOST}:{port}/", timeout="300ms")
            assert said(found) == ("failed", "no connection within 0.3 s")

    asyncio.run(scenario())


def test_a_name_that_does_not_exist() -> None:
    found = asyncio.run(look(url="http://nobody.invalid/"))
    assert said(found) == ("failed", "the name does not exist, or has no address")


def test_a_body_without_end_is_read_as_far_as_needed() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def scenario() -> None:
        async with tcp(endless) as port:
            assert said(await look(url=f"http://{HOST}:{port}/", expect={"body": "^x+$"})) == ("ok", "")

    asyncio.run(scenario())


def test_redirects_are_followed_with_the_cookies_they_set() -> None:
    def home(path: str, headers: dict[str, str]) -> bytes:
        if path == "/" and "cookie" not in headers:
            return http("302 Go", b"", "Location: login?next=home", "Set-Cookie: seen=1; Path=/")
        return http(body=f"{path} {headers.get('cookie')}".encode())

    async def scenario() -> None:
        async with tcp(answering(home)) as port:
            found = await look(url=f"http://{HOST}:{port}/", expect={"body": "^/login.next=home seen=1$"})
        assert said(found) == ("ok", "")

    asyncio.run(scenario())


def test_a_password_in_the_address_goes_to_its_own_host_only() -> None:
    heard = list[str | None]()

    async def scenario() -> None:
        def elsewhere(path: str, headers: dict[str, str]) -> bytes:
            heard.append(headers.get("authorization"))
            return http()

        async with tcp(answering(elsewhere)) as other:

            def home(path: str, headers: dict[str, str]) -> bytes:
                heard.append(headers.get("authorization"))
                return http("302 Go", b"", "Location: /on" if path == "/" else f"Location: http://{HOST}:{other}/")

            async with tcp(answering(home)) as port:
                assert said(await look(url=f"http://me:secret@{HOST}:{port}/")) == ("ok", "")
        assert heard == ["Basic bWU6c2VjcmV0", "Basic bWU6c2VjcmV0", None]

    asyncio.run(scenario())


def test_what_is_said_of_a_failure_shows_nothing_of_the_address() -> None:
    async def scenario() -> None:
        for url in ("http://me:secret@nobody.invalid/?key=secret", f"http://me:secret@{HOST}:{servers.closed_port()}/"):
            found = await look(url=url)
            assert found.verdict == "failed"
            assert "secret" not in str(found)

    asyncio.run(scenario())


def test_a_name_server_that_is_silent_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def silent(host: str, port: int) -> list[line.Address]:
        answer.wait(30)
        return []

    monkeypatch.setattr(line, "_look_up", silent)

    async def scenario() -> None:
        made = Network()
        hanging = [
            target_of(Probe(name=f"p{n}", tcp=f"n{n}.invalid:1", timeout=timedelta(seconds=0.3))) for n in range(40)
        ]
        async with tcp(servers.silent) as port:
            fine = target_of(Probe(name="fine", tcp=f"{HOST}:{port}"))
            found = await asyncio.gather(*(made.check(one) for one in (*hanging, fine)))
        assert {said(one) for one in found[:-1]} == {("failed", "its name could not be looked up within 0.3 s")}
        assert said(found[-1]) == ("ok", "")
        under_way = [one for one in threading.enumerate() if one.name == "look-up"]
        assert len(under_way) == line.LOOK_UPS
        assert all(one.daemon for one in under_way)
        answer.set()
        for _ in range(3):
            assert said(await made.check(hanging[0])) == ("failed", "the name has no address")

    asyncio.run(scenario())


def test_both_families_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int) -> list[line.Address]:
        return [(socket.AF_INET, (HOST, port)), (socket.AF_INET6, ("::1", port, 0, 0))]

    monkeypatch.setattr(line, "_look_up", both)

    async def scenario() -> None:
        async with tcp(answering(http()), host="::1") as port:
            assert said(await look(url=f"http://localhost:{port}/")) == ("ok", "")
            assert said(await look(url=f"http://[::1]:{port}/")) == ("ok", "")
            assert said(await look(tcp=f"localhost:{port}")) == ("ok", "")
            assert said(await look(tcp=f"[::1]:{port}")) == ("ok", "")

    asyncio.run(scenario())


# TLS -------------------------------------------------------------------------------------------------------


def certificate(*names: str, days: float = 90.0, ca: trustme.CA = CA) -> ssl.SSLContext:
    """A server's context with a certificate for these names that runs out in so many days."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    until = NOW + timedelta(days=days)
    ca.issue_cert(*names, not_before=NOW - timedelta(days=100), not_after=until).configure_cert(context)
    return context


def test_a_certificate_is_verified_and_its_end_is_told() -> None:
    async def scenario() -> None:
        async with tcp(answering(http("204 None", b"")), tls=certificate("localhost", HOST)) as port:
            found = await look(url=f"https://localhost:{port}/", expect={"status": [204]})
            assert said(found) == ("ok", "")
            assert found.certificate_until is not None
            assert abs(found.certificate_until - (NOW + timedelta(days=90)).timestamp()) < 1
            steps = [step.rsplit(" ", 2)[0] for step in found.timing.split(", ")]
            assert steps == ["dns", "connect", "tls", "first byte"]
            assert said(await look(url=f"https://{HOST}:{port}/", expect={"status": [204]})) == ("ok", "")

    asyncio.run(scenario())


def test_the_first_certificate_of_the_chain_to_run_out_is_the_one_that_counts() -> None:
    async def scenario() -> None:
        between = CA.create_child_ca()
        until = between._certificate.not_valid_after_utc.timestamp()
        async with tcp(answering(http()), tls=certificate("localhost", days=400_000, ca=between)) as port:
            found = await look(url=f"https://localhost:{port}/")
        assert (found.verdict, found.certificate_until) == ("ok", until)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (certificate("localhost", days=-1), "its certificate is not valid: it has expired"),
        (certificate("other.example"), "its certificate is not valid: it is for another name"),
        (
            certificate("localhost", ca=trustme.CA()),
            "its certificate is not valid: its issuer is not known, or an intermediate certificate is missing",
        ),
    ],
)
def test_a_certificate_that_no_visitor_would_accept_is_a_failure(context: ssl.SSLContext, words: str) -> None:
    async def scenario() -> None:
        async with tcp(answering(http()), tls=context) as port:
            assert said(await look(url=f"https://localhost:{port}/")) == ("failed", words)

    asyncio.run(scenario())


def test_a_server_without_tls_has_none() -> None:
    async def scenario() -> None:
        async with tcp(servers.silent) as port:
            found = await look(url=f"https://{HOST}:{port}/", timeout="300ms")
            assert said(found) == ("failed", "no TLS connection within 0.3 s")
        async with tcp(servers.greets) as port:
            assert said(await look(url=f"https://{HOST}:{port}/")) == ("failed", "no TLS connection could be made")

    asyncio.run(scenario())


def test_the_name_that_is_asked_for_is_told_to_the_server() -> None:
    heard = list[str | None]()

    async def scenario() -> None:
        context = certificate("localhost")
        context.sni_callback = lambda _, name, __: heard.append(name)
        async with tcp(answering(http()), tls=context) as port:
            assert said(await look(url=f"https://localhost:{port}/")) == ("ok", "")
        assert heard == ["localhost"]

    asyncio.run(scenario())


def test_who_is_sent_from_tls_to_plain_http_did_not_get_there() -> None:
    async def scenario() -> None:
        async with tcp(answering(http())) as plain:
            going = http("301 Go", b"", f"Location: http://{HOST}:{plain}/")
            async with tcp(answering(going), tls=certificate("localhost")) as port:
                found = await look(url=f"https://localhost:{port}/")
        assert said(found) == ("failed", "it redirects from HTTPS to plain HTTP")

    asyncio.run(scenario())


# TCP, ICMP -------------------------------------------------------------------------------------------------


def test_a_port_takes_connections_or_does_not() -> None:
    async def scenario() -> None:
        async with tcp(servers.silent) as port:
            found = await look(tcp=f"{HOST}:{port}")
            assert said(found) == ("ok", "")
            assert found.timing.startswith("dns 0 ms, connect ")
        assert said(await look(tcp=f"{HOST}:{servers.closed_port()}")) == ("failed", "the connection was refused")
        async with servers.full() as port:
            found = await look(tcp=f"{HOST}:{port}", timeout="300ms")
            assert said(found) == ("failed", "no connection within 0.3 s")
        found = await look(tcp="nobody.invalid:80")
        assert said(found) == ("failed", "the name does not exist, or has no address")

    asyncio.run(scenario())


def can_ping(family: socket.AddressFamily) -> bool:
    try:
        icmp.open_socket(family).close()
    except UnknownError:
        return False
    return True


@pytest.mark.parametrize(("host", "family"), [(HOST, socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_host_answers_pings_or_nobody_here_may_ping(host: str, family: socket.AddressFamily) -> None:
    found = asyncio.run(look(icmp=host))
    assert said(found) == (("ok", "") if can_ping(family) else ("unknown", icmp.CANNOT))


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here may ping."""

    def refuse(*_: object) -> socket.socket:
        raise PermissionError

    mine = {name: getattr(socket, name) for name in ("SOCK_DGRAM", "SOCK_RAW", "AF_INET", "AF_INET6")}
    monkeypatch.setattr(icmp, "socket", SimpleNamespace(**mine, socket=refuse))


@pytest.mark.usefixtures("forbidden")
def test_where_nobody_may_ping_nothing_is_said_of_the_host() -> None:
    assert said(asyncio.run(look(icmp=HOST))) == ("unknown", icmp.CANNOT)


@pytest.mark.usefixtures("forbidden")
def test_what_cannot_be_asked_is_known_beforehand(tmp_path: Path) -> None:
    probes = [{"name": "web", "tcp": "web.lan:80"}, {"name": "router", "icmp": "192.168.1.1"}]
    config = written(tmp_path, None, probes=probes)
    assert [flaw for flaw in flaws(read_config(config)) if "probes" in flaw] == [f"probes[1], router: {icmp.CANNOT}"]


def test_an_echo_is_ours_only_with_our_own_words() -> None:
    nonce = b"0123456789abcdef"
    asked = icmp.request(socket.AF_INET, 7, nonce)
    assert icmp.checksum(asked) == 0
    answer = b"\0" + asked[1:]
    ip = b"\x45" + b"\0" * 19
    assert icmp.is_reply(answer, socket.AF_INET, socket.SOCK_DGRAM, nonce)
    assert icmp.is_reply(ip + answer, socket.AF_INET, socket.SOCK_RAW, nonce)
    assert icmp.is_reply(b"\x81" + asked[1:], socket.AF_INET6, socket.SOCK_RAW, nonce)
    for other in (asked, answer[:-1], b"", answer.replace(b"0123", b"9999")):
        assert not icmp.is_reply(other, socket.AF_INET, socket.SOCK_DGRAM, nonce)


# DNS -------------------------------------------------------------------------------------------------------

ZONE: servers.Zone = {
    ("a.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("six.example.", "AAAA"): ["2001:db8::1"],
    ("mail.example.", "MX"): ["10 mx.example."],
    ("text.example.", "TXT"): ['"v=spf1 -all"'],
    ("example.", "SOA"): ["ns.example. me.example. 7 3600 600 86400 300"],
    ("example.", "NS"): ["ns.example."],
    ("www.example.", "CNAME"): ["a.example."],
}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"query": "a.example"}, ""),
        ({"query": "a.example.", "answer": r"192\.0\.2\.2$"}, ""),
        ({"query": "a.example", "answer": r"^a\.example\.\t300\tIN\tA\t192\.0\.2\.1$"}, ""),
        ({"query": "a.example", "answer": "198"}, "no record matches '198'"),
        ({"query": "a.example", "type": "AAAA"}, "it has no AAAA record"),
        ({"query": "six.example", "type": "AAAA", "answer": "2001:db8::1$"}, ""),
        ({"query": "mail.example", "type": "MX", "answer": r"10 mx\.example\.$"}, ""),
        ({"query": "text.example", "type": "TXT", "answer": '"v=spf1'}, ""),
        ({"query": "example", "type": "SOA", "answer": " 7 3600 "}, ""),
        ({"query": "example", "type": "NS"}, ""),
        ({"query": "www.example", "type": "CNAME", "answer": r"a\.example\.$"}, ""),
        ({"query": "www.example", "type": "A"}, "it has no A record"),
    ],
)
@pytest.mark.parametrize("too_long", [False, True])
def test_records_are_there_and_match(question: dict[str, str], words: str, too_long: bool) -> None:
    async def scenario() -> None:
        server = Dns(ZONE, too_long=too_long)
        async with server.serving() as address:
            found = await look(dns={"server": address, **question})
        assert said(found) == ("failed" if words else "ok", words)
        assert server.asked == (["udp", "tcp"] if too_long else ["udp"])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("rcode", "words"),
    [
        ("NXDOMAIN", "the name does not exist (NXDOMAIN)"),
        ("SERVFAIL", "the server failed to find out (SERVFAIL)"),
        ("REFUSED", "the server refuses to answer (REFUSED)"),
        ("NOTIMP", "the server answers NOTIMP"),
    ],
)
def test_a_name_server_that_has_no_answer_says_why(rcode: str, words: str) -> None:
    async def scenario() -> None:
        async with Dns(ZONE, rcode=rcode).serving() as address:
            assert said(await look(dns={"server": address, "query": "a.example"})) == ("failed", words)

    asyncio.run(scenario())


def test_a_name_server_that_is_silent_or_talks_nonsense() -> None:
    async def scenario() -> None:
        server = Dns(ZONE, mute=True)
        async with server.serving() as address:
            found = await look(dns={"server": address, "query": "a.example"}, timeout="300ms")
            assert said(found) == ("failed", "no answer within 0.3 s")
            server.mute, server.garbage = False, True
            found = await look(dns={"server": address, "query": "a.example"}, timeout="300ms")
            assert found.words in ("what came is no DNS answer", "no answer within 0.3 s")

    asyncio.run(scenario())


# What third parties say of themselves ----------------------------------------------------------------------


def theirs(body: bytes, status: str = "200 OK") -> Theirs | None:
    async def scenario() -> Theirs | None:
        async with tcp(answering(http(status, body))) as port:
            probe = {"name": "a", "url": f"http://{HOST}:{port}/", "statuspage": f"http://{HOST}:{port}/summary.json"}
            return await Network().theirs(target_of(Probe.model_validate(probe)), 7.0)

    return asyncio.run(scenario())


def test_their_summary_is_read_with_what_is_not_well() -> None:
    body = b"""{"status": {"indicator": "minor", "description": "Partial  System\\nOutage."}, "components": [
        {"name": "Git", "status": "operational"}, {"name": "Group", "group": true, "status": "major_outage"},
        {"name": "Packages", "status": "partial_outage"}, {"name": "Pages", "status": "under_maintenance"},
        {"name": "A", "status": "major_outage"}, {"name": "B", "status": "major_outage"}]}"""
    assert theirs(body) == Theirs("minor", "Partial System Outage", 7.0, ("Packages", "Pages", "A"))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"status": 7}', b'{"status": {"indicator": "doomed"}}', b"\xff", b"[" * 9999],
)
def test_what_is_no_summary_says_nothing(body: bytes) -> None:
    assert theirs(body) is None


def test_an_error_page_says_nothing() -> None:
    assert theirs(b'{"status": {"indicator": "none", "description": ""}}', "404 No") is None


def test_strangers_words_are_short_and_hold_no_secret() -> None:
    body = b'{"status": {"indicator": "major", "description": "%s"}}' % (b"x" * 5000)
    found = theirs(body)
    assert found is not None
    assert len(found.description) == 120
    found = theirs(
        b'{"status": {"indicator": "major", "description": 7}, "components": [7, {"name": ["x"], "status": 1}]}'
    )
    assert found == Theirs("major", "", 7.0)
