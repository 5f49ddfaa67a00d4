"""Alertmanager's configuration: whole, valid for the real amtool, and with the timings that a hold needs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from homelabmon.load import load
from homelabmon.render.plan import make_plan
from homelabmon.render.yaml_io import dump
from tests.stacks_common import EXAMPLE, GOLDEN, object_of, plan_of

CHANNELS = {
    "ops": {"discord": {"webhook": {"secret": "hooks", "key": "ops"}}, "mention": {"critical": "role:1"}},
    "media": {"discord": {"webhook": {"secret": "hooks", "key": "media"}}},
}
RELAYED = {"components": {"alertmanager": {}, "relay": {}}, "channels": CHANNELS}
NATIVE = {"components": {"alertmanager": {}}, "channels": CHANNELS}


def config(**sections: Any) -> dict[str, Any]:
    """The rendered configuration."""
    values = plan_of(**sections).folded.values["kube-prometheus-stack"]
    tree: dict[str, Any] = values["alertmanager"]["config"]
    return tree


def routes(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """The children of the root."""
    children: list[dict[str, Any]] = tree["route"]["routes"]
    return children


def route_for(tree: dict[str, Any], matcher: str) -> dict[str, Any]:
    """The one child with a matcher."""
    (found,) = [route for route in routes(tree) if matcher in route.get("matchers", [])]
    return found


@pytest.mark.program("amtool")
@pytest.mark.parametrize("sections", [RELAYED, NATIVE, {**RELAYED, "outpost": {"url": "https://o.example.net"}}])
def test_amtool_accepts_it(tmp_path: Path, sections: dict[str, Any]) -> None:
    path = tmp_path / "alertmanager.yaml"
    path.write_text(dump(config(**sections)))
    done = subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.program("amtool")
def test_amtool_accepts_the_example(tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yaml"
    path.write_text(make_plan(load(EXAMPLE)).files["alertmanager/alertmanager.yaml"])
    done = subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


OPERATOR_KNOWS = {
    "": "global route inhibit_rules receivers mute_time_intervals time_intervals templates",
    "global": "resolve_timeout http_config",
    "route": "receiver group_by match match_re matchers continue routes group_wait group_interval repeat_interval "
    "mute_time_intervals active_time_intervals",
    "inhibit_rules": "target_match target_match_re target_matchers source_match source_match_re source_matchers equal",
    "receivers": "name webhook_configs discord_configs",
    "webhook_configs": "send_resolved url url_file http_config max_alerts timeout",
    "discord_configs": "send_resolved http_config webhook_url webhook_url_file title message content username "
    "avatar_url",
    "http_config": "authorization basic_auth oauth2 tls_config follow_redirects enable_http2",
    "authorization": "type credentials credentials_file",
}
"""What the operator's own types have (pkg/alertmanager/types.go): it knows less than Alertmanager and amtool do."""


def unknown_to_the_operator(part: Any, section: str = "") -> set[tuple[str, str]]:
    """Sections and keys that the operator would refuse, whereupon it leaves the old configuration in place."""
    if isinstance(part, list):
        return {found for item in part for found in unknown_to_the_operator(item, section)}
    if not isinstance(part, dict) or section not in OPERATOR_KNOWS:
        return set()
    own = {(section, key) for key in part if key not in OPERATOR_KNOWS[section].split()}
    below = (unknown_to_the_operator(value, "route" if key == "routes" else key) for key, value in part.items())
    return own.union(*below)


@pytest.mark.parametrize("stack", [EXAMPLE, *sorted(GOLDEN.glob("*/stack.yaml"))], ids=lambda path: path.parent.name)
def test_the_operator_reads_strictly_and_knows_every_key(stack: Path) -> None:
    text = make_plan(load(stack)).files["alertmanager/alertmanager.yaml"]
    assert unknown_to_the_operator(yaml.safe_load(text)) == set()


def test_a_key_that_only_alertmanager_knows_would_be_noticed() -> None:
    tree = {"receivers": [{"name": "a", "webhook_configs": [{"url": "x", "http_config": {"http_headers": {}}}]}]}
    assert unknown_to_the_operator(tree) == {("http_config", "http_headers")}


def test_helm_replaces_lists_so_the_tree_is_whole() -> None:
    tree = config(**RELAYED)
    assert "null" in [receiver["name"] for receiver in tree["receivers"]]
    assert route_for(tree, 'alertname="Watchdog"')["receiver"] == "null"
    assert route_for(tree, 'alertname="InfoInhibitor"')["receiver"] == "null"
    targets = [rule["target_matchers"] for rule in tree["inhibit_rules"]]
    assert targets[:4] == [
        ['severity=~"warning|info"'],
        ['severity="info"'],
        ['severity="info"'],
        ['alertname="InfoInhibitor"'],
    ]


def test_the_null_receiver_is_quoted_in_what_helm_reads() -> None:
    plan = plan_of(**RELAYED)
    assert "name: 'null'" in plan.files["values/kube-prometheus-stack.yaml"]
    assert "receiver: null" not in plan.files["values/kube-prometheus-stack.yaml"]


