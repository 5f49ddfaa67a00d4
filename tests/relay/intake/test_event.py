"""Events of scripts: what the page for their authors promises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Parsed, Refused
from homelabmon.relay.intake.event import parse
from tests.relay.intake.payloads import NOW
from tests.relay.intake.test_alertmanager import JSON

FULL: dict[str, Any] = {
    "title": "Backup of nas failed",
    "message": "restic: no space left",
    "severity": "Critical",
    "status": "firing",
    "key": "backup/nas",
    "labels": {"host": "nas", "attempt": 3},
    "links": {"runbook": "https://wiki.invalid/backup"},
    "time": "2026-11-22T20:31:00Z",
    "a_key_of_tomorrow": True,
}


def only(data: dict[str, Any]) -> Notice:
    result = parse(json.dumps(data).encode(), NOW)
    assert isinstance(result, Parsed), result
    (notice,) = result.notices
    return notice


def test_everything_said() -> None:
    notice = only(FULL)
    assert notice.labels == {
        "alertname": "Backup of nas failed",
        "source": "event",
        "severity": "critical",
        "host": "nas",
        "attempt": "3",
    }
    assert notice.annotations == {
        "summary": "Backup of nas failed",
        "description": "restic: no space left",
        "runbook_url": "https://wiki.invalid/backup",
    }
    assert (notice.firing, notice.event, notice.keyed, notice.starts_at) == (True, False, True, NOW - 16)


def test_a_title_is_enough() -> None:
    notice = only({"title": "Doorbell"})
    assert (notice.event, notice.firing, notice.starts_at) == (True, True, NOW)
    assert notice.labels == {"alertname": "Doorbell", "source": "event", "severity": "info"}


def test_the_key_says_what_is_over() -> None:
    over = only({"title": "Backup of nas is fine again", "status": "resolved", "key": "backup/nas"})
    assert (over.fingerprint, over.firing, over.ends_at) == (only(FULL).fingerprint, False, NOW)


def test_several_in_a_list_and_a_bad_one_loses_no_other() -> None:
    result = parse(json.dumps([FULL, {"message": "no title"}, {"title": "Doorbell"}]).encode(), NOW)
    assert isinstance(result, Parsed)
    assert [notice.labels["alertname"] for notice in result.notices] == ["Backup of nas failed", "Doorbell"]
    (unread,) = result.unread
    assert unread.reason == "an event could not be read: title is missing: say in a few words what happened"
    assert json.loads(unread.body) == {"message": "no title"}


def test_events_of_one_list_that_do_not_say_when_are_not_the_same_one() -> None:
    result = parse(json.dumps([{"title": "Doorbell"}, {"title": "Doorbell"}]).encode(), NOW)
    assert isinstance(result, Parsed)
    first, second = result.notices
    assert first.starts_at == NOW < second.starts_at < NOW + 0.001


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"title": " "}, "title is missing: say in a few words what happened"),
        ({"title": {}}, "title is no text"),
        ({"severity": "urgent"}, "severity is none of info, critical, warning, none"),
        ({"status": "over"}, "status is none of event, firing, resolved"),
        (
            {"labels": {"severity": "critical"}},
            "the label severity is set by the relay: use title, severity, or another label",
        ),
        ({"labels": "x"}, "labels is not an object"),
        ({"links": {"runbook": "javascript:alert(1)"}}, "links: each is an address with http:// or https://"),
        ({"time": "yesterday"}, "a time is not RFC 3339"),
    ],
)
def test_a_mistake_is_refused_with_the_reason(changed: dict[str, Any], reason: str) -> None:
    assert parse(json.dumps({**FULL, **changed}).encode(), NOW) == Refused(reason, 422)


@pytest.mark.parametrize("body", [b"", b"nope"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert parse(body, NOW) == Refused("it is not JSON (line 1, column 1)")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, JSON)) | JSON)
def test_any_json_is_read_or_refused(data: Any) -> None:
    assert isinstance(parse(json.dumps(data).encode(), NOW), Parsed | Refused)
