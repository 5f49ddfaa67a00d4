"""Pictures: what is in which view, and that no name or label can break out of Mermaid or DOT."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.errors import HomelabmonError
from homelabmon.render.fold import Folded
from homelabmon.render.graph import Picture, View, dot, draw, graph, identifiers, mermaid, svg
from homelabmon.spec.contribution import Edge, Node
from homelabmon.stack import site_of
from tests.stacks_common import EVERYTHING, plan_of, stack_of

CHANNELS = {name: {"discord": {"webhook": {"secret": "hooks", "key": name}}} for name in ("ops", "media")}
STACK: dict[str, Any] = {
    "components": EVERYTHING,
    "channels": CHANNELS,
    "routes": [
        {"name": "nodes", "channel": "ops", "match": {"alertname": "NodeDown"}},
        {
            "name": "films",
            "channel": "media",
            "match": {"namespace": "media"},
            "routes": [{"name": "player", "match": {"service": "player"}}],
        },
    ],
    "depends_on": {"nas": {"description": "The NAS"}, "media": {"on": ["nas", "loki"]}},
    "probes": [{"name": "router", "icmp": "192.0.2.1", "from": "both"}],
    "outpost": {"url": "https://status.example.net"},
}
ARROW = re.compile(r'^  (\w+) (==>|-->|-\.->|--x)(?:\|"([^"|]*)"\|)? (\w+)$')
BOX = re.compile(r'^    (\w+)(?:\("|\[\("|\(\["|\{\{"|\[")([^"]*)(?:"\)|"\)\]|"\]\)|"\}\}|"\])$')


def drawn(view: View = "all", **sections: Any) -> Picture:
    sections = {**STACK, **sections}
    return draw(stack_of(**sections), plan_of(**sections).folded, view)


def arrows(picture: Picture) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.label) for edge in picture.edges}


def boxes(picture: Picture) -> set[str]:
    return {node.id for nodes in picture.groups.values() for node in nodes}


def test_alerts_view_leads_to_the_channels_and_names_the_routes() -> None:
    found = arrows(drawn("alerts"))
    assert ("prometheus", "alertmanager", "") in found
    assert ("relay", "channel-ops", "nodes, everything else") in found
    assert ("relay", "channel-media", "films, player") in found


def test_outpost_speaks_for_itself_and_not_for_routes() -> None:
    assert ("outpost", "channel-ops", "") in arrows(drawn("alerts"))


def test_many_routes_to_one_channel_are_cut_short() -> None:
    routes = [{"name": f"r{number}", "channel": "ops", "match": {"n": str(number)}} for number in range(9)]
    assert ("relay", "channel-ops", "r0, r1, r2, r3 and 6 more") in arrows(drawn("alerts", routes=routes))


def test_channels_are_drawn_without_a_relay_too() -> None:
    components: dict[str, Any] = {"prometheus": {}, "alertmanager": {}}
    found = arrows(drawn("alerts", components=components))
    assert ("alertmanager", "channel-media", "films, player") in found


def test_logs_view_shows_the_way_of_logs_alone() -> None:
    picture = drawn("logs")
    assert {edge.flow for edge in picture.edges} == {"logs"}
    assert ("vector-aggregator", "loki", "") in arrows(picture)
    assert "prometheus" not in boxes(picture)


def test_components_view_leaves_channels_and_probes_out() -> None:
    found = boxes(drawn("components"))
    assert {"prometheus", "loki", "outpost"} <= found
    assert not {"channel-ops", "probe-router", "nas"} & found


def test_arrows_of_depends_run_from_what_falls_to_what_falls_with_it() -> None:
    picture = drawn("depends")
    assert arrows(picture) == {("nas", "media", ""), ("loki", "media", "")}
    assert boxes(picture) == {"nas", "media", "loki"}


def test_thing_that_nothing_depends_on_is_still_drawn() -> None:
    assert "ups" in boxes(drawn("depends", depends_on={"ups": {}}))


def test_picture_without_the_cluster_has_the_groups_outside_and_channels() -> None:
    assert list(drawn("all").groups) == ["Cluster tiny", "Outside the cluster", "Channels", "What falls with what"]


def folded_of(nodes: dict[str, Node], edges: list[Edge]) -> Folded:
    folded = Folded(site_of(stack_of()))
    folded.nodes, folded.edges = nodes, edges
    return folded


def test_arrow_to_or_from_nothing_is_dropped() -> None:
    nodes = {"a": Node("a", "A")}
    edges = [Edge("a", "missing", "logs"), Edge("missing", "a", "logs"), Edge("a", "a", "logs", "itself")]
    assert arrows(draw(stack_of(), folded_of(nodes, edges), "all")) == {("a", "a", "itself")}


def test_arrows_alike_are_one_with_their_labels_joined() -> None:
    nodes = {name: Node(name, name) for name in "ab"}
    edges = [Edge("a", "b", "alerts", "x"), Edge("a", "b", "alerts", "y"), Edge("a", "b", "alerts", "x")]
    assert arrows(draw(stack_of(), folded_of(nodes, edges), "alerts")) == {("a", "b", "x, y")}


def test_flow_that_nobody_knows_is_drawn_plainly() -> None:
    nodes = {name: Node(name, name, "cloud") for name in "ab"}
    folded = folded_of(nodes, [Edge("a", "b", "rumours")])
    assert "  a --> b\n" in graph(stack_of(), folded)
    assert "  a -> b [color=black]\n" in graph(stack_of(), folded, format="dot")


@pytest.mark.parametrize("view", get_args(View))
def test_every_view_is_well_formed_mermaid(view: View) -> None:
    check_mermaid(mermaid(drawn(view)))


def check_mermaid(text: str) -> None:
    """Every line is one that Mermaid's grammar has, and every arrow's ends are boxes."""
    head, *lines = text.rstrip("\n").split("\n")
    assert head in ("flowchart LR", "flowchart TD")
    known: set[str] = set()
    for line in lines:
        if (box := BOX.match(line)) is not None:
            known.add(box[1])
        elif (arrow := ARROW.match(line)) is not None:
            assert {arrow[1], arrow[4]} <= known, line
        else:
            assert line == "  end" or re.fullmatch(r'  subgraph group_\d+\["[^"]*"\]', line), line


texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["end", "1. x", '"]; click a', "a|b", "<b>", "```", "$$x$$", "#quot;", "fa:fa-x", "node", "%%", "\\"]
    ),
)
pictures = st.builds(
    lambda ids, labels, title: Picture(
        {title: tuple(Node(name, label) for name, label in zip(ids, labels, strict=False))},
        tuple(Edge(a, b, "alerts", label) for a, b, label in zip(ids, ids[1:], labels, strict=False)),
        False,
    ),
    st.lists(texts, min_size=1, max_size=6, unique=True),
    st.lists(texts, min_size=6, max_size=6),
    texts,
)


@given(pictures)
def test_no_name_or_label_breaks_out_of_mermaid(picture: Picture) -> None:
    check_mermaid(mermaid(picture))


@given(pictures)
def test_identifiers_are_plain_and_each_is_used_once(picture: Picture) -> None:
    found = identifiers(picture)
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in found.values())
    assert not {name.lower() for name in found.values()} & {"end", "node", "graph", "subgraph", "o", "x", "style"}


def test_label_is_shown_as_it_stands() -> None:
    picture = Picture({"g": (Node("a", '1. #ops "x" <b>'),)}, (), False)
    assert 'a("1#46; #35;ops #34;x#34; #60;b#62;")' in mermaid(picture)
    assert '[label="1. #ops \\"x\\" <b>"]' in dot(picture)


def test_same_stack_gives_the_same_bytes() -> None:
    stack, folded = stack_of(**STACK), plan_of(**STACK).folded
    assert graph(stack, folded) == graph(stack, folded)


@pytest.mark.program("dot")
@pytest.mark.parametrize("view", get_args(View))
def test_graphviz_draws_every_view(view: View) -> None:
    labels = {"".join(element.itertext()) for element in ElementTree.fromstring(svg(dot(drawn(view)))).iter()}
    assert {node.label for nodes in drawn(view).groups.values() for node in nodes} <= labels


@pytest.mark.program("dot")
def test_graphviz_shows_awkward_labels_as_they_stand() -> None:
    awkward = ['say "hi"', "a\\nb", "back\\slash", "&lt;", "<b>x</b>", "a|b", "{x}", "ünïcode"]
    picture = Picture({"g": tuple(Node(f"n{number}", label) for number, label in enumerate(awkward))}, (), False)
    labels = {"".join(element.itertext()) for element in ElementTree.fromstring(svg(dot(picture))).iter()}
    assert set(awkward) <= labels


@pytest.mark.program("dot")
def test_text_that_is_no_dot_is_refused_with_what_graphviz_says() -> None:
    with pytest.raises(HomelabmonError, match=r"`dot` could not draw the picture: .*syntax error"):
        svg("digraph {")


def test_missing_graphviz_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HomelabmonError, match="apt-get install graphviz"):
        svg("digraph {}")
