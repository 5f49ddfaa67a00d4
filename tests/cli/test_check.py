"""`homelabmon check` as its user meets it: what it prints, for people and for programs, and what it exits with."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from homelabmon.cli.check import all_findings
from homelabmon.errors import RenderError
from homelabmon.spec.findings import Finding, Position
from tests.checks.examples import whole
from tests.cli.running import Outcome, cli
from tests.outside import ROOT

CLEAN = whole("outpost: {url: https://status.example.net}\n")
MISTAKES = whole(
    "lb_ips:\n"
    "  grafana: 192.168.1.229\n"
    "routes:\n"
    "  - name: media\n"
    "    channel: medai\n"
    "    match: {namespace: media}\n"
    "outpost: {url: https://status.example.net}\n"
    "charts: {falco: 10.0.0}\n"
    "channels:\n"
    "  ops: {discord: {webhook: {secret: d, key: ops}}}\n"
    "  media: {discord: {webhook: {secret: d, key: media}}}\n"
)
SAID = """\
stack.yaml:1:1: error: lb_ips: cluster.load_balancer.provider is none: nobody gives these addresses to Services; write \
provider: metallb, cilium or kube-vip, or remove lb_ips [lb-ip-without-service]
stack.yaml:5:14: error: routes[0].channel: there is no channel 'medai'; did you mean 'media'? [unknown-channel]
stack.yaml:8:17: info: charts.falco: falco 10.0.0 has another major version than the one that was tested, 9.1.0; read \
the chart's upgrade notes, and look at the diff of the rendered values [chart-version]
stack.yaml:11:3: warning: channels.media: nothing is ever told in the channel 'media'; name it in a route, or remove \
it [unused-channel]
"""
Check = Callable[..., Outcome]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the command on a stack, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))

    def run(text: str, *arguments: str) -> Outcome:
        Path("stack.yaml").write_text(text)
        return cli(capsys, "check", *arguments)

    return run


def test_nothing_found_says_nothing_where_the_output_is_read_by_a_program(check: Check) -> None:
    assert check(CLEAN) == Outcome(0, "", "")


def test_nothing_found_is_said_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(CLEAN)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "homelabmon", "check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.close(ours)
    assert (done.returncode, done.stderr) == (0, "nothing found\n")


def test_everything_is_said_at_once_in_the_order_of_the_file_and_counted(check: Check) -> None:
    assert check(MISTAKES) == Outcome(1, SAID, "2 errors, 1 warning, 1 remark\n")


def test_a_remark_is_no_failure(check: Check) -> None:
    outcome = check(f"charts: {{falco: 10.0.0}}\n{CLEAN}")
    assert (outcome.code, outcome.err) == (0, "1 remark\n")


def test_a_warning_is_a_failure(check: Check) -> None:
    outcome = check(CLEAN.replace("defaults: {channel: ops}", "defaults: {channel: ops, title: '{pod}'}"))
    assert outcome.code == 1
    assert outcome.out.startswith("stack.yaml:7:")
    assert outcome.out.endswith("[title-label-not-grouped]\n")
    assert outcome.err == "1 warning\n"


def test_schema_errors_stand_beside_all_others(check: Check) -> None:
    outcome = check(MISTAKES.replace("name: media", "nam: media"))
    assert outcome.code == 2
    assert [line.rpartition("[")[2] for line in outcome.out.splitlines()] == [
        "lb-ip-without-service]",
        "schema]",
        "schema]",
        "chart-version]",
    ]


# Other formats ------------------------------------------------------------------------------------


def test_json_has_every_field_of_every_finding(check: Check) -> None:
    outcome = check(MISTAKES, "--format", "json")
    assert (outcome.code, outcome.err) == (1, "")
    found = json.loads(outcome.out)
    assert [item["check"] for item in found] == [
        "lb-ip-without-service",
        "unknown-channel",
        "chart-version",
        "unused-channel",
    ]
    assert found[1] == {
        "check": "unknown-channel",
        "severity": "error",
        "file": "stack.yaml",
        "line": 5,
        "column": 14,
        "path": "routes[0].channel",
        "message": "there is no channel 'medai'",
        "fix": "did you mean 'media'?",
        "docs": "https://github.com/homelabmon/homelabmon/blob/main/docs/reference/checks/unknown-channel.md",
    }


@pytest.mark.parametrize(
    "text", [CLEAN, "", "a: [", "a: 1\na: 2\n", "- 1\n"], ids=["clean", "empty", "open", "twice", "list"]
)
def test_json_is_always_json(check: Check, text: str) -> None:
    outcome = check(text, "--format", "json")
    assert isinstance(json.loads(outcome.out), list)
    assert outcome.code == (0 if text == CLEAN else 2)


def test_json_of_a_file_that_is_not_there_is_a_finding(check: Check) -> None:
    outcome = check(CLEAN, "--format", "json", "--stack", "other.yaml")
    (found,) = json.loads(outcome.out)
    assert (outcome.code, found["check"], found["file"]) == (2, "unreadable", "other.yaml")


def test_github_shows_findings_beside_their_lines(check: Check) -> None:
    outcome = check(MISTAKES, "--format", "github")
    assert outcome.out.splitlines()[1:3] == [
        "::error file=stack.yaml,line=5,col=14,title=unknown-channel::"
        "there is no channel 'medai'; did you mean 'media'?",
        "::notice file=stack.yaml,line=8,col=17,title=chart-version::"
        "falco 10.0.0 has another major version than the one that was tested, 9.1.0; "
        "read the chart's upgrade notes, and look at the diff of the rendered values",
    ]
    assert outcome.err == ""


def test_github_names_files_as_the_repository_does(check: Check) -> None:
    Path("infra").mkdir()
    broken = "extra: [{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {port: 1}}]\n"
    Path("infra/stack.yaml").write_text(MISTAKES + broken)
    outcome = check(CLEAN, "--format", "github", "--stack", "infra/stack.yaml")
    files = {line.partition("file=")[2].partition(",")[0] for line in outcome.out.splitlines()}
    assert files == {"infra/stack.yaml"}


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize(
    "named", ["infra/home/stack.yaml", "./infra/../infra/home/stack.yaml", "{here}/infra/home/stack.yaml"]
)
def test_findings_name_the_stack_and_its_templates_from_where_the_user_stands(
    check: Check, form: str, named: str
) -> None:
    templates = Path("infra/home/templates/packs")
    templates.mkdir(parents=True)
    (templates / "nodes.yaml.j2").write_text("groups: << nothing_of_that_name >>\n")
    (templates / "node.yaml.j2").write_text("")
    Path("infra/home/stack.yaml").write_text(MISTAKES)
    outcome = check(CLEAN, "--format", form, "--stack", named.format(here=Path.cwd()))
    found = sorted(set(re.findall(r"[^\s\"=]*infra/[^,:\s\"]*", outcome.out)))
    assert found == [
        "infra/home/stack.yaml",
        "infra/home/templates/packs/node.yaml.j2",
        "infra/home/templates/packs/nodes.yaml.j2",
    ]


def test_a_stack_elsewhere_is_named_as_the_user_named_it(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("infra").mkdir()
    Path("stack.yaml").write_text(MISTAKES)
    monkeypatch.chdir("infra")
    outcome = check(CLEAN, "--stack", "../stack.yaml")
    assert "../stack.yaml:5:14: error: routes[0].channel: " in outcome.out


def test_templates_that_are_named_are_told_by_that_name(check: Check) -> None:
    Path("mine/packs").mkdir(parents=True)
    Path("mine/packs/nodes.yaml.j2").write_text("groups: {}\n")
    assert check(CLEAN, "--templates", "mine").out.startswith(
        "mine/packs/nodes.yaml.j2: error: must render to `groups:`"
    )
    Path("mine/packs/nodes.yaml.j2").write_text("<% include 'packs/none.j2' %>\n")
    assert check(CLEAN, "--templates", "mine").out == "templates/packs/none.j2: error: no such template [template]\n"


def test_github_finds_what_a_template_of_ones_own_broke_where_it_is_rendered(check: Check) -> None:
    template = Path("infra/templates/relay/service.yaml.j2")
    template.parent.mkdir(parents=True)
    template.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {port: 1}\n")
    Path("infra/stack.yaml").write_text(CLEAN)
    outcome = check(CLEAN, "--format", "github", "--stack", "infra/stack.yaml")
    files = {line.partition("file=")[2].partition(",")[0] for line in outcome.out.splitlines()}
    assert files == {"infra/rendered/apps/monitoring/discord-alert-proxy/service.yaml"}


# What cannot be read ------------------------------------------------------------------------------


def test_a_file_that_is_no_yaml_exits_2_and_says_where(check: Check) -> None:
    outcome = check("a: 1\n\tb: 2\n")
    assert outcome.code == 2
    assert outcome.out == (
        "stack.yaml:2:1: error: a tab is used for indentation; use spaces: YAML does not allow tabs here [yaml]\n"
    )
    assert outcome.err == "1 error\n"


def test_a_file_that_is_not_there_exits_2(check: Check) -> None:
    outcome = check(CLEAN, "--stack", "other.yaml")
    assert outcome == Outcome(
        2, "", "error: other.yaml: no such file; `homelabmon init` writes one, or name yours with --stack\n"
    )


def test_a_template_that_cannot_be_rendered_is_a_finding_beside_the_others(check: Check) -> None:
    Path("templates/packs").mkdir(parents=True)
    Path("templates/packs/nodes.yaml.j2").write_text("groups: << nothing_of_that_name >>\n")
    outcome = check(MISTAKES)
    assert outcome.code == 1
    assert outcome.out.startswith(SAID)
    assert "templates/packs/nodes.yaml.j2:1" in outcome.out.splitlines()[-1]
    assert outcome.out.splitlines()[-1].endswith("[template]")


# What is rendered ---------------------------------------------------------------------------------

RULES = """\
groups:
  - name: mine
    rules:
      - {alert: NodeDown, expr: 'up == ', labels: {severity: critical}, annotations: {summary: down}}
      - {alert: Odd, expr: 'up[5m]'}
      - {record: fine, expr: 'sum(up)'}
