"""Renders the packs as the renderer does, with example values: for the tests beside this file."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from homelabmon.spec import names

ROOT = Path(__file__).parents[2]
PACKS_DIR = ROOT / "templates" / "packs"
RUNBOOKS_DIR = ROOT / "docs" / "runbooks"
PACKS = (
    "cronjobs",
    "falco",
    "load-balancer",
    "logs",
    "nodes",
    "outpost",
    "pods",
    "probes",
    "readiness",
    "relay",
)
RUNBOOKS = "https://docs.example.net/runbooks"
AWKWARD = "a\"b: 'c' #d\\.e"

JOBS = {
    "node_exporter": names.JOB_NODE_EXPORTER,
    "kube_state_metrics": names.JOB_KUBE_STATE_METRICS,
    "kubelet": names.JOB_KUBELET,
    "prometheus": names.JOB_PROMETHEUS,
    "alertmanager": names.JOB_ALERTMANAGER,
    "loki": names.JOB_LOKI,
    "vector_agent": names.JOB_VECTOR_AGENT,
    "vector_aggregator": names.JOB_VECTOR_AGGREGATOR,
    "relay": names.JOB_RELAY,
    "outpost": names.JOB_OUTPOST,
    "blackbox": names.JOB_BLACKBOX,
    "falco": names.JOB_FALCO,
}

LB_SERVICES = [
    {
        "name": "grafana",
        "namespace": "monitoring",
        "service": "grafana-lan",
        "ip": "192.168.1.229",
        "behind": "kube-prometheus-stack-grafana",
    },
    {"name": "loki", "namespace": "monitoring", "service": "loki-lan", "ip": "192.168.1.231", "behind": "loki"},
]
PROBES = [
    {
        "name": "nas",
        "url": "https://nas.example.net/",
        "severity": "critical",
        "for_seconds": 120,
        "job": names.JOB_BLACKBOX,
    },
    {
        "name": "router",
        "url": "http://192.168.1.1/",
        "severity": "warning",
        "for_seconds": 300,
        "job": names.JOB_BLACKBOX,
    },
]
CRONJOBS = [
    {
        "heartbeat": "restic-offsite",
        "namespace": "backups",
        "cronjob": "restic-offsite",
        "max_gap": 86400,
        "grace": 3600,
        "severity": "critical",
    },
]

# What each pack is told besides the common variables.
EXTRA: dict[str, dict[str, Any]] = {
    "cronjobs": {"cronjobs": CRONJOBS},
    "falco": {"falco_namespace": "security"},
    "load-balancer": {"lb_provider": "metallb", "lb_services": LB_SERVICES},
    "logs": {"loki": True, "vector": True, "vector_namespace": "monitoring"},
    "outpost": {"third_leg": 300},
    "probes": {"probes": PROBES},
    "readiness": {"lb_services": LB_SERVICES},
}

# The same packs told otherwise: with nothing to watch, or another provider. Their names are those of test files too.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "cronjobs-none": ("cronjobs", {"cronjobs": []}),
    "cronjobs-own-schedule": ("cronjobs", {"cronjobs": [CRONJOBS[0] | {"max_gap": None}]}),
    "cronjobs-suspended": ("cronjobs", {}),
    "load-balancer-cilium": ("load-balancer", {"lb_provider": "cilium", "lb_services": []}),
    "load-balancer-kube-vip": ("load-balancer", {"lb_provider": "kube-vip", "lb_services": []}),
    "load-balancer-none": ("load-balancer", {"lb_provider": "none", "lb_services": LB_SERVICES}),
    "logs-loki": ("logs", {"vector": False, "vector_namespace": ""}),
    "logs-none": ("logs", {"loki": False, "vector": False, "vector_namespace": ""}),
    "logs-vector": ("logs", {"loki": False}),
    "outpost-alone": ("outpost", {"third_leg": None}),
    "probes-none": ("probes", {"probes": []}),
    "probes-own-limits": (
        "probes",
        {"probes": [PROBES[0] | {"within": 5, "tls_days": 30}, PROBES[1] | {"within": None, "tls_days": 0}]},
    ),
    "readiness-no-lb": ("readiness", {"lb_services": []}),
}
RENDERINGS = [*PACKS, *sorted(VARIANTS)]


def to_duration(seconds: int) -> str:
    """Seconds as Prometheus writes them: ``90`` is ``1m30s``."""
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def to_promql(text: str) -> str:
    """Text for the inside of a double-quoted PromQL string."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@cache
def environment() -> jinja2.Environment:
    """The environment that the renderer gives to every template."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PACKS_DIR),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    env.filters |= {"json": json.dumps, "duration": to_duration, "promql": to_promql}
    return env


def documented_options(pack: str) -> dict[str, Any]:
    """The defaults that the comment at the head of a template promises, in lines ``name = JSON (unit): meaning``."""
    head = (PACKS_DIR / f"{pack}.yaml.j2").read_text().split("#>", 1)[0]
    return {name: json.loads(value) for name, value in re.findall(r"^  (\w+) = (.*) \([a-zA-Z ]+\): ", head, re.M)}


def render(rendering: str, **options: Any) -> str:
    """A pack, or a variant of one, as text."""
    pack, overrides = VARIANTS.get(rendering, (rendering, {}))
    return (
        environment()
        .get_template(f"{pack}.yaml.j2")
        .render(
            runbooks=RUNBOOKS,
            jobs=JOBS,
            pack=documented_options(pack) | options,
            **(EXTRA.get(pack, {}) | overrides),
        )
    )


def rules(rendering: str) -> list[dict[str, Any]]:
    """Every rule of a rendering, recording rules included."""
    return [rule for group in yaml.safe_load(render(rendering))["groups"] for rule in group["rules"]]


def awkward(value: Any) -> Any:
    """The same structure, with every text as awkward as a regular expression may be."""
    if isinstance(value, dict):
        return {key: awkward(item) for key, item in value.items()}
    if isinstance(value, list):
        return [awkward(item) for item in value]
    return AWKWARD if isinstance(value, str) else value


def alerts(rendering: str) -> list[dict[str, Any]]:
    """Every alerting rule of a rendering."""
    return [rule for rule in rules(rendering) if "alert" in rule]


ALL_ALERTS = [(rendering, rule) for rendering in RENDERINGS for rule in alerts(rendering)]
"""Each alerting rule, with the rendering it is from."""
