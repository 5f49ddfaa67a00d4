"""Loki: each test is a trap of its chart, and would notice its return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from homelabmon.components.loki import POD_LABELS, LokiConfig
from homelabmon.spec.contribution import DATASOURCE
from tests.components.folding import TALOS, folded, only
from tests.components.real_crds import problems


def _values(config: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return folded({"prometheus": {}, "loki": config or {}}, **more).helm_values("loki")


def test_mode_is_the_one_word_with_which_the_chart_renders_a_loki_at_all() -> None:
    assert _values()["deploymentMode"] == "Monolithic"


def test_one_process_needs_a_replica_and_the_scalable_parts_at_zero() -> None:
    values = _values()
    assert values["singleBinary"]["replicas"] == 1
    assert {part: values[part]["replicas"] for part in ("read", "write", "backend")} == {
        "read": 0,
        "write": 0,
        "backend": 0,
    }


def test_one_replica_on_a_filesystem_without_tenants_and_without_copies() -> None:
    loki = _values()["loki"]
    assert loki["auth_enabled"] is False
    assert loki["commonConfig"]["replication_factor"] == 1
    assert loki["storage"]["type"] == "filesystem"
    (schema,) = loki["schemaConfig"]["configs"]
    assert (schema["store"], schema["schema"], schema["object_store"]) == ("tsdb", "v13", "filesystem")
    assert schema["index"] == {"prefix": "loki_index_", "period": "24h"}


def test_one_process_does_not_wait_for_itself_in_a_gossip_ring() -> None:
    values = _values()
    assert values["loki"]["commonConfig"]["ring"] == {"kvstore": {"store": "inmemory"}}
    assert values["memberlist"]["service"]["publishNotReadyAddresses"] is True


def test_memcached_canary_its_test_and_the_gateway_are_off() -> None:
    values = _values()
    parts = ("chunksCache", "resultsCache", "lokiCanary", "test", "gateway")
    assert {part: values[part]["enabled"] for part in parts} == dict.fromkeys(parts, False)


def test_retention_deletes_only_with_the_compactor_told_so() -> None:
    loki = _values({"retention": "30d"})["loki"]
    assert loki["limits_config"]["retention_period"] == "30d"
    assert loki["compactor"] == {
        "working_directory": "/var/loki/compactor",
        "retention_enabled": True,
        "delete_request_store": "filesystem",
    }


def test_retention_below_a_day_is_refused_with_the_fix() -> None:
    with pytest.raises(ValidationError, match="nothing for less than a day: write for example 14d"):
        LokiConfig.model_validate({"retention": "1h"})


def test_lines_that_wait_in_a_buffer_are_taken_when_they_come_late() -> None:
    limits = _values({"retention": "30d"})["loki"]["limits_config"]
    assert limits["reject_old_samples_max_age"] == limits["retention_period"]


def test_a_line_that_is_too_long_is_cut_and_not_lost() -> None:
    assert _values()["loki"]["limits_config"]["max_line_size_truncate"] is True


def test_nothing_is_reported_to_the_makers() -> None:
    assert _values()["loki"]["analytics"] == {"reporting_enabled": False}


def test_start_of_the_schema_is_a_text_and_can_be_pinned() -> None:
    assert _values()["loki"]["schemaConfig"]["configs"][0]["from"] == "2026-01-01"
    pinned = _values({"schema_from": "2024-05-01"})
    assert pinned["loki"]["schemaConfig"]["configs"][0]["from"] == "2024-05-01"


def test_volume_takes_the_own_storage_class_before_that_of_the_cluster() -> None:
    assert "storageClass" not in _values()["singleBinary"]["persistence"]
    assert _values(cluster=TALOS)["singleBinary"]["persistence"]["storageClass"] == "longhorn"
    own = _values({"storage_class": "fast", "storage": "100Gi"}, cluster=TALOS)["singleBinary"]["persistence"]
    assert (own["storageClass"], own["size"]) == ("fast", "100Gi")


def test_names_inside_loki_follow_the_domain_of_the_cluster() -> None:
    assert _values(cluster=TALOS)["global"]["clusterDomain"] == "home.arpa"


def test_memory_is_request_and_limit() -> None:
    assert _values({"memory": "1Gi"})["singleBinary"]["resources"] == {
        "requests": {"memory": "1Gi"},
        "limits": {"memory": "1Gi"},
    }


@pytest.mark.parametrize(
    ("cluster", "annotation"), [({}, "metallb.io/loadBalancerIPs"), ({"cluster": TALOS}, "lbipam.cilium.io/ips")]
)
def test_lan_sees_the_http_port_alone_through_a_service_of_ours(cluster: dict[str, Any], annotation: str) -> None:
    result = folded({"prometheus": {}, "loki": {}}, **cluster)
    assert result.helm_values("loki")["singleBinary"]["service"] == {"type": "ClusterIP"}
    service = only(result, "loki", "loki-lan.yaml")
    assert (service["apiVersion"], service["kind"]) == ("v1", "Service")
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("loki-lan", "monitoring")
    assert service["spec"]["type"] == "LoadBalancer"
    (port,) = service["spec"]["ports"]
    assert port == {"name": "http", "port": 3100, "targetPort": "http-metrics", "protocol": "TCP"}
    assert service["spec"]["selector"] == POD_LABELS
    assert service["metadata"]["annotations"][annotation] == "192.168.1.231"


def test_lan_service_does_not_look_like_the_chart_s_to_the_monitor() -> None:
    result = folded({"prometheus": {}, "loki": {}})
    selector = only(result, "monitoring-config", "loki.yaml")["spec"]["selector"]["matchLabels"]
    labels = only(result, "loki", "loki-lan.yaml")["metadata"]["labels"]
    assert not selector.items() <= labels.items()


def test_without_an_address_there_is_no_service_for_the_lan() -> None:
    assert "loki-lan.yaml" not in folded({"prometheus": {}, "loki": {}}, lb_ips={}).objects["loki"]


def test_pod_is_scraped_once_under_the_job_that_rules_look_for() -> None:
    monitor = only(folded({"prometheus": {}, "loki": {}}), "monitoring-config", "loki.yaml")
    assert monitor["spec"]["selector"]["matchExpressions"] == [{"key": "variant", "operator": "DoesNotExist"}]
    assert monitor["metadata"] == {"name": "loki", "namespace": "monitoring"}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http-metrics", "/metrics")
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "monitoring/loki"}]


def test_loki_can_be_installed_before_the_operator_and_without_it() -> None:
    assert _values()["monitoring"]["serviceMonitor"]["enabled"] is False
    assert list(folded({"loki": {}}, lb_ips={}).releases) == ["loki"]


def test_ruler_is_off_with_its_sidecar() -> None:
    values = _values()
    assert values["sidecar"]["rules"]["enabled"] is False
    assert "rulerConfig" not in values["loki"]


def test_ruler_reads_the_folder_of_the_only_tenant_and_tells_alertmanager() -> None:
    result = folded({"prometheus": {}, "alertmanager": {}, "loki": {"ruler": True}})
    values = result.helm_values("loki")
    assert values["sidecar"]["rules"] == {"enabled": True, "folder": "/rules/fake"}
    assert values["loki"]["rulerConfig"] == {
        "enable_api": True,
        "rule_path": "/var/loki/ruler-tmp",
        "storage": {"type": "local", "local": {"directory": "/rules"}},
        "ring": {"kvstore": {"store": "inmemory"}},
        "alertmanager_url": "http://kube-prometheus-stack-alertmanager.monitoring.svc.cluster.local:9093",
        "datasource_uid": "loki",
    }


def test_alerts_on_logs_lead_to_their_query_in_grafana() -> None:
    result = folded({"loki": {"ruler": True}, "grafana": {"external_url": "https://grafana.example.net"}})
    config = result.helm_values("loki")["loki"]["rulerConfig"]
    assert (config["external_url"], config["datasource_uid"]) == ("https://grafana.example.net", "loki")
    (datasource,) = result.site.offered(DATASOURCE)
    assert datasource.data["uid"] == config["datasource_uid"]


def test_ruler_without_alertmanager_still_renders() -> None:
    assert "alertmanager_url" not in _values({"ruler": True})["loki"]["rulerConfig"]


def test_braces_are_escaped_as_often_as_the_chart_evaluates_them() -> None:
    raw = {"loki": {"limits_config": {"x": "{{ a }}"}, "server": {"x": "{{ a }}"}, "podAnnotations": {"x": "{{ a }}"}}}
    loki = _values({"values": raw})["loki"]
    once = "{{`{{`}} a }}"
    assert loki["podAnnotations"]["x"] == "{{ a }}"
    assert loki["server"]["x"] == once
    assert loki["limits_config"]["x"] == once.replace("{{", "{{`{{`}}")


def test_values_of_the_owner_come_last() -> None:
    values = _values({"values": {"singleBinary": {"persistence": {"size": "1Ti"}}}})
    assert values["singleBinary"]["persistence"] == {"enabled": True, "size": "1Ti"}


def test_grafana_finds_its_datasource() -> None:
    values = folded({"prometheus": {}, "grafana": {}, "loki": {}}).helm_values("kube-prometheus-stack")
    (datasource,) = values["grafana"]["additionalDataSources"]
    assert datasource["uid"] == "loki"
    assert datasource["url"] == "http://loki.monitoring.svc.cluster.local:3100"


def test_row_of_the_monitoring_page() -> None:
    (row,) = [row for row in folded({"loki": {}}).docs if row.component == "Loki"]
    assert (row.where, row.notes) == ("monitoring/loki-0", "single binary")


@pytest.mark.shared
def test_monitor_fits_the_real_crd(shared_data: Path) -> None:
    assert problems(shared_data, only(folded({"prometheus": {}, "loki": {}}), "monitoring-config", "loki.yaml")) == []
