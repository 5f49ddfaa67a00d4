"""The benchmark runs."""

from __future__ import annotations

import pytest

from tests.routing import bench


def test_benchmark_prints_a_line_for_each_tree(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(runs=1, count=40, sizes=(10, 20))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["routes", "expressions", "compile", "first/s", "decisions/s", "taken", "reach"]
    assert len(lines) == 2 * len(bench.MIXES)
