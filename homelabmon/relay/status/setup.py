"""What of a configuration is public: the allow-list, and everything that the page has to be told of it.

Whatever is not named here never gets near an output. May import: spec, routing.windows, relay.history's names, model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from homelabmon.relay.history.model import Interval
from homelabmon.relay.history.records import of_heartbeat, of_probe
from homelabmon.routing.windows import openings
from homelabmon.spec.relay_file import RelayFile
from homelabmon.spec.routes import Maintenance
from homelabmon.spec.watch import StatusPage


@dataclass(frozen=True, slots=True)
class PublicComponent:
    """``id``: how the history calls it. ``heartbeat``: it is one, not a probe."""

    id: str
    name: str
    title: str
    description: str
    heartbeat: bool


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """Components under one heading; not empty."""

    name: str
    description: str
    components: tuple[PublicComponent, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """The public side of one configuration. Times are seconds."""

    title: str
    description: str
    url: str
    groups: tuple[PublicGroup, ...]
    windows: tuple[Maintenance, ...]
    """Public ones that name something on the page."""
    every: float
    automatic: bool
    incident_after: float
    directory: str | None

    @property
    def components(self) -> dict[str, PublicComponent]:
        """Every component by its name, in the order shown."""
        return {component.name: component for group in self.groups for component in group.components}

    def openings(self, began: float, ended: float) -> Mapping[str, Sequence[Interval]]:
        """When public windows are open for which component, by the history's names: what is no downtime."""
        found: dict[str, list[Interval]] = {}
        for window in self.windows:
            pairs = openings(window, began, ended)
            for component in self.components.values():
                if window.names(component.name):
                    found.setdefault(component.id, []).extend(pairs)
        return found


def setup_of(file: RelayFile) -> Setup | None:
    """The public side of a configuration; None where there is no status page."""
    return None if file.status_page is None else _setup(file, file.status_page)


def _setup(file: RelayFile, page: StatusPage) -> Setup:
    ids = {probe.name: (of_probe(probe.name), False) for probe in file.probes}
    ids |= {beat.name: (of_heartbeat(beat.name), True) for beat in file.heartbeats if beat.cronjob is None}
    groups = []
    for group, listed in page.arranged((*file.heartbeats, *file.probes)):
        components = tuple(
            PublicComponent(ids[one.name][0], one.name, one.title or one.name, one.description, ids[one.name][1])
            for one in listed
            if one.name in ids
        )
        if components:
            groups.append(PublicGroup(group.name, group.description, components))
    shown = [component.name for group in groups for component in group.components]
    return Setup(
        title=page.title,
        description=page.description,
        url=(file.url or "").rstrip("/"),
        groups=tuple(groups),
        windows=tuple(window for window in file.maintenance if window.public and any(map(window.names, shown))),
        every=page.every.total_seconds(),
        automatic=page.incidents == "auto",
        incident_after=page.incident_after.total_seconds(),
        directory=None if page.publish is None else page.publish.directory,
    )
