"""What a message says about an incident, whatever the place."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from homelabmon.notifiers.facts import (
    SUMMARIES,
    annotation,
    counts,
    distinguishing,
    duration,
    lasted,
    severity_word,
    symbol,
    told_once,
    value_of,
    where,
)
from homelabmon.notifiers.message import AlertView
from tests.notifiers.situations import NOW, SHELL, incident, node_down


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (301, "5 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
        (-1, ""),
        (math.nan, ""),
        (math.inf, ""),
    ],
)
def test_durations_are_said_in_their_largest_units(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_states_and_severities_differ_in_shape() -> None:
    marks = [symbol("firing", severity) for severity in ("critical", "warning", "info", "none")]
    marks += [symbol("resolved", "critical"), symbol("expired", "critical")]
    assert len(set(marks)) == len(marks)
    assert [severity_word(severity) for severity in ("critical", "none", "")] == ["critical", "", ""]


def test_where_says_what_all_share_and_the_headline_does_not() -> None:
    assert where(incident(node_down("n1"), node_down("n2"))) == [("cluster", "home"), ("job", "node-exporter")]
    titled = incident(node_down("n1"), title="A node is gone")
    assert where(titled)[:3] == [("alert", "NodeDown"), ("cluster", "home"), ("node", "n1")]


def test_instance_is_left_out_where_it_only_repeats_the_node() -> None:
    assert ("instance", "n1:9100") not in where(incident(node_down("n1")))
    two = incident(node_down("n1"), node_down("n2"))
    assert distinguishing(two) == [[("node", "n1")], [("node", "n2")]]
    other = node_down("n1", labels={**node_down("n1").labels, "instance": "n1:9256"})
    assert distinguishing(incident(node_down("n1"), other)) == [[("instance", "n1:9100")], [("instance", "n1:9256")]]
    three = distinguishing(incident(node_down("n1"), other, node_down("n2")))
    assert len({tuple(labels) for labels in three}) == 3


def test_what_differs_by_the_distinguishing_labels_alone_is_told_once() -> None:
    one, two = node_down("n1"), node_down("n2")
    view = incident(one, two)
    assert told_once(view, SUMMARIES, distinguishing(view)) == "Node … is unreachable"
    within = incident(*(replace(one, annotations={"summary": f"xn{at} an{at}"}) for one, at in ((one, 1), (two, 2))))
    assert told_once(within, SUMMARIES, distinguishing(within)) == ""
    silent = incident(replace(one, annotations={}), replace(two, annotations={}))
    assert told_once(silent, SUMMARIES, distinguishing(silent)) == ""


def test_counts_name_every_state_and_the_silenced_among_those_that_fire() -> None:
    alerts = (node_down("n1"), node_down("n2", silenced=True), node_down("n3", "resolved"), node_down("n4", "expired"))
    assert counts(incident(*alerts)) == "2 firing (1 silenced), 1 expired, 1 resolved"
    assert counts(SHELL) == "12 events"


def test_it_lasted_from_beginning_to_end_and_not_while_it_goes_on() -> None:
    assert lasted(incident(node_down("n1", "resolved"), state="resolved")) == "5 min"
    assert lasted(incident(node_down("n1"), ended_at=NOW)) == ""
    assert lasted(incident(node_down("n1", "resolved"), state="resolved", ended_at=0.0)) == ""


@pytest.mark.parametrize(
    ("text", "expected"), [("3", "value 3"), ("-1.5e+3", "value -1.5e+3"), ("97 %", "97 %"), ("", ""), (" ", "")]
)
def test_a_mere_number_is_called_a_value(text: str, expected: str) -> None:
    alert = AlertView({}, "warning", "firing", NOW, {"value": text})
    assert value_of(alert) == expected


def test_an_annotation_of_spaces_says_nothing() -> None:
    alert = AlertView({}, "warning", "firing", NOW, {"description": "  ", "message": "x"})
    assert annotation(alert, ("description", "message")) == "x"
