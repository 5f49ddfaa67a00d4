"""Who is told, where and how soon: routes, channels, the churn window, maintenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homelabmon.render.fold import Folded
from homelabmon.render.page import words
from homelabmon.render.page.markdown import blocks, code, listed, plain, table
from homelabmon.spec import names
from homelabmon.spec.base import format_duration
from homelabmon.spec.contribution import ALERTS_DEADMAN, ALERTS_PEOPLE, GUARD
from homelabmon.spec.routes import Route, RouteOptions, hold_for
from homelabmon.spec.watch import Expectation
from homelabmon.stack import Stack

Options = Mapping[str, Any]


def routing(stack: Stack, folded: Folded) -> list[str]:
    """Every route in the order in which it is tried, with what it inherits written out."""
    rows = [
        (_route_name(depth, route), words.matchers(route.all_matchers) or "every alert", *_cells(options))
        for depth, route, options in _walk(folded.site.all_routes, _own(stack.defaults))
    ]
    rows.append(("everything else", "no route matched", *_cells(_own(stack.defaults))))
    named = [code(route.name) for route in folded.site.channel_routes]
    follow = "follows" if len(named) == 1 else "follow"
    follows = [f"{listed(named)} {follow} from the channels that heartbeats and probes name."]
    nested = ["A route marked `↳` lies inside the one above it: it is tried first, and takes what both match."]
    return blocks(
        ["Tried from top to bottom; the first match wins, unless the route says that later ones are tried as well."],
        table(("Route", "Alerts", "Channel", "Grouped by", "Held for"), rows),
        follows if named else (),
        nested if any(route.routes for route in stack.routes) else (),
        _before_routes(stack, folded),
        _expected(stack),
    )


def _own(options: RouteOptions) -> Options:
    values = {name: getattr(options, name) for name in ("channel", "group_by", "hold")}
    return {name: value for name, value in values.items() if value is not None}


def _walk(routes: Iterable[Route], inherited: Options, depth: int = 0) -> Iterator[tuple[int, Route, Options]]:
    for route in routes:
        options = {**inherited, **_own(route)}
        yield depth, route, options
        yield from _walk(route.routes, options, depth + 1)


def _route_name(depth: int, route: Route) -> str:
    return "↳ " * depth + plain(route.name) + (" (and later ones)" if route.continue_ else "")


def _cells(options: Options) -> tuple[str, str, str]:
    return words.channel(options["channel"]), words.grouping(options["group_by"]), words.hold(options["hold"])


def _before_routes(stack: Stack, folded: Folded) -> list[str]:
    """What Alertmanager decides before any route of the stack."""
    if stack.components.alertmanager is None:
        return []
    deadman, people = folded.site.offer(ALERTS_DEADMAN), folded.site.offer(ALERTS_PEOPLE)
    watchdog = "the outpost: its silence means that the pipeline is dead" if deadman else "nobody: there is no outpost"
    lines = [
        f"- {code(names.WATCHDOG)}, which always fires, goes to {watchdog}.",
        f"- {code(names.INFO_INHIBITOR)} goes to nobody; it only holds back alerts of severity info.",
    ]
    if people is not None:
        channel = str(people.data.get("self_channel") or stack.defaults.channel)
        lines.append(f"- Alerts about the relay itself go from Alertmanager straight to {words.channel(channel)}.")
    return ["Before these routes:", "", *lines]


def _expected(stack: Stack) -> list[str]:
    rows = [
        (
            plain(item.name),
            _circumstances(item),
            _told(item),
        )
        for item in stack.tests
    ]
    return blocks(["What the owner expects of it:"], table(("Name", "Alert", "Told"), rows)) if rows else []


def _circumstances(item: Expectation) -> str:
    """The alert, and what is so when it fires."""
    parts = [_alert(item.alert)]
    if item.lives is not None:
        parts.append(f"for {format_duration(item.lives)}")
    if item.flaps is not None:
        each, often = format_duration(item.flaps.for_), format_duration(item.flaps.every)
        parts.append(f"every {often} for {each}, over {format_duration(item.flaps.during)}")
    for word, others in (("with", item.with_), ("while", item.while_)):
        if others:
            parts.append(f"{word} {' and '.join(map(_alert, others))}")
    if item.at is not None:
        parts.append(f"at {item.at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _alert(labels: Mapping[str, str]) -> str:
    return ", ".join(code(f"{name}={value}") for name, value in labels.items())


def _told(item: Expectation) -> str:
    if item.nobody:
        return "nobody"
    told = listed([words.channel(name) for name in item.channel])
    if item.messages is not None:
        told += f" in {item.messages} message{'s' if item.messages > 1 else ''}"
    return told + (f" within {format_duration(item.within)}" if item.within is not None else "")


def channels(stack: Stack, folded: Folded) -> list[str]:  # noqa: ARG001 - sections are alike
    """Where people read."""
    rows = []
    for name, channel in stack.channels.items():
        discord = channel.discord
        thread = f", thread {discord.thread_id}" if discord.thread_id is not None else ""
        rows.append(
            (
                words.channel(name),
                plain(channel.description),
                f"Discord{' forum' if discord.forum else ''}{thread}",
                words.mentions(channel),
                f"{code(discord.webhook.secret)}, key {code(discord.webhook.key)}",
                words.channel(channel.fallback) if channel.fallback is not None else "",
            )
        )
    return table(("Channel", "For", "Where", "Pings", "Webhook in Secret", "If it is gone"), rows)


def churn(stack: Stack, folded: Folded) -> list[str]:
    """How long an alert must live before anyone is told."""
    differing = [
        f"{plain(route.name)} ({words.hold(options['hold'])})"
        for _, route, options in _walk(stack.routes, _own(stack.defaults))
        if options["hold"] != stack.defaults.hold
    ]
    usual = hold_for(stack.defaults.hold, "warning")
    window = f"that resolve within {format_duration(usual)} are never posted" if usual else "are posted at once"
    how = (
        "Without the relay, the hold is the time for which Alertmanager gathers a new group: exact for the first alert"
        " of a group; later ones wait for the group's next round."
        if folded.site.offer(ALERTS_PEOPLE) is None
        else "The relay waits it out, and asks Alertmanager whether an alert is really gone before it drops it."
    )
    return blocks(
        [f"Restarts and blips {window}. Critical alerts wait only where a hold says so.", how],
        [f"Other holds: {', '.join(differing)}."] if differing else (),
    )


def maintenance(stack: Stack, folded: Folded) -> list[str]:
    """Windows in which alerts are not told."""
    rows = [
        (
            plain(item.name),
            words.window(item),
            "everything" if item.everything else listed([plain(name) for name in (*item.routes, *item.components)]),
            plain(item.description),
            "yes" if item.public else "no",
        )
        for item in stack.maintenance
    ]
    if not rows:
        return []
    told = ["Falco's events"] if folded.site.offer(GUARD) and folded.site.offer(ALERTS_PEOPLE) else []
    outside = "The outpost goes on measuring, and tells of what is still down when the window is over."
    return blocks(
        table(("Window", "When", "Silent", "Why", "On the status page"), rows),
        [f"Windows are Alertmanager's, and do not hold back {listed(told)}."] if told else (),
        [outside] if stack.outpost is not None else (),
    )
