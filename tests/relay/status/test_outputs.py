"""The outputs as they are, and what holds for each of them whatever happens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final
from xml.etree import ElementTree

import pytest
from syrupy.assertion import SnapshotAssertion

from homelabmon.relay.page.html import VOID
from homelabmon.relay.status import incidents
from homelabmon.relay.status.site import outputs
from tests.relay.status.desk import DAY, MIDNIGHT, NOON, Desk, H, M, busy

ATOM: Final = "{http://www.w3.org/2005/Atom}"


def quiet() -> Desk:
    desk = Desk()
    desk.all_well()
    return desk


def empty() -> Desk:
    return Desk(page={"groups": []}, looked=False)


DESKS: Final[dict[str, Callable[[], Desk]]] = {"busy": busy, "quiet": quiet, "nothing yet": Desk, "empty": empty}


class Outline(HTMLParser):
    """Fails on elements that are not closed in order; gathers what a browser gets."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert self.open[-1] in ("svg", "pattern")
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [value for name, value in self.attributes if name == attribute]


@pytest.mark.parametrize("path", ["index.html", "history.html", "incidents/2.html"])
def test_pages(path: str, snapshot: SnapshotAssertion) -> None:
    text = re.sub(r"<style>.*?</style>", "<style>…</style>", busy().texts[path], flags=re.DOTALL)
    text = re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
    assert re.sub(r"(?<=>)(?=<[^/])", "\n", text) == snapshot


@pytest.mark.parametrize(
    "path",
    ["status.json", "api/v2/status.json", "shields.json", "status.txt", "feed.atom", "feed/backup.atom", "badge.svg"],
)
def test_other_outputs(path: str, snapshot: SnapshotAssertion) -> None:
    assert busy().texts[path] == snapshot


@pytest.mark.parametrize("desk", DESKS)
def test_pages_are_whole_link_only_to_what_is_there_and_have_no_script(desk: str) -> None:
    texts = DESKS[desk]().texts
    ids = {path: Outline(text).values("id") for path, text in texts.items() if path.endswith(".html")}
    for path, found in ids.items():
        assert len(found) == len(set(found)), f"{path} has an id twice"
        page = Outline(texts[path])
        assert not {"script", "iframe", "object", "img", "form"} & set(page.names)
        assert [name for name, _ in page.attributes if name.startswith("on") or name == "style"] == []
        for link in page.values("href"):
            target, _, anchor = link.partition("#")
            up = "../" * path.count("/")
            assert not target or target.startswith(up)
            whole = target.removeprefix(up) or path
            assert whole in texts, f"{path} leads to {link}"
            assert not anchor or anchor in ids[whole], f"{path} leads to {link}"


@pytest.mark.parametrize("desk", DESKS)
def test_the_same_page_gives_the_same_bytes(desk: str) -> None:
    assert DESKS[desk]().texts == DESKS[desk]().texts


def test_no_path_can_be_mistaken_for_a_ping() -> None:
    assert [path for path in busy().texts if "." not in path.rpartition("/")[2]] == []


