"""The hosted check is pinged while everything works, and never while anything does not. Its address is a secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from tests.relay.vigil.drill import Drill, M, PacedStore, drill

SECRET: Final = "8c1f6f0e-check"


class Check:
    """A hosted check on loopback: counts what it hears of its secret path."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200

    async def __aenter__(self) -> str:
        self._runner = web.AppRunner(_app(self), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/{SECRET}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(f"{request.method} {request.path}")
        return web.Response(status=self.status)


def _app(check: Check) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", check.hear)
    return app


def played(folder: Path, monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Drill, Check], Awaitable[None]]) -> None:
    """With a third leg that is pinged each five minutes."""

    async def main(d: Drill) -> None:
        check = Check()
        async with check as url:
            (folder / "leg").write_text(url)
            d.configure(third_leg={"ping_file": str(folder / "leg")})
            await asyncio.sleep(10)
            d.speaks()
            await scenario(d, check)

    drill(folder, monkeypatch, main)


async def pings(d: Drill, check: Check, seconds: float) -> int:
    """How many pings come within so many seconds."""
    before = len(check.heard)
    await asyncio.sleep(seconds)
    return len(check.heard) - before


async def hang(*_: Any) -> None:
    await asyncio.Event().wait()


def test_it_is_pinged_as_often_as_it_wants_while_all_works_and_nobody_is_told_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        with caplog.at_level(logging.DEBUG, "homelabmon"):
            assert await pings(d, check, 30 * M) in (6, 7)
        assert set(check.heard) == {f"GET /{SECRET}"}
        assert d.told() == []
        _, metrics = await d.metrics()
        assert "homelabmon_third_leg_last_success_timestamp_seconds 17" in metrics
        assert SECRET not in metrics
        assert SECRET not in caplog.text

    played(tmp_path, monkeypatch, scenario)


def test_one_that_is_never_pinged_has_a_figure_that_a_rule_can_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        check.status = 500
        _, metrics = await d.metrics()
        before = [line for line in metrics.splitlines() if line.startswith("homelabmon_third_leg")]
        await asyncio.sleep(30 * M)
        _, metrics = await d.metrics()
        assert before == [line for line in metrics.splitlines() if line.startswith("homelabmon_third_leg")]
        assert before

    async def main(d: Drill) -> None:
        assert "homelabmon_third_leg" not in (await d.metrics())[1]

    played(tmp_path, monkeypatch, scenario)
    drill(tmp_path, monkeypatch, main)


def test_a_message_that_discord_took_is_proof_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        await asyncio.sleep(M)
        await d.post("/v1/alertmanager", d.webhook({"alertname": "NodeDown", "severity": "critical"}))
        await asyncio.sleep(10)
        d.discord.delete_webhook("ops")
        assert await pings(d, check, 30 * M) == 1

    played(tmp_path, monkeypatch, scenario)


@pytest.mark.parametrize("how", ["down", "webhook deleted", "no webhook"])
def test_it_is_not_pinged_while_discord_takes_nothing(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        assert await pings(d, check, M) == 1
        if how == "down":
            await d.discord.go_down()
        elif how == "webhook deleted":
            d.discord.delete_webhook("ops")
        else:
            (tmp_path / "ops").unlink()
        assert await pings(d, check, 30 * M) == 0
        assert d.service is not None
        assert (
            d.service.third_leg.trouble
            == {
                "down": "no answer from Discord (refused)",
                "webhook deleted": "Discord answers 404 for #ops",
                "no webhook": "#ops has no webhook that works",
            }[how]
        )
        if how == "down":
            await d.discord.come_up()
            assert await pings(d, check, M) == 1

    played(tmp_path, monkeypatch, scenario)


def test_it_is_not_pinged_while_the_disk_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        await asyncio.sleep(M)
        assert d.service is not None
        assert isinstance(d.service.store, PacedStore)
        d.service.store.broken = True
        assert await pings(d, check, 30 * M) == 0
        d.service.store.broken = False
        assert await pings(d, check, M) == 1

    played(tmp_path, monkeypatch, scenario)


@pytest.mark.parametrize("stuck", ["engine", "vigil"])
def test_it_is_not_pinged_while_a_loop_stands_still(
    stuck: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        await asyncio.sleep(M)
        assert d.service is not None
        if stuck == "engine":
            monkeypatch.setattr(d.service.inbox, "beat", hang)
        else:
            monkeypatch.setattr(d.service.vigil, "_look", hang)
        assert await pings(d, check, 30 * M) == 0
        words = {"engine": "the relay's loop stands still", "vigil": "the outpost does not look"}
        assert d.service.third_leg.trouble == words[stuck]

    played(tmp_path, monkeypatch, scenario)


def test_a_check_that_does_not_take_it_is_asked_again_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill, check: Check) -> None:
        await asyncio.sleep(M)
        check.status = 503
        await asyncio.sleep(6 * M)
        assert d.service is not None
        assert d.service.third_leg.trouble == "the hosted check answers 503"
        check.status = 200
        assert await pings(d, check, 20) >= 1
        (tmp_path / "leg").write_text("")
        await asyncio.sleep(6 * M)
        assert d.service.third_leg.trouble == f"{tmp_path}/leg: is empty"

    played(tmp_path, monkeypatch, scenario)
