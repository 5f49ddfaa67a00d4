"""What holds for all checks together: the contract, positions, stacks with holes, time."""

from __future__ import annotations

import pkgutil
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import homelabmon.checks
from homelabmon.checks import CHECKS, run_checks
from homelabmon.checks.not_a_regex import OPTIONS
from homelabmon.errors import InputError
from homelabmon.load import read, read_source
from homelabmon.source import parse
from homelabmon.spec.findings import Severity
from homelabmon.spec.matchers import Matcher, MatchOp
from homelabmon.spec.packs import Packs
from tests.checks.examples import check, line, load, said, whole
from tests.outside import ROOT

EXAMPLE = ROOT / "stack.yaml"


def test_a_checks_file_has_its_name_and_stands_in_the_list() -> None:
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(homelabmon.checks.__path__)}
    assert sorted(check.id for check in CHECKS) == sorted(files - {"support"})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_says_in_a_sentence_what_it_is_about(check: Any) -> None:
    assert check.about.endswith(".")
    assert "\n" not in check.about


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_checks_module_says_so_as_well(check: Any) -> None:
    module = __import__(f"homelabmon.checks.{check.id.replace('-', '_')}", fromlist=["CHECK"])
    assert module.CHECK is check
    assert str(module.__doc__).startswith(f"{check.id}: ")


def test_the_example_has_nothing_to_complain_about() -> None:
    loaded = read(EXAMPLE)
    assert loaded.stack is not None
    found = [*loaded.findings, *run_checks(loaded.stack, loaded.source)]
    assert [line(finding) for finding in found] == []


def test_a_stack_that_was_never_a_file_is_checked_as_well() -> None:
    stack = load("defaults: {channel: oops}").stack
    assert stack is not None
    (finding,) = (found for found in run_checks(stack, None) if found.check == "unknown-channel")
    assert (finding.path, finding.position, finding.file) == (("defaults", "channel"), None, "stack.yaml")


def test_credentials_are_found_in_a_stack_that_was_never_a_file() -> None:
    webhook = "discord.com/api/webhooks/123456789012345678/" + "A" * 68
    channels = f"channels: {{ops: {{description: 'https://{webhook}', discord: {{webhook: {{secret: d, key: ops}}}}}}}}"
    stack = load(f"{channels}\nstatus_page: {{title: '{webhook}'}}").stack
    assert stack is not None
    found = {(one.check, one.path) for one in run_checks(stack, None) if one.check in ("literal-secret", "discord-url")}
    assert found == {
        ("literal-secret", ("channels", "ops", "description")),
        ("discord-url", ("status_page", "title")),
    }


def test_findings_keep_the_order_of_the_checks() -> None:
    ids = [finding.check for finding in check("defaults: {channel: oops}\nlb_ips: {loki: 192.168.1.1}")]
    order = [one.id for one in CHECKS]
    assert ids == sorted(ids, key=order.index)


# Stacks with holes: parts that did not fit the schema ------------------------------------------------------------

HOLES = {
    "a channel": "channels:\n  ops: {discord: {webhook: {secret: d, key: ops}}}\n  media: {discord: 5}\n"
    "routes: [{name: media, channel: media, match: {namespace: media}}]",
    "the only channel": "channels: {media: {discord: 5}}\ndefaults: {channel: media}\n"
    "routes: [{name: a, channel: media, match: {a: b}}]",
    "all channels": "channels: [media]\ndefaults: {channel: media}\nroutes: [{name: a, channel: media, match: {a: b}}]",
    "the defaults": "channels: {media: {discord: {webhook: {secret: d, key: media}}}}\ndefaults: 5",
    "the outpost": "outpost: 5\nheartbeats: [{name: backup, period: 1d}]\nstatus_page: {title: Home}",
    "a component": "components: {prometheus: 5, alertmanager: {}, relay: {}}\n"
    "alerts: [{alert: A, expr: up == 0, summary: a}]\nroutes: [{name: a, match: {alertname: A}}]",
    "all components": "components: 5\nroutes: [{name: a, match: {a: b}}]\nlb_ips: {grafana: 10.0.0.1}\n"
    "cluster: {distribution: k3s, load_balancer: {provider: metallb}}",
    "the pool": "cluster: {distribution: k3s, load_balancer: {provider: metallb, pool: [5, 10.0.0.0/24]}}\n"
    "components: {grafana: {}, prometheus: {}}\nlb_ips: {grafana: 192.168.1.1}",
    "the endpoints": "cluster: {distribution: k3s, control_plane: {metrics: exposed, endpoints: [here]}}",
    "a probe": "probes: [{name: a, url: 5}, {name: b, url: 'https://example.net', parent: a}]",
    "a timing": "routes: [{name: a, match: {a: b}, hold: soon, group_interval: 5m}]",
    "a group_by": "routes: [{name: a, match: {a: b}, group_by: 5, title: '{pod}'}]",
}


