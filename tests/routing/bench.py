"""How many routing decisions one process makes per second: ``python -m tests.routing.bench``.

Trees of 10, 1,000 and 10,000 routes on one level: most ask for an alert name, some for one of several, some for a
namespace and a severity; a fifth has a route below, a twentieth continues. In some trees a part of the routes asks by
regular expression: ``team-7-.+``, where the index knows how values begin, or ``(team|group)-7-.+``, where it does not
and RE2 is asked. Alerts have eight labels. Goals: 200,000 a second with 10 routes, 50,000 with
1,000.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from random import Random

from homelabmon.routing.reach import find_pointless_routes
from homelabmon.routing.tree import RouteTree
from homelabmon.spec.matchers import parse_matchers
from tests.routing.generate import Node

RUNS = 7
ALERTS = 20_000
SIZES = (10, 1_000, 10_000)
MIXES = {"values only": (0.0, 0.0), "30% begin so": (0.3, 0.0), "1% anything": (0.0, 0.01), "10% anything": (0.0, 0.1)}
"""The shares of the two kinds of expressions."""


def build(random: Random, size: int, begin: float, anything: float) -> Node:
    """A tree with these shares of expressions, the first of the kind that begins with a literal."""
    routes = tuple(_route(random, number, begin, anything) for number in range(size))
    return Node("root", "root", routes=routes, payload=None)


def _route(random: Random, number: int, begin: float, anything: float) -> Node:
    kind = random.random()
    if kind < begin:
        matchers = f'namespace=~"team-{number}-.+"'
    elif kind < begin + anything:
        matchers = f'namespace=~"(team|group)-{number}-.+"'
    else:
        matchers = random.choice(
            (
                *(f'alertname="Alert{number}"',) * 4,
                f'alertname=~"A{number}|B{number}|C{number}"',
                f'namespace="ns{number}",severity="critical"',
            )
        )
    below = Node("below", "b", parse_matchers('severity="critical"'), payload=None)
    return Node(
        "route",
        f"r{number % 9}",
        parse_matchers(matchers),
        continue_=random.random() < 0.05,
        routes=(below,) if random.random() < 0.2 else (),
        payload=None,
    )


def alerts(random: Random, size: int, count: int) -> list[dict[str, str]]:
    """Alerts of which about half find a route."""
    return [
        {
            "alertname": random.choice(("Alert", "A", "B", "Zed")) + str(random.randrange(size)),
            "namespace": random.choice((f"ns{random.randrange(size)}", f"team-{random.randrange(size)}-x", "other")),
            "severity": random.choice(("critical", "warning")),
            "pod": "p-1",
            "job": "kube-state-metrics",
            "instance": "10.0.0.1:9100",
            "cluster": "home",
            "prometheus": "monitoring/kps",
        }
        for _ in range(count)
    ]


def measure(tree: RouteTree[None], labels: Sequence[Mapping[str, str]], runs: int) -> float:
    """Decisions a second, the median of some runs."""
    speeds = []
    for _ in range(runs):
        start = time.perf_counter()
        for alert in labels:
            tree.match(alert)
        speeds.append(len(labels) / (time.perf_counter() - start))
    return statistics.median(speeds)


def main(runs: int = RUNS, count: int = ALERTS, sizes: Sequence[int] = SIZES) -> None:
    """Print one line for each tree. ``first/s`` is the first time through, when no value has been seen before."""
    print(
        f"{'routes':>7} {'expressions':>13} {'compile':>9} {'first/s':>9} {'decisions/s':>12} {'taken':>6} {'reach':>8}"
    )
    for size in sizes:
        for mix, shares in MIXES.items():
            random = Random(size)
            root = build(random, size, *shares)
            start = time.perf_counter()
            tree = RouteTree(root)
            compiled = time.perf_counter() - start
            labels = alerts(random, size, count)
            first = measure(tree, labels, 1)
            taken = sum(tree.match(alert)[0].path != () for alert in labels) / len(labels)
            speed = measure(tree, labels, runs)
            start = time.perf_counter()
            find_pointless_routes(tree)
            reach = time.perf_counter() - start
            speeds = f"{first:>9,.0f} {speed:>12,.0f}"
            print(f"{size:>7,} {mix:>13} {compiled:>8.3f}s {speeds} {taken:>6.0%} {reach:>7.2f}s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
