"""Flux: an error is an alert about its object, a success ends it, anything else is an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelabmon.relay.incidents.notice import Notice
from homelabmon.relay.intake.contract import Parsed, Refused
from homelabmon.relay.intake.flux import parse
from tests.relay.intake.payloads import FLUX, NOW
from tests.relay.intake.test_alertmanager import JSON


def only(**changed: Any) -> Notice:
    result = parse(json.dumps({**FLUX, **changed}).encode(), NOW)
    assert isinstance(result, Parsed)
    (notice,) = result.notices
    return notice


def test_an_error_is_an_alert_about_the_object() -> None:
    notice = only()
    assert (notice.firing, notice.event, notice.keyed, notice.starts_at) == (True, False, True, NOW)
    assert notice.labels == {
        "alertname": "FluxKustomizationFailed",
        "source": "flux",
        "severity": "warning",
        "kind": "Kustomization",
        "namespace": "flux-system",
        "name": "apps",
    }
    assert notice.annotations == {
        "summary": "Kustomization flux-system/apps: BuildFailed",
        "description": "kustomize build failed: no such file",
        "revision": "main@sha1:c0ffee",
        "note": "home",
    }


@pytest.mark.parametrize("reason", ["ReconciliationSucceeded", "UpgradeSucceeded", "Succeeded", "NewArtifact"])
def test_a_success_ends_the_trouble_whatever_its_reason_was(reason: str) -> None:
    over = only(severity="info", reason=reason)
    assert (over.firing, over.ends_at, over.event) == (False, NOW, False)
    assert (over.fingerprint, over.labels) == (only().fingerprint, only().labels)
    assert only(reason="HealthCheckFailed").fingerprint == over.fingerprint


@pytest.mark.parametrize("reason", ["Progressing", "DependencyNotReady", "RollbackSucceeded", "UninstallSucceeded", ""])
def test_any_other_word_is_an_event(reason: str) -> None:
    notice = only(severity="info", reason=reason)
    assert (notice.event, notice.firing, notice.keyed) == (True, True, False)
    assert notice.labels["severity"] == "info"
    assert notice.fingerprint != only().fingerprint


def test_two_objects_are_two_troubles() -> None:
    assert only(involvedObject={**FLUX["involvedObject"], "name": "infra"}).fingerprint != only().fingerprint


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is not JSON (line 1, column 1)"),
        (b"[]", "it is JSON, but no object"),
        (b"{}", "involvedObject is missing: this is no event of Flux"),
        (b'{"involvedObject": {}}', "involvedObject has no kind or no name"),
        (json.dumps({**FLUX, "timestamp": "soon"}).encode(), "a time is not RFC 3339"),
    ],
)
def test_what_is_no_event_is_refused(body: bytes, reason: str) -> None:
    assert parse(body, NOW) == Refused(reason)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FLUX, JSON)))
def test_any_object_is_read_or_refused(changed: dict[str, Any]) -> None:
    assert isinstance(parse(json.dumps({**FLUX, **changed}).encode(), NOW), Parsed | Refused)
