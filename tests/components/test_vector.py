"""Vector: each test is a trap of the chart or of Vector itself, and would notice its return."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from homelabmon.components.vector import MIN_BUFFER, VectorConfig, buffer_bytes, image_tag
from homelabmon.render.fold import Folded
from homelabmon.spec.base import in_bytes
from tests.components.folding import TALOS, folded, objects, only
from tests.components.real_crds import problems

ALL: dict[str, Any] = {"prometheus": {}, "loki": {}, "vector": {}, "falco": {}, "relay": {}}
WITHOUT_STORE: dict[str, Any] = {name: {} for name in ALL if name != "loki"}
SYSLOG: dict[str, Any] = {"vector": {"aggregator": {"syslog": {}}}}


def _agent(result: Folded) -> dict[str, Any]:
    return result.helm_values("vector-agent")


def _aggregator(result: Folded) -> dict[str, Any]:
    return result.helm_values("vector-aggregator")


def _both(result: Folded) -> list[dict[str, Any]]:
    return [_agent(result), _aggregator(result)]


def _with(**vector: Any) -> Folded:
    return folded({**ALL, "vector": vector})


# What goes where ---------------------------------------------------------------------------------------------------


def test_agents_ship_to_the_aggregator_and_the_aggregator_to_the_log_store() -> None:
    result = folded(ALL, cluster=TALOS)
    sink = _agent(result)["customConfig"]["sinks"]["aggregator"]
    assert sink["address"] == "vector-aggregator.monitoring.svc.home.arpa:6000"
    assert _aggregator(result)["customConfig"]["sources"]["agents"]["address"] == "0.0.0.0:6000"
    store = _aggregator(result)["customConfig"]["sinks"]["store"]
    assert store["endpoint"] == "http://loki.monitoring.svc.home.arpa:3100"


def test_agents_and_aggregator_are_made_of_these() -> None:
    def kinds(config: dict[str, Any], part: str) -> dict[str, str]:
        return {name: item["type"] for name, item in config[part].items()}

    agent, aggregator = (values["customConfig"] for values in _both(folded({**ALL, **SYSLOG})))
    assert kinds(agent, "sources") == {
        "internal_metrics": "internal_metrics",
        "pods": "kubernetes_logs",
        "falco_file": "file",
    }
    assert kinds(agent, "transforms") == {
        "logs": "remap",
        "falco_lines": "remap",
        "falco_whole": "reduce",
        "falco_events": "filter",
    }
    assert kinds(agent, "sinks") == {
        "prom_exporter": "prometheus_exporter",
        "aggregator": "vector",
        "forward": "vector",
    }
    assert kinds(aggregator, "sources") == {
        "internal_metrics": "internal_metrics",
        "agents": "vector",
        "syslog": "syslog",
        "forward": "vector",
    }
    assert kinds(aggregator, "transforms") == {"logs": "remap", "syslog_logs": "remap", "forwards": "route"}
    assert kinds(aggregator, "sinks") == {"prom_exporter": "prometheus_exporter", "store": "loki", "falco": "http"}


def test_one_is_a_daemonset_and_the_other_has_a_volume() -> None:
    assert [values["role"] for values in _both(folded(ALL))] == ["Agent", "Aggregator"]
    assert _aggregator(folded(ALL))["replicas"] == 1


def test_lines_are_stored_as_they_were_written() -> None:
    assert _aggregator(folded(ALL))["customConfig"]["sinks"]["store"]["encoding"] == {"codec": "text"}


def test_without_anywhere_to_ship_to_nothing_is_installed() -> None:
    result = folded({"vector": {}}, lb_ips={})
    assert (result.releases, result.namespaces, result.docs) == ({}, {}, [])


def test_every_component_is_fed_by_one_that_exists() -> None:
    stacks: list[dict[str, Any]] = [ALL, {**ALL, **SYSLOG}, WITHOUT_STORE]
    for components in stacks:
        for values in _both(folded(components)):
            config = values["customConfig"]
            known = {*config["sources"], *config["transforms"], *(f"forwards.{name}" for name in config["sinks"])}
            readers = [*config["transforms"].values(), *config["sinks"].values()]
            inputs = [name for reader in readers for name in reader["inputs"]]
            assert set(inputs) <= known
            assert set(config["sources"]) <= set(inputs), "a source that nobody reads"


# Ports, the chart makes them up otherwise --------------------------------------------------------------------------


def test_ports_are_named_and_never_left_to_the_chart() -> None:
    result = folded({**ALL, **SYSLOG})
    assert _agent(result)["service"]["enabled"] is False
    assert _agent(result)["serviceHeadless"]["enabled"] is False
    own = [("prom-exporter", 9090, "TCP"), ("api", 8686, "TCP")]
    agent, aggregator = ([tuple(port.values()) for port in values["containerPorts"]] for values in _both(result))
    assert agent == own
    assert aggregator == [("vector", 6000, "TCP"), ("syslog", 5514, "UDP"), ("forward", 6001, "TCP"), *own]


def test_every_port_that_vector_listens_on_is_named() -> None:
    for values in _both(folded({**ALL, **SYSLOG})):
        config = values["customConfig"]
        places = [config["api"], *config["sources"].values(), *config["sinks"].values()]
        addresses = [place["address"] for place in places if "0.0.0.0" in place.get("address", "")]
        named = [f"0.0.0.0:{port['containerPort']}" for port in values["containerPorts"]]
        assert sorted(addresses) == sorted(named)


def test_lan_sees_the_intake_alone() -> None:
    port = {"name": "vector", "port": 6000, "targetPort": 6000, "protocol": "TCP"}
    lan = only(folded(ALL), "vector", "vector-lan.yaml")
    assert lan["metadata"]["annotations"]["metallb.io/loadBalancerIPs"] == "192.168.1.232"
    assert lan["spec"]["ports"] == [port]
    service = _aggregator(folded(ALL))["service"]
    assert (service["enabled"], service["type"], service["ports"]) == (True, "ClusterIP", [port])


def test_syslog_is_shown_when_asked_for() -> None:
    result = folded({**ALL, **SYSLOG})
    port = _aggregator(result)["service"]["ports"][1]
    assert port == {"name": "syslog", "port": 514, "targetPort": 5514, "protocol": "UDP"}
    assert only(result, "vector", "vector-lan.yaml")["spec"]["ports"][1] == port
    config = _aggregator(result)["customConfig"]
    assert config["sources"]["syslog"] == {"type": "syslog", "mode": "udp", "address": "0.0.0.0:5514"}
    assert config["sinks"]["store"]["inputs"] == ["logs", "syslog_logs"]


def test_without_an_address_the_service_stays_inside() -> None:
    assert "vector-lan.yaml" not in folded(ALL, lb_ips={}).objects["vector"]


def test_without_a_store_the_lan_is_offered_nothing_and_no_rule_waits_for_it() -> None:
    result = folded(WITHOUT_STORE)
    assert [port["name"] for port in _aggregator(result)["service"]["ports"]] == ["forward"]
    assert "vector-lan.yaml" not in result.objects["vector"]
    assert "vector-lan" not in str(result.rules)


# Text that Helm and Vector would change ----------------------------------------------------------------------------


def test_no_dollar_sign_that_a_vector_would_take_for_a_variable() -> None:
    for values in _both(folded({**ALL, **SYSLOG})):
        assert "$" not in json.dumps(values["customConfig"])


def test_templates_reach_vector_and_not_helm() -> None:
    store = _aggregator(folded(ALL))["customConfig"]["sinks"]["store"]
    assert store["labels"] == {"*": " {{`{{`}} labels }}"}
    assert store["structured_metadata"] == {"*": " {{`{{`}} metadata }}"}


def test_templates_have_a_fixed_beginning_so_that_every_version_starts() -> None:
    store = folded(ALL).values["vector-aggregator"]["customConfig"]["sinks"]["store"]
    for mapping in (store["labels"], store["structured_metadata"]):
        assert all(not text.startswith("{{") for text in mapping.values())
    assert "dangerously_allow_unconfined_template_resolution" not in store


@pytest.mark.parametrize(
    ("version", "tag"),
    [("0.56.0", "0.56.0-distroless-libc"), ("v0.57.1", "0.57.1-distroless-libc"), ("0.45.0", None)],
)
def test_image_belongs_to_the_chart_s_version_since_they_are_released_in_step(version: str, tag: str | None) -> None:
    assert image_tag(version) == tag
    for values in _both(folded(ALL, charts={"vector": version})):
        assert values.get("image") == (None if tag is None else {"tag": tag})


# Nothing lost ------------------------------------------------------------------------------------------------------


def test_every_way_of_logs_waits_instead_of_dropping() -> None:
    result = folded(ALL)
    agent, aggregator = (values["customConfig"]["sinks"] for values in _both(result))
    for sink in (agent["aggregator"], aggregator["store"]):
        assert sink["acknowledgements"] == {"enabled": True}
        assert sink["buffer"]["type"] == "disk"
        assert sink["buffer"]["when_full"] == "block"
        assert sink["buffer"]["max_size"] >= MIN_BUFFER


def test_buffers_live_on_a_volume() -> None:
    result = folded(ALL, cluster=TALOS)
    assert _aggregator(result)["persistence"] == {"enabled": True, "size": "5Gi", "storageClassName": "longhorn"}
    # The chart mounts the volume where the configuration says; Vector's own default is read-only on an agent.
    assert {values["customConfig"]["data_dir"] for values in _both(result)} == {"/vector-data-dir"}


def test_a_buffer_of_256_mebibytes_is_32_bytes_too_small_and_rounded_up() -> None:
    assert buffer_bytes("256Mi") == MIN_BUFFER > in_bytes("256Mi")
    assert buffer_bytes("1Gi") == 2**30
    assert in_bytes("1500M") == 1_500_000_000
    assert in_bytes("1024") == 1024


def test_a_buffer_that_vector_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValidationError, match="cannot be smaller than 256Mi"):
        VectorConfig.model_validate({"agent": {"buffer": "100Mi"}})


def test_buffers_that_could_outgrow_the_volume_are_refused() -> None:
    with pytest.raises(ValidationError, match="the buffer of 5Gi does not fit into storage of 5Gi"):
        VectorConfig.model_validate({"aggregator": {"buffer": "5Gi"}})


# Agents ------------------------------------------------------------------------------------------------------------


def test_agents_run_on_every_node_and_need_a_privileged_namespace() -> None:
    result = folded(ALL)
    assert _agent(result)["tolerations"] == [{"operator": "Exists"}]
    assert result.namespaces["monitoring"] == "privileged"


def test_namespaces_can_be_left_out() -> None:
    pods = _agent(_with(agent={"exclude_namespaces": ["kube-system", "noisy"]}))["customConfig"]["sources"]["pods"]
    assert pods["extra_field_selector"] == "metadata.namespace!=kube-system,metadata.namespace!=noisy"
    assert "extra_field_selector" not in _agent(folded(ALL))["customConfig"]["sources"]["pods"]


def test_values_go_to_both_releases_and_then_to_one() -> None:
    result = _with(
        values={"logLevel": "debug", "podLabels": {"a": "b"}},
        agent={"values": {"logLevel": "trace"}, "memory": "256Mi"},
        aggregator={"values": {"replicas": 2}, "memory": "1Gi"},
    )
    assert [values["logLevel"] for values in _both(result)] == ["trace", "debug"]
    assert [values["podLabels"] for values in _both(result)] == [{"a": "b"}, {"a": "b"}]
    for values, memory in zip(_both(result), ("256Mi", "1Gi"), strict=True):
        assert values["resources"] == {"requests": {"memory": memory}, "limits": {"memory": memory}}
    assert _aggregator(result)["replicas"] == 2


# Readiness and metrics ---------------------------------------------------------------------------------------------


def test_pods_are_ready_when_vector_says_so() -> None:
    for values in _both(folded(ALL)):
        assert values["readinessProbe"] == {"httpGet": {"path": "/health", "port": "api"}}
        assert values["customConfig"]["api"] == {"enabled": True, "address": "0.0.0.0:8686"}


def test_metrics_are_scraped_under_the_jobs_that_rules_look_for() -> None:
    result = folded(ALL)
    monitors = objects(result, "monitoring-config", "vector.yaml")
    assert [monitor["metadata"]["name"] for monitor in monitors] == ["vector-agent", "vector-aggregator"]
    for monitor, values in zip(monitors, _both(result), strict=True):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert monitor["metadata"]["namespace"] == "monitoring"
        assert endpoint["path"] == "/metrics"
        assert endpoint["port"] in [port["name"] for port in values["containerPorts"]]
        assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": monitor["metadata"]["name"]}]
        assert values["customConfig"]["sinks"]["prom_exporter"]["inputs"] == ["internal_metrics"]
        # The chart's own would silently be missing.
        assert "podMonitor" not in values


def test_without_prometheus_nothing_of_the_operator_s_kinds_is_rendered() -> None:
    assert "monitoring-config" not in folded({"loki": {}, "vector": {}}).objects


@pytest.mark.shared
def test_monitors_fit_the_real_crd(shared_data: Path) -> None:
    for monitor in objects(folded(ALL), "monitoring-config", "vector.yaml"):
        assert problems(shared_data, monitor) == []


# Forwarded events --------------------------------------------------------------------------------------------------


def test_forwarded_events_are_read_by_a_source_that_can_acknowledge() -> None:
    config = _agent(folded(ALL))["customConfig"]
    source = config["sources"]["falco_file"]
    assert source["type"] == "file"
    assert source["include"] == ["/var/log/pods/security_falco-*_*/falco/*.log*"]
    folder = "/var/log/pods/security_falco-*_*/falco"
    assert source["exclude"] == [f"{folder}/*.gz", f"{folder}/*.tmp"]
    sink = config["sinks"]["forward"]
    assert sink["acknowledgements"] == {"enabled": True}
    # A buffer would confirm to the file source what the aggregator does not have yet.
    assert "buffer" not in sink


def test_a_long_event_is_put_together_again() -> None:
    whole = _agent(folded(ALL))["customConfig"]["transforms"]["falco_whole"]
    assert whole["group_by"] == ["file", "stream"]
    assert whole["merge_strategies"] == {"message": "concat_raw"}


def test_logs_of_short_jobs_are_found_in_time() -> None:
    assert _agent(folded(ALL))["customConfig"]["sources"]["pods"]["glob_minimum_cooldown_ms"] <= 10_000


def test_forwarded_events_have_a_port_of_their_own_that_the_lan_does_not_see() -> None:
    result = folded(ALL)
    service = only(result, "vector", "service-forward.yaml")
    assert (service["apiVersion"], service["kind"]) == ("v1", "Service")
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("vector-forward", "monitoring")
    assert service["spec"] == {
        "type": "ClusterIP",
        "selector": {"app.kubernetes.io/name": "vector", "app.kubernetes.io/instance": "vector-aggregator"},
        "ports": [{"name": "forward", "port": 6001, "targetPort": 6001, "protocol": "TCP"}],
    }
    address = _agent(result)["customConfig"]["sinks"]["forward"]["address"]
    assert address == "vector-forward.monitoring.svc.cluster.local:6001"
    assert 6001 not in [port["port"] for port in _aggregator(result)["service"]["ports"]]


def test_each_event_is_one_request_that_is_repeated_until_it_is_taken() -> None:
    sink = _aggregator(folded(ALL))["customConfig"]["sinks"]["falco"]
    assert (sink["type"], sink["batch"]["max_events"], sink["framing"]["method"]) == ("http", 1, "bytes")
    assert sink["encoding"] == {"codec": "text"}
    assert sink["method"] == "post"
    assert sink["request"]["headers"] == {"Content-Type": "application/json"}
    assert sink["acknowledgements"] == {"enabled": True}
    assert sink["buffer"] == {"type": "disk", "max_size": MIN_BUFFER, "when_full": "block"}
    # A wrong secret is our mistake, and no reason to throw the event away; a bad event is.
    assert sink["retry_strategy"]["type"] == "custom"
    assert {401, 403, 404, 429, 503} <= set(sink["retry_strategy"]["status_codes"])
    assert 400 not in sink["retry_strategy"]["status_codes"]


def test_secret_of_the_taker_comes_from_a_file() -> None:
    result = folded(ALL)
    values = _aggregator(result)
    assert values["customConfig"]["sinks"]["falco"]["uri"] == (
        "http://discord-alert-proxy.monitoring.svc.cluster.local:8080/v1/falco/SECRET[falco.falco-path]"
    )
    backend = values["customConfig"]["secret"]["falco"]
    assert backend["type"] == "directory"
    assert backend["remove_trailing_whitespace"] is True
    assert values["extraVolumeMounts"] == [{"name": "secret-falco", "mountPath": backend["path"], "readOnly": True}]
    items = [{"key": "falco-path", "path": "falco-path"}]
    assert values["extraVolumes"] == [
        {"name": "secret-falco", "secret": {"secretName": "homelabmon-relay", "items": items}}
    ]
    assert ("monitoring", "homelabmon-relay", "falco-path", "the Vector aggregator") in [
        (need.namespace, need.secret, need.key, need.reader) for need in result.secrets
    ]


def test_without_a_taker_nothing_is_forwarded() -> None:
    result = folded({"prometheus": {}, "loki": {}, "vector": {}, "falco": {}})
    for values in _both(result):
        assert "falco" not in json.dumps(values["customConfig"])
    assert "service-forward.yaml" not in result.objects["vector"]
    assert "extraVolumes" not in _aggregator(result)


def test_without_a_store_events_are_still_forwarded() -> None:
    result = folded(WITHOUT_STORE)
    assert set(_agent(result)["customConfig"]["sinks"]) == {"prom_exporter", "forward"}
    assert set(_aggregator(result)["customConfig"]["sinks"]) == {"prom_exporter", "falco"}


def test_row_of_the_monitoring_page() -> None:
    (row,) = [row for row in folded(ALL).docs if row.component == "Vector"]
    assert row.where == "DaemonSet + aggregator StatefulSet"
    assert row.notes == "agents on every node, ship to Loki through the aggregator"
