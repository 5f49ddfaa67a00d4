"""Times, texts and fingerprints are read as their senders mean them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.intake.reading import UnreadableError, fingerprint, json_of, plain, text_of, timestamp


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T20:31:16Z", 1795379476.0),
        ("2026-11-22T20:31:16.5Z", 1795379476.5),
        ("2026-11-22t20:31:16.123456789z", 1795379476.123456789),
        ("2026-11-22T21:31:16+01:00", 1795379476.0),
        ("2026-11-22T15:01:16-05:30", 1795379476.0),
        ("2026-11-22 20:31:16+0000", 1795379476.0),
        ("2026-12-31T23:59:60Z", 1798761600.0),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_any_zone_and_precision(text: str | None, seconds: float | None) -> None:
    assert timestamp(text) == seconds


@pytest.mark.parametrize("text", ["2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22", "soon", 5, [], True])
def test_what_is_no_time_is_said(text: object) -> None:
    with pytest.raises(UnreadableError, match="a time is not"):
        timestamp(text)


@given(st.datetimes(datetime(2, 1, 1), datetime(9999, 1, 1)), st.integers(-840, 840))
def test_times_are_what_datetime_says(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert timestamp(aware.isoformat()) == pytest.approx(aware.timestamp(), abs=1e-3)
    assert datetime.fromtimestamp(0, UTC).timestamp() == 0


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({}, "cbf29ce484222325"),
        # common/model/signature_test.go
        ({"name": "garland, briggs", "fear": "love is not enough"}, f"{5799056148416392346:016x}"),
    ],
)
def test_fingerprints_are_prometheus(labels: dict[str, str], told: str) -> None:
    assert fingerprint(labels) == told


def test_texts_can_be_stored_and_sent_whatever_they_were() -> None:
    lone = json.loads('"a\\ud800b"')
    assert plain(lone).encode() == "a\ufffdb".encode()
    assert [plain(value) for value in ("x", 1, 1.5, True, None)] == ["x", "1", "1.5", "true", ""]
    assert text_of(b"\xef\xbb\xbfa\xffb") == "a\ufffdb"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000, "nope"])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"^it is (not JSON|nested too deeply)"):
        json_of(text)
