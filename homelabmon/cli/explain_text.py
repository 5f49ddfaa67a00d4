"""What ``homelabmon explain`` prints about one alert. Colours only on a terminal; nothing depends on them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import click

from homelabmon.cli.output import counted
from homelabmon.journey import delay
from homelabmon.journey.explain import Elsewhere, Explanation, Mute, Stop
from homelabmon.journey.message import message_text
from homelabmon.journey.rules import Rule
from homelabmon.journey.running import Running
from homelabmon.journey.shape import UNNAMED
from homelabmon.journey.silencers import Silencer
from homelabmon.journey.subject import Subject
from homelabmon.routing.trace import MatcherTried, RouteTried
from homelabmon.routing.tree import GROUP_BY_ALL, ResolvedRoute
from homelabmon.spec import names
from homelabmon.spec.base import format_duration
from homelabmon.spec.routes import Maintenance
from homelabmon.spec.watch import Heartbeat, Probe

_MOST: Final = 4
"""How many alerts, or rules, a line names."""
_BEGINNINGS: Final = {
    "rule": "it becomes true",
    "event": "it happens",
    "heartbeat": "it should have run",
    "probe": "it stops to answer",
    "outpost": "the cluster falls silent",
    "unknown": "it fires",
}
_WHO_TRIES: Final = {"event": "the relay", "heartbeat": "the outpost", "probe": "the outpost", "outpost": "the outpost"}


def print_explanation(running: Running, explanation: Explanation, at: datetime | None, stack: str) -> None:
    """One alert, section by section. ``stack`` is what to call the file it comes from."""
    click.echo(_headline(explanation, at))
    _origin(explanation, stack)
    _routes(running, explanation)
    for stop in explanation.stops:
        _stop(running, explanation, stop, at)
    _silencers(explanation)
    _elsewhere(explanation)


# The answer --------------------------------------------------------------------------------------------------------


def _headline(explanation: Explanation, at: datetime | None) -> str:
    subject = explanation.subject
    name = click.style(subject.title, bold=True)
    if explanation.nobody:
        return f"{click.style('Nobody', fg='red', bold=True)} hears of {name}: {explanation.nobody}."
    told = [stop for stop in explanation.stops if stop.way.channel is not None]
    where = " and ".join(dict.fromkeys(_channel(stop.way.channel or "") for stop in told))
    if not told:
        receivers = dict.fromkeys(stop.way.route.receiver for stop in explanation.stops if stop.way.route is not None)
        return f"{name} goes to {' and '.join(receivers)}, a receiver of yours."
    totals = [delay.total(stop.steps) for stop in told]
    when = _span(min(best for best, _ in totals), max(worst for _, worst in totals))
    rest = f"{where}, {when} after {_BEGINNINGS[subject.kind]}{_only_beside(explanation)}."
    if at is not None and all(stop.silence is not None for stop in told):
        return f"{name} is {click.style('silent', fg='yellow', bold=True)} at {_clock(at)}. Else it is told in {rest}"
    return f"{name} is told in {rest}"


def _only_beside(explanation: Explanation) -> str:
    inhibited = any(_is_info_inhibitor(one) and not one.conditions for one in explanation.silencers)
    return ", but only beside a warning or critical alert of its namespace" if inhibited else ""


def _span(best: float, worst: float) -> str:
    shown = format_duration(best), format_duration(worst)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


# What it is --------------------------------------------------------------------------------------------------------


def _origin(explanation: Explanation, stack: str) -> None:
    subject = explanation.subject
    if subject.rule is not None:
        _rule(subject.rule, subject, stack)
        if subject.others:
            shown = [_pairs(_differing(other, subject.rule)) for other in subject.others[:_MOST]]
            more = len(subject.others) - len(shown)
            _line(f"There are rules of this name with {'; '.join(shown)}{f'; {more} more' if more else ''} as well.")
        return
    thing = subject.thing
    if isinstance(thing, Heartbeat):
        _section(
            "Heartbeat", f"{_schedule(thing)}, with {format_duration(thing.grace)} of grace; the outpost waits for it"
        )
    elif isinstance(thing, Probe):
        forgiven = f"; {counted(thing.retries, 'failure')} forgiven" if thing.retries else ""
        _section("Probe", f"{thing.target}, every {format_duration(thing.interval)}{forgiven}; the outpost asks")
    elif thing is not None:
        _section("Outpost", f"waits for the cluster's {thing.alertname}, which comes once a minute")
    elif subject.kind == "event":
        _section("Event", "posted to the relay; neither Prometheus nor Alertmanager sees it")
    else:
        _section("Rule", "none that is known here")
    labels = {name: value for name, value in subject.labels.items() if name not in subject.given}
    if labels:
        _line(f"labels: {_pairs(labels)} ({'as the stack says' if thing is not None else 'taken for granted'})")


def _rule(rule: Rule, subject: Subject, stack: str) -> None:
    if rule.origin == "own" and rule.path:
        place = f"{rule.path[0]}[{rule.path[1]}] of {stack}"
    else:
        place = rule.file or f"group {rule.group}"
    _section("Rule", f"{rule.from_}, {place}")
    true = f"after it has been true for {format_duration(rule.for_)}" if rule.for_ else "as soon as it is true"
    kept = f", until {format_duration(rule.keep_firing_for)} after it is not" if rule.keep_firing_for else ""
    _line(f"fires {true}{kept}")
    _line(f"labels: {_labels(rule, subject)}")
    if rule.expr is not None:
        click.echo()
        for line in rule.expr.rstrip().splitlines():
            click.echo(click.style(f"    {line}", fg="cyan"))
    back = delay.looks_back(rule)
    if back:
        click.echo()
        _line(f"The expression looks back over {format_duration(back)}: it may become true that much after the cause.")


def _labels(rule: Rule, subject: Subject) -> str:
    """Those that are fixed, those that are known otherwise, those that were asked for, and those that are left."""
    given = subject.given
    fixed = {name: value for name, value in rule.static.items() if given.get(name, value) == value}
    asked = {name: value for name, value in given.items() if fixed.get(name) != value and name != "alertname"}
    known = {name: value for name, value in subject.assumed.items() if name not in rule.static}
    left = [name for name in rule.brings if name not in subject.labels]
    parts = [f"{_pairs(fixed)} (the rule's)"] if fixed else []
    parts += [f"{_pairs(known)} (as the stack says)"] if known else []
    parts += [f"{_pairs(asked)} (as asked)"] if asked else []
    if left:
        parts.append(f"{', '.join(left)} (not given)")
    elif rule.labels.open and rule.origin != "chart":
        parts.append("and those of its series (not given)")
    return "; ".join(parts) or "none"


def _differing(other: Rule, rule: Rule) -> Mapping[str, str]:
    return {name: value for name, value in other.static.items() if rule.static.get(name) != value} or other.static


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


# Where it goes -----------------------------------------------------------------------------------------------------


def _routes(running: Running, explanation: Explanation) -> None:
    kind = explanation.subject.kind
    root, *below = explanation.tried or (None,)
    if root is None:
        return
    _section("Routes", f"as {_WHO_TRIES.get(kind, 'Alertmanager')} tries them")
    rows = [(step, _route_name(running, explanation, step.route)) for step in (*below, *([root] if root.taken else []))]
    width = max(len(name) + _indent(step) for step, name in rows)
    for step, name in rows:
        shown = f"{' ' * _indent(step)}{name}".ljust(width)
        mark = click.style("yes", fg="green", bold=True) if step.matched else click.style("no ", dim=True)
        shown = click.style(shown, bold=True) if step.taken else shown
        click.echo(f"  {mark}  {shown}  {_tried(explanation, step)}".rstrip())


def _indent(step: RouteTried[ResolvedRoute[Any]]) -> int:
    return 2 * max(0, len(step.route.path) - 1)


def _tried(explanation: Explanation, step: RouteTried[ResolvedRoute[Any]]) -> str:
    if not step.route.path:
        return "whatever no route takes"
    tried = dict.fromkeys(step.tried)  # routes with equal matchers are told apart by writing one twice
    said = "  ".join(_matcher(explanation, one, alone=len(tried) == 1) for one in tried) or "every alert"
    return said + ("  (and goes on)" if step.matched and step.route.continue_ else "")


def _matcher(explanation: Explanation, one: MatcherTried, *, alone: bool) -> str:
    sign = "" if alone else "✓ " if one.matched else "✗ "
    if one.matched:
        return f"{sign}{one.matcher}"
    return f"{sign}{one.matcher}{click.style(_why_not(explanation, one), dim=True)}"


def _why_not(explanation: Explanation, one: MatcherTried) -> str:
    subject, name = explanation.subject, one.matcher.name
    if name == names.LABEL_ALERTNAME and one.value:
        return ""
    if one.value == UNNAMED:
        return f"  {name} is not given"
    if one.value:
        return f"  {name} is {one.value}"
    never = (subject.kind in _WHO_TRIES and subject.kind != "event") or (
        subject.rule is not None and name not in subject.rule.labels
    )
    return f"  it has no {name}" if never else f"  no {name} is given"


def _route_name(running: Running, explanation: Explanation, route: ResolvedRoute[Any]) -> str:
    if explanation.subject.kind in _WHO_TRIES:
        return f"{route.name} → #{route.receiver}"
    reader, channel = running.reader(route.receiver)
    target = f"#{channel}" if reader == "channel" else route.receiver if reader == "other" else reader
    return f"{route.name or ('built in' if route.path else 'default')} → {target}"


# What happens there ------------------------------------------------------------------------------------------------


def _stop(running: Running, explanation: Explanation, stop: Stop, at: datetime | None) -> None:
    way, route = stop.way, stop.way.route
    if way.channel is None:
        if route is not None and way.reader == "outpost":
            _sign_of_life(running, max(route.repeat_interval, route.group_interval))
        return
    _section("Told", f"in {_channel(way.channel)}, {_teller(stop)}")
    _line(_grouping(stop))
    _line(_often(explanation, stop))
    if stop.mention is not None:
        _line(f"It pings {_mention(stop.mention)}.")
    if stop.channel is None:
        _line(click.style(f"There is no channel {way.channel!r}: nobody hears.", fg="red"))
    elif stop.channel.fallback is not None and way.entry is not None:
        _line(f"Should its webhook be gone, it is told in {_channel(stop.channel.fallback)}.")
    _mutes(running, stop, at)
    if route is not None:
        _line(f"Alertmanager: {_alertmanager(route)}")
        click.echo(f"  group {stop.group_key}")
    _message(running, explanation, stop, at)
    _table(explanation, stop)


def _message(running: Running, explanation: Explanation, stop: Stop, at: datetime | None) -> None:
    text = message_text(running, explanation.subject, stop, at)
    if text is not None:
        click.echo()
        for line in text.splitlines():
            bar = "  ┃ " if line.startswith("  ┃ ") else ""
            for part in textwrap.wrap(line, _width() - 4, subsequent_indent=bar, break_long_words=False) or [""]:
                click.echo(f"    {part}".rstrip())


def _sign_of_life(running: Running, every: float) -> None:
    _section("Outpost", f"hears of it every {format_duration(every)}")
    watchdog = running.outpost.file.watchdog if running.outpost is not None else None
    if watchdog is not None:
        silence = format_duration(watchdog.silence)
        _line(f"After {silence} without it, the outpost tells {_channel(watchdog.channel)} that the cluster is gone.")


def _teller(stop: Stop) -> str:
    way = stop.way
    if way.entry is None:
        return "by Alertmanager itself"
    who = "the outpost" if way.reader == "outpost" else "the relay"
    return f"by {who}, " + (f"route {way.entry.name}" if way.entry.path else "as the defaults say")


def _grouping(stop: Stop) -> str:
    grouped = stop.way.entry if stop.way.entry is not None else stop.way.route
    assert grouped is not None
    if grouped.group_by == GROUP_BY_ALL:
        return "Each alert has a message of its own."
    known = {name: value for name, value in stop.group.items() if value != UNNAMED}
    each = [name for name, value in stop.group.items() if value == UNNAMED]
    shown = f"all alerts with {_pairs(known)}" if known else "all alerts of the route"
    return f"One message for {shown}" + (f", for each {' and '.join(each)}." if each else ".")


def _often(explanation: Explanation, stop: Stop) -> str:
    way, route = stop.way, stop.way.route
    if explanation.subject.kind == "event":
        return "Events of one kind are counted in it; it is edited, not repeated."
    if way.entry is not None:
        edited = "it is edited as things change, and not repeated."
        if not way.hold:
            return edited.capitalize()
        return f"What ends within {format_duration(way.hold)} is never posted; {edited}"
    assert route is not None
    wait = f"What ends within {format_duration(route.group_wait)} is not posted. " if route.group_wait else ""
    every, again = format_duration(route.group_interval), format_duration(route.repeat_interval)
    return f"{wait}Each change is a message more, once in {every} at most; without one it is repeated after {again}."


def _alertmanager(route: ResolvedRoute[Any]) -> str:
    wait, every, again = map(format_duration, (route.group_wait, route.group_interval, route.repeat_interval))
    return f"receiver {route.receiver}, group_wait {wait}, group_interval {every}, repeat_interval {again}"


def _mutes(running: Running, stop: Stop, at: datetime | None) -> None:
    windows = {window.name: window for window in running.stack.maintenance}
    for mute in stop.mutes:
        _line(_mute(mute, windows.get(mute.name)))
    if at is None:
        return
    if stop.silence is None:
        _line(f"At {_clock(at)} it speaks.")
        return
    until = (
        "for more than a month"
        if stop.silence.until is None
        else f"until {_clock(stop.silence.until.astimezone(at.tzinfo))}"
    )
    _line(click.style(f"At {_clock(at)} it is silent, {until}; what fires on is told then.", fg="yellow"))


def _mute(mute: Mute, window: Maintenance | None) -> str:
    when = f": {_window(window)}" if window is not None else ""
    return f"{'Told only' if mute.active else 'Silent'} during {mute.name}{when}."


def _table(explanation: Explanation, stop: Stop) -> None:
    width = max(len(step.name) for step in stop.steps) + 2
    why = max(len(step.why) for step in stop.steps) + 2
    click.echo()
    click.echo(click.style(f"    {'':{width + why}}{'at best':>9}{'at worst':>10}", dim=True))
    for step in stop.steps:
        best, worst = format_duration(step.best), format_duration(step.worst)
        click.echo(f"    {step.name:{width}}{step.why:{why}}{best:>9}{worst:>10}")
    best, worst = map(format_duration, delay.total(stop.steps))
    what = f"from when {_BEGINNINGS[explanation.subject.kind]}"
    click.echo(click.style(f"    {what:{width + why}}{best:>9}{worst:>10}", bold=True))
    if stop.way.route is not None:
        rounds = format_duration(stop.way.route.group_interval)
        click.echo()
        _line(f"In a group that has been told, the next round counts instead of group_wait: {rounds} at most.")


# What else ---------------------------------------------------------------------------------------------------------


def _silencers(explanation: Explanation) -> None:
    if explanation.silencers:
        _section("Silenced", "while one of these fires")
        for silencer in explanation.silencers:
            _line(f"{_sources(silencer)}{_condition(silencer)}")


def _sources(silencer: Silencer) -> str:
    alerts = list(dict.fromkeys(rule.name for rule in silencer.sources))
    if not alerts:
        return f"{', '.join(map(str, silencer.rule.source)) or 'anything'} (no rule here fires such an alert)"
    if _is_info_inhibitor(silencer):
        return f"{names.INFO_INHIBITOR}: it fires unless a warning or critical alert does in the same namespace"
    more = f" and {len(alerts) - _MOST} more" if len(alerts) > _MOST else ""
    severities = sorted({rule.severity for rule in silencer.sources if rule.severity})
    return f"{', '.join(alerts[:_MOST])}{more}" + (f" ({' or '.join(severities)})" if severities else "")


def _condition(silencer: Silencer) -> str:
    equal = [name for name in silencer.equal if name != names.LABEL_ALERTNAME]
    same = f", with the same {' and '.join(equal)}" if equal and not _is_info_inhibitor(silencer) else ""
    return same + (f", if this one has {', '.join(map(str, silencer.conditions))}" if silencer.conditions else "")


def _is_info_inhibitor(silencer: Silencer) -> bool:
    return any(rule.name == names.INFO_INHIBITOR for rule in silencer.sources)


def _elsewhere(explanation: Explanation) -> None:
    if explanation.elsewhere:
        _section("Elsewhere", "with labels that were not given")
        for other in explanation.elsewhere:
            _line(f"{', '.join(map(str, other.conditions))}: {_end(other)}")


def _end(other: Elsewhere) -> str:
    route = f" (route {other.route})" if other.route else ""
    if other.channel is not None:
        return f"{_channel(other.channel)}{route}"
    return {"nobody": "nobody", "outpost": "the outpost"}.get(other.reader, "a receiver of yours") + route


# Words -------------------------------------------------------------------------------------------------------------


def _channel(name: str) -> str:
    return click.style(f"#{name}", fg="blue", bold=True)


def _mention(who: str) -> str:
    kind, _, number = who.partition(":")
    return f"{kind} {number}" if number else f"@{kind}"


def _schedule(beat: Heartbeat) -> str:
    if beat.period is not None:
        return f"every {format_duration(beat.period)}"
    return f"{beat.schedule or beat.calendar} ({beat.timezone})"


def _window(window: Maintenance) -> str:
    if window.start is not None and window.end is not None:
        return f"once, {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} ({window.timezone})"
    days = " and ".join(f"{day.capitalize()}s" for day in window.weekdays) or "daily"
    return f"{days}, {window.from_} to {window.to} ({window.timezone})"


def _clock(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M %Z}"


def _section(title: str, text: str) -> None:
    click.echo(f"\n{click.style(title, bold=True)}: {text}")


def _line(text: str) -> None:
    for line in textwrap.wrap(text, _width() - 2, break_long_words=False, break_on_hyphens=False):
        click.echo(f"  {line}")


def _width() -> int:
    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
