"""What would keep a service from working is said before it is missed: by ``check-config``, and at the start."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

import pytest

from homelabmon.relay.checking import flaws
from homelabmon.relay.config import read_config
from tests.relay.fake_discord import FakeDiscord
from tests.relay.test_service import Client, serving, written

GOOD: Final = "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68
ANCHORS: Final = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]
WATCHDOG: Final = {"alertname": "Watchdog", "silence": "5m", "channel": "ops"}


def outpost(folder: Path, **changed: Any) -> dict[str, Any]:
    (folder / "token").write_text("tok-watchdog")
    (folder / "hosted").write_text("https://hosted.invalid/ping/secret")
    return {
        "role": "outpost",
        "anchors": ANCHORS,
        "watchdog": WATCHDOG,
        "intake": {"alertmanager_token_file": str(folder / "token")},
        "third_leg": {"ping_file": str(folder / "hosted")},
        **changed,
    }


def found(folder: Path, **changed: Any) -> list[str]:
    return list(flaws(read_config(written(folder, None, **outpost(folder, **changed)))))


def test_an_outpost_that_has_everything_has_no_flaw(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_every_file_of_a_secret_is_looked_for(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    missing = f"{nowhere}: cannot be read: No such file or directory"
    keys = (
        "alertmanager_token_file",
        "falco_path_file",
        "flux_token_file",
        "event_token_file",
        "scrape_token_file",
        "page_password_file",
    )
    assert found(
        tmp_path,
        channels={"ops": {"webhook_file": nowhere}},
        intake={**dict.fromkeys(keys, nowhere), "heartbeat_key_file": nowhere},
        upstream={"url": "https://status.invalid", "token_file": nowhere},
        third_leg={"ping_file": nowhere},
    ) == [
        f"channels.ops.webhook_file: {missing}",
        *(f"intake.{key}: {missing}" for key in keys),
        f"upstream.token_file: {missing}",
        f"third_leg.ping_file: {missing}",
        f"intake, the addresses of heartbeats: {missing}",
    ]


def test_an_outpost_needs_a_watchdog_that_can_come_in_and_anchors(tmp_path: Path) -> None:
    assert found(tmp_path, anchors=[*ANCHORS[:2], ANCHORS[0]], watchdog=None) == [
        "anchors: 2, and fewer than 3 cannot tell an outage of ours from others'",
        "watchdog: there is none, so nobody notices when the cluster falls silent",
    ]
    assert found(tmp_path, intake={}) == ["intake: no alertmanager_token_file is named, so the Watchdog cannot come in"]


def test_a_relay_needs_neither(tmp_path: Path) -> None:
    assert found(tmp_path, role="relay", anchors=[], watchdog=None) == []


def test_the_database_needs_a_folder_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, database="/nowhere/relay.db") == ["database: /nowhere: no such folder"]
    folder = tmp_path / "data"
    folder.mkdir()
    # The tests may run as root, who may do everything.
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and real(path, mode))
    assert found(tmp_path, database=f"{folder}/relay.db") == [f"database: {folder}: this user may not write into it"]
    (folder / "relay.db").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == folder)
    assert found(tmp_path, database=f"{folder}/relay.db") == [
        f"database: {folder}/relay.db: this user may not read and write it"
    ]


def test_the_service_says_at_its_start_what_is_missing_and_runs_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(client: Client, _: FakeDiscord) -> None:
        assert (await client.get("/readyz"))[0] == 200

    with caplog.at_level(logging.ERROR):
        serving(tmp_path, scenario, **outpost(tmp_path, watchdog=None, third_leg=None))
    assert [record.__dict__["what"] for record in caplog.records if "something is missing" in record.message] == [
        "watchdog: there is none, so nobody notices when the cluster falls silent"
    ]
