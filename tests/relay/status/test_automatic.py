"""Incidents that outages open: one for one cause, in public words, and over when it is over."""

from __future__ import annotations

from typing import Any

from homelabmon.relay.status import incidents
from homelabmon.relay.status.part import follow_outages
from tests.relay.status.desk import DAY, MIDNIGHT, NOON, Desk, H, M


class Watch(Desk):
    """A desk that looks after incidents as the service does."""

    def __init__(self, **changed: Any) -> None:
        super().__init__(**changed)
        self.all_well()

    def at(self, now: float) -> list[tuple[str, str, str]]:
        """Looks at a moment; title, impact and status of what is open then."""
        self.now = now
        self.looked(now)
        follow_outages(self.connection, self.setup, now)
        return [(one.title, one.impact, one.status) for one in incidents.open_ones(self.connection)]

    def said(self) -> list[tuple[str, str]]:
        """What was said of all incidents, the earliest first."""
        found = [update for one in incidents.since(self.connection, 0.0) for update in one.updates]
        return [(update.status, update.body) for update in sorted(found, key=lambda update: update.id)]


def test_an_outage_that_lasts_becomes_an_incident_and_ends_as_one() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    assert watch.at(NOON + 5 * M - 1) == []
    assert watch.at(NOON + 5 * M) == [("Outage: The house", "major", "investigating")]
    (incident,) = watch.page.open_incidents
    assert (incident.started_at, incident.updated_at, incident.automatic) == (NOON, NOON + 5 * M, True)
    assert watch.at(NOON + 9 * M) == [("Outage: The house", "major", "investigating")]
    watch.since("home", "operational", NOON + 10 * M)
    assert watch.at(NOON + 10 * M) == [("Outage: The house", "major", "monitoring")]
    assert (watch.page.state, watch.component("home").state) == ("operational", "operational")
    assert watch.at(NOON + 15 * M - 1) == [("Outage: The house", "major", "monitoring")]
    assert watch.at(NOON + 15 * M) == []
    assert watch.said() == [
        ("investigating", "The house has been down since 22 Nov 2026, 12:00 UTC."),
        ("monitoring", "The house works again. It is being watched."),
        ("resolved", "Everything that was affected works again."),
    ]
    assert watch.page.state == "operational"


def test_what_was_said_last_stands_first_though_the_clock_was_set_back() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("home", "operational", NOON - 50 * M)
    watch.at(NOON - 50 * M)
    (incident,) = watch.page.open_incidents
    assert [update.status for update in incident.updates] == [incident.status, "investigating"]


def test_a_short_outage_is_no_incident() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.since("home", "operational", NOON + 4 * M)
    assert watch.at(NOON + 4 * M) == []
    assert watch.at(NOON + 30 * M) == []
    assert watch.said() == []


def test_what_falls_soon_after_joins_and_the_last_one_back_ends_it() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("backup", "outage", NOON + 2 * M)
    assert watch.at(NOON + 7 * M) == [("Outage: The house and Backups", "major", "investigating")]
    watch.since("mail", "outage", NOON + 4 * M)
    assert watch.at(NOON + 9 * M) == [("Outage: The house, mail and Backups", "critical", "investigating")]
    for name, minute in (("home", 20), ("mail", 21)):
        watch.since(name, "operational", NOON + minute * M)
    assert watch.at(NOON + 30 * M) == [("Outage: The house, mail and Backups", "critical", "investigating")]
    watch.since("backup", "degraded", NOON + 31 * M)
    assert watch.at(NOON + 31 * M)[0][2] == "monitoring"
    assert watch.at(NOON + 36 * M) == []
    assert watch.said()[1] == ("investigating", "Backups has not run as expected since 22 Nov 2026, 12:02 UTC.")


