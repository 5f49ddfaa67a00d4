"""The probes of a configuration, ready for use. Used by everything here. May import: spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from homelabmon.spec.hosts import host_of
from homelabmon.spec.relay_file import RelayFile
from homelabmon.spec.watch import Probe

_WHO: Final = {"name", "description", "severity", "channel", "group", "statuspage", "parent"}
_HOW: Final = {"interval", "timeout", "retries"}


@dataclass(frozen=True, slots=True)
class Target:
    """One probe. Times are seconds. ``written``: what it asks, as it was written down, to tell when that changes."""

    name: str
    probe: Probe
    interval: float
    timeout: float
    retries: int
    within: float | None
    """Slower than this is degraded."""
    tls_days: int
    shown: str
    """Its address as people may read it: without a password, and without a query."""
    host: str
    """The machine that is asked, to tell which probes are related."""
    written: str

    @property
    def parent(self) -> str | None:
        """The probe without which this one means nothing."""
        return self.probe.parent


def targets_of(file: RelayFile) -> Mapping[str, Target]:
    """Those of a configuration, by name."""
    return {probe.name: target_of(probe) for probe in file.probes}


def target_of(probe: Probe) -> Target:
    """One probe, ready for use."""
    within = probe.expect.within
    return Target(
        name=probe.name,
        probe=probe,
        interval=probe.interval.total_seconds(),
        timeout=probe.timeout.total_seconds(),
        retries=probe.retries,
        within=None if within is None else within.total_seconds(),
        tls_days=probe.expect.tls_days,
        shown=shown_address(probe.target),
        host=host_of(probe.dns.server if probe.dns is not None else probe.target).lower(),
        written=probe.model_dump_json(exclude=_WHO | _HOW, exclude_defaults=True),
    )


def shown_address(address: str) -> str:
    """A web address without what may be secret: user, password, query and fragment. Anything else as it is."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    query = "…" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def ancestors(targets: Mapping[str, Target], name: str) -> Iterator[str]:
    """Its parent, the parent's parent, and so on, as far as they are asked from here; a circle ends."""
    seen, parent = {name}, targets[name].parent if name in targets else None
    while parent is not None and parent in targets and parent not in seen:
        yield parent
        seen.add(parent)
        parent = targets[parent].parent
