"""The monitoring page: what watches the homelab, whom it tells, and what must be there for it to work. In Markdown.

Made from the stack and from what its components contributed, so that it cannot say anything else than what runs. A
section is a function that gives lines; one that has nothing to say gives none, and is left out with its heading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from homelabmon.render.fold import Folded
from homelabmon.render.page import alerts, components, dependencies, install, people, secrets, watch
from homelabmon.render.page.markdown import plain
from homelabmon.spec import names
from homelabmon.stack import Stack

SECTIONS: Final[Mapping[str, Callable[[Stack, Folded], list[str]]]] = {
    "Components": components.table_of_components,
    "Addresses": components.addresses,
    "Picture": components.picture,
    "Routing": people.routing,
    "Channels": people.channels,
    "Churn": people.churn,
    "Maintenance windows": people.maintenance,
    "Blast radius": dependencies.blast_radius,
    "Inhibition": dependencies.inhibition,
    "Heartbeats": watch.heartbeats,
    "Probes": watch.probes,
    "Outpost": watch.outpost,
    "Own alerts": alerts.own,
    "Alerts": alerts.packs,
    "Secrets": secrets.secrets,
    "Installing": install.install,
}
"""The page's sections, in its order."""


def monitoring_page(stack: Stack, folded: Folded) -> str:
    """The page. Its links are relative to ``docs/`` inside the rendered tree. Same stack, same bytes."""
    lines = [
        f"<!-- {names.HEADER} -->",
        "",
        f"# Monitoring of {plain(stack.name)}",
        "",
        "What watches the homelab, who is told about what, and what has to be there for it to work.",
    ]
    for title, section in SECTIONS.items():
        found = section(stack, folded)
        if found:
            lines += ["", f"## {title}", "", *found]
    return "\n".join(lines) + "\n"


__all__ = ["monitoring_page"]
