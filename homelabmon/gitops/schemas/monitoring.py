"""prometheus-operator: PrometheusRule, ServiceMonitor, PodMonitor and Probe v1, ScrapeConfig v1alpha1.

Some rules are not the CRD's but the operator's own: it skips an object that breaks them, with nothing but an event to
tell, so that nothing is scraped.
"""

from __future__ import annotations

from homelabmon.gitops.schemas.common import (
    FILLED,
    PROMETHEUS_DURATION,
    SECRET_KEY,
    SELECTOR,
    TEXTS,
    resource,
)
from homelabmon.gitops.schemas.dsl import (
    BOOL,
    TEXT,
    Schema,
    at_least_one,
    at_most_one,
    beyond,
    exactly_one,
    integer,
    items,
    mapping,
    obj,
    one_of,
    shared,
    text,
    when,
    words,
)

_INT_OR_TEXT: Schema = {"type": ["integer", "string"]}
_LIMIT = shared("limit", integer(0, 2**63 - 1))

# PrometheusRule -------------------------------------------------------------------------------------------------------

_RULE = obj(
    {
        "alert": FILLED,
        "record": FILLED,
        "expr!": {"type": ["integer", "string"], "minLength": 1, "hint": "a PromQL expression"},
        "for": PROMETHEUS_DURATION,
        "keep_firing_for": PROMETHEUS_DURATION,
        "labels": TEXTS,
        "annotations": TEXTS,
    },
    exactly_one("alert", "record"),
    {
        "if": {"required": ["record"]},
        "then": {"not": {"anyOf": [{"required": [name]} for name in ("for", "keep_firing_for", "annotations")]}},
        "rule": "a recording rule takes no for, keep_firing_for or annotations",
    },
)

_PROMETHEUS_RULE = obj(
    {
        "groups": items(
            obj(
                {
                    "name!": FILLED,
                    "rules": items(_RULE),
                    "interval": PROMETHEUS_DURATION,
                    "query_offset": PROMETHEUS_DURATION,
                    "limit": integer(),
                    "labels": TEXTS,
                    "partial_response_strategy": one_of("", "abort", "warn"),
                }
            ),
            unique=["name"],
        )
    }
)

# What every way of scraping takes -------------------------------------------------------------------------------------

_ACTIONS = words(
    "replace keep drop hashmod labelmap labeldrop labelkeep lowercase uppercase keepequal dropequal "
    "Replace Keep Drop HashMod LabelMap LabelDrop LabelKeep Lowercase Uppercase KeepEqual DropEqual"
)
_WRITES = [
    action
    for action in _ACTIONS
    if action.lower() in {"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"}
]
_RELABEL = shared(
    "relabel",
    obj(
        {
            "action": one_of(*_ACTIONS),
            "sourceLabels": items(FILLED),
            "separator": TEXT,
            "regex": TEXT,
            "modulus": _LIMIT,
            "targetLabel": FILLED,
            "replacement": TEXT,
        },
        {
            "if": {"properties": {"action": {"enum": _WRITES}}},
            "then": {"required": ["targetLabel"]},
            "rule": "this action (replace is the default) needs targetLabel",
        },
        when("action", ["hashmod", "HashMod"], require="modulus"),
        {
            "if": {
                "properties": {"action": {"enum": ["labeldrop", "LabelDrop", "labelkeep", "LabelKeep"]}},
                "required": ["action"],
            },
            "then": {"maxProperties": 2, "required": ["regex"]},
            "rule": "labeldrop and labelkeep take a regex and nothing else",
        },
    ),
)

