"""The vigil as rows of the page at ``/``. Pure. Used by the service. May import: its neighbours, relay.page.data."""

from __future__ import annotations

from collections.abc import Iterator

from homelabmon.notifiers.facts import plural
from homelabmon.relay.page.data import WatchRow
from homelabmon.relay.vigil.parts import View
from homelabmon.relay.vigil.watchdog import Engine


def of_outpost(view: View, now: float) -> Iterator[WatchRow]:
    """Sight, each Watchdog, and the relay's last report."""
    if view.anchors:
        yield _sight(view)
    for engine in view.engines:
        yield _engine(engine)
    received = view.report
    if received is None:
        yield WatchRow("Report of the relay", "", "○ none yet")
    elif not received.fresh(now):
        yield WatchRow("Report of the relay", "warn", "… too old", received.at)
    else:
        report = received.report
        number = len(report.open) + report.more
        words = f"✓ comes, {plural(number, 'alert')} open" if number else "✓ comes, nothing is open"
        yield WatchRow("Report of the relay", "ok", words, received.at)


def of_leg(pinged_at: float | None, trouble: str) -> WatchRow:
    """The hosted check."""
    if trouble:
        return WatchRow("Hosted check", "bad", f"■ not pinged: {trouble}", pinged_at)
    return WatchRow("Hosted check", "", "○ not pinged yet") if pinged_at is None else _well("Hosted check", pinged_at)


def of_reporter(accepted_at: float | None, trouble: str) -> WatchRow:
    """The outpost, as the cluster's relay sees it."""
    if trouble:
        return WatchRow("Outpost", "warn", f"… takes no reports: {trouble}", accepted_at)
    return WatchRow("Outpost", "", "○ nothing reported yet") if accepted_at is None else _well("Outpost", accepted_at)


def _well(name: str, at: float) -> WatchRow:
    return WatchRow(name, "ok", "✓ answers", at)


def _sight(view: View) -> WatchRow:
    silent = [anchor for anchor, alive in view.anchors.items() if alive is False]
    missing = f", but {', '.join(silent)} {'does' if len(silent) == 1 else 'do'} not answer" if silent else ""
    if view.blind_since is not None:
        return WatchRow("Sight", "bad", "■ blind: the anchors do not answer", view.blind_since)
    return WatchRow("Sight", "warn" if silent else "ok", f"✓ sees{missing}", view.looked_at)


def _engine(engine: Engine) -> WatchRow:
    name = f"Watchdog {engine.name}".strip()
    if engine.why == "resolved":
        return WatchRow(name, "bad", "■ over, says Alertmanager", engine.since)
    if engine.why is not None:
        return WatchRow(name, "bad", "■ silent" if engine.heard is not None else "■ never heard", engine.since)
    if engine.heard is None:
        return WatchRow(name, "", "○ not heard yet")
    return WatchRow(name, "ok", "✓ heard", engine.heard)
