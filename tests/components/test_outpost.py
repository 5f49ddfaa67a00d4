"""The outpost's files, judged by the programs that read them; and Caddy passing on what is for the world alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import CERT_NONE, SSLContext
from ssl import PROTOCOL_TLS_CLIENT as CLIENT
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from homelabmon.render.plan import Plan
from homelabmon.spec.relay_file import RelayFile
from tests.relay.programs import eventually, free_port
from tests.stacks_common import EVERYTHING, object_of, plan_of

URL: Final = "https://status.example.net"
UUID: Final = "123e4567-e89b-12d3-a456-426614174000"
SECRETS: Final = "/etc/homelabmon/secrets/"
SPOOLING: Final = {**EVERYTHING, "relay": {"spool": True}}


def outpost(components: dict[str, Any] | None = None, **changed: Any) -> Plan:
    sections: dict[str, Any] = {
        "components": SPOOLING if components is None else components,
        "outpost": {"url": URL},
        "heartbeats": [{"name": "backup", "period": "1d"}],
        "probes": [{"name": "ghcr", "url": "https://ghcr.io/v2/", "from": "outpost", "group": "Third parties"}],
        "status_page": {"title": "home", "groups": [{"name": "Third parties"}]},
    }
    return plan_of(**sections | changed)


def relay_file(plan: Plan) -> RelayFile:
    return RelayFile.model_validate(YAML(typ="safe", pure=True).load(plan.files["outpost/relay.yaml"]))


def secret_files(data: Any) -> Iterator[str]:
    """Every file of a secret that a configuration names."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data if isinstance(data, list) else ()):
        if str(key).endswith("_file"):
            yield value
        else:
            yield from secret_files(value)


ALL_SECRETS: Final = {
    "url": URL,
    "token": {"secret": "outpost", "key": "token"},
    "heartbeat_key": {"secret": "outpost", "key": "heartbeats"},
    "heartbeat_ids": {"secret": "outpost", "key": "ids"},
    "scrape_token": {"secret": "outpost", "key": "scrape"},
    "third_leg": {"ping": {"secret": "hosted", "key": "url"}},
}


@pytest.mark.parametrize("section", [{"url": URL}, ALL_SECRETS])
def test_the_how_to_lists_every_secret_that_the_configuration_names_and_how_to_make_it(section: dict[str, Any]) -> None:
    plan = outpost(outpost=section)
    named = {path.removeprefix(SECRETS) for path in secret_files(relay_file(plan).to_data())}
    text = plan.files["outpost/README.md"]
    assert set(re.findall(r"^\| `secrets/(\S+)` \|", text, re.MULTILINE)) == named
    assert set(re.findall(r"> secrets/(\S+)", text)) == named
    made = set(re.search(r"^mkdir -p (.*)$", text, re.MULTILINE)[1].split())  # type: ignore[index]
    assert made == {f"secrets/{path.partition('/')[0]}" for path in named}


@pytest.mark.parametrize("url", [URL, "http://192.0.2.7:8081"])
@pytest.mark.parametrize(
    "bare",
    [
        {},
        {"heartbeats": [], "probes": [], "status_page": None},
        {"components": {}, "heartbeats": [], "probes": [], "status_page": None},
        {"components": {}, "heartbeats": [{"name": "backup", "period": "1d", "severity": "critical"}]},
    ],
)
def test_the_how_to_is_whole_whatever_the_stack_has(url: str, bare: dict[str, Any]) -> None:
    text = outpost(outpost={"url": url}, **bare).files["outpost/README.md"]
    assert "None" not in text
    assert "\n\n\n" not in text
    assert text.count("```") % 2 == 0
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_one_file_that_several_things_read_is_made_once() -> None:
    hook = {"discord": {"webhook": {"secret": "hooks", "key": "all"}}}
    text = outpost(channels={"ops": hook, "media": hook}).files["outpost/README.md"]
    assert text.count("> secrets/hooks/all") == 1


def test_where_jobs_ping_in_the_cluster_is_known_where_the_relay_takes_pings() -> None:
    assert relay_file(outpost()).inside == "http://discord-alert-proxy.monitoring.svc.cluster.local:8080"
    assert relay_file(outpost(components=EVERYTHING)).inside is None
    assert "--in-cluster" not in outpost(components=EVERYTHING).files["outpost/README.md"]
    assert relay_file(outpost(heartbeats=[])).inside is None


