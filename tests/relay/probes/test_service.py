"""The whole service: from an endpoint that fails to a message in a fake Discord, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.relay.fake_discord import FakeDiscord
from tests.relay.probes import servers
from tests.relay.probes.servers import HOST, answering, http
from tests.relay.test_service import Client, messages, serving, until


def with_probes(*probes: dict[str, Any]) -> dict[str, Any]:
    """What a configuration needs for them."""
    quick = {"interval": "200ms", "timeout": "200ms", "retries": 1}
    return {
        "probes": [{**quick, **probe} for probe in probes],
        "default": {"name": "default", "channel": "ops", "group_by": ["probe"], "hold": "0s"},
    }


def test_an_endpoint_that_fails_is_told_of_and_the_message_ends_with_it(tmp_path: Path) -> None:
    answers = [http("503 Unavailable", b"")]

    async def scenario(client: Client, discord: FakeDiscord) -> None:
        await until(lambda: len(discord.messages) == 1)
        for words in ("web does not answer as expected", "critical", f"http://{HOST}", "status 503 instead of 200"):
            assert words in messages(discord)
        _, page = await client.get("/")
        assert "■ down" in page
        _, metrics = await client.get("/metrics")
        assert 'homelabmon_probe_up{probe="web"} 0' in metrics
        assert 'homelabmon_probe_checks_total{outcome="failed"}' in metrics
        answers[0] = http()
        await until(lambda: "RESOLVED" in messages(discord))
        assert "It answers again, after" in messages(discord)
        assert len(discord.messages) == 1
        _, metrics = await client.get("/metrics")
        assert 'homelabmon_probe_up{probe="web"} 1' in metrics
        assert 'homelabmon_probe_duration_seconds{probe="web"} 0.' in metrics
        for shown in (page, metrics, messages(discord)):
            assert "secret" not in shown

    async def beside_a_server(client: Client, discord: FakeDiscord) -> None:
        async with servers.tcp(answering(lambda *_: answers[0]), port=port):
            await scenario(client, discord)

    port = servers.closed_port()
    web = {"name": "web", "url": f"http://me:secret@{HOST}:{port}/?key=secret", "severity": "critical", "retries": 3}
    serving(tmp_path, beside_a_server, **with_probes(web))


def test_what_fails_because_its_parent_does_is_not_told_of(tmp_path: Path) -> None:
    async def scenario(client: Client, discord: FakeDiscord) -> None:
        async def both_are_down() -> bool:
            _, page = await client.get("/")
            return page.count("■ down") == 2

        await until(lambda: "home does not answer" in messages(discord))
        await until(both_are_down)
        assert "web" not in messages(discord)

    home = {"name": "home", "tcp": f"{HOST}:{servers.closed_port()}"}
    web = {"name": "web", "tcp": f"{HOST}:{servers.closed_port()}", "parent": "home"}
    serving(tmp_path, scenario, **with_probes(home, web))
