"""The relay's configuration: every mistake with its place, and the last good one while a new one is bad."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

import pytest

from homelabmon.errors import HomelabmonError, InputError
from homelabmon.relay.config import LOOK_EVERY, WatchedConfig, read_config
from homelabmon.spec.relay_file import RelayFile
from tests.outside import ROOT
from tests.relay.fake_clock import FakeClock

GOOD = """\
version: 1
name: home
role: relay
channels:
  ops: {webhook_file: /etc/secrets/ops}
  media: {webhook_file: /etc/secrets/media, fallback: ops}
default: {name: default, channel: ops, group_by: [alertname], hold: 1m}
routes:
- {name: media, matchers: ['namespace="media"'], channel: media, group_by: [alertname], hold: 1m}
database: /var/lib/homelabmon/relay.db
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "relay.yaml"
    path.write_text(text)
    return path


def findings(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_config(written(folder, text))
    return [finding.render() for finding in caught.value.findings]


def test_a_good_one_is_read(tmp_path: Path) -> None:
    file = read_config(written(tmp_path, GOOD))
    assert (file.name, list(file.channels), file.intake.max_body) == ("home", ["ops", "media"], "32Mi")


def test_what_the_example_stack_renders_is_read(tmp_path: Path) -> None:
    import yaml

    map_ = ROOT / "rendered" / "apps" / "monitoring" / "discord-alert-proxy" / "configmap.yaml"
    text = yaml.safe_load(map_.read_text())["data"]["relay.yaml"]
    assert read_config(written(tmp_path, text)).role == "relay"
    assert read_config(ROOT / "rendered" / "outpost" / "relay.yaml").role == "outpost"


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        (
            "media, group",
            "medai, group",
            "9:59",
            "routes[0].channel: there is no channel 'medai'; did you mean 'media'?",
        ),
        (
            "- {name: media,",
            "- {name: default,",
            "9:10",
            "routes[0].name: there are two routes 'default'; an alert that takes both would be told once",
        ),
        ("k: ops", "k: opps", "6:55", "channels.media.fallback: there is no channel 'opps'; did you mean 'ops'?"),
        (
            "/secrets/ops}",
            "/secrets/ops, fallback: media}",
            "5:51",
            "channels.ops.fallback: the fallbacks go round: ops -> media -> ops; let one of them have none",
        ),
        ("1m}\nro", "1}\nro", "7:63", "default.hold.default: 1: a duration needs a unit; write 1s or 1m"),
        ("role: relay", "role: realy", "3:7", "role: 'realy' is not allowed here; did you mean 'relay'?"),
        ("name: home\n", "", "1:1", "name: the key 'name' is missing; add `name:`"),
        ("name: home", "intakes: {}", "2:1", "intakes: unknown key 'intakes'; did you mean 'intake'?"),
        (
            "version: 1\n",
            "version: 1\nintake: {max_body: 1Mi}\n",
            "2:20",
            "intake.max_body: '1Mi': one request may have 16Mi to 64Mi; Alertmanager never repeats what is refused as"
            " too large",
        ),
        (
            "database:",
            "heartbeats: [{name: backup, schedule: '0 25 * * *'}]\ndatabase:",
            "10:14",
            "heartbeats[0]: 'backup': '0 25 * * *': bad hour; `homelabmon check` finds it in stack.yaml, too",
        ),
        (
            "database:",
            "heartbeats: [{name: backup, period: 1d}, {name: backup, period: 1h}]\ndatabase:",
            "10:49",
            "heartbeats[1].name: there are two heartbeats 'backup'; give one another name",
        ),
        (
            "database:",
            "probes: [{name: nas, tcp: 'nas.lan:22'}, {name: nas, icmp: nas.lan}]\ndatabase:",
            "10:49",
            "probes[1].name: there are two probes 'nas'; give one another name",
        ),
        (
            "database:",
            "probes: [{name: web, url: 'http://web.lan', expect: {body: '(?=x)'}}]\ndatabase:",
            "10:60",
            "probes[0].expect.body: '(?=x)' is no regular expression (RE2 syntax): invalid perl operator: (?=;"
            " `homelabmon check` finds it in stack.yaml, too",
        ),
        (
            "database:",
            "probes: [{name: dns, dns: {server: '192.0.2.1:53', query: a.example, answer: '('}}]\ndatabase:",
            "10:78",
            "probes[0].dns.answer: '(' is no regular expression (RE2 syntax): missing ): (;"
            " `homelabmon check` finds it in stack.yaml, too",
        ),
        (
            GOOD,
            "- a\n",
            "1:1",
            "the file is a list at the top; the configuration is a mapping that starts with `version: 1`;"
            " `homelabmon render` writes one",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_its_value_and_a_way_out(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    assert old in GOOD
    assert f"relay.yaml:{place}: {said}" in findings(tmp_path, GOOD.replace(old, new, 1))


def test_fallbacks_of_channels_beside_a_ring_are_not_blamed(tmp_path: Path) -> None:
    text = GOOD.replace("fallback: ops", "fallback: media").replace("/ops}", "/ops, fallback: media}")
    assert findings(tmp_path, text) == [
        "relay.yaml:6:55: channels.media.fallback: the fallbacks go round: media -> media; let one of them have none"
    ]


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomelabmonError, match=r"relay\.yaml: no such file; name the relay's configuration"):
        read_config(tmp_path / "relay.yaml")
    with pytest.raises(HomelabmonError, match=r"is a folder; name the file in it: --config .*/relay\.yaml"):
        read_config(tmp_path)


def test_a_bad_change_leaves_the_last_good_one_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = WatchedConfig(written(tmp_path, GOOD))
    written(tmp_path, GOOD.replace("channel: media,", "channel: medai,"))
    with caplog.at_level(logging.INFO):
        assert watched.refresh() is False
    assert (watched.ok, watched.file.routes[0].channel) == (False, "media")
    assert caplog.records[-1].reasons == [  # type: ignore[attr-defined]
        "relay.yaml:9:59: routes[0].channel: there is no channel 'medai'; did you mean 'media'?"
    ]
    written(tmp_path, GOOD)
    assert (watched.refresh(), watched.ok) == (False, True)
    written(tmp_path, GOOD.replace("name: home", "name: cabin"))
    assert (watched.refresh(), watched.ok, watched.file.name) == (True, True, "cabin")


def test_a_large_one_is_kept_in_one_piece_and_is_the_same(tmp_path: Path) -> None:
    beats = "".join(
        f"- {{name: beat-{number}, period: {number + 1}m, early_tolerance: 5s, severity: info}}\n"
        for number in range(2000)
    )
    path = written(tmp_path, f"{GOOD}heartbeats:\n{beats}")
    config = WatchedConfig(path)
    assert config.file == read_config(path)
    assert config.file.to_data() == read_config(path).to_data()
    assert not config.refresh(force=True)
    path.write_text(path.read_text().replace("name: beat-7,", "name: seven,"))
    assert config.refresh()
    assert config.file.heartbeats[7] == read_config(path).heartbeats[7]


def test_a_file_that_vanishes_leaves_the_last_good_one(tmp_path: Path) -> None:
    watched = WatchedConfig(written(tmp_path, GOOD))
    (tmp_path / "relay.yaml").unlink()
    assert (watched.refresh(), watched.ok, watched.file.name) == (False, False, "home")
    written(tmp_path, GOOD)
    assert (watched.refresh(), watched.ok) == (False, True)


def test_a_signal_reads_it_again_even_if_it_looks_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    watched = WatchedConfig(path)
    status = path.stat()
    path.write_text(GOOD.replace("name: home", "name: barn"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert watched.refresh() is False
    assert watched.refresh(force=True) is True


def test_it_is_looked_at_from_time_to_time(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        clock, seen = FakeClock(), list[RelayFile]()
        watched = WatchedConfig(written(tmp_path, GOOD))
        task = asyncio.ensure_future(watched.watch(clock, seen.append))
        written(tmp_path, GOOD.replace("name: home", "name: cabin"))
        await clock.advance(LOOK_EVERY)
        written(tmp_path, "nonsense")
        await clock.advance(3 * LOOK_EVERY)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return [file.name for file in seen]

    assert asyncio.run(scenario()) == ["cabin"]


def test_the_relays_container_reads_yaml_without_ruamel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in ("ruamel.yaml", "ruamel.yaml.error"):
        monkeypatch.setitem(sys.modules, name, None)
    (told,) = findings(tmp_path, "version: 1\nname: [a\nrole: relay\n")
    assert told.startswith("relay.yaml:2:7: the [ that is opened here is not closed")