"""


def test_rules_of_a_template_of_ones_own_are_parsed(check: Check) -> None:
    folder = Path("mine/packs")
    folder.mkdir(parents=True)
    (folder / "nodes.yaml.j2").write_text(RULES)
    outcome = check(CLEAN, "--templates", "mine")
    assert [line for line in outcome.out.splitlines() if line.endswith("[promql-syntax]")] == [
        "rules/nodes.yaml: error: groups[0].rules[0].expr: NodeDown: not PromQL: invalid promql query: up ==; "
        "something is missing in the end [promql-syntax]",
        "rules/nodes.yaml: error: groups[0].rules[1].expr: Odd: the expression returns no vector: up[5m]; an alert "
        "needs a vector: compare a function of it, as in rate(x[5m]) > 0 [promql-syntax]",
    ]


def test_the_owners_alerts_are_told_once_in_the_stack(check: Check) -> None:
    outcome = check(CLEAN + "alerts: [{alert: A, expr: 'up ==', summary: a}]\n")
    assert [line.partition(": ")[0] for line in outcome.out.splitlines()] == ["stack.yaml:8:27"]


def test_objects_are_judged(check: Check) -> None:
    text = CLEAN + "extra: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, dat: {}}]\n"
    outcome = check(text)
    assert outcome.out == (
        "stack.yaml:8:83: error: extra[0].dat: ConfigMap b/a: unknown field 'dat'; did you mean 'data'? [object]\n"
    )


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.net}
spec:
  group: example.net
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
"""


