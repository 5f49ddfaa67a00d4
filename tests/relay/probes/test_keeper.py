"""From what checks found to state, history and words, all in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from homelabmon.relay import history
from homelabmon.relay.probes import records
from homelabmon.relay.probes.keeper import Keeper
from homelabmon.relay.probes.outcome import Outcome, Theirs
from homelabmon.relay.store.trouble import StoreError
from homelabmon.relay.vigil import reports
from homelabmon.relay.vigil.reports import OpenAlert, Report
from tests.relay.heartbeats.desk import MIDNIGHT
from tests.relay.probes.desk import BAD, GHCR, OK, SLOW, Desk, chain, targets

DAY = 86_400.0


def words(notice: dict[str, Any]) -> tuple[str, str]:
    return notice["annotations"]["summary"], notice["annotations"]["description"]


def test_an_outage_and_its_end_in_their_words() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "description": "Images of the cluster", "severity": "critical"})
        await desk.take(0, ghcr=OK)
        wrong = Outcome("failed", "status 503 instead of 200 or 401", 0.2)
        for second in (60, 75, 90):
            await desk.take(second, ghcr=wrong)
        (notice,) = desk.notices()
        assert words(notice) == (
            "ghcr does not answer as expected",
            "Images of the cluster. https://ghcr.io/v2/, asked from outside 3 times in a row since 2026-09-22 00:01"
            " UTC: status 503 instead of 200 or 401.",
        )
        assert notice["labels"] == {
            "alertname": "ProbeDown",
            "probe": "ghcr",
            "severity": "critical",
            "source": "probe",
        }
        assert notice["annotations"]["runbook_url"].endswith("/docs/runbooks/ProbeDown.md")
        assert (notice["firing"], notice["starts_at"]) == (True, MIDNIGHT + 60)
        assert desk.nudges == 1
        await desk.take(780, ghcr=OK)
        (notice,) = desk.notices()
        assert words(notice) == ("ghcr does not answer as expected", "It answers again, after 12 min.")
        assert (notice["firing"], notice["starts_at"], notice["ends_at"]) == (False, MIDNIGHT + 60, MIDNIGHT + 780)
        assert desk.noted("ghcr") == [(0, "operational"), (60, "outage"), (780, "operational")]

    asyncio.run(scenario())


def test_a_third_partys_own_word_stands_beside_ours() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        theirs = Theirs("minor", "Partial System Outage", MIDNIGHT + 55, ("Packages", "Pages"))
        await desk.take(60, theirs, ghcr=BAD)
        (notice,) = desk.notices()
        assert words(notice)[1] == (
            "https://ghcr.io/v2/, asked from outside once since 2026-09-22 00:01 UTC: status 503 instead of 200."
            " Its own status page says: Partial System Outage (Packages, Pages)."
        )

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "theirs",
    [Theirs("none", "All Systems Operational", MIDNIGHT), Theirs("major", "Long ago", MIDNIGHT - 3_700)],
)
def test_a_third_partys_word_that_says_nothing_is_left_out(theirs: Theirs) -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        await desk.take(0, theirs, ghcr=BAD)
        assert "status page" not in words(desk.notices()[0])[1]

    asyncio.run(scenario())


def test_their_major_outage_alone_is_told_to_nobody_and_makes_one_that_answers_degraded_in_history() -> None:
    async def scenario() -> None:
        desk = Desk(GHCR)
        await desk.take(0, ghcr=OK)
        await desk.take(60, Theirs("major", "Down", MIDNIGHT + 60), ghcr=OK)
        await desk.take(120, ghcr=OK)
        await desk.take(360, Theirs("none", "Fine", MIDNIGHT + 360), ghcr=OK)
        assert desk.notices() == []
        assert desk.noted("ghcr") == [(0, "operational"), (60, "degraded"), (360, "operational")]
        assert desk.state("ghcr").status == "up"

    asyncio.run(scenario())


def test_a_slow_probe_in_its_words() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "expect": {"within": "2s"}, "severity": "critical"})
        for minute in range(11):
            await desk.take(60 * minute, ghcr=SLOW)
        (notice,) = desk.notices()
        assert words(notice) == (
            "ghcr is slow",
            "https://ghcr.io/v2/, asked from outside, has been slower than 2 s since 2026-09-22 00:00 UTC, last 3.0 s.",
        )
        assert (notice["labels"]["alertname"], notice["labels"]["severity"]) == ("ProbeSlow", "warning")
        await desk.take(660, ghcr=OK)
        assert words(desk.notices()[0])[1] == "It is fast again, after 11 min."
        assert desk.noted("ghcr") == [(0, "degraded"), (660, "operational")]

    asyncio.run(scenario())


def test_a_certificate_in_its_words() -> None:
    async def scenario() -> None:
        desk = Desk(GHCR)
        until = MIDNIGHT + 13.6 * DAY
        await desk.take(0, ghcr=replace(OK, certificate_until=until))
        (notice,) = desk.notices()
        assert words(notice) == (
            "The certificate of ghcr expires soon",
            "The certificate chain of https://ghcr.io/v2/ is valid until 2026-10-05 14:24 UTC, 14 days more."
            " It should have been renewed by now.",
        )
        assert (notice["labels"]["alertname"], notice["labels"]["severity"]) == ("ProbeCertificateExpires", "warning")
        await desk.take(12 * DAY, ghcr=replace(OK, certificate_until=until))
        over, last = desk.notices()
        assert words(over)[1] == "Its last days have come."
        assert words(last) == (
            "The certificate of ghcr has expired or is about to",
            "The certificate chain of https://ghcr.io/v2/ is valid until 2026-10-05 14:24 UTC, 1 d 14 h more."
            " It should have been renewed by now.",
        )
        assert (last["labels"]["alertname"], last["labels"]["severity"]) == ("ProbeCertificateLastDays", "critical")
        await desk.take(13 * DAY, ghcr=replace(OK, certificate_until=until + 90 * DAY))
        assert words(desk.notices()[0])[1] == "There is a new one, valid until 2027-01-03 14:24 UTC."

    asyncio.run(scenario())


def test_nothing_that_may_be_secret_is_told() -> None:
    async def scenario() -> None:
        desk = Desk({"name": "cam", "url": "https://me:hunter2@cam.example/view?key=hunter2#x", "retries": 0})
        await desk.take(0, cam=BAD)
        (notice,) = desk.notices()
        assert "https://cam.example/view?…, asked from outside" in words(notice)[1]
        assert "hunter2" not in str(notice)
        (row,) = await desk.keeper.rows()
        assert "hunter2" not in str(row)

    asyncio.run(scenario())


def test_what_was_told_before_a_restart_is_not_told_again_and_is_resolved_after_it() -> None:
    async def scenario() -> None:
        before = Desk({**GHCR, "retries": 0})
        await before.take(0, ghcr=BAD)
        assert len(before.notices()) == 1
        after = Desk({**GHCR, "retries": 0}, disk=before.disk)
        await after.take(600, ghcr=BAD)
        assert after.told() == []
        await after.take(660, ghcr=OK)
        assert after.told() == [("ends", "ProbeDown", "ghcr", 660)]

    asyncio.run(scenario())


def test_a_probe_that_is_asked_no_more_is_resolved_and_forgotten_and_its_history_stays() -> None:
    async def scenario() -> None:
        desk = Desk(*chain("a", "b", retries=0))
        await desk.take(0, a=BAD)
        desk.told()
        desk.keeper.reconfigure(targets(*chain("c")))
        await desk.take(60)
        (notice,) = desk.notices()
        assert words(notice)[1] == "It is not asked any more."
        assert (notice["firing"], notice["labels"]["probe"]) == (False, "a")
        assert set(records.everything(desk.disk.connection)) == {"c"}
        assert desk.noted("a") == [(0, "outage")]
        assert set(history.states(desk.disk.connection)) == {"probe:c"}

    asyncio.run(scenario())


def test_a_probe_that_asks_something_else_begins_anew() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        await desk.take(0, ghcr=BAD)
        desk.told()
        desk.keeper.reconfigure(targets({**GHCR, "retries": 0, "url": "https://ghcr.io/"}))
        await desk.take(60)
        (notice,) = desk.notices()
        assert words(notice)[1] == "It is asked something else from now on."
        assert desk.state("ghcr").status == "new"

    asyncio.run(scenario())


def test_a_probe_that_only_changes_its_description_or_patience_goes_on() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        await desk.take(0, ghcr=BAD)
        desk.told()
        desk.keeper.reconfigure(targets({**GHCR, "retries": 5, "description": "new", "interval": "5m", "parent": "x"}))
        await desk.take(60)
        assert desk.told() == []
        assert desk.state("ghcr").status == "down"

    asyncio.run(scenario())


def test_what_the_cluster_tells_already_is_told_when_its_reports_stop() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        desk.elsewhere = frozenset({"ghcr"})
        taken = await desk.take(0, ghcr=BAD)
        assert desk.told() == []
        assert taken.waiting == {"ghcr"}
        desk.elsewhere = frozenset()
        taken = await desk.take(10)
        assert desk.told() == [("begins", "ProbeDown", "ghcr", 0)]
        assert not taken.waiting

    asyncio.run(scenario())


def test_when_most_hosts_fail_at_once_one_more_failure_is_forgiven() -> None:
    async def scenario() -> None:
        desk = Desk(*(one for name in "abcde" for one in chain(name, retries=0)))
        await desk.take(0, a=OK, b=OK, c=OK, d=OK, e=OK)
        await desk.take(60, a=BAD)
        await desk.take(61, b=BAD)
        assert [name for *_, name, _ in desk.told()] == ["a", "b"]
        await desk.take(62, c=BAD)
        assert desk.told() == []
        await desk.take(77, c=BAD)
        assert desk.told() == [("begins", "ProbeDown", "c", 62)]

    asyncio.run(scenario())


def test_what_the_clusters_relay_reports_as_told_is_not_told_again() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        desk.keeper = Keeper(desk.disk, desk.clock, desk._nudge, targets({**GHCR, "retries": 0}))
        labels = {"alertname": "ProbeDown", "probe": "ghcr", "severity": "warning"}
        told = OpenAlert(labels, "warning", MIDNIGHT - 60, "Probe ghcr fails")
        reports.keep(desk.disk.connection, Report("home", MIDNIGHT, MIDNIGHT - DAY, open=(told,)), MIDNIGHT)
        await desk.take(10, ghcr=BAD)
        await desk.take(reports.FRESH - 1)
        assert desk.told() == []
        await desk.take(reports.FRESH + 1)
        assert desk.told() == [("begins", "ProbeDown", "ghcr", 10)]

    asyncio.run(scenario())


def test_a_database_that_was_replaced_is_filled_anew() -> None:
    async def scenario() -> None:
        desk = Desk(GHCR)
        await desk.take(0, ghcr=OK)
        for table in ("probes", "spans", "probe_results"):
            desk.disk.connection.execute(f"DELETE FROM {table}")
        await desk.take(60, ghcr=OK)
        assert desk.state("ghcr").status == "up"
        assert desk.noted("ghcr") == [(60, "operational")]

    asyncio.run(scenario())


def test_a_disk_that_fails_keeps_nothing_and_tells_nothing() -> None:
    async def scenario() -> None:
        desk = Desk({**GHCR, "retries": 0})
        await desk.take(0, ghcr=OK)
        desk.disk.broken = True
        with pytest.raises(StoreError):
            await desk.take(60, ghcr=BAD)
        desk.disk.broken = False
        assert (desk.told(), desk.state("ghcr").status) == ([], "up")

    asyncio.run(scenario())


def test_results_are_kept_some_and_no_more() -> None:
    async def scenario() -> None:
        desk = Desk(*chain("a", "b"))
        await desk.take(0, b=OK)
        for second in range(records.KEPT + 30):
            await desk.take(second, a=OK if second % 2 else BAD)
        await desk.keeper.clean()
        kept = records.results(desk.disk.connection, "a")
        assert (len(kept), len(records.results(desk.disk.connection, "b"))) == (records.KEPT, 1)
        assert kept[0].at == MIDNIGHT + records.KEPT + 29
        assert {one.detail for one in kept} == {"", "status 503 instead of 200"}

    asyncio.run(scenario())


def test_rows_tell_what_pages_show() -> None:
    async def scenario() -> None:
        desk = Desk(GHCR)
        theirs = Theirs("minor", "Slow pulls", MIDNIGHT)
        await desk.take(0, theirs, ghcr=replace(OK, timing="dns 1 ms"))
        (row,) = await desk.keeper.rows()
        assert (row.name, row.shown, row.state.status) == ("ghcr", "https://ghcr.io/v2/", "up")
        assert (row.theirs, row.their_word, row.timing) == (theirs, "Slow pulls", "dns 1 ms")

    asyncio.run(scenario())
