"""The whole service: from a ping, or none, to a message in a fake Discord."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from homelabmon.relay.checking import flaws
from homelabmon.relay.config import read_config
from homelabmon.relay.heartbeats.addresses import derived_ping_key
from homelabmon.relay.secrets import SecretText
from tests.relay.fake_discord import FakeDiscord
from tests.relay.test_service import Client, messages, serving, until, written

KEY: Final = "correct-horse-battery-staple"
PING: Final = f"/ping/{derived_ping_key(SecretText(KEY))}"


def with_heartbeats(folder: Path, *heartbeats: dict[str, Any]) -> dict[str, Any]:
    """What a configuration needs for them."""
    (folder / "key").write_text(KEY)
    return {
        "heartbeats": list(heartbeats),
        "channels": {
            "ops": {"webhook_file": str(folder / "ops")},
            "night": {"webhook_file": str(folder / "night")},
        },
        "intake": {"heartbeat_key_file": str(folder / "key")},
        "default": {"name": "default", "channel": "ops", "group_by": ["heartbeat"], "hold": "0s"},
    }


BACKUP: Final = {"name": "backup", "schedule": "0 3 * * *", "channel": "night", "severity": "critical"}
NEVER: Final = {"name": "never", "period": "1s", "grace": "0s"}


def test_a_failure_is_told_in_its_own_channel_and_its_success_ends_the_message(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        (tmp_path / "night").write_text(discord.add_webhook("night").url)
        assert await client.get(f"{PING}/backup/start") == (200, "OK")
        assert await client.post(f"{PING}/backup/3", b"repository is locked", "") == 200
        await until(lambda: len(discord.messages) == 1)
        assert [message.text for message in discord.standing("night")] == [messages(discord)]
        for words in ("backup failed with exit code 3", "critical", "repository is locked"):
            assert words in messages(discord)
        assert await client.post(f"{PING}/backup", b"42 files saved", "") == 200
        await until(lambda: "RESOLVED" in messages(discord))
        assert "after it had failed" in messages(discord)
        assert "42 files saved" in messages(discord)
        assert len(discord.messages) == 1
        _, page = await client.get("/")
        assert "✓ up" in page
        _, metrics = await client.get("/metrics")
        assert 'homelabmon_heartbeat_down{heartbeat="backup"} 0' in metrics
        assert 'homelabmon_heartbeat_last_success_timestamp_seconds{heartbeat="backup"} 1' in metrics
        assert 'homelabmon_heartbeat_pings_total{code="200"} 3' in metrics
        for shown in (page, metrics):
            assert KEY not in shown
            assert PING.removeprefix("/ping/") not in shown

    serving(tmp_path, scenario, **with_heartbeats(tmp_path, BACKUP))


def test_what_never_came_is_told_by_itself(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: "never has never been seen" in messages(discord))
        _, metrics = await client.get("/metrics")
        assert 'homelabmon_heartbeat_down{heartbeat="never"} 1' in metrics
        _, page = await client.get("/")
        assert "■ down" in page

    serving(tmp_path, scenario, **with_heartbeats(tmp_path, NEVER))


def test_what_was_down_before_a_restart_is_not_told_twice(tmp_path: Path) -> None:
    texts = list[str]()

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await client.get(f"{PING}/shy/fail")
        await until(lambda: "shy failed" in messages(discord))

    async def after(client: Client, discord: FakeDiscord) -> None:
        await client.get(f"{PING}/other/fail")
        await until(lambda: "other failed" in messages(discord))
        texts.append(messages(discord))

    shy, other = {"name": "shy", "period": "1d"}, {"name": "other", "period": "1d"}
    serving(tmp_path, scenario, **with_heartbeats(tmp_path, shy, other))
    serving(tmp_path, after, **with_heartbeats(tmp_path, shy, other))
    assert "shy failed" not in texts[0]


def test_without_a_key_heartbeats_have_no_door(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        assert await client.get(f"{PING}/shy") == (404, "there is nothing here\n")

    changed = with_heartbeats(tmp_path, {"name": "shy", "period": "1d"})
    serving(tmp_path, scenario, **changed | {"intake": {}})


def test_what_would_keep_heartbeats_from_being_pinged_is_told(tmp_path: Path) -> None:
    changed = with_heartbeats(tmp_path, {"name": "shy", "period": "1d"})
    (tmp_path / "night").write_text("https://discord.com/api/webhooks/123456789012345678/" + "x" * 68)
    config = written(tmp_path, None, **changed)
    assert list(flaws(read_config(config))) == []
    (tmp_path / "key").write_text("short")
    assert list(flaws(read_config(config))) == [
        f"intake, the addresses of heartbeats: {tmp_path}/key: holds a key of less than 16 characters"
    ]
    config = written(tmp_path, None, **changed | {"intake": {}})
    assert list(flaws(read_config(config))) == [
        "intake: neither heartbeat_key_file nor heartbeat_ids_file is named, so no heartbeat can be pinged"
    ]