def test_crds_of_the_cluster_are_used(check: Check) -> None:
    Path("crds").mkdir()
    Path("crds/thing.yaml").write_text(CRD)
    text = (
        CLEAN
        + "extra: [{apiVersion: example.net/v1, kind: Thing, metadata: {name: a, namespace: b}, spec: {siz: 1}}]\n"
    )
    assert check(text).code == 0
    outcome = check(text, "--crds", "crds")
    assert outcome.code == 1
    assert outcome.out.endswith("unknown field 'siz'; did you mean 'size'? [custom-resource]\n")


# Values against charts ----------------------------------------------------------------------------


def write_chart(name: str) -> None:
    folder = Path("charts") / name
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("persistence: {enabled: false}\nreplicas: 1\n")
    (folder / "templates" / "a.yaml").write_text("a: {{ .Values.persistence.enabled }}{{ .Values.replicas }}\n")


VALUES = CLEAN.replace(
    "components: {prometheus: {}",
    "components: {loki: {values: {persistance: {enabled: true}, replicas: 2}}, vector: {agent: {values: {x: 1}}}, "
    "prometheus: {}",
)


def test_values_that_a_chart_does_not_know_are_told_with_their_place(check: Check) -> None:
    write_chart("loki")
    write_chart("vector")
    outcome = check(VALUES, "--charts", "charts")
    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == (
        "stack.yaml:5:30: error: components.loki.values.persistance: the chart does not know the key 'persistance'; "
        "did you mean 'persistence'? [chart-values]"
    )
    assert [line.partition(": ")[0] for line in outcome.out.splitlines()] == ["stack.yaml:5:30", "stack.yaml:5:101"]


def test_a_chart_that_is_not_at_hand_is_said(check: Check) -> None:
    Path("charts").mkdir()
    outcome = check(VALUES, "--charts", "charts")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == (
        "stack.yaml:5:21: info: components.loki.values: the values are not checked: there is no chart loki in charts;"
        " run: helm pull --untar loki [chart-values]"
    )


def test_without_charts_values_are_not_compared(check: Check) -> None:
    assert check(VALUES) == Outcome(0, "", "")


# As a whole ---------------------------------------------------------------------------------------