def test_the_relay_in_the_cluster_knows_the_outpost_and_takes_pings_when_it_is_told_to() -> None:
    plan = outpost()
    data = YAML(typ="safe", pure=True).load(object_of(plan, "ConfigMap", "discord-alert-proxy")["data"]["relay.yaml"])
    assert data["upstream"] == {"url": URL, "token_file": f"{SECRETS}homelabmon-relay/outpost-token", "spool": True}
    (rule,) = object_of(plan, "NetworkPolicy", "discord-alert-proxy")["spec"]["ingress"]
    assert rule == {"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080, "protocol": "TCP"}]}
    closed = object_of(outpost(components=EVERYTHING), "NetworkPolicy", "discord-alert-proxy")["spec"]["ingress"]
    assert {} not in [sender["namespaceSelector"] for rule in closed for sender in rule["from"]]


@pytest.mark.parametrize(("url", "ports"), [(URL, {53, 443, 9093, 9090}), (f"{URL}:8443", {53, 443, 8443, 9093, 9090})])
def test_the_relay_may_reach_the_outpost_at_its_port(url: str, ports: set[int]) -> None:
    policy = object_of(outpost(outpost={"url": url}), "NetworkPolicy", "discord-alert-proxy")
    assert {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} == ports


def test_the_owners_page_is_there_for_those_who_know_its_password_and_for_nobody_without_one() -> None:
    closed = outpost()
    assert relay_file(closed).intake.page_password_file is None
    assert "/console" not in closed.files["outpost/Caddyfile"]
    opened = outpost(outpost={"url": URL, "page_password": {"secret": "outpost", "key": "console"}})
    assert relay_file(opened).intake.page_password_file == f"{SECRETS}outpost/console"
    assert "path /console /console/*" in opened.files["outpost/Caddyfile"]
    assert "outpost/console" in opened.files["outpost/README.md"]


def test_prometheus_shows_a_token_to_the_outpost_that_the_outpost_knows() -> None:
    plan = outpost()
    scrape = object_of(plan, "ScrapeConfig", "outpost")["spec"]
    assert scrape["authorization"] == {
        "type": "Bearer",
        "credentials": {"name": "homelabmon-relay", "key": "outpost-scrape-token"},
    }
    assert relay_file(plan).intake.scrape_token_file == f"{SECRETS}homelabmon-relay/outpost-scrape-token"
    unscraped = outpost(outpost={"url": URL, "scrape": False})
    assert relay_file(unscraped).intake.scrape_token_file is None
    assert "/metrics" not in unscraped.files["outpost/Caddyfile"]


# The status page ------------------------------------------------------------------------------------------------


PAGE = {"title": "Home", "groups": [{"name": "Home", "components": ["web"]}]}


def test_a_folder_for_the_status_page_may_be_written_to_wherever_the_outpost_runs() -> None:
    elsewhere = outpost(status_page=PAGE | {"publish": {"directory": "/srv/status"}}).files
    assert "\nReadWritePaths=-/srv/status\n" in elsewhere["outpost/homelabmon-outpost.service"]
    assert '{type: bind, source: "/srv/status", target: "/srv/status"}' in elsewhere["outpost/compose.yaml"]
    inside = outpost(status_page=PAGE | {"publish": {"directory": "/var/lib/homelabmon/public"}}).files
    assert "ReadWritePaths" not in inside["outpost/homelabmon-outpost.service"]
    assert "public" not in inside["outpost/compose.yaml"]


def test_the_outpost_knows_windows_that_are_about_it_and_words_only_of_public_ones() -> None:
    window = {"from": "03:00", "to": "05:00", "title": "Updates", "description": "Nodes reboot"}
    windows = [
        {"name": "public", **window, "routes": ["media"], "components": ["web"], "public": True},
        {"name": "private", **window, "components": ["web"]},
        {"name": "all", **window},
        {"name": "routes", **window, "routes": ["media"]},
    ]
    media = {"name": "media", "match": {"namespace": "media"}}
    file = relay_file(outpost(maintenance=windows, routes=[media]))
    assert [(one.name, one.title, one.description, one.routes, one.everything) for one in file.maintenance] == [
        ("public", "Updates", "Nodes reboot", (), False),
        ("private", "", "", (), False),
        ("all", "", "", (), True),
    ]


# Compose -------------------------------------------------------------------------------------------------------------


def composed(plan: Plan, folder: Path) -> dict[str, Any]:
    """As docker compose understands it."""
    (folder / "compose.yaml").write_text(plan.files["outpost/compose.yaml"])
    found = subprocess.run(
        ["docker-compose", "--file", str(folder / "compose.yaml"), "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    assert (found.returncode, found.stderr) == (0, "")
    data: dict[str, Any] = json.loads(found.stdout)
    return data


@pytest.mark.program("docker-compose")
def test_containers_may_do_nothing_that_they_need_not(tmp_path: Path) -> None:
    services = composed(outpost(), tmp_path)["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert service["logging"]["options"] == {"max-file": "3", "max-size": "10m"}
        assert service["restart"] == "unless-stopped"
    ours = services["outpost"]
    assert (ours["user"], ours.get("cap_add"), ours["mem_limit"]) == ("65532:65532", None, str(256 * 2**20))
    assert "sysctls" not in ours
    assert [port["host_ip"] for port in ours["ports"]] == ["127.0.0.1"]
    writable = {mount["target"] for mount in ours["volumes"] if not mount.get("read_only")}
    assert writable == {"/var/lib/homelabmon"}
    assert {mount["target"] for mount in ours["volumes"]} - writable == {
        "/etc/homelabmon/config",
        "/etc/homelabmon/secrets",
    }


@pytest.mark.program("docker-compose")
def test_probes_that_ping_need_no_capability(tmp_path: Path) -> None:
    plan = outpost(probes=[{"name": "router", "icmp": "192.0.2.1", "from": "outpost"}])
    ours = composed(plan, tmp_path)["services"]["outpost"]
    assert ours["sysctls"] == {"net.ipv4.ping_group_range": "65532 65532"}
    assert "ping_group_range" in plan.files["outpost/README.md"]


@pytest.mark.program("docker-compose")
@pytest.mark.parametrize(
    ("url", "ports"),
    [
        (URL, {"80/tcp", "443/tcp", "443/udp"}),
        (f"{URL}:8443", {"80/tcp", "8443/tcp", "8443/udp"}),
        ("http://192.0.2.7:8081", {"8081/tcp"}),
    ],
)
def test_the_world_comes_in_by_caddy_at_the_outposts_address(tmp_path: Path, url: str, ports: set[str]) -> None:
    caddy = composed(outpost(outpost={"url": url}), tmp_path)["services"]["caddy"]
    assert {f"{port['published']}/{port['protocol']}" for port in caddy["ports"]} == ports
    assert all(int(port["published"]) == port["target"] for port in caddy["ports"])


def test_the_image_is_the_one_that_the_cluster_runs() -> None:
    image = {"repository": "registry.example.net/homelabmon", "tag": "0.9"}
    plan = outpost(components={**EVERYTHING, "relay": {"image": image}})
    compose = YAML(typ="safe", pure=True).load(plan.files["outpost/compose.yaml"])
    assert compose["services"]["outpost"]["image"] == "registry.example.net/homelabmon:0.9"
    assert "registry.example.net/homelabmon:0.9" in plan.files["outpost/README.md"]


# systemd -------------------------------------------------------------------------------------------------------------


@pytest.mark.program("systemd-analyze")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "homelabmon-outpost.service"
    text = outpost().files["outpost/homelabmon-outpost.service"]
    assert "/opt/homelabmon/bin/homelabmon" in text
    unit.write_text(text.replace("/opt/homelabmon/bin/homelabmon", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if unit.name in line] == []
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    (score,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert float(score) <= 1.3


# Caddy ---------------------------------------------------------------------------------------------------------------


class Upstream(BaseHTTPRequestHandler):
    """An outpost that says what it was asked."""

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = f"{self.command} {self.path} {len(self.rfile.read(size))}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Caddy:
    """Caddy with a rendered file, before an outpost that can be away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.plain, self.behind = free_port(), free_port(), free_port()
        text = outpost(outpost={"url": f"https://localhost:{self.port}"}).files["outpost/Caddyfile"]
        mark = "{\n\t# Addresses of pings"
        assert text.count(mark) == 1
        # On this machine: no root's certificate is put anywhere, and plain HTTP has a port that is free.
        own = f"{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {self.plain}\n\tdefault_bind 127.0.0.1\n"
        text = text.replace(mark, own + mark[1:])
        (folder / "Caddyfile").write_text(text.replace("lb_try_duration 10s", "lb_try_duration 2s"))
        self.server: ThreadingHTTPServer | None = None

    def serve(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", self.behind), Upstream)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def go_away(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def ask(self, method: str, path: str, *, plain: bool = False, size: int = 0) -> tuple[int, str, str | None]:
        """Status, body, and where a redirection leads."""
        context = SSLContext(CLIENT)
        context.check_hostname, context.verify_mode = False, CERT_NONE
        connection: HTTPConnection = (
            HTTPConnection("localhost", self.plain, timeout=30)
            if plain
            else HTTPSConnection("localhost", self.port, timeout=30, context=context)
        )
        try:
            connection.request(method, path, b"x" * size if size else None)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers.get("Location")
        finally:
            connection.close()


@contextmanager
def caddy_before(folder: Path) -> Iterator[Caddy]:
    caddy = Caddy(folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "OUTPOST": f"127.0.0.1:{caddy.behind}",
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        caddy.serve()
        eventually(lambda: _answers(caddy, process), f"Caddy answers: {(folder / 'log').read_text()}")
        yield caddy
    finally:
        process.terminate()
        process.wait(30)
        caddy.go_away()


def _answers(caddy: Caddy, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (caddy.folder / "log").read_text()
    try:
        return caddy.ask("GET", "/healthz")[0] == 200
    except OSError:
        return False


KEY: Final = "0123456789abcdefghijkl"
PUBLIC: Final = (
    *(("GET", path) for path in ("/", "/index.html", "/history.html", "/status.json", "/api/v2/summary.json")),
    *(
        ("GET", path)
        for path in ("/badge/ghcr.svg", "/feed.atom", "/feed/ghcr.atom", "/status.txt", "/incidents/7.html")
    ),
    *(("GET", path) for path in ("/healthz", "/metrics", f"/ping/{UUID}?rid={UUID}", f"/ping/{KEY}/backup/start")),
    *((method, f"/{UUID}") for method in ("GET", "HEAD", "POST", "PUT")),
    *(("POST", path) for path in (f"/{KEY}/backup/3", "/v1/alertmanager", "/v1/report")),
)
PRIVATE: Final = (
    *(
        ("GET", path)
        for path in ("/console", "/console/", "/readyz", "/quarantine/3", "/dead-letters/3", "/v1/alertmanager")
    ),
    *(
        ("POST", path)
        for path in ("/", "/metrics", "/v1/event", "/v1/flux", "/v1/falco/secret", "/console", "/status.json")
    ),
    ("GET", "/console/../metrics2"),
)


@pytest.mark.program("caddy")
def test_caddy_passes_on_what_is_for_the_world_and_keeps_addresses_of_pings_to_itself(tmp_path: Path) -> None:
    with caddy_before(tmp_path) as caddy:
        for method, path in PUBLIC:
            status, body, _ = caddy.ask(method, path)
            assert (status, body) == (200, "" if method == "HEAD" else f"{method} {path} 0"), path
        for method, path in PRIVATE:
            assert caddy.ask(method, path)[:2] == (404, "there is nothing here"), path
        assert caddy.ask("POST", f"/ping/{UUID}", size=1_000_000)[1].endswith(" 1000000")
        assert caddy.ask("POST", f"/ping/{UUID}", size=3_000_000)[0] == 413
        # Without TLS: people are led on, pings are turned away and never redirected.
        assert caddy.ask("GET", "/", plain=True)[::2] == (308, f"https://localhost:{caddy.port}/")
        for path in (f"/ping/{UUID}", f"/{UUID}/start", "/v1/alertmanager", "/console"):
            assert caddy.ask("POST", path, plain=True) == (400, "use https", None)
            assert caddy.ask("GET", path, plain=True) == (400, "use https", None)
        # An outpost that is restarted: the ping waits for it.
        caddy.go_away()
        back = threading.Timer(0.5, caddy.serve)
        back.start()
        assert caddy.ask("POST", f"/ping/{UUID}/start", size=10)[:2] == (200, f"POST /ping/{UUID}/start 10")
        back.join()
        # One that stays away: the log says so, and not to whom the ping was.
        caddy.go_away()
        assert caddy.ask("GET", f"/ping/{UUID}")[0] == 502
    log = (tmp_path / "log").read_text()
    assert "connection refused" in log
    assert UUID not in log
    assert KEY not in log


@pytest.mark.program("caddy")
@pytest.mark.parametrize("url", [URL, f"{URL}:8443", "http://192.0.2.7:8081", "http://status.example.net"])
@pytest.mark.parametrize("scrape", [True, False])
def test_caddy_takes_the_file_and_would_write_it_alike(tmp_path: Path, url: str, scrape: bool) -> None:
    (tmp_path / "Caddyfile").write_text(outpost(outpost={"url": url, "scrape": scrape}).files["outpost/Caddyfile"])
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for command in ("validate --adapter caddyfile --config", "fmt --diff"):
        done = subprocess.run(
            ["caddy", *command.split(), str(tmp_path / "Caddyfile")],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
