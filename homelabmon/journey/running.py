"""Everything that decides about an alert, from a stack and what it renders to: who tries which rule, route, window.

Made once by each command that asks. Raises :class:`~homelabmon.errors.RenderError` where raw values make something of
Alertmanager's configuration that Alertmanager would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from homelabmon.checks.support.alerts import KnownAlerts, known_alerts
from homelabmon.components.alertmanager_config import DEADMAN, NULL, PEOPLE, alertmanager_config, native
from homelabmon.components.outpost import outpost_file
from homelabmon.components.relay import relay_file
from homelabmon.components.siblings import told_apart
from homelabmon.errors import RenderError
from homelabmon.journey.rules import Rule, read_rules
from homelabmon.relay.routes import RouteTable
from homelabmon.render.fold import Folded, fold
from homelabmon.render.templates import Templates
from homelabmon.routing.alertmanager_file import AlertmanagerFile, AlertmanagerFileError, printed, read_alertmanager
from homelabmon.routing.possible import Possibilities
from homelabmon.routing.tree import RouteTree
from homelabmon.spec import names
from homelabmon.spec.base import parse_duration
from homelabmon.spec.contribution import ALERTS_DEADMAN, ALERTS_PEOPLE, Site
from homelabmon.spec.relay_file import RelayFile, RouteEntry
from homelabmon.spec.routes import Route
from homelabmon.stack import Stack

Reader = Literal["nobody", "relay", "outpost", "channel", "other"]
"""Who stands behind a receiver: nobody, one of our services, a channel straight away, or a receiver of the owner's."""


@dataclass(frozen=True, slots=True)
class Service:
    """The relay or the outpost: its configuration, and the route table it makes of it."""

    file: RelayFile
    table: RouteTable

    @property
    def tree(self) -> RouteTree[RouteEntry]:
        """Its routes; the receiver of each is a channel."""
        return self.table.tree


@dataclass(frozen=True)
class Running:
    """What runs once the stack is applied. Intervals are seconds.

    ``alertmanager``, ``relay`` and ``outpost`` are None where the stack has none. ``rules`` is empty where nothing
    evaluates rules. ``replicas`` is how many Alertmanagers there are.
    """

    stack: Stack
    site: Site
    alertmanager: AlertmanagerFile | None
    relay: Service | None
    outpost: Service | None
    rules: tuple[Rule, ...]
    known: KnownAlerts
    scrape_interval: float
    evaluation_interval: float
    replicas: int

    @cached_property
    def rules_by_name(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each alert: one name may have several, with other severities or other fixed labels."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            found[rule.name] = (*found.get(rule.name, ()), rule)
        return found

    @cached_property
    def alertmanager_routes(self) -> Possibilities[Mapping[str, Any]] | None:
        """Alertmanager's routes, ready to be asked which an alert may take of which only some labels are known."""
        return Possibilities(self.alertmanager.tree) if self.alertmanager is not None else None

    @cached_property
    def relay_routes(self) -> Possibilities[RouteEntry] | None:
        """The relay's routes, likewise."""
        return Possibilities(self.relay.tree) if self.relay is not None else None

    def reader(self, receiver: str) -> tuple[Reader, str]:
        """Who stands behind a receiver of Alertmanager, and for a channel its name."""
        if self.alertmanager is None:
            return "nobody", ""
        found = self.alertmanager.receivers[receiver]
        if receiver == NULL or not found.integrations:
            return "nobody", ""
        if receiver == PEOPLE and self.relay is not None:
            return "relay", ""
        if receiver == DEADMAN and self.outpost is not None:
            return "outpost", ""
        for channel in self.stack.channels:
            if receiver == native(channel):
                return "channel", channel
        return "other", receiver


def running(stack: Stack, override: Path | None = None, cache: Path | None = None) -> Running:
    """What runs once the stack is applied. ``override`` and ``cache`` as in ``render``. Raises RenderError."""
    return running_from(stack, fold(stack, Templates(override, cache)))


def running_from(stack: Stack, folded: Folded) -> Running:
    """The same, from contributions that are folded already."""
    site = folded.site
    values = folded.values.get(names.KPS_RELEASE, {})
    spec = _at(values, "prometheus", "prometheusSpec")
    evaluation = _seconds(spec.get("evaluationInterval"), 30.0)
    known = known_alerts(stack, site)
    prometheus = stack.components.prometheus is not None
    return Running(
        stack=stack,
        site=site,
        alertmanager=_alertmanager(stack, folded, values),
        relay=_relay(stack, site),
        outpost=_outpost(site),
        rules=read_rules(stack, folded.rules, values, known, evaluation) if prometheus else (),
        known=known,
        scrape_interval=_seconds(spec.get("scrapeInterval"), 30.0),
        evaluation_interval=evaluation,
        replicas=_replicas(stack, values),
    )


def _alertmanager(stack: Stack, folded: Folded, values: Mapping[str, Any]) -> AlertmanagerFile | None:
    config = stack.components.alertmanager
    if config is None:
        return None
    data = _at(values, "alertmanager").get("config") if config.install else None
    if data is None:
        data = folded.files.get("alertmanager/alertmanager.yaml")
    try:
        data = data if isinstance(data, Mapping) else {}
        return read_alertmanager(data, route_names(folded.site.all_routes), built_in_routes(folded.site, data))
    except AlertmanagerFileError as error:
        raise RenderError(f"Alertmanager would refuse its configuration with these values: {error}") from None


def built_in_routes(site: Site, data: Mapping[str, Any]) -> int:
    """How many routes of ours, without names, stand before all others."""
    bare = alertmanager_config(site._replace(routes=(), channel_routes=()))["route"]["routes"]
    ours = [route for route in bare if "matchers" in route]
    return len(ours) if (_at(data, "route").get("routes") or ())[: len(ours)] == ours else 0


def route_names(routes: Sequence[Route], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], list[str]]:
    """What routes are called, by their matchers from the top down: Alertmanager's file has no place for names."""
    found: dict[tuple[str, ...], list[str]] = {}
    for route, matchers in told_apart(routes):
        chain = (*above, printed(matchers))
        found.setdefault(chain, []).append(route.name)
        for below, given in route_names(route.routes, chain).items():
            found.setdefault(below, []).extend(given)
    return found


def _relay(stack: Stack, site: Site) -> Service | None:
    config = stack.components.relay
    if config is None or site.offer(ALERTS_PEOPLE) is None:
        return None
    file = relay_file(config, site)
    return Service(file, RouteTable(file))


def _outpost(site: Site) -> Service | None:
    if site.outpost is None or site.offer(ALERTS_DEADMAN) is None:
        return None
    file = outpost_file(site.outpost, site)
    return Service(file, RouteTable(file))


def _replicas(stack: Stack, values: Mapping[str, Any]) -> int:
    config = stack.components.alertmanager
    if config is None:
        return 0
    written = _at(values, "alertmanager", "alertmanagerSpec").get("replicas") if config.install else None
    return written if isinstance(written, int) and not isinstance(written, bool) else config.replicas


def _seconds(value: object, usual: float) -> float:
    try:
        found = parse_duration(value)
    except ValueError:
        return usual
    return found.total_seconds() if isinstance(found, timedelta) and found else usual


def _at(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A mapping inside values that may be overridden with anything."""
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
