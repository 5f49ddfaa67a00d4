"""The page in a real browser: what hinders people, how wide it is, and that nothing on it depends on a script."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from homelabmon.relay.status.export import export
from tests.axe import hindrances, with_axe
from tests.browser import Browser
from tests.relay.status.desk import NOON, Desk, M, busy
from tests.relay.status.test_outputs import quiet


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def hosted(folder: Path, desk: Desk) -> Iterator[str]:
    """The page on a host of static files, which sends no headers of ours."""
    export(folder, desk.texts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def blind() -> Desk:
    desk = quiet()
    desk.gap(NOON - 20 * M, None)
    return desk


@with_axe
def test_nothing_on_any_page_hinders_people(tmp_path: Path) -> None:
    with hosted(tmp_path / "busy", busy()) as url:
        assert hindrances(url, f"{url}/history.html", f"{url}/incidents/2.html") == []
    with hosted(tmp_path / "blind", blind()) as url:
        assert hindrances(url) == []


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_the_page_fits_every_window_and_narrow_ones_show_thirty_days(tmp_path: Path) -> None:
    measure = """
      const done = arguments[arguments.length - 1];
      const bars = document.querySelector(".row svg").getBoundingClientRect();
      const room = document.querySelector(".row summary").getBoundingClientRect();
      done({fits: document.documentElement.scrollWidth <= window.innerWidth,
            shown: Math.round(90 * room.width / bars.width), right: Math.round(bars.right - room.right)});
    """
    with hosted(tmp_path, busy()) as url, Browser() as browser:
        browser.open(url)
        for width in (1400, 800, 360):
            browser.resize(width)
            assert browser.run(measure) == {"fits": True, "shown": 30 if width <= 640 else 90, "right": 0}


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_everything_is_reached_by_keyboard_in_its_order_and_the_focus_is_seen(tmp_path: Path) -> None:
    walk = """
      const done = arguments[arguments.length - 1];
      const stops = [...document.querySelectorAll("a[href], summary")].filter((one) => one.checkVisibility());
      const outline = (one) => { one.focus({focusVisible: true}); return getComputedStyle(one).outlineWidth; };
      done({order: stops.map((one) => one.textContent), lost: stops.filter((one) => outline(one) !== "3px").length,
            odd: document.querySelectorAll("[tabindex]").length});
    """
    with hosted(tmp_path, busy()) as url, Browser(width=1000) as browser:
        browser.open(url)
        found = browser.run(walk)
    assert found["lost"] == 0
    assert found["odd"] == 0
    assert found["order"][:3] == ["Skip to the content", "No way in", "The house"]
    days = [text for text in found["order"] if text.endswith("day by day")]
    assert days == ["The house, day by day", "mail, day by day", "Backups, day by day"]
    assert found["order"][-5:] == ["Status", "History", "Atom", "JSON", "Text"]


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_without_scripts_the_days_open_and_lead_to_their_day(tmp_path: Path) -> None:
    with hosted(tmp_path, busy()) as url, Browser(scripts=False, width=1000) as browser:
        browser.open(url)
        assert "40 min down" not in browser.text()
        browser.click("#c-home summary")
        assert "22 Nov: 40 min down and 21 min without data" in browser.text("#c-home")
        browser.follow("#c-home li a")
        assert browser.title == "History: home.example.net"
        assert "The house: Outage, 40 min down and 21 min without data" in browser.text("[id='2026-11-22']")


@pytest.mark.program("chromium")
@pytest.mark.program("chromedriver")
def test_the_pages_own_policy_lets_its_style_in_and_no_script(tmp_path: Path) -> None:
    desk = busy()
    texts = dict(desk.texts)
    texts["index.html"] = texts["index.html"].replace("</main>", "<script>document.title='owned'</script></main>")
    with hosted(tmp_path, desk) as url:
        export(tmp_path, texts)
        with Browser(width=1000) as browser:
            browser.open(url)
            assert browser.title == "Some things are down: home.example.net"
            assert browser.style(".banner", "border-left-width") == "8px"
