"""Disks fail. What the store says is stored is stored; what it cannot store it says; and it recovers by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelabmon.errors import HomelabmonError
from homelabmon.relay.store import opening, writer
from homelabmon.relay.store import store as store_module
from homelabmon.relay.store.opening import LEFT, SALVAGED, NewerDatabaseError
from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.store.store import Store
from homelabmon.relay.store.trouble import StoreError
from tests.outside import ROOT
from tests.relay.store.examples import NOW, everything, rows, with_store

BODY = bytes(range(256)) * 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.db"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that could not be opened is tried again without a pause."""
    monkeypatch.setattr(writer, "AGAIN", 0.0)


async def numbers(store: Store) -> list[int]:
    return [row.id for row in await store.inbox(0, 10_000)]


async def fill(store: Store) -> list[int]:
    """Stores until nothing more can be stored; what was."""
    stored = list[int]()
    while len(stored) < 1000:
        try:
            stored.append(await store.put("falco", BODY, NOW))
        except StoreError:
            return stored
    raise AssertionError("it never gets full")


# Full, read-only, locked ------------------------------------------------------------


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 256 KiB: to SQLite that is a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_disk_without_room_stores_nothing_more_and_loses_nothing(path: Path) -> None:
    async def scenario(store: Store) -> list[int]:
        stored = await fill(store)
        assert store.trouble is not None
        return stored

    stored = with_store(path, scenario)
    assert stored
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        assert with_store(path, numbers) == stored
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_database_says_so_and_recovers_when_there_is_room(path: Path) -> None:
    async def scenario(store: Store) -> None:
        first = await store.put("falco", BODY, NOW)
        await store._do(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
        await fill(store)
        with pytest.raises(StoreError, match="the disk is full"):
            await store.put("falco", os.urandom(200_000), NOW)
        assert first in await numbers(store)
        assert store.trouble == "full"
        await store._do(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone())
        await store.put("falco", BODY, NOW)
        assert store.trouble is None

    with_store(path, scenario)


def test_a_read_only_database_says_so_and_recovers(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        opened = store._writer._opened
        assert opened is not None
        opened.connection.execute("PRAGMA query_only = 1")
        with pytest.raises(StoreError, match="the disk, the folder or the file is read-only"):
            await store.put("falco", BODY, NOW)
        assert store.trouble == "read_only"
        opened.connection.execute("PRAGMA query_only = 0")
        assert len(await numbers(store)) == 1
        assert store.trouble == "read_only"
        await store.beat(NOW)
        assert store.trouble is None

    with_store(path, scenario)


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "volume" / "relay.db"

    async def scenario(store: Store) -> None:
        for _ in range(2):
            with pytest.raises(StoreError):
                await store.open()
        path.parent.mkdir()
        await store.put("falco", BODY, NOW)
        assert store.trouble is None

    with_store(path, scenario)


def test_two_relays_never_share_a_database(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        second = Store(str(path), NOW)
        with pytest.raises(StoreError, match="another process holds the database"):
            await second.open()
        await second.close()
        await store.put("falco", BODY, NOW)

    with_store(path, scenario)
    assert len(with_store(path, numbers)) == 2


def test_somebody_who_holds_the_database_for_long_makes_nothing_be_acknowledged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_BUSY", 0.01)

    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds the database"):
            await store.put("falco", BODY, NOW)
        assert store.trouble == "locked"
        other.execute("COMMIT")
        other.close()
        await store.put("falco", BODY, NOW)
        assert len(await numbers(store)) == 2
        assert store.trouble is None

    with_store(path, scenario)


def test_a_disk_that_hangs_is_one_that_fails_and_holds_no_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    async def scenario(store: Store) -> None:
        await store.open()
        monkeypatch.setattr(store_module, "_PATIENCE", 0.05)
        hanging = asyncio.ensure_future(store._writer.do(lambda _: answers.wait()))
        await asyncio.sleep(0)
        with pytest.raises(StoreError, match="the disk takes too long"):
            await store.put("falco", BODY, NOW)
        assert store.trouble == "slow"
        answers.set()
        await hanging
        monkeypatch.setattr(store_module, "_PATIENCE", 20.0)
        assert await numbers(store) == []
        await store.beat(NOW)
        assert store.trouble is None

    with_store(path, scenario)


def test_a_store_that_is_closed_says_so(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        await store.close()
        with pytest.raises(StoreError, match="the relay is stopping"):
            await store.put("falco", BODY, NOW)

    with_store(path, scenario)


def test_closing_does_what_is_waiting_and_leaves_one_file(path: Path) -> None:
    async def scenario(store: Store) -> None:
        waiting = [asyncio.ensure_future(store.put("falco", b"x", NOW)) for _ in range(50)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*waiting)

    with_store(path, scenario)
    assert rows(path, "SELECT count(*) FROM inbox") == [(50,)]


# Damaged ------------------------------------------------------------


def damage(path: Path, start: int, stop: int) -> None:
    content = bytearray(path.read_bytes())
    content[start:stop] = b"\xa5" * len(content[start:stop])
    path.write_bytes(content)


def aside(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir() if "damaged" in item.name)


@pytest.mark.parametrize("what", ["header", "text", "empty"])
def test_a_file_that_is_no_database_is_moved_aside_and_a_new_one_started(path: Path, what: str) -> None:
    with_store(path, lambda store: store.commit(everything()))
    if what == "header":
        damage(path, 0, 100)
    else:
        path.write_bytes(b"" if what == "empty" else b"not a database, and longer than a header is" * 100)
    content = path.read_bytes()

    async def scenario(store: Store) -> list[str]:
        await store.put("falco", BODY, NOW)
        assert (await store.load()).incidents == []
        return store.damaged

    damaged = with_store(path, scenario)
    if what == "empty":
        assert damaged == []
        return
    assert damaged == [f"{path}.damaged-{int(NOW)}"]
    assert Path(damaged[0]).read_bytes() == content


def test_what_can_still_be_read_of_requests_is_taken_over(path: Path) -> None:
    async def fill(store: Store) -> None:
        await store.commit(everything())
        for number in range(200):
            await store.put("falco", b"%d" % number + BODY, NOW)

    with_store(path, fill)
    connection = sqlite3.connect(path)
    ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'episodes'").fetchall()
    connection.close()
    damage(path, (page - 1) * 4096, page * 4096)

    async def scenario(store: Store) -> None:
        assert len(await numbers(store)) == 200
        assert (await store.load()).incidents == []
        assert len(await store.dead_letters()) == 1
        assert await store.put("falco", b"x", NOW) > 200

    with_store(path, scenario)
    assert aside(path) == [f"relay.db.damaged-{int(NOW)}"]


def test_every_table_is_taken_over_or_left_on_purpose(path: Path) -> None:
    with_store(path, lambda store: store.open())
    tables = {name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"sqlite_sequence"} == set(SALVAGED) | LEFT
    assert set(SALVAGED) & LEFT == set()


def test_what_can_still_be_read_of_heartbeats_is_taken_over_whatever_the_old_version(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for script in MIGRATIONS[:2]:
        connection.executescript(script)
    connection.execute("PRAGMA user_version = 2")
    connection.execute(
        "INSERT INTO heartbeats (name, status, since, created, said, made, rules)"
        " VALUES ('nightly', 'up', 1.0, 1.0, '', 0, '')"
    )
    connection.execute(
        "INSERT INTO heartbeat_pings (heartbeat, at, received_at, kind, method, client, address, body)"
        " VALUES ('nightly', 1.0, 1.0, 'success', 'GET', '', '', x'')"
    )
    connection.execute("INSERT INTO meta VALUES ('looked', 7.0), ('adopted', 7.0)")
    connection.close()

    async def scenario(store: Store) -> None:
        assert await store.recall("looked") == 7.0
        assert await store.recall("adopted") is None

    opened = opening.open_database(str(path), NOW, distrust=True)
    opened.connection.close()
    os.close(opened.lock)
    with_store(path, scenario)
    assert rows(path, "SELECT name, status FROM heartbeats") == [("nightly", "up")]
    assert rows(path, "SELECT heartbeat, kind FROM heartbeat_pings") == [("nightly", "success")]


@pytest.mark.parametrize("numbered", [True, False])
def test_after_damage_no_new_dead_letter_replaces_an_old_one(path: Path, numbered: bool) -> None:
    with_store(path, lambda store: store.commit(everything()))
    if not numbered:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("DELETE FROM meta")
        connection.close()
    opened = opening.open_database(str(path), NOW, distrust=True)
    opened.connection.close()
    os.close(opened.lock)
    (kept,) = with_store(path, lambda store: store.dead_letters())
    assert with_store(path, lambda store: store.load()).next_id > kept.id


def test_damage_that_shows_while_running_is_dealt_with_while_running(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(everything())
        await store.put("falco", BODY, NOW)

        def break_it(connection: sqlite3.Connection) -> None:
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

        with pytest.raises(StoreError, match="the database is damaged"):
            await store._do(break_it)
        await store.put("falco", BODY, NOW)
        assert len(await numbers(store)) == 2
        assert (await store.load()).episodes == []
        assert (len(store.damaged), store.trouble) == (1, None)

    with_store(path, scenario)


def test_damaged_files_never_replace_one_another(path: Path) -> None:
    for _ in range(3):
        path.write_bytes(b"not a database, and longer than a header is" * 100)
        with_store(path, lambda store: store.open())
    assert aside(path) == [f"relay.db.damaged-{int(NOW) + number}" for number in range(3)]


# Versions ------------------------------------------------------------


def test_a_newer_database_is_refused_and_left_alone(path: Path) -> None:
    with_store(path, lambda store: store.open())
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(
        NewerDatabaseError, match="run the newer one again, or name another file as `database`"
    ) as caught:
        with_store(path, lambda store: store.open())
    assert isinstance(caught.value, HomelabmonError)
    assert f"has version {len(MIGRATIONS) + 1}, and this homelabmon knows versions up to {len(MIGRATIONS)}" in str(
        caught.value
    )


def test_a_database_of_the_first_version_is_brought_up_to_date_with_all_it_holds(path: Path) -> None:
    """tests/relay/store/version_1.sql was written by the first version, and is never written again."""
    connection = sqlite3.connect(path)
    connection.executescript((ROOT / "tests" / "relay" / "store" / "version_1.sql").read_text())
    connection.close()

    async def scenario(store: Store) -> None:
        snapshot, stored = await store.load(), everything()
        assert (snapshot.episodes, snapshot.incidents, snapshot.posts) == (
            stored.episodes,
            stored.incidents,
            stored.posts,
        )
        assert (snapshot.accounts, snapshot.next_id) == (stored.accounts, stored.next_id)
        assert [row.body for row in await store.inbox(0, 10)] == [b"a request", BODY * 8]
        assert [row.reason for row in await store.quarantine()] == ["it is not JSON"]
        assert await store.dead_letters() == stored.dead_letters
        assert await store.last_beat() == NOW

    with_store(path, scenario)
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]


def test_each_step_is_taken_whole_or_not_at_all(path: Path) -> None:
    with_store(path, lambda store: store.commit(everything()))
    good = "ALTER TABLE posts ADD COLUMN colour TEXT; UPDATE posts SET colour = 'red';"
    bad = "ALTER TABLE posts ADD COLUMN size TEXT; UPDATE nothing SET size = 1;"

    async def opened(steps: tuple[str, ...]) -> None:
        store = Store(str(path), NOW, migrations=(*MIGRATIONS, *steps))
        try:
            await store.open()
        finally:
            await store.close()

    with pytest.raises(StoreError):
        asyncio.run(opened((good, bad)))
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]
    assert rows(path, "SELECT colour FROM posts") == [("red",)]
    asyncio.run(opened((good, "DROP TABLE posts")))
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 2,)]


# Killed ------------------------------------------------------------

_KILLED = """
import asyncio, os, sys
from homelabmon.relay.store.store import Store

async def main():
    store = Store(sys.argv[1], 1.0)
    async def one(number):
        stored = await store.put("falco", b"%d" % number, 1.0)
        os.write(1, b"%d\\n" % stored)
    await asyncio.gather(*(one(number) for number in range(5000)))

asyncio.run(main())
"""


def test_what_was_acknowledged_before_a_kill_is_there_after_it(path: Path) -> None:
    for kill_after in (1, 150, 700):
        with subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            acknowledged = [int(process.stdout.readline()) for _ in range(kill_after)]
            process.kill()
            acknowledged += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
        present = with_store(path, numbers)
        assert set(acknowledged) - set(present) == set()
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()


# Taken away ---------------------------------------------------------------------------


@pytest.mark.parametrize("taken", ["relay.db", "relay.db*"])
def test_a_file_that_is_taken_away_while_it_is_in_use_is_written_anew_with_everything(path: Path, taken: str) -> None:
    async def scenario(store: Store) -> None:
        first = await store.put("falco", BODY, NOW)
        for one in path.parent.glob(taken):
            one.unlink()
        second = await store.put("falco", BODY, NOW)
        assert await numbers(store) == [first, second]
        assert store.trouble is None

    with_store(path, scenario)
    with sqlite3.connect(path) as connection:
        assert [number for (number,) in connection.execute("SELECT id FROM inbox ORDER BY id")] == [1, 2]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["relay.db", "relay.db.lock"]


def test_a_file_that_takes_its_place_is_moved_aside(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        (path.parent / "other").write_bytes(b"another file")
        (path.parent / "other").replace(path)
        assert await store.put("falco", BODY, NOW) == 2
        assert await numbers(store) == [1, 2]

    with_store(path, scenario)
    (aside,) = path.parent.glob("relay.db.damaged-*")
    assert aside.read_bytes() == b"another file"


def test_while_its_folder_is_gone_nothing_is_acknowledged_and_nothing_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "AGAIN", 0.0)
    folder = path.parent / "volume"
    folder.mkdir()

    async def scenario(store: Store) -> None:
        await store.put("falco", BODY, NOW)
        shutil.rmtree(folder)
        for _ in range(3):
            with pytest.raises(StoreError, match="there is no such folder"):
                await store.put("falco", BODY, NOW)
        folder.mkdir()
        assert await store.put("falco", BODY, NOW) == 2
        assert await numbers(store) == [1, 2]

    with_store(folder / "relay.db", scenario)
