"""What every test relies on: the markers ``program`` and ``shared``, a network that ends at loopback, Hypothesis.

``@pytest.mark.program("promtool")`` and ``@pytest.mark.shared`` skip a test with the reason where the program or the
shared facts are missing. With ``HOMELABMON_REQUIRE_PROGRAMS=1`` such a test fails instead, however it came to skip;
only a checkout with no ``../shared`` at all may still skip the shared ones.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import outside
from tests.network import Loopback

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

# Examples are drawn anew on every run here, so that more is found, and are the same in CI, so that nothing flickers.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

outside.prefer_private_programs()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, a test that needs what is not there."""
    for marker in item.iter_markers("program"):
        if (reason := outside.missing_program(*marker.args)) is not None:
            outside.unavailable(reason)
    if item.get_closest_marker("shared") is not None and (reason := outside.missing_shared()) is not None:
        outside.unavailable(reason, required=_shared_required())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip inside such a test into a failure where the run requires everything."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _must_run(item):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"required in this run: {reason}"
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder ``../shared/data``: real CRDs, chart defaults, the default alerts."""
    if (reason := outside.missing_shared()) is not None:
        outside.unavailable(reason, required=_shared_required())
    return outside.SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def loopback() -> Iterator[Loopback]:
    """Refuse traffic that would leave this machine, for the whole run."""
    guard = Loopback()
    with pytest.MonkeyPatch.context() as monkeypatch:
        guard.install(monkeypatch)
        yield guard


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(loopback: Loopback) -> Iterator[None]:
    """Fail a test that tried to reach out, even if its code took the refusal for an outage."""
    loopback.refused.clear()
    yield
    if loopback.refused:
        pytest.fail(f"the test tried to reach out: {', '.join(dict.fromkeys(loopback.refused))}", pytrace=False)


def _must_run(item: pytest.Item) -> bool:
    if not outside.REQUIRED:
        return False
    if item.get_closest_marker("shared") is not None:
        return _shared_required()
    return item.get_closest_marker("program") is not None


def _shared_required() -> bool:
    return outside.REQUIRED and outside.SHARED.exists()
