"""What is awaited and asked: heartbeats, probes, and the outpost that watches from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from homelabmon.render.fold import Folded
from homelabmon.render.page import words
from homelabmon.render.page.markdown import blocks, code, link, listed, plain, table
from homelabmon.spec.base import format_duration
from homelabmon.spec.watch import Heartbeat, Probe
from homelabmon.stack import Stack

_CONFIG = "outpost/relay.yaml"
_HOW_TO = "outpost/README.md"
_ALONE = (
    "There is none. If the cluster, the power or the line to the internet goes, whatever would say so goes with it,"
    " and nobody is told."
)


def heartbeats(stack: Stack, folded: Folded) -> list[str]:
    """Things that should have run."""
    rows = [
        (
            plain(beat.name),
            plain(beat.description),
            words.schedule(beat),
            format_duration(beat.grace),
            "" if beat.max_runtime is None else format_duration(beat.max_runtime),
            _outside(stack) if beat.cronjob is None else _inside(folded, "cronjobs"),
            plain(beat.severity),
            _told(beat.channel),
        )
        for beat in stack.heartbeats
    ]
    head = ("Heartbeat", "What it is", "Expected", "Grace", "May run for", "Watched by", "Severity", "Told")
    return blocks(["Things that should have run:"], table(head, rows)) if rows else []


def probes(stack: Stack, folded: Folded) -> list[str]:
    """Endpoints that are asked."""
    rows = [
        (
            plain(probe.name),
            plain(probe.description),
            words.target(probe),
            _vantages(probe, stack, folded),
            format_duration(probe.interval) + (f", {probe.retries} failures forgiven" if probe.retries else ""),
            words.healthy(probe),
            "" if probe.parent is None else plain(probe.parent),
            plain(probe.severity),
            _told(probe.channel),
        )
        for probe in stack.probes
    ]
    head = ("Probe", "What it is", "Asks", "Watched by", "Every", "Healthy when", "Needs", "Severity", "Told")
    return table(head, rows)


def _vantages(probe: Probe, stack: Stack, folded: Folded) -> str:
    found = [_inside(folded, "probes")] if probe.from_ in ("cluster", "both") else []
    found += [_outside(stack)] if probe.from_ in ("outpost", "both") else []
    return listed(found)


def _inside(folded: Folded, rules: str) -> str:
    return "the cluster" if folded.rules.get(rules) else "**nobody in the cluster**"


def _outside(stack: Stack) -> str:
    return "the outpost" if stack.outpost is not None else "**nobody: there is no outpost**"


def _told(channel: str | None) -> str:
    return "by the routes" if channel is None else words.channel(channel)


def outpost(stack: Stack, folded: Folded) -> list[str]:
    """The vantage outside the cluster, and what it shows in public."""
    config = folded.files.get(_CONFIG)
    if stack.outpost is None or not isinstance(config, dict):
        return [_ALONE]
    silence = format_duration(stack.outpost.silence)
    channel = words.channel(stack.outpost.channel or stack.defaults.channel)
    return blocks(
        [
            f"- Address: {link(plain(stack.outpost.url), stack.outpost.url)}",
            f"- Tells {channel} when the Watchdog has been silent for {silence}.",
            f"- Knows that it is blind by asking {listed([code(anchor) for anchor in stack.outpost.anchors])}.",
            f"- Is run as {link(code(_HOW_TO), f'../{_HOW_TO}')} says.",
            *_pings(config),
            f"- Runs on {link(code(_CONFIG), f'../{_CONFIG}')}, and reads its secrets from these files:",
            *(f"  - {code(path)}" for path in sorted(set(_secret_files(config)))),
        ],
        _status_page(stack),
    )


def _pings(config: Mapping[str, Any]) -> Iterator[str]:
    """Where jobs ping, if there are any that do."""
    if config.get("heartbeats"):
        inside = config.get("inside")
        also = f"; those in the cluster ping {code(str(inside))}, which passes it on" if inside else ""
        yield f"- Jobs ping it at addresses that {code('homelabmon heartbeat urls')} prints{also}."


def _secret_files(data: Mapping[str, Any]) -> Iterator[str]:
    """Every path of a secret's file in the outpost's configuration."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _secret_files(value)
        elif key.endswith("_file") and value:
            yield str(value)


def _status_page(stack: Stack) -> list[str]:
    page = stack.status_page
    if page is None:
        return []
    items: list[Heartbeat | Probe] = [*stack.heartbeats, *stack.probes]
    rows = [(plain(group.name), ", ".join(plain(one.name) for one in shown)) for group, shown in page.arranged(items)]
    told = [f"An outage of {format_duration(page.incident_after)} opens an incident there by itself."]
    if page.incidents == "manual":
        told = [f"Incidents are told by hand: {code('homelabmon status incident open')}."]
    if page.publish is not None:
        told.append(f"It is also written to {code(page.publish.directory)}.")
    return blocks(
        [f"Its public status page, “{plain(page.title)}”:"], table(("Group", "Shows"), rows), [" ".join(told)]
    )