def test_what_is_back_while_the_rest_is_down_is_said_once_and_taken_back_where_it_falls_again() -> None:
    watch = Watch()
    for name in ("home", "mail"):
        watch.since(name, "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("home", "operational", NOON + 10 * M)
    for minute in (10, 14, 15, 16, 20):
        assert watch.at(NOON + minute * M) == [("Outage: The house and mail", "major", "investigating")]
    assert watch.said()[1:] == [("investigating", "The house works again; mail does not yet.")]
    watch.since("home", "outage", NOON + 30 * M)
    for minute in (30, 31):
        watch.at(NOON + minute * M)
    assert len(watch.said()) == 3
    assert "The house has been down again since 22 Nov 2026, 12:30 UTC." in watch.said()[2][1]
    for name in ("home", "mail"):
        watch.since(name, "operational", NOON + 40 * M)
    assert watch.at(NOON + 40 * M)[0][2] == "monitoring"


def test_what_comes_back_within_minutes_is_said_at_once() -> None:
    watch = Watch()
    for name in ("home", "mail", "backup"):
        watch.since(name, "outage", NOON)
    watch.at(NOON + 5 * M)
    for name, minute in (("home", 10), ("mail", 12)):
        watch.since(name, "operational", NOON + minute * M)
    for minute in (15, 16, 17, 18):
        watch.at(NOON + minute * M)
    assert watch.said()[1:] == [("investigating", "The house and mail work again; Backups does not yet.")]


def test_what_falls_much_later_is_another_incident() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("mail", "outage", NOON + 2 * H)
    assert [title for title, _, _ in watch.at(NOON + 2 * H + 5 * M)] == ["Outage: mail", "Outage: The house"]


def test_what_falls_while_the_first_is_back_is_another_incident() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("home", "operational", NOON + 10 * M)
    watch.since("mail", "outage", NOON + 6 * M)
    watch.at(NOON + 10 * M)
    assert [(title, status) for title, _, status in watch.at(NOON + 11 * M)] == [
        ("Outage: mail", "investigating"),
        ("Outage: The house", "monitoring"),
    ]


def test_what_comes_back_and_falls_again_stays_one_incident() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("home", "operational", NOON + 8 * M)
    watch.at(NOON + 8 * M)
    watch.since("home", "outage", NOON + 10 * M)
    assert watch.at(NOON + 10 * M) == [("Outage: The house", "major", "investigating")]
    assert watch.said()[-1] == ("investigating", "The house has been down again since 22 Nov 2026, 12:10 UTC.")
    assert len(incidents.since(watch.connection, 0.0)) == 1


def test_what_falls_again_soon_after_it_was_resolved_brings_its_incident_back() -> None:
    watch = Watch()
    for cycle in range(3):
        start = NOON + cycle * 40 * M
        watch.since("home", "outage", start)
        assert watch.at(start + 5 * M) == [("Outage: The house", "major", "investigating")]
        watch.since("home", "operational", start + 10 * M)
        watch.at(start + 10 * M)
        assert watch.at(start + 15 * M) == []
    (incident,) = incidents.since(watch.connection, 0.0)
    assert len(incident.updates) == 9
    assert incident.started_at == NOON
    assert watch.said()[3] == ("investigating", "The house has been down again since 22 Nov 2026, 12:40 UTC.")
    watch.since("home", "outage", NOON + 5 * H)
    watch.at(NOON + 5 * H + 5 * M)
    assert len(incidents.since(watch.connection, 0.0)) == 2


def test_what_is_said_of_one_incident_is_bounded_and_its_beginning_is_kept() -> None:
    desk = Desk()
    number = desk.incident("Told", body="The beginning")
    for count in range(150):
        incidents.say(desk.connection, number, NOON + count, "identified", f"{count}")
    found = incidents.find(desk.connection, number)
    assert found is not None
    assert len(found.updates) == 101
    assert (found.updates[0].body, found.updates[-2].body, found.updates[-1].body) == ("149", "50", "The beginning")


def test_no_page_shows_more_than_two_hundred_incidents() -> None:
    desk = Desk()
    for count in range(205):
        desk.incident(f"Told {count}", at=NOON - 300 + count)
    shown = [incident.title for incident in desk.page.incidents]
    assert (len(shown), shown[0], shown[-1]) == (200, "Told 204", "Told 5")


def test_nothing_is_opened_continued_or_resolved_while_nobody_sees() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.gap(NOON + M, None)
    assert watch.at(NOON + H) == []
    watch.connection.execute("UPDATE gaps SET ended = ?", (NOON + H,))
    assert watch.at(NOON + H) == [("Outage: The house", "major", "investigating")]
    watch.connection.execute("UPDATE gaps SET ended = NULL")
    watch.since("home", "operational", NOON + 2 * H)
    assert watch.at(NOON + 3 * H) == [("Outage: The house", "major", "investigating")]


def test_announced_maintenance_opens_no_incident() -> None:
    window = {"name": "w", "from": "12:00", "to": "13:00", "components": ["home"], "public": True}
    watch = Watch(maintenance=[window])
    watch.since("home", "outage", NOON + M)
    assert watch.at(NOON + 30 * M) == []
    assert watch.at(NOON + H) == [("Outage: The house", "major", "investigating")]


def test_what_somebody_has_written_to_is_theirs() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    (incident,) = incidents.open_ones(watch.connection)
    incidents.change(watch.connection, incident.id, incidents.Change(origin=incidents.MANUAL))
    incidents.say(watch.connection, incident.id, NOON + 6 * M, "identified", "A cable.")
    watch.since("home", "operational", NOON + 10 * M)
    assert watch.at(NOON + H) == [("Outage: The house", "major", "identified")]
    assert watch.said()[-1] == ("identified", "A cable.")


def test_an_outage_that_an_incident_speaks_of_already_opens_no_other() -> None:
    watch = Watch()
    watch.incident("We move the house", "home")
    watch.since("home", "outage", NOON)
    assert [title for title, _, _ in watch.at(NOON + H)] == ["We move the house"]


def test_what_is_unknown_has_not_come_back() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("home", "unknown", NOON + 10 * M)
    assert watch.at(NOON + H) == [("Outage: The house", "major", "investigating")]


def test_an_incident_of_what_is_no_longer_public_ends() -> None:
    watch = Watch()
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    other = Watch(page={"groups": [{"name": "At home", "components": ["mail"]}]})
    watch.setup = other.setup
    assert watch.at(NOON + 6 * M) == []
    assert watch.said()[-1] == ("resolved", "What was affected is not on this page any more.")


def test_an_incident_of_a_heartbeat_that_is_paused_ends_and_says_so() -> None:
    watch = Watch()
    watch.since("backup", "outage", NOON)
    assert watch.at(NOON + 5 * M) == [("Outage: Backups", "major", "investigating")]
    watch.since("backup", "unknown", NOON + 10 * M)
    assert watch.at(NOON + 10 * M) == []
    assert watch.said()[-1] == ("resolved", "Backups is not watched at present.")


def test_what_is_left_of_an_incident_is_waited_for() -> None:
    watch = Watch()
    watch.since("backup", "outage", NOON)
    watch.since("home", "outage", NOON)
    watch.at(NOON + 5 * M)
    watch.since("backup", "unknown", NOON + 10 * M)
    assert watch.at(NOON + 10 * M) == [("Outage: The house and Backups", "major", "investigating")]
    watch.since("home", "operational", NOON + 12 * M)
    watch.at(NOON + 12 * M)
    assert watch.said()[-1] == ("monitoring", "The house works again. It is being watched.")


def test_long_lists_are_cut() -> None:
    probes = [{"name": f"p{number}", "tcp": "x.example.net:1", "from": "outpost"} for number in range(6)]
    groups = [{"name": "All", "components": [probe["name"] for probe in probes]}]
    watch = Watch(probes=probes, page={"groups": groups})
    for number in range(5):
        watch.since(f"p{number}", "outage", NOON)
    assert watch.at(NOON + 5 * M) == [("Outage: p0, p1, p2 and 2 more", "major", "investigating")]


def test_an_outage_from_before_the_page_is_told_since_its_beginning() -> None:
    watch = Watch()
    watch.since("home", "outage", MIDNIGHT - DAY)
    watch.at(NOON)
    (incident,) = watch.page.open_incidents
    assert incident.started_at == MIDNIGHT - DAY
