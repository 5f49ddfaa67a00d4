"""The status page as the service serves it: real server, real store."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from homelabmon.relay import history
from homelabmon.relay.status import incidents
from homelabmon.relay.status.layout import POLICY
from tests.relay.fake_discord import FakeDiscord
from tests.relay.status.desk import BACKUP, GROUPS
from tests.relay.test_service import Client, serving, until

CHANGED: Final[dict[str, Any]] = {
    "role": "outpost",
    "heartbeats": [BACKUP | {"grace": "1h"}],
    "status_page": {"title": "home.example.net", "groups": GROUPS},
    "url": "https://status.example.net",
}


async def ask(client: Client, path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    url = f"http://127.0.0.1:{client.service.port}{path}"
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(
            method, url, headers={"Accept-Encoding": "identity", **headers}, allow_redirects=False
        ) as found,
    ):
        return found, await found.read()


def test_every_output_is_served_with_its_type_and_may_be_kept_for_a_while(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        for path, kind in (
            ("/", "text/html"),
            ("/index.html", "text/html"),
            ("/history.html", "text/html"),
            ("/status.json", "application/json"),
            ("/api/v2/summary.json", "application/json"),
            ("/api/v2/status.json", "application/json"),
            ("/status.txt", "text/plain"),
            ("/feed.atom", "application/atom+xml"),
            ("/feed/backup.atom", "application/atom+xml"),
            ("/badge.svg", "image/svg+xml"),
            ("/badge/backup.svg", "image/svg+xml"),
            ("/badge/backup.json", "application/json"),
            ("/shields.json", "application/json"),
            ("/favicon.svg", "image/svg+xml"),
        ):
            response, body = await ask(client, path)
            assert (response.status, response.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8"), path
            assert response.headers["Content-Security-Policy"] == POLICY
            assert response.headers["Cache-Control"] == "public, max-age=30"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in response.headers
            assert body
            head, nothing = await ask(client, path, "HEAD")
            assert (head.status, head.headers["Content-Length"], nothing) == (200, str(len(body)), b"")

    serving(tmp_path, scenario, **CHANGED)


def test_who_has_it_already_is_told_so_and_who_takes_gzip_gets_it(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        whole, body = await ask(client, "/")
        packed, small = await ask(client, "/", **{"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(small) == body
        assert len(small) < len(body) / 2
        assert whole.headers["ETag"] != packed.headers["ETag"]
        for tag in (whole.headers["ETag"], f'"x", W/{packed.headers["ETag"]}', "*"):
            again, nothing = await ask(client, "/", **{"If-None-Match": tag})
            assert (again.status, nothing) == (304, b"")
        other, _ = await ask(client, "/", **{"If-None-Match": '"x"'})
        assert other.status == 200
        refused, _ = await ask(client, "/", **{"Accept-Encoding": "gzip;q=0"})
        assert "Content-Encoding" not in refused.headers

    serving(tmp_path, scenario, **CHANGED)


def test_the_page_is_only_read(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        response, _ = await ask(client, "/", "POST")
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")

    serving(tmp_path, scenario, **CHANGED)


@pytest.mark.parametrize(
    "path", ["/nothing-here", "/badge/unknown.svg", "/incidents/77.html", "/../relay.yaml", "/%2e%2e/am"]
)
def test_where_there_is_nothing_readers_are_led_back(tmp_path: Path, path: str) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        response, body = await ask(client, path)
        assert response.status == 404
        assert b'<a href="/">Status of home.example.net</a>' in body

    serving(tmp_path, scenario, **CHANGED)


def test_a_service_without_a_status_page_serves_none(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert (await ask(client, "/status.json"))[0].status == 404

    serving(tmp_path, scenario)


def test_the_page_shares_its_address_with_pings(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a-key-of-more-than-sixteen-characters")
    (tmp_path / "ids").write_text("*=ping-key\n")
    intake = {"heartbeat_key_file": str(tmp_path / "key"), "heartbeat_ids_file": str(tmp_path / "ids")}

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert (await ask(client, "/ping-key/backup"))[1] == b"OK"
        for path in ("/", "/badge/backup.svg", "/feed/backup.atom", "/api/v2/summary.json", "/history.html"):
            assert (await ask(client, path))[0].status == 200

    serving(tmp_path, scenario, **CHANGED | {"intake": intake})


def test_what_happens_is_on_the_page_at_the_next_look(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        service = client.service

        async def state() -> str:
            _, body = await ask(client, "/status.json")
            members = [one for one in json.loads(body)["components"] if not one["group"]]
            return str(members[0]["status"])

        now = service.store._now
        await service.store.transact(lambda one: history.enter(one, "heartbeat:backup", "operational", now - 60))
        await service.status.look()
        assert await state() == "operational"
        await service.store.transact(lambda one: history.enter(one, "heartbeat:backup", "outage", now - 30))
        await service.status.look()
        assert await state() == "major_outage"

        def tell(connection: Any) -> int:
            return incidents.add(connection, "Told", "minor", ["backup"], "manual", now, "investigating", "<b>Soon</b>")

        number = await service.store.transact(tell)
        await service.status.look()
        assert b"&lt;b&gt;Soon&lt;/b&gt;" in (await ask(client, "/"))[1]
        assert (await ask(client, f"/incidents/{number}.html"))[0].status == 200

    serving(tmp_path, scenario, **CHANGED)


def test_the_page_is_written_as_files_whenever_it_changes(tmp_path: Path) -> None:
    public = tmp_path / "public"
    page = CHANGED["status_page"] | {"publish": {"directory": str(public)}}

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: (public / "index.html").exists())
        await client.service.store.transact(
            lambda one: incidents.add(
                one, "Told", "minor", [], "manual", client.service.store._now, "investigating", "x"
            )
        )
        await client.service.status.look()
        assert "Told" in (public / "index.html").read_text()
        assert (public / "incidents" / "1.html").exists()
        (public / "index.html").unlink()
        await client.service.status.look()
        assert not (public / "index.html").exists(), "nothing has changed, so nothing is written"
        status, metrics = await client.get("/metrics")
        assert status == 200
        assert "homelabmon_status_page_published_timestamp_seconds 1" in metrics

    serving(tmp_path, scenario, **CHANGED | {"status_page": page, "role": "relay"})
