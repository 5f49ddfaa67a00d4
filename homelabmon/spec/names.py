"""Every metric, label, annotation, object and path name that the package emits or relies on.

One leaf module, so that a rename is one line and the rules, the relay and the docs cannot disagree.
"""

from typing import Final

# Label and annotation names --------------------------------------------------------------------------------------

LABEL_SEVERITY: Final = "severity"
LABEL_ALERTNAME: Final = "alertname"
LABEL_SOURCE: Final = "source"
"""Set by the relay on what did not come from Alertmanager: ``falco``, ``flux``, ``event``, ``heartbeat``, ``probe``."""
SOURCE_ALERTMANAGER: Final = "alertmanager"
SOURCE_FALCO: Final = "falco"
SOURCE_FLUX: Final = "flux"
SOURCE_EVENT: Final = "event"
SOURCE_HEARTBEAT: Final = "heartbeat"
SOURCE_PROBE: Final = "probe"
SOURCE_OUTPOST: Final = "outpost"
SOURCE_OWN: Final = "own"
"""How the inbox calls what the service itself has to tell; each notice in it has a source of its own."""
LABEL_COMPONENT: Final = "component"
"""Which of our components a rule is about; ``component="relay"`` must never travel through the relay."""
LABEL_HEARTBEAT: Final = "heartbeat"
LABEL_PROBE: Final = "probe"
LABEL_ENGINE: Final = "engine"
"""Which rule engine's Watchdog, where a cluster has several."""
MANAGED_BY: Final = "homelabmon"
SEVERITIES: Final = ("critical", "warning", "info", "none")

# Alerts that the service itself raises -----------------------------------------------------------------------------

ALERT_HEARTBEAT: Final = "HeartbeatMissed"
"""Also the name of the rule for CronJobs in the cluster: one name, whoever watches."""
ALERT_HEARTBEATS_UNVERIFIED: Final = "HeartbeatsUnverified"
ALERT_PROBE: Final = "ProbeDown"
ALERT_PROBE_SLOW: Final = "ProbeSlow"
ALERT_PROBE_CERTIFICATE: Final = "ProbeCertificateExpires"
ALERT_PROBE_CERTIFICATE_LAST_DAYS: Final = "ProbeCertificateLastDays"
"""Names of the rules for probes from inside, too."""
ALERT_CLUSTER_SILENT: Final = "ClusterSilent"
"""The Watchdog has not been heard of, or Alertmanager has said that it is over."""
ALERT_OUTPOST_AWAY: Final = "OutpostWasAway"
"""An event: the outpost was down, suspended or blind, and is back."""

# kube-prometheus-stack: names that follow from releaseName (facts: any other release name changes them) -----------

KPS_RELEASE: Final = "kube-prometheus-stack"
JOB_NODE_EXPORTER: Final = "node-exporter"
JOB_KUBE_STATE_METRICS: Final = "kube-state-metrics"
JOB_KUBELET: Final = "kubelet"
JOB_PROMETHEUS: Final = "kube-prometheus-stack-prometheus"
JOB_ALERTMANAGER: Final = "kube-prometheus-stack-alertmanager"
JOB_LOKI: Final = "monitoring/loki"
JOB_VECTOR_AGENT: Final = "vector-agent"
JOB_VECTOR_AGGREGATOR: Final = "vector-aggregator"
JOB_RELAY: Final = "discord-alert-proxy"
JOB_OUTPOST: Final = "outpost"
JOB_BLACKBOX: Final = "blackbox"
JOB_FALCO: Final = "falco"
JOB_METALLB: Final = "metallb"
JOB_CILIUM_OPERATOR: Final = "cilium-operator"
METRICS_READER: Final = "homelabmon-metrics-reader"
"""The account, and its Secret, with which Prometheus reads metrics that ask who reads them."""

DATASOURCE_PROMETHEUS: Final = "prometheus"
"""uid of Grafana's data source for Prometheus; links in messages lead there."""

RECEIVER_PEOPLE: Final = "relay"
"""Alertmanager's receiver for everything that people are told by the relay."""
WATCHDOG: Final = "Watchdog"
INFO_INHIBITOR: Final = "InfoInhibitor"

# Metrics of the relay and the outpost ------------------------------------------------------------------------------

