"""Grafana: a login by reference, a volume that does not deadlock, and every datasource that is offered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from homelabmon.notifiers.addresses import of_incident
from homelabmon.notifiers.message import Links
from tests.notifiers import situations
from tests.stacks_common import EVERYTHING, plan_of


def grafana(**sections: Any) -> dict[str, Any]:
    """The Grafana half of the release's values."""
    found: dict[str, Any] = plan_of(**{"components": {"grafana": {}}, **sections}).folded.values[
        "kube-prometheus-stack"
    ]
    return dict(found["grafana"])


def test_the_login_is_a_secret_of_yours_so_that_installs_are_alike() -> None:
    assert grafana()["admin"] == {
        "existingSecret": "grafana-admin",
        "userKey": "admin-user",
        "passwordKey": "admin-password",
    }


def test_a_volume_that_one_pod_holds_needs_recreate() -> None:
    assert grafana()["deploymentStrategy"] == {"type": "Recreate"}
    without = grafana(components={"grafana": {"storage": None}})
    assert "deploymentStrategy" not in without
    assert "persistence" not in without


def test_loki_is_a_datasource_when_it_is_there() -> None:
    (source,) = grafana(components=EVERYTHING)["additionalDataSources"]
    assert (source["type"], source["uid"]) == ("loki", "loki")
    assert source["url"] == "http://loki.monitoring.svc.cluster.local:3100"
    assert "additionalDataSources" not in grafana()


def test_no_datasource_for_what_is_not_there() -> None:
    sidecar = grafana()["sidecar"]["datasources"]
    assert sidecar == {"defaultDatasourceEnabled": False, "alertmanager": {"enabled": False}}


def test_links_use_its_address_and_the_chart_s_service_stays_inside() -> None:
    found = grafana(
        cluster={"distribution": "talos", "load_balancer": {"provider": "cilium", "pool": ["192.168.1.224/28"]}},
        lb_ips={"grafana": "192.168.1.229"},
    )
    assert found["service"] == {"type": "ClusterIP"}
    assert found["grafana.ini"]["server"]["root_url"] == "http://192.168.1.229"


def test_its_data_source_is_the_one_that_links_in_messages_lead_to() -> None:
    down = situations.incident(situations.node_down("n1", annotations={}))
    (address,) = [url for name, url in of_incident(down, Links(grafana="https://g.example")) if name == "Grafana"]
    pane = json.loads(parse_qs(urlsplit(address).query)["panes"][0])["a"]
    sidecar = grafana(components=EVERYTHING)["sidecar"]["datasources"]
    assert pane["datasource"] == sidecar["uid"]
