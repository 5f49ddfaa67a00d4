"""The page: it says the worst first, holds whatever text comes, and has no script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from homelabmon.relay.page.data import PageData
from homelabmon.relay.page.html import VOID, tag, web_address
from homelabmon.relay.page.overview import overview
from tests.relay.page.samples import BAD_NIGHT, NASTY, QUIET


class Outline(HTMLParser):
    """Fails on elements that are not closed in order; gathers what a reader and a browser get."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(name)
        self.attributes += attrs
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def outline(data: PageData) -> Outline:
    parsed = Outline()
    parsed.feed(overview(data, "secret-of-the-form"))
    parsed.close()
    assert parsed.open == []
    parsed.text = re.sub(r"\s+", " ", parsed.text)
    return parsed


def test_quiet_page_says_so() -> None:
    text = outline(QUIET).text
    assert "Nothing is open" in text
    assert "All channels deliver." in text
    assert "Dead letters" not in text
    assert "Heartbeats" not in text
    assert "Probes" not in text


def test_bad_night_says_everything() -> None:
    text = outline(BAD_NIGHT).text
    for part in (
        "3 open incidents, 1 critical",
        "The Watchdog is missing",
        "Not delivering to #media: Discord refuses the webhook.",
        "■ disabled, #ops stands in",
        "● Firing, critical",
        "came back 2 times",
        "60 alerts",
        "And 10 more alerts.",
        "in 40 s",
        "when its silence ends",
        "And 12 more incidents.",
        "malformed: embeds: 0",
        "sent again 1 min ago",
        "not told yet",
        "■ down, since 2 h ago",
        "… late, running since 5 min ago",
        "■ down, since 11 min ago: status 503 instead of 200 or 401. They say: Partial System Outage",
        "✓ up40 ms",
        "… fails: the connection was refused",
        "○ cannot be asked, since 2 h 30 min ago: cannot ping here",
        "○ not seen yet",
        "○ paused, since 1 min ago",
    ):
        assert part in text


@pytest.mark.parametrize("data", [QUIET, BAD_NIGHT])
def test_no_text_becomes_an_element_or_an_address(data: PageData) -> None:
    parsed = outline(data)
    assert not parsed.names & {"script", "iframe", "object", "img"}
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert all(
        (value or "").startswith(("#", "/", "http://", "https://"))
        for name, value in parsed.attributes
        if name == "href"
    )
    overview(data, "x").encode()


def test_nasty_text_is_shown_as_it_is() -> None:
    assert "<script>alert(1)</script>" in outline(BAD_NIGHT).text
    assert "\x00" not in overview(BAD_NIGHT, "x")


def test_every_form_carries_the_token() -> None:
    page = overview(BAD_NIGHT, "secret-of-the-form")
    assert page.count("<form") == page.count('value="secret-of-the-form"') == 3


def test_identical_data_gives_identical_pages() -> None:
    assert overview(BAD_NIGHT, "x") == overview(BAD_NIGHT, "x")


def test_elements() -> None:
    assert tag("a", "x < y", None, ["1", 2], class_="b", data_label='"', hidden=False, open=True) == (
        '<a class="b" data-label="&quot;" open>x &lt; y12</a>'
    )
    assert tag("input", name="n") == '<input name="n">'


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//example.net", "", NASTY, "data:text/html,x"])
def test_only_the_web_is_linked(address: str) -> None:
    assert web_address(address) is None
