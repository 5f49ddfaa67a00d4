"""`homelabmon beat` with real processes, signals, and an outpost that is there, gone, hanging or cross."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from homelabmon.relay.heartbeats.reporting import KEPT, Reporter, address_of, report
from tests.relay.heartbeats.test_api import PING_KEY, Server

UUID: Final = "3f0c1f3e-6a55-4d39-9b5a-0c3a3e0e1111"


class Outpost:
    """Notes what it is told. ``status``: its answer."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[tuple[str, dict[str, list[str]], bytes]] = []
        outpost = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # its name is given
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outpost.status < 300:
                    outpost.heard.append((parts.path, parse_qs(parts.query), body))
                self.send_response(outpost.status)
                if outpost.status == 302:
                    self.send_header("Location", f"{outpost.url}/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/{UUID}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def told(self) -> list[str]:
        """What was said, in order: start and exit codes."""
        return [path.rpartition("/")[2] for path, _, _ in self.heard]


@pytest.fixture
def outpost() -> Iterator[Outpost]:
    found = Outpost()
    yield found
    found.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/ping/{UUID}"


@pytest.fixture
def hanging() -> Iterator[str]:
    """An address that takes connections and never says anything."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/ping/{UUID}"


@pytest.fixture
def dribbling() -> Iterator[str]:
    """An address that answers, a byte now and then, and never comes to an end."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name is given
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.1):
                    self.wfile.write(b"x")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ping/{UUID}"
    over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def start(folder: Path, url: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(folder), "NO_PROXY": "*"}
    if url:
        environment["HOMELABMON_PING_URL"] = url
    command = [sys.executable, "-m", "homelabmon", "beat", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, env=environment, **pipes)


def beat(folder: Path, url: str, *arguments: str) -> tuple[int, bytes, bytes]:
    process = start(folder, url, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def kept(folder: Path) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("homelabmon/beat/backup/*.json"))]


def test_output_and_exit_code_are_the_commands_and_the_run_is_reported(tmp_path: Path, outpost: Outpost) -> None:
    script = "echo out; echo err >&2; printf '\\377\\0'; exit 7"
    assert beat(tmp_path, outpost.url, "backup", "--", "sh", "-c", script) == (7, b"out\n\xff\0", b"err\n")
    (begun, with_rid, _), (ended, with_same_rid, said) = outpost.heard
    assert (begun, ended) == (f"/ping/{UUID}/start", f"/ping/{UUID}/7")
    assert with_rid == with_same_rid
    assert "at" not in with_rid
    assert sorted(said) == sorted(b"out\nerr\n\xff\0")
    assert kept(tmp_path) == []


def test_the_name_is_added_to_the_key_of_all(tmp_path: Path, outpost: Outpost) -> None:
    key = outpost.url.replace(UUID, "some-key/")
    assert beat(tmp_path, key, "backup", "--", "true")[0] == 0
    assert [path for path, _, _ in outpost.heard] == ["/ping/some-key/backup/start", "/ping/some-key/backup/0"]


def test_options_behind_the_command_are_the_commands(tmp_path: Path, outpost: Outpost) -> None:
    assert beat(tmp_path, outpost.url, "backup", "--", "echo", "--spool", "-x", "--", "--help")[:2] == (
        0,
        b"--spool -x -- --help\n",
    )


@pytest.mark.parametrize("misplaced", [("--nap", "x", "backup"), ("backup", "--within", "5")])
def test_options_that_nobody_knows_or_that_come_too_late_are_said_and_nothing_runs(
    tmp_path: Path, outpost: Outpost, misplaced: tuple[str, ...]
) -> None:
    code, out, err = beat(tmp_path, outpost.url, *misplaced, "--", "echo", "ran")
    assert (code, out, outpost.heard) == (2, b"", [])
    option = next(word for word in misplaced if word.startswith("--"))
    assert option.encode() in err


def test_the_last_of_much_output_is_reported(tmp_path: Path, outpost: Outpost) -> None:
    code, out, _ = beat(tmp_path, outpost.url, "backup", "--", "seq", "200000")
    assert (code, len(out.splitlines())) == (0, 200_000)
    assert outpost.heard[-1][2] == out[-10_000:]


