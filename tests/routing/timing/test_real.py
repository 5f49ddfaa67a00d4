"""Our notifications and those of running Alertmanagers: the same, in the same order, at the same times.

Debian's stable version and the newest there is, alone and in pairs. See :mod:`tests.routing.timing.real`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from homelabmon.routing.timing.cluster import Cluster, Put
from homelabmon.routing.timing.notification import NO_TIME, Notification
from tests.outside import missing_program
from tests.routing.timing.real import Received, Recording, Scenario, Site, live, site

TOLERANCE = 0.45
"""Seconds. What matters is half a second apart."""

SYSTEMS = [
    pytest.param((program, replicas), id=f"{program}-{replicas}", marks=pytest.mark.program(program))
    for program in ("alertmanager", "alertmanager-stable")
    for replicas in (1, 2)
]
System = tuple[str, int]


def fires(at: float, node: str = "n1", since: float | None = None, **labels: str) -> Put:
    return Put(at, {"alertname": "A", "node": node, **labels}, at if since is None else since)


def ends(at: float, node: str = "n1", since: float = 0.0, **labels: str) -> Put:
    return Put(at, {"alertname": "A", "node": node, **labels}, since, at)


WRITTEN = (
    Scenario("one-alert", (fires(0), ends(5))),
    Scenario("growing-group", (fires(0), fires(1, "n2"), fires(4, "n3"), ends(5, "n2", 1), ends(8), ends(8, "n3", 4))),
    Scenario("over-before-told", (fires(0), ends(1)), wait=1.5),
    Scenario("over-before-told-and-back", (fires(0), ends(1), fires(3)), wait=1.5),
    Scenario("flap", tuple(put for at in (0, 2, 4, 6, 8) for put in (fires(at), ends(at + 1, since=at)))),
    Scenario("back-after-the-end", (fires(0), ends(1), fires(5), ends(7, since=5)), interval=2.0),
    Scenario("back-before-the-end-was-told", (fires(0), ends(2), fires(3), ends(9, since=3)), interval=4.0),
    Scenario("repeats", (fires(0),), repeat=3.2),
    Scenario("resolved-not-wanted", (fires(0), fires(0, "n2"), ends(3), ends(5, "n2"), fires(8)), send_resolved=False),
    Scenario("each-by-itself", (fires(0), fires(0, "n2"), fires(3, "n3"), ends(4)), group_by=("...",)),
    Scenario("all-in-one", (fires(0, zone="a"), fires(0, "n2"), fires(3, "n3", job="j"), ends(4)), group_by=()),
    Scenario("end-passes-unheard", (Put(0, {"alertname": "A", "node": "n1"}, 0, 4),)),
    Scenario("resent", (fires(0), fires(2, since=0), fires(4, since=0), ends(6), ends(8, since=0))),
    Scenario("start-moves-back", (fires(1), fires(2, since=-3), ends(6, since=-3))),
    Scenario(
        "inhibited",
        (
            fires(0, kind="target"),
            fires(2, kind="source"),
            fires(3, "n2", kind="target"),
            ends(7, since=2, kind="source"),
        ),
    ),
    Scenario(
        "inhibited-from-the-start",
        (fires(0, kind="source"), fires(1, kind="target"), ends(6, kind="source")),
    ),
    Scenario(
        "resolved-while-inhibited",
        (
            *(fires(0, kind="target"), fires(2, kind="source"), ends(4, kind="target")),
            *(ends(6, since=2, kind="source"), fires(8, kind="target")),
        ),
    ),
)
ALONE = (
    Scenario("old-when-it-comes", (fires(0.5, since=-9),), wait=1.0, until=4.0),
    Scenario(
        "old-joins-a-young-group", (fires(0.5), fires(1.25, "n2", since=-9), ends(7, "n2", -9)), wait=3.0, interval=3.0
    ),
    Scenario("group-wait-of-zero", (fires(0.5), fires(2, "n2")), wait=0.0),
)
"""Stories that two replicas may tell with a race."""
ONLY_NEW = (Scenario("repeat-is-interval", (fires(0),), interval=2.0, repeat=2.0),)
"""By the clock a repetition is a matter of milliseconds there."""
IN_PAIRS = (
    Scenario("stale", (fires(0), ends(6)), wait=0.5, interval=1.0),
    Scenario("slow-grid", (fires(0), ends(4), fires(9)), wait=0.5, interval=5.0, until=14.0),
)


def drawn(random: Random, name: str) -> Scenario:
    """A story of a few alerts that come, go and are resent."""
    puts: list[Put] = []
    for node in random.sample(("n1", "n2", "n3", "n4"), random.randint(1, 4)):
        kind = random.choice(("source", "target", "target", ""))
        labels = {"alertname": random.choice("AB"), "node": node, **({"kind": kind} if kind else {})}
        at, since = random.randint(0, 4), None
        while at <= 10:
            if since is None:
                since = at
                puts.append(Put(at, labels, at))
            elif random.random() < 0.7:
                puts.append(Put(at, labels, since, at))
                since = None
            else:
                puts.append(Put(at, labels, since))
            at += random.randint(1, 4)
    return Scenario(
        name,
        tuple(sorted(puts, key=lambda put: put.at)),
        wait=random.choice((0.5, 1.5, 2.5)),
        interval=random.choice((2.0, 3.0, 4.0)),
        repeat=random.choice((2.2, 3.3, 60.0)),
        group_by=random.choice((("alertname",), ("alertname", "node"), ("...",), (), ("kind",))),
        send_resolved=random.random() < 0.8,
    )


def scenarios(system: System) -> tuple[Scenario, ...]:
    program, replicas = system
    random = Random(replicas)
    found = (*WRITTEN, *(drawn(random, f"drawn-{number}") for number in range(40)))
    found += ALONE if replicas == 1 else IN_PAIRS
    return found + (ONLY_NEW if program == "alertmanager" else ())


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[System, Recording]]:
    """What every system that can run has told. All run at the same time."""
    systems: list[Any] = [parameters.values[0] for parameters in SYSTEMS]
    systems = [system for system in systems if missing_program(system[0]) is None]
    folder = tmp_path_factory.mktemp("alertmanagers")
    with ExitStack() as stack, ThreadPoolExecutor(len(systems)) as pool:
        started = [pool.submit(start, stack, folder, system) for system in systems]
        running = [each.result() for each in started]
        told = [pool.submit(live, each, scenarios(system)) for each, system in zip(running, systems, strict=True)]
        yield {system: each.result() for system, each in zip(systems, told, strict=True)}


def start(stack: ExitStack, folder: Path, system: System) -> Site:
    program, replicas = system
    return stack.enter_context(site(program, folder, scenarios(system), replicas))


@pytest.mark.parametrize("system", SYSTEMS)
def test_notifications_agree_in_order_content_and_time(system: System, recordings: dict[System, Recording]) -> None:
    recording = recordings[system]
    cluster = Cluster(recording.settings, start=-1.0)
    cluster.put(recording.puts)
    simulated = cluster.advance(max(each.until for each in scenarios(system)))
    wrong: list[str] = []
    notifications = 0
    for scenario in scenarios(system):
        # Two groups of a story may be told at the same moment, in any order: it is each group's own order that counts.
        for key in {each.group_key for each in simulated} | {each.payload["groupKey"] for each in recording.received}:
            ours = [each for each in simulated if (each.receiver, each.group_key) == (scenario.name, key)]
            theirs = [
                each for each in recording.received if (each.scenario, each.payload["groupKey"]) == (scenario.name, key)
            ]
            if not ours and not theirs:
                continue
            notifications += len(theirs)
            expected = [(each.replica, comparable(each.payload())) for each in ours]
            found = [(each.replica, comparable(dict(each.payload))) for each in theirs]
            late = [there.at - here.at for here, there in zip(ours, theirs, strict=False)]
            if expected != found or any(abs(each) > TOLERANCE for each in late):
                wrong.append(story(scenario, ours, theirs))
    assert not wrong, "\n\n".join(wrong)
    assert notifications > 100


def comparable(payload: dict[str, Any]) -> dict[str, Any]:
    """What is the same whenever it happens: times are compared by the order in which they come."""
    for name in ("externalURL", "notification_reason", "routeLabels"):
        payload.pop(name, None)
    payload["alerts"] = [
        {name: alert[name] for name in ("status", "labels", "annotations", "fingerprint")}
        for alert in payload["alerts"]
    ]
    return payload


def story(scenario: Scenario, ours: list[Notification], theirs: list[Received]) -> str:
    lines = [str(scenario)]
    lines += [told("ours", each.at, each.replica, each.payload()) for each in ours]
    lines += [told("theirs", each.at, each.replica, each.payload) for each in theirs]
    return "\n".join(lines)


def told(whose: str, at: float, replica: int, payload: Mapping[str, Any]) -> str:
    alerts = [(alert["labels"]["node"], "-" if alert["status"] == "resolved" else "+") for alert in payload["alerts"]]
    return f"  {whose:6} {at:6.2f} by {replica}: " + " ".join(node + state for node, state in alerts)


@pytest.mark.program("alertmanager")
def test_reasons_agree(recordings: dict[System, Recording]) -> None:
    """The newest version says why."""
    for replicas in (1, 2):
        recording = recordings["alertmanager", replicas]
        cluster = Cluster(recording.settings, start=-1.0)
        cluster.put(recording.puts)
        ours = [(each.receiver, each.group_key, each.reason.value) for each in cluster.advance(11)]
        theirs = [
            (each.scenario, each.payload["groupKey"], each.payload["notification_reason"])
            for each in recording.received
            if each.at < 11.25
        ]
        assert sorted(ours) == sorted(theirs)


@pytest.mark.program("alertmanager")
def test_starts_and_ends_of_alerts_agree(recordings: dict[System, Recording]) -> None:
    recording = recordings["alertmanager", 1]
    cluster = Cluster(recording.settings, start=-1.0)
    cluster.put(recording.puts)
    ours = {(each.receiver, *times(alert, 0.0)) for each in cluster.advance(11) for alert in each.payload()["alerts"]}
    theirs = {
        (each.scenario, *times(alert, recording.start))
        for each in recording.received
        if each.at < 11.25
        for alert in each.payload["alerts"]
    }
    assert ours == theirs
    assert len(ours) > 100


def times(alert: Mapping[str, Any], start: float) -> tuple[str, float, float | None]:
    """Start and end from the beginning, to a hundredth of a second; ``None`` while it fires."""
    starts_at, ends_at = (
        None if text == NO_TIME else round(datetime.fromisoformat(text).timestamp() - start, 2)
        for text in (alert["startsAt"], alert["endsAt"])
    )
    assert starts_at is not None
    return alert["fingerprint"], starts_at, ends_at
