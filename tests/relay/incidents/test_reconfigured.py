"""What becomes of alerts that stand in a message when their route leads elsewhere, or has another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from homelabmon.notifiers.message import Links
from homelabmon.relay.incidents.notice import Lane, Notice
from tests.relay.incidents import desk as desks
from tests.relay.incidents.desk import Desk, alert, event


def reconfigured(desk: Desk, routes: set[str], **changed: str) -> None:
    """From now on every lane has this name or channel."""

    def lanes(notice: Notice, route_key: str | None) -> Sequence[Lane]:
        return [replace(lane, **changed) for lane in desks.lanes(notice, route_key)]  # type: ignore[arg-type]

    desk.book.reconfigure(lanes, desk.channels, links=Links(), routes=routes)


def states(desk: Desk) -> list[str]:
    return [f"{one.channel}: {one.last.incidents[0].state}" for one in desk.standing]


def test_what_stands_in_a_channel_ends_there_and_every_account_balances() -> None:
    desk = Desk()
    desk.take(alert("A", 0), alert("B", 0))
    desk.until(70)
    reconfigured(desk, {"ops"}, channel="media")
    desk.take(alert("A", 0))
    desk.take(alert("A", 0, ends=100), alert("B", 0), alert("C", 70))
    desk.until(200)
    assert states(desk) == ["ops: resolved", "ops: firing", "media: firing"]
    assert (desk.total("received"), desk.total("deduplicated"), desk.total("received", "media")) == (5, 2, 1)


def test_an_event_goes_where_its_route_leads_now() -> None:
    desk = Desk()
    desk.take(event("Shell", 0))
    desk.until(10)
    reconfigured(desk, {"ops"}, channel="media")
    desk.take(event("Shell", 20))
    desk.until(30)
    desk.take(event("Shell", 31))
    desk.until(40)
    assert [(one.channel, one.last.incidents[0].alerts[0].times) for one in desk.standing] == [("ops", 1), ("media", 2)]


def test_a_route_that_was_renamed_keeps_its_messages() -> None:
    desk = Desk()
    desk.take(alert("A", 0), alert("Long over", 0))
    desk.until(70)
    desk.take(alert("Long over", 0, ends=80))
    desk.until(90)
    reconfigured(desk, {"infrastructure"}, route="infrastructure")
    desk.take(alert("Long over", 0, ends=80))
    desk.take(alert("A", 0), alert("A", 70, node="n2"))
    desk.until(200)
    assert states(desk) == ["ops: firing", "ops: resolved"]
    assert len(desk.standing[0].last.incidents[0].alerts) == 2
    desk.restart()
    reconfigured(desk, {"infrastructure"}, route="infrastructure")
    desk.take(alert("A", 0, ends=210), alert("A", 70, ends=210, node="n2"))
    desk.until(220)
    assert states(desk) == ["ops: resolved", "ops: resolved"]


def test_a_route_that_is_still_there_keeps_what_came_by_it() -> None:
    """Alertmanager may have passed over the route that the labels match: it knows the mute times."""
    desk = Desk()
    desk.take(alert("A", 0))
    desk.until(70)
    reconfigured(desk, {"ops", "before"}, route="before")
    desk.book.reconfigure(desks.lanes, desk.channels, links=Links(), routes={"ops", "before"})
    desk.take(alert("A", 0, ends=80))
    desk.until(90)
    assert states(desk) == ["ops: resolved"]


def test_what_came_by_a_route_that_is_no_more_ends_where_it_stands() -> None:
    desk = Desk()
    desk.take(alert("A", 0, team="media"))
    desk.until(70)
    reconfigured(desk, {"everything"}, route="everything", channel="ops")
    desk.take(alert("A", 0, team="media"))
    desk.take(alert("A", 0, team="media", ends=80))
    desk.until(90)
    assert states(desk) == ["media: resolved"]
