"""`homelabmon heartbeat`: addresses for whoever has the key, pausing where the outpost runs."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from homelabmon.cli import root
from homelabmon.errors import HomelabmonError
from homelabmon.relay.clock import SystemClock
from homelabmon.relay.config import read_config
from homelabmon.relay.heartbeats.addresses import derived_ping_key, derived_uuid
from homelabmon.relay.heartbeats.parts import Heartbeats
from homelabmon.relay.heartbeats.records import Heard
from homelabmon.relay.part import Tools
from homelabmon.relay.secrets import SecretText
from homelabmon.relay.store.store import Store
from tests.outside import ROOT
from tests.relay.test_service import written

KEY = "correct-horse-battery-staple"
BEATS = [{"name": "backup", "period": "1d"}, {"name": "report", "schedule": "0 6 * * MON"}]
BACKUP = derived_uuid(SecretText(KEY), "backup")
REPORT = derived_uuid(SecretText(KEY), "report")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY)
    intake = {"heartbeat_key_file": str(tmp_path / "key")}
    return written(tmp_path, None, heartbeats=BEATS, intake=intake, url="https://status.example.net")


def heartbeat(config: Path, *arguments: str, **environment: str) -> str:
    """What is printed."""
    runner = CliRunner(env={"HOMELABMON_HEARTBEAT_KEY": "", **environment})
    result = runner.invoke(root, ["heartbeat", "--config", str(config), *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    assert not result.return_value
    return result.output


def test_the_outpost_prints_all_addresses(config: Path) -> None:
    assert heartbeat(config, "urls") == (
        f"backup  https://status.example.net/ping/{BACKUP}\nreport  https://status.example.net/ping/{REPORT}\n"
    )


def test_some_by_name_at_another_place(config: Path) -> None:
    key = derived_ping_key(SecretText(KEY))
    printed = heartbeat(config, "urls", "--by-name", "--base", "http://127.0.0.1:8080/", "report")
    assert printed == f"report  http://127.0.0.1:8080/ping/{key}/report\n"


def test_what_is_rendered_and_a_key_will_do(tmp_path: Path) -> None:
    rendered = ROOT / "rendered" / "outpost" / "relay.yaml"
    (tmp_path / "key").write_text(KEY)
    by_file = heartbeat(rendered, "urls", "--key-file", str(tmp_path / "key"))
    assert by_file == heartbeat(rendered, "urls", HOMELABMON_HEARTBEAT_KEY=KEY)
    assert len(by_file.splitlines()) == len(read_config(rendered).heartbeats) > 0


def test_jobs_in_the_cluster_ping_the_relay(tmp_path: Path) -> None:
    rendered = ROOT / "rendered" / "outpost" / "relay.yaml"
    (line, *_) = heartbeat(rendered, "urls", "--in-cluster", HOMELABMON_HEARTBEAT_KEY=KEY).splitlines()
    uuid = derived_uuid(SecretText(KEY), "nightly-backup")
    assert line == f"nightly-backup  http://discord-alert-proxy.monitoring.svc.cluster.local:8080/ping/{uuid}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("urls", "bakcup"), "there is no heartbeat 'bakcup'; did you mean 'backup'?"),
        (
            ("urls", "--key-file", "/nowhere"),
            "/nowhere: cannot be read: No such file or directory;"
            " give the key with --key-file, or in the variable HOMELABMON_HEARTBEAT_KEY",
        ),
        (
            ("urls", "--in-cluster"),
            "no relay in the cluster takes pings: write `relay: {spool: true}` below components",
        ),
        (("pause", "backup"), "relay.db: no such database: run this where the relay runs"),
    ],
)
def test_what_cannot_be_done_is_told(config: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(HomelabmonError) as caught:
        heartbeat(config, *arguments)
    assert str(caught.value).endswith(said)


def test_a_short_key_is_refused_and_not_shown(config: Path) -> None:
    with pytest.raises(HomelabmonError) as caught:
        heartbeat(config, "urls", HOMELABMON_HEARTBEAT_KEY="hunter2")
    assert "HOMELABMON_HEARTBEAT_KEY: holds a key of less than 16 characters" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_a_key_there_are_no_addresses(tmp_path: Path) -> None:
    config = written(tmp_path, None, heartbeats=BEATS, intake={}, url="https://status.example.net")
    with pytest.raises(HomelabmonError, match="names no file with a key: give the key with --key-file"):
        heartbeat(config, "urls")


def test_a_heartbeat_is_paused_and_resumed_and_what_was_open_is_over(config: Path, tmp_path: Path) -> None:
    def statuses() -> list[tuple[object, ...]]:
        connection = sqlite3.connect(tmp_path / "relay.db")
        try:
            return connection.execute("SELECT name, status, deadline IS NULL FROM heartbeats ORDER BY name").fetchall()
        finally:
            connection.close()

    async def fail() -> int:
        clock = SystemClock()
        store = Store(str(tmp_path / "relay.db"), clock.now())
        keeper = Heartbeats(read_config(config), Tools(store, clock, lambda: None)).keeper
        await keeper.look()
        now = clock.now()
        await keeper.hear("backup", Heard("fail", now, now))
        rows = await store.inbox(0, 10)
        await store.close()
        return len(rows)

    assert asyncio.run(fail()) == 1
    assert heartbeat(config, "pause", "backup") == "backup is paused until it pings\n"
    assert statuses() == [("backup", "paused", 1), ("report", "new", 0)]
    connection = sqlite3.connect(tmp_path / "relay.db")
    (body,) = connection.execute("SELECT body FROM inbox ORDER BY id DESC").fetchone()
    connection.close()
    assert b"It is paused." in body
    assert heartbeat(config, "resume", "backup", "report") == "backup is expected\nreport is expected\n"
    assert statuses() == [("backup", "new", 0), ("report", "new", 0)]
