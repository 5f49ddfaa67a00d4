"""The cluster's relay reports to the outpost: each minute, soon after a change, and without anybody waiting for it."""

from __future__ import annotations

import asyncio
import json
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from homelabmon.relay.config import WatchedConfig
from homelabmon.relay.service import Options, Service
from homelabmon.relay.vigil import reports
from homelabmon.relay.vigil.reports import OpenAlert, Received
from tests.relay.vigil.drill import TOKEN, Drill, M, drill, working

CRITICAL: Final = {"alertname": "NodeDown", "severity": "critical", "node": "n1", "secretive": "left out"}


class Home:
    """A relay in the cluster, whose outpost is the drill's."""

    def __init__(self, d: Drill, **upstream: Any) -> None:
        self._d, self._folder = d, d.folder / "home"
        self._folder.mkdir()
        assert d.service is not None
        data = {
            "version": 1,
            "name": "home",
            "role": "relay",
            "channels": {"ops": {"webhook_file": str(d.folder / "ops")}},
            "default": {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "0s"},
            "intake": {"alertmanager_token_file": str(d.folder / "token")},
            "upstream": {
                "url": f"http://127.0.0.1:{d.service.port}",
                "token_file": str(d.folder / "token"),
                **upstream,
            },
            "database": str(self._folder / "relay.db"),
        }
        self._config = self._folder / "relay.yaml"
        self._config.write_text(json.dumps(data))

    async def __aenter__(self) -> Service:
        ready = asyncio.Event()
        self._service = Service(WatchedConfig(self._config), self._d.clock, Options("127.0.0.1", 0))
        self._running = asyncio.create_task(self._service.run(lambda _: ready.set()))
        await ready.wait()
        return self._service

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(1)
        self._service.stop()
        await self._running


async def last(d: Drill) -> Received | None:
    assert d.service is not None
    return await d.service.store.transact(reports.last)


async def fires(d: Drill, home: Service, labels: dict[str, str]) -> None:
    async with d.session() as session:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{home.port}/v1/alertmanager"
        with working():
            async with session.post(url, data=d.webhook(labels), headers=headers) as response:
                assert response.status == 200


def test_what_is_open_is_reported_within_seconds_and_then_each_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        async with Home(d) as home:
            await asyncio.sleep(20)
            first = await last(d)
            assert first is not None
            assert (first.report.open, first.report.stored, first.report.failing) == ((), True, ())
            await fires(d, home, CRITICAL)
            await asyncio.sleep(15)
            second = await last(d)
            assert second is not None
            (alert,) = second.report.open
            assert alert == OpenAlert(
                {"alertname": "NodeDown", "node": "n1"}, "critical", alert.since, "NodeDown it is"
            )
            await asyncio.sleep(5 * M)
            third = await last(d)
            assert third is not None
            assert d.clock.now() - third.at < 62
            assert third.report.open == second.report.open
        assert d.service is not None
        assert d.service.app.answers["alertmanager", 401] == 0

    drill(tmp_path, monkeypatch, scenario)


def test_however_much_happens_reports_are_ten_seconds_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        came = set[float]()
        async with Home(d) as home:
            for number in range(40):
                await fires(d, home, {**CRITICAL, "node": f"n{number}"})
                await asyncio.sleep(1)
                received = await last(d)
                came |= set() if received is None else {received.at}
        times = sorted(came)
        assert len(times) >= 3
        assert min(after - before for before, after in pairwise(times)) >= 10

    drill(tmp_path, monkeypatch, scenario)


def test_nothing_is_reported_where_nobody_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        async with Home(d, report=False):
            await asyncio.sleep(3 * M)
            assert await last(d) is None

    drill(tmp_path, monkeypatch, scenario)


def test_an_outpost_that_does_not_take_reports_is_said_once_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(d: Drill) -> None:
        (tmp_path / "other").write_text("another-token")
        async with Home(d, token_file=str(tmp_path / "other")):
            with caplog.at_level(logging.INFO, "homelabmon"):
                await asyncio.sleep(10 * M)
                assert await last(d) is None
                (tmp_path / "other").write_text(TOKEN)
                await asyncio.sleep(2 * M)
            assert await last(d) is not None
        said = [record.getMessage() for record in caplog.records if record.name.endswith("reporter")]
        assert said == ["the outpost does not take reports", "the outpost takes reports again"]
        (found,) = [one for one in caplog.records if one.getMessage() == said[0]]
        assert found.__dict__["reason"] == "it answers 401"
        assert "another-token" not in caplog.text

    drill(tmp_path, monkeypatch, scenario)
