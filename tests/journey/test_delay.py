"""How long it takes until somebody reads it: every step, and the hold that runs beside Alertmanager's own waiting."""

from __future__ import annotations

from typing import Any

import pytest

from homelabmon.journey import delay
from homelabmon.journey.running import Running
from homelabmon.journey.ways import ways
from tests.journey.test_running import running_of
from tests.stacks_common import EVERYTHING


def steps(found: Running, name: str, **labels: str) -> dict[str, tuple[float, float]]:
    (rule, *_) = found.rules_by_name[name]
    (way,) = ways(found, {"alertname": name, **rule.static, **labels})
    return {step.name: (step.best, step.worst) for step in delay.of_rule(found, rule, way)}


def of(expr: str = "up == 0", *, components: dict[str, Any] | None = None, pends: str = "5m", **alert: str) -> Running:
    alerts = [{"alert": "A", "expr": expr, "summary": "s", "for": pends, **alert}]
    return running_of(components=components or EVERYTHING, alerts=alerts)


def test_every_step_of_an_alert_through_the_relay() -> None:
    assert steps(of(), "A") == {
        "scrape": (0.0, 30.0),
        "evaluation": (0.0, 30.0),
        "for": (300.0, 300.0),
        "group_wait": (5.0, 5.0),
        "replica": (0.0, 15.0),
        "hold": (55.0, 40.0),
        "gather": (1.0, 1.0),
        "delivery": (0.0, 2.0),
    }


@pytest.mark.parametrize(
    ("written", "pends"),
    [("0s", None), ("1s", 30.0), ("30s", 30.0), ("45s", 60.0), ("1m", 60.0), ("61s", 90.0)],
)
def test_for_is_counted_in_evaluations(written: str, pends: float | None) -> None:
    found = steps(of(pends=written), "A").get("for")
    assert found == (None if pends is None else (pends, pends))


def test_a_critical_alert_is_not_held() -> None:
    assert "hold" not in steps(of(severity="critical"), "A")


def test_one_alertmanager_has_nobody_to_wait_for() -> None:
    assert "replica" not in steps(of(components={**EVERYTHING, "alertmanager": {"replicas": 1}}), "A")
    three = steps(of(components={**EVERYTHING, "alertmanager": {"replicas": 3}}), "A")
    assert three["replica"] == (0.0, 30.0)
    assert three["hold"] == (55.0, 25.0)


def test_without_the_relay_group_wait_is_the_hold() -> None:
    found = steps(of(components={"prometheus": {}, "alertmanager": {"replicas": 1}}), "A")
    assert list(found) == ["scrape", "evaluation", "for", "group_wait", "delivery"]
    assert found["group_wait"] == (60.0, 60.0)


def test_what_is_scraped_at_its_own_pace_counts_by_that() -> None:
    scrape = [{"name": "slow", "targets": ["127.0.0.1:9100"], "interval": "5m"}]
    alerts = [{"alert": "A", "expr": 'up{job="slow"} == 0', "summary": "s"}]
    found = running_of(components=EVERYTHING, scrape=scrape, alerts=alerts)
    assert steps(found, "A")["scrape"] == (0.0, 300.0)
    probes = [{"name": "web", "tcp": "127.0.0.1:80", "interval": "2m"}]
    assert steps(running_of(components=EVERYTHING, probes=probes), "ProbeDown")["scrape"] == (0.0, 120.0)


@pytest.mark.parametrize(
    ("expr", "seconds"),
    [
        ("up == 0", 0.0),
        ("rate(x_total[5m]) > 1 and rate(x_total[1h]) > 1", 3600.0),
        ("x offset 2h > 1", 7200.0),
        ("max_over_time(x[1d:5m]) > 1", 86400.0),
        ('x{a="[5m]", b="offset 5m"} > 1', 0.0),
    ],
)
def test_how_far_an_expression_looks_back(expr: str, seconds: float) -> None:
    (rule,) = of(expr).rules_by_name["A"]
    assert delay.looks_back(rule) == seconds
