"""`homelabmon status`: incidents by hand, and the page as files, while the outpost runs or not."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from homelabmon.cli import root
from homelabmon.errors import HomelabmonError
from homelabmon.relay.store.store import Store
from tests.outside import ROOT
from tests.relay.status.desk import GROUPS
from tests.relay.test_service import written

CHANGED = {
    "role": "outpost",
    "probes": [{"name": name, "tcp": "x.example.net:1", "from": "outpost"} for name in ("home", "mail")],
    "heartbeats": [{"name": "backup", "period": "1d"}],
    "status_page": {"title": "home.example.net", "groups": GROUPS},
}


MINIMAL = (ROOT / "tests" / "stacks" / "minimal" / "stack.yaml").read_text()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = written(tmp_path, None, **CHANGED)

    async def made() -> None:
        store = Store(json.loads(config.read_text())["database"], 0.0)
        await store.open()
        await store.close()

    asyncio.run(made())
    return config


def status(config: Path, *arguments: str, typed: str = "") -> str:
    """What is printed, without the moments at which it was."""
    result = CliRunner().invoke(
        root, ["status", "--config", str(config), *arguments], input=typed, standalone_mode=False
    )
    if result.exception is not None:
        raise result.exception
    assert not result.return_value
    return re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d UTC", "NOW", result.output)


def test_an_incident_is_opened_updated_corrected_resolved_and_removed(config: Path) -> None:
    opened = status(
        config, "incident", "open", "Slow  line", "--impact", "major", "-C", "home", "-m", "We look into it."
    )
    assert opened == "incident 1 is open\n"
    assert status(config, "incident", "update", "1", "--status", "identified", "-m", "A cable\nwas loose.") == (
        "incident 1 is identified\n"
    )
    assert status(config, "incident", "list") == (
        "1  Slow line  (identified; major; NOW; home)\n"
        "    2  NOW  identified: A cable\n"
        "    1  NOW  investigating: We look into it.\n"
    )
    assert status(
        config, "incident", "edit", "1", "--title", "Slow way", "--impact", "minor", "-C", "mail", "-C", "home"
    ) == ("incident 1 is corrected\n")
    assert status(config, "incident", "edit", "1", "--update", "1", "-m", "-", typed="We looked.\n") == (
        "incident 1 is corrected\n"
    )
    assert status(config, "incident", "resolve", "1") == "incident 1 is resolved\n"
    assert status(config, "incident", "list") == "no incident is open\n"
    assert status(config, "incident", "list", "--all") == (
        "1  Slow way  (resolved; minor; NOW; mail, home)\n"
        "    3  NOW  resolved: It is resolved.\n"
        "    2  NOW  identified: A cable\n"
        "    1  NOW  investigating: We looked.\n"
    )
    assert (
        status(config, "incident", "update", "1", "--status", "monitoring", "-m", "It is back.")
        == "incident 1 is monitoring\n"
    )
    assert status(config, "incident", "delete", "1") == "incident 1 is removed\n"
    assert status(config, "incident", "list", "--all") == "there are no incidents\n"


def test_an_incident_needs_little(config: Path) -> None:
    status(config, "incident", "open", "Something is wrong")
    assert status(config, "incident", "list") == (
        "1  Something is wrong  (investigating; minor; NOW)\n    1  NOW  investigating: It is being looked into.\n"
    )
    status(config, "incident", "update", "1", "-m", "Still.")
    assert "investigating: Still." in status(config, "incident", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("open", "x", "-C", "hoem"), "the status page shows no 'hoem'; did you mean 'home'?"),
        (("open", "  "), "the title: the text is empty: say what readers should know"),
        (("open", "x" * 201), "the title: the text has 201 characters: write at most 200"),
        (("open", "x", "-m", "\n \n"), "the message: the text is empty: say what readers should know"),
        (("open", "x", "-m", "x" * 5001), "the message: the text has 5,001 characters: write at most 5,000"),
        (("update", "7", "-m", "x"), "there is no incident 7: `homelabmon status incident list --all` shows them"),
        (("update", "7"), 'nothing says what is new: write it with -m, such as -m "A cable was loose."'),
        (("resolve", "7"), "there is no incident 7: `homelabmon status incident list --all` shows them"),
        (("delete", "7"), "there is no incident 7: `homelabmon status incident list --all` shows them"),
        (("edit", "7", "--title", "x"), "there is no incident 7: `homelabmon status incident list --all` shows them"),
        (("edit", "7"), "nothing says what is to be different: give --title, --impact, --component, or --update"),
        (("edit", "7", "-m", "x"), "the text of an update is corrected with both --update NUMBER and -m TEXT"),
    ],
)
def test_what_cannot_be_is_said(config: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(HomelabmonError) as error:
        status(config, "incident", *arguments)
    assert str(error.value) == said


def test_the_update_of_another_incident_is_not_corrected(config: Path) -> None:
    status(config, "incident", "open", "One")
    status(config, "incident", "open", "Two")
    with pytest.raises(HomelabmonError, match="incident 2 has no update 1: `incident list` shows their numbers"):
        status(config, "incident", "edit", "2", "--update", "1", "-m", "x")


def test_texts_are_kept_as_plain_text(config: Path) -> None:
    status(config, "incident", "open", "A\x1b[31m\ttab", "-m", "one \x07two\r\n\r\nthree\u202e")
    assert status(config, "incident", "list").splitlines()[0] == "1  A [31m tab  (investigating; minor; NOW)"


def test_an_incident_of_the_outposts_own_belongs_to_whoever_writes_to_it(config: Path) -> None:
    async def by_itself() -> None:
        from homelabmon.relay.status import incidents

        store = Store(json.loads(config.read_text())["database"], 0.0)
        await store.transact(
            lambda one: incidents.add(
                one, "Outage: home", "major", ["home"], incidents.AUTOMATIC, 0.0, "investigating", "x"
            )
        )
        await store.close()

    asyncio.run(by_itself())
    assert "automatic" in status(config, "incident", "list")
    status(config, "incident", "update", "1", "-m", "A cable.")
    assert "automatic" not in status(config, "incident", "list")


def test_the_page_is_built_into_a_folder(config: Path, tmp_path: Path) -> None:
    status(config, "incident", "open", "Slow line", "-C", "home")
    first = status(config, "build", str(tmp_path / "public"))
    assert re.fullmatch(r"\S+/public: (\d+) files; \1 changed, 0 removed\n", first)
    assert "Slow line" in (tmp_path / "public" / "index.html").read_text()
    assert (tmp_path / "public" / "incidents" / "1.html").exists()
    status(config, "incident", "delete", "1")
    assert status(config, "build", str(tmp_path / "public")).endswith("1 removed\n")
    assert not (tmp_path / "public" / "incidents").exists()


def test_the_page_is_built_from_a_copy_of_the_database(config: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    status(config, "incident", "open", "Slow line")
    (tmp_path / "relay.db").rename(copy)
    with pytest.raises(HomelabmonError, match="no such database"):
        status(config, "build", str(tmp_path / "public"))
    status(config, "build", "--database", str(copy), str(tmp_path / "public"))
    assert "Slow line" in (tmp_path / "public" / "index.html").read_text()


def test_a_page_that_is_yet_to_be_is_shown_from_the_stack_alone(config: Path, tmp_path: Path) -> None:
    printed = status(config, "build", "--stack", str(ROOT / "stack.yaml"), str(tmp_path / "public"))
    assert " 0 removed" in printed
    text = (tmp_path / "public" / "index.html").read_text()
    assert "Nothing is known yet" in text
    assert "<h3>The house</h3>" in text
    status(config, "incident", "open", "Slow line")
    database = json.loads(config.read_text())["database"]
    status(config, "build", "--stack", str(ROOT / "stack.yaml"), "--database", database, str(tmp_path / "public"))
    assert "Slow line" in (tmp_path / "public" / "index.html").read_text()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("", "has no outpost that would serve a page: add `outpost:`"),
        ("outpost: {url: https://status.example.net}", "has no status page: add `status_page:`"),
    ],
)
def test_a_stack_that_has_no_page_says_what_is_missing(config: Path, tmp_path: Path, section: str, said: str) -> None:
    stack = tmp_path / "stack.yaml"
    stack.write_text(f"{MINIMAL}\n{section}\n")
    with pytest.raises(HomelabmonError) as error:
        status(config, "build", "--stack", str(stack), str(tmp_path / "public"))
    assert str(error.value) == f"{stack} {said}"


def test_without_a_status_page_there_is_nothing_to_tell(tmp_path: Path) -> None:
    with pytest.raises(HomelabmonError, match="has no status page"):
        status(written(tmp_path, None), "incident", "list")
