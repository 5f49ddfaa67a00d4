"""Cilium: CiliumLoadBalancerIPPool v2 and CiliumL2AnnouncementPolicy v2alpha1. Both are cluster-scoped."""

from __future__ import annotations

from homelabmon.gitops.schemas.common import FILLED, METADATA, SELECTOR
from homelabmon.gitops.schemas.dsl import BOOL, Schema, exactly_one, items, needs, obj, one_of, text

_ADDRESS = text(pattern=r"^[0-9a-fA-F.:]+$", hint="an IP address such as 192.168.1.229")
_CIDR = text(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", hint="a CIDR block such as 192.168.1.224/28")


def _cluster_wide(api_version: str, kind: str, spec: Schema) -> Schema:
    metadata = {
        **METADATA,
        "properties": {name: field for name, field in METADATA["properties"].items() if name != "namespace"},
    }
    return obj({"apiVersion!": one_of(api_version), "kind!": one_of(kind), "metadata!": metadata, "spec!": spec})


_POOL = obj(
    {
        "blocks!": items(
            obj(
                {"cidr": _CIDR, "start": _ADDRESS, "stop": _ADDRESS},
                exactly_one("cidr", "start"),
                needs("stop", "start"),
            ),
            least=1,
        ),
        "serviceSelector": SELECTOR,
        "allowFirstLastIPs": one_of("Yes", "No"),
        "disabled": BOOL,
    }
)

_POLICY = obj(
    {
        "loadBalancerIPs": BOOL,
        "externalIPs": BOOL,
        "interfaces": items(FILLED),
        "serviceSelector": SELECTOR,
        "nodeSelector": SELECTOR,
    }
)

KINDS: dict[tuple[str, str], Schema] = {
    ("cilium.io/v2", "CiliumLoadBalancerIPPool"): _cluster_wide("cilium.io/v2", "CiliumLoadBalancerIPPool", _POOL),
    ("cilium.io/v2alpha1", "CiliumL2AnnouncementPolicy"): _cluster_wide(
        "cilium.io/v2alpha1", "CiliumL2AnnouncementPolicy", _POLICY
    ),
}
