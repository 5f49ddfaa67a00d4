"""Made-up history: alerts that come and go over days, as Prometheus answers a range query over ``ALERTS``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from homelabmon.routing.timing.evaluation import Episode

STEP = 30.0
START = 1_767_600_000.0
"""A Monday, 08:00 UTC."""
WEEK = 7 * 86400.0

NODES = tuple(f"n{number}" for number in range(1, 9))
NAMESPACES = ("media", "media-2", "trading-fx", "science-batch", "monitoring", "home")


def alerts(random: Random, number: int) -> Iterator[dict[str, str]]:
    """Label sets, each another one: what a homelab of eight nodes and some dozen apps may fire."""
    for count in range(number):
        kind, place = count % 3, count // 3
        if kind == 0 and place < 2 * len(NODES):
            name = ("NodeDown", "MemoryPressure")[place % 2]
            severity = "critical" if name == "NodeDown" else "warning"
            yield {"alertname": name, "severity": severity, "node": NODES[place // 2]}
        elif kind == 1:
            name = random.choice(("KubePodCrashLooping", "KubePodNotReady", "KubeContainerWaiting"))
            namespace = random.choice(NAMESPACES)
            yield {"alertname": name, "severity": "warning", "namespace": namespace, "pod": f"app-{place}"}
        else:
            namespace = random.choice(NAMESPACES)
            labels = {"namespace": namespace, "instance": NODES[count % len(NODES)], "app": f"app-{count}"}
            yield {"alertname": f"App{place % 40}Slow", "severity": "warning", **labels}


def episodes(random: Random, number: int, length: float = WEEK) -> list[Episode]:
    """Firings on the evaluation grid, most of them a few minutes long, some an hour."""
    slots = int(length / STEP)
    begins = sorted(random.sample(range(1, slots - 1), number))
    found = []
    for begin, following in zip(begins, [*begins[1:], slots], strict=True):
        lasts = random.choice((1, 2, 2, 4, 4, 8, 10, 12, 20, 120))
        end = min(begin + lasts, following - 1)
        if end > begin:
            found.append(Episode(START + begin * STEP, START + begin * STEP, START + end * STEP))
    return found


def answer(known: Sequence[tuple[Mapping[str, str], Sequence[Episode]]]) -> dict[str, Any]:
    """What Prometheus would answer: a sample at each evaluation at which the alert fires."""
    result = []
    for labels, firings in known:
        values = []
        for firing in firings:
            assert firing.resolves_at is not None
            count = round((firing.resolves_at - firing.fires_at) / STEP)
            values += [[firing.fires_at + number * STEP, "1"] for number in range(count)]
        metric = {"__name__": "ALERTS", "alertstate": "firing", **labels}
        result.append({"metric": metric, "values": values})
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def week(seed: int, transitions: int, series: int = 500) -> list[tuple[dict[str, str], list[Episode]]]:
    """A week of alerts that begin and end about so many times in all."""
    random = Random(seed)
    each = transitions // series // 2
    return [(labels, episodes(random, each)) for labels in alerts(random, series)]
