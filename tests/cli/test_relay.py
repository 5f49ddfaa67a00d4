"""`homelabmon relay`: its options, and looking after what it keeps."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from homelabmon.cli import root, run
from homelabmon.cli.relay import _address
from homelabmon.relay.clock import SystemClock
from homelabmon.relay.delivery.memory import Memory
from homelabmon.relay.incidents.model import Changes
from homelabmon.relay.store.queries import Aside
from homelabmon.relay.store.store import Store
from tests.relay.fake_discord import FakeDiscord
from tests.relay.store.examples import NOW, dead_letter
from tests.relay.test_service import written

HOOK = "https://discord.com/api/webhooks/123456789012345678/" + "x" * 68


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, None)


def relay(config: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and what is printed, standard error included."""
    result = CliRunner().invoke(root, ["relay", "--config", str(config), *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value or 0), result.output


def fill(folder: Path) -> None:
    async def scenario() -> None:
        store = Store(str(folder / "relay.db"), NOW)
        await store.set_aside(Aside("flux", "it is not JSON", b"a\nb"), NOW)
        await store.set_aside(Aside("flux", "it is not JSON", b"a\nb"), NOW + 60)
        await store.set_aside(Aside("event", "larger than 1 byte", None, size=7_000_000), NOW)
        await store.commit(Changes(dead_letters=[dead_letter(1)]))
        await store.close()

    asyncio.run(scenario())


# check-config, send-test ------------------------------------------------------------


def test_a_good_configuration_is_good(config: Path) -> None:
    assert relay(config, "check-config") == (0, f"{config}: 1 channels, nothing wrong\n")


def test_what_would_keep_it_from_working_is_told_without_showing_a_secret(config: Path, tmp_path: Path) -> None:
    (tmp_path / "ops").write_text("https://example.invalid/hunter2")
    (tmp_path / "am").unlink()
    (tmp_path / "event").write_text("two words")
    code, said = relay(config, "check-config")
    assert code == 1
    assert "hunter2" not in said
    assert [line.split(": ")[0] for line in said.splitlines()] == [
        "channels.ops.webhook_file",
        "intake.alertmanager_token_file",
        "intake.event_token_file",
    ]
    assert f"{tmp_path / 'am'}: cannot be read: No such file or directory" in said
    assert f"{tmp_path / 'event'}: has a space or a control character inside a line" in said


def test_a_test_message_is_posted_and_told_of(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FakeDiscord() as discord:
            discord.add_webhook("ops")
            config = written(tmp_path, discord)
            code, said = await asyncio.to_thread(relay, config, "send-test", "ops")
            (message,) = discord.messages.values()
            assert (code, said) == (0, f"#ops: posted as message {message.id}\n")
            assert "This is a test" in message.text
            (tmp_path / "ops").write_text(discord.webhooks["ops"].url.replace("ttt", "uuu"))
            code, said = await asyncio.to_thread(relay, config, "send-test", "ops")
            assert code == 1
            assert said.startswith("#ops: not posted, status 401: ")

    asyncio.run(scenario())


def test_a_webhook_that_takes_a_test_message_is_dead_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with FakeDiscord() as discord:
            discord.add_webhook("ops")
            config = written(tmp_path, discord)
            store = Store(str(tmp_path / "relay.db"), NOW)
            memory = Memory(store, SystemClock())
            await memory.bury(discord.webhooks["ops"].url, "unknown_webhook")
            for words in ("#ops: the relay took its webhook for dead, and uses it again\n", ""):
                code, said = await asyncio.to_thread(relay, config, "send-test", "ops")
                assert (code, said.partition("\n")[2]) == (0, words)
                assert await memory.dead() == {}
            await store.close()

    asyncio.run(scenario())


def test_a_test_message_that_cannot_be_posted_is_told_of(config: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="there is no channel 'op'; did you mean 'ops'"):
        relay(config, "send-test", "op")
    (tmp_path / "ops").write_text("nonsense")
    code, said = relay(config, "send-test", "ops")
    assert code == 1
    assert "nonsense" not in said
    (tmp_path / "ops").unlink()
    assert relay(config, "send-test", "ops")[0] == 1


# Quarantine, dead letters ------------------------------------------------------------


def test_quarantine_is_listed_shown_replayed_and_dropped(config: Path, tmp_path: Path) -> None:
    fill(tmp_path)
    assert relay(config, "quarantine", "list") == (
        0,
        "1  2026-11-22 20:32:16Z  flux  3 bytes, 2 times  it is not JSON\n"
        "3  2026-11-22 20:31:16Z  event  7000000 bytes  larger than 1 byte\n",
    )
    assert relay(config, "quarantine", "show", "1") == (0, "a\nb")
    with pytest.raises(Exception, match="there is no request 3, or nothing was kept of it"):
        relay(config, "quarantine", "show", "3")
    assert relay(config, "quarantine", "replay", "1", "3", "9") == (
        1,
        "request 1 is taken again\n"
        "error: there is no request 3, or nothing was kept of it\n"
        "error: there is no request 9, or nothing was kept of it\n",
    )
    assert relay(config, "quarantine", "drop", "3") == (0, "request 3 is removed\n")
    assert relay(config, "quarantine", "list") == (0, "nothing is in quarantine\n")
    connection = sqlite3.connect(tmp_path / "relay.db")
    assert connection.execute("SELECT source, body FROM inbox").fetchall() == [("flux", b"a\nb")]
    connection.close()


def test_dead_letters_are_listed_and_asked_for(config: Path, tmp_path: Path) -> None:
    fill(tmp_path)
    listed = "1  2026-11-22 20:31:16Z  #ops  7 notices  malformed: Invalid Form Body\n"
    assert relay(config, "dead-letters", "list") == (0, listed)
    assert relay(config, "dead-letters", "replay", "1") == (0, "dead letter 1 will be told again\n")
    assert relay(config, "dead-letters", "replay", "2")[0] == 1
    connection = sqlite3.connect(tmp_path / "relay.db")
    connection.execute("DELETE FROM dead_letters")
    connection.commit()
    connection.close()
    assert relay(config, "dead-letters", "list") == (0, "there are no dead letters\n")


def test_it_works_beside_a_running_relay(config: Path, tmp_path: Path) -> None:
    fill(tmp_path)

    async def scenario() -> None:
        store = Store(str(tmp_path / "relay.db"), NOW)
        await store.put("event", b"x", NOW)
        assert (await asyncio.to_thread(relay, config, "quarantine", "replay", "1"))[0] == 0
        assert [row.source for row in await store.inbox(0, 10)] == ["event", "flux"]
        await store.close()

    asyncio.run(scenario())


def test_a_database_that_is_not_there_or_is_another_versions_is_told(config: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no such database: run this where the relay runs"):
        relay(config, "quarantine", "list")
    fill(tmp_path)
    connection = sqlite3.connect(tmp_path / "relay.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Exception, match="the database has version 99, this homelabmon works on"):
        relay(config, "quarantine", "list")
    (tmp_path / "relay.db").write_bytes(b"not a database, and longer than a header is" * 100)
    with pytest.raises(Exception, match="the database is damaged"):
        relay(config, "quarantine", "list")


# Options ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8080", (None, 8080)),
        (":8080", (None, 8080)),
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("relay.example.net:65535", ("relay.example.net", 65535)),
    ],
)
def test_where_it_listens(text: str, address: tuple[str | None, int]) -> None:
    assert _address(text) == address


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1", "::1:8080", "1.2.3.4:99999", "-1"])
def test_what_is_no_address_is_told(config: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["relay", "--config", str(config), "--listen", text]) == 2
    assert "is no address: write a port, or host:port, such as 127.0.0.1:8080" in capsys.readouterr().err


def test_without_the_extra_it_says_which_one_is_missing(config: Path) -> None:
    code = "import sys; sys.modules['aiohttp'] = None; from homelabmon.cli import run; sys.exit(run(sys.argv[1:]))"
    result = subprocess.run(
        [sys.executable, "-c", code, "relay", "--config", str(config)],
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert "homelabmon[relay]" in result.stderr


def test_looking_after_it_needs_no_http(config: Path, tmp_path: Path) -> None:
    fill(tmp_path)
    code = "import sys; sys.modules['aiohttp'] = None; from homelabmon.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "relay", "--config", str(config), "quarantine", "list"]
    assert "it is not JSON" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(config.read_text())["name"] == "home"
