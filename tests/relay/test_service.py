"""The whole service: from a webhook to a message in a fake Discord, through files, signals and restarts."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web

from homelabmon.relay.clock import SystemClock
from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.incidents.model import Changes
from homelabmon.relay.incidents.notice import Delivery, Notice
from homelabmon.relay.service import Options, Service
from homelabmon.relay.store import writer
from homelabmon.relay.store.store import Store
from tests.outside import ROOT
from tests.relay.fake_discord import FakeDiscord
from tests.relay.intake.payloads import FALCO, alert, webhook
from tests.relay.store.examples import NOW, dead_letter, episode, incident, with_store

STORE_LOGS = "homelabmon.relay.store"
SOON = "2026-11-22T20:30:16Z"


def written(folder: Path, discord: FakeDiscord | None, **changed: Any) -> Path:
    """A configuration, with its secrets beside it."""
    secrets = {"am": "tok-am", "falco": "tok-falco", "event": "tok-event"}
    url = discord.webhooks["ops"].url if discord else "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68
    secrets["ops"] = url
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
    config = folder / "relay.yaml"
    config.write_text(
        json.dumps(
            {
                "version": 1,
                "name": "home",
                "role": "relay",
                "channels": {"ops": {"webhook_file": str(folder / "ops")}},
                "default": {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "0s"},
                "intake": {
                    "alertmanager_token_file": str(folder / "am"),
                    "falco_path_file": str(folder / "falco"),
                    "event_token_file": str(folder / "event"),
                },
                "database": str(folder / "relay.db"),
                **changed,
            }
        )
    )
    return config


class Client:
    """Talks to a running service."""

    def __init__(self, service: Service, session: aiohttp.ClientSession) -> None:
        self.service, self._session = service, session

    async def post(self, path: str, body: bytes, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.post(self._url(path), data=body, headers=headers) as response:
            await response.read()
            return response.status

    async def press(self, path: str, token: str) -> int:
        async with self._session.post(self._url(path), data={"csrf": token}, allow_redirects=False) as response:
            return response.status

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._url(path)) as response:
            return response.status, await response.text()

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.service.port}{path}"


def serving(
    folder: Path,
    scenario: Callable[[Client, FakeDiscord], Awaitable[None]],
    show: Callable[[str], None] | None = None,
    **changed: Any,
) -> None:
    async def run() -> None:
        async with FakeDiscord() as discord:
            discord.add_webhook("ops")
            service = Service(
                WatchedConfig(written(folder, discord, **changed)), SystemClock(), Options("127.0.0.1", 0, show)
            )
            ready = asyncio.Event()
            running = asyncio.ensure_future(service.run(lambda _: ready.set()))
            try:
                await asyncio.wait({running, asyncio.ensure_future(ready.wait())}, return_when="FIRST_COMPLETED")
                async with aiohttp.ClientSession() as session:
                    await scenario(Client(service, session), discord)
            finally:
                service.stop()
                await running

    asyncio.run(run())


async def until(true: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits until something is so. What it waits for comes by itself: nothing is told to be faster than it is."""
    deadline = time.monotonic() + 30
    while True:
        result = true()
        if result if isinstance(result, bool) else await result:
            return
        assert time.monotonic() < deadline, "it never comes"
        await asyncio.sleep(0.01)


def messages(discord: FakeDiscord) -> str:
    return "\n".join(message.text for message in discord.messages.values())


# From sender to reader ------------------------------------------------------------


