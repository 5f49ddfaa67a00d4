"""Alertmanager's configuration tree from the stack: routes, receivers, inhibit rules, mute times.

Facts behind it: Alertmanager dispatch.go flushes a new group after group_wait and then only every group_interval, so a
hold of 60 s cannot work with the usual 5 minutes; Helm replaces lists, so the tree is always whole; the Watchdog only
repeats every interval when repeat_interval is shorter than group_interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from homelabmon.components.inhibition import inhibit_rules
from homelabmon.components.siblings import told_apart
from homelabmon.routing.windows import time_intervals
from homelabmon.spec import names
from homelabmon.spec.base import format_duration
from homelabmon.spec.contribution import ALERTMANAGER, ALERTS_DEADMAN, ALERTS_PEOPLE, Offer, Site
from homelabmon.spec.matchers import Matcher, MatchOp
from homelabmon.spec.routes import Channel, Route, RouteOptions, hold_for
from homelabmon.spec.secrets import SecretRef

SECRETS_DIR: Final = "/etc/alertmanager/secrets"
NULL: Final = "null"
PEOPLE: Final = names.RECEIVER_PEOPLE
DEADMAN: Final = "deadman"
RELAY_GROUP_WAIT: Final = timedelta(seconds=5)
RELAY_GROUP_INTERVAL: Final = timedelta(seconds=15)
NATIVE_GROUP_INTERVAL: Final = timedelta(minutes=5)
_GROUP_ALL: Final = "..."


def alertmanager_config(site: Site) -> dict[str, Any]:
    """The whole configuration, in the order in which Alertmanager's own documents list its parts."""
    people = site.offer(ALERTS_PEOPLE)
    muted = {window.name: set(window.routes) for window in site.maintenance}
    children = [_watchdog(site), _null_route(names.INFO_INHIBITOR)]
    if people is not None:
        children += _about_the_relay(_self_channel(people, site))
    everywhere = [window.name for window in site.maintenance if window.everything]
    for route, matchers in told_apart(site.all_routes):
        children.append(_route(route, matchers, people is not None, _Inherited(site.defaults), everywhere, muted))
    children += _fallback(site, people is not None, everywhere)
    config: dict[str, Any] = {
        "global": {"resolve_timeout": "5m"},
        "route": _root(site, people is not None, children),
        "inhibit_rules": inhibit_rules(site),
        "receivers": _receivers(site),
        # The chart's own default, written out: whoever reads the plain file gets what the cluster gets.
        "templates": ["/etc/alertmanager/config/*.tmpl"],
    }
    intervals = time_intervals(site.maintenance)
    return {**config, "time_intervals": intervals} if intervals else config


def secrets_read(site: Site) -> tuple[SecretRef, ...]:
    """Every Secret that Alertmanager itself must be able to read."""
    people, deadman = site.offer(ALERTS_PEOPLE), site.offer(ALERTS_DEADMAN)
    refs = [offer.data["token"] for offer in (people, deadman) if offer is not None and offer.data.get("token")]
    channels = [_self_channel(people, site)] if people is not None else list(site.channels)
    refs += [site.channels[name].discord.webhook for name in channels if name in site.channels]
    return tuple(dict.fromkeys(refs))


def _self_channel(people: Offer, site: Site) -> str:
    return str(people.data.get("self_channel") or site.defaults.channel)


# Routes ------------------------------------------------------------------------------------------------------------


class _Inherited:
    """The options a route inherits, down the tree."""

    def __init__(self, defaults: RouteOptions, parent: _Inherited | None = None) -> None:
        self.options, self.parent = defaults, parent

    def get(self, name: str) -> Any:
        value = getattr(self.options, name)
        return value if value is not None or self.parent is None else self.parent.get(name)


