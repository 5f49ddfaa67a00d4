"""From stack.yaml to a Stack: every mistake with place, value and fix, all of them at once, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.load import Loaded, load, read, read_source
from homelabmon.source import parse
from homelabmon.stack import Stack
from tests.stacks_common import EXAMPLE

SECRET = "https://discord.com/api/webhooks/123456789012345678/abcDEF_ghi-jkl0123456789"


def changed(*replacements: tuple[str, str]) -> Loaded:
    """The example with parts of its text replaced."""
    text = EXAMPLE.read_text()
    for old, new in replacements:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return read_source(parse(text.encode(), "stack.yaml"))


def messages(loaded: Loaded) -> list[str]:
    """The findings without line and column, which move whenever the example changes."""
    return [finding.render().split(": ", 1)[1] for finding in loaded.findings]


def test_the_example_is_valid() -> None:
    assert isinstance(load(EXAMPLE), Stack)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    channel: ops\n    match: {alertname",
            "    chanel: ops\n    match: {alertname",
            "routes[0].chanel: unknown key 'chanel'; did you mean 'channel'?",
        ),
        ("grafana: {}", "grafanna: {}", "components.grafanna: unknown key 'grafanna'; did you mean 'grafana'?"),
        (
            "grafana: {}",
            "grafana:",
            "components.grafana: the key has no value; write {} to switch it on with defaults, or remove the key",
        ),
        (
            "grafana: {}",
            "grafana: true",
            "components.grafana: expected a mapping, got the truth value true; write keys and values below it, or {}",
        ),
        (
            "distribution: k3s",
            "distribution: k3d",
            "cluster.distribution: 'k3d' is not allowed here; did you mean 'k3s'?",
        ),
        (
            "retention: 30d",
            "retention: 30 days",
            "components.prometheus.retention: '30 days': not a duration; write 30d",
        ),
        (
            "retention: 30d",
            "retention: 30",
            "components.prometheus.retention: 30: a duration needs a unit; write 30s or 30m",
        ),
        (
            "{webhook: {secret: discord-webhooks, key: ops}}",
            f'{{webhook: "{SECRET}"}}',
            "channels.ops.discord.webhook: [redacted]: a literal value does not belong into stack.yaml; "
            "put it into a Secret and write {secret: NAME, key: KEY}",
        ),
        (
            "grafana: 192.168.1.229",
            "grafana: 192.168.1.299",
            "lb_ips.grafana: '192.168.1.299': not an IP address; write for example 192.168.1.229",
        ),
        (
            "vector: 192.168.1.232",
            "vectr: 192.168.1.232",
            "lb_ips.vectr: 'vectr' is not allowed here; did you mean 'vector'?",
        ),
        (
            "name: home\n",
            "name: Home Lab\n",
            "name: 'Home Lab' is not valid here; "
            "use lower case letters, digits, dashes and underscores, such as `home-lab`",
        ),
        (
            'kubernetes: "1.34"',
            "kubernetes: 1.34",
            "cluster.kubernetes: expected a text, got the number 1.34; put it in quotes, as it stands",
        ),
        (
            'mention: {critical: "role:1234"}',
            'mention: {critical: "@ops"}',
            "channels.ops.mention.critical: '@ops' is not valid here; write role:ID, user:ID, everyone or here",
        ),
        ("apiVersion: homelabmon/v1\n", "", "apiVersion: the key 'apiVersion' is missing; add `apiVersion:`"),
        (
            "homelabmon/v1",
            "homelabmon/v2",
            "apiVersion: 'homelabmon/v2' is not allowed here; did you mean 'homelabmon/v1'?",
        ),
        (
            '    schedule: "0 3 * * *"\n',
            '    schedule: "0 3 * * *"\n    period: 1d\n',
            "heartbeats[0]: needs only one of schedule, calendar and period; keep one",
        ),
        (
            "scrape:\n",
            "scrape: {}\nscrapes:\n",
            "scrape: expected a list, got a mapping; write [a, b], or one `- item` a line",
        ),
        (
            "    icmp: 192.168.1.1\n",
            '    icmp: 192.168.1.1\n    tcp: "a:1"\n',
            "probes[0]: needs exactly one of url, tcp, icmp and dns; write one, and remove the others",
        ),
        (
            "url: https://ghcr.io/v2/",
            "url: ghcr.io/v2/",
            "probes[2].url: 'ghcr.io/v2/' is not valid here; write the whole address: https://ghcr.io/v2/",
        ),
    ],
)
def test_a_mistake_is_told_with_value_and_fix(old: str, new: str, expected: str) -> None:
    assert expected in messages(changed((old, new)))


def test_the_place_is_that_of_the_value_and_for_unknown_keys_that_of_the_key() -> None:
    text = b"apiVersion: homelabmon/v1\nname: x\ncluster:\n  distribution: k3d\n  flavour: x\n"
    places = {finding.path: finding.position for finding in read_source(parse(text, "stack.yaml")).findings}
    assert places[("cluster", "distribution")] == (4, 17)
    assert places[("cluster", "flavour")] == (5, 3)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    loaded = changed(
        ("distribution: k3s", "distribution: k3d"), ("retention: 30d", "retention: x"), ("hold: {d", "hol: {d")
    )
    assert [finding.path[-1] for finding in loaded.findings] == ["distribution", "retention", "hol"]
    assert loaded.stack is not None, "the rest must be there for further checks"


def test_what_is_left_after_a_mistake_keeps_its_place_in_the_file() -> None:
    loaded = changed(
        ("    channel: ops\n    match: {alertname", "    chan: ops\n    match: {alertname"),
        ("name: media\n    channel: media", "name: media!\n    channel: media"),
    )
    assert loaded.stack is not None
    assert [route.name for route in loaded.stack.routes] == ["infrastructure", "security", "trading", "science"]
    assert loaded.original(("routes", 1, "channel")) == ("routes", 2, "channel")


def test_no_message_holds_a_secret() -> None:
    loaded = changed(
        ("description: The infrastructure itself", f'description: ["{SECRET}"]'),
        ("channel: ops\n  group_by", f"channel: {SECRET}\n  group_by"),
    )
    text = " ".join(finding.render() for finding in loaded.findings)
    assert loaded.findings
    assert "abcDEF" not in text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HomelabmonError, match=r"no such file; `homelabmon init` writes one"):
        read(tmp_path / "stack.yaml")
    with pytest.raises(HomelabmonError, match="is a folder"):
        read(tmp_path)


def test_load_raises_every_finding(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("apiVersion: homelabmon/v1\n")
    with pytest.raises(InputError) as caught:
        load(path)
    assert {finding.path for finding in caught.value.findings} == {
        ("name",),
        ("cluster",),
        ("components",),
        ("channels",),
        ("defaults",),
    }
