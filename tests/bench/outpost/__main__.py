"""`make bench-outpost`, or `python -m tests.bench.outpost [--runs N] [CASE ...]`: prints Markdown tables, medians."""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.bench.harness import conditions
from tests.bench.outpost.scene import (
    PATH,
    Client,
    Outpost,
    Pinged,
    configured,
    hammer,
    lived,
    mixed,
    on_disk,
    outpost,
    ping,
    probes_of,
    targets,
)
from tests.outside import ROOT
from tests.relay.discord_process import DiscordProcess

HEARTBEATS: Final = 10_000
PARALLEL: Final = 64
PINGS: Final = 20_000
PROBES: Final = 1_000
"""A minute."""
RATE: Final = 50
"""Pings a second in quiet operation."""
SCRAPE: Final = 15.0
LOOK: Final = 10.0
"""Seconds between two looks at each of the pages."""
COMPONENTS: Final = 30
"""Of the public page."""
QUICK: Final = 16

SHOWN: Final = [f"beat-{place:05}" for place in range(COMPONENTS)]

Figures = dict[str, float]
"""By what was measured, in the units of the goal."""


def pings(_: float) -> Figures:
    """10,000 heartbeats, 64 clients; every fourth ping brings a body."""
    with tempfile.TemporaryDirectory() as folder:
        config = configured(Path(folder), heartbeats=mixed(HEARTBEATS))
        with outpost(config) as running:
            wanted = [
                (f"{PATH}/beat-{place % HEARTBEATS:05}", b"" if place % 4 else b"x" * 500) for place in range(PINGS)
            ]
            random.Random(1).shuffle(wanted)
            before = running.processor()
            found, seconds = asyncio.run(hammer(running.port, wanted, PARALLEL))
            used = running.processor() - before
            running.bridge.process.kill()
        return {
            "pings/s": len(found.answers) / seconds,
            "p50 ms": 1000 * found.quantile(0.5),
            "p99 ms": 1000 * found.quantile(0.99),
            "µs of a core, each": 1e6 * used / PINGS,
            "answered, not on disk after kill -9": len(found.answers) - on_disk(Path(folder)),
            "not answered with 200": found.failed,
        }


def load(seconds: float) -> Figures:
    """The whole service in quiet operation: pings, probes, Prometheus, and somebody who looks at the pages."""

    async def work() -> Figures:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            async with targets(4) as (target, (port, *anchors)):
                config = configured(
                    folder,
                    heartbeats=mixed(HEARTBEATS),
                    probes=probes_of(port, PROBES),
                    status_page={"title": "Status", "groups": [{"name": "All", "components": SHOWN}]},
                    anchors=[f"127.0.0.1:{anchor}" for anchor in anchors],
                )
                context = outpost(config)
                running = await asyncio.to_thread(context.__enter__)
                try:
                    await asyncio.sleep(5)
                    before, seen = running.processor(), target.connections.get(port, 0)
                    found = await _quiet(running, seconds)
                    used = running.processor() - before
                    return {
                        "% of a core": 100 * used / seconds,
                        "peak MiB": running.bridge.peak(),
                        "probes/min": 60 * (target.connections.get(port, 0) - seen) / seconds,
                        "pings/s": len(found.answers) / seconds,
                        "p99 ms": 1000 * found.quantile(0.99),
                    }
                finally:
                    await asyncio.to_thread(context.__exit__, None, None, None)

    return asyncio.run(work())


async def _quiet(running: Outpost, seconds: float) -> Pinged:
    found, dice = Pinged(), random.Random(2)

    async def looks(path: str, every: float) -> None:
        client = Client(running.port)
        while True:
            status, _ = await client.ask(path)
            assert status == 200, path
            await asyncio.sleep(every)

    lookers = [asyncio.create_task(looks(path, every)) for path, every in (("/metrics", SCRAPE), ("/", LOOK))]
    clients = [Client(running.port) for _ in range(4)]
    until, turn = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        turn += 1
        await ping(clients[turn % 4], f"{PATH}/beat-{dice.randrange(HEARTBEATS):05}", b"", found)
        await asyncio.sleep(max(0.0, until - seconds + turn / RATE - time.monotonic()))
    for looker in lookers:
        if looker.done():
            looker.result()
        looker.cancel()
    return found


