"""How long it takes from a condition to whoever reads of it: the steps on the way, each at best and at worst.

Sources: Prometheus rules/alerting.go (``for`` counts on the evaluation grid), Alertmanager dispatch/dispatch.go (a new
group is flushed after group_wait) and cluster.go (each replica waits a peer timeout for the one before it).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.ways import Way
from homelabmon.relay.incidents.timing import Timing
from homelabmon.relay.probes.state import RETRY_AFTER
from homelabmon.routing.alertmanager_file import PEER_TIMEOUT
from homelabmon.spec import names
from homelabmon.spec.base import format_duration, parse_duration
from homelabmon.spec.relay_file import Watchdog
from homelabmon.spec.watch import Heartbeat, Probe

DELIVERY: Final = 2.0
"""Seconds until Discord shows a message, where its channel is not behind: it takes 30 messages a minute."""
HANDOVER: Final = 1.0
"""Seconds for an event on its way to the relay, where nothing is down."""
DEADLINE: Final = 2.0
"""Seconds within which the outpost notices that a heartbeat is missing."""
SIGN_OF_LIFE: Final = 60.0
"""Seconds between two words of the Watchdog, as Alertmanager is rendered to repeat it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way, in seconds at best and at worst. ``why``: what decides it."""

    name: str
    why: str
    best: float
    worst: float


def total(steps: Iterable[Step]) -> tuple[float, float]:
    """All steps together, at best and at worst."""
    steps = tuple(steps)
    return sum(step.best for step in steps), sum(step.worst for step in steps)


def of_rule(running: Running, rule: Rule, way: Way) -> tuple[Step, ...]:
    """From a condition that a rule looks for, to a channel; for an alert that is the first of its group."""
    return (*until_fired(running, rule), *after_fired(running, way))


def until_fired(running: Running, rule: Rule) -> Iterator[Step]:
    """From the condition to the alert that Prometheus sends."""
    scrape, evaluation = scraped_every(running, rule), rule.interval
    yield Step("scrape", f"every {format_duration(scrape)}", 0.0, scrape)
    yield Step("evaluation", f"every {format_duration(evaluation)}", 0.0, evaluation)
    if rule.for_:
        pends = math.ceil(round(rule.for_ / evaluation, 6)) * evaluation
        grid = "" if pends == rule.for_ else f"for {format_duration(rule.for_)}, counted in evaluations"
        yield Step("for", grid or "of the rule", pends, pends)


def after_fired(running: Running, way: Way) -> Iterator[Step]:
    """From the alert that Prometheus sends to the channel."""
    route = way.route
    assert route is not None
    told_best = told_worst = route.group_wait
    yield Step("group_wait", "Alertmanager gathers a new group", route.group_wait, route.group_wait)
    if running.replicas > 1:
        wait = PEER_TIMEOUT * (running.replicas - 1)
        others = "the other" if running.replicas == 2 else "the others"
        yield Step("replica", f"the first has just gone, {others} waited for it", 0.0, wait)
        told_worst += wait
    if way.entry is not None:
        yield from _told_by_relay(way.hold, told_best, told_worst)
    yield _delivery()


def _told_by_relay(hold: float, best: float, worst: float) -> Iterator[Step]:
    """What is left, when the relay hears of it, of the hold that runs from the moment it fired; and gathering."""
    if hold:
        why = f"the rest of {format_duration(hold)} since it fired"
        yield Step("hold", why, max(0.0, hold - best), max(0.0, hold - worst))
    gather = Timing().gather
    yield Step("gather", "what comes with it shares the message", gather, gather)


def _delivery() -> Step:
    return Step("delivery", "a channel that is not behind", 0.0, DELIVERY)


def of_event(way: Way) -> tuple[Step, ...]:
    """From an event (Falco's, Flux') to a channel."""
    return (Step("handover", "to the relay", 0.0, HANDOVER), *_told_by_relay(way.hold, 0.0, HANDOVER), _delivery())


def of_heartbeat(beat: Heartbeat, way: Way) -> tuple[Step, ...]:
    """From the moment at which something should have run to a channel."""
    grace = beat.grace.total_seconds()
    return (
        Step("grace", "after the run was due", grace, grace),
        Step("outpost", "notices the missed deadline", 0.0, DEADLINE),
        *_told_by_relay(way.hold, 0.0, DEADLINE),
        _delivery(),
    )


def of_probe(probe: Probe, way: Way) -> tuple[Step, ...]:
    """From an endpoint that stops to answer to a channel. The hold runs from the first failure on."""
    interval, timeout = probe.interval.total_seconds(), probe.timeout.total_seconds()
    apart = min(interval, RETRY_AFTER)
    again, slowest = probe.retries * apart, probe.retries * max(apart, timeout)
    return (
        Step("probe", f"every {format_duration(interval)}", 0.0, interval),
        Step("retries", f"{probe.retries} more failures in a row, {format_duration(apart)} apart", again, slowest),
        Step("timeout", "of the last of them", 0.0, timeout),
        *_told_by_relay(way.hold, again, slowest + timeout),
        _delivery(),
    )


def of_silence(watchdog: Watchdog, way: Way) -> tuple[Step, ...]:
    """From a cluster that falls silent to a channel. Its last word may have come a moment ago, or nearly a minute."""
    silence = watchdog.silence.total_seconds()
    return (
        Step("silence", f"{format_duration(silence)} since its last word", max(0.0, silence - SIGN_OF_LIFE), silence),
        Step("outpost", "notices that it is over", 0.0, DEADLINE),
        *_told_by_relay(way.hold, 0.0, DEADLINE),
        _delivery(),
    )


# What a rule looks at ----------------------------------------------------------------------------------------------

_JOB: Final = re.compile(r'\bjob="([^"]*)"')
_RANGE: Final = re.compile(r"\[(\w+)(?::\w*)?\]|\boffset\s+(\w+)")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')


def scraped_every(running: Running, rule: Rule) -> float:
    """How often what the rule looks at is scraped, in seconds: the longest, where it looks at several things."""
    probe = next((one for one in running.stack.probes if one.name == rule.static.get(names.LABEL_PROBE)), None)
    if probe is not None:
        return probe.interval.total_seconds()
    own = {item.name: item.interval.total_seconds() for item in running.stack.scrape}
    found = [own[job] for job in _JOB.findall(rule.expr or "") if job in own]
    return max(found, default=running.scrape_interval)


def looks_back(rule: Rule) -> float:
    """The longest range of the rule's expression, in seconds; 0 where it looks at the last sample alone."""
    longest = timedelta(0)
    for pair in _RANGE.findall(_STRING.sub('""', rule.expr or "")):
        try:
            found = parse_duration(pair[0] or pair[1])
        except ValueError:
            continue
        if isinstance(found, timedelta):
            longest = max(longest, found)
    return longest.total_seconds()
