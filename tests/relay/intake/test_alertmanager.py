"""Alertmanager's webhook: every alert is read as Alertmanager means it, and a bad one loses no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.intake.alertmanager import parse, route_key
from homelabmon.relay.intake.contract import Parsed, Refused
from homelabmon.relay.intake.reading import fingerprint
from homelabmon.spec.matchers import quote
from tests.relay.intake.payloads import NOW, alert, webhook


def parsed(body: bytes) -> Parsed:
    result = parse(body, NOW)
    assert isinstance(result, Parsed), result
    return result


def test_a_firing_alert() -> None:
    (notice,) = parsed(webhook(alert(), future_key={"x": 1})).notices
    assert (notice.source, notice.fingerprint, notice.firing) == ("alertmanager", "0123456789abcdef", True)
    assert notice.starts_at == pytest.approx(NOW - 59.211)
    assert notice.ends_at is None
    assert notice.labels == {"alertname": "NodeDown", "severity": "warning"}
    assert notice.annotations == {"summary": "NodeDown it is"}
    assert notice.generator_url == "http://prometheus.invalid/graph?g0.expr=up"
    assert (notice.event, notice.keyed) == (False, False)


def test_a_firing_alert_never_has_an_end_whatever_it_says() -> None:
    (notice,) = parsed(webhook(alert(endsAt="2026-11-22T20:34:16Z"))).notices
    assert (notice.firing, notice.ends_at) == (True, None)


def test_a_resolved_alert_ends_when_it_says_or_now() -> None:
    told = parsed(
        webhook(alert(status="resolved", endsAt="2026-11-22T20:31:00Z"), alert(status="resolved", endsAt=None))
    )
    assert [notice.firing for notice in told.notices] == [False, False]
    assert [notice.ends_at for notice in told.notices] == [NOW - 16, NOW]


def test_a_missing_fingerprint_is_computed_as_prometheus_does() -> None:
    (notice,) = parsed(webhook(alert(fingerprint=None))).notices
    assert notice.fingerprint == fingerprint(notice.labels)


def test_an_end_never_lies_before_its_start() -> None:
    early = alert(status="resolved", startsAt="2026-11-22T20:30:16Z", endsAt="2026-11-22T20:30:00Z")
    result = parse(webhook(early), NOW)
    assert isinstance(result, Parsed)
    (notice,) = result.notices
    assert notice.ends_at == notice.starts_at


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("text", "it is no object"),
        (alert() | {"labels": []}, "labels is not an object"),
        (alert() | {"labels": {}}, "it has no labels"),
        (alert() | {"labels": {"a": {}}}, "labels: a value is neither text nor number"),
        (alert(startsAt="soon"), "a time is not RFC 3339"),
        (alert(startsAt=None), "it has no startsAt"),
        (alert(status="pending"), "its status is neither firing nor resolved"),
        (alert(annotations=7), "annotations is not an object"),
    ],
)
def test_a_bad_alert_goes_to_quarantine_by_itself(bad: Any, reason: str) -> None:
    told = parsed(webhook(alert("A"), bad, alert("B")))
    assert [notice.labels["alertname"] for notice in told.notices] == ["A", "B"]
    (unread,) = told.unread
    assert unread.reason == f"an alert could not be read: {reason}"
    again = parsed(unread.body)
    assert ((), [unread]) == (again.notices, list(again.unread))
    assert again.route_key == told.route_key


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", Refused("it is not JSON (line 1, column 1)")),
        (b"alert!", Refused("it is not JSON (line 1, column 1)")),
        (b"[" * 200_000, Refused("it is nested too deeply")),
        (b"[]", Refused("it is JSON, but no object")),
        (b"{}", Refused("it is not version 4 of Alertmanager's webhook", 422)),
        (webhook(version="5"), Refused("it is not version 4 of Alertmanager's webhook", 422)),
        (webhook(alerts={}), Refused("alerts is not a list", 422)),
    ],
)
def test_what_can_never_be_read_is_refused_with_the_reason(body: bytes, refused: Refused) -> None:
    assert parse(body, NOW) == refused


def test_what_alertmanager_leaves_out_is_remarked() -> None:
    assert parsed(webhook(alert(), truncatedAlerts=7)).remarks == (
        "Alertmanager left out 7 alerts: its receiver has max_alerts, which should be 0",
    )
    assert parsed(webhook(alert())).remarks == ()


@pytest.mark.parametrize(
    ("group_key", "route"),
    [
        ("{}:{}", "{}"),
        ('{}:{alertname="NodeDown", namespace="media"}', "{}"),
        ('{}/{severity="critical"}:{}', '{}/{severity="critical"}'),
        ('{}/{a="1"}/{b=~":{}|x"}:{c=":{d=\\"e\\"}"}', '{}/{a="1"}/{b=~":{}|x"}'),
        ('{}:{a=":{}"}', "{}"),
        ('{}:{a="\\\\"}', "{}"),
        ('{}:{"with.dot"="x", "quo\\"ted"="y"}', "{}"),
        ('{}:{a="line\\nbreak, \\"quotes\\" and }"}', "{}"),
        ("{}", None),
        ("", None),
        (None, None),
        (5, None),
        ("{}:{a=b}", None),
        ("x" * 70_000 + ":{}", None),
    ],
)
def test_the_routes_key_is_the_group_key_without_the_labels(group_key: object, route: str | None) -> None:
    assert route_key(group_key) == route


TEXTS = st.text(st.sampled_from('a:{}"\\=, ~/|\n\N{SNOWMAN}'), max_size=12)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=3), st.dictionaries(st.from_regex(r"[a-z_]{1,3}", fullmatch=True), TEXTS)
)
def test_no_matcher_and_no_label_confuses_where_the_labels_begin(
    matchers: list[tuple[str, str]], labels: dict[str, str]
) -> None:
    route = "{}" + "".join(f"/{{a=~{quote(one)},b={quote(two)}}}" for one, two in matchers)
    group = ", ".join(f"{name}={quote(value)}" for name, value in labels.items())
    assert route_key(f"{route}:{{{group}}}") == route


def test_a_hostile_group_key_takes_no_time() -> None:
    for piece in (":{", ':{a="', ':{a="b"', ':{a="b", ', '\\"', ':{a="\\'):
        assert route_key((piece * 65_536)[:65_536]) is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(alert(), JSON)) | JSON, max_size=5), JSON)
def test_any_payload_is_read_refused_or_put_aside_whole(alerts: list[Any], other: Any) -> None:
    body = json.dumps({"version": "4", "alerts": alerts, "groupKey": other, "truncatedAlerts": other}).encode()
    result = parse(body, NOW)
    assert isinstance(result, Parsed)
    assert len(result.notices) + len(result.unread) == len(alerts)
    assert result == parse(body, NOW)


@given(st.binary())
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    result = parse(body, NOW)
    assert isinstance(result, Refused)
    assert body == b"" or result.reason
