"""Pages as an owner sees them: a quiet one, and one of a bad night."""

from __future__ import annotations

from homelabmon.notifiers.message import AlertView, IncidentView
from homelabmon.relay.page.data import (
    ChannelRow,
    DeadLetterRow,
    HeartbeatRow,
    HeldRow,
    OpenIncident,
    PageData,
    ProbeRow,
    QuarantineRow,
    WatchRow,
)

NOW = 1_800_000_000.0
NASTY = "<script>alert(1)</script> \"'&\x00\ud800 {{ x }} javascript:alert(1)"


def alert(number: int, *, severity: str = "warning", over: float | None = None, **labels: str) -> AlertView:
    return AlertView(
        labels={"alertname": "NodeDown", "severity": severity, "node": f"n{number}", **labels},
        severity=severity,
        state="firing" if over is None else "resolved",
        starts_at=NOW - 60 * number - 75,
        annotations={
            "summary": f"Node n{number} is down",
            "description": f"n{number} has not answered for two minutes.",
            "runbook_url": "https://example.net/runbooks/NodeDown",
        },
        ends_at=over,
        generator_url="http://192.168.1.230:9090/graph?g0.expr=up",
    )


def incident(number: int, title: str, *alerts: AlertView, severity: str = "warning", returns: int = 0) -> IncidentView:
    over = all(one.state == "resolved" for one in alerts)
    return IncidentView(
        id=number,
        route="infrastructure",
        source="alertmanager",
        state="resolved" if over else "firing",
        severity=severity,
        title=title,
        group={"alertname": "NodeDown"},
        alerts=alerts,
        opened_at=min(one.starts_at for one in alerts),
        ended_at=NOW - 30 if over else None,
        returns=returns,
    )


QUIET = PageData(
    name="home",
    version="1.2.3",
    now=NOW,
    started_at=NOW - 3 * 86400,
    channels=(
        ChannelRow("media", "delivering", accounts={"posted": 12, "suppressed": 40}),
        ChannelRow("ops", "delivering", last_delivered=NOW - 7200, accounts={"posted": 120, "suppressed": 933}),
    ),
)

BAD_NIGHT = PageData(
    name="home",
    version="1.2.3",
    now=NOW,
    started_at=NOW - 5 * 3600,
    channels=(
        ChannelRow("media", "disabled", 3, NOW - 900, NOW - 86400, "404, unknown webhook", NOW - 880, "ops"),
        ChannelRow("ops", "waiting", 17, NOW - 65, NOW - 70, "503", NOW - 12, accounts={"posted": 120}),
        ChannelRow("security", "delivering"),
    ),
    open=(
        OpenIncident(
            incident(1, "NodeDown", alert(1, severity="critical"), alert(2), alert(3), severity="critical", returns=2),
            "ops",
        ),
        OpenIncident(incident(2, NASTY, alert(4, namespace=NASTY)), "media", told=False),
        OpenIncident(incident(3, "PodNotReady", *(alert(n, pod=f"web-{n}") for n in range(60))), "ops"),
    ),
    held=(
        HeldRow({"alertname": "KubePodCrashLooping", "namespace": "media"}, "warning", "media", NOW - 20, NOW + 40),
        HeldRow({"alertname": "DiskFull"}, "warning", "ops", NOW - 500, NOW + 40, silenced=True),
    ),
    recent=(OpenIncident(incident(4, "MemoryPressure", alert(9, over=NOW - 30), returns=3), "ops"),),
    quarantine=(QuarantineRow(7, NOW - 3600, "alertmanager", f"not JSON: {NASTY}", 4096),),
    dead_letters=(
        DeadLetterRow(8, NOW - 4000, "ops", "malformed", "embeds: 0", 4),
        DeadLetterRow(9, NOW - 9000, "ops", "malformed", "", 1, replayed_at=NOW - 100),
    ),
    heartbeats=(
        HeartbeatRow("nightly-backup", "down", NOW - 7200, last=NOW - 90_000, duration=700.0, expected=NOW - 10_800),
        HeartbeatRow("restic", "late", NOW - 86_400, running_since=NOW - 300, last=NOW - 86_400, expected=NOW - 600),
        HeartbeatRow("report", "new", NOW - 60, expected=NOW + 3600),
        HeartbeatRow("scrub", "paused", NOW - 60),
    ),
    probes=(
        ProbeRow(
            "ghcr",
            "https://ghcr.io/v2/",
            "down",
            NOW - 700,
            failing=True,
            reason="status 503 instead of 200 or 401",
            checked=NOW - 20,
            latency=0.12,
            theirs="Partial System Outage",
        ),
        ProbeRow("home", "https://home.example/", "up", NOW - 9000, checked=NOW - 5, latency=0.04, timing="dns 1 ms"),
        ProbeRow("proxy", "proxy.example:443", "up", NOW - 9000, failing=True, reason="the connection was refused"),
        ProbeRow("router", "192.168.1.1", "unknown", NOW - 9000, reason="cannot ping here"),
    ),
    watch=(
        WatchRow("Sight", "warn", "✓ sees, but 9.9.9.9:443 does not answer", NOW - 4),
        WatchRow(f"Watchdog {NASTY}", "bad", "■ silent", NOW - 700),
        WatchRow("Report of the relay", "", "○ none yet"),
        WatchRow("Hosted check", "ok", "✓ answers", NOW - 100),
    ),
    troubles=("The Watchdog is missing: what Alertmanager calls resolved proves nothing.",),
    hidden={"recent": 12},
)
