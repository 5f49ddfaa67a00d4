"""A small stack, and what it folds to: what the tests of components look at."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from homelabmon.render.fold import Folded, fold
from homelabmon.render.templates import Templates
from homelabmon.spec.contribution import Object
from homelabmon.stack import Stack

K3S: Mapping[str, Any] = {"distribution": "k3s", "load_balancer": {"provider": "metallb", "pool": ["192.168.1.224/28"]}}
TALOS: Mapping[str, Any] = {
    "distribution": "talos",
    "load_balancer": {"provider": "cilium", "pool": ["192.168.1.224/28"]},
    "storage_class": "longhorn",
    "domain": "home.arpa",
}
LB_IPS: Mapping[str, str] = {"loki": "192.168.1.231", "vector": "192.168.1.232"}


def folded(
    components: Mapping[str, Any], cluster: Mapping[str, Any] = K3S, lb_ips: Mapping[str, str] = LB_IPS, **sections: Any
) -> Folded:
    """What a stack with these components folds to; ``sections`` are further keys of stack.yaml. Not to be changed."""
    stack = {
        "apiVersion": "homelabmon/v1",
        "name": "home",
        "cluster": cluster,
        "components": components,
        "lb_ips": lb_ips,
        "channels": {"ops": {"discord": {"webhook": {"secret": "discord-webhooks", "key": "ops"}}}},
        "defaults": {"channel": "ops"},
        **sections,
    }
    return _fold(json.dumps(stack))


@functools.cache
def _fold(stack: str) -> Folded:
    return fold(Stack.model_validate(json.loads(stack)), Templates())


def objects(result: Folded, app: str, file: str) -> list[Object]:
    """The objects in one file of an app."""
    return result.objects[app][file]


def only(result: Folded, app: str, file: str) -> Object:
    """The one object in a file of an app."""
    (found,) = objects(result, app, file)
    return found