# Atom ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("desk", DESKS)
def test_feeds_are_what_the_standard_asks_for(desk: str) -> None:
    """RFC 4287, 4.1.1 and 4.1.2: what must be there, and once."""
    for path, text in DESKS[desk]().texts.items():
        if not path.endswith(".atom"):
            continue
        feed = ElementTree.fromstring(text)
        assert feed.tag == f"{ATOM}feed"
        for element in (feed, *feed.findall(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                assert len(element.findall(f"{ATOM}{name}")) == 1, f"{path}: {name}"
            assert re.fullmatch(r"(https://|urn:)\S+", element.findtext(f"{ATOM}id", ""))
            datetime.strptime(element.findtext(f"{ATOM}updated", ""), "%Y-%m-%dT%H:%M:%SZ")
        assert feed.find(f"{ATOM}author/{ATOM}name") is not None
        ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
        assert len(ids) == len(set(ids))
        (own,) = (link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self")
        assert own == f"https://status.example.net/{path}"


def entries(desk: Desk, path: str = "feed.atom") -> dict[str, str]:
    feed = ElementTree.fromstring(desk.texts[path])
    return {
        entry.findtext(f"{ATOM}title", ""): entry.findtext(f"{ATOM}updated", "")
        for entry in feed.findall(f"{ATOM}entry")
    }


def test_a_feed_changes_only_when_there_is_news() -> None:
    desk = busy()
    before = desk.texts["feed.atom"]
    desk.now += 5 * M
    desk.looked(desk.now)
    assert desk.texts["feed.atom"] == before
    assert desk.texts["index.html"] != before
    assert entries(desk) == {
        "Identified: No way in": "2026-11-22T11:50:00Z",
        "Resolved: Slow line": "2026-11-19T02:00:00Z",
        "Maintenance scheduled: The rack moves": "2026-11-01T19:00:00Z",
    }
    desk.now = datetime.fromisoformat("2026-12-01T19:30:00Z").timestamp()
    assert entries(desk)["Maintenance in progress: The rack moves"] == "2026-12-01T19:00:00Z"


def test_a_feed_of_a_component_is_about_that_component() -> None:
    assert list(entries(busy(), "feed/mail.atom")) == ["Resolved: Slow line"]
    assert list(entries(busy(), "feed/backup.atom")) == ["Maintenance scheduled: The rack moves"]


def test_a_few_incidents_that_are_over_are_on_the_first_page_and_all_in_the_history() -> None:
    desk = quiet()
    for number in range(7):
        incidents.say(desk.connection, desk.incident(f"Told {number}"), NOON, "resolved", "Over.")
    assert desk.texts["index.html"].count(">Told ") == 5
    assert desk.texts["history.html"].count(">Told ") == 7
    desk.now += 15 * DAY
    desk.looked(desk.now)
    assert ">Told " not in desk.texts["index.html"]


def test_with_many_components_only_groups_with_something_the_matter_are_unfolded() -> None:
    def unfolded(count: int) -> list[str]:
        probes = [{"name": f"p{number}", "tcp": "x.example.net:1", "from": "outpost"} for number in range(count)]
        names = [str(probe["name"]) for probe in probes]
        groups = [{"name": "Bad", "components": names[:1]}, {"name": "Well", "components": names[1:]}]
        desk = Desk(probes=probes, page={"groups": groups})
        for name in names:
            desk.since(name, "operational", MIDNIGHT)
        desk.since("p0", "outage", NOON - H)
        return re.findall(r'<details class="group" open><summary><h2>(\w+)</h2>', desk.texts["index.html"])

    assert unfolded(12) == ["Bad", "Well"]
    assert unfolded(13) == ["Bad"]


def test_a_window_of_every_week_is_no_news() -> None:
    assert not any("Updates" in title for title in entries(busy()))


# JSON ----------------------------------------------------------------------------------------------------------------

TEXT: Final = (str,)
TEXT_OR_NOTHING: Final = (str, type(None))
UPDATE: Final = {
    **dict.fromkeys(("id", "status", "body", "incident_id", "created_at", "updated_at", "display_at"), TEXT),
}
COMPONENT: Final = {
    **dict.fromkeys(("id", "name", "status", "page_id"), TEXT),
    **dict.fromkeys(("created_at", "updated_at"), TEXT),
    **dict.fromkeys(("description", "group_id"), TEXT_OR_NOTHING),
    "position": (int,),
    "showcase": (bool,),
    "group": (bool,),
    "only_show_if_degraded": (bool,),
}
INCIDENT: Final = {
    **dict.fromkeys(("id", "name", "status", "created_at", "updated_at", "impact", "shortlink", "started_at"), TEXT),
    **dict.fromkeys(("monitoring_at", "resolved_at"), TEXT_OR_NOTHING),
    "page_id": TEXT,
    "incident_updates": (list,),
    "components": (list,),
}
MAINTENANCE: Final = INCIDENT | dict.fromkeys(("scheduled_for", "scheduled_until"), TEXT)


def has(data: dict[str, Any], shape: Mapping[str, tuple[type, ...]]) -> None:
    assert {name: type(data.get(name, ...)) for name in shape if not isinstance(data.get(name, ...), shape[name])} == {}


@pytest.mark.parametrize("desk", DESKS)
def test_the_summary_has_statuspages_shape(desk: str) -> None:
    found = json.loads(DESKS[desk]().texts["status.json"])
    assert set(found) == {"page", "status", "components", "incidents", "scheduled_maintenances"}
    has(found["page"], dict.fromkeys(("id", "name", "url", "time_zone", "updated_at"), TEXT))
    has(found["status"], dict.fromkeys(("indicator", "description"), TEXT))
    ids = [one["id"] for one in found["components"]]
    assert len(ids) == len(set(ids))
    for component in found["components"]:
        has(component, COMPONENT)
        assert component["group_id"] is None or component["group_id"] in ids
        for member in component.get("components", ()):
            assert member in ids
    for incident in found["incidents"]:
        has(incident, INCIDENT)
        assert incident["status"] in ("investigating", "identified", "monitoring")
        assert incident["impact"] in ("none", "minor", "major", "critical")
        for update in incident["incident_updates"]:
            has(update, UPDATE)
    for one in found["scheduled_maintenances"]:
        has(one, MAINTENANCE)
        assert one["status"] in ("scheduled", "in_progress")
        assert one["scheduled_for"] < one["scheduled_until"]


@pytest.mark.parametrize(
    ("state", "component", "indicator"),
    [
        ("operational", "operational", "none"),
        ("degraded", "degraded_performance", "minor"),
        ("outage", "major_outage", "major"),
    ],
)
def test_states_have_statuspages_words(state: Any, component: str, indicator: str) -> None:
    desk = quiet()
    desk.since("home", state, NOON - H)
    found = json.loads(desk.texts["status.json"])
    assert next(one["status"] for one in found["components"] if one["name"] == "The house") == component
    assert found["status"]["indicator"] == indicator


def test_what_nobody_knows_is_not_called_operational() -> None:
    found = json.loads(Desk().texts["status.json"])
    assert {one["status"] for one in found["components"]} == {"unknown"}
    assert found["status"] == {"indicator": "unknown", "description": "Nothing is known yet"}


# Badges --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("desk", DESKS)
def test_pictures_are_xml(desk: str) -> None:
    for path, text in DESKS[desk]().texts.items():
        if path.endswith(".svg"):
            root = ElementTree.fromstring(text)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert path == "favicon.svg" or root.findtext("{http://www.w3.org/2000/svg}title")


def test_badges_say_their_state_by_word_and_shape() -> None:
    texts = busy().texts
    assert "■ outage" in texts["badge/home.svg"]
    assert "◆ maintenance" in texts["badge/mail.svg"]
    assert "▲ degraded" in texts["badge/backup.svg"]
    assert "◐ partial outage" in texts["badge.svg"]
    assert json.loads(texts["badge/home.json"]) == {
        "schemaVersion": 1,
        "label": "The house",
        "message": "outage",
        "color": "b42318",
    }


# What is private -----------------------------------------------------------------------------------------------------


def test_nothing_is_public_but_what_is_named() -> None:
    """Addresses, descriptions of stack.yaml, components without a group, windows that are not public."""
    desk = busy()
    everything = "\n".join(desk.texts.values())
    for private in (
        *("10.0.0.7", "secret-path", "mail.internal", "behind the wall", "to the cellar"),
        *("nobody must know", "quiet", "/secrets/ops", "/data/outpost.db"),
    ):
        assert private not in everything


def test_heartbeats_that_a_stranger_made_are_nowhere() -> None:
    desk = quiet()
    desk.connection.execute(
        "INSERT INTO heartbeats (name, status, since, created, said, made, rules)"
        " VALUES ('evil', 'up', 0, 0, 'evil', 1, '')"
    )
    desk.connection.execute("INSERT INTO spans VALUES ('heartbeat:evil', ?, NULL, 'outage')", (MIDNIGHT,))
    assert "evil" not in "\n".join(desk.texts.values())


def test_a_component_without_a_group_is_private() -> None:
    desk = Desk(page={"groups": [{"name": "At home", "components": ["home"]}]})
    assert [component.name for component in desk.page.components] == ["home"]


def test_an_incident_does_not_name_what_is_no_longer_public() -> None:
    desk = Desk(page={"groups": [{"name": "At home", "components": ["home"]}]})
    desk.incident("Told", "home", "mail")
    (incident,) = desk.page.incidents
    assert incident.components == ("home",)
    assert "mail" not in "\n".join(desk.texts.values())


NASTY: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><script>alert(1)</script>",
    "]]><x>&amp;&#60;script&#62;",
    "\x00\x1b[31m\u202e\ufffe",
    "<!--<svg/onload=alert(1)>",
    "{{7*7}} ${7*7} %s",
)


@pytest.mark.parametrize("nasty", NASTY)
def test_no_text_becomes_an_element_an_attribute_or_an_address(nasty: str) -> None:
    desk = Desk(
        page={
            "title": nasty[:120],
            "description": nasty,
            "groups": [
                {
                    "name": nasty[:80],
                    "description": nasty,
                    "components": [{"name": "home", "title": nasty[:80], "description": nasty}, "mail", "backup"],
                }
            ],
        },
        maintenance=[
            {
                "name": "w",
                "title": nasty,
                "description": nasty,
                "start": "2026-11-22T11:00",
                "end": "2026-11-22T13:00",
                "public": True,
                "components": ["home"],
            }
        ],
    )
    desk.all_well()
    known = {name for text in busy().texts.values() if text.startswith("<!doctype") for name in Outline(text).names}
    # As a stranger who could write to the database would have it; the command line cleans texts before.
    clean = nasty.encode("utf-8", "replace").decode()
    desk.incident(clean, "home", body=clean)
    for path, text in desk.texts.items():
        text.encode("utf-8", "replace")
        if path.endswith((".atom", ".svg")):
            ElementTree.fromstring(text.encode("utf-8", "replace"))
        elif path.endswith(".html"):
            page = Outline(text)
            assert set(page.names) <= known
            assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
            assert all(re.match(r"(\.\./)?[a-z]+[./#]|#main$", link) for link in page.values("href"))
        elif path.endswith(".json"):
            json.loads(text)
        assert "\x00" not in text
        assert "\x1b" not in text


def test_a_feed_keeps_what_was_written_as_text() -> None:
    desk = quiet()
    desk.incident("Told", "home", body="<b>bold</b>\n& more")
    content = ElementTree.fromstring(desk.texts["feed.atom"]).findtext(f"{ATOM}entry/{ATOM}content", "")
    assert "&lt;b&gt;bold&lt;/b&gt;<br>&amp; more" in content


# Size ----------------------------------------------------------------------------------------------------------------


def test_a_page_of_thirty_components_is_small() -> None:
    probes = [{"name": f"p{number}", "url": "https://x.example.net", "from": "outpost"} for number in range(30)]
    groups = [
        {
            "name": f"Group {group}",
            "components": [
                {"name": f"p{number}", "title": f"Service number {number}", "description": "What it is good for"}
                for number in range(group * 10, group * 10 + 10)
            ],
        }
        for group in range(3)
    ]
    desk = Desk(probes=probes, page={"groups": groups})
    for number in range(30):
        for back in range(90, 8, -1):
            bad = (back * 7 + number * 3) % 20 == 0
            desk.day(f"p{number}", back, operational=DAY - 1800 * bad, outage=1800.0 * bad)
        desk.since(f"p{number}", "operational", MIDNIGHT - 8 * DAY)
    desk.incident("Told", "p1", "p2")
    texts = {path: output.make() for path, output in outputs(desk.page).items()}
    assert len(list(desk.page.components)) == 30
    assert len(texts["index.html"].encode()) < 40_000
    assert texts["index.html"].count('<section class="row"') == 30
