"""Alert history: from an answer of Prometheus' to episodes; files, addresses, and what is wrong about them."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from homelabmon.errors import HomelabmonError
from homelabmon.routing.timing.evaluation import Episode
from homelabmon.simulation import history
from homelabmon.simulation.history import history_of, read_history, series_of, story_of_history
from tests.simulation import histories

NOW = 1_800_000_000.0
A = (("alertname", "A"), ("node", "n1"))


def test_samples_a_step_apart_are_one_firing() -> None:
    (found,) = history_of({A: [0, 30, 60, 180, 210]}, 30, 0, 600).alerts
    assert found == (A, (Episode(0, 0, 90), Episode(180, 180, 240)))


def test_what_fires_at_the_end_fires_on() -> None:
    (found,) = history_of({A: [0, 30, 60]}, 30).alerts
    assert found == (A, (Episode(0, 0, None),))


def test_pending_alerts_are_left_out_and_so_are_prometheus_own_labels() -> None:
    data = histories.answer([({"alertname": "A"}, [Episode(0, 0, 60)])])
    pending = {"metric": {"__name__": "ALERTS", "alertname": "B", "alertstate": "pending"}, "values": [[0, "1"]]}
    data["data"]["result"].append(pending)
    assert series_of(data) == {(("alertname", "A"),): [0.0, 30.0]}


def test_made_up_history_comes_back_as_it_was(tmp_path: Path) -> None:
    known = histories.week(1, 400, 20)
    (tmp_path / "history.json").write_text(json.dumps(histories.answer(known)))
    found = read_history(str(tmp_path / "history.json"), None, "2026-01-20", None, 30, NOW)
    assert {labels: list(firings) for labels, firings in found.alerts} == {
        tuple(sorted(labels.items())): firings for labels, firings in known
    }
    assert found.transitions == sum(2 * len(firings) for _, firings in known)


def test_a_story_of_history_holds_each_beginning_and_end() -> None:
    story = story_of_history(history_of({A: [0, 30, 60, 180]}, 30, 0, 600))
    assert [(put.at, put.starts_at, put.ends_at) for put in story.puts] == [
        (0, 0, float("inf")),
        (90, 0, 90),
        (180, 180, float("inf")),
        (210, 180, 210),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "this is no JSON"),
        ("[1]", "a series without metric and values"),
        ("{}", "this is no answer of Prometheus' to a range query"),
        ('{"status": "error", "error": "bad_data"}', "Prometheus says: bad_data"),
        ('[{"metric": {}, "values": [["x", "1"]]}]', "a sample without a time"),
        ('[{"metric": {}, "values": [[1e999, "1"]]}]', "a sample without a time"),
    ],
)
def test_a_file_that_is_no_history_says_why(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(HomelabmonError, match=wrong):
        read_history(str(tmp_path / "h.json"), None, None, None, 30, NOW)


def test_a_file_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 10)
    (tmp_path / "h.json").write_text("[" + " " * 20 + "]")
    with pytest.raises(HomelabmonError, match="more than 0 MiB: ask for a shorter time"):
        read_history(str(tmp_path / "h.json"), None, None, None, 30, NOW)


@pytest.mark.parametrize(
    ("since", "until", "step", "wrong"),
    [
        ("yesterday", None, None, "'yesterday' is no time: write 7d"),
        ("1h", "2h", None, "--from must be earlier than --to"),
        (None, None, "5", "--step '5' is no length of time"),
        (None, None, "0s", "--step '0s' is no length of time"),
        ("3000d", None, "1s", "this would be 25920 requests"),
    ],
)
def test_wrong_times_are_refused(since: str | None, until: str | None, step: str | None, wrong: str) -> None:
    with pytest.raises(HomelabmonError, match=wrong):
        read_history("http://127.0.0.1:9", since, until, step, 30, NOW)


# By HTTP ------------------------------------------------------------------------------------------------------------


@contextmanager
def prometheus(respond: Any) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server on loopback that answers range queries; and the queries it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked.append({"path": parts.path, "login": self.headers.get("Authorization", ""), **query})
            code, headers, body = respond(query)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def samples(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """A sample at each step of the range."""
    start, end, step = (float(query[name]) for name in ("start", "end", "step"))
    count = int((end - start) / step) + 1
    assert count <= 11_000
    values = [[start + number * step, "1"] for number in range(count)]
    metric = {"__name__": "ALERTS", "alertname": "A", "alertstate": "firing"}
    return 200, {}, json.dumps({"data": {"result": [{"metric": metric, "values": values}]}}).encode()


def test_a_long_range_is_asked_for_in_pieces_that_fit_together() -> None:
    with prometheus(samples) as (url, asked):
        found = read_history(url + "/prom/", "7d", None, None, 30, NOW)
    assert len(asked) == 3
    assert {one["path"] for one in asked} == {"/prom/api/v1/query_range"}
    assert {one["query"] for one in asked} == {'ALERTS{alertstate="firing"}'}
    ((_, episodes),) = found.alerts
    assert episodes == (Episode(NOW - 7 * 86400, NOW - 7 * 86400, None),)


def test_a_login_is_sent_and_never_shown() -> None:
    def refuse(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 401, {}, b"no"

    with prometheus(refuse) as (url, asked):
        address = url.replace("http://", "http://me:hunter2@")
        with pytest.raises(HomelabmonError) as caught:
            read_history(address, "1h", None, None, 30, NOW)
    assert asked[0]["login"] == "Basic bWU6aHVudGVyMg=="
    assert "hunter2" not in str(caught.value)
    assert "HTTP 401" in str(caught.value)


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 302, {"Location": "http://127.0.0.1:9/"}, b""

    with prometheus(elsewhere) as (url, _), pytest.raises(HomelabmonError, match="HTTP 302; is this the address"):
        read_history(url, "1h", None, None, 30, NOW)


def test_what_prometheus_says_about_a_refusal_is_passed_on() -> None:
    def refuse(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 400, {}, b'{"status": "error", "error": "exceeded maximum resolution"}'

    with prometheus(refuse) as (url, _), pytest.raises(HomelabmonError, match="HTTP 400: exceeded maximum resolution"):
        read_history(url, "1h", None, None, 30, NOW)


def test_an_address_where_nobody_answers_is_said() -> None:
    with pytest.raises(HomelabmonError, match=r"http://127\.0\.0\.1:9: Prometheus does not answer"):
        read_history("http://127.0.0.1:9", "1h", None, None, 30, NOW)


# A real Prometheus ----------------------------------------------------------------------------------------------------

RULES = """
groups:
- name: g
  interval: 500ms
  rules:
  - {alert: Always, expr: vector(1), labels: {severity: warning, node: n1}}
  - {alert: Never, expr: vector(1) > 2}
  - {alert: Pending, expr: vector(1), for: 1h}
"""


@pytest.mark.program("prometheus")
def test_the_history_of_a_running_prometheus(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "prometheus.yaml").write_text("rule_files: [rules.yaml]\n")
    with running(tmp_path) as url:
        deadline = time.monotonic() + 30
        found = history_of({}, 1)
        while found.transitions < 1 and time.monotonic() < deadline:
            time.sleep(0.2)
            found = read_history(url, "30s", None, "1s", 30, time.time())
    ((labels, (episode,)),) = found.alerts
    assert dict(labels) == {"alertname": "Always", "severity": "warning", "node": "n1"}
    assert episode.resolves_at is None
    assert time.time() - 30 < episode.fires_at < time.time()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 30
            while not ready(url):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "Prometheus does not get ready"
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/-/ready", timeout=1):
            return True
    except OSError:
        return False
