"""`make bench-relay`, or `python -m tests.bench.relay [--peer NAME=COMMAND] [SCENARIO ...]`: prints Markdown tables.

A peer is another bridge; its command may hold {webhook}, {listen} and {port}:

    --peer 'benjojo=/path/to/alertmanager-discord -webhook.url {webhook} -listen.address {listen}'
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.harness import conditions
from tests.bench.relay.bridges import Bridge, peer, relay
from tests.bench.relay.sender import Sent, alert, hammer, payload, spread
from tests.relay.discord_process import DiscordProcess

Opened = Callable[[str, Path], AbstractContextManager[Bridge]]
Row = tuple[str, ...]

STORM_GROUPS: Final = 200
STORM_ALERTS: Final = 5
STORM_SECONDS: Final = 10.0
STORM_LOOK: Final = 180.0
PARALLEL: Final = 64
HAMMERED: Final = 20_000
PILED: Final = 10_000
PILE_GROUP: Final = 50
PILE_SECONDS: Final = 10.0
PILE_HAMMERED: Final = 10_000
OUTAGE_ALERTS: Final = 2_000
OUTAGE_GROUP: Final = 10


def storm(name: str, bridge: Opened) -> Row:
    """1,000 alerts in 200 groups within 10 s, into one channel with Discord's limits."""
    with scene(bridge) as (discord, running):
        started = time.time()
        groups = [hosts(group, STORM_ALERTS) for group in range(STORM_GROUPS)]
        wanted = [name for group in groups for name in group]
        bodies = [webhook(f"Storm{number:03}", group, started) for number, group in enumerate(groups)]
        sent = asyncio.run(spread(running, bodies, STORM_SECONDS))
        seen = watch(discord, wanted, started + STORM_LOOK)
        stats = discord.stats()
        return (
            name,
            f"{100 * len(seen) / len(wanted):.1f} %",
            f"{time.time() - started:.0f} s" if len(seen) == len(wanted) else "never",
            str(sent.delivered),
            str(stats["messages"]),
            str(stats["statuses"].get("429", 0)),
            f"{running.peak():.0f} MiB",
        )


STORM_HEAD: Final = ("storm", "visible", "all visible after", "acknowledged", "messages", "429", "peak memory")


def acknowledge(name: str, bridge: Opened) -> Row:
    """One alert a request, 64 at a time, nothing limits Discord."""
    with scene(bridge, unlimited=True) as (_, running):
        idle = running.resident()
        now = time.time()
        bodies = [
            payload(f"Load{one % 50}", [alert(f"Load{one % 50}", f"host-{one:06}", started=now)])
            for one in range(HAMMERED)
        ]
        sent, seconds = asyncio.run(hammer(running, bodies, PARALLEL))
        return (
            name,
            f"{HAMMERED / seconds:,.0f}/s",
            f"{1000 * sent.quantile(0.5):.1f} ms",
            f"{1000 * sent.quantile(0.99):.1f} ms",
            str(sent.failed),
            f"{idle:.0f} MiB",
            f"{running.peak():.0f} MiB",
        )


ACKNOWLEDGE_HEAD: Final = ("acknowledge", "alerts", "p50", "p99", "failed", "idle memory", "peak memory")


def big(name: str, bridge: Opened) -> Row:
    """One webhook of 5,000 alerts and 8 MiB."""
    with scene(bridge) as (_, running):
        now = time.time()
        alerts = [alert("Big", f"host-{one:05}", started=now, padding="x" * 1000) for one in range(5000)]
        body = payload("Big", alerts)
        time.sleep(1)
        idle = running.resident()
        running.forget_peak()
        sent, _ = asyncio.run(hammer(running, [body], 1))
        time.sleep(5)
        taken = f"{1000 * sent.quantile(0.5):.0f} ms" if sent.delivered else "refused"
        return (name, f"{len(body) / 2**20:.1f} MiB", taken, f"{idle:.0f} MiB", f"{running.peak():.0f} MiB")


BIG_HEAD: Final = ("5,000 alerts at once", "payload", "acknowledged after", "idle memory", "peak memory")