@pytest.mark.parametrize(("command", "code"), [("/nowhere/to/be/found", 127), ("/", 126)])
def test_a_command_that_cannot_run_is_a_failure(tmp_path: Path, outpost: Outpost, command: str, code: int) -> None:
    found, _, err = beat(tmp_path, outpost.url, "backup", "--", command)
    assert (found, outpost.told()) == (code, [str(code)])
    assert command.encode() in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_command(tmp_path: Path, outpost: Outpost, number: signal.Signals) -> None:
    trap = f"trap 'echo caught; kill $!; exit 5' {number.name.removeprefix('SIG')}; sleep 60 & echo ready; wait"
    process = start(tmp_path, outpost.url, "backup", "--", "bash", "-c", trap)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out, outpost.told()) == (5, b"caught\n", ["start", "5"])


def test_what_is_ignored_stays_ignored(tmp_path: Path, outpost: Outpost) -> None:
    """As under nohup: neither we nor the command may end because somebody logs out."""
    script = "echo ready; read -r line; kill -HUP $PPID; sleep 0.1; echo survived"
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-m", "homelabmon", "beat"]
    environment = {"PATH": os.environ["PATH"], "HOMELABMON_PING_URL": outpost.url, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "backup", "--", "sh", "-c", f"{script}; kill -HUP $$; echo twice"],
        input=b"\n",
        stdout=subprocess.PIPE,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"ready\nsurvived\ntwice\n")


def test_what_is_typed_reaches_the_command(tmp_path: Path, outpost: Outpost) -> None:
    read, write = os.pipe()
    process = start(tmp_path, outpost.url, "backup", "--", "cat", stdin=read)
    os.close(read)
    os.write(write, b"\x00words\xff")
    os.close(write)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out, outpost.heard[-1][2]) == (0, b"\x00words\xff", b"\x00words\xff")


def test_output_goes_on_before_the_command_ends(tmp_path: Path, outpost: Outpost) -> None:
    read, write = os.pipe()
    process = start(tmp_path, outpost.url, "backup", "--", "sh", "-c", "printf half; read -r line; echo", stdin=read)
    os.close(read)
    assert process.stdout is not None
    assert process.stdout.read(4) == b"half"
    os.write(write, b"\n")
    os.close(write)
    assert process.communicate(timeout=60)[0] == b"\n"


def test_a_command_that_a_signal_ends_ends_as_in_a_shell(tmp_path: Path, outpost: Outpost) -> None:
    assert beat(tmp_path, outpost.url, "backup", "--", "sh", "-c", "kill -KILL $$")[0] == 137
    assert outpost.told() == ["start", "137"]


def test_what_goes_on_in_the_background_keeps_nobody_waiting(tmp_path: Path, outpost: Outpost) -> None:
    script = "echo begun; sleep 300 & echo $!"
    process = start(tmp_path, outpost.url, "backup", "--", "sh", "-c", script)
    assert process.wait(timeout=60) == 0
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"begun\n"
    os.kill(int(process.stdout.readline()), signal.SIGKILL)
    process.stdout.close()
    process.stderr.close()
    assert outpost.told() == ["start", "0"]


# An outpost that is not there ----------------------------------------------------------------------------------------


def test_what_cannot_be_reported_is_kept_and_told_later_with_its_own_times(
    tmp_path: Path, outpost: Outpost, nobody: str
) -> None:
    before = time.time()
    code, out, err = beat(tmp_path, nobody, "backup", "--", "sh", "-c", "echo words; exit 3")
    after = time.time()
    assert (code, out) == (3, b"words\n")
    assert b"it cannot be reached (URLError): it is told later" in err
    assert UUID.encode() not in err
    assert [one["what"] for one in kept(tmp_path)] == ["start", "3"]
    (first, *_) = (tmp_path / "homelabmon/beat/backup").iterdir()
    assert first.stat().st_mode & 0o777 == 0o600
    assert beat(tmp_path, outpost.url, "backup", "--", "true")[0] == 0
    assert outpost.told() == ["start", "3", "start", "0"]
    for _, query, _ in outpost.heard[:2]:
        assert before <= float(query["at"][0]) <= after
    assert outpost.heard[1][2] == b"words\n"
    assert kept(tmp_path) == []


