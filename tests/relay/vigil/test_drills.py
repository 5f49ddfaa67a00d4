"""What people are told, word for word, when the cluster, its line, the outpost or its clock fails. In virtual time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Final

import pytest

from tests.relay.vigil.drill import MIDNIGHT, PING, Drill, M, PacedStore, drill

HEARTBEATS: Final = [
    {"name": "hourly", "period": "1h", "grace": "10m"},
    {"name": "backup", "schedule": "15 0 * * *", "grace": "5m"},
    {"name": "report", "schedule": "0 12 * * *"},
]
BY_HEARTBEAT: Final = {"name": "default", "channel": "ops", "group_by": ["alertname", "heartbeat"], "hold": "0s"}
SILENT: Final = "FIRING · critical · home has fallen silent: its Watchdog does not come"
LAST: Final = "Its Watchdog was last heard at 2026-09-22 00:10 UTC."
NODE_DOWN: Final = {"labels": {"alertname": "NodeDown"}, "severity": "critical", "since": 1.0, "title": "NodeDown n1"}
NO_DATA: Final = "nobody watched from outside: that time counts as no data, and as no outage of anything."


async def ten_good_minutes(d: Drill) -> None:
    await d.until(5)
    d.speaks()
    d.reports()
    await d.until(10 * M + 30)
    assert d.told() == []


# The cluster ------------------------------------------------------------


def test_a_cluster_without_internet_for_ten_minutes_is_one_message_that_says_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        d.reports_no_more()
        await d.until(14 * M + 50)
        assert d.told() == []
        await d.until(15 * M + 20)
        assert d.told() == [
            (
                SILENT,
                f"{LAST} Nothing has come from its relay either since 2026-09-22 00:10 UTC: the house, its line or the"
                " cluster is gone.",
            )
        ]
        assert d.posted() == [pytest.approx(15 * M + 5, abs=2)]
        await d.until(20 * M + 30)
        d.speaks()
        await d.until(21 * M)
        assert d.told() == [
            (
                "RESOLVED · critical · home has fallen silent: its Watchdog does not come · after 5 min",
                "Its Watchdog is heard again. It was silent for 10 min, since 2026-09-22 00:10 UTC.",
            )
        ]
        await d.until(60 * M)
        assert len(d.discord.messages) == 1

    drill(tmp_path, monkeypatch, scenario)


def test_when_only_prometheus_is_gone_the_message_says_what_the_relay_still_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        d.reports(open=[NODE_DOWN], watchdog_missing=True, failing=["media"])
        await d.until(15 * M + 20)
        assert d.told() == [
            (
                SILENT,
                f"{LAST} Its relay still reports, so the cluster and its line are there. Prometheus or Alertmanager is"
                " not, or somebody has silenced Watchdog. Its Alertmanager answers, and knows of no Watchdog. It does"
                " not deliver to #media. Open there: NodeDown n1.",
            )
        ]
        d.reports_no_more()
        await d.until(20 * M)
        ((_, words),) = d.told()
        assert words == (
            f"{LAST} Nothing has come from its relay either since 2026-09-22 00:14 UTC: the house, its line or the"
            " cluster is gone."
        )

    drill(tmp_path, monkeypatch, scenario)


def test_a_relay_that_reports_no_more_is_not_told_while_the_watchdog_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster's own Alertmanager tells that the relay is down, past the relay."""

    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.reports_no_more()
        await d.until(60 * M)
        assert d.told() == []

    drill(tmp_path, monkeypatch, scenario)


def test_a_watchdog_that_alertmanager_calls_resolved_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        assert await d.watchdog(resolved=True) == 200
        await d.until(10 * M + 40)
        assert d.told() == [
            (
                "FIRING · critical · home does not watch itself: its Watchdog is over",
                "Alertmanager lives, and says that the Watchdog is over: Prometheus evaluates no rules any more."
                f" {LAST} Its relay still reports, so the cluster and its line are there. Nothing is open there.",
            )
        ]
        await d.watchdog(resolved=True)
        await d.until(30 * M + 30)
        assert len(d.discord.messages) == 1
        d.speaks()
        await d.until(31 * M)
        assert d.told() == [
            (
                "RESOLVED · critical · home does not watch itself: its Watchdog is over · after 20 min",
                "Its Watchdog is heard again. It was silent for 20 min, since 2026-09-22 00:10 UTC.",
            )
        ]

    drill(tmp_path, monkeypatch, scenario)


