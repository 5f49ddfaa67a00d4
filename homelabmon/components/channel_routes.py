"""Routes that nobody wrote: a heartbeat or a probe of the cluster that names a channel is told there.

Made once, when the stack becomes a :class:`~homelabmon.spec.contribution.Site`, so that Alertmanager and the relay get
the same. What the outpost watches needs none: it tells of it by itself. Asked by :mod:`homelabmon.stack`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from homelabmon.spec import names
from homelabmon.spec.contribution import METRICS, METRICS_CRDS, Site
from homelabmon.spec.routes import Route

if TYPE_CHECKING:
    from homelabmon.routing.possible import Possibilities
    from homelabmon.spec.watch import Heartbeat, Probe

ALERTS: Final[Mapping[str, Mapping[str, str]]] = {
    names.LABEL_HEARTBEAT: {
        "HeartbeatMissed": "",
        "HeartbeatCronJobMissing": "",
        "HeartbeatSuspended": "warning",
    },
    names.LABEL_PROBE: {
        "ProbeDown": "",
        "ProbeMissing": "warning",
        "ProbeSlow": "warning",
        "ProbeCertificateExpires": "warning",
        "ProbeCertificateLastDays": "critical",
    },
}
"""The packs' alerts that carry a heartbeat's or a probe's name in the label, with their severity; "": its own.

An alert of the owner's may carry the label as well, from the series it looks at: the routes have the say about it."""


class _Watched(NamedTuple):
    """One heartbeat or probe of the cluster, by the label that carries its name, and what else its alerts carry."""

    label: str
    name: str
    channel: str
    severity: str
    labels: Mapping[str, str]


def channel_routes(site: Site) -> tuple[Route, ...]:
    """A route for each channel that heartbeats, then probes, of the cluster name and that routes would not lead to.

    They stand before the owner's routes and inherit everything else from the defaults, so that several things that
    fail together share a message as they would without a channel of their own. ``site`` must know its offers.
    """
    named = [watched for watched in _watched(site) if watched.channel in site.channels]
    if not named:
        return ()
    routes = _Routes(site)
    wanted: dict[tuple[str, str], list[str]] = {}
    for watched in named:
        if not routes.lead_there(watched):
            wanted.setdefault((watched.label, watched.channel), []).append(watched.name)
    taken = set(_names(site.routes))
    return tuple(_route(label, channel, things, taken) for (label, channel), things in wanted.items())


def _watched(site: Site) -> Iterator[_Watched]:
    """What rules of the cluster look at, and names a channel."""
    if site.offer(METRICS) is None or site.offer(METRICS_CRDS) is None:
        return
    for beat in site.heartbeats if site.packs.cronjobs.enabled else ():
        if beat.cronjob is not None and beat.channel is not None:
            namespace, _, cronjob = beat.cronjob.partition("/")
            yield _about(names.LABEL_HEARTBEAT, beat, {"namespace": namespace, "cronjob": cronjob})
    for probe in site.probes if site.packs.probes.enabled else ():
        if probe.from_ != "outpost" and probe.channel is not None:
            yield _about(names.LABEL_PROBE, probe, {})


def _about(label: str, thing: Heartbeat | Probe, labels: Mapping[str, str]) -> _Watched:
    return _Watched(label, thing.name, thing.channel or "", thing.severity, labels)


class _Routes:
    """The owner's routes, to be asked whether they lead to a channel anyway."""

    def __init__(self, site: Site) -> None:
        self._possible = _possibilities(site)

    def lead_there(self, watched: _Watched) -> bool:
        """Whether every alert about it surely goes to its channel, and nowhere else.

        An alert of Prometheus' has no ``source``; nothing is supposed of other labels, as Prometheus may add some to
        every alert that it sends.
        """
        from homelabmon.routing.boxes import Domain

        known = {names.LABEL_SOURCE: "", watched.label: watched.name, **watched.labels}
        for alertname, severity in ALERTS[watched.label].items():
            labels = {
                **known,
                names.LABEL_ALERTNAME: alertname,
                names.LABEL_SEVERITY: severity or watched.severity,
            }
            box = {name: Domain(frozenset((value,)), value) for name, value in labels.items()}
            if any(found.route.receiver != watched.channel for found in self._possible.of(box)):
                return False
        return True


def _possibilities(site: Site) -> Possibilities[None]:
    from homelabmon.routing.possible import Possibilities
    from homelabmon.routing.tree import RouteNode, RouteTree

    def node(route: Route) -> RouteNode[None]:
        return RouteNode(
            name=route.name,
            receiver=route.channel,
            matchers=route.all_matchers,
            continue_=route.continue_,
            routes=tuple(map(node, route.routes)),
            payload=None,
        )

    root = RouteNode(name="", receiver=site.defaults.channel, routes=tuple(map(node, site.routes)), payload=None)
    return Possibilities(RouteTree(root))


def _names(routes: Sequence[Route]) -> Iterator[str]:
    for route in routes:
        yield route.name
        yield from _names(route.routes)


def _route(label: str, channel: str, things: Sequence[str], taken: set[str]) -> Route:
    """``heartbeats-in-media``, or the like with a number where a route of the owner's has that name."""
    name = plain = f"{label}s-in-{channel}"[:_LONGEST].rstrip("-_")
    number = 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    taken.add(name)
    return Route.model_construct(
        name=name, channel=channel, match={names.LABEL_ALERTNAME: tuple(ALERTS[label]), label: tuple(things)}
    )


_LONGEST: Final = 60
"""Of a name, so that a number can follow: a name has at most 63 characters."""