def test_what_is_kept_can_be_told_without_a_command(tmp_path: Path, outpost: Outpost, nobody: str) -> None:
    assert beat(tmp_path, nobody, "backup", "--", "true")[0] == 0
    assert beat(tmp_path, outpost.url, "backup") == (0, b"", b"")
    assert outpost.told() == ["start", "0"]


def test_an_outpost_that_hangs_holds_nobody_for_longer_than_is_given(tmp_path: Path, hanging: str) -> None:
    code, out, err = beat(tmp_path, hanging, "--within", "0.5", "backup", "--", "sh", "-c", "echo fine; exit 4")
    assert (code, out) == (4, b"fine\n")
    assert b"it does not answer in time: it is told later" in err
    assert [one["what"] for one in kept(tmp_path)][-1] == "4"


def test_who_is_told_to_end_while_it_reports_keeps_the_report_and_ends(tmp_path: Path, hanging: str) -> None:
    process = start(tmp_path, hanging, "--within", "300", "backup", "--", "sh", "-c", "echo $$; exit 6")
    assert process.stdout is not None
    command = Path("/proc", process.stdout.readline().decode().strip())
    while command.exists():
        time.sleep(0.01)
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    process.communicate(timeout=60)
    assert (process.returncode, [one["what"] for one in kept(tmp_path)][-1]) == (6, "6")


def test_an_outpost_whose_answer_has_no_end_holds_nobody_either(tmp_path: Path, dribbling: str) -> None:
    code, _, err = beat(tmp_path, dribbling, "--within", "0.5", "backup", "--", "true")
    assert code == 0
    assert b"it does not answer in time: it is told later" in err
    assert [one["what"] for one in kept(tmp_path)] == ["0"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_outpost_that_is_in_trouble_is_told_later(tmp_path: Path, outpost: Outpost, status: int) -> None:
    outpost.status = status
    code, _, err = beat(tmp_path, outpost.url, "backup", "--", "true")
    assert (code, len(kept(tmp_path))) == (0, 2)
    assert f"the answer is {status}: it is told later".encode() in err


@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_is_refused_is_said_and_not_kept(tmp_path: Path, outpost: Outpost, status: int) -> None:
    outpost.status = status
    code, _, err = beat(tmp_path, outpost.url, "backup", "--", "true")
    assert (code, kept(tmp_path)) == (0, [])
    assert err.count(f"a report is refused: the answer is {status}".encode()) == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", b"no address is given: put it into a file for --url-file, or into HOMELABMON_PING_URL"),
        ("ftp://hunter2.invalid/x", b"HOMELABMON_PING_URL: it is no address that begins with http:// or https://"),
        ("http://hunter2.invalid/x?y", b"HOMELABMON_PING_URL: it has something behind ? or #"),
    ],
)
def test_what_is_wrong_with_the_address_is_said_and_the_command_runs(tmp_path: Path, url: str, said: bytes) -> None:
    code, out, err = beat(tmp_path, url, "backup", "--", "sh", "-c", "echo fine; exit 9")
    assert (code, out) == (9, b"fine\n")
    assert said in err
    assert b"hunter2" not in err
    assert beat(tmp_path, url, "backup")[0] == 2


def test_the_address_can_lie_in_a_file(tmp_path: Path, outpost: Outpost) -> None:
    (tmp_path / "url").write_text(f"{outpost.url}\n")
    assert beat(tmp_path, "", "--url-file", str(tmp_path / "url"), "backup", "--", "true")[0] == 0
    assert outpost.told() == ["start", "0"]


def test_a_folder_that_cannot_be_written_costs_the_report_and_nothing_else(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "homelabmon").write_text("a file")
    code, _, err = beat(tmp_path, nobody, "backup", "--", "true")
    assert code == 0
    assert b"and what it was to be told is lost: Not a directory" in err


