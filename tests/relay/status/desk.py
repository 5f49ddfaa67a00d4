"""A status page on a database in memory: what happened is put there, and the page is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from homelabmon.relay import history
from homelabmon.relay.status import incidents
from homelabmon.relay.status.gather import page_of
from homelabmon.relay.status.model import Component, Page
from homelabmon.relay.status.setup import Setup, setup_of
from homelabmon.relay.status.site import outputs
from homelabmon.relay.vigil.gaps import tick
from homelabmon.spec.relay_file import RelayFile
from tests.relay.heartbeats.desk import MemoryDisk

DAY: Final = 86_400.0
H: Final = 3600.0
M: Final = 60.0
MIDNIGHT: Final = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
"""A Sunday's."""
NOON: Final = MIDNIGHT + 12 * H

HOME: Final = {
    "name": "home",
    "url": "https://10.0.0.7/secret-path",
    "from": "outpost",
    "description": "behind the wall",
}
MAIL: Final = {"name": "mail", "tcp": "mail.internal:993", "from": "outpost"}
BACKUP: Final = {"name": "backup", "period": "1d", "description": "to the cellar"}
GROUPS: Final = (
    {
        "name": "At home",
        "description": "Under the stairs",
        "components": [{"name": "home", "title": "The house", "description": "Whatever is at home"}, "mail"],
    },
    {"name": "Jobs", "components": [{"name": "backup", "title": "Backups"}]},
)


def file_of(**changed: Any) -> RelayFile:
    page = {"title": "home.example.net", "description": "Seen from outside", "groups": GROUPS} | changed.pop("page", {})
    return RelayFile.model_validate(
        {
            "name": "home",
            "role": "outpost",
            "channels": {"ops": {"webhook_file": "/secrets/ops"}},
            "default": {"name": "default", "channel": "ops", "group_by": ["alertname"], "hold": "0s"},
            "database": "/data/outpost.db",
            "probes": [HOME, MAIL],
            "heartbeats": [BACKUP],
            "status_page": page,
            "url": "https://status.example.net",
            **changed,
        }
    )


class Desk:
    """``now`` is moved by hand."""

    def __init__(self, *, now: float = NOON, looked: bool = True, **changed: Any) -> None:
        setup = setup_of(file_of(**changed))
        assert setup is not None
        self.setup: Setup = setup
        self.disk = MemoryDisk()
        self.connection = self.disk.connection
        self.now = now
        if looked:
            self.looked(now)

    def looked(self, at: float) -> None:
        tick(self.connection, at)

    def checked(self, probe: str, at: float) -> None:
        """A probe was asked."""
        known = {"name": probe, "checked_at": at}
        for _, name, kind, required, _, _ in self.connection.execute("PRAGMA table_info(probes)").fetchall():
            if required:
                known.setdefault(name, "" if kind == "TEXT" else 0)
        marks = ", ".join("?" * len(known))
        self.connection.execute(f"INSERT INTO probes ({', '.join(known)}) VALUES ({marks})", tuple(known.values()))

    def since(self, component: str, state: history.State, at: float) -> None:
        """From then on a component is so; its name is ``home`` or ``backup``."""
        kind = "heartbeat" if component == "backup" else "probe"
        history.enter(self.connection, f"{kind}:{component}", state, at)

    def all_well(self, *, days: int = 3) -> None:
        for component in ("home", "mail", "backup"):
            self.since(component, "operational", MIDNIGHT - days * DAY)

    def day(self, component: str, back: int, **seconds: float) -> None:
        """What a day was that is over since long; so many days ago."""
        kind = "heartbeat" if component == "backup" else "probe"
        values = [seconds.get(name, 0.0) for name in ("operational", "degraded", "outage", "maintenance")]
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('history_rolled', ?)", (MIDNIGHT,))
        day = str(history.day_of(MIDNIGHT - back * DAY))
        self.connection.execute("INSERT INTO daily VALUES (?, ?, ?, ?, ?, ?)", (f"{kind}:{component}", day, *values))

    def gap(self, began: float, ended: float | None, kind: str = "blind") -> None:
        self.connection.execute("INSERT INTO gaps VALUES (?, ?, ?)", (began, ended, kind))

    def incident(
        self, title: str, *components: str, at: float = NOON - H, impact: Any = "minor", body: str = ""
    ) -> int:
        return incidents.add(
            self.connection,
            title,
            impact,
            components,
            incidents.MANUAL,
            at,
            "investigating",
            body or "We look into it.",
        )

    @property
    def page(self) -> Page:
        return page_of(self.connection, self.setup, self.now)

    def component(self, name: str) -> Component:
        return next(component for component in self.page.components if component.name == name)

    @property
    def texts(self) -> Mapping[str, str]:
        return {path: output.make() for path, output in outputs(self.page).items()}


def busy() -> Desk:
    """A page on which there is something of everything."""
    windows = [
        {
            "name": "sunday-updates",
            "title": "Updates",
            "description": "Nodes reboot one after the other.",
            "weekdays": ["sunday"],
            "from": "11:30",
            "to": "13:00",
            "timezone": "Europe/London",
            "components": ["mail"],
            "public": True,
        },
        {
            "name": "move",
            "title": "The rack moves",
            "start": "2026-12-01T20:00",
            "end": "2026-12-02T02:00",
            "timezone": "Europe/Berlin",
            "components": ["home", "backup"],
            "public": True,
        },
        {"name": "quiet", "description": "nobody must know", "from": "01:00", "to": "02:00", "components": ["home"]},
    ]
    desk = Desk(maintenance=windows)
    for back in range(40, 8, -1):
        desk.day("home", back, operational=DAY)
        desk.day("mail", back, operational=DAY - 600)
    desk.connection.execute("UPDATE daily SET operational = 79200, outage = 7200 WHERE day = '2026-11-10'")
    desk.connection.execute("UPDATE daily SET operational = 85800, degraded = 600 WHERE day = '2026-11-11'")
    desk.connection.execute("UPDATE daily SET maintenance = 1800, operational = 84600 WHERE day = '2026-11-08'")
    for component in ("home", "mail"):
        desk.since(component, "operational", MIDNIGHT - 8 * DAY)
    desk.since("backup", "operational", MIDNIGHT - 2 * DAY)
    desk.since("home", "outage", NOON - 40 * M)
    desk.since("backup", "degraded", NOON - 2 * H)
    desk.gap(MIDNIGHT + 2 * H + 10 * M, MIDNIGHT + 2 * H + 31 * M)
    old = desk.incident("Slow line", "home", "mail", at=MIDNIGHT - 3 * DAY, body="Pages load slowly.")
    incidents.say(desk.connection, old, MIDNIGHT - 3 * DAY + 2 * H, "resolved", "A line card was replaced.")
    number = desk.incident("No way in", "home", at=NOON - 35 * M, impact="major", body="Nothing answers.")
    incidents.say(
        desk.connection, number, NOON - 10 * M, "identified", "The proxy does not start.\nIt is being repaired."
    )
    return desk