def deadline(_: float) -> Figures:
    """Runs that do not end: from the moment of the deadline until the message stands in Discord."""
    quick = [
        {"name": f"quick-{place:02}-x", "period": "1d", "max_runtime": f"{4 + place}s", "severity": "critical"}
        for place in range(QUICK)
    ]
    with DiscordProcess("ops", unlimited=True) as discord, tempfile.TemporaryDirectory() as folder:
        config = configured(Path(folder), discord.webhooks["ops"], heartbeats=[*mixed(HEARTBEATS), *quick])
        with outpost(config) as running:
            due = asyncio.run(_started(running))
            give_up = time.time() + 60
            seen: dict[str, float] = {}
            while len(seen) < QUICK and time.time() < give_up:
                time.sleep(0.5)
                seen = discord.first_seen(r"quick-\d\d-x")
        late = [seen.get(name, float("inf")) - at for name, at in due.items()]
        return {"noticed and posted, s": statistics.median(late), "the last one, s": max(late)}


async def _started(running: Outpost) -> dict[str, float]:
    client, due = Client(running.port), {}
    for place in range(QUICK):
        began = time.time()
        await client.ask(f"{PATH}/quick-{place:02}-x/start")
        due[f"quick-{place:02}-x"] = began + 4 + place
        await asyncio.sleep(0.013)
    client.close()
    return due


def start(_: float) -> Figures:
    """From the start of the process to its first answer: without a database, and with one of 10,000 heartbeats."""
    with tempfile.TemporaryDirectory() as folder:
        config = configured(Path(folder), heartbeats=mixed(HEARTBEATS))
        with outpost(config) as running:
            first, resident = running.started, running.bridge.resident()
        with outpost(config) as running:
            return {"first start, s": first, "start, s": running.started, "MiB then": resident}


def page(_: float) -> Figures:
    """The public page with thirty components and ninety days, as the first reader after a change gets it."""
    beats = [{**beat, "group": f"Group {place % 4}"} for place, beat in enumerate(mixed(COMPONENTS))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = configured(folder, heartbeats=beats, status_page={"title": "Status", "every": "1m"})
        with outpost(config):
            pass
        lived(folder, [beat["name"] for beat in beats])
        with outpost(config) as running:
            seconds, size = asyncio.run(_read(running))
        began = time.monotonic()
        command = ["status", "--config", str(config), "build", str(folder / "site")]
        subprocess.run([sys.executable, "-m", "homelabmon", *command], check=True, capture_output=True, cwd=ROOT)
        return {"first reader, ms": 1000 * seconds, "kB": size / 1000, "status build, s": time.monotonic() - began}


async def _read(running: Outpost) -> tuple[float, int]:
    client = Client(running.port)
    began = time.monotonic()
    status, body = await client.ask("/")
    seconds = time.monotonic() - began
    assert status == 200
    assert b"beat-00029" in body
    client.close()
    return seconds, len(body)


CASES: Final[dict[str, tuple[Callable[[float], Figures], dict[str, str]]]] = {
    "pings": (pings, {"pings/s": "at least 2,000", "p99 ms": "50", "answered, not on disk after kill -9": "0"}),
    "load": (load, {"% of a core": "20", "peak MiB": "120", "probes/min": "1,000"}),
    "deadline": (deadline, {"the last one, s": "2"}),
    "page": (page, {"first reader, ms": "200", "kB": "40"}),
    "start": (start, {"first start, s": "2", "start, s": "2"}),
}


def table(name: str, runs: Sequence[Figures], goals: dict[str, str]) -> str:
    """Medians, and the best and worst of several runs, as Markdown."""
    lines = [f"| {name} | median | from to | goal |", "| --- | --- | --- | --- |"]
    for key in runs[0]:
        values = [run[key] for run in runs]
        shown = [
            f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            for value in (statistics.median(values), min(values), max(values))
        ]
        lines.append(f"| {key} | {shown[0]} | {shown[1]} to {shown[2]} | {goals.get(key, '')} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.outpost", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long quiet operation is watched (default: 60)")
    parser.add_argument("names", metavar="CASE", nargs="*", help=f"{', '.join(CASES)} (default: all)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    for name, (case, goals) in CASES.items():
        if not options.names or name in options.names:
            print(table(name, [case(options.seconds) for _ in range(options.runs)], goals), flush=True, end="\n\n")
    print(conditions(options.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
