"""Random route trees and label sets from a seed, and the Alertmanager configuration that says the same.

``trees`` draws from everything Alertmanager knows: regular expressions, ``continue``, nesting, missing labels, UTF-8.
With a small :class:`Universe` of listed values the label sets can be tried one and all.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from homelabmon.routing.tree import RouteNode
from homelabmon.spec.base import format_duration
from homelabmon.spec.matchers import Matcher, MatchOp

T = TypeVar("T")
Node = RouteNode[None]

OTHER = "other"
"""A value that no matcher asks for: it stands for all those that a label could have besides the named ones."""


@dataclass(frozen=True)
class Universe:
    """What matchers and labels are drawn from."""

    values: Mapping[str, Sequence[str]]
    """Label names, and values of each; the empty one stands for a missing label."""
    expressions: Sequence[str] = ()
    """Regular expressions besides those that list values."""
    operators: Sequence[MatchOp] = tuple(MatchOp)

    def label_sets(self) -> Iterator[dict[str, str]]:
        """Every label set that the values make."""
        for chosen in itertools.product(*self.values.values()):
            yield {name: value for name, value in zip(self.values, chosen, strict=True) if value}

    def labels(self, random: Random) -> dict[str, str]:
        """One label set; some labels are missing."""
        drawn = {name: random.choice(values) for name, values in self.values.items() if random.random() < 0.8}
        return {name: value for name, value in drawn.items() if value}

    def matcher(self, random: Random) -> Matcher:
        """One matcher."""
        name = random.choice(list(self.values))
        op = random.choice(self.operators)
        named = [value for value in self.values[name] if value != OTHER]
        if op in (MatchOp.EQ, MatchOp.NE):
            return Matcher(name, op, random.choice(named))
        if self.expressions and random.random() < 0.7:
            return Matcher(name, op, random.choice(self.expressions))
        chosen = random.sample(named, random.randint(1, min(3, len(named))))
        return Matcher(name, op, "|".join(map(quote_expression, chosen)))


WILD = Universe(
    values={
        "alertname": ("NodeDown", "KubePodCrashLooping", "KubeJobFailed", "Watchdog", "kubejobfailed", "Node\nDown"),
        "severity": ("critical", "warning", "info", "none", ""),
        "namespace": ("media", "media-2", "trading-fx", "monitoring", "a b", 'say "hi"', "back\\slash", ""),
        "instance": ("10.0.0.1:9100", "10.0.0.12:9100", "n1", "٣", "日本", "{", "a,b", "a\u00a0b", ""),
        "größe": ("groß", "GROSS", "Σ", "ς", "\U0001f600", ""),
        "team name": ("a", "b", "a.b", "tab\there", "'", ""),
        "kube.io/name": ("x", "X", "ſ", "s", "\u2028", ""),
    },
    expressions=(
        *("", ".*", ".+", ".", "a|", "|", "Kube.*", ".*Down", ".+e.+", "media.*|trading-.+", "^media$", "$", "a.b"),
        *(r"10\.0\.0\.[0-9]+:9100", r"\d+", r"\D+", r"\w+", r"\W+", r"\s", r"\S+", r"[[:alpha:]]+", r"[^[:upper:]]*"),
        *(r"\pL+", r"\PL", r"\p{Greek}", r"\p{Lu}.*", r"\pN", "(?i)kube.*", "(?i:GROSS|groß)", "(?i)s", "(?i)σ"),
        *("(?s).*", "Node.Down", "(?s)Node.Down", r"(?m)Node$.*|^Down", r"Node\nDown", r"[\s\S]+", r"(a|b)+", "a{1,3}"),
        *(r"Node\z", r"\ANodeDown\z", r"\bNode\w*\b", r"Kube\B.*", r"\Qa.b\E", r"\x61.*", r"\x{65e5}本", "(?U)a+.*"),
        *("(?P<n>media)(?P<m>-2)?", "(critical|warn(ing)?)", "[a-m].*", "[^a-m]*", "[]a{]+", r"\{", "a)|(?:b"),
    ),
)
"""Everything at once: for comparing with Alertmanager's own programs."""

LISTED = Universe(
    values={"a": ("", "1", "2", OTHER), "b": ("", "1", "2", OTHER), "c": ("", "1", OTHER)},
)
"""Small enough to try every label set, with matchers that list values and no others."""

MIXED = Universe(values=LISTED.values, expressions=("[12]", ".+", ".*", "1.*", "[^1]*", "o.*", "(1|2)?"))
"""The same with regular expressions that do not list values."""


def quote_expression(text: str) -> str:
    """The text as an expression that matches only itself."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)


def tree(random: Random, universe: Universe, *, depth: int = 3, width: int = 4, receivers: int = 4) -> Node:
    """A random tree, with receivers ``r0``, ``r1``, ..."""
    routes = tuple(route(random, universe, depth, width, receivers) for _ in range(random.randint(1, width)))
    return Node("root", receiver="r0", group_by=_maybe(random, ("a",)), routes=routes, payload=None)


def route(random: Random, universe: Universe, depth: int, width: int, receivers: int) -> Node:
    """A random route with what is below it."""
    below = random.randint(0, width) if depth > 1 and random.random() < 0.4 else 0
    return Node(
        "route",
        receiver=_maybe(random, f"r{random.randrange(receivers)}"),
        matchers=tuple(universe.matcher(random) for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3)))),
        group_by=_maybe(random, random.choice((("a",), ("...",), (), ("b", "a")))) if random.random() < 0.4 else None,
        group_wait=_maybe(random, random.choice((0.0, 30.0, 60.0))) if random.random() < 0.3 else None,
        continue_=random.random() < 0.3,
        routes=tuple(route(random, universe, depth - 1, width, receivers) for _ in range(below)),
        payload=None,
    )


def _maybe(random: Random, value: T) -> T | None:
    return value if random.random() < 0.6 else None


def configuration(root: Node) -> str:
    """The Alertmanager configuration with this route tree (JSON, which is YAML), its receivers doing nothing."""
    receivers = sorted({node.receiver for node in walk(root) if node.receiver})
    return dump({"route": _route(root), "receivers": [{"name": name} for name in receivers]})


def with_receivers(root: Node, prefix: str) -> Node:
    """The tree as a route that continues, each route in it with a receiver that names its path: ``t7.0.2``."""

    def name(node: Node, path: str) -> Node:
        routes = tuple(name(child, f"{path}.{number}") for number, child in enumerate(node.routes))
        return replace(node, receiver=path, routes=routes)

    return replace(name(root, f"{prefix}."), continue_=True)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, each before those below it."""
    yield node
    for child in node.routes:
        yield from walk(child)


def _route(node: Node) -> dict[str, Any]:
    durations = {
        "group_wait": node.group_wait,
        "group_interval": node.group_interval,
        "repeat_interval": node.repeat_interval,
    }
    return {
        **({"receiver": node.receiver} if node.receiver else {}),
        **({"group_by": list(node.group_by)} if node.group_by is not None else {}),
        **{name: format_duration(seconds) for name, seconds in durations.items() if seconds is not None},
        "matchers": [str(matcher) for matcher in node.matchers],
        "continue": node.continue_,
        "routes": [_route(child) for child in node.routes],
    }


def dump(data: object) -> str:
    """JSON that every YAML parser reads alike: what is not printable is escaped, and nothing as a surrogate pair."""
    text = json.dumps(data, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
