"""Telling messages: what a reader meets in practice. The snapshots show each as it looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from homelabmon.notifiers.message import AlertView, IncidentView, Links, Message, State

NOW: Final = 1_790_000_000.0
LINKS: Final = Links(
    alertmanager="http://192.168.1.233:9093",
    grafana="http://192.168.1.229",
    prometheus="http://192.168.1.230:9090",
    relay="http://192.168.1.234:8080",
)
GENERATOR: Final = (
    "http://kps-prometheus.monitoring:9090/graph?g0.expr=up%7Bjob%3D%22node-exporter%22%7D+%3D%3D+0&g0.tab=1"
)


def node_down(node: str, state: State = "firing", ago: float = 400, **changes: object) -> AlertView:
    alert = AlertView(
        labels={
            "alertname": "NodeDown",
            "severity": "critical",
            "cluster": "home",
            "node": node,
            "instance": f"{node}:9100",
            "job": "node-exporter",
            "prometheus": "monitoring/kps-prometheus",
        },
        severity="critical",
        state=state,
        starts_at=NOW - ago,
        ends_at=None if state == "firing" else NOW - 100,
        annotations={
            "summary": f"Node {node} is unreachable",
            "description": f"node-exporter on {node} has not answered for 5 minutes.",
            "runbook_url": "https://wiki.example.com/runbooks/NodeDown",
        },
        generator_url=GENERATOR,
    )
    return replace(alert, **changes)  # type: ignore[arg-type]


def incident(*alerts: AlertView, state: State = "firing", **changes: object) -> IncidentView:
    view = IncidentView(
        id=42,
        route="infrastructure",
        source="alertmanager",
        state=state,
        severity=alerts[0].severity,
        title="NodeDown",
        group={"alertname": "NodeDown"},
        alerts=alerts,
        opened_at=min(alert.starts_at for alert in alerts),
        ended_at=NOW - 100 if state in ("resolved", "expired") else None,
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def message(*incidents: IncidentView, **changes: object) -> Message:
    said = Message("ops", incidents, mentions=("role:1234",), links=LINKS, stack="home")
    return replace(said, **changes)  # type: ignore[arg-type]


def crash_loop(pod: str, restarts: int, namespace: str = "media", state: State = "firing") -> AlertView:
    return AlertView(
        labels={
            "alertname": "KubePodCrashLooping",
            "namespace": namespace,
            "pod": pod,
            "container": pod.rsplit("-", 2)[0],
            "severity": "warning",
            "job": "kube-state-metrics",
        },
        severity="warning",
        state=state,
        starts_at=NOW - 900,
        ends_at=None if state == "firing" else NOW - 300,
        annotations={
            "summary": "Pod is crash looping.",
            "description": f"Pod {namespace}/{pod} is in a crash loop (reason: CrashLoopBackOff).",
            "value": f"{restarts} restarts",
            "runbook_url": "https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping",
        },
        generator_url=GENERATOR,
    )


def crash_loops(number: int, state: State = "firing") -> IncidentView:
    alerts = tuple(crash_loop(f"jellyfin-7d9f8c6b5-x{at:03}z", at + 3, state=state) for at in range(number))
    return incident(
        *alerts,
        state=state,
        id=43,
        route="media",
        title="KubePodCrashLooping in media",
        group={"alertname": "KubePodCrashLooping", "namespace": "media"},
    )


SHELL: Final = IncidentView(
    id=7,
    route="security",
    source="falco",
    state="event",
    severity="warning",
    title="Terminal shell in container",
    group={"rule": "Terminal shell in container", "hostname": "n1"},
    alerts=(
        AlertView(
            labels={
                "rule": "Terminal shell in container",
                "hostname": "n1",
                "priority": "Notice",
                "k8s.ns.name": "media",
                "k8s.pod.name": "jellyfin-7d9f8c6b5-x2x4z",
            },
            severity="warning",
            state="event",
            starts_at=NOW - 3600,
            annotations={
                "description": "A shell was spawned in a container with an attached terminal "
                "(user=root user_loginuid=-1 shell=bash parent=runc cmdline=bash -c 'id; cat /etc/*_release')"
            },
            times=12,
            last_at=NOW - 30,
        ),
    ),
    opened_at=NOW - 3600,
)
BEAT: Final = IncidentView(
    id=9,
    route="heartbeats",
    source="heartbeat",
    state="firing",
    severity="critical",
    title="nightly-backup did not run",
    group={"heartbeat": "nightly-backup"},
    alerts=(
        AlertView(
            labels={"heartbeat": "nightly-backup", "alertname": "HeartbeatMissed", "severity": "critical"},
            severity="critical",
            state="firing",
            starts_at=NOW - 5400,
            annotations={
                "summary": "nightly-backup did not run",
                "description": "Expected at 03:00 (Europe/London), last seen 25 h ago.",
                "last log line": "restic: unable to open repository: <@&1234> dial tcp 10.0.0.5:22",
            },
        ),
    ),
    opened_at=NOW - 5400,
)
NASTY_POD: Final = "**evil** [click](https://evil.invalid) @everyone <@&1234> ||x||"

SITUATIONS: Final[dict[str, Message]] = {
    "fires": message(incident(node_down("n1"))),
    "fires on three nodes": message(incident(node_down("n1"), node_down("n2"), node_down("n3", ago=200))),
    "one of three has resolved": message(
        incident(node_down("n1"), node_down("n2", silenced=True), node_down("n3", "resolved"))
    ),
    "is over": message(incident(node_down("n1", "resolved"), state="resolved")),
    "three are over": message(
        incident(*(node_down(node, "resolved") for node in ("n1", "n2", "n3")), state="resolved")
    ),
    "flaps": message(
        incident(node_down("n1", ago=7200, times=4, last_at=NOW - 60), returns=3),
    ),
    "expired": message(incident(node_down("n1", "expired"), node_down("n2", "resolved"), state="expired"), mentions=()),
    "is silenced": message(incident(node_down("n1", silenced=True))),
    "crash loops with values": message(crash_loops(4), mentions=()),
    "a hundred crash loops": message(crash_loops(100), mentions=()),
    "falco": message(SHELL, channel="security", mentions=("here",)),
    "heartbeat": message(BEAT, mentions=("everyone",)),
    "stands in for another channel": message(
        incident(node_down("n1")), note="This channel stands in for #ops: its webhook was deleted."
    ),
    "nothing but a name": message(
        incident(
            AlertView({"alertname": "Watchdog"}, "none", "firing", 0.0),
            severity="none",
            group={},
            title="Watchdog",
            opened_at=0.0,
        ),
        mentions=(),
        links=Links(),
        stack="",
    ),
    "links of its own": message(
        incident(
            node_down(
                "n1",
                annotations={
                    "summary": "Node n1 is unreachable",
                    "runbook_url": "javascript:alert(1)",
                    "dashboard_url": "https://grafana.example.com/d/abc/nodes?var-node=n1&x=(1)",
                },
                generator_url="https://prometheus.example.com/graph?g0.expr=up",
            )
        ),
        mentions=(),
    ),
    "tries to format and to ping": message(
        incident(
            crash_loop(NASTY_POD, 3),
            crash_loop("# heading\n> quote\n- list", 4),
            title="`KubePodCrashLooping` @here\n# x",
            group={"namespace": "media"},
        ),
        mentions=("role:99",),
    ),
    "digest": message(
        incident(node_down("n1")),
        crash_loops(3),
        SHELL,
        BEAT,
        incident(*(node_down(node, "resolved") for node in ("n1", "n2", "n3")), state="resolved", id=44),
        incident(node_down("n4", "expired"), state="expired", id=45),
        crash_loops(12, "resolved"),
    ),
    "digest of what is over": message(
        incident(node_down("n1", "resolved"), state="resolved"), crash_loops(2, "resolved"), mentions=()
    ),
    "digest with too much": message(*(replace(crash_loops(40), id=at, title=f"Storm {at}") for at in range(30))),
    "fires after a quiet hour, in a forum": message(
        incident(node_down("n1"), title="NodeDown in home", id=46), channel="forum", sender="Discord alerts"
    ),
}