def test_the_example_has_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = cli(capsys, "check", "--stack", str(ROOT / "stack.yaml"))
    assert (outcome.code, outcome.out) == (0, "")


def test_a_bug_in_a_template_does_not_hide_findings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import homelabmon.render.plan

    def refuse(*_: object) -> object:
        raise RenderError("templates/a.j2:1: no")

    monkeypatch.setattr(homelabmon.render.plan, "make_plan", refuse)
    stack = tmp_path / "stack.yaml"
    stack.write_text(CLEAN)
    assert all_findings(stack, (), None, None) == [
        Finding("template", "no", file="templates/a.j2", position=Position(1, 1))
    ]


def test_an_error_in_a_template_stands_at_its_place_in_the_template(check: Check) -> None:
    Path("templates/packs").mkdir(parents=True)
    Path("templates/packs/nodes.yaml.j2").write_bytes(b"# caf\xc3\xa9\n# caf\xe9\ngroups: []\n")
    assert check(CLEAN).out == (
        "templates/packs/nodes.yaml.j2:2:1: error: byte 0xe9 is not UTF-8; save the file as UTF-8 [template]\n"
    )
    Path("templates/packs/nodes.yaml.j2").write_text("groups: []\n<< 1 / 0 >>\n")
    assert check(CLEAN).out == "templates/packs/nodes.yaml.j2:2:1: error: division by zero [template]\n"
    assert "file=templates/packs/nodes.yaml.j2,line=2" in check(CLEAN, "--format", "github").out


def test_a_template_that_replaces_none_of_ours_is_found_with_what_was_meant(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (
        "packs/node.yaml.j2",
        "packs/nodes.yaml",
        "relays/deployment.yaml.j2",
        "nginx.conf.j2",
        "README.md",
        "deployment.yaml",
        ".hidden.j2",
    ):
        path = Path("templates") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("groups: []\n")
    outcome = check(CLEAN)
    assert outcome.out.splitlines() == [
        "templates/nginx.conf.j2: info: none of ours is called nginx.conf.j2, so it is never read; "
        "call it as ours that it is to replace, or move it away [template]",
        "templates/packs/node.yaml.j2: warning: none of ours is called packs/node.yaml.j2, so it is never read; "
        "did you mean packs/nodes.yaml.j2? [template]",
        "templates/packs/nodes.yaml: warning: none of ours is called packs/nodes.yaml, so it is never read; "
        "did you mean packs/nodes.yaml.j2? [template]",
        "templates/relays/deployment.yaml.j2: warning: none of ours is called relays/deployment.yaml.j2, so it is "
        "never read; did you mean relay/deployment.yaml.j2? [template]",
    ]
    assert outcome.code == 1
    rendered = cli(capsys, "render")
    assert "templates/packs/node.yaml.j2: warning: " in rendered.err
    assert "nginx" not in rendered.err
    assert rendered.code == 0


def test_a_template_that_another_one_includes_is_read(check: Check) -> None:
    Path("templates/packs").mkdir(parents=True)
    Path("templates/packs/nodes.yaml.j2").write_text("<% include 'packs/mine.j2' %>\n")
    Path("templates/packs/mine.j2").write_text("groups: []\n")
    assert check(CLEAN).out == ""


def test_templates_that_are_not_there_are_wrong_use(check: Check) -> None:
    outcome = check(CLEAN, "--templates", "templats")
    assert outcome.code == 2
    assert "Directory 'templats' does not exist" in outcome.err


def test_of_very_many_findings_the_gravest_are_printed_and_programs_get_all(check: Check) -> None:
    routes = "".join(f"  - {{name: r{number}, channel: nope, match: {{a: b{number}}}}}\n" for number in range(300))
    channels = "".join(
        f"  c{number}: {{discord: {{webhook: {{secret: d, key: c{number}}}}}}}\n" for number in range(150)
    )
    text = whole(f"channels:\n  ops: {{discord: {{webhook: {{secret: d, key: o}}}}}}\n{channels}routes:\n{routes}")
    outcome = check(text)
    lines = outcome.out.splitlines()
    assert len(lines) == 101
    assert all(": error: routes[" in line for line in lines[:100])
    assert lines[100].startswith("and 351 more (200 unknown-channel, 150 unused-channel, 1 missing-part")
    assert lines[100].endswith("; all of them: homelabmon check --format json")
    assert outcome.err == "300 errors, 150 warnings, 1 remark\n"
    assert len(json.loads(check(text, "--format", "json").out)) == 451


def test_standard_input_is_no_stack_and_the_message_says_what_to_do(check: Check) -> None:
    outcome = check(CLEAN, "--stack", "-")
    assert outcome.code == 2
    assert "write it to a file, and name that with --stack" in outcome.err
