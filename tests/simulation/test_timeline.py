"""The timeline file: when things happen, and what is wrong about a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.simulation.timeline import When, read_timeline


def spans(*, length: float = 3600.0, **when: Any) -> list[tuple[float, float]]:
    return list(When.model_validate(when).spans(length))


def test_when_something_holds() -> None:
    assert spans() == [(0, float("inf"))]
    assert spans(from_="1m", to="3m") == [(60, 180)]
    assert spans(from_="1m", for_="2m") == [(60, 180)]
    assert spans(every="5m", to="11m", for_="2m") == [(0, 120), (300, 420), (600, 660)]
    assert spans(length=240.0, every="2m", to="1h") == [(0, 0), (120, 120)]


@pytest.mark.parametrize(
    ("when", "wrong"),
    [
        ("{from: 3m, to: 3m}", "it is over before it begins; `to` must be later than `from`"),
        ("{every: 5m, for: 5m, to: 1h}", "it is never over; `for` must be shorter than `every`"),
        ("{every: 5m, for: 1m}", "it never stops to come back; say until when with `to`"),
        ("{for: 1m, to: 1h}", "`for` and `to` both say when it is over"),
        ("{every: 1ms, to: 30d}", "it comes back more than 100000 times; make"),
        ("{from: 5}", "a duration needs a unit; write 5s or 5m"),
        ("{form: 5m}", "'form'"),
        ("[]", "nothing is in it"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, when: str, wrong: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(f"alerts:\n  - {{alert: A, when: {when}}}\n")
    with pytest.raises(InputError) as caught:
        read_timeline(path)
    (finding,) = caught.value.findings
    assert finding.render().startswith(f"{path}:2:")
    assert wrong in finding.render()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomelabmonError, match="no such file; name a timeline"):
        read_timeline(tmp_path / "none.yaml")


def test_a_file_without_a_mapping_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("- a\n")
    with pytest.raises(InputError) as caught:
        read_timeline(tmp_path / "t.yaml")
    assert "write what happens" in caught.value.findings[0].render()