def test_every_receiver_that_is_named_exists() -> None:
    def named(route: dict[str, Any]) -> set[str]:
        own = {route["receiver"]} if "receiver" in route else set()
        return own.union(*(named(child) for child in route.get("routes", [])))

    for sections in (RELAYED, NATIVE):
        tree = config(**sections, routes=[{"name": "m", "channel": "media", "match": {"namespace": "media"}}])
        assert named(tree["route"]) <= {receiver["name"] for receiver in tree["receivers"]}


def test_braces_are_not_evaluated_by_helm() -> None:
    values = plan_of(**NATIVE).folded
    assert values.values["kube-prometheus-stack"]["alertmanager"]["tplConfig"] is False
    receivers = values.helm_values("kube-prometheus-stack")["alertmanager"]["config"]["receivers"]
    assert receivers[1]["discord_configs"][0]["content"] == (
        '{{ if eq .CommonLabels.severity "critical" }}<@&1>{{ end }}'
    )


def test_alertmanagerconfigs_of_others_are_not_merged_in() -> None:
    spec = plan_of(**NATIVE).folded.values["kube-prometheus-stack"]["alertmanager"]["alertmanagerSpec"]
    assert spec["alertmanagerConfigSelector"] == {"matchLabels": {"homelabmon/merge": "true"}}


def test_everything_for_people_goes_to_the_relay_with_every_routes_own_grouping() -> None:
    tree = config(
        **RELAYED,
        routes=[
            {"name": "nodes", "match": {"alertname": ["NodeDown", "Memory.Pressure"]}, "group_by": ["alertname"]},
            {"name": "media", "channel": "media", "match": {"namespace": "media"}, "group_by": ["..."]},
        ],
    )
    nodes = route_for(tree, 'alertname=~"NodeDown|Memory\\\\.Pressure"')
    assert (nodes["receiver"], nodes["group_by"]) == ("relay", ["alertname"])
    media = route_for(tree, 'namespace="media"')
    assert (media["receiver"], media["group_by"]) == ("relay", ["..."])
    assert tree["route"]["receiver"] == "relay"
    assert routes(tree)[-1] == media, "what no route matches needs no route of its own"


def test_with_a_relay_alertmanager_speaks_often_enough_for_the_hold() -> None:
    tree = config(
        **RELAYED,
        routes=[
            {"name": "usual", "match": {"a": "1"}},
            {"name": "short", "match": {"a": "2"}, "hold": "30s"},
            {"name": "none", "match": {"a": "3"}, "hold": "0s"},
            {"name": "own", "match": {"a": "4"}, "group_wait": "1m", "group_interval": "10m", "repeat_interval": "1d"},
        ],
    )

    def timing(value: str) -> tuple[str, ...]:
        route = route_for(tree, f'a="{value}"')
        return route["group_wait"], route["group_interval"], route["repeat_interval"]

    assert timing("1") == ("5s", "15s", "12h")
    assert timing("2") == ("5s", "7s", "12h")
    assert timing("3") == ("0s", "15s", "12h")
    assert timing("4") == ("1m", "10m", "1d")


def test_without_a_relay_group_wait_is_the_hold_and_critical_does_not_wait() -> None:
    tree = config(**NATIVE, routes=[{"name": "media", "channel": "media", "match": {"namespace": "media"}}])
    media = route_for(tree, 'namespace="media"')
    assert (media["receiver"], media["group_wait"], media["group_interval"]) == ("discord-media", "1m", "5m")
    assert media["routes"] == [{"matchers": ['severity="critical"'], "group_wait": "0s"}]


def test_the_watchdog_goes_to_the_outpost_so_often_that_silence_means_something() -> None:
    tree = config(**RELAYED, outpost={"url": "https://status.example.net/"})
    route = route_for(tree, 'alertname="Watchdog"')
    assert routes(tree)[0] == route
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("0s", "1m", "50s")
    (deadman,) = [receiver for receiver in tree["receivers"] if receiver["name"] == "deadman"]
    webhook = deadman["webhook_configs"][0]
    assert webhook["url"] == "https://status.example.net/v1/alertmanager"
    assert webhook["send_resolved"] is True
    credentials = "/etc/alertmanager/secrets/homelabmon-relay/outpost-token"
    assert webhook["http_config"]["authorization"] == {"type": "Bearer", "credentials_file": credentials}


def test_alerts_about_the_relay_do_not_need_the_relay() -> None:
    tree = config(**RELAYED, routes=[{"name": "all", "match": {"component": "relay"}, "channel": "media"}])
    first = next(route for route in routes(tree) if 'component="relay"' in route.get("matchers", []))
    assert first["receiver"] == "discord-ops"
    failing = 'alertname=~"AlertmanagerFailedToSendAlerts|AlertmanagerClusterFailedToSendAlerts"'
    assert route_for(tree, failing)["receiver"] == "discord-ops"
    (receiver,) = [item for item in tree["receivers"] if item["name"] == "discord-ops"]
    assert receiver["discord_configs"][0]["webhook_url_file"] == "/etc/alertmanager/secrets/hooks/ops"


