"""Pictures of the stack as text: Mermaid for GitHub, DOT for Graphviz. Used by the monitoring page and ``graph``.

Nodes and arrows are what the components contributed; from the stack come the channels, the names of the routes that
lead to them, and who falls when whom falls. Same stack, same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from homelabmon.errors import HomelabmonError
from homelabmon.render.fold import Folded
from homelabmon.spec.contribution import Edge, Node, Site
from homelabmon.spec.routes import Route
from homelabmon.stack import Stack

View = Literal["all", "components", "alerts", "logs", "depends"]
Format = Literal["mermaid", "dot"]

_CHANNEL: Final = "channel-"
_DEPENDS: Final = "depends"
_FLOWS: Final[Mapping[View, tuple[str, ...]]] = {
    "components": ("alerts", "logs", "metrics"),
    "alerts": ("alerts",),
    "logs": ("logs",),
    "depends": (_DEPENDS,),
}
"""The arrows of each view; ``all`` has every one."""
_LISTED: Final = 4
_SVG_SECONDS: Final = 60.0


class Picture(NamedTuple):
    """What is drawn: boxes by group (group title to nodes), and arrows whose two ends are among them."""

    groups: Mapping[str, tuple[Node, ...]]
    edges: tuple[Edge, ...]
    down: bool
    """Whether the picture runs from top to bottom instead of from left to right."""


def graph(stack: Stack, folded: Folded, *, view: View = "all", format: Format = "mermaid") -> str:
    """One picture of the stack. An arrow of ``depends`` runs from what falls to what falls with it."""
    picture = draw(stack, folded, view)
    return mermaid(picture) if format == "mermaid" else dot(picture)


def svg(dot_text: str) -> bytes:
    """The picture as SVG, by Graphviz' ``dot``. Raises HomelabmonError where that is missing or refuses the text."""
    import subprocess

    try:
        result = subprocess.run(
            ["dot", "-Tsvg"], input=dot_text.encode(), capture_output=True, timeout=_SVG_SECONDS, check=False
        )
    except FileNotFoundError:
        raise HomelabmonError(
            "the program `dot` is missing, which draws SVG: install Graphviz (apt-get install graphviz),"
            " or take --format mermaid"
        ) from None
    except subprocess.TimeoutExpired:
        raise HomelabmonError(f"`dot` did not finish within {_SVG_SECONDS:.0f} s: try a smaller --view") from None
    if result.returncode:
        reason = result.stderr.decode(errors="replace").strip().partition("\n")[0] or f"exit code {result.returncode}"
        raise HomelabmonError(f"`dot` could not draw the picture: {reason}")
    return result.stdout


# What is in a picture ----------------------------------------------------------------------------------------------


def draw(stack: Stack, folded: Folded, view: View) -> Picture:
    """The boxes and arrows of a view."""
    channels = (Node(f"{_CHANNEL}{name}", f"#{name}", "channel") for name in stack.channels)
    nodes = {node.id: node for node in (*folded.nodes.values(), *_things(stack, folded))}
    nodes |= {node.id: node for node in channels if node.id not in nodes}
    edges = [_with_routes(edge, folded.site, nodes) for edge in (*folded.edges, *_dependencies(stack))]
    wanted = _FLOWS.get(view)
    kept = [edge for edge in edges if wanted is None or edge.flow in wanted]
    if view == "components":
        nodes = {name: node for name, node in nodes.items() if node.kind not in ("channel", "thing", _DEPENDS)}
    kept = [edge for edge in kept if edge.source in nodes and edge.target in nodes]
    ends = {end for edge in kept for end in (edge.source, edge.target)}
    shown = [node for node in nodes.values() if node.id in ends or _stands_alone(node, view, stack)]
    return Picture(_grouped(shown, stack), tuple(_merged(kept)), view == "depends")


def _stands_alone(node: Node, view: View, stack: Stack) -> bool:
    """Whether a box is shown though no arrow of the view touches it."""
    if view == "depends":
        return node.id in stack.depends_on
    return view == "all" or (view == "components" and node.kind != "external")


def _things(stack: Stack, folded: Folded) -> Iterator[Node]:
    """Things of ``depends_on`` that are not on the picture already as a component of that name."""
    for name, thing in stack.depends_on.items():
        if name not in folded.nodes:
            yield Node(name, f"{name}: {thing.description}" if thing.description else name, _DEPENDS)


def _dependencies(stack: Stack) -> Iterator[Edge]:
    for name, thing in stack.depends_on.items():
        yield from (Edge(name, below, _DEPENDS) for below in thing.on)


def _with_routes(edge: Edge, site: Site, nodes: Mapping[str, Node]) -> Edge:
    """An arrow of alerts into a channel, labelled with the routes that lead there.

    What comes from outside (the outpost) speaks for itself, not for routes.
    """
    source = nodes.get(edge.source)
    if edge.label or edge.flow != "alerts" or not edge.target.startswith(_CHANNEL) or source is None:
        return edge
    if source.kind == "external":
        return edge
    channel = edge.target.removeprefix(_CHANNEL)
    names = [name for name, target in _routes(site.all_routes, site.defaults.channel) if target == channel]
    if site.defaults.channel == channel:
        names.append("everything else")
    return edge._replace(label=_listed(names))


def _routes(routes: Iterable[Route], inherited: str) -> Iterator[tuple[str, str]]:
    """Every route with the channel it ends in."""
    for route in routes:
        channel = route.channel or inherited
        yield route.name, channel
        yield from _routes(route.routes, channel)


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_LISTED])} and {more} more"


