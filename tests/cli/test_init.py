"""``homelabmon init``: what it writes can be rendered at once, and it never overwrites anything."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from homelabmon import __version__
from homelabmon.cli import run
from homelabmon.cli.common import read_stack
from homelabmon.cli.schema import schema_text
from homelabmon.load import load
from homelabmon.spec.findings import Severity
from tests.outside import ROOT

FILES = [".github/workflows/homelabmon.yml", ".pre-commit-config.yaml", "stack.schema.json", "stack.yaml"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / "cache"))
    return tmp_path


def tree(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git/" not in str(path)
    )


def init(*arguments: str) -> int:
    return run(["init", *arguments])


def test_four_files_are_written_and_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init() == 0
    assert tree(here) == FILES
    out = capsys.readouterr().out
    assert [line[2:] for line in out.splitlines() if line.startswith("+ ")] == [
        "stack.yaml",
        "stack.schema.json",
        ".github/workflows/homelabmon.yml",
        ".pre-commit-config.yaml",
    ]
    assert "homelabmon render, and commit what it writes" in out


def test_schema_is_the_one_that_schema_prints_and_the_stack_names_it(here: Path) -> None:
    init()
    assert (here / "stack.schema.json").read_text() == schema_text()
    assert (here / "stack.yaml").read_text().startswith("# yaml-language-server: $schema=./stack.schema.json\n")


@pytest.mark.parametrize("distribution", ["k3s", "talos", "kubeadm", "rke2"])
@pytest.mark.parametrize(
    "balancer",
    [
        "none",
        "metallb",
        "metallb --pool 192.168.1.224/28",
        "metallb --pool 192.168.1.224/28 --pool 192.168.1.250-192.168.1.252",
        "cilium --pool 192.168.1.240-192.168.1.250",
        "cilium --pool fd00::10/124",
        "kube-vip",
        "kube-vip --pool 192.168.1.229/32",
    ],
)
def test_result_has_no_errors(here: Path, distribution: str, balancer: str) -> None:
    assert init("--distribution", distribution, "--load-balancer", *shlex.split(balancer)) == 0
    reading = read_stack(here / "stack.yaml")
    assert [finding.render() for finding in reading.findings if finding.severity is Severity.ERROR] == []
    assert load(here / "stack.yaml").cluster.distribution == distribution


@pytest.mark.parametrize("arguments", ["", "--distribution talos --load-balancer cilium --pool 192.168.1.224/28"])
def test_result_renders_and_is_then_current(here: Path, arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    init(*shlex.split(arguments))
    assert run(["render", "--quiet"]) == 0, capsys.readouterr().err
    assert run(["render", "--check"]) == 0
    assert (here / "rendered" / "docs" / "monitoring.md").is_file()


def test_what_stands_commented_in_the_stack_is_valid_too(here: Path) -> None:
    init()
    text = (here / "stack.yaml").read_text()
    examples = re.sub(
        r"^( *)# ((?:  |- )*[a-z_]+:.*|  .*|    .*)$", r"\1\2", text.partition("apiVersion")[2], flags=re.M
    )
    assert examples.count("#") < text.count("#") - 15
    (here / "stack.yaml").write_text(f"apiVersion{examples}")
    reading = read_stack(here / "stack.yaml")
    assert [finding.render() for finding in reading.findings if finding.severity is Severity.ERROR] == []
    assert reading.stack.heartbeats
    assert reading.stack.components.relay is not None


@pytest.mark.parametrize("name", ["home", "my-home_2", "1st", "null", "yes"])
def test_name_is_written_so_that_it_stays_a_text(here: Path, name: str) -> None:
    assert init("--name", name) == 0
    assert load(here / "stack.yaml").name == name


def test_addresses_are_the_first_of_the_pool(here: Path) -> None:
    init("--load-balancer", "metallb", "--pool", "192.168.1.224/28")
    assert load(here / "stack.yaml").lb_ips == {
        "grafana": "192.168.1.225",
        "prometheus": "192.168.1.226",
        "loki": "192.168.1.227",
        "vector": "192.168.1.228",
        "alertmanager": "192.168.1.229",
    }


def test_small_pool_serves_grafana_first(here: Path) -> None:
    init("--load-balancer", "metallb", "--pool", "192.168.1.229-192.168.1.230")
    assert list(load(here / "stack.yaml").lb_ips) == ["grafana", "prometheus"]


def test_without_ci_only_the_stack_and_its_schema_are_written(here: Path) -> None:
    init("--no-ci")
    assert tree(here) == ["stack.schema.json", "stack.yaml"]


def test_folder_is_made_and_the_next_steps_name_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("infra/monitoring", "--no-ci") == 0
    assert tree(here) == ["infra/monitoring/stack.schema.json", "infra/monitoring/stack.yaml"]
    assert "homelabmon check --stack infra/monitoring/stack.yaml" in capsys.readouterr().out


def test_inside_a_repository_ci_goes_to_its_top_and_finds_the_stack(here: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=here, check=True)
    assert init("kubernetes/monitoring") == 0
    assert tree(here) == [
        ".github/workflows/homelabmon.yml",
        ".pre-commit-config.yaml",
        "kubernetes/monitoring/stack.schema.json",
        "kubernetes/monitoring/stack.yaml",
    ]
    assert load(here / "kubernetes/monitoring/stack.yaml").cluster.flux.path == "./kubernetes/monitoring/rendered"
    workflow = yaml.safe_load((here / ".github/workflows/homelabmon.yml").read_text())
    assert workflow["jobs"]["homelabmon"]["steps"][1]["with"] == {"stack": "kubernetes/monitoring/stack.yaml"}


def test_workflow_and_hook_call_what_this_repository_has(here: Path) -> None:
    init()
    steps = yaml.safe_load((here / ".github/workflows/homelabmon.yml").read_text())["jobs"]["homelabmon"]["steps"]
    action = "homelabmon/homelabmon/.github/actions/homelabmon"
    assert steps[1]["uses"].partition("@")[0] == action
    inputs = yaml.safe_load((ROOT / action.split("/", 2)[2] / "action.yml").read_text())["inputs"]
    assert set(steps[1]["with"]) <= set(inputs)
    (repo,) = yaml.safe_load((here / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for hook in repo["hooks"]} <= hooks
    assert repo["rev"] == f"v{__version__}"


@pytest.mark.parametrize("there", FILES)
def test_file_that_is_there_already_stops_everything(
    here: Path, there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / there).parent.mkdir(parents=True, exist_ok=True)
    (here / there).write_text("mine")
    assert init() == 2
    assert tree(here) == [there]
    assert (here / there).read_text() == "mine"
    assert capsys.readouterr().err.startswith(f"error: {there}: there already; nothing was written.")


def test_every_file_in_the_way_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    init()
    capsys.readouterr()
    assert init() == 2
    listed = "stack.yaml, stack.schema.json, .github/workflows/homelabmon.yml, .pre-commit-config.yaml"
    assert capsys.readouterr().err == (
        f"error: {listed}: there already; nothing was written. Move it away, or name another folder\n"
    )


def test_where_only_ci_is_in_the_way_the_option_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".pre-commit-config.yaml").write_text("repos: []\n")
    assert init() == 2
    assert capsys.readouterr().err.endswith("nothing was written. Leave out what is for CI with --no-ci\n")


def test_link_that_leads_nowhere_is_in_the_way_too(here: Path) -> None:
    (here / "stack.yaml").symlink_to(here / "elsewhere")
    assert init() == 2
    assert not (here / "elsewhere").exists()


def test_folder_that_cannot_be_made_leaves_nothing_behind(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".github").write_text("a file")
    assert init() == 2
    assert tree(here) == [".github"]
    assert "nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--name 'My Home'", "'My Home': use lower case letters, digits and dashes, such as my-home"),
        ("--pool 192.168.1.224/28", "add --load-balancer metallb"),
        (
            "--load-balancer metallb --pool 192.168.1.229/28",
            "192.168.1.229/28 has host bits set: write a block",
        ),
        ("--load-balancer metallb --pool grafana", "'grafana' does not appear to be an IPv4 or IPv6 network"),
        ("--load-balancer metallb --pool 192.168.1.9-192.168.1.1", "is empty: write the lower address first"),
        ("--load-balancer metallb --pool 192.168.1.9-fd00::1", "is empty: write the lower address first"),
        ("--distribution minikube", "'minikube' is not one of 'k3s', 'talos', 'kubeadm', 'rke2'"),
    ],
)
def test_wrong_option_is_explained_and_writes_nothing(
    here: Path, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(*shlex.split(arguments)) == 2
    assert message in capsys.readouterr().err
    assert tree(here) == []
