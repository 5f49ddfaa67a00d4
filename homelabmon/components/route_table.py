"""The route table of a service from the stack: the tree that Alertmanager gets, everything inherited written out.

Entries are made with ``model_construct``: what they hold has been validated as part of the stack, and building their
validators would cost every render 15 ms. A property test reads the result back through the validators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homelabmon.components.siblings import told_apart
from homelabmon.spec.contribution import Site
from homelabmon.spec.matchers import Matcher
from homelabmon.spec.relay_file import ChannelEntry, RouteEntry
from homelabmon.spec.routes import Channel, Route, RouteOptions

DEFAULT = "default"


def channel_entries(site: Site, folder: str) -> dict[str, ChannelEntry]:
    """Every channel; ``folder`` is where the service finds its secrets."""
    return {name: _channel(channel, folder) for name, channel in site.channels.items()}


def _channel(channel: Channel, folder: str) -> ChannelEntry:
    discord = channel.discord
    return ChannelEntry.model_construct(
        webhook_file=f"{folder}/{discord.webhook.secret}/{discord.webhook.key}",
        thread_id=discord.thread_id,
        forum=discord.forum,
        username=discord.username,
        mention=channel.mention,
        fallback=channel.fallback,
    )


def default_entry(site: Site) -> RouteEntry:
    """What no route matches."""
    return RouteEntry.model_construct(name=DEFAULT, **_options(site.defaults, {}))


def route_entries(site: Site, routes: Sequence[Route]) -> tuple[RouteEntry, ...]:
    """A tree of routes, in order."""
    inherited = _options(site.defaults, {})
    return tuple(_entry(route, matchers, inherited) for route, matchers in told_apart(routes))


def _entry(route: Route, matchers: Sequence[Matcher], parent: dict[str, Any]) -> RouteEntry:
    options = _options(route, parent)
    return RouteEntry.model_construct(
        name=route.name,
        matchers=tuple(str(matcher) for matcher in matchers),
        continue_=route.continue_,
        routes=tuple(_entry(child, theirs, options) for child, theirs in told_apart(route.routes)),
        **options,
    )


def _options(options: RouteOptions, parent: dict[str, Any]) -> dict[str, Any]:
    own = {"channel": options.channel, "group_by": options.group_by, "hold": options.hold, "title": options.title}
    return {**parent, **{key: value for key, value in own.items() if value is not None}}
