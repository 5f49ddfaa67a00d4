"""Hypothesis strategies for whole stacks: valid by construction, hostile in every text that a user may write."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

HOSTILE = st.text(
    st.sampled_from(list("abz019 -_.:;,'\"\\`$(){}[]<>|&*!%@#=~^/?+\n\té€\u2028🔥")), min_size=1, max_size=24
).filter(lambda text: text.strip() == text)
SNIPPETS = st.sampled_from(
    [
        "${HOME}",
        "{{ $labels.x }}",
        "{{`{{`}}",
        "$$1",
        "<% if %>",
        "<< name >>",
        "yes",
        "null",
        "1e3",
        "0777",
        "~",
        "2026-01-01",
    ]
)
TEXT = HOSTILE | SNIPPETS | st.tuples(HOSTILE, SNIPPETS).map("".join)
NAME = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4})?", fullmatch=True)
LABEL = st.sampled_from(["namespace", "alertname", "app", "node", "team", "site"])
DURATION = st.sampled_from(["0s", "5s", "60s", "90s", "5m", "1h30m", "7d"])
POSITIVE = st.sampled_from(["15s", "60s", "5m", "1h30m", "7d"])
OWN_ALERTMANAGERS = [
    ["http://192.168.1.50:9093"],
    ["http://a.observability.svc:9093", "http://b.observability.svc:9093/path/"],
    ["https://alerts.example.net/alertmanager", "http://[fd00::5]:9093"],
]
OPTIONAL: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "prometheus": st.fixed_dictionaries({}, optional={"retention": POSITIVE, "storage": st.just("20Gi")}),
    "alertmanager": st.fixed_dictionaries({}, optional={"replicas": st.integers(1, 3), "install": st.booleans()})
    | st.fixed_dictionaries({"install": st.just(False), "urls": st.sampled_from(OWN_ALERTMANAGERS)}),
    "grafana": st.fixed_dictionaries({}, optional={"storage": st.none() | st.just("1Gi")}),
    "loki": st.fixed_dictionaries({}, optional={"retention": st.just("14d")}),
    "vector": st.just({}),
    "falco": st.just({}),
    "relay": st.just({}),
}
ADDRESSES = {
    name: f"192.168.1.{number}"
    for number, name in enumerate(["grafana", "prometheus", "loki", "vector", "alertmanager", "relay"], 229)
}


def routes(channels: list[str], depth: int = 1) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Route trees; names are made unique later."""
    route = st.fixed_dictionaries(
        {"match": st.dictionaries(LABEL, TEXT | st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=2)},
        optional={
            "channel": st.sampled_from(channels),
            "group_by": st.lists(LABEL, min_size=1, max_size=3, unique=True) | st.just(["..."]),
            "hold": DURATION | st.fixed_dictionaries({"default": DURATION}, optional={"critical": DURATION}),
            "continue": st.booleans(),
            "repeat_interval": POSITIVE,
            **({"routes": routes(channels, depth - 1)} if depth else {}),
        },
    )
    return st.lists(route, max_size=3)


def named(found: list[dict[str, Any]], prefix: str = "r") -> list[dict[str, Any]]:
    """The same routes, each with a name of its own."""
    return [
        {**route, "name": f"{prefix}-{index}", "routes": named(route.get("routes", []), f"{prefix}-{index}")}
        for index, route in enumerate(found)
    ]


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """A valid stack, as the data of its stack.yaml."""
    provider = draw(st.sampled_from(["metallb", "cilium", "kube-vip", "none"]))
    pool = ["192.168.1.224/28"] if provider in ("metallb", "cilium") else []
    channels = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
    parts = draw(st.lists(st.sampled_from(sorted(OPTIONAL)), unique=True))
    alerts = st.fixed_dictionaries(
        {
            "alert": st.from_regex(r"[A-Z][A-Za-z0-9]{1,8}", fullmatch=True),
            "expr": st.sampled_from(["up == 0", 'label_replace(up, "a", "$1", "b", "(.+)") > 1']),
            "summary": TEXT,
        },
        optional={
            "description": TEXT,
            "for": DURATION,
            "severity": st.sampled_from(["critical", "warning", "info"]),
            "labels": st.dictionaries(LABEL.filter(lambda name: name != "alertname"), TEXT, max_size=2),
            "annotations": st.dictionaries(st.sampled_from(["dashboard", "note"]), TEXT, max_size=2),
        },
    )
    return {
        "apiVersion": "homelabmon/v1",
        "name": draw(NAME),
        "cluster": {
            "distribution": draw(st.sampled_from(["k3s", "talos", "kubeadm", "rke2"])),
            "kubernetes": draw(st.sampled_from(["1.31", "1.34"])),
            "nodes": draw(st.integers(1, 5)),
            "load_balancer": {"provider": provider, "pool": pool},
            "flux": {"substitution": draw(st.sampled_from(["disabled", "escaped"])), "enabled": draw(st.booleans())},
        },
        "components": {part: draw(OPTIONAL[part]) for part in parts},
        "lb_ips": {}
        if provider == "none"
        else draw(
            st.sets(st.sampled_from(sorted(ADDRESSES))).map(lambda keys: {key: ADDRESSES[key] for key in sorted(keys)})
        ),
        "channels": {
            name: {"description": draw(TEXT), "discord": {"webhook": {"secret": draw(NAME), "key": draw(NAME)}}}
            for name in channels
        },
        "defaults": {"channel": channels[0], "hold": draw(DURATION)},
        "routes": named(draw(routes(channels))),
        "alerts": draw(st.lists(alerts, max_size=3)),
        "scrape": draw(
            st.sampled_from([[], [{"name": "nas", "targets": ["192.168.1.10:9100"], "labels": {"a": "${x}"}}]])
        ),
        "probes": [
            {"name": f"p{index}", "url": "https://example.net/", "from": vantage, "description": draw(TEXT)}
            for index, vantage in enumerate(draw(st.lists(st.sampled_from(["cluster", "both"]), max_size=2)))
        ],
        "heartbeats": [
            {"name": f"h{index}", "cronjob": "a/b", "description": draw(TEXT)}
            for index in range(draw(st.integers(0, 2)))
        ],
        "depends_on": draw(
            st.sampled_from(
                [{}, {"nas": {"down": {"alertname": "NasDown"}}, "x": {"on": ["nas"], "match": {"app": "x"}}}]
            )
        ),
        **({"outpost": {"url": "https://status.example.net"}} if draw(st.booleans()) else {}),
        **({"secrets": {"store": "vault"}} if draw(st.booleans()) else {}),
    }
