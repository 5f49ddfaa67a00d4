"""Reports of the cluster's relay: what they say, who may send them, and what they cannot do."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.intake.reading import UnreadableError
from homelabmon.relay.store.schema import MIGRATIONS
from homelabmon.relay.vigil import reports
from homelabmon.relay.vigil.reports import FRESH, MOST_OPEN, OpenAlert, Report
from tests.relay.vigil.drill import Drill, drill

FULL = Report(
    name="home",
    at=1.0,
    started_at=0.5,
    stored=False,
    watchdog_missing=True,
    open=(OpenAlert({"alertname": "ProbeDown", "probe": "home"}, "critical", 0.25, "home is down"),),
    more=3,
    failing=("media",),
)
LEAST = {"version": 1, "name": "home", "at": 1.0, "started_at": 0.0}


def disk() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in MIGRATIONS:
        connection.executescript(script)
    return connection


def test_a_report_arrives_as_it_was_sent() -> None:
    assert reports.parse(reports.body_of(FULL)) == FULL


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"nope", "it is not JSON (line 1, column 1)"),
        (b"[]", "it is JSON, but no object"),
        (b'{"version": 2}', "it is not version 1 of a relay's report"),
        (json.dumps({**LEAST, "at": "now"}).encode(), "at is not a number"),
        (json.dumps({**LEAST, "at": 1e300}).encode(), "at is not a number"),
        (json.dumps({**LEAST, "open": "all"}).encode(), "open, or failing, is not a list"),
        (json.dumps({**LEAST, "open": ["all"]}).encode(), "an open incident is no object"),
        (json.dumps({**LEAST, "open": [{"labels": 1}]}).encode(), "labels is not an object"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        reports.parse(body)
    assert str(refused.value) == why


def test_a_report_cannot_be_large() -> None:
    one = {
        "labels": {f"l{n}": "v" * 9_999 for n in range(99)},
        "severity": "s" * 9_999,
        "since": 1,
        "title": "t" * 9_999,
    }
    report = reports.parse(json.dumps({**LEAST, "open": [one] * 200}).encode())
    assert (len(report.open), report.more) == (MOST_OPEN, 150)
    assert len(reports.body_of(report)) < MOST_OPEN * 5_000


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["at", "started_at", "open", "failing", "more", "name", "stored"]), _JSON))
def test_whatever_comes_is_read_or_refused(changed: dict[str, Any]) -> None:
    try:
        report = reports.parse(json.dumps({**LEAST, **changed}).encode())
    except UnreadableError:
        return
    assert reports.parse(reports.body_of(report)) == report


def test_only_a_fresh_report_says_what_the_cluster_tells() -> None:
    connection = disk()
    assert (reports.last(connection), reports.probes_told(connection, 0)) == (None, frozenset())
    reports.keep(connection, FULL, 1_000)
    assert reports.probes_told(connection, 1_000 + FRESH) == {"home"}
    assert reports.probes_told(connection, 1_001 + FRESH) == frozenset()
    reports.keep(connection, replace(FULL, open=()), 1_010)
    assert reports.probes_told(connection, 1_010) == frozenset()


def test_the_door_for_reports_wants_the_token_and_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        body = reports.body_of(FULL)
        assert await d.post("/v1/report", body, token="wrong") == 401
        assert await d.post("/v1/report", b"{}") == 422
        assert await d.post("/v1/report", b" " * 2**18) == 413
        assert await d.get("/v1/report") == (405, "post it\n")
        assert "homelabmon_report_last_seen" not in (await d.metrics())[1]
        assert await d.post("/v1/report", body) == 200
        assert "homelabmon_report_last_seen_timestamp_seconds 17" in (await d.metrics())[1]

    drill(tmp_path, monkeypatch, scenario)