def _merged(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Arrows alike in ends and flow as one, its labels joined. Dependencies are turned: towards what falls."""
    labels: dict[tuple[str, str, str], dict[str, None]] = {}
    for edge in edges:
        ends = (edge.target, edge.source) if edge.flow == _DEPENDS else (edge.source, edge.target)
        labels.setdefault((*ends, edge.flow), {})[edge.label] = None
    for (source, target, flow), found in labels.items():
        yield Edge(source, target, flow, ", ".join(label for label in found if label))


def _grouped(nodes: Iterable[Node], stack: Stack) -> dict[str, tuple[Node, ...]]:
    titles = {
        "external": "Outside the cluster",
        "channel": "Channels",
        "thing": "Scraped: apps and hosts",
        _DEPENDS: "What falls with what",
    }
    cluster = f"Cluster {stack.name}"
    groups: dict[str, list[Node]] = {title: [] for title in (cluster, *titles.values())}
    for node in nodes:
        groups[titles.get(node.kind, cluster)].append(node)
    return {title: tuple(found) for title, found in groups.items() if found}


_KEYWORDS: Final = frozenset(
    {"accdescr", "acctitle", "bt", "call", "class", "classdef", "click", "default", "digraph", "direction", "edge"}
    | {"end", "flowchart", "graph", "href", "interpolate", "linkstyle", "lr", "node", "o", "rl", "strict", "style"}
    | {"subgraph", "tb", "td", "v", "x"}
)
"""What Mermaid's or DOT's grammar takes for something else where an identifier stands."""


def identifiers(picture: Picture) -> dict[str, str]:
    """A plain identifier for each box: ASCII letters, digits and underscores, each once, none of them a keyword."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for nodes in picture.groups.values():
        for node in nodes:
            base = re.sub(r"[^A-Za-z0-9]+", "_", node.id).strip("_")
            if not base or base.lower() in _KEYWORDS or base[0].isdigit() or base.startswith(("group_", "cluster_")):
                base = f"n_{base}"
            name, number = base, 2
            while name in taken:
                name, number = f"{base}_{number}", number + 1
            taken.add(name)
            found[node.id] = name
    return found


# Mermaid -----------------------------------------------------------------------------------------------------------

_MERMAID_SHAPES: Final = {
    "store": ('[("', '")]'),
    "channel": ('(["', '"])'),
    "external": ('{{"', '"}}'),
    "thing": ('["', '"]'),
}
_MERMAID_ARROWS: Final = {"alerts": "==>", "metrics": "-.->", "probes": "-.->", _DEPENDS: "--x"}
_MERMAID_ESCAPED: Final = re.compile(r"[\"#&<>`\\$*{}|;]|:(?=fa-)|^[-+](?=\s)|^_|_$")
_MERMAID_LIST: Final = re.compile(r"^(\d+)([.)])")


def mermaid(picture: Picture) -> str:
    """The picture as a Mermaid flowchart, without the fence that Markdown puts around it."""
    ids = identifiers(picture)
    lines = [f"flowchart {'TD' if picture.down else 'LR'}"]
    for number, (title, nodes) in enumerate(picture.groups.items(), start=1):
        lines.append(f'  subgraph group_{number}["{_mermaid_text(title)}"]')
        for node in nodes:
            opening, closing = _MERMAID_SHAPES.get(node.kind, ('("', '")'))
            lines.append(f"    {ids[node.id]}{opening}{_mermaid_text(node.label)}{closing}")
        lines.append("  end")
    for edge in picture.edges:
        arrow = _MERMAID_ARROWS.get(edge.flow, "-->")
        label = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
        lines.append(f"  {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """A text between Mermaid's double quotes, shown as it stands: no markup, no list, no formula, no entity."""
    escaped = _MERMAID_ESCAPED.sub(lambda match: f"#{ord(match.group())};", _one_line(text))
    return _MERMAID_LIST.sub(lambda match: f"{match[1]}#{ord(match[2])};", escaped)


# DOT ---------------------------------------------------------------------------------------------------------------

_DOT_SHAPES: Final = {
    "store": "shape=cylinder",
    "channel": 'shape=box style="rounded,filled" fillcolor="#eef0ff"',
    "external": 'shape=box style="dashed"',
    "thing": "shape=box",
}
_DOT_ARROWS: Final = {
    "alerts": 'color="#b3261e" penwidth=1.6',
    "logs": 'color="#2e6b34"',
    "metrics": 'color="#5f6b7a" style=dashed',
    "probes": 'color="#5f6b7a" style=dotted',
    _DEPENDS: 'color="#8a5a00"',
}
_FONT: Final = 'fontname="Helvetica,Arial,sans-serif"'


def dot(picture: Picture) -> str:
    """The picture as a DOT digraph."""
    ids = identifiers(picture)
    lines = [
        "digraph homelabmon {",
        f"  graph [rankdir={'TB' if picture.down else 'LR'} {_FONT} fontsize=11 nodesep=0.3 ranksep=0.7]",
        f"  node [shape=box style=rounded {_FONT} fontsize=11 height=0.4]",
        f"  edge [{_FONT} fontsize=9 arrowsize=0.7]",
    ]
    for number, (title, nodes) in enumerate(picture.groups.items(), start=1):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_dot_text(title)} color=gray70 style=rounded")
        for node in nodes:
            shape = _DOT_SHAPES.get(node.kind)
            lines.append(f"    {ids[node.id]} [label={_dot_text(node.label)}{f' {shape}' if shape else ''}]")
        lines.append("  }")
    for edge in picture.edges:
        label = f" label={_dot_text(edge.label)}" if edge.label else ""
        lines.append(f"  {ids[edge.source]} -> {ids[edge.target]} [{_DOT_ARROWS.get(edge.flow, 'color=black')}{label}]")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(text: str) -> str:
    """A quoted DOT string. Doubled backslashes, so that none of them starts one of DOT's own escapes."""
    escaped = _one_line(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()