def test_every_secret_that_is_read_is_mounted() -> None:
    values = plan_of(**RELAYED, outpost={"url": "https://o.example.net"}).folded.values["kube-prometheus-stack"]
    assert values["alertmanager"]["alertmanagerSpec"]["secrets"] == ["homelabmon-relay", "hooks"]


def test_two_replicas_spread_and_survive_a_drain_and_on_one_node_they_still_start() -> None:
    spec = plan_of(**NATIVE).folded.values["kube-prometheus-stack"]["alertmanager"]
    assert spec["alertmanagerSpec"]["podAntiAffinity"] == "hard"
    assert spec["podDisruptionBudget"] == {"enabled": True, "minAvailable": 1}
    small = plan_of(**NATIVE, cluster={"distribution": "k3s", "nodes": 1}).folded.values["kube-prometheus-stack"]
    assert small["alertmanager"]["alertmanagerSpec"]["podAntiAffinity"] == "soft"


def test_the_lan_sees_alertmanager_and_not_its_reloader() -> None:
    plan = plan_of(
        **NATIVE,
        cluster={"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}},
        lb_ips={"alertmanager": "192.168.1.233"},
    )
    assert plan.folded.values["kube-prometheus-stack"]["alertmanager"]["service"] == {"type": "ClusterIP"}
    service = object_of(plan, "Service", "alertmanager-lan")
    assert [port["port"] for port in service["spec"]["ports"]] == [9093]
    assert service["metadata"]["annotations"]["metallb.io/loadBalancerIPs"] == "192.168.1.233"


def test_what_falls_together_is_told_once() -> None:
    tree = config(
        **RELAYED,
        depends_on={
            "nas": {"down": {"alertname": "NasDown"}},
            "switch": {"match": {"alertname": "SwitchDown"}},
            "db": {"on": ["nas", "switch"], "match": {"namespace": "db"}},
            "app": {"on": ["db"], "match": {"namespace": "app"}},
        },
    )
    rules = [(rule["source_matchers"], rule["target_matchers"]) for rule in tree["inhibit_rules"][4:]]
    switch = ['alertname="SwitchDown"', 'severity="critical"']
    assert rules == [
        (['alertname="NasDown"'], ['namespace="db"']),
        (switch, ['namespace="db"']),
        (['namespace="db"', 'severity="critical"'], ['namespace="app"']),
        (['alertname="NasDown"'], ['namespace="app"']),
        (switch, ['namespace="app"']),
    ]


def test_a_configuration_for_an_alertmanager_of_your_own() -> None:
    plan = plan_of(components={"alertmanager": {"install": False}}, channels=CHANNELS)
    assert "alertmanager/alertmanager.yaml" in plan.files
    assert not [path for path in plan.files if path.startswith(("apps/", "values/"))]


def test_a_critical_probe_does_not_silence_a_warning_about_another() -> None:
    critical, warning = config(**RELAYED)["inhibit_rules"][:2]
    for rule in (critical, warning):
        assert {"namespace", "alertname", "node", "probe", "heartbeat"} == set(rule["equal"])


def receivers_of(path: Path, **labels: str) -> list[str]:
    """Who hears of an alert, as the real amtool tells it; nobody is left out."""
    arguments = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        ["amtool", "config", "routes", "test", "--config.file", str(path), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in done.stdout.strip().split(",") if name != "null"]


CONTINUED = [
    {"name": "audit", "channel": "media", "match": {"namespace": "db"}, "continue": True},
    {
        "name": "apps",
        "channel": "ops",
        "match": {"namespace": "apps"},
        "routes": [{"name": "copy", "channel": "media", "match": {"app": "x"}, "continue": True}],
    },
]


@pytest.mark.program("amtool")
@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
@pytest.mark.parametrize("maintenance", [[], [{"name": "night", "from": "01:00", "to": "02:00"}]], ids=["", "muted"])
@pytest.mark.parametrize("sections", [RELAYED, NATIVE], ids=["relay", "native"])
def test_what_a_continue_route_has_taken_does_not_reach_the_default_as_well(
    tmp_path: Path, sections: dict[str, Any], maintenance: list[dict[str, Any]], severity: str
) -> None:
    path = tmp_path / "alertmanager.yaml"
    defaults = {"channel": "ops", "hold": {"default": "60s", "critical": "0s", "info": "5m"}}
    tree = config(**{**sections, "routes": CONTINUED, "maintenance": maintenance, "defaults": defaults})
    path.write_text(dump(tree))
    relayed = sections is RELAYED
    media, ops = ("relay", "relay") if relayed else ("discord-media", "discord-ops")
    assert receivers_of(path, alertname="X", namespace="db", severity=severity) == [media]
    assert receivers_of(path, alertname="X", namespace="apps", app="x", severity=severity) == [media]
    assert receivers_of(path, alertname="X", namespace="apps", app="y", severity=severity) == [ops]
    assert receivers_of(path, alertname="X", namespace="other", severity=severity) == [ops]
