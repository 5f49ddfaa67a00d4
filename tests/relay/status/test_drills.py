"""What the public reads while things fail, and who is told meanwhile: a whole outpost, in virtual time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.relay.vigil.drill import Drill, M, drill

PAGE: Final = {
    "title": "home.example.net",
    "groups": [{"name": "Places", "components": [{"name": "home", "title": "The house"}, "ghcr"]}],
}
WINDOW: Final = {"name": "updates", "from": "00:10", "to": "00:30", "components": ["home"], "public": True}


def outpost(**changed: Any) -> dict[str, Any]:
    return {"probes": Drill.probes, "status_page": PAGE, **changed}


async def page(d: Drill) -> dict[str, Any]:
    """The page's own word, and those of its components."""
    status, text = await d.get("/status.json")
    assert status == 200
    data = json.loads(text)
    words = {one["name"]: one["status"] for one in data["components"] if not one["group"]}
    return {"page": data["status"]["description"], **words}


def test_an_outage_is_on_the_page_and_an_incident_until_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(5)
        d.speaks()
        await d.until(10 * M)
        assert await page(d) == {"page": "All is well", "The house": "operational", "ghcr": "operational"}
        d.places["home"].cut()
        await d.until(13 * M)
        assert await page(d) == {"page": "Some things are down", "The house": "major_outage", "ghcr": "operational"}
        assert "Outage: The house" not in (await d.get("/"))[1]
        await d.until(18 * M)
        assert "Outage: The house" in (await d.get("/"))[1]
        assert [first for first, _ in d.told()] == ["FIRING · warning · home does not answer as expected"]
        await d.until(20 * M)
        d.places["home"].listen()
        await d.until(22 * M)
        assert (await page(d))["page"] == "All is well"
        assert "<strong>Monitoring</strong>" in (await d.get("/"))[1]
        await d.until(28 * M)
        _, text = await d.get("/incidents/1.html")
        assert [word for word in ("Investigating", "Monitoring", "Resolved") if f"<strong>{word}</strong>" in text] == [
            *("Investigating", "Monitoring", "Resolved")
        ]

    drill(tmp_path, monkeypatch, scenario, **outpost())


def test_what_comes_back_within_its_maintenance_is_told_to_nobody_and_is_no_downtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(5)
        d.speaks()
        await d.until(12 * M)
        d.places["home"].cut()
        await d.until(20 * M)
        assert await page(d) == {
            "page": "Maintenance is under way",
            "The house": "under_maintenance",
            "ghcr": "operational",
        }
        d.places["ghcr"].cut()
        await d.until(24 * M)
        assert [first for first, _ in d.told()] == ["FIRING · warning · ghcr does not answer as expected"], (
            "it hides nothing else"
        )
        assert (await page(d))["page"] == "Some things are down"
        d.places["ghcr"].listen()
        await d.until(25 * M)
        d.places["home"].listen()
        await d.until(60 * M)
        assert len(d.discord.messages) == 1
        text = (await d.get("/history.html"))[1]
        assert "Up 100 % of" in text
        assert "of maintenance left out" in text
        assert "Outage: The house" not in text

    drill(tmp_path, monkeypatch, scenario, **outpost(maintenance=[WINDOW]))


def test_what_is_still_down_when_its_maintenance_is_over_is_told_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(5)
        d.speaks()
        await d.until(12 * M)
        d.places["home"].cut()
        await d.until(29 * M + 50)
        assert d.told() == []
        await d.until(31 * M)
        assert [first for first, _ in d.told()] == ["FIRING · warning · home does not answer as expected"]
        assert d.posted() == [pytest.approx(30 * M, abs=5)]
        assert (await page(d))["The house"] == "major_outage"

    drill(tmp_path, monkeypatch, scenario, **outpost(maintenance=[WINDOW]))


def test_what_was_told_before_its_maintenance_is_told_once_and_ends_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(5)
        d.speaks()
        await d.until(4 * M)
        d.places["home"].cut()
        await d.until(40 * M)
        assert [first for first, _ in d.told()] == ["FIRING · warning · home does not answer as expected"]
        d.places["home"].listen()
        await d.until(42 * M)
        (first, _) = d.told()[0]
        assert first.startswith("RESOLVED · warning · home does not answer as expected")
        assert len(d.discord.messages) == 1

    drill(tmp_path, monkeypatch, scenario, **outpost(maintenance=[WINDOW]))


def test_a_blind_outpost_says_so_and_keeps_what_others_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(5)
        await d.until(10 * M)
        d.cut_off()
        for place in d.places.values():
            place.cut()
        await d.until(15 * M)
        assert await page(d) == {
            "page": "The watcher has no sight right now",
            "The house": "unknown",
            "ghcr": "unknown",
        }
        d.back()
        for place in d.places.values():
            place.listen()
        await d.until(20 * M)
        assert (await page(d))["page"] == "All is well"
        text = (await d.get("/"))[1]
        assert "The watcher itself had no sight: 22 Sep 2026, 00:" in text
        assert "Outage" not in text
        assert "Up 100 %" in text

    drill(tmp_path, monkeypatch, scenario, **outpost())


def test_the_last_page_is_shown_while_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(10 * M)
        assert d.service is not None
        before = (await d.get("/"))[1]
        d.service.store.broken = True  # type: ignore[attr-defined]
        await asyncio.sleep(5 * M)
        status, text = await d.get("/")
        assert (status, text) == (200, before)
        d.service.store.broken = False  # type: ignore[attr-defined]
        await asyncio.sleep(2 * M)
        assert (await d.get("/"))[1] != before

    drill(tmp_path, monkeypatch, scenario, **outpost())


def test_another_configuration_is_on_the_page_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(d: Drill) -> None:
        await d.until(M)
        assert "ghcr" in (await d.get("/"))[1]
        fewer = PAGE | {"title": "other.example.net", "groups": [{"name": "Places", "components": ["home"]}]}
        d.configure(probes=d.probes(), status_page=fewer)
        await d.until(2 * M)
        text = (await d.get("/"))[1]
        assert "other.example.net" in text
        assert "ghcr" not in text
        d.configure(probes=d.probes())
        await d.until(3 * M)
        assert "other.example.net" not in (await d.get("/"))[1]

    drill(tmp_path, monkeypatch, scenario, **outpost())