def test_what_probes_from_outside_see_is_said_and_the_message_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        d.reports_no_more()
        await d.until(15 * M + 20)
        ((_, words),) = d.told()
        assert words.endswith("cluster is gone. From outside home and ghcr answer.")
        d.places["home"].cut()
        await d.until(20 * M)
        (_, words), (probe, _) = d.told()
        assert words.endswith("cluster is gone. From outside home fails, ghcr answers.")
        assert probe == "FIRING · warning · home does not answer as expected"

    drill(tmp_path, monkeypatch, scenario, probes=Drill.probes)


def test_a_probe_that_the_cluster_has_told_of_is_told_once_reports_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        down = {"alertname": "ProbeDown", "probe": "home"}
        d.reports(open=[{"labels": down, "severity": "warning", "since": 1.0, "title": "home is down"}])
        d.places["home"].cut()
        await d.until(20 * M)
        assert d.told() == []
        d.reports_no_more()
        await d.until(24 * M)
        assert [state for state, _ in d.told()] == ["FIRING · warning · home does not answer as expected"]

    drill(tmp_path, monkeypatch, scenario, probes=Drill.probes)


def test_when_all_probes_fail_and_the_anchors_answer_it_is_they(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        for place in d.places.values():
            place.cut()
        await d.until(16 * M)
        assert [state for state, _ in d.told()] == ["FIRING · warning · ProbeDown · 2 firing"]

    drill(tmp_path, monkeypatch, scenario, probes=Drill.probes)


def test_of_two_rule_engines_the_silent_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        d.speaks("loki")
        await ten_good_minutes(d)
        d.hushes("loki")
        await d.until(15 * M + 20)
        assert d.told() == [
            (
                SILENT,
                f"{LAST} Only this one is: loki. Another Watchdog of the cluster is heard. Its relay still reports, so"
                " the cluster and its line are there. Prometheus or Alertmanager is not, or somebody has silenced"
                " Watchdog. Nothing is open there.",
            )
        ]
        _, metrics = await d.metrics()
        assert 'homelabmon_watchdog_silent{engine="loki"} 1' in metrics
        assert 'homelabmon_watchdog_silent{engine="monitoring/k8s"} 0' in metrics

    drill(tmp_path, monkeypatch, scenario)


def test_an_outpost_that_never_hears_says_so_once_and_a_restart_does_not_say_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(4 * M + 50)
        assert d.told() == []
        await d.until(5 * M + 10)
        never = (
            "FIRING · critical · home has never been heard: no Watchdog has come",
            "The outpost has waited for its Watchdog since it was started, and none has come. No relay has reported"
            " here.",
        )
        assert d.told() == [never]
        await d.away(30)
        await d.until(20 * M)
        assert d.told() == [never]
        d.speaks()
        await d.until(21 * M)
        assert d.told() == [
            (
                "RESOLVED · critical · home has never been heard: no Watchdog has come · after 15 min",
                "Its Watchdog has been heard for the first time.",
            )
        ]

    drill(tmp_path, monkeypatch, scenario)


def test_who_knocks_with_a_wrong_token_is_named_as_the_likely_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        d.reports_no_more()
        d.speaks(token="changed")
        await d.until(15 * M + 20)
        ((_, words),) = d.told()
        assert words.endswith(
            "Somebody has come with a wrong token since 2026-09-22 00:10 UTC: is outpost-token the same in the cluster"
            " and here?"
        )
        await d.post("/v1/alertmanager", b"{}", token="")

    drill(tmp_path, monkeypatch, scenario)


def test_a_watchdog_that_is_not_expected_any_more_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(6 * M)
        assert len(d.told()) == 1
        d.configure(watchdog=None)
        await d.until(7 * M)
        ((state, words),) = d.told()
        assert state.startswith("RESOLVED")
        assert words == "No Watchdog is expected any more: the configuration names none."

    drill(tmp_path, monkeypatch, scenario)


def test_the_watchdog_reaches_nobody_and_what_comes_with_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        d.speaks()
        both = json.loads(d.webhook({"alertname": "Watchdog"}))
        both["alerts"] += json.loads(d.webhook({"alertname": "NodeDown", "severity": "critical"}))["alerts"]
        assert await d.post("/v1/alertmanager", json.dumps(both).encode()) == 200
        await d.until(2 * M)
        assert [state for state, _ in d.told()] == ["FIRING · critical · NodeDown it is"]
        _, metrics = await d.metrics()
        assert 'homelabmon_alerts_received_total{channel="ops"} 1' in metrics

    drill(tmp_path, monkeypatch, scenario)


# The outpost ------------------------------------------------------------


def test_twenty_blind_minutes_are_one_message_afterwards_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs were due in them, and the Watchdog could not come in."""

    async def scenario(d: Drill) -> None:
        d.speaks()
        await d.ping("hourly")
        await d.until(10 * M + 20)
        d.hushes()
        d.cut_off()
        for place in d.places.values():
            place.cut()
        await d.until(20 * M)
        _, metrics = await d.metrics()
        assert "outpost_blind 1" in metrics
        await d.until(30 * M)
        assert d.told() == []
        d.back()
        for place in d.places.values():
            place.listen()
        await d.until(30 * M + 30)
        assert d.told() == [
            (
                "EVENT · warning · The outpost was cut off from the world for 20 min · 1 event",
                f"From 2026-09-22 00:10 to 00:30 UTC {NO_DATA} 1 run unverified: backup.",
            )
        ]
        d.speaks()
        await d.until(69 * M)
        assert len(d.told()) == 1
        _, metrics = await d.metrics()
        assert "outpost_blind 0" in metrics
        assert "homelabmon_outpost_gaps_total 1" in metrics

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS, probes=Drill.probes)


def test_silence_is_counted_anew_after_blindness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.hushes()
        d.reports_no_more()
        await d.blind(20 * M)
        await d.until(35 * M)
        assert [state for state, _ in d.told()] == [
            "EVENT · warning · The outpost was cut off from the world for 20 min · 1 event"
        ]
        await d.until(36 * M)
        assert d.told()[1][0] == SILENT

    drill(tmp_path, monkeypatch, scenario)


def test_a_line_that_is_cut_just_before_the_silence_counts_is_noticed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However lately the anchors answered: before the cluster is called silent they are asked again."""

    async def scenario(d: Drill) -> None:
        assert d.service is not None
        sight = d.service.vigil.sight
        await d.until(5)
        while sight.looked_at is None:
            await asyncio.sleep(1)
        await d.until(sight.looked_at - MIDNIGHT + 2)
        assert await d.watchdog() == 200
        await asyncio.sleep(5 * M - 3)
        d.cut_off()
        await asyncio.sleep(10)
        assert (sight.blind_since is None, d.told()) == (False, [])

    drill(tmp_path, monkeypatch, scenario)


def test_a_line_that_comes_and_goes_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        d.speaks()
        for _ in range(20):
            await d.blind(20)
            await asyncio.sleep(40)
        assert d.told() == []

    drill(tmp_path, monkeypatch, scenario)


def test_ten_minutes_without_the_outpost_are_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.ping("hourly")
        await d.away(10 * M)
        await d.until(30 * M)
        assert d.told() == [
            (
                "EVENT · warning · The outpost did not run for 10 min · 1 event",
                f"From 2026-09-22 00:10 to 00:20 UTC {NO_DATA} 1 run unverified: backup.",
            )
        ]

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS)


