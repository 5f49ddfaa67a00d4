"""The relay's objects: hardened, reachable by who must reach it, and configured with the whole route table."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from homelabmon.render.plan import Plan
from homelabmon.spec.relay_file import RelayFile
from tests.stacks_common import EVERYTHING, object_of, objects_of, plan_of

NAME = "discord-alert-proxy"
CHANNELS = {
    "ops": {"discord": {"webhook": {"secret": "hooks", "key": "ops"}}, "mention": {"critical": "role:1"}},
    "media": {"discord": {"webhook": {"secret": "other-hooks", "key": "media"}}, "fallback": "ops"},
}


def plan(**sections: Any) -> Plan:
    """Everything, with two channels."""
    return plan_of(**{"components": EVERYTHING, "channels": CHANNELS, **sections})


def relay_file(rendered: Plan) -> RelayFile:
    """The configuration in the ConfigMap, read as the service will read it."""
    data = object_of(rendered, "ConfigMap", NAME)["data"]
    return RelayFile.model_validate(YAML(typ="safe", pure=True).load(data["relay.yaml"]))


def test_it_is_named_as_on_the_owners_page() -> None:
    deployment = object_of(plan(), "Deployment", NAME)
    assert deployment["metadata"]["namespace"] == "monitoring"
    assert object_of(plan(), "Service", NAME)["spec"]["ports"][0]["port"] == 8080


def test_its_pod_passes_the_restricted_pod_security_standard() -> None:
    pod = object_of(plan(), "Deployment", NAME)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False


def test_its_image_may_lie_in_a_registry_that_asks_for_a_password() -> None:
    image = {"repository": "registry.example.net/homelabmon", "pull_secret": "registry-login"}
    store = {"store": "onepassword", "prefix": "home-"}
    rendered = plan(components={**EVERYTHING, "relay": {"image": image}}, secrets=store)
    assert object_of(rendered, "Deployment", NAME)["spec"]["template"]["spec"]["imagePullSecrets"] == [
        {"name": "registry-login"}
    ]
    external = object_of(rendered, "ExternalSecret", "registry-login")["spec"]
    assert external["target"]["template"] == {"type": "kubernetes.io/dockerconfigjson"}
    assert [item["secretKey"] for item in external["data"]] == [".dockerconfigjson"]
    assert "template" not in object_of(rendered, "ExternalSecret", "hooks")["spec"]["target"]
    page = plan(components={**EVERYTHING, "relay": {"image": image}}).files["docs/monitoring.md"]
    assert "kubectl --namespace monitoring create secret docker-registry registry-login \\\n  --docker-server=" in page
    assert "imagePullSecrets" not in object_of(plan(), "Deployment", NAME)["spec"]["template"]["spec"]


def test_one_writer_for_one_database_and_drains_are_not_blocked() -> None:
    spec = object_of(plan(), "Deployment", NAME)["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert object_of(plan(), "PodDisruptionBudget", NAME)["spec"]["maxUnavailable"] == 1
    claim = object_of(plan(), "PersistentVolumeClaim", NAME)
    assert claim["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"


def test_liveness_is_the_process_and_readiness_is_the_store() -> None:
    (container,) = object_of(plan(), "Deployment", NAME)["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_every_secret_it_reads_is_mounted_where_its_configuration_says() -> None:
    rendered = plan()
    pod = object_of(rendered, "Deployment", NAME)["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    mounts = {mount["mountPath"]: volumes.get(mount["name"]) for mount in pod["containers"][0]["volumeMounts"]}
    for secret in ("hooks", "other-hooks", "homelabmon-relay"):
        assert mounts[f"/etc/homelabmon/secrets/{secret}"] == secret
    table = relay_file(rendered)
    assert table.channels["media"].webhook_file == "/etc/homelabmon/secrets/other-hooks/media"
    assert table.intake.alertmanager_token_file == "/etc/homelabmon/secrets/homelabmon-relay/alertmanager-token"


def test_the_route_table_says_everything_that_routes_inherit() -> None:
    table = relay_file(
        plan(
            defaults={"channel": "ops", "hold": {"default": "90s", "critical": "0s"}},
            routes=[
                {
                    "name": "media",
                    "channel": "media",
                    "match": {"namespace": ["media", "photos"]},
                    "group_by": ["alertname"],
                    "title": "{alertname}",
                    "routes": [
                        {"name": "urgent", "matchers": ['severity="critical"'], "hold": "10s", "continue": True}
                    ],
                }
            ],
        )
    )
    (media,) = table.routes
    (urgent,) = media.routes
    assert media.matchers == ('namespace=~"media|photos"',)
    assert (urgent.channel, urgent.group_by, urgent.title, urgent.continue_) == (
        "media",
        ("alertname",),
        "{alertname}",
        True,
    )
    assert urgent.hold["default"].total_seconds() == 10
    assert table.default.channel == "ops"
    assert table.default.hold["default"].total_seconds() == 90


def test_links_lead_to_the_addresses_that_are_for_people() -> None:
    urls = {
        name: {"external_url": f"https://{name}.example.net/"} for name in ("prometheus", "alertmanager", "grafana")
    }
    given = relay_file(plan(components={**EVERYTHING, **urls}, lb_ips={"grafana": "192.168.1.229"})).links
    assert given == {name: f"https://{name}.example.net" for name in ("prometheus", "alertmanager", "grafana")}


def test_links_lead_to_the_lan_where_nothing_else_is_said_and_only_to_what_is_there() -> None:
    addresses = {"grafana": "192.168.1.229", "prometheus": "192.168.1.230"}
    balancer = {"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}}
    components: dict[str, Any] = {"relay": {}, "prometheus": {}}
    given = relay_file(plan(components=components, lb_ips=addresses, cluster=balancer)).links
    assert given == {"prometheus": "http://192.168.1.230:9090"}


def test_it_asks_every_replica_as_only_all_of_them_know_what_fires() -> None:
    assert relay_file(plan()).alertmanagers == tuple(
        f"http://alertmanager-kube-prometheus-stack-alertmanager-{number}"
        ".alertmanager-operated.monitoring.svc.cluster.local:9093"
        for number in range(2)
    )


def test_the_network_policy_lets_in_senders_and_lets_out_to_discord_and_whom_it_asks() -> None:
    (policy,) = objects_of(plan(), "NetworkPolicy")
    senders = [rule["from"][0] for rule in policy["spec"]["ingress"]]
    assert {"app.kubernetes.io/name": "alertmanager", "alertmanager": "kube-prometheus-stack-alertmanager"} in [
        sender["podSelector"]["matchLabels"] for sender in senders
    ]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 443, 9093, 9090}


def test_without_anybody_to_talk_to_the_policy_is_closed_not_invalid() -> None:
    (policy,) = objects_of(plan_of(components={"relay": {}}), "NetworkPolicy")
    assert policy["spec"]["ingress"] == []


def test_no_secret_value_and_no_discord_address_is_in_any_file() -> None:
    text = "".join(plan().files.values())
    assert "discord.com/api" not in text
    assert "kind: Secret\n" not in text


def test_flux_and_scripts_are_let_in_once_they_have_a_token() -> None:
    closed = relay_file(plan()).intake
    assert (closed.flux_token_file, closed.event_token_file, closed.page_password_file) == (None, None, None)
    section = {
        "flux_token": {"secret": "tokens", "key": "flux"},
        "event_token": {"secret": "tokens", "key": "scripts"},
        "page_password": {"secret": "tokens", "key": "page"},
    }
    rendered = plan(components={**EVERYTHING, "relay": section})
    opened = relay_file(rendered).intake
    assert opened.flux_token_file == "/etc/homelabmon/secrets/tokens/flux"
    assert opened.event_token_file == "/etc/homelabmon/secrets/tokens/scripts"
    assert opened.page_password_file == "/etc/homelabmon/secrets/tokens/page"
    rules = object_of(rendered, "NetworkPolicy", NAME)["spec"]["ingress"]
    assert {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "flux-system"}},
        "podSelector": {"matchLabels": {"app": "notification-controller"}},
    } in [peer for rule in rules for peer in rule["from"]]
