"""MetalLB: IPAddressPool and L2Advertisement v1beta1."""

from __future__ import annotations

from homelabmon.gitops.schemas.common import FILLED, NAME, NAMESPACE, SELECTOR, resource
from homelabmon.gitops.schemas.dsl import BOOL, Schema, integer, items, obj, text

_RANGE = text(
    pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3}|\s*-\s*[0-9a-fA-F.:]+)$",
    hint="a CIDR block such as 192.168.1.224/28, or first-last",
)

_POOL = obj(
    {
        "addresses!": items(_RANGE, least=1),
        "autoAssign": BOOL,
        "avoidBuggyIPs": BOOL,
        "serviceAllocation": obj(
            {
                "priority": integer(),
                "namespaces": items(NAMESPACE),
                "namespaceSelectors": items(SELECTOR),
                "serviceSelectors": items(SELECTOR),
            }
        ),
    }
)

_ADVERTISEMENT = obj(
    {
        "ipAddressPools": items(NAME),
        "ipAddressPoolSelectors": items(SELECTOR),
        "interfaces": items(FILLED),
        "nodeSelectors": items(SELECTOR),
        "preferredNodeSelectors": items(obj({"preference!": SELECTOR, "weight!": integer(1, 100)})),
        "serviceSelectors": items(SELECTOR),
    }
)

KINDS: dict[tuple[str, str], Schema] = {
    ("metallb.io/v1beta1", "IPAddressPool"): resource("metallb.io/v1beta1", "IPAddressPool", _POOL),
    ("metallb.io/v1beta1", "L2Advertisement"): resource("metallb.io/v1beta1", "L2Advertisement", _ADVERTISEMENT),
}