def test_a_short_restart_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.away(45)
        await d.until(30 * M)
        assert d.told() == []

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS[:1])


def test_an_outpost_that_is_stopped_while_blind_tells_both_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.cut_off()
        await d.until(20 * M)
        await d.stop()
        await d.until(25 * M)
        d.back()
        await d.start()
        await d.until(26 * M)
        assert d.told() == [
            (
                "EVENT · warning · The outpost was cut off from the world and then did not run for 15 min · 1 event",
                f"From 2026-09-22 00:10 to 00:25 UTC {NO_DATA}",
            )
        ]

    drill(tmp_path, monkeypatch, scenario)


def test_a_suspended_machine_is_a_gap_and_not_a_silent_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.clock.suspend(20 * M)
        await d.until(45 * M)
        assert d.told() == [
            (
                "EVENT · warning · The outpost was suspended for 20 min · 1 event",
                f"From 2026-09-22 00:10 to 00:30 UTC {NO_DATA} 1 run unverified: backup.",
            )
        ]

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS[1:])


def test_a_clock_that_is_set_ahead_is_a_gap_and_one_that_is_set_back_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        d.clock.step(20 * M)
        await asyncio.sleep(10 * M)
        ahead = (
            "EVENT · warning · The outpost was paused by its host, or had its clock set ahead, for 20 min · 1 event",
            f"From 2026-09-22 00:10 to 00:30 UTC {NO_DATA} No run is unverified.",
        )
        assert d.told() == [ahead]
        d.clock.step(-20 * M)
        await asyncio.sleep(10 * M)
        assert d.told() == [ahead]
        d.hushes()
        d.reports_no_more()
        await asyncio.sleep(6 * M)
        assert [state for state, _ in d.told()] == [ahead[0], SILENT]

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS[2:])


