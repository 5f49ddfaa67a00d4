"""What fired while nobody listened: from a real Prometheus' history, and from answers that are none."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.transport import HttpTransport, TransportFailure
from homelabmon.relay.reconcile.answers import BODY_LIMIT
from homelabmon.relay.reconcile.backfill import backfill, gap_began
from homelabmon.relay.reconcile.prometheus import (
    Firing,
    external_labels,
    fingerprint,
    history,
    missed,
)
from tests.relay.rig import Rig
from tests.relay.virtual import START, run
from tests.routing.alertmanager import running

PATIENCE = 30.0


# A past that somebody wrote ------------------------------------------------------------------------------------------


class Past:
    """Answers range queries about alerts that fired: (labels, begin, end), in seconds after START."""

    def __init__(self, *fired: tuple[Mapping[str, str], float, float], fails: int = 0) -> None:
        self.fired = fired
        self.fails = fails
        self.asked: list[tuple[float, float]] = []

    async def send(self, request: Request) -> Response | TransportFailure:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        start, end, step = float(query["start"]), float(query["end"]), float(query["step"])
        self.asked.append((start - START, end - START))
        if self.fails:
            self.fails -= 1
            return TransportFailure("refused")
        result = []
        for labels, began, ended in self.fired:
            moments = []
            at = start
            while at <= end:
                if START + began <= at < START + ended:
                    moments.append([at, "1"])
                at += step
            if moments:
                metric = {"__name__": "ALERTS", "alertstate": "firing", **labels}
                result.append({"metric": metric, "values": moments})
        return Response(200, {}, json.dumps({"status": "success", "data": {"result": result}}).encode())


def fired(past: Past, start: float, end: float) -> list[Firing]:
    found = asyncio.run(history(past, "http://prometheus", START + start, START + end))
    assert found is not None
    return found


def test_what_fired_is_found_with_its_begin_and_its_end() -> None:
    past = Past(({"alertname": "A"}, 100, 400), ({"alertname": "B"}, -50, 50), ({"alertname": "C"}, 300, 9999))
    a, b, c = sorted(fired(past, 0, 600), key=lambda firing: firing.labels["alertname"])
    assert START + 100 <= a.began <= START + 115
    assert START + 400 <= a.ended <= START + 415
    assert (a.over, a.from_the_first) == (True, False)
    assert (b.over, b.from_the_first) == (True, True)
    assert (c.over, c.from_the_first) == (False, False)


def test_two_firings_of_one_alert_are_two_and_one_over_several_requests_is_one() -> None:
    past = Past(({"alertname": "A"}, 100, 200), ({"alertname": "A"}, 300, 400), ({"alertname": "B"}, 3000, 8000))
    found = fired(past, 0, 10_000)
    assert [(firing.labels["alertname"], firing.over) for firing in found] == [("A", True), ("A", True), ("B", True)]
    assert START + 8000 <= found[2].ended <= START + 8015
    assert len(past.asked) == 3
    assert all(end - start <= 3600 for start, end in past.asked)


def test_of_a_month_only_the_last_day_is_looked_at() -> None:
    past = Past()
    fired(past, 0, 30 * 86_400)
    assert past.asked[0][0] == 29 * 86_400
    assert len(past.asked) <= 25


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"status":"error"}', b'{"status":"success","data":{"result":[1]}}', b"null"],
)
def test_what_is_no_answer_is_none(body: bytes) -> None:
    class Odd:
        async def send(self, request: Request) -> Response | TransportFailure:
            return Response(200, {}, body)

    assert asyncio.run(history(Odd(), "http://prometheus", 0, 100)) is None


def test_external_labels_are_what_alertmanagers_alerts_have_more() -> None:
    here = [
        Firing({"alertname": "Watchdog"}, 0, 1, False, True),
        Firing({"alertname": "A", "pod": "p"}, 0, 1, False, True),
        Firing({"alertname": "A"}, 0, 1, False, True),
    ]
    external = {"cluster": "home", "prometheus": "monitoring/k8s"}
    there = [{**firing.labels, **external} for firing in here]
    assert external_labels(here, [*there, {"alertname": "Foreign"}]) == external
    assert external_labels(here, []) == {}
    assert external_labels([], there) == {}


def test_what_machines_listen_to_is_not_missed() -> None:
    labels: list[dict[str, str]] = [
        {"alertname": "Watchdog"},
        {"alertname": "InfoInhibitor"},
        {"alertname": "RelayQueueOld", "component": "relay"},
        {"alertname": "A"},
    ]
    found = missed([Firing(one, 10, 99, True, False) for one in labels], {"cluster": "home"})
    assert [notice.labels for notice in found] == [{"alertname": "A", "cluster": "home"}]
    assert found[0].fingerprint == fingerprint({"alertname": "A", "cluster": "home"})


# Into the book -------------------------------------------------------------------------------------------------------


class Listing:
    def __init__(self, *labels: Mapping[str, str]) -> None:
        self._labels = labels

    async def labels(self) -> Sequence[Mapping[str, str]]:
        return self._labels


def named(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": "warning", "name": name, **labels}


def test_what_fired_and_ended_while_the_relay_was_down_is_told_once_and_what_was_brief_never() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            rig.tell(rig.alert("known", at=0, replica="x"))
            await rig.until(100)
            await rig.stop()
            past = Past(
                (named("known"), 0, 300),
                (named("missed"), 200, 400),
                (named("brief"), 200, 230),
                (named("still"), 500, 9999),
                fails=3,
            )
            await rig.until(1000)
            await rig.start()
            await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, rig.begun + 95)
            await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, rig.begun + 95)
            await rig.until(1100)
            assert rig.discord.visible(["known", "missed", "brief", "still"]) == {"known", "missed"}
            assert ["RESOLVED" in title for title in rig.titles()] == [False, True]
            assert rig.accounts() == {"received": 3, "posted": 2, "suppressed": 1}

    run(scene())


def test_what_began_in_the_last_minute_before_the_gap_was_perhaps_not_told_either() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            await rig.until(1000)
            past = Past((named("just"), 60, 400), (named("sooner"), 20, 400))
            await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, rig.begun + 95)
            await rig.until(1100)
            assert rig.discord.visible(["just", "sooner"]) == {"just"}

    run(scene())


def test_what_alertmanager_tells_later_about_a_missed_alert_changes_nothing() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            await rig.until(1000)
            past = Past((named("missed"), 193, 405))
            await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, rig.begun + 100)
            rig.tell(replace(rig.alert("missed", at=193, ends=405), fingerprint=fingerprint(named("missed"))))
            await rig.until(1100)
            assert len(rig.discord.standing()) == 1
            assert rig.accounts() == {"received": 2, "posted": 1, "deduplicated": 1}

    run(scene())


def test_a_prometheus_that_does_not_answer_is_given_up_after_a_quarter_of_an_hour() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            await rig.until(1000)
            past = Past(fails=10_000)
            done = await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, rig.begun)
            assert not done
            assert 1890 < rig.second < 1930

    run(scene())


def test_a_gap_stays_open_over_restarts_until_it_has_been_looked_at() -> None:
    async def scene() -> None:
        async with Rig() as rig:
            assert await gap_began(rig.memory) is None
            await rig.until(1)
            await rig.stop()
            await rig.until(600)
            assert await gap_began(rig.memory) == rig.begun
            await rig.start()
            await rig.until(700)
            await rig.restart()
            since = await gap_began(rig.memory)
            assert since == rig.begun
            assert await backfill(rig.engine, "http://p", Past(), Listing(), rig.memory, rig.clock, since)
            assert await gap_began(rig.memory) == rig.begun + 700

    run(scene())


@pytest.mark.parametrize("last_alive", [None, START + 995])
def test_a_first_start_and_a_short_gap_ask_nothing(last_alive: float | None) -> None:
    async def scene() -> None:
        async with Rig() as rig:
            await rig.until(1000)
            past = Past()
            assert await backfill(rig.engine, "http://prometheus", past, Listing(), rig.memory, rig.clock, last_alive)
            assert past.asked == []

    run(scene())


# The real programs ---------------------------------------------------------------------------------------------------


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """A Prometheus on what lies in ``folder/data``."""
    (folder / "prometheus.yaml").write_text("global: {}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.lookback-delta=20s",
    ]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not answers(f"{url}/-/ready"):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "Prometheus does not get ready"
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


@pytest.mark.program("prometheus")
@pytest.mark.program("promtool")
def test_a_real_prometheus_tells_what_fired(tmp_path: Path) -> None:
    now = int(time.time()) // 60 * 60
    lines = ["# TYPE ALERTS gauge"]
    for state, name, begin, end in [
        ("firing", "A", 7000, 6400),
        ("firing", "A", 6000, 5000),
        ("pending", "B", 7000, 5000),
    ]:
        lines += [f'ALERTS{{alertname="{name}",alertstate="{state}"}} 1 {now - at}' for at in range(begin, end, -10)]
    metrics = tmp_path / "metrics"
    metrics.write_text("\n".join([*lines, "# EOF", ""]))
    made = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(metrics), str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr

    async def ask(url: str) -> list[Firing] | None:
        async with HttpTransport(timeout=30, body_limit=BODY_LIMIT) as transport:
            return await history(transport, url, now - 8000.0, now - 1000.0)

    with prometheus(tmp_path) as url:
        found = asyncio.run(ask(url))
    assert found is not None
    assert [dict(firing.labels) for firing in found] == [{"alertname": "A"}] * 2
    first, second = found
    assert first.began == pytest.approx(now - 7000, abs=16)
    assert first.ended == pytest.approx(now - 6400, abs=40)
    assert second.began == pytest.approx(now - 6000, abs=16)
    assert second.over


@pytest.mark.program("alertmanager")
def test_fingerprints_are_alertmanagers_own(tmp_path: Path) -> None:
    label_sets = [
        {"alertname": "A"},
        {"alertname": "B", "namespace": "media", "pod": "a-0"},
        {"alertname": "Ünïcode ✓", "empty_not": "x", "z": "a\nb\\"},
    ]
    with running(tmp_path, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n") as replica:
        replica.post(label_sets)
        alerts = replica.alerts()
    assert len(alerts) == 3
    for alert in alerts:
        assert fingerprint(alert["labels"]) == alert["fingerprint"]