METRIC_RECEIVED: Final = "homelabmon_alerts_received_total"
METRIC_POSTED: Final = "homelabmon_alerts_posted_total"
METRIC_SUPPRESSED: Final = "homelabmon_alerts_suppressed_total"
METRIC_DEDUPLICATED: Final = "homelabmon_alerts_deduplicated_total"
METRIC_QUEUED: Final = "homelabmon_queue_alerts"
METRIC_DEAD_LETTERED: Final = "homelabmon_alerts_dead_lettered_total"
METRIC_QUEUE_AGE: Final = "homelabmon_queue_oldest_age_seconds"
METRIC_CHANNEL_DISABLED: Final = "homelabmon_channel_disabled"
METRIC_DELIVERY_FAILURES: Final = "homelabmon_delivery_failures_total"
METRIC_STORE_WRITABLE: Final = "homelabmon_store_writable"
METRIC_CONFIG_RELOAD_OK: Final = "homelabmon_config_last_reload_successful"
METRIC_QUARANTINED: Final = "homelabmon_quarantined_payloads"
METRIC_INBOX: Final = "homelabmon_inbox_requests"
METRIC_INBOX_AGE: Final = "homelabmon_inbox_oldest_age_seconds"
METRIC_OPEN_INCIDENTS: Final = "homelabmon_open_incidents"
METRIC_DEAD_LETTERS: Final = "homelabmon_dead_letters"
METRIC_STORE_BYTES: Final = "homelabmon_store_bytes"
METRIC_STORE_REPLACED: Final = "homelabmon_store_replaced_total"
METRIC_COMMITS_FAILED: Final = "homelabmon_commits_failed_total"
METRIC_REQUESTS: Final = "homelabmon_requests_total"
METRIC_ACKNOWLEDGE: Final = "homelabmon_acknowledge_seconds"
METRIC_UNREAD: Final = "homelabmon_unread_total"
METRIC_LEFT_OUT: Final = "homelabmon_sender_left_out_total"
METRIC_HOLD: Final = "homelabmon_hold_seconds"
METRIC_DELIVERY: Final = "homelabmon_delivery_seconds"
METRIC_MESSAGES: Final = "homelabmon_messages_total"
METRIC_CONNECTIONS: Final = "homelabmon_connections"
METRIC_BUILD: Final = "homelabmon_build_info"
METRIC_OUTPOST_BLIND: Final = "outpost_blind"
METRIC_GAPS: Final = "homelabmon_outpost_gaps_total"
METRIC_WATCHDOG_SEEN: Final = "homelabmon_watchdog_last_seen_timestamp_seconds"
METRIC_WATCHDOG_SILENT: Final = "homelabmon_watchdog_silent"
METRIC_REPORT_SEEN: Final = "homelabmon_report_last_seen_timestamp_seconds"
METRIC_REPORT_SENT: Final = "homelabmon_report_last_sent_timestamp_seconds"
METRIC_THIRD_LEG: Final = "homelabmon_third_leg_last_success_timestamp_seconds"
METRIC_HEARTBEAT_LAST_SUCCESS: Final = "homelabmon_heartbeat_last_success_timestamp_seconds"
METRIC_HEARTBEAT_DOWN: Final = "homelabmon_heartbeat_down"
METRIC_PROBE_UP: Final = "homelabmon_probe_up"
METRIC_PROBE_DURATION: Final = "homelabmon_probe_duration_seconds"
METRIC_PROBE_CERTIFICATE: Final = "homelabmon_probe_certificate_expiry_timestamp_seconds"
METRIC_PROBE_CHECKS: Final = "homelabmon_probe_checks_total"
METRIC_STATUS_PUBLISHED: Final = "homelabmon_status_page_published_timestamp_seconds"
METRIC_PINGS: Final = "homelabmon_heartbeat_pings_total"
METRIC_SPOOL_WAITING: Final = "homelabmon_spool_pings"
METRIC_SPOOL_AGE: Final = "homelabmon_spool_oldest_age_seconds"
METRIC_SPOOL_PINGS: Final = "homelabmon_spool_pings_total"
"""Each carries ``channel`` where it is about a channel, ``reason`` where a failure has one."""

# Series recorded by our rule packs ------------------------------------------------------------------------------------

RECORD_SERVICE_ENDPOINTS: Final = "homelabmon:service_endpoints:count"
RECORD_SERVICE_READY_ENDPOINTS: Final = "homelabmon:service_ready_endpoints:count"
"""Each by ``namespace`` and ``service``; a Service without any has no series."""

# The relay's HTTP paths and files ----------------------------------------------------------------------------------

RELAY_NAME: Final = "discord-alert-proxy"
RELAY_PORT: Final = 8080
PATH_ALERTMANAGER: Final = "/v1/alertmanager"
PATH_FALCO: Final = "/v1/falco"
PATH_FLUX: Final = "/v1/flux"
PATH_EVENT: Final = "/v1/event"
PATH_REPORT: Final = "/v1/report"
"""At the outpost: what the cluster's relay says of itself."""
PATH_HEALTH: Final = "/healthz"
PATH_READY: Final = "/readyz"
PATH_METRICS: Final = "/metrics"
PATH_CONSOLE: Final = "/console"
PATH_PING: Final = "/ping"
SECRETS_DIR: Final = "/etc/homelabmon/secrets"
CONFIG_DIR: Final = "/etc/homelabmon/config"
CONFIG_FILE: Final = "relay.yaml"
DATA_DIR: Final = "/var/lib/homelabmon"

# Annotations and labels of other people's controllers ---------------------------------------------------------------

FLUX_SUBSTITUTE: Final = "kustomize.toolkit.fluxcd.io/substitute"
FLUX_PRUNE: Final = "kustomize.toolkit.fluxcd.io/prune"
METALLB_IPS: Final = "metallb.io/loadBalancerIPs"
CILIUM_IPS: Final = "lbipam.cilium.io/ips"
KUBE_VIP_IPS: Final = "kube-vip.io/loadbalancerIPs"
PSA_ENFORCE: Final = "pod-security.kubernetes.io/enforce"

# Documentation ------------------------------------------------------------------------------------------------------

DOCS_URL: Final = "https://github.com/homelabmon/homelabmon/blob/main/docs"
RUNBOOKS_URL: Final = f"{DOCS_URL}/runbooks"
CHECKS_URL: Final = f"{DOCS_URL}/reference/checks"
SCHEMA_API_VERSION: Final = "homelabmon/v1"
HEADER: Final = "Rendered by homelabmon from stack.yaml. Do not edit: change stack.yaml and run `homelabmon render`."
