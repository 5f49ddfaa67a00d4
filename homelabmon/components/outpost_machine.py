"""The files with which the outpost is run on a machine outside: compose file, systemd unit, Caddy's, and how to.

Asked by the outpost. May import: spec, its neighbour image.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from homelabmon.components.image import USER, Image
from homelabmon.spec import names
from homelabmon.spec.base import format_duration
from homelabmon.spec.contribution import ALERTMANAGER, ALERTS_PEOPLE, METRICS_CRDS, PlainFile, Site, Template
from homelabmon.spec.relay_file import RelayFile
from homelabmon.spec.secrets import SecretRef
from homelabmon.spec.watch import Outpost

_FILES: Final = (
    ("compose.yaml", "compose.yaml.j2"),
    ("Caddyfile", "Caddyfile.j2"),
    ("homelabmon-outpost.service", "homelabmon-outpost.service.j2"),
    ("README.md", "README.md.j2"),
    (".gitignore", "gitignore.j2"),
)


class Needed(NamedTuple):
    """A secret that has to lie on the machine. ``namespace``: where the cluster has it; "" where it has not."""

    ref: SecretRef
    words: str
    namespace: str = ""
    made: str = ""
    """The command that makes it up, where anything may."""


def files(outpost: Outpost, file: RelayFile, needed: tuple[Needed, ...], site: Site) -> tuple[PlainFile, ...]:
    """The files beside the configuration."""
    params = _params(outpost, file, needed, site)
    return tuple(PlainFile(f"outpost/{name}", Template(f"outpost/{template}", params)) for name, template in _FILES)


def _params(outpost: Outpost, file: RelayFile, needed: tuple[Needed, ...], site: Site) -> dict[str, Any]:
    parts, people = urlsplit(outpost.url), site.offer(ALERTS_PEOPLE)
    tls, host = parts.scheme == "https", f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or (443 if tls else 80)
    open_ = sorted({80, port}) if tls else [port]
    published = [f"{number}:{number}" for number in open_] + ([f"{port}:{port}/udp"] if tls else [])
    beats = [beat.name for beat in file.heartbeats]
    secrets = [
        {"path": f"{one.ref.secret}/{one.ref.key}", "words": one.words, "command": _command(one)} for one in needed
    ]
    return {
        "header": names.HEADER,
        "docs": names.DOCS_URL,
        "name": site.name,
        "image": people.data["image"] if people is not None and "image" in people.data else Image().reference,
        "user": USER,
        "config_dir": names.CONFIG_DIR,
        "config_file": names.CONFIG_FILE,
        "secrets_dir": names.SECRETS_DIR,
        "data_dir": names.DATA_DIR,
        "state": names.DATA_DIR.rpartition("/")[2],
        "port": names.RELAY_PORT,
        "ready": names.PATH_READY,
        "health": names.PATH_HEALTH,
        "metrics": names.PATH_METRICS,
        "ping": names.PATH_PING,
        "alertmanager": names.PATH_ALERTMANAGER,
        "report": names.PATH_REPORT,
        "console_path": _path(file.intake.page_password_file),
        "console": names.PATH_CONSOLE if file.intake.page_password_file is not None else None,
        "scraped": file.intake.scrape_token_file is not None,
        "pings": any(probe.icmp is not None for probe in file.probes),
        "tls": tls,
        "url": outpost.url.rstrip("/"),
        "host": host,
        "site": f"{host}:{port}" if tls and port != 443 else host if tls else f"http://{host}:{port}",
        "ports": ("port " if len(open_) == 1 else "ports ") + " and ".join(map(str, open_)),
        "published": published,
        "silence": format_duration(outpost.silence),
        "channel": file.watchdog.channel if file.watchdog is not None else file.default.channel,
        "beats": beats,
        "first_beat": beats[0] if beats else None,
        "beat_hold": _hold(file),
        "probes": [probe.name for probe in file.probes],
        "status_page": file.status_page is not None,
        "public": _public(file),
        "inside": file.inside,
        "secrets": secrets,
        "folders": sorted({f"secrets/{one.ref.secret}" for one in needed}),
        "kept": _path(file.intake.heartbeat_key_file),
        "key_option": _key_option(file),
        "token_path": _path(file.intake.alertmanager_token_file),
        "reports": people is not None and outpost.report,
    }


def _hold(file: RelayFile) -> str | None:
    """How long the failure of the first heartbeat is held back where no route says otherwise; None: it is not."""
    hold = file.default.hold
    severity = file.heartbeats[0].severity if file.heartbeats else "warning"
    wait = hold.get(severity, hold.get("default"))
    return format_duration(wait) if wait else None


def _public(file: RelayFile) -> str | None:
    """The folder that the status page is written to, where that is none of those it may write to anyway."""
    publish = None if file.status_page is None else file.status_page.publish
    if publish is None or publish.directory.startswith(f"{names.DATA_DIR}/"):
        return None
    return publish.directory


def _path(file: str | None) -> str | None:
    """A secret's file, beside these files."""
    return None if file is None else f"secrets/{file.removeprefix(f'{names.SECRETS_DIR}/')}"


def _key_option(file: RelayFile) -> str:
    """How a command that runs in this folder is told of the key. Listed addresses lie where the configuration says."""
    return "" if file.intake.heartbeat_key_file is None else f"--key-file {_path(file.intake.heartbeat_key_file)}"


def _command(one: Needed) -> str:
    """What puts it into its file."""
    path = f"secrets/{one.ref.secret}/{one.ref.key}"
    if one.namespace:
        get = f"kubectl --namespace {one.namespace} get secret {one.ref.secret}"
        return f"{get} --output go-template='{{{{index .data \"{one.ref.key}\" | base64decode}}}}' > {path}"
    return f"{one.made} > {path}" if one.made else f"cat > {path}    # paste it, then Enter and Ctrl-D"


def home(site: Site) -> str:
    """The namespace in which the cluster has the secrets that its Alertmanager and its relay read; "" for none."""
    for capability in (ALERTS_PEOPLE, ALERTMANAGER, METRICS_CRDS):
        offer = site.offer(capability)
        if offer is not None and offer.namespace:
            return offer.namespace
    return ""
