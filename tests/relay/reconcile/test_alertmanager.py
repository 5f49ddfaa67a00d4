"""What Alertmanager knows of an alert: from real Alertmanagers, and from replicas that answer badly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest

from homelabmon.notifiers.contract import Request, Response
from homelabmon.relay.delivery.transport import HttpTransport, TransportFailure
from homelabmon.relay.incidents.book import Question
from homelabmon.relay.reconcile.alertmanager import AlertmanagerApi, ListedAlert
from homelabmon.relay.reconcile.answers import BODY_LIMIT
from tests.routing.alertmanager import Alertmanager, running

CONFIG = """
route: {receiver: nobody, group_wait: 0s}
receivers: [{name: nobody}]
inhibit_rules:
  - {source_matchers: [alertname="Source"], target_matchers: [alertname="Target"]}
"""
NOWHERE = "http://127.0.0.1:1"
AT_ONCE = -5.0
"""Replicas are believed from their start on; they tell their own time in whole seconds, rounded down."""


def question(number: int, fingerprint: str, **labels: str) -> Question:
    return Question(number, fingerprint, 0.0, labels)


# Against the real program ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Alertmanager, Alertmanager]]:
    first: Path = tmp_path_factory.mktemp("first")
    second: Path = tmp_path_factory.mktemp("second")
    with running(first, CONFIG) as one, running(second, CONFIG) as two:
        yield one, two


def fingerprint(replica: Alertmanager, **labels: str) -> str:
    found = [alert["fingerprint"] for alert in replica.alerts() if alert["labels"] == labels]
    assert len(found) == 1
    return str(found[0])


def silence(replica: Alertmanager, **labels: str) -> None:
    now = datetime.now(UTC)
    body = {
        "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in labels.items()],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": "quiet",
    }
    request = UrlRequest(
        f"{replica.url}/api/v2/silences", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=10) as response:
        assert response.status == 200


def ask(urls: Sequence[str], *questions: Question, settled: float = AT_ONCE) -> Mapping[int, str]:
    async def run() -> Mapping[int, str]:
        async with HttpTransport(timeout=10, body_limit=BODY_LIMIT) as transport:
            return await AlertmanagerApi(urls, transport, settled=settled).ask(questions)

    return asyncio.run(run())


def watchdog(urls: Sequence[str], settled: float = AT_ONCE) -> bool | None:
    async def run() -> bool | None:
        async with HttpTransport(timeout=10, body_limit=BODY_LIMIT) as transport:
            return await AlertmanagerApi(urls, transport, settled=settled).watchdog()

    return asyncio.run(run())


@pytest.mark.program("alertmanager")
def test_an_alert_that_one_replica_knows_is_alive_and_one_that_none_knows_is_gone(
    replicas: tuple[Alertmanager, Alertmanager],
) -> None:
    one, two = replicas
    labels = {"alertname": 'Odd "name" (a|b)\\d+.$', "node": "n1"}
    one.post([labels])
    known = question(1, fingerprint(one, **labels), **labels)
    unknown = question(2, "0" * 16, alertname="Other")
    assert ask([one.url, two.url], known, unknown) == {1: "alive", 2: "gone"}


@pytest.mark.program("alertmanager")
def test_a_resolved_alert_is_gone(replicas: tuple[Alertmanager, Alertmanager]) -> None:
    one, two = replicas
    labels = {"alertname": "Brief"}
    one.post([labels])
    known = question(1, fingerprint(one, **labels), **labels)
    one.post([labels], resolved=True)
    assert ask([one.url, two.url], known) == {1: "gone"}


@pytest.mark.program("alertmanager")
def test_while_a_replica_is_down_or_young_nothing_is_gone(replicas: tuple[Alertmanager, Alertmanager]) -> None:
    one, two = replicas
    labels = {"alertname": "Steady"}
    one.post([labels])
    known, unknown = question(1, fingerprint(one, **labels), **labels), question(2, "0" * 16, alertname="Other")
    assert ask([one.url, NOWHERE], known, unknown) == {1: "alive", 2: "unknown"}
    assert ask([one.url, two.url], known, unknown, settled=180.0) == {1: "alive", 2: "unknown"}
    assert ask([NOWHERE, NOWHERE], known) == {1: "unknown"}
    assert ask([], known) == {1: "unknown"}


@pytest.mark.program("alertmanager")
def test_what_is_silenced_or_inhibited_on_every_replica_that_knows_it_is_silenced(
    replicas: tuple[Alertmanager, Alertmanager],
) -> None:
    one, two = replicas
    hushed, target = {"alertname": "Hushed", "node": "n1"}, {"alertname": "Target"}
    for replica in replicas:
        replica.post([hushed, target, {"alertname": "Source"}])
    silence(one, **hushed)
    questions = [question(1, fingerprint(one, **hushed), **hushed), question(2, fingerprint(one, **target), **target)]
    assert ask([one.url, two.url], *questions) == {1: "alive", 2: "silenced"}
    silence(two, **hushed)
    assert ask([one.url, two.url], *questions) == {1: "silenced", 2: "silenced"}
    assert ask([one.url, NOWHERE], *questions) == {1: "silenced", 2: "silenced"}


@pytest.mark.program("alertmanager")
def test_a_question_without_a_name_and_a_hundred_names_are_one_request(
    replicas: tuple[Alertmanager, Alertmanager],
) -> None:
    one, two = replicas
    labels = [{"alertname": f"Name{number}"} for number in range(100)]
    two.post([*labels, {"job": "nameless"}])
    questions = [question(number, fingerprint(two, **one), **one) for number, one in enumerate(labels)]
    questions.append(question(100, fingerprint(two, job="nameless"), job="nameless"))
    assert set(ask([one.url, two.url], *questions).values()) == {"alive"}


@pytest.mark.program("alertmanager")
def test_the_watchdog_is_there_once_any_replica_has_it(tmp_path: Path) -> None:
    with running(tmp_path, CONFIG) as replica:
        assert watchdog([replica.url]) is False
        assert watchdog([replica.url], settled=180.0) is None
        assert watchdog([replica.url, NOWHERE]) is False
        replica.post([{"alertname": "Watchdog"}])
        assert watchdog([replica.url, NOWHERE], settled=180.0) is True
        assert watchdog([NOWHERE]) is None
        assert watchdog([]) is None


def active(urls: Sequence[str], receiver: str = "relay", settled: float = AT_ONCE) -> tuple[list[ListedAlert], bool]:
    async def run() -> tuple[list[ListedAlert], bool]:
        async with HttpTransport(timeout=10, body_limit=BODY_LIMIT) as transport:
            found, known = await AlertmanagerApi(urls, transport, settled=settled).active(receiver)
            return list(found), known

    return asyncio.run(run())


@pytest.mark.program("alertmanager")
def test_what_fires_for_a_receiver_is_listed_with_all_that_a_notice_needs(tmp_path: Path) -> None:
    config = """
    route: {receiver: relay, routes: [{receiver: nobody, matchers: [alertname="Watchdog"]}]}
    receivers: [{name: relay}, {name: nobody}]
    """
    (tmp_path / "am").mkdir()
    with running(tmp_path / "am", config) as one:
        one.post([{"alertname": "A", "node": "n1"}, {"alertname": "Watchdog"}, {"alertname": "Quiet"}])
        silence(one, alertname="Quiet")
        ((alert,), known) = active([one.url])
        listed = {alert["labels"]["alertname"]: alert for alert in one.alerts()}
        assert (alert.labels, alert.fingerprint) == ({"alertname": "A", "node": "n1"}, listed["A"]["fingerprint"])
        assert alert.starts_at == datetime.fromisoformat(listed["A"]["startsAt"]).timestamp()
        assert known
        assert active([one.url], receiver="other") == ([], True)
        assert active([one.url, NOWHERE])[1] is False
        assert active([one.url], settled=180.0)[1] is False


# Against replicas that answer badly --------------------------------------------------------------------------------

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


class Canned:
    """Answers by path, and remembers what was asked."""

    def __init__(self, alerts: bytes, status: bytes | None = None, code: int = 200) -> None:
        started = (NOW - timedelta(hours=1)).isoformat()
        self.alerts, self.code = alerts, code
        self.status = json.dumps({"uptime": started}).encode() if status is None else status
        self.urls: list[str] = []

    async def send(self, request: Request) -> Response | TransportFailure:
        self.urls.append(request.url)
        body = self.status if request.url.endswith("/api/v2/status") else self.alerts
        return Response(self.code, {"date": format_datetime(NOW, usegmt=True)}, body)

    def ask(self, *questions: Question) -> Mapping[int, str]:
        return asyncio.run(AlertmanagerApi(["http://one/am/"], self).ask(questions))

    def watchdog(self) -> bool | None:
        return asyncio.run(AlertmanagerApi(["http://one/am/"], self).watchdog())


GONE = question(1, "f" * 16, alertname="A")


def test_a_replica_that_lists_nothing_and_has_run_for_an_hour_is_proof() -> None:
    canned = Canned(b"[]")
    assert canned.ask(GONE) == {1: "gone"}
    assert len(canned.urls) == 2
    assert canned.ask() == {}
    assert len(canned.urls) == 2


@pytest.mark.parametrize(
    "canned",
    [
        Canned(b"[]", code=500),
        Canned(b"[]", code=401),
        Canned(b"<html>sign in</html>"),
        Canned(b'[{"fingerprint": "ffff'),
        Canned(b"{}"),
        Canned(b"[1]"),
        Canned(b"[" * 100_000),
        Canned(b"[]", status=b"{}"),
        Canned(b"[]", status=b"null"),
        Canned(b"[]", status=b'{"uptime": "yesterday"}'),
    ],
)
def test_any_other_answer_proves_nothing(canned: Canned) -> None:
    assert canned.ask(GONE) == {1: "unknown"}
    assert canned.watchdog() is None


@pytest.mark.parametrize(
    ("holds", "age", "there"),
    [
        (240, 149, True),
        (240, 151, False),
        (1200, 749, True),
        (1200, 751, False),
        (None, 0, True),
        (None, 299, True),
        (None, 301, False),
    ],
)
def test_a_watchdog_that_nobody_renews_is_missing_before_it_expires(holds: int | None, age: int, there: bool) -> None:
    renewed = NOW - timedelta(seconds=age)
    alert = {"fingerprint": "a", "labels": {"alertname": "Watchdog"}, "updatedAt": renewed.isoformat(), "status": {}}
    if holds is not None:
        alert["endsAt"] = (renewed + timedelta(seconds=holds)).isoformat()
    assert Canned(json.dumps([alert]).encode()).watchdog() is there
