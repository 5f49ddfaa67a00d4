"""What stands in a stack in plain words: matchers, holds, grouping, schedules, windows, probes. Gives Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from homelabmon.render.page.markdown import code, link, listed, plain
from homelabmon.spec.base import format_duration
from homelabmon.spec.matchers import Matcher, MatchOp, literal_alternatives
from homelabmon.spec.routes import Channel, Hold, Maintenance, hold_for
from homelabmon.spec.watch import Heartbeat, Probe


def matchers(conditions: Iterable[Matcher]) -> str:
    """Conditions that must all hold: ``alertname`` is ``A`` or ``B`` and ``namespace`` matches ``x.+``."""
    return " and ".join(_condition(condition) for condition in conditions)


def _condition(matcher: Matcher) -> str:
    name = code(matcher.name)
    if not matcher.value and matcher.op in (MatchOp.EQ, MatchOp.NE):
        return f"there is {'no ' if matcher.op is MatchOp.EQ else 'a '}{name}"
    values = [matcher.value] if matcher.op in (MatchOp.EQ, MatchOp.NE) else _alternatives(matcher.value)
    negated = matcher.op in (MatchOp.NE, MatchOp.NRE)
    if values is None:
        return f"{name} {'does not match' if negated else 'matches'} {code(matcher.value)}"
    shown = listed([code(value) for value in values], "or")
    if negated:
        return f"{name} is {'not' if len(values) == 1 else 'none of'} {shown}"
    return f"{name} is {shown}"


def _alternatives(pattern: str) -> list[str] | None:
    """The texts of a regular expression that is nothing but alternatives, in the order written where that is plain."""
    known = literal_alternatives(pattern)
    if known is None:
        return None
    written = pattern.replace("\\", "").split("|")
    return written if set(written) == known else sorted(known)


def hold(value: Hold) -> str:
    """How long people are not told: ``1m; critical at once``."""
    usual = hold_for(value, "none")
    differing = [
        f"{severity} {_wait(own)}"
        for severity in ("critical", "warning", "info")
        if (own := hold_for(value, severity)) != usual
    ]
    return "; ".join([_wait(usual), *differing])


def _wait(value: timedelta) -> str:
    return format_duration(value) if value else "at once"


def grouping(labels: Sequence[str]) -> str:
    """By which labels alerts share a message."""
    if tuple(labels) == ("...",):
        return "each alert by itself"
    return ", ".join(code(label) for label in labels) or "all in one message"


def channel(name: str) -> str:
    """A channel as people know it."""
    return code(f"#{name}")


def mentions(channel: Channel) -> str:
    """Who is pinged: ``critical: role 1234``."""
    return "; ".join(f"{severity}: {_mention(who)}" for severity, who in channel.mention.items()) or "nobody"


def _mention(who: str) -> str:
    kind, _, number = who.partition(":")
    return f"{kind} {number}" if number else code(f"@{kind}")


def schedule(beat: Heartbeat) -> str:
    """When something should have run."""
    zone = f" ({plain(beat.timezone)})" if beat.schedule or beat.calendar else ""
    parts = [f"CronJob {code(beat.cronjob)}"] if beat.cronjob else []
    if beat.schedule or beat.calendar:
        parts.append(code(beat.schedule or beat.calendar) + zone)
    elif beat.period is not None:
        parts.append(f"every {format_duration(beat.period)}")
    return ", ".join(parts)


def target(probe: Probe) -> str:
    """What a probe asks."""
    if probe.dns is not None:
        return f"DNS: {code(f'{probe.dns.query} {probe.dns.type}')} of {code(probe.dns.server)}"
    if probe.url is not None:
        return link(plain(probe.url), probe.url)
    return f"TCP {code(probe.tcp)}" if probe.tcp is not None else f"ping {code(probe.icmp)}"


def healthy(probe: Probe) -> str:
    """What a healthy answer to a probe is."""
    expect, parts = probe.expect, []
    if probe.url is not None:
        parts.append(f"status {listed([str(status) for status in expect.status], 'or')}")
        if expect.body is not None:
            parts.append(f"body matches {code(expect.body)}")
        if probe.url.startswith("https:") and expect.tls_days:
            parts.append(f"certificate valid for {expect.tls_days} more days")
    elif probe.dns is not None and probe.dns.answer is not None:
        parts.append(f"an answer matches {code(probe.dns.answer)}")
    else:
        parts.append("it answers")
    if expect.within is not None:
        parts.append(f"within {format_duration(expect.within)}")
    return ", ".join(parts)


def window(item: Maintenance) -> str:
    """When a maintenance window is open."""
    if item.start is not None and item.end is not None:
        return f"once, {item.start:%Y-%m-%d %H:%M} to {item.end:%Y-%m-%d %H:%M} ({plain(item.timezone)})"
    days = listed([f"{day.capitalize()}s" for day in item.weekdays]) if item.weekdays else "daily"
    return f"{days}, {item.from_} to {item.to} ({plain(item.timezone)})"
