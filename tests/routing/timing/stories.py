"""Random stories for clusters: a few alerts that come and go, on a grid of seconds, under routes and inhibit rules."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from homelabmon.routing.inhibit import InhibitRule
from homelabmon.routing.intervals import parse_time_intervals
from homelabmon.routing.timing.cluster import Put
from homelabmon.routing.timing.evaluation import Episode, puts
from homelabmon.routing.timing.replica import BEFORE_0_30, SINCE_0_30, SINCE_0_32, Settings
from homelabmon.routing.tree import RouteNode, RouteTree
from homelabmon.spec.matchers import parse_matcher

LENGTH = 600.0
"""Seconds within which everything begins."""

INTERVALS = parse_time_intervals(
    [{"name": "quiet", "time_intervals": [{"times": [{"start_time": "00:05", "end_time": "00:11"}]}]}]
)
RULES = (
    InhibitRule((parse_matcher('alertname="B"'),), (parse_matcher('alertname="A"'),), ("node",)),
    InhibitRule((parse_matcher('node="1"'),), (parse_matcher('node=~"1|2"'),), ("alertname",)),
)

settings = st.builds(
    lambda group_by, wait, interval, repeat, resolved, rules, muted, replicas, generation: Settings(
        RouteTree(
            RouteNode[object](
                "root", "r", (), ("alertname",), wait, interval, repeat, payload=None,
                routes=(
                    RouteNode[object]("again", "s", (parse_matcher('alertname="A"'),), group_by, continue_=True,
                                      mute_time_intervals=("quiet",) if muted else (), payload=None),
                    RouteNode[object]("rest", "r", payload=None),
                ),
            )
        ),
        {"r": True, "s": resolved},
        rules,
        INTERVALS,
        replicas=replicas,
        generation=generation,
    ),
    st.sampled_from([("alertname",), ("alertname", "node"), ("...",), ()]),
    st.sampled_from([0.0, 5.0, 30.0, 60.0]),
    st.sampled_from([5.0, 15.0, 20.0, 60.0, 300.0]),
    st.sampled_from([50.0, 60.0, 300.0, 1000.0, 14400.0]),
    st.booleans(),
    st.sampled_from([(), RULES]),
    st.booleans(),
    st.sampled_from([1, 1, 2, 3]),
    st.sampled_from([SINCE_0_32, SINCE_0_30, BEFORE_0_30]),
)  # fmt: skip


@st.composite
def firings(draw: st.DrawFn) -> list[Episode]:
    """The episodes of one alert: on the seconds, the last perhaps without an end."""
    cuts = sorted(draw(st.sets(st.integers(0, int(LENGTH)), max_size=8)))
    found = [Episode(float(one), float(one), float(other)) for one, other in zip(cuts[::2], cuts[1::2], strict=False)]
    return [*found, Episode(float(cuts[-1]), float(cuts[-1]), None)] if len(cuts) % 2 else found


NAMES = st.sampled_from(["A", "B"])
NODES = st.sampled_from(["1", "2", "3"])

histories = st.dictionaries(st.tuples(NAMES, NODES), firings(), min_size=1, max_size=5)


def heard(history: dict[tuple[str, str], list[Episode]]) -> list[Put]:
    """What Alertmanager hears, in order."""
    found = [
        put for (name, node), known in history.items() for put in puts({"alertname": name, "node": node}, {}, known)
    ]
    return sorted(found, key=lambda put: put.at)


def with_end(put: Put) -> Put:
    """The put with an end a few minutes ahead, as Prometheus gives it, where it has none."""
    return replace(put, ends_at=min(put.ends_at, put.at + 240))
