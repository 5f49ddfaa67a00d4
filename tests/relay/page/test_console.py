"""The page as the service gives it: real server, real store, real browser."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homelabmon.relay.page.overview import overview
from tests.axe import hindrances, with_axe
from tests.browser import Browser
from tests.relay.fake_discord import FakeDiscord
from tests.relay.intake.payloads import alert, webhook
from tests.relay.page.samples import BAD_NIGHT
from tests.relay.test_service import Client, serving, until


async def page_of(client: Client) -> str:
    status, page = await client.get("/")
    assert status == 200
    return page


async def press(client: Client, path: str, fields: dict[str, Any], headers: dict[str, str] | None = None) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"http://127.0.0.1:{client.service.port}{path}", data=fields, headers=headers or {}, allow_redirects=False
        ) as response,
    ):
        return response.status


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_an_open_incident_is_on_the_page(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert "Nothing is open" in await page_of(client)
        await client.post("/v1/alertmanager", webhook(alert()), "tok-am")
        await until(lambda: len(discord.messages) == 1)
        page = await page_of(client)
        assert "1 open incident" in page
        assert "NodeDown it is" in page
        assert "#ops" in page

    serving(tmp_path, scenario)


def test_the_page_holds_no_secret(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        discord.delete_webhook("ops")
        await client.post("/v1/alertmanager", webhook(alert()), "tok-am")

        async def disabled() -> bool:
            return "■ disabled" in await page_of(client)

        await until(disabled)
        await client.post("/v1/event", b"nope", "tok-event")
        page = await page_of(client)
        hook = discord.webhooks["ops"]
        for secret in (hook.token, hook.url, "tok-am", "tok-event", "tok-falco"):
            assert secret not in page

    serving(tmp_path, scenario)


def test_what_is_over_is_no_longer_open(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/alertmanager", webhook(alert()), "tok-am")
        await until(lambda: len(discord.messages) == 1)
        over = webhook(alert(status="resolved", endsAt="2026-11-22T20:31:00Z"), status="resolved")
        await client.post("/v1/alertmanager", over, "tok-am")

        async def closed() -> bool:
            return "Recently over" in await page_of(client)

        await until(closed)
        assert "Nothing is open" in await page_of(client)

    serving(tmp_path, scenario)


def test_what_is_taken_again_and_still_not_understood_is_back_in_quarantine(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/event", b"nope", "tok-event")
        token = token_of(await page_of(client))
        assert await press(client, "/quarantine/1/replay", {"csrf": token}) == 303

        async def back() -> bool:
            return "Quarantine" in await page_of(client)

        await until(back)

    serving(tmp_path, scenario)


def test_no_other_site_can_press_a_button(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/event", b"nope", "tok-event")
        token = token_of(await page_of(client))
        tried: list[tuple[dict[str, Any], dict[str, str], int]] = [
            ({}, {}, 403),
            ({"csrf": "x" * 32}, {}, 403),
            ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}, 403),
            ({"csrf": token, "more": "x" * 5000}, {}, 413),
        ]
        for fields, headers, status in tried:
            assert await press(client, "/quarantine/1/drop", fields, headers) == status
        assert "Quarantine" in await page_of(client)

    serving(tmp_path, scenario)


# Who may look ------------------------------------------------------------


async def asked(client: Client, path: str, password: str | None = None, fields: dict[str, str] | None = None) -> int:
    """The status, for whoever says this password."""
    login = {} if password is None else {"Authorization": f"Basic {b64encode(f'anybody:{password}'.encode()).decode()}"}
    async with aiohttp.ClientSession(headers=login) as session:
        method, url = ("POST" if fields else "GET"), f"http://127.0.0.1:{client.service.port}{path}"
        async with session.request(method, url, data=fields, allow_redirects=False) as response:
            if response.status == 401:
                assert response.headers["WWW-Authenticate"] == 'Basic realm="homelabmon", charset="UTF-8"'
            return response.status


def test_with_a_password_nobody_looks_or_presses_without_it_and_another_takes_effect_at_once(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("first\n")

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/event", b"nope", "tok-event")
        token = {"csrf": client.service._console._token}
        for path, fields in (("/", None), ("/quarantine/1/drop", token)):
            assert [await asked(client, path, word, fields) for word in (None, "", "wrong")] == [401] * 3
        assert await asked(client, "/", "first") == 200
        password.write_text("second\n")
        assert [await asked(client, "/", word) for word in ("first", "second")] == [401, 200]
        assert await asked(client, "/quarantine/1/drop", "second", token) == 303
        password.unlink()
        assert await asked(client, "/", "second") == 503

    intake = {"event_token_file": str(tmp_path / "event"), "page_password_file": str(password)}
    serving(tmp_path, scenario, intake=intake)


def test_an_outpost_has_its_page_elsewhere_and_shows_it_to_nobody_without_a_password(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame".replace(" ", "-"))
    intake = {"event_token_file": str(tmp_path / "event")}

    async def closed(client: Client, discord: FakeDiscord) -> None:
        token = {"csrf": client.service._console._token}
        for path, fields in (("/", None), ("/console", None), ("/console/quarantine/1/drop", token)):
            assert await asked(client, path, "", fields) == 404
            assert await asked(client, path, "open-sesame", fields) == 404
        assert await asked(client, "/quarantine/1/drop", None, token) == 404

    async def locked(client: Client, discord: FakeDiscord) -> None:
        await client.post("/v1/event", b"nope", "tok-event")
        token = {"csrf": client.service._console._token}
        assert [await asked(client, path) for path in ("/", "/console", "/consolex", "/console/quarantine/1/drop")] == [
            404,
            401,
            404,
            401,
        ]
        assert await asked(client, "/console", "open-sesame") == 200
        assert await asked(client, "/quarantine/1/drop", "open-sesame", token) == 404
        assert await asked(client, "/console/quarantine/1/drop", "open-sesame", token) == 303
        assert await client.service.store.quarantine() == []

    serving(tmp_path, closed, role="outpost", intake=intake)
    serving(tmp_path, locked, role="outpost", intake={**intake, "page_password_file": str(password)})


def test_the_forms_of_a_page_that_lies_elsewhere_lead_there() -> None:
    page = overview(replace(BAD_NIGHT, base="/console"), "x")
    assert set(re.findall(r'action="([^"]+)"', page)) == {
        "/console/dead-letters/8/replay",
        "/console/quarantine/7/drop",
        "/console/quarantine/7/replay",
    }
    assert '<a href="/console">Look again</a>' in page


# In a browser ------------------------------------------------------------


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_a_browser_without_scripts_reads_the_page_and_presses_its_buttons(tmp_path: Path) -> None:
    def look(url: str) -> None:
        with Browser(scripts=False, width=500) as browser:
            browser.open(url)
            assert browser.title == "1 open incident, 1 critical – home relay"
            assert "Firing, critical" in browser.text("article")
            assert browser.width("table") <= browser.width("body")
            assert "not JSON" in browser.text("section:last-of-type")
            browser.follow("form[action$='/drop'] button")
            assert "Quarantine" not in browser.text()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        labels = {"alertname": "NodeDown", "severity": "critical", "node": "n1"}
        await client.post("/v1/alertmanager", webhook(alert(labels=labels)), "tok-am")
        await client.post("/v1/event", b"nope", "tok-event")
        await until(lambda: len(discord.messages) == 1)
        await asyncio.to_thread(look, f"http://127.0.0.1:{client.service.port}/")

    serving(tmp_path, scenario)


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_a_reader_who_prefers_dark_gets_dark(tmp_path: Path) -> None:
    def look(url: str) -> None:
        for dark, background in ((False, "rgba(255, 255, 255, 1)"), (True, "rgba(15, 23, 42, 1)")):
            with Browser(scripts=False, dark=dark) as browser:
                browser.open(url)
                assert browser.style("body", "background-color") == background

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await asyncio.to_thread(look, f"http://127.0.0.1:{client.service.port}/")

    serving(tmp_path, scenario)


@with_axe
def test_nothing_on_the_page_hinders_anybody(tmp_path: Path) -> None:
    """Not on a bad night, and not on a quiet day, as the service gives it."""
    bad = tmp_path / "bad.html"
    bad.write_text(overview(BAD_NIGHT, "x"), encoding="utf-8")
    found = list[str]()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        served = f"http://127.0.0.1:{client.service.port}/"
        found.extend(await asyncio.to_thread(hindrances, bad.as_uri(), served))

    serving(tmp_path, scenario)
    assert found == []