@pytest.mark.parametrize("piece", HOLES.values(), ids=HOLES.keys())
def test_nobody_is_accused_for_what_the_schema_cut_out(piece: str) -> None:
    assert {finding.check for finding in check(piece)} <= {"schema"}


def test_after_a_hole_in_a_list_findings_stand_at_the_right_line() -> None:
    piece = (
        "heartbeats:\n"
        "  - {name: first, schedule: 5}\n"
        "  - {name: second, schedule: '0 3 30 2 *'}\n"
        "routes:\n"
        "  - {name: [], channel: nowhere}\n"
        "  - name: apps\n"
        "    match: {a: b}\n"
        "    routes:\n"
        "      - 7\n"
        "      - {name: media, match: {c: d}, channel: nowhere}\n"
    )
    assert said(piece, "impossible-cron", "unknown-channel") == [
        "stack.yaml:10:47: error: routes[1].routes[1].channel: there is no channel 'nowhere'; channels: ops"
        " [unknown-channel]",
        "stack.yaml:3:30: error: heartbeats[1].schedule: '0 3 30 2 *' never comes about: no such month has 30 days;"
        " check day and month [impossible-cron]",
    ]


# Anything at all ----------------------------------------------------------------------------------------------------

ODDITIES: list[Any] = [None, "", "x", "0", 0, -1, 5, True, [], {}, ["x"], {"x": "y"}, "{{", "a" * 300, "ops", [[]]]
ODD = st.sampled_from(ODDITIES)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in items for place in ((*path, key), *places(value, (*path, key)))]


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """The example stack with a few places replaced by something odd, or gone."""
    data = parse(EXAMPLE.read_bytes(), "stack.yaml").data
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(data)))
        parent = data
        for part in way:
            parent = parent[part]
        if draw(st.booleans()):
            odd = draw(st.sampled_from(["", "x", "{{"]) if "matchers" in (*way, last) else ODD)
            parent[last] = deepcopy(odd)  # the next oddity may go into this one
        else:
            del parent[last]
    return data


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_no_stack_makes_a_check_raise(data: Any) -> None:
    try:
        loaded = read_source(parse(yaml.safe_dump(data, sort_keys=False, width=10_000).encode(), "stack.yaml"))
    except InputError:
        return
    if loaded.stack is None:
        return
    found = run_checks(loaded.stack, loaded.source, partial=bool(loaded.findings), original=loaded.original)
    for finding in found:
        assert finding.message
        assert finding.position is not None
        assert finding.severity in Severity


# Facts the checks rely on ---------------------------------------------------------------------------------------------


def test_every_option_of_a_pack_that_is_an_expression_is_looked_at() -> None:
    text = (ROOT / "homelabmon" / "spec" / "packs.py").read_text()
    said = set(re.findall(r'^    (\w+): str[^\n]*\n    """[^"]*regular expression', text, re.MULTILINE))
    assert said == set(OPTIONS)
    assert {name for pack in Packs.model_fields for name in type(getattr(Packs(), pack)).model_fields} >= OPTIONS


def test_our_own_values_of_options_that_are_expressions_are_in_order() -> None:
    """The check looks at what somebody else has written."""
    for pack in (getattr(Packs(), name) for name in Packs.model_fields):
        for option in OPTIONS & type(pack).model_fields.keys():
            Matcher("any", MatchOp.RE, type(pack).model_fields[option].default)


def test_the_filler_of_the_cases_is_itself_in_order() -> None:
    assert [finding.check for finding in check("outpost: {url: 'https://status.example.net'}")] == []
    assert "apiVersion: homelabmon/v1" in whole("name: x")


def test_paths_of_this_machine_are_nobodys_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack = tmp_path / "stack.yaml"
    stack.write_text(whole("defaults: {channel: oops}"))
    loaded = read(stack)
    assert loaded.stack is not None
    assert {finding.file for finding in run_checks(loaded.stack, loaded.source)} == {"stack.yaml"}


@pytest.mark.parametrize("hole", ["channels: {ops: {discord: 5}}", "defaults: 5", "cluster: 5", "components: 5"])
def test_a_required_part_that_is_wrong_does_not_hide_what_else_is_wrong(hole: str) -> None:
    piece = f"{hole}\nroutes:\n  - {{name: a, match: {{a: b}}}}\n  - {{name: a, match: {{c: d}}}}\n"
    assert said(piece, "duplicate-name") == [
        "stack.yaml:4:12: error: routes[1].name: there is a route 'a' already (routes[0]); rename one of them"
        " [duplicate-name]"
    ]
    assert len(said(piece, "schema")) == 1