def _root(site: Site, relayed: bool, children: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    inherited = _Inherited(site.defaults)
    receiver = PEOPLE if relayed else native(site.defaults.channel)
    return {"receiver": receiver, **_timing(inherited, relayed), "routes": list(children)}


def _route(
    route: Route,
    matchers: Sequence[Matcher],
    relayed: bool,
    parent: _Inherited,
    everywhere: Sequence[str],
    muted: Mapping[str, set[str]],
) -> dict[str, Any]:
    inherited = _Inherited(route, parent)
    mute = list(
        dict.fromkeys([*everywhere, *(name for name, routes in muted.items() if route.name in routes), *route.mute])
    )
    rendered: dict[str, Any] = {
        "receiver": PEOPLE if relayed else native(inherited.get("channel")),
        "matchers": [str(matcher) for matcher in matchers],
        **({"continue": True} if route.continue_ else {}),
        **_timing(inherited, relayed),
    }
    if mute:
        rendered["mute_time_intervals"] = mute
    children = [_route(child, theirs, relayed, inherited, mute, muted) for child, theirs in told_apart(route.routes)]
    by_severity = [] if relayed else _by_severity(inherited, mute)
    if by_severity:
        children += [*_stoppers(route.routes), *by_severity]
    if children:
        rendered["routes"] = children
    return rendered


def _fallback(site: Site, relayed: bool, mute: Sequence[str]) -> list[dict[str, Any]]:
    """What no route matches goes to the root. Where it needs mute times, which Alertmanager forbids on the root, or a
    hold of its own for a severity, it is a route at the end, which must not catch what a `continue` route has taken."""
    inherited = _Inherited(site.defaults)
    children = [] if relayed else _by_severity(inherited, mute)
    if not mute and not children:
        return []
    receiver = PEOPLE if relayed else native(site.defaults.channel)
    route: dict[str, Any] = {"receiver": receiver, **_timing(inherited, relayed)}
    if mute:
        route["mute_time_intervals"] = list(mute)
    return [*_stoppers(site.routes), {**route, "routes": children} if children else route]


def _stoppers(routes: Sequence[Route]) -> list[dict[str, Any]]:
    """For each route that lets alerts go on: a route to nobody that keeps them from what is for unmatched alerts."""
    return [
        {"receiver": NULL, "matchers": [str(matcher) for matcher in route.all_matchers]}
        for route in routes
        if route.continue_
    ]


def _timing(inherited: _Inherited, relayed: bool) -> dict[str, Any]:
    """Grouping and timings. With the relay the hold is the relay's, and Alertmanager must speak soon and often;
    without it group_wait is the only hold there is (exact for new groups)."""
    hold = hold_for(inherited.get("hold"), "warning")
    wait = inherited.get("group_wait")
    interval = inherited.get("group_interval")
    if wait is None:
        wait = min(RELAY_GROUP_WAIT, hold) if relayed else hold
    if interval is None:
        interval = relay_interval(hold) if relayed else NATIVE_GROUP_INTERVAL
    return {
        "group_by": list(inherited.get("group_by")),
        "group_wait": format_duration(wait),
        "group_interval": format_duration(interval),
        "repeat_interval": format_duration(inherited.get("repeat_interval")),
    }


def relay_interval(hold: timedelta) -> timedelta:
    """How often Alertmanager must look at a group for a hold to work: a quarter of it, 5 to 15 s."""
    if hold <= timedelta(0):
        return RELAY_GROUP_INTERVAL
    return max(timedelta(seconds=5), min(RELAY_GROUP_INTERVAL, timedelta(seconds=hold // timedelta(seconds=4))))


def _by_severity(inherited: _Inherited, mute: Sequence[str]) -> list[dict[str, Any]]:
    """Without a relay: a child for each severity whose hold differs, as group_wait is one for a route."""
    hold = inherited.get("hold")
    usual = hold_for(hold, "warning")
    children: list[dict[str, Any]] = []
    for severity in ("critical", "info"):
        own = hold_for(hold, severity)
        if own != usual and inherited.get("group_wait") is None:
            child: dict[str, Any] = {
                "matchers": [str(Matcher(names.LABEL_SEVERITY, MatchOp.EQ, severity))],
                "group_wait": format_duration(own),
            }
            if mute:
                child["mute_time_intervals"] = list(mute)
            children.append(child)
    return children


def _watchdog(site: Site) -> dict[str, Any]:
    if site.offer(ALERTS_DEADMAN) is None:
        return _null_route(names.WATCHDOG)
    return {
        "receiver": DEADMAN,
        "matchers": [str(Matcher(names.LABEL_ALERTNAME, MatchOp.EQ, names.WATCHDOG))],
        "group_by": [names.LABEL_ALERTNAME],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "50s",
    }


def _null_route(alertname: str) -> dict[str, Any]:
    return {"receiver": NULL, "matchers": [str(Matcher(names.LABEL_ALERTNAME, MatchOp.EQ, alertname))]}


def _about_the_relay(channel: str) -> list[dict[str, Any]]:
    """What is about the relay must not need the relay: its own alerts, and Alertmanager's when nobody takes its
    notifications (a wrong token, a closed network)."""
    about = (
        Matcher(names.LABEL_COMPONENT, MatchOp.EQ, "relay"),
        Matcher(
            names.LABEL_ALERTNAME, MatchOp.RE, "AlertmanagerFailedToSendAlerts|AlertmanagerClusterFailedToSendAlerts"
        ),
    )
    timing = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
    return [
        {"receiver": native(channel), "matchers": [str(matcher)], "group_by": [names.LABEL_ALERTNAME], **timing}
        for matcher in about
    ]


# Receivers ---------------------------------------------------------------------------------------------------------


def native(channel: str) -> str:
    """The receiver that posts to a channel without the relay."""
    return f"discord-{channel}"


def _receivers(site: Site) -> list[dict[str, Any]]:
    people, deadman = site.offer(ALERTS_PEOPLE), site.offer(ALERTS_DEADMAN)
    receivers: list[dict[str, Any]] = [{"name": NULL}]
    if people is not None:
        receivers.append({"name": PEOPLE, "webhook_configs": [_webhook(people, _way_to(people, site))]})
    if deadman is not None:
        receivers.append({"name": DEADMAN, "webhook_configs": [_webhook(deadman, deadman.url)]})
    channels: Iterable[str] = [_self_channel(people, site)] if people is not None else site.channels
    receivers += [_discord(name, site.channels[name]) for name in channels if name in site.channels]
    return receivers


def _way_to(people: Offer, site: Site) -> str:
    """The relay's address, as Alertmanager reaches it: one outside the cluster needs the one for outside."""
    manager = site.offer(ALERTMANAGER)
    outside = manager is not None and any(not place.namespace for place in manager.data.get("places", ()))
    url: str | None = people.data.get("outside_url") if outside else None
    return url or people.url


def _webhook(offer: Offer, url: str) -> dict[str, Any]:
    webhook: dict[str, Any] = {"url": url, "send_resolved": True, "max_alerts": 0}
    token: SecretRef | None = offer.data.get("token")
    if token is not None:
        credentials = {"type": "Bearer", "credentials_file": secret_file(token)}
        webhook["http_config"] = {"authorization": credentials}
    return webhook


def secret_file(ref: SecretRef) -> str:
    """Where the operator mounts a Secret's key into Alertmanager's pods."""
    return f"{SECRETS_DIR}/{ref.secret}/{ref.key}"


def _discord(name: str, channel: Channel) -> dict[str, Any]:
    receiver: dict[str, Any] = {"webhook_url_file": secret_file(channel.discord.webhook), "send_resolved": True}
    mentions = [(severity, who) for severity, who in channel.mention.items()]
    if mentions:
        receiver["content"] = "".join(
            f'{{{{ if eq .CommonLabels.severity "{severity}" }}}}{_mention(who)}{{{{ end }}}}'
            for severity, who in mentions
        )
    if channel.discord.username is not None:
        receiver["username"] = channel.discord.username
    return {"name": native(name), "discord_configs": [receiver]}


def _mention(who: str) -> str:
    kind, _, number = who.partition(":")
    return {"role": f"<@&{number}>", "user": f"<@{number}>"}.get(kind, f"@{kind}")
