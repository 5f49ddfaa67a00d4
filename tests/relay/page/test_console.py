"""The page as the service gives it: real server, real store, real browser."""

from __future__ import annotations

import asyncio
import re
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