def test_an_alert_is_posted_and_edited_and_the_accounts_balance(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert await client.post("/v1/alertmanager", webhook(alert()), "tok-am") == 200
        await until(lambda: len(discord.messages) == 1)
        assert "NodeDown it is" in messages(discord)
        over = webhook(alert(status="resolved", endsAt="2026-11-22T20:31:00Z"), status="resolved")
        assert await client.post("/v1/alertmanager", over, "tok-am") == 200
        assert await client.post("/v1/alertmanager", over, "tok-am") == 200
        await until(lambda: "RESOLVED" in messages(discord))
        assert len(discord.messages) == 1

        async def told() -> bool:
            return 'homelabmon_alerts_posted_total{channel="ops"} 2' in (await client.get("/metrics"))[1]

        await until(told)
        _, page = await client.get("/metrics")
        found = dict(re.findall(r'^homelabmon_(?:alerts_)?(\w+?)\{channel="ops"\} (\d+)$', page, re.MULTILINE))
        assert (
            int(found["received_total"])
            == 3
            == sum(
                int(found[name])
                for name in (
                    "posted_total",
                    "suppressed_total",
                    "deduplicated_total",
                    "dead_lettered_total",
                    "queue_alerts",
                )
            )
        )

    serving(tmp_path, scenario)


def test_what_is_held_back_is_counted_as_queued_on_the_metrics_page(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert (
            await client.post("/v1/alertmanager", webhook(alert("n1"), alert("n2", fingerprint="f" * 16)), "tok-am")
            == 200
        )

        async def queued() -> bool:
            page = (await client.get("/metrics"))[1]
            return all(
                f'homelabmon_{name}{{channel="ops"}} 2\n' in page for name in ("alerts_received_total", "queue_alerts")
            )

        await until(queued)

    default = {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "1000h"}
    serving(tmp_path, scenario, default=default)


def test_a_dry_run_posts_nothing_and_shows_everything(tmp_path: Path) -> None:
    shown = list[str]()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/falco/tok-falco", json.dumps(FALCO).encode(), "")
        await until(lambda: len(shown) == 1)
        assert not discord.messages

    serving(tmp_path, scenario, shown.append)
    assert shown[0].startswith("--- would be posted\n")
    assert "A shell was spawned in a container" in shown[0]


@pytest.mark.program("promtool")
def test_the_metrics_page_is_as_promtool_wants_it(tmp_path: Path) -> None:
    pages = list[str]()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/falco/tok-falco", json.dumps(FALCO).encode(), "")
        await client.post("/v1/event", b"nope", "tok-event")
        await client.post("/v1/event", b"nope", "wrong")

        async def delivered() -> bool:
            return "homelabmon_delivery_seconds_count" in (await client.get("/metrics"))[1]

        await until(delivered)
        pages.append((await client.get("/metrics"))[1])

    serving(tmp_path, scenario)
    linted = subprocess.run(
        ["promtool", "check", "metrics"], input=pages[0], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")
    for line in (
        "homelabmon_store_writable 1",
        "homelabmon_config_last_reload_successful 1",
        "homelabmon_quarantined_payloads 1",
        'homelabmon_channel_disabled{channel="ops"} 0',
        'homelabmon_requests_total{source="event",code="401"} 1',
        'homelabmon_unread_total{source="event"} 1',
        'homelabmon_delivery_seconds_count{channel="ops"} 1',
    ):
        assert f"\n{line}\n" in pages[0]


def test_every_metric_that_a_rule_about_the_relay_asks_for_is_there(tmp_path: Path) -> None:
    pack = (ROOT / "templates" / "packs" / "relay.yaml.j2").read_text()
    asked = set(re.findall(r"\bhomelabmon_\w+", pack))

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        told = set(re.findall(r"^(\w+)[{ ]", (await client.get("/metrics"))[1], re.MULTILINE))
        assert len(asked) > 5
        assert asked - told == set()

    serving(tmp_path, scenario)


# The page ------------------------------------------------------------


def test_the_page_shows_what_is_open_and_its_buttons_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homelabmon.relay.service.LOOK_EVERY", 0.01)

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/alertmanager", webhook(alert()), "tok-am")
        await client.post("/v1/event", b"nope", "tok-event")
        await client.service.store.commit(Changes(dead_letters=[dead_letter(1)]))
        await until(lambda: len(discord.messages) == 1)
        status, page = await client.get("/")
        assert status == 200
        for words in ("NodeDown it is", "it is not JSON", "Invalid Form Body", "#ops", "/quarantine/1/drop"):
            assert words in page
        token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
        forged = await client.press("/quarantine/1/drop", "forged")
        assert (forged, await client.press("/quarantine/99/drop", token)) == (403, 404)
        assert await client.press("/quarantine/1/drop", token) == 303
        assert await client.press("/dead-letters/1/replay", token) == 303
        assert await client.service.store.quarantine() == []

        async def replayed() -> bool:
            return (await client.service.store.dead_letters())[0].replayed_at is not None

        await until(replayed)
        for path, expected in (("/nowhere", 404), ("/quarantine/1/burn", 404), ("/quarantine/1/drop", 405)):
            assert (await client.get(path))[0] == expected

    serving(tmp_path, scenario)


def test_the_page_says_when_nothing_can_be_stored(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        status, page = await client.get("/")
        assert status == 200
        assert "Nothing can be stored, so nothing is taken" in page

    serving(tmp_path, scenario, database=str(tmp_path / "nowhere" / "relay.db"))


# A database without a past ------------------------------------------------------------


async def listing(request: web.Request) -> web.Response:
    """An Alertmanager that has run for an hour, and lists one alert."""
    if request.path.endswith("/status"):
        return web.json_response({"uptime": "2026-01-01T00:00:00Z"})
    one = {
        "fingerprint": "a" * 16,
        "labels": {"alertname": "NodeDown", "node": "n1"},
        "annotations": {"summary": "n1 was down before"},
        "startsAt": "2026-11-20T00:00:00Z",
        "endsAt": "2036-11-20T00:00:00Z",
        "updatedAt": "2026-11-22T00:00:00Z",
        "receivers": [{"name": "relay"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    }
    return web.json_response([one, {**one, "fingerprint": "b" * 16, "receivers": [{"name": "deadman"}]}])


def test_what_fires_already_is_taken_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homelabmon.relay.service.LOOK_EVERY", 0.01)

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: len(discord.messages) == 1)
        assert "n1 was down before" in messages(discord)

        async def noted() -> bool:
            return await client.service.store.recall("adopted") is not None

        await until(noted)

    async def again(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event")
        await until(lambda: "Doorbell" in messages(discord))
        assert "n1 was down before" not in messages(discord)

    with Elsewhere(listing) as alertmanager:
        serving(tmp_path, scenario, alertmanagers=[alertmanager.url])
        serving(tmp_path, again, alertmanagers=[alertmanager.url])


class Elsewhere:
    """A server in a thread of its own, so that it lives longer than one service."""

    def __init__(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> None:
        self._handler, self._loop = handler, asyncio.new_event_loop()
        self.url = ""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/{any:.*}", self._handler)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"


# Changes while it runs ------------------------------------------------------------


def test_a_new_configuration_is_taken_and_a_bad_one_is_not(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        discord.add_webhook("media")
        (tmp_path / "media").write_text(discord.webhooks["media"].url)
        channels = {name: {"webhook_file": str(tmp_path / name)} for name in ("ops", "media")}
        default = {"name": "default", "channel": "media", "group_by": ["alertname"], "hold": "0s"}
        written(tmp_path, discord, channels=channels, default=default)
        client.service._hangup()
        await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event")
        await until(lambda: len(discord.messages) == 1)
        assert [message.channel for message in discord.messages.values()] == [discord.webhooks["media"].channel]
        (tmp_path / "relay.yaml").write_text("nonsense")
        client.service._hangup()
        assert "homelabmon_config_last_reload_successful 0" in (await client.get("/metrics"))[1]
        assert await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event") == 200

    serving(tmp_path, scenario)


def test_a_new_configuration_changes_doors_limits_and_whom_to_ask(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        asked = asyncio.Event()

        async def answer(request: web.BaseRequest) -> web.Response:
            asked.set()
            return web.json_response([])

        async with await asyncio.get_running_loop().create_server(web.Server(answer), "127.0.0.1", 0) as alertmanager:
            port = alertmanager.sockets[0].getsockname()[1]
            await reconfigured(client, discord, port)
            assert await client.post("/v1/alertmanager", webhook(alert("n1")), "tok-am") == 200
            await asyncio.wait_for(asked.wait(), 30)

    async def reconfigured(client: Client, discord: FakeDiscord, port: int) -> None:
        (tmp_path / "other").write_text("tok-other")
        written(
            tmp_path,
            discord,
            intake={
                "event_token_file": str(tmp_path / "other"),
                "alertmanager_token_file": str(tmp_path / "am"),
                "max_body": "16Mi",
            },
            retention={"quarantine": 1},
            alertmanagers=[f"http://127.0.0.1:{port}"],
            default={"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "1s"},
        )
        client.service._hangup()
        assert await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event") == 401
        assert await client.post("/v1/falco/tok-falco", b"x", "") == 404
        assert client.service.app.most_body == 2**24
        for body in (b"nope", b"nor this"):
            assert await client.post("/v1/event", body, "tok-other") == 400
        assert len(await client.service.store.quarantine()) == 1

    serving(tmp_path, scenario)


def test_what_need_not_be_kept_any_longer_goes_by_itself(tmp_path: Path) -> None:
    old = incident(1, closed_at=NOW)
    with_store(tmp_path / "relay.db", lambda store: store.commit(Changes(incidents=[old])))

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        async def gone() -> bool:
            return not await client.service.store.recent(10)

        await until(gone)

    serving(tmp_path, scenario, retention={"incidents": "1s"})


def test_a_dead_letter_is_told_again_long_after_its_incident_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the book has forgotten, the disk still knows: people look at dead letters in the morning."""
    monkeypatch.setattr("homelabmon.relay.service.LOOK_EVERY", 0.01)
    over = replace(incident(1, closed_at=NOW), told_revision=5, group={"alertname": "NodeDown"}, event=False)
    members = [replace(episode(7, incident=1), doubted_at=None)]

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        store = client.service.store
        await store.commit(Changes(episodes=members, incidents=[over], dead_letters=[dead_letter(3), dead_letter(4)]))
        await store.transact(
            lambda connection: connection.execute("UPDATE dead_letters SET incidents = '[9]' WHERE id = 4")
        )
        for number in (3, 4):
            await store.want(number, NOW)

        async def dealt_with() -> bool:
            return not await store.wanted()

        await until(dealt_with)
        assert {one.id: one.replayed_at is None for one in await store.dead_letters()} == {3: False, 4: True}
        await until(lambda: "NodeDown" in messages(discord))
        assert len(discord.messages) == 1

    serving(tmp_path, scenario)
    lost = [record for record in caplog.records if record.message.startswith("some incidents")]
    assert [(one.dead_letter, one.count) for one in lost] == [(3, 1), (4, 1)]  # type: ignore[attr-defined]


def test_another_prometheus_is_asked_what_was_missed_as_soon_as_it_is_named(tmp_path: Path) -> None:
    asked = list[str]()

    async def prometheus(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": []}})

    async def an_hour_ago() -> None:
        store = Store(str(tmp_path / "relay.db"), NOW)
        await store.beat(time.time() - 3600)
        await store.close()

    asyncio.run(an_hour_ago())
    with Elsewhere(prometheus) as there:

        async def scenario(client: Client, discord: FakeDiscord) -> None:
            written(tmp_path, discord, prometheus=there.url)
            client.service._hangup()

            async def looked_at() -> bool:
                return await client.service.store.recall("gap_open_since") == 0.0

            await until(looked_at)

        serving(tmp_path, scenario, prometheus="http://127.0.0.1:9")
    assert set(asked) == {"/api/v1/query_range"}


def test_the_owner_hears_of_a_damaged_database_in_discord(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "relay.db").write_bytes(b"not a database, and longer than a header is" * 100)

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: len(discord.messages) == 1)
        assert "The alert relay had to start a new database" in messages(discord)
        assert "homelabmon_store_replaced_total 1" in (await client.get("/metrics"))[1]

    serving(tmp_path, scenario)
    assert "the database was damaged: it was moved aside and a new one started" in caplog.text


def of_the_disk(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged about the disk; nothing may have come with a traceback."""
    assert [record.message for record in caplog.records if record.exc_info] == []
    return [
        (record.message, str(vars(record)["path"])) for record in caplog.records if record.name.startswith(STORE_LOGS)
    ]


def test_a_full_disk_is_said_once_and_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("homelabmon.relay.service.LOOK_EVERY", 0.01)
    monkeypatch.setattr("homelabmon.relay.engine.RETRY_FIRST", 0.01)
    caplog.set_level("INFO")

    async def pages(client: Client, most: int) -> None:
        limit = f"PRAGMA max_page_count = {most}"
        await client.service.store._do(lambda connection: connection.execute(limit).fetchone())

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        caplog.clear()
        await pages(client, 1)
        big = Notice("event", "f", {"alertname": "Big", "note": os.urandom(100_000).hex()}, True, NOW, event=True)
        taken = asyncio.ensure_future(
            client.service.engine.act(lambda book, now: book.take(Delivery(1, now, (big,)), now))
        )
        await until(lambda: client.service.engine.figures.commits_failed > 3)
        assert await client.post("/v1/event", json.dumps({"title": big.labels["note"]}).encode(), "tok-event") == 503
        await pages(client, 1_000_000)
        await taken
        await until(lambda: len(discord.messages) == 1)

    serving(tmp_path, scenario)
    path = str(tmp_path / "relay.db")
    assert of_the_disk(caplog) == [
        ("nothing can be stored: the disk is full; make room on it", path),
        ("the store can be written again", path),
    ]


def test_a_volume_that_comes_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("homelabmon.relay.service.LOOK_EVERY", 0.01)
    monkeypatch.setattr(writer, "AGAIN", 0.0)

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert (await client.get("/readyz"))[0] == 503
        assert (await client.get("/healthz"))[0] == 200
        assert await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event") == 503
        assert "homelabmon_store_writable 0" in (await client.get("/metrics"))[1]
        (tmp_path / "volume").mkdir()

        async def ready() -> bool:
            return (await client.get("/readyz"))[0] == 200

        await until(ready)
        assert await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event") == 200
        await until(lambda: len(discord.messages) == 1)

    caplog.set_level("INFO")
    path = str(tmp_path / "volume" / "relay.db")
    serving(tmp_path, scenario, database=path)
    assert of_the_disk(caplog) == [
        ("nothing can be stored: there is no such folder; create the folder, or mount the volume there", path),
        ("the store can be written again", path),
    ]


def test_what_was_stored_before_a_restart_is_told_after_it(tmp_path: Path) -> None:
    async def leave() -> None:
        store = Store(str(tmp_path / "relay.db"), NOW)
        await store.put("alertmanager", webhook(alert()), NOW)
        await store.put("unheard-of", b"?", NOW)
        await store.close()

    asyncio.run(leave())

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: len(discord.messages) == 1)
        (row,) = await client.service.store.quarantine()
        assert row.reason == "this relay does not know such senders"

    serving(tmp_path, scenario)


# As a process ------------------------------------------------------------


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "homelabmon", "relay", "--config", str(folder / "relay.yaml"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_process_logs_json_and_ends_at_once_when_told_to(tmp_path: Path) -> None:
    written(tmp_path, None)
    with start(tmp_path, "--listen", "127.0.0.1:0", "--dry-run") as process:
        assert process.stderr is not None
        first = json.loads(process.stderr.readline())
        assert (first["level"], first["message"], first["dry_run"]) == ("info", "listening", True)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in process.stderr.read().splitlines()]
        assert process.wait(30) == 0
    assert rest[-1]["message"] == "stopped"
    assert sorted(item.name for item in tmp_path.glob("relay.db*")) == ["relay.db", "relay.db.lock"]


def test_a_port_that_is_taken_and_a_bad_configuration_are_the_users_business(tmp_path: Path) -> None:
    written(tmp_path, None)
    with start(tmp_path, "--listen", "127.0.0.1:0", "--dry-run") as first:
        assert first.stderr is not None
        port = json.loads(first.stderr.readline())["port"]
        with start(tmp_path, "--listen", f"127.0.0.1:{port}") as second:
            _, said = second.communicate(timeout=30)
            assert second.returncode == 2
            assert "address already in use" in said.splitlines()[-1].lower()
        first.terminate()
    (tmp_path / "relay.yaml").write_text("version: 2\n")
    with start(tmp_path) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "relay.yaml:1:10: error: version: 2" in said


def test_nothing_secret_is_logged_however_much_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secrets = list[str]()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        secrets.append(discord.webhooks["ops"].url)
        await client.post("/v1/event", b'{"title": "Doorbell"}', "tok-event")
        await until(lambda: len(discord.messages) == 1)

    with caplog.at_level(logging.DEBUG):
        serving(tmp_path, scenario)
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert [secret for secret in (*secrets, "tok-event", "tok-am", "tok-falco") if secret in said] == []
