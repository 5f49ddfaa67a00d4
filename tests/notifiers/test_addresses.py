"""Where a message's links lead."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest

from homelabmon.notifiers.addresses import (
    Query,
    cluster_internal,
    explore,
    of_digest,
    of_incident,
    prometheus,
    query_of,
    silence,
    silence_matchers,
)
from homelabmon.notifiers.message import AlertView, Links
from homelabmon.spec import names
from homelabmon.spec.matchers import Matcher, MatchOp, parse_matchers
from tests.notifiers.situations import GENERATOR, LINKS, NOW, SHELL, crash_loops, incident, node_down


def test_an_incident_leads_to_everything_that_helps() -> None:
    assert [name for name, _ in of_incident(incident(node_down("n1")), LINKS)] == [
        "Silence",
        "Runbook",
        "Grafana",
        "Prometheus",
        "Details",
    ]
    assert [name for name, _ in of_digest(LINKS)] == ["All incidents", "Alertmanager", "Grafana"]


def test_without_public_addresses_only_the_alerts_own_links_are_left() -> None:
    assert list(of_incident(incident(node_down("n1")), Links())) == [
        ("Runbook", "https://wiki.example.com/runbooks/NodeDown")
    ]
    assert list(of_digest(Links())) == []


@pytest.mark.parametrize(
    "view",
    [
        incident(node_down("n1", "resolved"), state="resolved"),
        incident(node_down("n1", silenced=True)),
        SHELL,
        incident(AlertView({}, "warning", "firing", NOW), group={}),
    ],
)
def test_what_is_over_silenced_not_alertmanagers_or_without_labels_cannot_be_silenced(view: object) -> None:
    assert "Silence" not in dict(of_incident(view, LINKS))  # type: ignore[arg-type]


def test_a_silence_matches_the_group_and_never_everything() -> None:
    assert silence_matchers(crash_loops(3)) == {"alertname": "KubePodCrashLooping", "namespace": "media"}
    by_namespace = replace(crash_loops(3), group={"namespace": "media"})
    assert silence_matchers(by_namespace)["alertname"] == "KubePodCrashLooping"
    alone = incident(node_down("n1"), group_by_all=True)
    assert silence_matchers(alone) == dict(node_down("n1").labels)
    unlike = incident(
        AlertView({"alertname": "A"}, "info", "firing", NOW),
        AlertView({"alertname": "B"}, "info", "firing", NOW),
        group={},
    )
    assert silence_matchers(unlike) == {}
    related = replace(
        unlike, alerts=tuple(replace(one, labels={**one.labels, "namespace": "media"}) for one in unlike.alerts)
    )
    assert silence_matchers(related) == {"namespace": "media"}


@pytest.mark.parametrize(
    "value", ["plain", 'quo"te', "back\\slash", "new\nline", "a&b=c#d %41+ü", "🔥", "{a=b}", "(x)", "`tick`", "  "]
)
def test_alertmanagers_form_gets_the_very_value(value: str) -> None:
    url = silence("http://192.168.1.233:9093", {"namespace": value, "k8s.pod": value})
    base, _, query = url.partition("?filter=")
    assert base == "http://192.168.1.233:9093/#/silences/new"
    assert not set(query) & set('#&=+ "(){}')
    assert set(parse_matchers(unquote(query))) == {
        Matcher("namespace", MatchOp.EQ, value),
        Matcher("k8s.pod", MatchOp.EQ, value),
    }


def test_grafana_explores_the_alerts_expression_from_before_it_began() -> None:
    query = query_of(GENERATOR)
    assert query == Query('up{job="node-exporter"} == 0', "prometheus", names.DATASOURCE_PROMETHEUS)
    url = explore("http://192.168.1.229", query, incident(node_down("n1")))
    pane = json.loads(parse_qs(urlsplit(url).query)["panes"][0])["a"]
    assert pane["queries"][0]["expr"] == 'up{job="node-exporter"} == 0'
    assert pane["queries"][0]["datasource"]["type"] == "prometheus"
    assert pane["range"] == {"from": str(int((NOW - 400 - 3600) * 1000)), "to": "now"}


def test_an_alerts_own_dashboard_comes_before_explore() -> None:
    own = node_down("n1", annotations={"dashboard_url": "https://grafana.example.com/d/x"})
    assert dict(of_incident(incident(own), LINKS))["Grafana"] == "https://grafana.example.com/d/x"


LOGS = '{"expr":"sum(rate({app=\\"nas\\"} |= \\"error\\"[5m])) > 1","queryType":"range"%s}'


@pytest.mark.parametrize("base", ["http://192.168.1.229", "http://kps-grafana.monitoring", ""])
@pytest.mark.parametrize(
    ("source", "uid"), [("", "loki"), (',"datasource":{"type":"loki","uid":"logs"}', "logs")], ids=["none", "named"]
)
def test_an_alert_on_logs_is_explored_in_loki_and_does_not_lead_to_prometheus(base: str, source: str, uid: str) -> None:
    left = urlencode({"left": '{"queries":[%s]}' % (LOGS % source)})
    links = dict(of_incident(incident(node_down("n1", generator_url=f"{base}/explore?{left}")), LINKS))
    pane = json.loads(parse_qs(urlsplit(links["Grafana"]).query)["panes"][0])["a"]
    assert (pane["datasource"], pane["queries"][0]["datasource"]) == (uid, {"type": "loki", "uid": uid})
    assert pane["queries"][0]["expr"] == 'sum(rate({app="nas"} |= "error"[5m])) > 1'
    assert "Prometheus" not in links


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x/graph",
        "http://[",
        "http://x/graph?" + "&" * 100,
        "not an address",
        "http://x/explore?left=",
        "http://x/explore?left=[1]",
        "http://x/explore?left={%22queries%22:[]}",
        "http://x/explore?left={%22queries%22:[{%22expr%22:1}]}",
        "http://x/explore?left={%22queries%22:[{%22expr%22:%22a%22,%22datasource%22:7}]}",
        "http://x/explore?left={%22queries%22:[{%22expr%22:%22a%22,%22datasource%22:{%22type%22:%22tempo%22}}]}",
        "http://x/explore?left=" + "[" * 20_000,
    ],
)
def test_without_an_expression_there_is_nothing_to_explore(url: str) -> None:
    assert query_of(url) is None


@pytest.mark.parametrize(
    ("generator", "public", "expected"),
    [
        (GENERATOR, "http://192.168.1.230:9090", GENERATOR.replace("kps-prometheus.monitoring", "192.168.1.230")),
        (GENERATOR, "https://x.example/prom", "https://x.example/prom/graph?" + GENERATOR.partition("?")[2]),
        ("http://prometheus:9090/prom/graph?g0.expr=up", "http://x.example", "http://x.example/graph?g0.expr=up"),
        ("http://vmalert:8080/vmalert/alert?id=1", "http://x.example", "http://x.example/vmalert/alert?id=1"),
        ("https://prom.example.com/graph?g0.expr=up", "http://x.example", "https://prom.example.com/graph?g0.expr=up"),
        ("http://10.0.0.5:9090/graph?g0.expr=up", None, "http://10.0.0.5:9090/graph?g0.expr=up"),
        (GENERATOR, None, ""),
        ("/graph?g0.expr=up", "http://x.example", ""),
        ("http://[", "http://x.example", ""),
    ],
)
def test_prometheus_is_reached_at_the_address_readers_know(generator: str, public: str | None, expected: str) -> None:
    assert prometheus(generator, public) == expected


@pytest.mark.parametrize(
    ("host", "internal"),
    [
        ("prometheus", True),
        ("kps-prometheus.monitoring", True),
        ("prometheus.monitoring.svc", True),
        ("prometheus.monitoring.svc.cluster.local", True),
        ("prometheus.monitoring.svc.k8s.example.com", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.230", False),
        ("prometheus.example.com", False),
        ("prometheus.example.com.", False),
    ],
)
def test_names_that_only_the_cluster_knows(host: str, internal: bool) -> None:
    assert cluster_internal(host) is internal
