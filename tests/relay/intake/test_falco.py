"""Falco's events in every shape that Falco and Vector give them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Parsed, Refused
from homelabmon.relay.intake.falco import parse
from tests.relay.intake.payloads import FALCO, NOW
from tests.relay.intake.test_alertmanager import JSON


def notices(body: bytes | dict[str, Any]) -> tuple[Notice, ...]:
    result = parse(body if isinstance(body, bytes) else json.dumps(body).encode(), NOW)
    assert isinstance(result, Parsed)
    assert result.unread == ()
    return result.notices


def only(body: bytes | dict[str, Any]) -> Notice:
    (notice,) = notices(body)
    return notice


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in FALCO.items() if key not in keys}


def test_an_event_with_everything() -> None:
    notice = only(FALCO)
    assert notice.labels == {
        "alertname": "Terminal shell in container",
        "source": "falco",
        "severity": "info",
        "rule": "Terminal shell in container",
        "hostname": "node-1",
        "priority": "notice",
        "namespace": "media",
        "pod": "app-0",
        "container": "app",
        "image": "docker.io/library/alpine",
    }
    assert notice.annotations == {
        "summary": "A shell was spawned in a container",
        "description": "A shell was spawned in a container (user=root container=app shell=sh)",
        "tags": "T1059, container, shell",
    }
    assert (notice.event, notice.firing) == (True, True)
    assert notice.starts_at == pytest.approx(NOW + 0.123456789)


def test_events_of_one_request_that_do_not_say_when_are_not_the_same_one() -> None:
    first, second = notices(b"Shell in container (user=root)\nShell in container (user=root)")
    assert first.fingerprint == second.fingerprint
    assert first.starts_at == NOW < second.starts_at < NOW + 0.001


def test_events_of_one_rule_on_one_host_are_folded() -> None:
    other_pod = {**FALCO, "output_fields": {"k8s.pod.name": "app-1"}, "time": "2026-11-22T20:32:00Z"}
    assert only(FALCO).fingerprint == only(other_pod).fingerprint
    assert only(FALCO).fingerprint != only({**FALCO, "hostname": "node-2"}).fingerprint
    assert only(FALCO).fingerprint != only({**FALCO, "rule": "Another"}).fingerprint


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("Emergency", "critical"),
        ("ALERT", "critical"),
        ("critical", "critical"),
        ("Error", "warning"),
        ("Warning", "warning"),
        ("Notice", "info"),
        ("Informational", "info"),
        ("Info", "info"),
        ("Debug", "none"),
        ("Unheard-of", "warning"),
    ],
)
def test_priorities_are_severities_in_any_case(priority: str, severity: str) -> None:
    assert only({**FALCO, "priority": priority}).labels["severity"] == severity


@pytest.mark.parametrize(
    "switched_off", [(), ("output",), ("tags",), ("output_fields",), ("output", "output_fields", "tags")]
)
def test_every_part_that_can_be_switched_off_may_be_missing(switched_off: tuple[str, ...]) -> None:
    notice = only(without(*switched_off))
    assert (notice.labels["rule"], notice.labels["hostname"]) == ("Terminal shell in container", "node-1")
    assert notice.annotations["summary"]


def test_the_message_is_the_output_without_its_head() -> None:
    assert only({**without("output"), "message": "A shell (user=root)"}).annotations["summary"] == "A shell"


def test_an_internal_event_is_falcos_too() -> None:
    event = {**without("hostname", "tags"), "rule": "Falco internal: syscall event drop", "source": "internal"}
    assert only(event).labels["source"] == "falco"


def test_a_time_that_is_missing_or_wrong_comes_from_the_kernel_or_is_now() -> None:
    assert only({**FALCO, "time": "soon"}).starts_at == pytest.approx(NOW + 0.123456789)
    assert only(without("time", "output_fields")).starts_at == NOW


def test_the_line_that_falco_prints_is_an_event() -> None:
    line = b"20:31:16.123456789: Warning Sensitive file opened (file=/etc/shadow user=me)\n"
    notice = only(line)
    assert notice.labels == {
        "alertname": "Sensitive file opened",
        "source": "falco",
        "severity": "warning",
        "rule": "Sensitive file opened",
        "priority": "warning",
    }
    assert notice.annotations["description"] == "Sensitive file opened (file=/etc/shadow user=me)"
    assert notice.starts_at == NOW


def test_newer_rules_put_the_values_behind_a_bar() -> None:
    notice = only({**FALCO, "output": "20:31:16.1: Notice Shell in container | evt_type=execve user=root"})
    assert notice.annotations["summary"] == "Shell in container"


def test_what_vector_sends_is_the_line_byte_for_byte() -> None:
    """rendered/values/vector-aggregator.yaml: codec text, framing bytes, one event a request."""
    assert only(json.dumps(FALCO, separators=(",", ":")).encode()) == only(FALCO)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_batches_are_lists_or_lines(count: int) -> None:
    events = [{**FALCO, "hostname": f"node-{number}"} for number in range(count)]
    as_list = notices(json.dumps(events).encode())
    as_lines = notices("\n".join(json.dumps(event) for event in events).encode() + b"\n")
    assert as_list == as_lines
    assert [notice.labels["hostname"] for notice in as_list] == [f"node-{number}" for number in range(count)]


def test_a_line_that_is_no_json_loses_no_other() -> None:
    found = notices(json.dumps(FALCO).encode() + b"\nwhat is this\n" + json.dumps(FALCO).encode())
    assert [notice.labels["rule"] for notice in found] == [FALCO["rule"], "what is this", FALCO["rule"]]


@pytest.mark.parametrize("body", [b"", b"  \n\n", b"[]"])
def test_only_emptiness_is_refused(body: bytes) -> None:
    assert parse(body, NOW) == Refused("it is empty")


def test_json_of_somebody_elses_is_shown_as_it_is() -> None:
    assert only({"hello": "world"}).annotations["description"] == '{"hello":"world"}'


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*FALCO, "message"), JSON)) | JSON)
def test_any_json_is_an_event(event: Any) -> None:
    result = parse(json.dumps(event).encode(), NOW)
    assert isinstance(result, Refused) == (event == [] or (isinstance(event, list) and not event))
    assert result == parse(json.dumps(event).encode(), NOW)


@given(st.binary(min_size=1))
def test_any_bytes_are_events(body: bytes) -> None:
    result = parse(body, NOW)
    if isinstance(result, Parsed):
        for notice in result.notices:
            assert notice.labels["source"] == "falco"
            "".join([*notice.labels.values(), *notice.annotations.values()]).encode()