def test_a_full_disk_costs_the_report_and_nothing_else(tmp_path: Path, nobody: str) -> None:
    command = f"ulimit -f 0; exec {sys.executable} -m homelabmon beat backup -- sh -c 'echo fine; exit 2'"
    environment = {"PATH": os.environ["PATH"], "HOMELABMON_PING_URL": nobody, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (2, b"fine\n")
    assert b"and what it was to be told is lost: File too large" in done.stderr
    assert list((tmp_path / "homelabmon/beat/backup").iterdir()) == []


def test_a_place_that_cannot_be_written_at_all_is_said(tmp_path: Path, nobody: str) -> None:
    code, out, err = beat(tmp_path, nobody, "--spool", "/proc/none", "backup", "--", "echo", "fine")
    assert (code, out) == (0, b"fine\n")
    assert b"what it was to be told is lost: No such file or directory" in err
    assert b"Traceback" not in err


DAMAGED: Final = (
    b"",
    b"{",
    b"[]",
    b'{"what": "0", "at": 1.0}',
    b'{"what": "../0", "at": 1.0, "rid": "RID", "body": ""}',
    b'{"what": "0", "at": "x", "rid": "RID", "body": ""}',
    b'{"what": "0", "at": 1.0, "rid": "RID", "body": "no base64"}',
    b"\xff\xfe\x00",
)


def test_what_is_damaged_is_said_and_keeps_nobody_from_telling_the_rest(tmp_path: Path, outpost: Outpost) -> None:
    folder = tmp_path / "homelabmon/beat/backup"
    folder.mkdir(parents=True)
    for number, text in enumerate(DAMAGED):
        (folder / f"{number}.json").write_bytes(text.replace(b"RID", UUID.encode()))
    (folder / "9.json").write_text(json.dumps({"what": "start", "at": 7.5, "rid": UUID, "body": ""}))
    (folder / "a folder.json").mkdir()
    code, _, err = beat(tmp_path, outpost.url, "backup", "--", "true")
    assert (code, outpost.told()) == (0, ["start", "start", "0"])
    assert outpost.heard[0][1]["at"] == ["7.500000"]
    assert err.count(b"a report that was kept is damaged, and lost") >= len(DAMAGED)
    assert b"a report that was kept cannot be read: Is a directory" in err
    assert [path.name for path in folder.glob("*.json")] == ["a folder.json"]


def test_what_is_kept_is_told_once_by_many_at_the_same_time(tmp_path: Path, outpost: Outpost) -> None:
    folder = tmp_path / "homelabmon/beat/backup"
    folder.mkdir(parents=True)
    for number in range(30):
        one = {"what": str(number), "at": number + 1.0, "rid": UUID, "body": ""}
        (folder / f"{number:03}.json").write_text(json.dumps(one))
    running = [start(tmp_path, outpost.url, "backup") for _ in range(4)]
    assert [process.communicate(timeout=60) and process.returncode for process in running] == [0, 0, 0, 0]
    assert sorted(map(int, outpost.told())) == list(range(30))


def test_so_many_are_kept_and_no_more(tmp_path: Path, nobody: str) -> None:
    said: list[str] = []
    reporter = Reporter(address_of(nobody, "backup"), tmp_path, said.append)
    reporter.finish(*(report(str(number % 256), float(number), UUID) for number in range(KEPT + 7)), within=30.0)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == KEPT
    assert names[0].startswith("0000000007.000000-")


def test_the_real_outpost_takes_late_reports_at_their_own_times(tmp_path: Path, nobody: str) -> None:
    async def scenario() -> None:
        async with Server(tmp_path) as server:
            base = f"{server.url}/ping/{PING_KEY}"
            away = nobody.replace(UUID, PING_KEY)
            assert (await asyncio.to_thread(beat, tmp_path, away, "hourly", "--", "true"))[0] == 0
            began = [one.at for one in await server.pings()]
            assert began == []
            assert (await asyncio.to_thread(beat, tmp_path, base, "hourly")) == (0, b"", b"")
            late, start_ = await server.pings()
            assert (start_.kind, late.kind) == ("start", "success")
            assert start_.at < late.at < late.received_at
            state = (await server.record()).state
            assert (state.last_ping, state.last_start) == (late.at, None)
            assert state.duration == pytest.approx(late.at - start_.at)

    asyncio.run(scenario())
