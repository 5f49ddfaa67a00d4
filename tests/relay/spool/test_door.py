"""The spool answers as the outpost does, over a real server; and two real services, one of them away for a while."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from homelabmon.relay.heartbeats.addresses import derived_ping_key, derived_uuid
from homelabmon.relay.secrets import SecretText
from homelabmon.relay.spool import records
from homelabmon.relay.spool.records import Letter
from tests.relay.discord_process import DiscordProcess
from tests.relay.programs import TOKEN, Relay, eventually
from tests.relay.test_service import Client, serving

UUID: Final = "123e4567-e89b-12d3-a456-426614174000"
RID: Final = "99999999-2222-4333-8444-55555555abcd"
NOWHERE: Final = "http://127.0.0.1:9"
"""Nobody listens there."""


def spooling(folder: Path, url: str = NOWHERE) -> dict[str, Any]:
    (folder / "outpost-token").write_text("tok-outpost")
    return {"upstream": {"url": url, "token_file": str(folder / "outpost-token"), "report": False, "spool": True}}


# The answers ---------------------------------------------------------------------------------------------------------


def waiting(folder: Path) -> list[Letter]:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as connection:
        return records.after(connection, 0, 100)


@pytest.mark.parametrize(
    ("path", "address", "what"),
    [
        (f"/ping/{UUID}", UUID, ""),
        (f"/ping/{UUID}/", UUID, ""),
        (f"/{UUID}/start", UUID, "start"),
        (f"/ping/{UUID}/fail", UUID, "fail"),
        (f"/ping/{UUID}/log", UUID, "log"),
        (f"/ping/{UUID}/0", UUID, "0"),
        (f"/ping/{UUID}/17", UUID, "17"),
        ("/ping/anything-at-all/backup", "anything-at-all/backup", ""),
        ("/anything-at-all/backup/start", "anything-at-all/backup", "start"),
    ],
)
def test_what_has_the_form_of_a_ping_is_on_disk_before_it_is_answered(
    tmp_path: Path, path: str, address: str, what: str
) -> None:
    async def scenario(client: Client, _: object) -> None:
        assert await client.get(f"{path}?rid={RID.upper()}&create=1") == (200, "OK")
        (letter,) = waiting(tmp_path)
        assert (letter.address, letter.what, letter.rid) == (address, what, RID)
        assert letter.create is (address != UUID)
        assert address not in repr(letter)

    serving(tmp_path, scenario, **spooling(tmp_path))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/ping/{UUID}/256", 400, "invalid url format"),
        ("/ping/key/Backup", 400, "invalid url format"),
        (f"/ping/{UUID}?rid=1", 400, "invalid uuid format"),
        (f"/ping/{UUID}?at=yesterday", 400, "invalid time format"),
        (f"/ping/{UUID}?at=1790000000&sent=nan", 400, "invalid time format"),
        (f"/ping/{UUID.upper()}", 404, "not found"),
        ("/ping", 404, "not found"),
    ],
)
def test_what_has_not_is_answered_as_the_outpost_answers_it(tmp_path: Path, path: str, status: int, words: str) -> None:
    async def scenario(client: Client, _: object) -> None:
        assert await client.get(path) == (status, words)
        assert waiting(tmp_path) == []

    serving(tmp_path, scenario, **spooling(tmp_path))


def test_without_a_spool_there_is_no_ping_to_be_answered(tmp_path: Path) -> None:
    async def scenario(client: Client, _: object) -> None:
        assert (await client.get(f"/ping/{UUID}"))[0] == 404
        assert "homelabmon_spool" not in (await client.get("/metrics"))[1]

    serving(tmp_path, scenario, upstream={**spooling(tmp_path)["upstream"], "spool": False})


def test_where_there_is_no_room_the_job_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST", 1)

    async def scenario(client: Client, _: object) -> None:
        assert await client.get(f"/ping/{UUID}") == (200, "OK")
        assert await client.get(f"/ping/{UUID}") == (503, "too many pings wait for the outpost")
        _, metrics = await client.get("/metrics")
        assert "homelabmon_spool_pings 1\n" in metrics
        assert 'homelabmon_spool_pings_total{outcome="turned_away"} 1' in metrics
        assert UUID not in metrics

    serving(tmp_path, scenario, **spooling(tmp_path))


# Two services --------------------------------------------------------------------------------------------------------

KEY: Final = "correct-horse-battery-staple"
BY_UUID: Final = f"/ping/{derived_uuid(SecretText(KEY), 'backup')}"
BY_NAME: Final = f"/ping/{derived_ping_key(SecretText(KEY))}/backup"


def ping(url: str, body: bytes = b"") -> tuple[int, str]:
    try:
        with urlopen(Request(url, body or None), timeout=10) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@contextlib.contextmanager
def both(folder: Path) -> Iterator[tuple[Relay, Relay]]:
    """A relay with a spool, and an outpost that knows ``backup`` and does not run yet."""
    with DiscordProcess("ops", unlimited=True) as discord:
        key = folder / "key"
        key.write_text(KEY)
        outpost = Relay(
            folder / "outpost",
            discord.webhooks,
            {},
            "0s",
            heartbeats=[{"name": "backup", "period": "1d"}],
            intake={"heartbeat_key_file": str(key)},
        )
        relay = Relay(folder / "relay", discord.webhooks, {}, "0s", **spooling(folder, outpost.url))
        with relay:
            relay.wait()
            try:
                yield relay, outpost
            finally:
                outpost.kill()


def heard(outpost: Relay) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(outpost.folder / "relay.db")) as connection:
        return connection.execute("SELECT kind, exit_code, at, body FROM heartbeat_pings ORDER BY id").fetchall()


def test_pings_outlive_an_outpost_that_is_away_and_a_relay_that_is_killed(tmp_path: Path) -> None:
    with both(tmp_path) as (relay, outpost):
        assert ping(f"{relay.url}{BY_UUID}/start") == (200, "OK")
        relay.kill()
        relay.start()
        assert ping(f"{relay.url}{BY_NAME}/3", b"repository is locked") == (200, "OK")
        assert ping(f"{relay.url}/ping/unknown-key/backup") == (200, "OK")
        meant = [letter.at for letter in waiting(relay.folder)]
        assert len(meant) == 3
        relay.kill()
        outpost.start()
        relay.start()
        eventually(lambda: relay.total('homelabmon_spool_pings_total{outcome="refused"}') == 1, "the last is judged")
        assert heard(outpost) == [
            ("start", None, meant[0], b""),
            ("fail", 3, meant[1], b"repository is locked"),
        ]
        assert relay.total("homelabmon_spool_pings") == 0
        assert ping(f"{relay.url}{BY_UUID}", b"42 files saved") == (200, "OK")
        eventually(lambda: len(heard(outpost)) == 3, "it goes through at once")
        log = (relay.folder / "log").read_text()
        assert "the outpost refuses a ping for good" in log
        assert not any(secret in log for secret in (BY_UUID, BY_NAME, KEY, TOKEN))
