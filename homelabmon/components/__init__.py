"""Every component, one file each. Adding one is its file here, its folder in ``templates/``, and one line below.

May import: errors, spec, routing. Components never know one another by name: they meet through offers
(:mod:`homelabmon.spec.contribution`).
"""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, Self

from pydantic import model_validator

from homelabmon.components.alertmanager import ALERTMANAGER, AlertmanagerConfig
from homelabmon.components.blackbox import BLACKBOX
from homelabmon.components.extra import EXTRA
from homelabmon.components.falco import FALCO, FalcoConfig
from homelabmon.components.grafana import GRAFANA, GrafanaConfig
from homelabmon.components.load_balancer import LOAD_BALANCER
from homelabmon.components.loki import LOKI, LokiConfig
from homelabmon.components.outpost import OUTPOST
from homelabmon.components.packs import PACKS
from homelabmon.components.prometheus import PROMETHEUS, PrometheusConfig
from homelabmon.components.relay import RELAY, RelayConfig
from homelabmon.components.scrape import SCRAPE
from homelabmon.components.vector import VECTOR, VectorConfig
from homelabmon.spec.base import Enabled, Model
from homelabmon.spec.contribution import Component


class Part(NamedTuple):
    """Ties a section of ``components:`` to the component that reads it."""

    component: Component


class Components(Model):
    """What is installed. A section that is absent is off; `{}` switches it on with defaults."""

    prometheus: Annotated[PrometheusConfig | None, Enabled, Part(PROMETHEUS)] = None
    """Prometheus with its operator, node exporter and kube-state-metrics (chart kube-prometheus-stack)."""
    alertmanager: Annotated[AlertmanagerConfig | None, Enabled, Part(ALERTMANAGER)] = None
    """Alertmanager with the whole configuration: routes, receivers, inhibit rules, mute times."""
    grafana: Annotated[GrafanaConfig | None, Enabled, Part(GRAFANA)] = None
    """Grafana with its datasources."""
    loki: Annotated[LokiConfig | None, Enabled, Part(LOKI)] = None
    """Loki, one process."""
    vector: Annotated[VectorConfig | None, Enabled, Part(VECTOR)] = None
    """Vector: agents on every node, and the aggregator they ship through."""
    falco: Annotated[FalcoConfig | None, Enabled, Part(FALCO)] = None
    """Falco: runtime threat detection."""
    relay: Annotated[RelayConfig | None, Enabled, Part(RELAY)] = None
    """Our relay: webhooks in, one honest message per incident out."""

    @model_validator(mode="after")
    def _one_release_one_namespace(self) -> Self:
        # One that the owner runs is not in the release, and may be anywhere.
        manager = self.alertmanager if self.alertmanager is not None and self.alertmanager.install else None
        shared = [part.namespace for part in (self.prometheus, manager, self.grafana) if part is not None]
        if len(set(shared)) > 1:
            raise ValueError(
                "prometheus, alertmanager and grafana are one Helm release and live in one namespace: "
                f"write the same for all, not {', '.join(sorted(set(shared)))}"
            )
        return self


ALWAYS: tuple[Component, ...] = (PACKS, SCRAPE, BLACKBOX, OUTPOST, LOAD_BALANCER, EXTRA)
"""Parts that follow from other sections of the stack and have no section of their own."""


def enabled(components: Components) -> Iterator[tuple[Component, Any]]:
    """Every component that is switched on, with its section, in the order in which they are declared."""
    for field, info in Components.model_fields.items():
        config = getattr(components, field)
        part = next(item for item in info.metadata if isinstance(item, Part))
        if config is not None:
            yield part.component, config
    for component in ALWAYS:
        yield component, None