_TLS_VERSION = one_of("TLS10", "TLS11", "TLS12", "TLS13")
_KEY_SOURCE = shared(
    "key_source", obj({"secret": SECRET_KEY, "configMap": SECRET_KEY}, at_most_one("secret", "configMap"))
)
_TLS_FIELDS: dict[str, Schema] = {
    "ca": _KEY_SOURCE,
    "cert": _KEY_SOURCE,
    "keySecret": SECRET_KEY,
    "serverName": TEXT,
    "insecureSkipVerify": BOOL,
    "minVersion": _TLS_VERSION,
    "maxVersion": _TLS_VERSION,
}
_TLS = shared("tls", obj(_TLS_FIELDS))
_TLS_WITH_FILES = obj({**_TLS_FIELDS, "caFile": TEXT, "certFile": TEXT, "keyFile": TEXT})
_PROXY_HEADERS = shared("proxy_headers", mapping(items(SECRET_KEY)))
_PROXY: dict[str, Schema] = {
    "proxyUrl": shared(
        "proxy_url", text(pattern=r"^(http|https|socks5)://.+$", hint="an address such as http://proxy:3128")
    ),
    "noProxy": TEXT,
    "proxyFromEnvironment": BOOL,
    "proxyConnectHeader": _PROXY_HEADERS,
}
_OAUTH2 = shared(
    "oauth2",
    obj(
        {
            "clientId!": _KEY_SOURCE,
            "clientSecret!": SECRET_KEY,
            "tokenUrl!": text(pattern=r"^(http|https)://.+$", hint="an address such as https://auth.example.net/token"),
            "scopes": items(TEXT),
            "endpointParams": TEXTS,
            "tlsConfig": _TLS,
            **_PROXY,
        }
    ),
)
_AUTH: dict[str, Schema] = {
    "basicAuth": shared("basic_auth", obj({"username": SECRET_KEY, "password": SECRET_KEY})),
    "authorization": shared("authorization", obj({"type": TEXT, "credentials": SECRET_KEY})),
    "oauth2": _OAUTH2,
}
_ONE_AUTH = at_most_one("basicAuth", "authorization", "oauth2")
_TIMES: Schema = {"noLonger": ["scrapeTimeout", "interval"], "rule": "scrapeTimeout is longer than interval"}
_SCHEME = one_of("http", "https", "HTTP", "HTTPS")
_PROTOCOL = shared(
    "protocol",
    one_of(
        "PrometheusProto", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusText0.0.4", "PrometheusText1.0.0"
    ),
)
_LIMITS: dict[str, Schema] = {
    "sampleLimit": _LIMIT,
    "targetLimit": _LIMIT,
    "labelLimit": _LIMIT,
    "labelNameLengthLimit": _LIMIT,
    "labelValueLengthLimit": _LIMIT,
    "keepDroppedTargets": _LIMIT,
    "scrapeClass": FILLED,
    "fallbackScrapeProtocol": _PROTOCOL,
    "scrapeProtocols": items(_PROTOCOL, least=1, distinct=True),
    "scrapeClassicHistograms": BOOL,
    "scrapeNativeHistograms": BOOL,
    "convertClassicHistogramsToNHCB": BOOL,
    "nativeHistogramBucketLimit": _LIMIT,
}
_NAMESPACES = shared("namespaces", obj({"any": BOOL, "matchNames": items(FILLED)}, at_most_one("any", "matchNames")))
_SIZE = text(pattern=r"^[0-9]+([.][0-9]+)?((K|M|G|T|E|P)i?)?B$", hint="a size such as 50MB")
_PARAMS = shared("params", mapping(items(TEXT)))

# Monitors -------------------------------------------------------------------------------------------------------------

_ENDPOINT: dict[str, Schema] = {
    "port": FILLED,
    "targetPort": _INT_OR_TEXT,
    "path": TEXT,
    "scheme": _SCHEME,
    "params": _PARAMS,
    "interval": PROMETHEUS_DURATION,
    "scrapeTimeout": PROMETHEUS_DURATION,
    "honorLabels": BOOL,
    "honorTimestamps": BOOL,
    "trackTimestampsStaleness": BOOL,
    "followRedirects": BOOL,
    "enableHttp2": BOOL,
    "filterRunning": BOOL,
    "relabelings": items(_RELABEL),
    "metricRelabelings": items(_RELABEL),
    "bearerTokenSecret": SECRET_KEY,
    **_AUTH,
    **_PROXY,
}
_MONITOR: dict[str, Schema] = {
    "selector!": SELECTOR,
    "namespaceSelector": _NAMESPACES,
    "selectorMechanism": one_of("RelabelConfig", "RoleSelector"),
    "jobLabel": TEXT,
    "podTargetLabels": items(FILLED),
    "attachMetadata": obj({"node": BOOL}),
    "bodySizeLimit": _SIZE,
    **_LIMITS,
}

_SERVICE_MONITOR = obj(
    {
        "endpoints!": items(
            obj({**_ENDPOINT, "bearerTokenFile": TEXT, "tlsConfig": _TLS_WITH_FILES}, _ONE_AUTH, _TIMES)
        ),
        "targetLabels": items(FILLED),
        "serviceDiscoveryRole": one_of("Endpoints", "EndpointSlice"),
        **_MONITOR,
    }
)

_POD_MONITOR = obj(
    {
        "podMetricsEndpoints": items(
            obj({**_ENDPOINT, "portNumber": integer(1, 65535), "tlsConfig": _TLS}, _ONE_AUTH, _TIMES)
        ),
        "podTargetLabels": items(FILLED),
        **_MONITOR,
    }
)

