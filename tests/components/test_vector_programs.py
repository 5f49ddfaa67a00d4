"""Vector's transforms, compiled and run by VRL itself (package vrl-python, where it is installed)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.folding import folded

vrl = pytest.importorskip("vrl_python", reason="vrl-python is not installed (pip install vrl-python)")

ALL: dict[str, Any] = {"loki": {}, "vector": {"aggregator": {"syslog": {}}}, "falco": {}, "relay": {}}
EVENT = '{"priority":"Notice","rule":"Terminal shell in container","time":"2026-01-01T00:00:00.000000001Z"}'


def _transforms(release: str) -> dict[str, Any]:
    transforms: dict[str, Any] = folded(ALL).values[release]["customConfig"]["transforms"]
    return transforms


def _run(program: str, event: dict[str, Any]) -> Any:
    runtime = vrl.VRLRuntime()
    runtime.check_syntax(program)
    return runtime.execute(program, event)


def _shaped(release: str, transform: str, event: dict[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = _run(_transforms(release)[transform]["source"], event).processed_event
    return shaped


def _passes(event: dict[str, Any]) -> bool:
    return bool(_run(_transforms("vector-agent")["falco_events"]["condition"], event).runtime_result)


@pytest.mark.parametrize("release", ["vector-agent", "vector-aggregator"])
def test_every_program_compiles(release: str) -> None:
    for name, transform in _transforms(release).items():
        conditions = list(transform.get("route", {}).values())
        for program in (transform.get("source"), transform.get("condition"), transform.get("ends_when"), *conditions):
            if program is not None:
                assert vrl.VRLRuntime.check_syntax(program) is None, name


def test_agent_sends_what_becomes_a_label_and_nothing_else() -> None:
    kubernetes = {
        "pod_namespace": "media",
        "pod_name": "plex-0",
        "container_name": "plex",
        "pod_node_name": "n1",
        "pod_labels": {"app.kubernetes.io/name": "plex", "team": "tv"},
        "pod_annotations": {"long": "text"},
    }
    shaped = _shaped("vector-agent", "logs", {"message": "hi", "file": "/var/log/x", "kubernetes": kubernetes})
    assert shaped["kubernetes"] == {
        "namespace": "media",
        "pod": "plex-0",
        "container": "plex",
        "node": "n1",
        "app": "plex",
    }
    assert "file" not in shaped


def test_agent_copes_with_a_pod_it_knows_nothing_of() -> None:
    assert _shaped("vector-agent", "logs", {"message": "hi"})["kubernetes"] == {}


def test_labels_are_few_and_the_pod_is_metadata() -> None:
    kubernetes = {"namespace": "media", "pod": "plex-0", "container": "plex", "node": "n1"}
    shaped = _shaped("vector-aggregator", "logs", {"message": "hi", "stream": "stderr", "kubernetes": kubernetes})
    assert shaped["labels"] == {
        "source": "kubernetes",
        "namespace": "media",
        "app": "plex",
        "container": "plex",
        "node": "n1",
    }
    assert shaped["metadata"] == {"pod": "plex-0", "stream": "stderr"}


def test_an_event_of_a_stranger_has_labels_and_a_line_too() -> None:
    shaped = _shaped("vector-aggregator", "logs", {"host": "nas", "temperature": 40})
    assert shaped["labels"] == {"source": "vector", "host": "nas"}
    assert json.loads(shaped["message"]) == {"host": "nas", "temperature": 40}


def test_syslog_is_labelled_by_host_and_program() -> None:
    event = {"message": "up", "hostname": "router", "appname": "pppd", "severity": "info", "facility": "daemon"}
    shaped = _shaped("vector-aggregator", "syslog_logs", event)
    assert shaped["labels"] == {"source": "syslog", "host": "router", "app": "pppd"}
    assert shaped["metadata"] == {"severity": "info", "facility": "daemon"}


def test_a_line_of_the_container_runtime_is_taken_apart() -> None:
    line = {"message": f"2026-01-01T00:00:00.1Z stdout F {EVENT}", "file": "/var/log/pods/x/0.log"}
    shaped = _shaped("vector-agent", "falco_lines", line)
    assert shaped == {
        "file": "/var/log/pods/x/0.log",
        "stream": "stdout",
        "partial": False,
        "message": EVENT,
        "forward": "falco",
    }
    assert _passes(shaped)


def test_a_part_of_a_line_waits_for_the_rest() -> None:
    shaped = _shaped("vector-agent", "falco_lines", {"message": "2026-01-01T00:00:00.1Z stdout P {", "file": "f"})
    assert shaped["partial"] is True
    ends_when = _transforms("vector-agent")["falco_whole"]["ends_when"]
    assert _run(ends_when, shaped).runtime_result is False
    assert _run(ends_when, {**shaped, "partial": False}).runtime_result is True


@pytest.mark.parametrize(
    "event",
    [
        {"stream": "stderr", "message": EVENT},
        {"stream": "stdout", "message": "Falco initialized"},
        {"stream": "stdout", "message": "[1]"},
        {"stream": "stdout", "message": '{"rule":"without a priority"}'},
        {"stream": None, "message": None},
    ],
)
def test_what_is_no_event_is_not_forwarded(event: dict[str, Any]) -> None:
    assert not _passes(event)
