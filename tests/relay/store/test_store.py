"""What is stored is there after a restart, whole; what is over goes in time; the bounds hold."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import fields
from pathlib import Path

import pytest

from homelabmon.relay.incidents.model import Changes
from homelabmon.relay.store.mapping import DEAD_LETTERS, EPISODES, INCIDENTS, POSTS
from homelabmon.relay.store.queries import Aside, InboxRow, Limits
from homelabmon.relay.store.store import Store
from tests.relay.store.examples import (
    NOW,
    dead_letter,
    episode,
    everything,
    incident,
    post,
    rows,
    with_store,
)

BIG = b'{"alerts":' + b"[{}]," * 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.db"


# The inbox ------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"\0\xff", BIG[:5000], BIG])
def test_what_came_in_is_there_after_a_restart(path: Path, body: bytes) -> None:
    number = with_store(path, lambda store: store.put("falco", body, NOW))
    assert with_store(path, lambda store: store.inbox(0, 10)) == [InboxRow(number, NOW, "falco", body)]


def test_what_is_said_to_be_stored_outlives_a_power_cut(path: Path) -> None:
    """As far as SQLite can promise it: a commit waits until the log is on the disk itself."""

    def asked(connection: sqlite3.Connection) -> list[object]:
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    full = 2
    assert with_store(path, lambda store: store.transact(asked)) == ["wal", full]


def test_large_bodies_are_packed(path: Path) -> None:
    with_store(path, lambda store: store.put("falco", BIG, NOW))
    ((size,),) = rows(path, "SELECT length(body) FROM inbox")
    assert isinstance(size, int)
    assert size < len(BIG) / 50


def test_ids_grow_and_are_never_used_again(path: Path) -> None:
    async def scenario(store: Store) -> tuple[int, int]:
        first = await store.put("falco", b"1", NOW)
        await store.commit(Changes(), [first])
        return first, await store.put("falco", b"2", NOW)

    first, second = with_store(path, scenario)
    third = with_store(path, lambda store: store.put("falco", b"3", NOW))
    assert first < second < third


def test_the_inbox_is_read_in_order_and_in_pieces(path: Path) -> None:
    async def scenario(store: Store) -> list[list[int]]:
        numbers = [await store.put("falco", b"x", NOW) for _ in range(5)]
        for _ in range(3):
            numbers.append(await store.put("falco", b"y" * 5 * 2**20, NOW))
        pieces, after = list[list[int]](), 0
        while piece := [row.id for row in await store.inbox(after, 4)]:
            pieces.append([numbers.index(number) for number in piece])
            after = piece[-1]
        return pieces

    assert with_store(path, scenario) == [[0, 1, 2, 3], [4, 5], [6], [7]]


def test_changes_and_what_is_done_are_one_transaction(path: Path) -> None:
    async def scenario(store: Store) -> None:
        number = await store.put("falco", b"1", NOW)
        bad = everything()
        bad.episodes[0].route = None  # type: ignore[assignment]
        with pytest.raises(sqlite3.IntegrityError):
            await store.commit(bad, [number])
        assert [row.id for row in await store.inbox(0, 10)] == [number]
        assert (await store.load()).incidents == []
        await store.commit(everything(), [number])
        assert await store.inbox(0, 10) == []

    with_store(path, scenario)


def test_work_that_fails_takes_no_other_with_it(path: Path) -> None:
    async def scenario(store: Store) -> list[int]:
        bad = everything()
        bad.posts[0].id = 2**70
        results = await asyncio.gather(
            store.put("falco", b"1", NOW), store.commit(bad), store.put("falco", b"2", NOW), return_exceptions=True
        )
        assert isinstance(results[1], OverflowError)
        return [row.id for row in await store.inbox(0, 10)]

    assert len(with_store(path, scenario)) == 2


def test_many_at_once_share_commits(path: Path) -> None:
    async def scenario(store: Store) -> int:
        await asyncio.gather(*(store.put("falco", b"%d" % number, NOW) for number in range(500)))
        return len(await store.inbox(0, 1000))

    assert with_store(path, scenario) == 500


def test_what_was_stored_but_cannot_be_unpacked_holds_up_nothing(path: Path) -> None:
    with_store(path, lambda store: store.put("falco", BIG, NOW))
    with_store(path, lambda store: store.put("falco", b"good", NOW))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE inbox SET body = x'00112233' WHERE packed = 1")
    connection.commit()
    connection.close()

    async def scenario(store: Store) -> None:
        assert [row.body for row in await store.inbox(0, 10)] == [b"good"]
        (row,) = await store.quarantine()
        assert row.reason == "what was stored of it is damaged"

    with_store(path, scenario)


# What the book remembers ------------------------------------------------------------


def test_every_field_comes_back_as_it_was(path: Path) -> None:
    with_store(path, lambda store: store.commit(everything()))
    snapshot = with_store(path, lambda store: store.load())
    stored = everything()
    assert snapshot.episodes == stored.episodes
    assert snapshot.incidents == stored.incidents
    assert snapshot.posts == stored.posts
    assert (snapshot.accounts, snapshot.next_id) == (stored.accounts, 8)
    assert with_store(path, lambda store: store.dead_letters()) == stored.dead_letters


@pytest.mark.parametrize("mapped", [EPISODES, INCIDENTS, POSTS, DEAD_LETTERS], ids=lambda mapped: mapped.table)
def test_tables_and_models_have_the_same_fields_in_the_same_order(path: Path, mapped: object) -> None:
    with_store(path, lambda store: store.open())
    assert isinstance(mapped, type(EPISODES))
    columns = [row[1] for row in rows(path, f"PRAGMA table_info({mapped.table})") if row[1] != "wanted_at"]
    assert columns == [field.name for field in fields(mapped.kind)]


def test_a_change_replaces_and_what_is_gone_is_gone(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(everything())
        other = incident(2, post=3)
        other.revision = 9
        changes = Changes(incidents=[other], gone_episodes=[7], next_id=9)
        changes.accounts["ops", "received"] = 6
        await store.commit(changes)
        await store.commit(Changes(gone_posts=[3], next_id=2))
        snapshot = await store.load()
        assert [item.id for item in snapshot.episodes] == [1]
        assert ([item.revision for item in snapshot.incidents], snapshot.posts) == ([9], [])
        assert (snapshot.accounts["ops", "received"], snapshot.next_id) == (6, 9)

    with_store(path, scenario)


def test_rows_are_made_when_the_changes_are_handed_over(path: Path) -> None:
    """The book goes on changing its objects while they wait for the disk."""

    async def scenario(store: Store) -> None:
        await store.open()
        changes = everything()
        task = asyncio.ensure_future(store.commit(changes))
        await asyncio.sleep(0)
        changes.incidents[0].revision = 99
        await task
        assert (await store.load()).incidents[0].revision == 5

    with_store(path, scenario)


def test_what_is_over_is_not_loaded_unless_a_message_shows_it(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(
            Changes(
                episodes=[episode(1, incident=10), episode(2, incident=11), episode(3)],
                incidents=[incident(10, closed_at=NOW), incident(11, closed_at=NOW, post=20), incident(12)],
                posts=[post(20, 11, 12)],
            )
        )
        snapshot = await store.load()
        assert [item.id for item in snapshot.incidents] == [11, 12]
        assert [item.id for item in snapshot.episodes] == [2, 3]
        recent = await store.recent(10)
        assert [(item.id, [one.id for one in members]) for item, members in recent] == [(11, [2]), (10, [1])]

    with_store(path, scenario)


def test_the_counts_are_of_one_moment(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(everything())
        await store.put("falco", b"x", NOW - 5)
        await store.set_aside(Aside("flux", "no", b"?"), NOW)
        counts = await store.counts()
        assert counts.accounts == {("ops", "received"): 5, ("ops", "posted"): 3}
        assert counts.queued == {"ops": 2}
        assert counts.waiting_since == {"ops": NOW}
        assert (counts.inbox, counts.inbox_oldest, counts.quarantine) == (1, NOW - 5, 1)
        assert (counts.dead_letters, counts.open_incidents) == (1, 1)
        assert counts.bytes > 10_000

    with_store(path, scenario)


def test_the_last_sign_of_life_is_kept(path: Path) -> None:
    assert with_store(path, lambda store: store.last_beat()) is None
    with_store(path, lambda store: store.beat(NOW))
    with_store(path, lambda store: store.beat(NOW - 50))
    assert with_store(path, lambda store: store.last_beat()) == NOW - 50


# Quarantine, dead letters ------------------------------------------------------------


def test_the_same_request_again_is_the_same_row_with_a_count(path: Path) -> None:
    async def scenario(store: Store) -> None:
        first = await store.set_aside(Aside("flux", "no", b"?"), NOW)
        assert await store.set_aside(Aside("flux", "no", b"?"), NOW + 10) == first
        other = await store.set_aside(Aside("falco", "no", b"?"), NOW + 20)
        found = [(row.id, row.times, row.first_at, row.last_at, row.size) for row in await store.quarantine()]
        assert found == [(other, 1, NOW + 20, NOW + 20, 1), (first, 2, NOW, NOW + 10, 1)]

    with_store(path, scenario)


def test_quarantine_is_bounded_by_rows_and_bytes_and_the_oldest_go(path: Path) -> None:
    async def scenario(store: Store) -> None:
        for number in range(5):
            await store.set_aside(Aside("flux", "no", b"%d" % number), NOW + number)
        assert [row.last_at - NOW for row in await store.quarantine()] == [4, 3, 2]
        await store.set_aside(Aside("flux", "no", b"x" * 900), NOW + 5)
        await store.set_aside(Aside("flux", "no", b"y" * 900), NOW + 6)
        assert [row.last_at - NOW for row in await store.quarantine()] == [6]

    with_store(path, scenario, limits=Limits(quarantine=3, quarantine_bytes=1000))


def test_many_bad_pieces_of_one_request_cost_one_look_at_the_bounds(path: Path) -> None:
    """With a look for each, a request of ten thousand of them kept every other sender waiting for half a minute."""
    asides = [Aside("alertmanager", "no", b"%d" % number) for number in range(10)]

    async def scenario(store: Store) -> list[str]:
        said: list[str] = []
        await store.transact(lambda connection: connection.set_trace_callback(said.append))
        await store.put("alertmanager", b"{}", NOW, asides)
        await store.set_aside_all(asides[:5], NOW + 1)
        assert [row.id for row in await store.quarantine()] == [6, 5, 4]
        return said

    said = with_store(path, scenario, limits=Limits(quarantine=3))
    assert sum("DELETE FROM quarantine" in one for one in said) == 2
    assert sum("INSERT INTO quarantine" in one for one in said) == 6


def test_a_request_can_be_taken_again_unless_its_body_was_too_large(path: Path) -> None:
    async def scenario(store: Store) -> None:
        kept = await store.set_aside(Aside("flux", "no", BIG), NOW)
        large = await store.set_aside(Aside("flux", "too large", None, size=10**9), NOW)
        assert {row.id: (row.kept, row.size) for row in await store.quarantine()} == {
            kept: (True, len(BIG)),
            large: (False, 10**9),
        }
        assert [await store.replay(number, NOW + 60) for number in (kept, large, 999)] == [True, False, False]
        (row,) = await store.inbox(0, 10)
        assert (row.source, row.received_at, row.body) == ("flux", NOW + 60, BIG)
        assert [row.id for row in await store.quarantine()] == [large]
        assert [await store.drop(number) for number in (large, large)] == [True, False]

    with_store(path, scenario)


def test_a_request_in_the_inbox_can_go_to_quarantine(path: Path) -> None:
    async def scenario(store: Store) -> None:
        number = await store.put("flux", BIG, NOW)
        await store.set_aside_from_inbox(number, "a bug", NOW + 1)
        await store.set_aside_from_inbox(number, "a bug", NOW + 2)
        assert await store.inbox(0, 10) == []
        (row,) = await store.quarantine()
        assert (row.reason, row.size, row.times, row.kept) == ("a bug", len(BIG), 1, True)

    with_store(path, scenario)


def test_what_of_a_request_goes_to_quarantine_goes_in_the_same_transaction(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.put("alertmanager", b"good and bad", NOW, [Aside("alertmanager", "bad", b"bad")])
        assert len(await store.inbox(0, 10)) == len(await store.quarantine()) == 1

    with_store(path, scenario)


def test_dead_letters_are_asked_for_and_marked(path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.commit(Changes(dead_letters=[dead_letter(1), dead_letter(2)]))
        assert await store.wanted() == []
        connection = sqlite3.connect(path)
        connection.execute("UPDATE dead_letters SET wanted_at = 1.0 WHERE id = 2")
        connection.commit()
        connection.close()
        assert [letter.id for letter in await store.wanted()] == [2]
        await store.replayed(2, NOW)
        assert await store.wanted() == []
        assert {letter.id: letter.replayed_at for letter in await store.dead_letters()} == {1: None, 2: NOW}

    with_store(path, scenario)


# Growing old ------------------------------------------------------------


def test_what_is_over_goes_in_time_and_its_room_is_given_back(path: Path) -> None:
    day = 86_400.0

    async def scenario(store: Store) -> tuple[int, int]:
        await store.commit(
            Changes(
                episodes=[episode(number, incident=number + 1000) for number in range(1000)],
                incidents=[incident(number + 1000, closed_at=NOW - 31 * day) for number in range(998)]
                + [incident(1998, closed_at=NOW - 29 * day), incident(1999)]
                + [incident(2000, closed_at=NOW - 31 * day, post=5)],
                posts=[post(5, 1999, 2000)],
                dead_letters=[dead_letter(1, NOW - 91 * day), dead_letter(2, NOW - 89 * day)],
            )
        )
        before = (await store.counts()).bytes
        await store.clean(NOW)
        assert [item.id for item, _ in await store.recent(10)] == [1998, 2000]
        assert [item.id for item in (await store.load()).incidents] == [1999, 2000]
        assert [letter.id for letter in await store.dead_letters()] == [2]
        return before, (await store.counts()).bytes

    before, after = with_store(path, scenario)
    assert after < before / 2
    assert rows(path, "SELECT count(*) FROM episodes") == [(2,)]