_PROBE = obj(
    {
        "prober!": obj(
            {
                "url!": text(
                    pattern=r"^[^/:\s]+(:[0-9]{1,5})?$", hint="host:port without http://, scheme stands apart"
                ),
                "scheme": _SCHEME,
                "path": TEXT,
                **_PROXY,
            }
        ),
        "targets!": obj(
            {
                "staticConfig": obj(
                    {"static": items(FILLED), "labels": TEXTS, "relabelingConfigs": items(_RELABEL)},
                ),
                "ingress": obj(
                    {"selector": SELECTOR, "namespaceSelector": _NAMESPACES, "relabelingConfigs": items(_RELABEL)}
                ),
            },
            at_least_one("staticConfig", "ingress"),
        ),
        "module": TEXT,
        "jobName": TEXT,
        "interval": PROMETHEUS_DURATION,
        "scrapeTimeout": PROMETHEUS_DURATION,
        "params": items(obj({"name!": FILLED, "values": items(FILLED, least=1)}), least=1, unique=["name"]),
        "metricRelabelings": items(_RELABEL),
        "tlsConfig": _TLS,
        "bearerTokenSecret": SECRET_KEY,
        "followRedirects": BOOL,
        "enableHttp2": BOOL,
        **_AUTH,
        **_LIMITS,
    },
    _ONE_AUTH,
    _TIMES,
)

# ScrapeConfig ---------------------------------------------------------------------------------------------------------

_CLIENT: dict[str, Schema] = {
    "refreshInterval": PROMETHEUS_DURATION,
    "followRedirects": BOOL,
    "enableHTTP2": BOOL,
    "tlsConfig": _TLS,
    **_AUTH,
    **_PROXY,
}
_ROLE = one_of("Pod", "Endpoints", "Ingress", "Service", "Node", "EndpointSlice")
_FILE = text(pattern=r"^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$", hint="a path that ends in .json or .yaml")
_OTHER_DISCOVERY = words(
    "azure consul digitalOcean docker dockerSwarm ec2 eureka gce hetzner ionos kuma lightSail linode nomad openstack "
    "ovhcloud puppetDB scaleway"
)

_SCRAPE_CONFIG = obj(
    {
        "staticConfigs": items(
            obj({"targets!": items(FILLED, least=1, distinct=True), "labels": TEXTS}),
        ),
        "httpSDConfigs": items(
            obj({"url!": text(pattern=r"^https?://.+$", hint="an address such as http://host/targets"), **_CLIENT}),
        ),
        "fileSDConfigs": items(
            obj({"files!": items(_FILE, least=1, distinct=True), "refreshInterval": PROMETHEUS_DURATION})
        ),
        "dnsSDConfigs": items(
            obj(
                {
                    "names!": items(FILLED, least=1),
                    "type": one_of("A", "AAAA", "MX", "NS", "SRV"),
                    "port": integer(0, 65535),
                    "refreshInterval": PROMETHEUS_DURATION,
                },
                when("type", ["A", "AAAA", "MX", "NS"], require="port"),
            )
        ),
        "kubernetesSDConfigs": items(
            obj(
                {
                    "role!": _ROLE,
                    "apiServer": FILLED,
                    "namespaces": obj({"names": items(FILLED, distinct=True), "ownNamespace": BOOL}),
                    "selectors": items(
                        obj({"role!": _ROLE, "label": FILLED, "field": FILLED}),
                        unique=["role"],
                    ),
                    "attachMetadata": obj({"node": BOOL}),
                    **{name: schema for name, schema in _CLIENT.items() if name != "refreshInterval"},
                }
            )
        ),
        **{f"{name}SDConfigs": beyond(f"{name}SDConfigs") for name in _OTHER_DISCOVERY},
        "jobName": FILLED,
        "metricsPath": FILLED,
        "scheme": _SCHEME,
        "params": _PARAMS,
        "scrapeInterval": PROMETHEUS_DURATION,
        "scrapeTimeout": PROMETHEUS_DURATION,
        "honorLabels": BOOL,
        "honorTimestamps": BOOL,
        "trackTimestampsStaleness": BOOL,
        "enableCompression": BOOL,
        "enableHTTP2": BOOL,
        "bodySizeLimit": _SIZE,
        "nameValidationScheme": one_of("UTF8", "Legacy"),
        "nameEscapingScheme": one_of("AllowUTF8", "Underscores", "Dots", "Values"),
        "relabelings": items(_RELABEL, least=1),
        "metricRelabelings": items(_RELABEL, least=1),
        "tlsConfig": _TLS,
        **_AUTH,
        **_PROXY,
        **_LIMITS,
    },
    _ONE_AUTH,
    {"noLonger": ["scrapeTimeout", "scrapeInterval"], "rule": "scrapeTimeout is longer than scrapeInterval"},
)

KINDS: dict[tuple[str, str], Schema] = {
    (version, kind): resource(version, kind, spec)
    for version, kind, spec in (
        ("monitoring.coreos.com/v1", "PrometheusRule", _PROMETHEUS_RULE),
        ("monitoring.coreos.com/v1", "ServiceMonitor", _SERVICE_MONITOR),
        ("monitoring.coreos.com/v1", "PodMonitor", _POD_MONITOR),
        ("monitoring.coreos.com/v1", "Probe", _PROBE),
        ("monitoring.coreos.com/v1alpha1", "ScrapeConfig", _SCRAPE_CONFIG),
    )
}