def pile(name: str, bridge: Opened) -> Row:
    """10,000 alerts fire in one channel, and Discord's limits let few messages through; others go on sending."""
    with scene(bridge) as (_, running):
        now = time.time()
        groups = [hosts(group, PILE_GROUP) for group in range(PILED // PILE_GROUP)]
        piled = [webhook(f"Pile{number:03}", group, now) for number, group in enumerate(groups)]
        filled = asyncio.run(spread(running, piled, PILE_SECONDS))
        more = [
            payload(f"More{one % 50}", [alert(f"More{one % 50}", f"more-{one:06}", started=time.time())])
            for one in range(PILE_HAMMERED)
        ]
        sent, seconds = asyncio.run(hammer(running, more, PARALLEL))
        return (
            name,
            str(PILE_GROUP * filled.delivered),
            f"{PILE_HAMMERED / seconds:,.0f}/s",
            f"{1000 * sent.quantile(0.5):.1f} ms",
            f"{1000 * sent.quantile(0.99):.1f} ms",
            f"{1000 * sent.quantile(1.0):.1f} ms",
            str(sent.failed),
            f"{running.peak():.0f} MiB",
        )


PILE_HEAD: Final = ("a pile in one channel", "alerts in it", "more", "p50", "p99", "longest", "failed", "peak memory")


def outage(name: str, bridge: Opened, seconds: float) -> Row:
    """Discord is away; 2,000 alerts fire meanwhile, half of which resolve before it is back."""
    with scene(bridge) as (discord, running):
        discord.go_down()
        started = time.time()
        groups = [hosts(group, OUTAGE_GROUP) for group in range(OUTAGE_ALERTS // OUTAGE_GROUP)]
        wanted = [name for group in groups for name in group]
        firing = [webhook(f"Outage{number:03}", group, started) for number, group in enumerate(groups)]
        answers = asyncio.run(spread(running, firing, seconds * 0.4)).answers
        now = time.time()
        over = [webhook(f"Outage{number:03}", group, started, now) for number, group in enumerate(groups) if number % 2]
        answers += asyncio.run(spread(running, over, seconds * 0.4)).answers
        time.sleep(max(0.0, started + seconds - time.time()))
        discord.come_up()
        back = time.time()
        seen = watch(discord, wanted, back + 300)
        return (
            name,
            f"{100 * len(seen) / len(wanted):.1f} %",
            f"{time.time() - back:.0f} s" if len(seen) == len(wanted) else "never",
            f"{1000 * Sent(answers).quantile(0.99):.0f} ms",
            str(discord.stats()["messages"]),
            str(discord.stats()["statuses"].get("429", 0)),
        )


OUTAGE_HEAD: Final = ("Discord away", "visible in the end", "all visible after", "answered p99", "messages", "429")


# Around them ---------------------------------------------------------------------------


@contextmanager
def scene(bridge: Opened, *, unlimited: bool = False) -> Iterator[tuple[DiscordProcess, Bridge]]:
    """A fake Discord with one channel, and the bridge that posts there."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DiscordProcess("ops", unlimited=unlimited) as discord,
        bridge(discord.webhooks["ops"], Path(folder)) as running,
    ):
        yield discord, running


def hosts(group: int, number: int) -> list[str]:
    """Names of which none holds another."""
    return [f"host-{group:03}-{one:02}-x" for one in range(number)]


def webhook(name: str, instances: Sequence[str], started: float, ended: float | None = None) -> bytes:
    """One group, all of it firing or all of it over."""
    return payload(name, [alert(name, instance, started=started, ended=ended) for instance in instances])


def watch(discord: DiscordProcess, wanted: Sequence[str], until: float) -> set[str]:
    """What is visible when everything is, or when it is too late."""
    seen: set[str] = set()
    while time.time() < until:
        seen = discord.visible(wanted)
        if len(seen) == len(wanted):
            break
        time.sleep(0.5)
    return seen


def table(head: Row, rows: Sequence[Row]) -> str:
    """As Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *rows))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.relay", description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another bridge")
    parser.add_argument("--away", type=float, default=60.0, help="seconds that Discord is away (default: 60)")
    parser.add_argument(
        "names", metavar="SCENARIO", nargs="*", help="storm, acknowledge, pile, big, outage (default: all)"
    )
    options = parser.parse_args()
    bridges: list[tuple[str, Opened]] = [("homelabmon", relay)]
    for given in options.peer:
        name, _, command = given.partition("=")
        bridges.append((name, partial(peer, name, command)))
    scenarios: dict[str, tuple[Row, Callable[[str, Opened], Row]]] = {
        "storm": (STORM_HEAD, storm),
        "acknowledge": (ACKNOWLEDGE_HEAD, acknowledge),
        "pile": (PILE_HEAD, pile),
        "big": (BIG_HEAD, big),
        "outage": (OUTAGE_HEAD, lambda name, bridge: outage(name, bridge, options.away)),
    }
    if unknown := set(options.names) - set(scenarios):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are: {', '.join(scenarios)}")
    for wanted, (head, scenario) in scenarios.items():
        if not options.names or wanted in options.names:
            print(table(head, [scenario(name, bridge) for name, bridge in bridges]), flush=True, end="\n\n")
    print(conditions(1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
