"""What becomes of spans, gaps, windows and incidents on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from homelabmon.relay.status import incidents
from homelabmon.relay.status.words import freshness, headline, share, window
from tests.relay.status.desk import DAY, MIDNIGHT, NOON, Desk, H, M

WEEKLY = {"weekdays": ["sunday"], "from": "11:00", "to": "13:00", "public": True}


def states(desk: Desk) -> dict[str, str]:
    return {component.name: component.state for component in desk.page.components}


def test_a_component_is_what_it_was_last_measured_to_be() -> None:
    desk = Desk()
    desk.all_well()
    desk.since("home", "outage", NOON - 10 * M)
    desk.since("backup", "degraded", NOON - 5 * M)
    assert states(desk) == {"home": "outage", "mail": "operational", "backup": "degraded"}
    assert desk.component("home").since == NOON - 10 * M
    assert headline(desk.page) == "Some things are down"


def test_the_worst_state_counts_and_all_down_is_more_than_some() -> None:
    desk = Desk()
    desk.all_well()
    assert (desk.page.state, headline(desk.page)) == ("operational", "All is well")
    desk.since("home", "degraded", NOON - 30 * M)
    assert (desk.page.state, headline(desk.page)) == ("degraded", "Some things are slow or impaired")
    desk.since("home", "outage", NOON - 20 * M)
    assert (desk.page.state, headline(desk.page)) == ("partial", "Some things are down")
    for name in ("mail", "backup"):
        desk.since(name, "outage", NOON - 10 * M)
    assert (desk.page.state, headline(desk.page)) == ("outage", "Everything is down")


def test_what_was_never_measured_is_not_called_well() -> None:
    desk = Desk()
    assert (desk.page.state, headline(desk.page)) == ("unknown", "Nothing is known yet")
    desk.since("home", "operational", NOON - H)
    assert states(desk) == {"home": "operational", "mail": "unknown", "backup": "unknown"}
    assert (desk.page.state, headline(desk.page)) == ("operational", "All is well, as far as is known")


# Freshness and sight -------------------------------------------------------------------------------------------------


def test_the_page_says_when_was_looked_and_when_it_is_made_anew() -> None:
    desk = Desk()
    desk.looked(NOON - 20)
    assert freshness(desk.page) == "Checked 22 Nov 2026, 11:59 UTC, next by 12:05 UTC"
    desk.checked("home", NOON)
    assert freshness(desk.page) == "Checked 22 Nov 2026, 12:00 UTC, next by 12:05 UTC"


def test_a_page_on_which_nobody_has_ever_looked_says_so() -> None:
    page = Desk(looked=False).page
    assert headline(page) == "Nothing is known yet"
    assert freshness(page) == "Never checked; this page was made 22 Nov 2026, 12:00 UTC, next by 12:05 UTC"


def test_a_look_in_the_future_is_one_of_now() -> None:
    desk = Desk()
    desk.looked(NOON + H)
    assert freshness(desk.page) == "Checked 22 Nov 2026, 12:00 UTC, next by 12:05 UTC"


def test_a_page_on_which_nobody_has_looked_for_ten_minutes_says_nothing_about_now() -> None:
    desk = Desk()
    desk.all_well()
    desk.looked(NOON - 601)
    page = desk.page
    assert {component.state for component in page.components} == {"unknown"}
    assert (page.state, headline(page)) == ("unknown", "Nobody has looked lately")
    assert freshness(page) == "Last checked 22 Nov 2026, 11:49 UTC; this page was made 12:00 UTC"
    desk.looked(NOON - 599)
    assert desk.page.state == "operational"


def test_a_blind_watcher_says_so_and_nothing_about_others() -> None:
    desk = Desk()
    desk.all_well()
    desk.since("home", "outage", NOON - H)
    desk.gap(NOON - 20 * M, None)
    page = desk.page
    assert (page.state, headline(page)) == ("unknown", "The watcher has no sight right now")
    assert {component.state for component in page.components} == {"unknown"}
    assert {component.since for component in page.components} == {None}
    text = desk.texts["index.html"]
    assert freshness(page) == "Last saw anything 22 Nov 2026, 11:40 UTC, next by 12:05 UTC"
    assert "Nothing can be said of what has happened since. Earlier days are as shown." in text
    assert 'class="banner unknown"' in text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("blind", "The watcher itself had no sight: 22 Nov 2026, 02:10 to 02:31 UTC."),
        ("restart", "The watcher itself did not run: 22 Nov 2026, 02:10 to 02:31 UTC."),
        ("suspend", "The watcher itself stood still: 22 Nov 2026, 02:10 to 02:31 UTC."),
        ("disk", "The watcher itself could not keep notes: 22 Nov 2026, 02:10 to 02:31 UTC."),
        ("stall", "The watcher itself had no time: 22 Nov 2026, 02:10 to 02:31 UTC."),
        ("clock", "The watcher’s own clock was set: 22 Nov 2026, 02:10 to 02:31 UTC."),
    ],
)
def test_a_gap_that_is_over_is_told_and_counts_as_no_data(kind: str, words: str) -> None:
    desk = Desk()
    desk.all_well()
    desk.gap(MIDNIGHT + 2 * H + 10 * M, MIDNIGHT + 2 * H + 31 * M, kind)
    assert words in desk.texts["index.html"]
    assert words in desk.texts["history.html"]
    assert desk.component("home").days[-1].day.no_data == 21 * M
    assert desk.component("home").uptime == 1.0


def test_a_gap_that_clients_wait_out_is_not_worth_telling() -> None:
    desk = Desk()
    desk.gap(MIDNIGHT, MIDNIGHT + 59, "restart")
    assert "watcher itself" not in desk.texts["index.html"] + desk.texts["history.html"]


# Maintenance ---------------------------------------------------------------------------------------------------------


def test_maintenance_does_not_hide_that_the_watcher_is_blind() -> None:
    desk = Desk(maintenance=[{**WEEKLY, "name": "w", "components": ["home"]}])
    desk.all_well()
    assert desk.page.state == "maintenance"
    desk.gap(NOON - M, None)
    assert (desk.page.state, headline(desk.page)) == ("unknown", "The watcher has no sight right now")


def test_maintenance_is_scheduled_then_in_progress_then_over() -> None:
    desk = Desk(maintenance=[{"name": "w", "components": ["home"], **WEEKLY}])
    phases = []
    for hour in (10.99, 11, 12.99, 13):
        desk.now = MIDNIGHT + hour * H
        phases.append(
            [(one.phase, round((one.opens - MIDNIGHT) / H)) for one in desk.page.maintenance if one.opens > MIDNIGHT]
        )
    assert phases == [
        [("scheduled", 11)],
        [("in_progress", 11), ("scheduled", 7 * 24 + 11)],
        [("in_progress", 11), ("scheduled", 7 * 24 + 11)],
        [("completed", 11), ("scheduled", 7 * 24 + 11)],
    ]


def test_maintenance_is_about_what_it_names_and_hides_no_outage_of_others() -> None:
    desk = Desk(maintenance=[{"name": "w", "components": ["home"], **WEEKLY}])
    desk.all_well()
    desk.since("home", "outage", NOON - 10 * M)
    assert states(desk)["home"] == "maintenance"
    assert (desk.page.state, headline(desk.page)) == ("maintenance", "Maintenance is under way")
    desk.since("mail", "outage", NOON - 10 * M)
    assert (desk.page.state, headline(desk.page)) == ("partial", "Some things are down")


def test_downtime_in_announced_maintenance_is_left_out_of_the_uptime() -> None:
    desk = Desk(maintenance=[{"name": "w", "components": ["home"], **WEEKLY}])
    desk.all_well()
    for name in ("home", "mail"):
        desk.since(name, "outage", NOON - 10 * M)
    assert desk.component("home").days[-1].day.maintenance == 10 * M
    assert desk.component("home").uptime == 1.0
    assert desk.component("mail").days[-1].day.outage == 10 * M


@pytest.mark.parametrize(
    "private", [{"public": False}, {"components": [], "routes": ["media"]}, {"components": ["other"]}]
)
def test_what_is_not_public_or_not_about_the_page_is_not_announced(private: dict[str, Any]) -> None:
    desk = Desk(maintenance=[{"name": "w", "components": ["home"], **WEEKLY, **private}])
    desk.all_well()
    assert desk.page.maintenance == ()
    assert states(desk)["home"] == "operational"


def test_a_window_that_names_nothing_is_about_everything() -> None:
    desk = Desk(maintenance=[{"name": "w", **WEEKLY}])
    assert set(states(desk).values()) == {"maintenance"}


@pytest.mark.parametrize(
    ("zone", "day", "words"),
    [
        ("UTC", "2026-11-29", "Sun 29 Nov 2026, 03:00 to 05:00 UTC"),
        ("Europe/London", "2026-11-29", "Sun 29 Nov 2026, 03:00 to 05:00, Europe/London (UTC)"),
        ("America/New_York", "2026-11-29", "Sun 29 Nov 2026, 03:00 to 05:00, America/New_York (UTC−05:00)"),
        ("Asia/Kathmandu", "2026-11-29", "Sun 29 Nov 2026, 03:00 to 05:00, Asia/Kathmandu (UTC+05:45)"),
        ("Europe/Berlin", "2026-10-25", "Sun 25 Oct 2026, 03:00 to 05:00, Europe/Berlin (UTC+01:00)"),
        ("Europe/Berlin", "2027-03-28", "Sun 28 Mar 2027, 03:00 to 05:00, Europe/Berlin (UTC+02:00)"),
    ],
)
def test_maintenance_is_told_by_the_clocks_of_its_zone(zone: str, day: str, words: str) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() - DAY
    given = {"name": "w", "from": "03:00", "to": "05:00", "weekdays": ["sunday"], "timezone": zone, "public": True}
    desk = Desk(now=now, maintenance=[given])
    (one,) = [one for one in desk.page.maintenance if one.phase == "scheduled"]
    assert window(one) == words


def test_a_window_in_which_clocks_are_changed_says_both_offsets() -> None:
    given = {
        "name": "w",
        "from": "00:30",
        "to": "05:00",
        "weekdays": ["sunday"],
        "timezone": "Europe/Berlin",
        "public": True,
    }
    desk = Desk(now=datetime(2026, 10, 24, tzinfo=UTC).timestamp(), maintenance=[given])
    (one,) = [one for one in desk.page.maintenance if one.phase == "scheduled"]
    assert window(one) == "Sun 25 Oct 2026, 00:30 (UTC+02:00) to 05:00 (UTC+01:00), Europe/Berlin"
    assert one.closes - one.opens == 5.5 * H


# Incidents -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("impact", "state"),
    [("none", "operational"), ("minor", "degraded"), ("major", "partial"), ("critical", "outage")],
)
def test_an_incident_says_how_what_it_names_is(impact: str, state: str) -> None:
    desk = Desk()
    desk.all_well()
    number = desk.incident("Told", "home", impact=impact)
    assert states(desk) == {"home": state, "mail": "operational", "backup": "operational"}
    assert desk.page.state == state
    incidents.say(desk.connection, number, NOON, "resolved", "Over.")
    assert states(desk)["home"] == "operational"


def test_an_incident_does_not_make_an_outage_look_better() -> None:
    desk = Desk()
    desk.all_well()
    desk.since("home", "outage", NOON - H)
    desk.incident("Told", "home", impact="minor")
    assert states(desk)["home"] == "outage"


def test_incidents_are_shown_for_ninety_days_after_their_end() -> None:
    desk = Desk()
    number = desk.incident("Old", at=NOON - 100 * DAY)
    assert [one.title for one in desk.page.incidents] == ["Old"]
    incidents.say(desk.connection, number, NOON - 91 * DAY, "resolved", "Over.")
    assert desk.page.incidents == ()
    incidents.prune(desk.connection, NOON + 400 * DAY)
    assert incidents.since(desk.connection, 0.0) == []


# Days and uptime -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        ({"operational": DAY}, "operational"),
        ({"operational": DAY - 299, "degraded": 299.0}, "operational"),
        ({"operational": DAY - 300, "degraded": 300.0}, "degraded"),
        ({"operational": DAY - 1, "outage": 1.0}, "degraded"),
        ({"operational": DAY - 900, "outage": 900.0}, "outage"),
        ({"operational": DAY - 60, "maintenance": 60.0}, "maintenance"),
        ({"operational": 3600.0}, "operational"),
        ({}, "unknown"),
    ],
)
def test_what_a_day_is_marked_as(seconds: dict[str, float], state: str) -> None:
    desk = Desk()
    desk.day("home", 20, **seconds)
    assert desk.component("home").days[-21].state == state


def test_there_are_ninety_days_and_the_last_is_today() -> None:
    desk = Desk()
    days = [row.date.isoformat() for row in desk.component("home").days]
    assert (len(days), days[0], days[-1]) == (90, "2026-08-25", "2026-11-22")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (1.0, "100 %"),
        (0.99999999, "99.99 %"),
        (1.0 - 1e-15, "99.99 %"),
        (0.99996, "99.99 %"),
        (0.9995, "99.95 %"),
        (0.9, "90 %"),
        (0.12345, "12.34 %"),
        (0.0, "0 %"),
        (None, "no data"),
    ],
)
def test_uptime_is_cut_and_never_rounded_up(part: float | None, words: str) -> None:
    assert share(part) == words


def test_uptime_is_about_measured_time_and_says_what_it_leaves_out() -> None:
    desk = Desk()
    desk.day("home", 21, operational=DAY - 7200, outage=3600, maintenance=3600)
    for back in range(20, 8, -1):
        desk.day("home", back, operational=DAY - 3600)
    text = desk.texts["history.html"]
    assert (
        "Up 99.66 % of 12 d 11 h measured since 1 Nov 2026; 1 h of maintenance and 9 d without data left out." in text
    )
