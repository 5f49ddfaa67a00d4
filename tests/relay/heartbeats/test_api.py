"""The ping API over a real server, case by case as clients of healthchecks know it; with curl, as their pages say."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from homelabmon.relay.app import App, Listener
from homelabmon.relay.clock import SystemClock
from homelabmon.relay.doors import Doors
from homelabmon.relay.heartbeats import api, records
from homelabmon.relay.heartbeats.addresses import derived_ping_key, derived_uuid
from homelabmon.relay.heartbeats.api import Address, BadPathError, address_of
from homelabmon.relay.heartbeats.keeper import MOST_MADE
from homelabmon.relay.heartbeats.parts import Heartbeats
from homelabmon.relay.heartbeats.records import Heard, Record
from homelabmon.relay.inbox import Inbox
from homelabmon.relay.part import Tools
from homelabmon.relay.secrets import SecretText
from homelabmon.relay.store.store import Store
from tests.relay.door import Answer
from tests.relay.heartbeats.desk import HOURLY, file_of

KEY: Final = "correct-horse-battery-staple"
UUID: Final = derived_uuid(SecretText(KEY), "hourly")
PING_KEY: Final = derived_ping_key(SecretText(KEY))
RID: Final = "123e4567-e89b-12d3-a456-426614174000"


class Server:
    """A server with one heartbeat, ``hourly``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "key").write_text(KEY)

    async def __aenter__(self) -> Server:
        clock = SystemClock()
        file = file_of(HOURLY, intake={"heartbeat_key_file": str(self.folder / "key")})
        self.store = Store(str(self.folder / "relay.db"), clock.now())
        self.nudges = 0
        self.heartbeats = Heartbeats(file, Tools(self.store, clock, self._nudge))
        await self.heartbeats.keeper.look()
        inbox = Inbox(self.store, clock)
        self.app = App(inbox, Doors(file.intake), clock, metrics=self._metrics, nudge=self._nudge, most_body=2**24)
        self.app.others = self._other
        self.listener = Listener(self.app)
        self.port = await self.listener.start("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = aiohttp.ClientSession(self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.listener.stop(5)
        await self.store.close()

    async def ask(self, path: str, method: str = "GET", **options: Any) -> Answer:
        async with self.session.request(method, path, allow_redirects=False, **options) as response:
            return Answer(response.status, response.headers, (await response.read()).decode())

    async def record(self, name: str = "hourly") -> Record:
        found = await self.store.transact(lambda connection: records.find(connection, name))
        assert found is not None
        return found

    async def pings(self, name: str = "hourly") -> list[Heard]:
        return await self.store.transact(lambda connection: records.pings(connection, name))

    async def _other(self, request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        return await self.heartbeats.api.handle(request) or aiohttp.web.Response(status=404, text="nothing")

    async def _metrics(self) -> str:
        return ""

    def _nudge(self) -> None:
        self.nudges += 1


def served(folder: Path, scenario: Callable[[Server], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Server(folder) as server:
            await scenario(server)

    asyncio.run(run())


# The compatibility table ---------------------------------------------------------------------------------------------

BOTH: Final = (f"/{UUID}", f"/{PING_KEY}/hourly")
ROOTS: Final = ("/ping", "")


METHODS: Final = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
SAID: Final = (
    *(("", "success", None), ("/start", "start", None), ("/fail", "fail", None), ("/log", "log", None)),
    *(("/0", "success", 0), ("/1", "fail", 1), ("/255", "fail", 255)),
    *(("/TERM", "fail", 143), ("/KILL", "fail", 137), ("/ABRT", "fail", 134)),
)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("place", BOTH)
def test_what_is_accepted(tmp_path: Path, root: str, place: str) -> None:
    async def scenario(server: Server) -> None:
        for method in METHODS:
            for rest, kind, code in SAID:
                answer = await server.ask(f"{root}{place}{rest}", method)
                assert (answer.status, answer.text) == (200, "" if method == "HEAD" else "OK")
                assert answer.headers["Ping-Body-Limit"] == "10000"
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                assert "no-cache" in answer.headers["Cache-Control"]
                heard = (await server.pings())[0]
                assert (heard.kind, heard.exit_code, heard.method) == (kind, code, method)

    served(tmp_path, scenario)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/{UUID}/", 200, "OK"),
        (f"/{UUID[:-1]}{'0' if UUID[-1] != '0' else '1'}", 404, "not found"),
        (f"/{UUID}/stop", 404, "not found"),
        (f"/{UUID}/Stop", 400, "invalid url format"),
        (f"/{UUID}/term", 404, "not found"),
        (f"/{UUID}/SIGTERM", 400, "invalid url format"),
        (f"/{PING_KEY}/TERM", 400, "invalid url format"),
        (f"/{UUID.upper()}/start", 404, "not found"),
        (f"/{UUID.replace('-', '')}/start", 404, "not found"),
        (f"/{UUID}/256", 400, "invalid url format"),
        (f"/{PING_KEY}/hourly/99999999999999999999", 400, "invalid url format"),
        (f"/{PING_KEY}/Hourly", 400, "invalid url format"),
        (f"/{PING_KEY}/{'x' * 101}", 400, "invalid url format"),
        (f"/{PING_KEY}/daily", 404, "not found"),
        (f"/{PING_KEY}/daily?create=0", 404, "not found"),
        (f"/{PING_KEY}/daily?create=1", 201, "Created"),
        (f"/{PING_KEY}/hourly?create=1", 200, "OK"),
        (f"/{PING_KEY[:-1]}/hourly", 404, "not found"),
        (f"/{PING_KEY[:-1]}/daily?create=1", 404, "not found"),
        (f"/{UUID}?rid={RID}", 200, "OK"),
        (f"/{UUID}?rid={RID.upper()}", 200, "OK"),
        (f"/{UUID}?rid={RID.replace('-', '')}", 400, "invalid uuid format"),
        (f"/{UUID}?rid=", 400, "invalid uuid format"),
        (f"/{UUID}?create=1&rid={RID}", 200, "OK"),
        (f"/{UUID}?at=1790000000.5", 200, "OK"),
        (f"/{UUID}?at=yesterday", 400, "invalid time format"),
        (f"/{UUID}?at=nan", 400, "invalid time format"),
    ],
)
def test_the_answer(tmp_path: Path, root: str, path: str, status: int, words: str) -> None:
    async def scenario(server: Server) -> None:
        answer = await server.ask(f"{root}{path}")
        assert (answer.status, answer.text) == (status, words)
        everything = await server.store.transact(lambda one: one.execute("SELECT * FROM heartbeat_pings").fetchall())
        assert len(everything) == (status < 300)

    served(tmp_path, scenario)


@pytest.mark.parametrize(
    ("at", "sent", "meant"),
    [
        (None, None, 1000.0),
        ("900", None, 900.0),
        ("1100", None, 1000.0),
        ("900", "1001.5", 900.0),
        ("4500", "4600", 900.0),
        ("500", "600", 900.0),
        ("700", "600", 1000.0),
        ("900", "soon", None),
        ("-1", None, None),
        ("inf", None, None),
    ],
)
def test_a_ping_counts_from_when_it_was_meant_whatever_the_senders_clock_shows(
    at: str | None, sent: str | None, meant: float | None
) -> None:
    assert api.moment(at, sent, 1000.0) == meant


@pytest.mark.parametrize(
    "path",
    ["", "/", f"/{UUID.upper()}", f"/{UUID.replace('-', '')}", f"/{PING_KEY}/hourly/", f"/{UUID}/start/", "/a/b/c/d"],
)
def test_below_ping_nothing_else_is_looked_for(tmp_path: Path, path: str) -> None:
    async def scenario(server: Server) -> None:
        answer = await server.ask(f"/ping{path}")
        assert (answer.status, answer.text) == (404, "not found")

    served(tmp_path, scenario)


@pytest.mark.parametrize(
    "path", ["/", "/x", "/quarantine/3/drop", "/dead-letters/3/replay", "/v1/flux", "/a/b/c/d", "/a/b/c"]
)
def test_at_the_root_other_paths_are_left_to_others(path: str) -> None:
    assert address_of(path) is None


def test_paths_in_words() -> None:
    assert address_of(f"/ping/{UUID}/7") == Address("fail", UUID, exit_code=7)
    assert address_of("/ping/some-key/name/log") == Address("log", key="some-key", name="name")
    with pytest.raises(BadPathError):
        address_of("/k/N")


# What is kept --------------------------------------------------------------------------------------------------------


def test_run_ids_in_any_case_are_the_same(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        await server.ask(f"/ping/{UUID}/start?rid={RID.upper()}")
        await server.ask(f"/ping/{UUID}?rid={RID}")
        state = (await server.record()).state
        assert (state.status, state.last_start) == ("up", None)
        assert state.duration is not None

    served(tmp_path, scenario)


@pytest.mark.parametrize("size", [0, 9_999, 10_000, 10_001, 300_000, 3_000_000])
def test_the_first_bytes_of_a_body_are_kept(tmp_path: Path, size: int) -> None:
    async def scenario(server: Server) -> None:
        body = (bytes(range(256)) * (size // 256 + 1))[:size]
        answer = await server.ask(f"/ping/{UUID}/log", "POST", data=io.BytesIO(body))
        assert answer.status == 200
        (heard,) = await server.pings()
        assert heard.body == body[:10_000]

    served(tmp_path, scenario)


def test_a_body_that_is_no_text_is_told_as_well_as_can_be(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        answer = await server.ask(f"/ping/{UUID}/fail", "POST", data="é".encode() * 4_999 + b"\xff\xc3\xa9\xc3")
        assert answer.status == 200
        assert (await server.record()).said.endswith("é\ufffd\ufffd")
        assert server.nudges == 1

    served(tmp_path, scenario)


def test_who_pinged_is_kept(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        headers = {"User-Agent": "x" * 300, "X-Forwarded-For": "192.0.2.7, 10.0.0.1"}
        await server.ask(f"/ping/{UUID}", headers=headers)
        (heard,) = await server.pings()
        assert (heard.client, heard.address) == ("x" * 200, "192.0.2.7")

    served(tmp_path, scenario)


def test_what_a_ping_made_is_kept_apart_and_bounded(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        assert (await server.ask(f"/ping/{PING_KEY}/daily/start?create=1&rid={RID}")).status == 201
        assert (await server.ask(f"/ping/{PING_KEY}/daily?create=1&rid={RID}")).status == 200
        assert (await server.record("daily")).made
        for number in range(MOST_MADE - 1):
            assert await server.heartbeats.keeper.hear(f"made-{number}", Heard("success", 1.0, 1.0), create=True)
        assert (await server.ask(f"/ping/{PING_KEY}/more?create=1")).status == 404

    served(tmp_path, scenario)


# Trouble -------------------------------------------------------------------------------------------------------------


def test_while_nothing_can_be_stored_clients_are_told_to_come_again(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        await server.store.close()
        answer = await server.ask(f"/ping/{UUID}")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")

    served(tmp_path, scenario)


def test_too_many_at_once_are_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST", 0)

    async def scenario(server: Server) -> None:
        answer = await server.ask(f"/ping/{UUID}")
        assert (answer.status, answer.text) == (503, "too many pings at once")

    served(tmp_path, scenario)


def test_without_its_key_nobody_is_turned_away_for_good(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(server: Server) -> None:
        (tmp_path / "key").unlink()
        for _ in range(3):
            assert (await server.ask(f"/ping/{UUID}")).status == 503
        (tmp_path / "key").write_text("short")
        assert (await server.ask(f"/ping/{UUID}")).status == 503
        (tmp_path / "key").write_text(f"another-key-of-some-length\n{KEY}\n")
        assert (await server.ask(f"/ping/{UUID}")).status == 200

    served(tmp_path, scenario)
    reasons = [record.reason for record in caplog.records if hasattr(record, "reason")]
    assert [reason.partition(": ")[2] for reason in reasons] == [
        "cannot be read: No such file or directory",
        "holds a key of less than 16 characters",
    ]
    assert "short" not in caplog.text


def test_many_at_once_are_all_on_disk(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        asked = [server.ask(f"/ping/{PING_KEY}/made-{number}?create=1") for number in range(100)]
        assert {answer.status for answer in await asyncio.gather(*asked)} == {201}
        (count,) = await server.store.transact(
            lambda connection: connection.execute("SELECT count(*) FROM heartbeat_pings").fetchone()
        )
        assert count == 100

    served(tmp_path, scenario)


# The command lines that healthchecks publishes -----------------------------------------------------------------------

CURL: Final = shutil.which("curl")


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -m 10 --retry 5 $URL", [("success", None, b"")]),
        ("curl -fsS -m 10 --retry 5 -o /dev/null $URL", [("success", None, b"")]),
        ("curl -fsS -m 10 --retry 5 -o /dev/null $URL/fail", [("fail", None, b"")]),
        ("curl -fsS -m 10 --retry 5 $URL/start; curl -fsS -m 10 --retry 5 $URL",
         [("success", None, b""), ("start", None, b"")]),
        ("false; curl -fsS -m 10 --retry 5 $URL/$?", [("fail", 1, b"")]),
        ('m=$(echo all is well 2>&1); curl -fsS -m 10 --retry 5 --data-raw "$m" $URL/$?',
         [("success", 0, b"all is well")]),
        ("(echo to the log; exit 3) | curl -fsS -m 10 --data-binary @- $URL/log", [("log", None, b"to the log\n")]),
        ("curl -fsS -m 10 --retry 5 -X POST --data-binary 'é' $URL", [("success", None, "é".encode())]),
        (f"curl -fsS -m 10 '$URL/start?rid={RID}'", [("start", None, b"")]),
        ("curl -fsS -m 10 -I $URL", [("success", None, b"")]),
        ("curl -fsS -m 10 --retry 3 $URL/start", [("start", None, b"")]),
        ("EXIT_STATUS=0; curl -sS -m 10 --retry 5 $URL/${EXIT_STATUS}", [("success", 0, b"")]),
        ("EXIT_STATUS=TERM; curl -sS -m 10 --retry 5 $URL/${EXIT_STATUS}", [("fail", 143, b"")]),
        ("seq 3 | curl -fsS -m 10 --retry 5 -T - $URL", [("success", None, b"1\n2\n3\n")]),
        ("seq 3 | curl -fsS -m 10 -H 'Expect: 100-continue' --expect100-timeout 60 --data-binary @- $URL/log",
         [("log", None, b"1\n2\n3\n")]),
        ("curl -fsS -m 10 -X OPTIONS $URL", [("success", None, b"")]),
        ("curl -fsS -m 10 --compressed --http2 -H 'Connection: close' $URL/7", [("fail", 7, b"")]),
        ("curl -fsS -m 10 -F 'log=@/etc/hostname' -o /dev/null $URL/nothing || curl -fsS -m 10 $URL/log",
         [("log", None, b"")]),
        ("wget $URL -T 10 -t 10 -O /dev/null", [("success", None, b"")]),
        ("python3 -c 'import urllib.request as u; u.urlopen(\"$URL/fail\", data=b\"log\", timeout=10)'",
         [("fail", None, b"log")]),
    ],
)  # fmt: skip
def test_published_command_lines(tmp_path: Path, command: str, expected: list[tuple[str, int | None, bytes]]) -> None:
    async def scenario(server: Server) -> None:
        line = command.replace("$URL", f"{server.url}/ping/{UUID}")
        environment: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "NO_PROXY": "*", "LC_ALL": "C.UTF-8"}
        done = await asyncio.to_thread(
            lambda: subprocess.run(["sh", "-c", line], capture_output=True, env=dict(environment), check=False)
        )
        assert done.returncode == 0, done.stderr
        assert [(heard.kind, heard.exit_code, heard.body) for heard in await server.pings()] == expected

    served(tmp_path, scenario)


def test_a_slow_way_moves_no_late_report_and_a_wrong_clock_moves_all() -> None:
    now = 1_790_000_000.0
    for late in (0.0, 3.0, 9.0):
        assert api.moment(f"{now - 60}", f"{now - late}", now) == now - 60
    for wrong in (-3600.0, 3600.0):
        assert api.moment(f"{now - 60 + wrong}", f"{now + wrong}", now) == now - 60
