"""The doors: who may come in, what is answered, and that a 200 means: it is on disk."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import io
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homelabmon.relay import bodies
from homelabmon.relay.app import Patience
from homelabmon.relay.bodies import Budget
from homelabmon.relay.connections import House
from homelabmon.relay.intake import ALL, alertmanager
from homelabmon.relay.store import writer
from homelabmon.spec.relay_file import Intake
from tests.relay.door import SECRETS, Door
from tests.relay.intake.payloads import FALCO, FLUX, alert, webhook

T = TypeVar("T")
FALCO_BODY = json.dumps(FALCO).encode()
FLUX_BODY = json.dumps(FLUX).encode()
GOOD = {
    "/v1/alertmanager": webhook(alert()),
    f"/v1/falco/{SECRETS['falco']}": FALCO_BODY,
    "/v1/flux": FLUX_BODY,
    "/v1/event": b'{"title": "Doorbell"}',
}


def at_door(folder: Path, scenario: Callable[[Door], Awaitable[T]], **options: Any) -> T:
    async def run() -> T:
        async with Door(folder, **options) as door:
            return await scenario(door)

    return asyncio.run(run())


GONE = (ConnectionResetError, asyncio.IncompleteReadError)
WRONG = ["", "Bearer", "Bearer wrong", "Basic d3Jvbmc=", "Basic !", "Bearer \N{SNOWMAN}", "tok-event"]
HEAD = b"POST /v1/event HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-event\r\n"

# What is stored ------------------------------------------------------------


@pytest.mark.parametrize("path", GOOD)
def test_what_is_answered_with_200_is_on_disk_as_it_came(tmp_path: Path, path: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.post(path, GOOD[path])
        assert (answer.status, answer.text) == (200, "stored\n")
        connection = sqlite3.connect(tmp_path / "relay.db")
        rows = connection.execute("SELECT source, packed, body FROM inbox").fetchall()
        connection.close()
        assert [(source, zlib.decompress(body) if packed else body) for source, packed, body in rows] == [
            (path.split("/")[2], GOOD[path])
        ]
        assert door.nudges == 1

    at_door(tmp_path, scenario)


@pytest.mark.parametrize("path", ["/v1/alertmanager", "/v1/flux", "/v1/event"])
@pytest.mark.parametrize("body", [b"", b"nope", b"[1]", b"\xff\xfe"])
def test_what_can_never_be_read_is_refused_with_the_reason_and_kept(tmp_path: Path, path: str, body: bytes) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.post(path, body)
        assert answer.status in (400, 422)
        (reason,) = await door.quarantined()
        assert answer.text == f"{reason} (kept as number 1 in the relay's quarantine)\n"
        assert await door.stored() == []

    at_door(tmp_path, scenario)


def test_a_bad_alert_goes_to_quarantine_and_the_good_ones_on(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.post("/v1/alertmanager", webhook(alert("A"), {"labels": {}}, alert("B")))
        assert answer.status == 200
        assert await door.quarantined() == ["an alert could not be read: it has no labels"]
        (delivery,) = await door.inbox.pending(0, 10)
        assert [notice.labels["alertname"] for notice in delivery.notices] == ["A", "B"]
        assert door.inbox.unread == {"alertmanager": 1}

    at_door(tmp_path, scenario)


def test_a_packed_request_is_unpacked(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        packed = gzip.compress(GOOD["/v1/alertmanager"])
        answer = await door.post("/v1/alertmanager", packed, **{"Content-Encoding": "gzip"})
        assert (answer.status, await door.stored()) == (200, [("alertmanager", GOOD["/v1/alertmanager"])])

    at_door(tmp_path, scenario)


def test_a_bug_of_ours_is_no_500_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("secret-looking detail")

    monkeypatch.setattr(alertmanager, "route_key", stumble)

    async def scenario(door: Door) -> None:
        answer = await door.post("/v1/alertmanager", GOOD["/v1/alertmanager"])
        assert answer.status == 422
        assert answer.text.startswith("the relay stumbles over it (KeyError): please report it")
        monkeypatch.undo()
        (row,) = await door.store.quarantine()
        assert await door.store.replay(row.id, 1.0)
        assert len(await door.inbox.pending(0, 10)) == 1

    at_door(tmp_path, scenario)
    assert "a bug: a request could not be read" in caplog.text


def test_a_bug_anywhere_else_is_a_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(door: Door) -> None:
        monkeypatch.setattr(door.inbox, "take", None)
        answer = await door.post("/v1/event", GOOD["/v1/event"])
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.text == "a bug of the relay (TypeError)\n"

    at_door(tmp_path, scenario)


# Who may come in ------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/alertmanager", "/v1/flux", "/v1/event", "/v1/falco", "/v1/falco/"])
@pytest.mark.parametrize("header", WRONG)
def test_nobody_comes_in_without_the_secret_and_nothing_is_kept(tmp_path: Path, path: str, header: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.post(path, b"x", token="", **({"Authorization": header} if header else {}))
        assert (answer.status, answer.text) == (401, "not with this secret\n")
        assert (await door.stored(), await door.quarantined()) == ([], [])

    at_door(tmp_path, scenario)


def test_falcos_secret_is_in_the_path_or_a_password(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        secret = SECRETS["falco"]
        basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
        answers = [
            await door.post(f"/v1/falco/{secret}", FALCO_BODY),
            await door.post("/v1/falco", FALCO_BODY, Authorization=f"Basic {basic}"),
            await door.post("/v1/falco/", FALCO_BODY, Authorization=f"Basic {basic}"),
            await door.post("/v1/falco", FALCO_BODY, token=secret),
            await door.post(f"/v1/falco/{secret}x", FALCO_BODY),
            await door.post(f"/v1/falco/{secret}/x", FALCO_BODY),
            await door.post(f"/v1/falcon/{secret}", FALCO_BODY),
        ]
        assert [answer.status for answer in answers] == [200, 200, 200, 200, 401, 401, 404]

    at_door(tmp_path, scenario)


def test_flux_signs_or_sends_the_token(tmp_path: Path) -> None:
    def signature(key: str, body: bytes = FLUX_BODY) -> str:
        return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()

    async def scenario(door: Door) -> None:
        answers = [
            await door.post("/v1/flux", FLUX_BODY, token="", **{"X-Signature": signature("key-flux")}),
            await door.post("/v1/flux", FLUX_BODY, token="", **{"X-Signature": signature("key-flux").upper()}),
            await door.post(
                "/v1/flux", FLUX_BODY, token="", **{"X-Signature": "sha256=" + signature("key-flux")[7:].upper()}
            ),
            await door.post("/v1/flux", FLUX_BODY, token="", **{"X-Signature": signature("wrong")}),
            await door.post("/v1/flux", FLUX_BODY + b" ", token="", **{"X-Signature": signature("key-flux")}),
            await door.post("/v1/flux", FLUX_BODY, token="key-flux", **{"X-Signature": "sha256="}),
            await door.post("/v1/flux", FLUX_BODY, token="key-flux"),
        ]
        assert [answer.status for answer in answers] == [200, 401, 200, 401, 401, 401, 200]
        large = b"x" * (2**20 + 1)
        answer = await door.post(
            "/v1/flux", io.BytesIO(large), token="", **{"X-Signature": signature("key-flux", large)}
        )
        assert (answer.status, await door.quarantined()) == (413, [])

    at_door(tmp_path, scenario)


def test_a_new_token_works_at_once_and_the_old_one_as_long_as_the_file_says(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        async def statuses() -> list[int]:
            return [
                (await door.post("/v1/event", GOOD["/v1/event"], token=token)).status for token in ("tok-event", "new")
            ]

        assert await statuses() == [200, 401]
        door.secret_file("event").write_text("new\ntok-event\n")
        assert await statuses() == [200, 200]
        door.secret_file("event").write_text("new\n")
        assert await statuses() == [401, 200]

    at_door(tmp_path, scenario)


def test_a_secret_that_cannot_be_read_lets_nobody_in_and_sends_nobody_away_for_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(door: Door) -> None:
        door.secret_file("event").write_text("\n")
        for _ in range(3):
            answer = await door.post("/v1/event", GOOD["/v1/event"])
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert (await door.post("/v1/alertmanager", GOOD["/v1/alertmanager"])).status == 200
        door.secret_file("event").write_text("tok-event")
        assert (await door.post("/v1/event", GOOD["/v1/event"])).status == 200

    at_door(tmp_path, scenario)
    assert caplog.text.count("a secret cannot be read") == 1


def test_a_door_without_a_secret_is_closed(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.app.doors.reconfigure(Intake())
        answer = await door.post("/v1/event", GOOD["/v1/event"])
        assert answer.status == 404
        assert answer.text == "the relay's configuration names no secret for event, so it takes nothing\n"

    at_door(tmp_path, scenario)


@pytest.mark.parametrize("public", [True, False])
def test_who_reads_the_metrics_shows_the_token_where_one_is_asked_for(tmp_path: Path, public: bool) -> None:
    async def scenario(door: Door) -> None:
        token = door.secret_file("scrape")
        token.write_text("tok-old\n")
        door.app.public = public
        door.app.doors.reconfigure(Intake(scrape_token_file=str(token)))
        for wrong in WRONG:
            answer = await door.ask("GET", "/metrics", headers={"Authorization": wrong} if wrong else {})
            assert (answer.status, answer.text) == (401, "not with this secret\n")
        assert (await door.ask("GET", "/metrics", headers={"Authorization": "Bearer tok-old"})).status == 200
        token.write_text("tok-new\ntok-old\n")
        assert (await door.ask("GET", "/metrics", headers={"Authorization": "Bearer tok-new"})).status == 200
        token.unlink()
        assert (await door.ask("GET", "/metrics", headers={"Authorization": "Bearer tok-new"})).status == 503

    at_door(tmp_path, scenario)


def test_without_a_token_to_ask_for_metrics_are_for_the_cluster_and_not_for_the_public(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask("GET", "/metrics")).status == 200
        door.app.public = True
        answer = await door.ask("GET", "/metrics")
        assert answer.status == 404
        assert "scrape_token_file" in answer.text

    at_door(tmp_path, scenario)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/alertmanager", 405),
        ("PUT", "/v1/event", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/v2/alertmanager", 404),
        ("GET", "/../etc/passwd", 404),
        ("HEAD", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_other_paths_and_methods(tmp_path: Path, method: str, path: str, status: int) -> None:
    async def scenario(door: Door) -> int:
        return (await door.ask(method, path)).status

    assert at_door(tmp_path, scenario) == status


# A disk that fails ------------------------------------------------------------


def test_nothing_is_acknowledged_that_cannot_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "AGAIN", 0.0)

    async def scenario(door: Door) -> None:
        await door.store._do(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
        large = json.dumps({"title": "x", "message": os.urandom(400_000).hex()}).encode()
        answer = await door.post("/v1/event", large)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.text == "it could not be stored: the disk is full\n"
        refused = await door.post("/v1/event", os.urandom(400_000))
        assert refused.status == 503
        ready = await door.ask("GET", "/readyz")
        assert (ready.status, ready.text) == (503, "the disk is full\n")
        assert (await door.ask("GET", "/healthz")).status == 200
        assert await door.stored() == []
        await door.store._do(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone())
        assert (await door.post("/v1/event", large)).status == 200
        assert (await door.ask("GET", "/readyz")).status == 200

    at_door(tmp_path, scenario)


def test_a_disk_that_is_not_there_yet_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "AGAIN", 0.0)

    async def scenario(door: Door) -> None:
        await door.store.close()
        answer = await door.post("/v1/event", GOOD["/v1/event"])
        assert (answer.status, answer.text) == (503, "it could not be stored: the relay is stopping\n")

    at_door(tmp_path, scenario)


# Large, slow and broken clients ------------------------------------------------------------


def test_what_is_too_large_is_refused_before_it_is_read_and_noted(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        head = (
            f"POST /v1/event HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-event\r\nContent-Length: {2**40}\r\n\r\n"
        )
        reader, client = await door.raw(head.encode())
        assert b" 413 " in await reader.readline()
        client.close()
        (row,) = await door.store.quarantine()
        assert (row.reason, row.size, row.kept) == ("larger than 16,777,216 bytes", 2**40, False)

    at_door(tmp_path, scenario)


def test_a_bomb_is_stopped_where_it_gets_too_large(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        bomb = gzip.compress(bytes(2**26))
        answer = await door.post("/v1/event", bomb, **{"Content-Encoding": "gzip"})
        assert answer.status == 413
        (row,) = await door.store.quarantine()
        assert 2**24 < row.size <= 2**24 + 2**23
        assert not row.kept

    at_door(tmp_path, scenario)


async def chunks(*pieces: bytes) -> Any:
    for piece in pieces:
        yield piece


def test_who_asks_before_sending_the_body_is_told_to_send_it(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        body = GOOD["/v1/event"]
        reader, client = await door.raw(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.write(body)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        client.close()
        assert await door.stored() == [("event", body)]

    at_door(tmp_path, scenario)


def test_bodies_without_a_length_are_read_up_to_the_limit(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        body = GOOD["/v1/event"]
        assert (await door.post("/v1/event", chunks(body[:5], body[5:]))).status == 200
        large = await door.post("/v1/event", chunks(*[b"x" * 2**20] * 17))
        assert large.status == 413

    at_door(tmp_path, scenario)


@pytest.mark.parametrize("sent", [b"", b"POST /v1/ev", b"POST /v1/event HTTP/1.1\r\nHost: x\r\n"])
def test_who_never_finishes_the_head_is_shown_out(tmp_path: Path, sent: bytes) -> None:
    async def scenario(door: Door) -> None:
        reader, client = await door.raw(sent)
        with pytest.raises(GONE):
            await reader.readexactly(1)
        client.close()
        assert len(door.app.house) == 0

    at_door(tmp_path, scenario, house=House(first_request=0.05))


def test_who_never_finishes_the_body_is_told_to_come_again(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        head = (
            b"POST /v1/event HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-event\r\nContent-Length: 100000\r\n\r\n"
        )
        reader, client = await door.raw(head + b"x" * 50)
        assert b" 503 " in await reader.readline()
        client.close()
        assert (await door.post("/v1/event", GOOD["/v1/event"])).status == 200
        assert await door.quarantined() == []

    at_door(tmp_path, scenario, patience=Patience(body=0.05))


def test_a_full_house_shows_out_who_has_waited_longest_without_a_request(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        idlers = [await door.raw(b"") for _ in range(3)]
        while len(door.app.house) < 3:
            await asyncio.sleep(0)
        assert (await door.post("/v1/event", GOOD["/v1/event"])).status == 200
        with pytest.raises(GONE):
            await idlers[0][0].readexactly(1)
        assert len(door.app.house) == 3
        for _, client in idlers:
            client.close()

    at_door(tmp_path, scenario, house=House(most=3, silent=0.05))


def test_many_more_at_once_than_there_is_room_for_wait_and_are_all_answered(tmp_path: Path) -> None:
    """As when a thousand jobs end in the same second: curl does not try again where it gets no answer at all."""

    async def scenario(door: Door) -> None:
        body = GOOD["/v1/event"]
        request = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body

        async def one() -> bytes:
            reader, client = await door.raw(request)
            answer = await reader.read()
            client.close()
            return answer

        answers = await asyncio.gather(*(one() for _ in range(120)))
        assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
        assert len(await door.stored()) == 120

    at_door(tmp_path, scenario, house=House(most=8))


def test_who_sends_at_once_is_not_shown_out_for_others_who_came_later(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        kept = [await door.raw(b"") for _ in range(2)]
        while len(door.app.house) < 2:
            await asyncio.sleep(0)
        waiting = asyncio.ensure_future(door.post("/v1/event", GOOD["/v1/event"]))
        for reader, client in kept:
            client.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            client.close()
        assert (await waiting).status == 200

    at_door(tmp_path, scenario, house=House(most=2, silent=60.0))


def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        head = (
            b"POST /v1/event HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-event\r\nContent-Length: 100000\r\n\r\n"
        )
        _, client = await door.raw(head + b"x" * 50)
        while door.app._budget.used == 0:
            await asyncio.sleep(0)
        client.transport.abort()
        while door.app._budget.used:
            await asyncio.sleep(0)
        assert (await door.stored(), await door.quarantined()) == ([], [])
        assert (await door.ask("GET", "/healthz")).status == 200

    at_door(tmp_path, scenario)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/event HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/event HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 70_000 + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
def test_what_is_no_http_is_a_400(tmp_path: Path, sent: bytes) -> None:
    async def scenario(door: Door) -> None:
        reader, client = await door.raw(sent)
        assert b" 400 " in await reader.readline()
        client.close()

    at_door(tmp_path, scenario)


def test_large_bodies_wait_for_one_another(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        budget, order = Budget(100), list[str]()

        async def one(name: str, size: int, done: asyncio.Event) -> None:
            async with budget.share(size):
                order.append(f"{name} in, {budget.used}")
                await done.wait()

        events = [asyncio.Event() for _ in range(4)]
        tasks = [
            asyncio.ensure_future(one(name, size, event))
            for (name, size), event in zip([("a", 60), ("b", 60), ("c", 10), ("d", 999)], events, strict=True)
        ]
        await asyncio.sleep(0)
        tasks[2].cancel()
        for event in events:
            await asyncio.sleep(0)
            event.set()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert budget.used == 0
        return order

    assert asyncio.run(scenario()) == ["a in, 60", "b in, 60", "d in, 100"]


def test_small_bodies_never_wait(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        async with door.app._budget.share(2**24):
            assert (await door.post("/v1/event", GOOD["/v1/event"])).status == 200
            large = await door.post("/v1/event", b'{"title": "' + b"x" * bodies.FREE + b'"}')
            assert large.status == 503

    at_door(tmp_path, scenario, patience=Patience(turn=0.05))


# Stopping, secrets, fuzz ------------------------------------------------------------


def test_stopping_ends_what_is_under_way_and_takes_no_more(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        body = GOOD["/v1/event"]
        head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        reader, client = await door.raw(head + body[:5])
        while not door.app.house._busy:
            await asyncio.sleep(0)
        stopping = asyncio.ensure_future(door.listener.stop(10))
        await asyncio.sleep(0)
        with pytest.raises(OSError):
            await door.raw(b"")
        client.write(body[5:])
        assert b" 200 " in await reader.readline()
        client.close()
        await stopping
        assert await door.stored() == [("event", body)]

    at_door(tmp_path, scenario)


def test_only_falcos_door_has_something_below_it(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for name in ("alertmanager", "event", "flux"):
            answer = await door.post(f"/v1/{name}/more", GOOD["/v1/event"], token=SECRETS[name])
            assert (answer.status, answer.text) == (404, "there is nothing here\n")
        assert await door.stored() == []

    at_door(tmp_path, scenario)


def test_what_a_crash_left_unread_is_read_as_at_the_door(tmp_path: Path) -> None:
    """A bad alert of a good group goes to quarantine by itself, whenever the group is read."""
    body = json.dumps({**json.loads(webhook(alert("good"))), "alerts": [alert("good"), {"status": "firing"}]}).encode()

    async def scenario(door: Door) -> None:
        number = await door.store.put("alertmanager", body, 1_795_379_476.0)
        (delivery,) = await door.inbox.pending(0, 10)
        assert (delivery.id, [notice.labels["alertname"] for notice in delivery.notices]) == (number, ["good"])
        assert await door.quarantined() == ["an alert could not be read: it has no labels"]

    at_door(tmp_path, scenario)


def test_a_relay_that_stops_is_not_ready(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.app.stopping = True
        ready = await door.ask("GET", "/readyz")
        assert (ready.status, ready.text) == (503, "the relay is stopping\n")
        assert (await door.ask("GET", "/healthz")).status == 200

    at_door(tmp_path, scenario)


def test_no_secret_is_ever_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(door: Door) -> None:
        for path in (*GOOD, "/v1/falco/wrong", "/nowhere"):
            for body in (GOOD.get(path, b""), b"nope", b""):
                await door.post(path, body)
                await door.post(path, body, token="wrong")

    with caplog.at_level(logging.DEBUG):
        at_door(tmp_path, scenario)
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert [secret for secret in SECRETS.values() if secret in said] == []


RUNS = int(os.environ.get("HOMELABMON_FUZZ", "300"))
"""Payloads for each door. The long mode: HOMELABMON_FUZZ=25000."""
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["firing", "4", "event"])
)
KEYS = (
    st.sampled_from(
        [*alert(), *json.loads(webhook()), *FALCO, *FLUX, "title", "key", "links", "status", "name", "kind"]
    )
    | st.text()
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6))
CHANGED = st.dictionaries(KEYS, VALUES, max_size=4)
PAYLOADS = st.one_of(
    st.binary(),
    VALUES.map(lambda data: json.dumps(data).encode()),
    CHANGED.map(lambda changed: webhook({**alert(), **changed}, **{})),
    CHANGED.map(lambda changed: webhook(alert(), **changed) if "alerts" not in changed else b"{}"),
    CHANGED.map(lambda changed: json.dumps({**FALCO, **changed}).encode()),
    CHANGED.map(lambda changed: json.dumps({**FLUX, **changed}).encode()),
    CHANGED.map(lambda changed: json.dumps({"title": "x", **changed}).encode()),
)


@pytest.mark.parametrize("path", GOOD)
def test_no_payload_makes_a_500_or_is_lost(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    """Every payload is stored, or kept in quarantine with the reason; and what is stored can be read again."""
    loop = asyncio.new_event_loop()
    door = loop.run_until_complete(Door(tmp_path_factory.mktemp("door")).__aenter__())
    opened = door.store._writer
    loop.run_until_complete(door.store.open())
    assert opened._opened is not None
    opened._opened.connection.execute("PRAGMA synchronous = OFF")  # nobody is killed here
    stored = list[bytes]()

    @settings(max_examples=RUNS, suppress_health_check=list(HealthCheck), database=None)
    @given(PAYLOADS)
    def one(body: bytes) -> None:
        answer = loop.run_until_complete(door.post(path, body))
        assert answer.status in (200, 400, 422), answer.text
        if answer.status == 200:
            stored.append(body)
        else:
            assert "kept as number" in answer.text

    async def read_again() -> int:
        rows, after = list[bytes](), 0
        while found := await door.store.inbox(after, 1000):
            rows += [row.body for row in found]
            after = found[-1].id
        assert rows == stored
        count = after = 0
        while deliveries := await door.inbox.pending(after, 1000):
            count += len(deliveries)
            after = deliveries[-1].id
        return count

    try:
        one()
        assert loop.run_until_complete(read_again()) == len(stored)
    finally:
        loop.run_until_complete(door.__aexit__(None, None, None))
        loop.close()


def test_every_intake_has_a_door() -> None:
    assert sorted(intake.name for intake in ALL) == sorted(SECRETS)
