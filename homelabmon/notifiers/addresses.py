"""Where a reader goes from a message: silence, runbook, Grafana, Prometheus, the relay's page.

Used by every notifier. May import: notifiers.message, notifiers.facts, spec. The addresses are plain text,
partly made by whoever wrote the alert: a notifier checks and escapes them for its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from homelabmon.notifiers.facts import DASHBOARDS, RUNBOOKS, annotation, common_annotation, shared_labels
from homelabmon.notifiers.message import AlertView, IncidentView, Links
from homelabmon.spec import names
from homelabmon.spec.matchers import Matcher, MatchOp, format_matchers

_INTERNAL: Final = re.compile(r"(?:^|\.)(?:svc|local|localhost|internal|cluster)$|\.svc\.")


def of_incident(incident: IncidentView, links: Links) -> Iterator[tuple[str, str]]:
    """Name and address of each place worth going to for one incident, the most urgent first."""
    loud = any(alert.state == "firing" and not alert.silenced for alert in incident.alerts)
    if loud and incident.source == "alertmanager" and links.alertmanager:
        matchers = silence_matchers(incident)
        if matchers:
            yield "Silence", silence(links.alertmanager, matchers)
    runbook = common_annotation(incident, RUNBOOKS) or annotation(incident.alerts[0], RUNBOOKS)
    if runbook:
        yield "Runbook", runbook
    alert = _first_with_source(incident)
    dashboard = common_annotation(incident, DASHBOARDS) or annotation(incident.alerts[0], DASHBOARDS)
    query = query_of(alert.generator_url) if alert else None
    if dashboard:
        yield "Grafana", dashboard
    elif links.grafana and query:
        yield "Grafana", explore(links.grafana, query, incident)
    on_logs = query is not None and query.type != "prometheus"
    if alert and not on_logs and (address := prometheus(alert.generator_url, links.prometheus)):
        yield "Prometheus", address
    if links.relay:
        yield "Details", f"{links.relay}/#incident-{incident.id}"


def of_digest(links: Links) -> Iterator[tuple[str, str]]:
    """The same for several incidents at once: only where all of them can be seen."""
    if links.relay:
        yield "All incidents", f"{links.relay}/"
    if links.alertmanager:
        yield "Alertmanager", f"{links.alertmanager}/#/alerts"
    if links.grafana:
        yield "Grafana", links.grafana


def silence_matchers(incident: IncidentView) -> dict[str, str]:
    """What a silence of this incident matches: its group's labels, and the alert's name where all share it.

    Empty, so that nobody is invited to silence everything, when it is grouped by nothing and its alerts share nothing.
    """
    shared = shared_labels(incident)
    chosen = dict(incident.group)
    if "alertname" in shared:
        chosen.setdefault("alertname", shared["alertname"])
    if incident.group_by_all or not chosen:
        chosen = shared
    return {name: text for name, text in chosen.items() if name and text}


def silence(alertmanager: str, matchers: dict[str, str]) -> str:
    """Alertmanager's form for a new silence, filled in (its UI reads ``filter`` with its own matcher syntax)."""
    written = format_matchers(Matcher(name, MatchOp.EQ, text) for name, text in sorted(matchers.items()))
    return f"{alertmanager}/#/silences/new?filter={quote(written, safe='', errors='replace')}"


class Query(NamedTuple):
    """What an alert's rule asks: the expression, and the data source in Grafana that can answer it."""

    expression: str
    type: str = "prometheus"
    uid: str = names.DATASOURCE_PROMETHEUS


def explore(grafana: str, query: Query, incident: IncidentView) -> str:
    """Grafana's Explore with the alert's expression, from an hour before the incident on."""
    source = {"type": query.type, "uid": query.uid}
    start = incident.opened_at
    begin = str(int((start - 3600) * 1000)) if 3600 < start < 253402300800 else "now-6h"
    pane = {
        "datasource": query.uid,
        "queries": [{"refId": "A", "expr": query.expression, "datasource": source}],
        "range": {"from": begin, "to": "now"},
    }
    panes = json.dumps({"a": pane}, separators=(",", ":"))
    return f"{grafana}/explore?{urlencode({'schemaVersion': 1, 'panes': panes, 'orgId': 1})}"


def query_of(generator_url: str) -> Query | None:
    """The query in the address of a Prometheus graph, or of Grafana's Explore as Loki's ruler writes it; or None.

    Loki (pkg/ruler/base/ruler.go): ``<external_url>/explore?left={"queries":[{"expr":…,"datasource":{"uid":…}}]}``.
    """
    try:
        asked = parse_qs(urlsplit(generator_url).query, max_num_fields=50)
        if expression := asked.get("g0.expr", [""])[0]:
            return Query(expression)
        queries = json.loads(asked.get("left", ["{}"])[0]).get("queries")
        expression, source = queries[0]["expr"], queries[0].get("datasource") or {}
        uid = source.get("uid") or names.DATASOURCE_LOKI
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    texts = isinstance(expression, str) and expression and isinstance(uid, str)
    return Query(expression, "loki", uid) if texts and source.get("type", "loki") == "loki" else None


def prometheus(generator_url: str, public: str | None) -> str:
    """The alert's own link to Prometheus, moved to the public address when only the cluster knows its host.

    Empty when readers cannot reach it.
    """
    try:
        parts = urlsplit(generator_url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    if not cluster_internal(host):
        return generator_url
    if not public:
        return ""
    path = parts.path[parts.path.rfind("/graph") :] if "/graph" in parts.path else parts.path
    return f"{public}{path}{'?' + parts.query if parts.query else ''}"


def cluster_internal(host: str) -> bool:
    """Whether a host's name has a meaning inside the cluster only.

    ``prometheus``, ``prometheus-0.prometheus.monitoring.svc`` and ``kps-prometheus.monitoring`` (what the operator
    makes up without an external address) do; IP addresses and names of three parts do not.
    """
    host = host.rstrip(".").lower()
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.count(".") < 2 or _INTERNAL.search(host) is not None


def _first_with_source(incident: IncidentView) -> AlertView | None:
    return next((alert for alert in incident.alerts if alert.generator_url), None)