def test_a_disk_that_failed_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        assert d.service is not None
        assert isinstance(d.service.store, PacedStore)
        d.service.store.broken = True
        await d.until(12 * M)
        assert await d.watchdog() == 503
        await d.until(20 * M + 30)
        d.service.store.broken = False
        await d.until(24 * M)
        assert d.told() == [
            (
                "EVENT · warning · The outpost could not write to its disk for 10 min · 1 event",
                f"From 2026-09-22 00:10 to 00:20 UTC {NO_DATA}",
            )
        ]

    drill(tmp_path, monkeypatch, scenario)


def test_a_lost_database_starts_anew_without_a_false_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.stop()
        for path in tmp_path.glob("outpost.db*"):
            path.unlink()
        await d.until(30 * M)
        await d.start()
        await d.until(60 * M)
        assert d.told() == []

    drill(tmp_path, monkeypatch, scenario)


def test_a_database_that_is_taken_away_while_it_is_in_use_costs_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.ping("hourly")
        for path in tmp_path.glob("outpost.db*"):
            path.unlink()
        await d.until(60 * M)
        await d.ping("report/7")
        await d.stop()
        await d.start()
        await d.until(85 * M)
        assert d.told() == [
            ("FIRING · warning · backup has never been seen", "It was due at 2026-09-22 00:15 UTC."),
            ("FIRING · warning · report failed with exit code 7", "It has never succeeded."),
            (
                "FIRING · warning · hourly did not run",
                "It was due at 2026-09-22 01:10 UTC. Its last success was at 2026-09-22 00:10 UTC.",
            ),
        ]

    drill(tmp_path, monkeypatch, scenario, heartbeats=HEARTBEATS, default=BY_HEARTBEAT)


def test_a_lost_database_takes_heartbeats_as_new_ones_and_tells_no_storm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [{"name": f"daily-{number}", "schedule": "30 0 * * *", "grace": "10m"} for number in range(30)]

    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        for beat in many:
            await d.ping(beat["name"])
        await d.stop()
        for path in tmp_path.glob("outpost.db*"):
            path.unlink()
        await d.until(50 * M)  # all of them ran meanwhile, and nobody heard it
        await d.start()
        await d.until(70 * M)
        assert d.told() == []

    drill(tmp_path, monkeypatch, scenario, heartbeats=many, default=BY_HEARTBEAT)


