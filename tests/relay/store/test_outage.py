"""What the log says of a disk that fails: enough to know, and no more."""

from __future__ import annotations

import pytest

from homelabmon.relay.store.outage import Outage


class Night:
    """An outage, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.outage = Outage("/data/relay.db", lambda: self.now)

    def fails(self, seconds: int, reason: str = "full") -> None:
        for _ in range(seconds):
            self.outage.failed(reason)  # type: ignore[arg-type]  # a reason
            self.now += 1


@pytest.fixture
def night(caplog: pytest.LogCaptureFixture) -> Night:
    caplog.set_level("INFO")
    return Night()


def test_an_outage_is_told_when_it_begins_and_when_it_is_over(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    night.fails(5)
    night.outage.over()
    night.outage.over()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "nothing can be stored: the disk is full; make room on it"),
        ("WARNING", "the store can be written again"),
    ]
    assert [(vars(record)["path"], vars(record).get("seconds")) for record in caplog.records] == [
        ("/data/relay.db", None),
        ("/data/relay.db", 5.0),
    ]


def test_while_it_lasts_there_is_a_line_a_minute(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    night.fails(100)
    night.fails(100, "missing")
    assert [record.message for record in caplog.records] == [
        "nothing can be stored: the disk is full; make room on it",
        "nothing can be stored for 60 s: the disk is full; make room on it",
        "nothing can be stored for 120 s: there is no such folder; create the folder, or mount the volume there",
        "nothing can be stored for 180 s: there is no such folder; create the folder, or mount the volume there",
    ]


def test_one_that_comes_and_goes_fills_no_log(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(150):
        night.fails(1)
        night.outage.over()
    assert len(caplog.records) == 6
    night.now += 60
    night.fails(1)
    assert caplog.records[-1].message == "nothing can be stored: the disk is full; make room on it"
