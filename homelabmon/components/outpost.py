"""The outpost as the cluster sees it: the dead man's switch it sends to, the target it scrapes, and its own config."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from homelabmon.components import outpost_machine
from homelabmon.components.outpost_machine import Needed
from homelabmon.components.route_table import channel_entries, default_entry, route_entries
from homelabmon.spec import names
from homelabmon.spec.contribution import (
    ALERTS_DEADMAN,
    METRICS_CRDS,
    PINGS,
    ComponentConfig,
    Contribution,
    DocRow,
    Edge,
    Manifest,
    Node,
    Offer,
    PlainFile,
    SecretNeed,
    Site,
    Template,
)
from homelabmon.spec.relay_file import Intake, RelayFile, ThirdLeg, Watchdog
from homelabmon.spec.routes import Maintenance
from homelabmon.spec.secrets import SecretRef
from homelabmon.spec.watch import Outpost as OutpostConfig
from homelabmon.spec.watch import Probe


class Outpost:
    """Contributes what the cluster needs to be watched from outside, and the outpost's configuration."""

    name: ClassVar[str] = "outpost"
    config: ClassVar[type[ComponentConfig] | None] = None

    def offers(self, config: None, site: Site) -> tuple[Offer, ...]:
        """Takes the Watchdog."""
        if site.outpost is None:
            return ()
        token = site.outpost.token or site.secret_default("outpost-token")
        return (Offer(ALERTS_DEADMAN, site.outpost.url.rstrip("/") + names.PATH_ALERTMANAGER, data={"token": token}),)

    def contribute(self, config: None, site: Site) -> Contribution:
        """A scrape target for the cluster, and all that the machine outside needs."""
        outpost = site.outpost
        if outpost is None:
            return Contribution()
        file, crds = outpost_file(outpost, site), site.offer(METRICS_CRDS)
        manifests, secrets = [], []
        if crds is not None and outpost.scrape:
            token = _scrape_token(outpost, site)
            secrets.append(SecretNeed(crds.namespace, token.secret, token.key, "Prometheus, of the outpost"))
            params = {
                "namespace": crds.namespace,
                "host": _host_port(outpost.url),
                "scheme": urlsplit(outpost.url).scheme,
                "job": names.JOB_OUTPOST,
                "token": token,
            }
            manifests.append(Manifest(crds.app, "outpost.yaml", Template("outpost/scrapeconfig.yaml.j2", params)))
        nodes = [Node("outpost", "Outpost", "external")]
        edges = [Edge("outpost", f"channel-{outpost.channel or site.defaults.channel}", "alerts")]
        for probe in outside_probes(site):
            nodes.append(Node(f"probe-{probe.name}", probe.name, "external"))
            edges.append(Edge("outpost", f"probe-{probe.name}", "probes"))
        return Contribution(
            manifests=tuple(manifests),
            secrets=tuple(secrets),
            files=(
                PlainFile("outpost/relay.yaml", data=file.to_data()),
                *outpost_machine.files(outpost, file, needed(outpost, file, site), site),
            ),
            nodes=tuple(nodes),
            edges=tuple(edges),
            docs=(DocRow("Outpost", outpost.url, "outside the cluster: dead man's switch, heartbeats, status page"),),
        )


def outside_probes(site: Site) -> tuple[Probe, ...]:
    """Probes that the outpost runs."""
    return tuple(probe for probe in site.probes if probe.from_ in ("outpost", "both"))


def outpost_file(outpost: OutpostConfig, site: Site) -> RelayFile:
    """The outpost's configuration: the cluster's routes and channels, and what it watches by itself."""
    token = outpost.token or site.secret_default("outpost-token")
    beats = tuple(beat for beat in site.heartbeats if beat.cronjob is None)
    key = outpost.heartbeat_key or site.secret_default("heartbeat-key")
    ids, leg, inside = outpost.heartbeat_ids, outpost.third_leg, site.offer(PINGS)
    return RelayFile.model_construct(
        name=site.name,
        role="outpost",
        channels=channel_entries(site, names.SECRETS_DIR),
        default=default_entry(site),
        routes=route_entries(site, site.routes),
        intake=Intake.model_construct(
            alertmanager_token_file=token.file,
            heartbeat_key_file=key.file if beats else None,
            heartbeat_ids_file=None if ids is None else ids.file,
            page_password_file=outpost.page_password.file if outpost.page_password else None,
            scrape_token_file=_scrape_token(outpost, site).file if scraped(outpost, site) else None,
        ),
        database=f"{names.DATA_DIR}/outpost.db",
        heartbeats=beats,
        probes=outside_probes(site),
        anchors=outpost.anchors,
        watchdog=Watchdog.model_construct(
            alertname=names.WATCHDOG, silence=outpost.silence, channel=outpost.channel or site.defaults.channel
        ),
        maintenance=tuple(_window(window) for window in site.maintenance if window.everything or window.components),
        inside=None if inside is None or not beats else inside.url,
        third_leg=None if leg is None else ThirdLeg.model_construct(ping_file=leg.ping.file, every=leg.every),
        status_page=site.status_page,
        url=outpost.url,
    )


def needed(outpost: OutpostConfig, file: RelayFile, site: Site) -> tuple[Needed, ...]:
    """The secrets that have to lie on the machine outside, each file once."""
    home, crds = outpost_machine.home(site), site.offer(METRICS_CRDS)
    key = outpost.heartbeat_key or site.secret_default("heartbeat-key")
    found = [
        Needed(channel.discord.webhook, f"the Discord webhook of #{name}", home)
        for name, channel in site.channels.items()
    ]
    found.append(
        Needed(outpost.token or site.secret_default("outpost-token"), "the token by which it knows the cluster", home)
    )
    if file.intake.scrape_token_file is not None and crds is not None:
        found.append(Needed(_scrape_token(outpost, site), "the token by which it knows Prometheus", crds.namespace))
    if file.intake.heartbeat_key_file is not None:
        found.append(Needed(key, "the key that heartbeats' addresses follow from", made="openssl rand -hex 32"))
    if outpost.heartbeat_ids is not None:
        found.append(Needed(outpost.heartbeat_ids, "addresses of heartbeats, one a line: `NAME=UUID`"))
    if outpost.page_password is not None:
        found.append(Needed(outpost.page_password, "the password of its page at /console", made="openssl rand -hex 32"))
    if outpost.third_leg is not None:
        found.append(Needed(outpost.third_leg.ping, "the address of the hosted check that it pings"))
    return tuple({(one.ref.secret, one.ref.key): one for one in reversed(found)}.values())[::-1]


def _window(window: Maintenance) -> Maintenance:
    """Without its routes, which are Alertmanager's; and without words that are not for the public."""
    kept = {"routes": ()} if window.public else {"routes": (), "title": "", "description": ""}
    return window.model_copy(update=kept)


def scraped(outpost: OutpostConfig, site: Site) -> bool:
    """Whether the cluster's Prometheus reads its metrics."""
    return outpost.scrape and site.offer(METRICS_CRDS) is not None


def _scrape_token(outpost: OutpostConfig, site: Site) -> SecretRef:
    return outpost.scrape_token or site.secret_default("outpost-scrape-token")


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


OUTPOST = Outpost()