def test_a_corrupt_database_is_told_and_the_watch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.stop()
        (tmp_path / "outpost.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)
        await d.start()
        await d.until(30 * M)
        assert [state for state, _ in d.told()] == [
            "EVENT · critical · The outpost had to start a new database · 1 event"
        ]
        d.hushes()
        await d.until(40 * M)
        assert d.told()[1][0] == SILENT

    drill(tmp_path, monkeypatch, scenario)


def test_gaps_are_rows_that_history_subtracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await ten_good_minutes(d)
        await d.blind(2 * M)
        await d.until(15 * M)
        await d.away(40)
        await d.stop()

    drill(tmp_path, monkeypatch, scenario)
    with sqlite3.connect(tmp_path / "outpost.db") as connection:
        rows = connection.execute("SELECT began, ended, kind FROM gaps ORDER BY began").fetchall()
    connection.close()
    assert [kind for _, _, kind in rows] == ["blind", "restart"]
    assert [ended - began for began, ended, _ in rows] == [pytest.approx(140, abs=20), pytest.approx(43, abs=4)]
    assert all(began >= MIDNIGHT + 9 * M for began, _, _ in rows)


# Evidence ------------------------------------------------------------


def test_one_anchor_and_something_from_afar_are_enough_and_one_alone_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        assert d.service is not None
        sight = d.service.vigil.sight
        d.anchors[0].cut()
        await d.until(2 * M)
        assert (sight.blind_since, sight.alive[d.anchors[2].address]) == (None, True)
        d.anchors[1].cut()
        for _ in range(12):
            assert (await d.get_from("8.8.4.4", f"{PING}/nobody"))[0] == 404
            await asyncio.sleep(10)
        assert sight.blind_since is None
        for _ in range(12):
            assert (await d.get_from("192.168.1.7", f"{PING}/nobody"))[0] == 404
            await asyncio.sleep(10)
        assert sight.blind_since is not None

    drill(tmp_path, monkeypatch, scenario)


def test_what_shows_the_clusters_token_has_come_from_afar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        assert d.service is not None
        sight = d.service.vigil.sight
        for anchor in d.anchors[:2]:
            anchor.cut()
        for _ in range(12):
            assert await d.watchdog() == 200
            await asyncio.sleep(10)
        for _ in range(12):
            assert await d.post("/v1/report", d.report()) == 200
            await asyncio.sleep(10)
        assert sight.blind_since is None
        for _ in range(12):
            assert await d.watchdog(token="wrong") == 401
            await asyncio.sleep(10)
        assert sight.blind_since is not None

    drill(tmp_path, monkeypatch, scenario)


def test_the_page_says_who_watches_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        assert d.service is not None
        assert [row.words for row in (await d.service._console.data()).watch] == [
            "✓ sees",
            "○ not heard yet",
            "○ none yet",
        ]
        await ten_good_minutes(d)
        d.speaks("loki")
        await asyncio.sleep(5)
        d.hushes()
        d.reports(open=[NODE_DOWN])
        d.anchors[1].cut()
        await d.until(20 * M)
        rows = [(row.name, row.kind, row.words) for row in (await d.service._console.data()).watch]
        assert sorted(rows) == [
            ("Report of the relay", "ok", "✓ comes, 1 alert open"),
            ("Sight", "warn", f"✓ sees, but {d.anchors[1].address} does not answer"),
            ("Watchdog loki", "ok", "✓ heard"),
            ("Watchdog monitoring/k8s", "bad", "■ silent"),
        ]
        d.cut_off()
        d.reports_no_more()
        await d.until(30 * M)
        rows = [(row.name, row.kind, row.words) for row in (await d.service._console.data()).watch]
        assert ("Sight", "bad", "■ blind: the anchors do not answer") in rows
        assert ("Report of the relay", "warn", "… too old") in rows

    drill(tmp_path, monkeypatch, scenario)


def test_what_fell_into_a_gap_is_looked_for_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        told_by_then = list[int]()

        async def look() -> None:
            told_by_then.append(len(d.discord.messages))

        await ten_good_minutes(d)
        assert d.service is not None
        d.service.vigil.looks = (look,)
        d.clock.suspend(5 * M)
        await asyncio.sleep(M)
        assert (told_by_then, len(d.told())) == ([0], 1)

    drill(tmp_path, monkeypatch, scenario)
