"""Our evaluation of rules and Prometheus' own, by ``promtool test rules``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from random import Random

import pytest

from homelabmon.routing.timing.evaluation import Episode, Rule, Span, episodes
from homelabmon.spec.base import format_duration

pytestmark = pytest.mark.program("promtool")

STEP = 15
"""Seconds between the samples of a condition."""
LENGTH = 120
"""Samples."""


def test_alerts_fire_and_resolve_at_the_same_evaluations(tmp_path: Path) -> None:
    """60 rules over conditions that come and go, asked at every evaluation."""
    random = Random(7)
    rules, series, expected = [], [], []
    fired = 0
    for number in range(60):
        interval = 30
        rule = Rule(
            for_=random.choice((0.0, 30.0, 45.0, 60.0, 120.0, 300.0)),
            keep_firing_for=random.choice((0.0, 0.0, 30.0, 50.0, 120.0)),
            interval=interval,
        )
        samples = condition(random)
        known = list(episodes(spans(samples), rule))
        fired += len(known)
        rules.append(written(number, rule))
        series.append({"series": f"condition{number}", "values": " ".join("1" if each else "0" for each in samples)})
        for at in range(0, LENGTH * STEP, interval):
            alerts: list[dict[str, object]] = [{"exp_labels": {}}] if any(fires(each, at) for each in known) else []
            expected.append({"eval_time": f"{at}s", "alertname": f"A{number}", "exp_alerts": alerts})
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "g", "interval": "30s", "rules": rules}]}))
    test = {"interval": f"{STEP}s", "input_series": series, "alert_rule_test": expected}
    (tmp_path / "test.yaml").write_text(
        json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "30s", "tests": [test]})
    )
    result = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[:3000]
    assert fired > 100


def condition(random: Random) -> list[bool]:
    samples: list[bool] = []
    while len(samples) < LENGTH:
        samples += [random.random() < 0.5] * random.choice((1, 1, 2, 3, 5, 8, 20))
    return samples[:LENGTH]


def spans(samples: list[bool]) -> list[Span]:
    return [(number * STEP, (number + 1) * STEP) for number, holds in enumerate(samples) if holds]


def written(number: int, rule: Rule) -> dict[str, str]:
    data = {"alert": f"A{number}", "expr": f"condition{number} == 1", "for": format_duration(rule.for_)}
    return {**data, "keep_firing_for": format_duration(rule.keep_firing_for)} if rule.keep_firing_for else data


def fires(episode: Episode, at: float) -> bool:
    return episode.fires_at <= at and (episode.resolves_at is None or at < episode.resolves_at)
