"""For any stack: the same bytes each time, every object valid, nothing for substitution to eat, no secret."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any

import yaml
from hypothesis import given, settings

from homelabmon.gitops.validate import validate
from homelabmon.load import read_source
from homelabmon.render.plan import Plan, make_plan
from homelabmon.source import Source, walk
from homelabmon.spec.findings import Severity
from homelabmon.spec.secrets import looks_secret
from tests.stacks_common import ROOT
from tests.stacks_strategies import stacks

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"


def render(data: dict[str, Any]) -> Plan:
    """The plan of a stack's data."""
    loaded = read_source(Source("stack.yaml", data, {}, {}))
    assert loaded.findings == (), [finding.render() for finding in loaded.findings]
    assert loaded.stack is not None
    return make_plan(loaded.stack)


@settings(max_examples=120)
@given(stacks())
def test_every_object_is_valid(data: dict[str, Any]) -> None:
    plan = render(data)
    found = validate(
        plan.objects,
        kubernetes=data["cluster"]["kubernetes"],
        substitution=data["cluster"]["flux"]["substitution"],
        files=plan.files,
    )
    assert [item.render() for item in found if item.severity is Severity.ERROR] == []


@settings(max_examples=60)
@given(stacks())
def test_every_file_reads_back_as_what_was_meant_and_holds_no_secret(data: dict[str, Any]) -> None:
    plan = render(data)
    written: dict[str, list[Any]] = {}
    for path, item in plan.objects:
        written.setdefault(path, []).append(item)
    for path, text in plan.files.items():
        assert not looks_secret(text), path
        if path in written:
            assert list(yaml.load_all(text, Loader=yaml.CSafeLoader)) == written[path]


@settings(max_examples=60)
@given(stacks())
def test_substitution_cannot_damage_anything(data: dict[str, Any]) -> None:
    plan = render(data)
    doubled = data["cluster"]["flux"]["substitution"] == "escaped"
    for path, item in plan.objects:
        if not path.startswith("apps/"):
            continue
        if not doubled:
            assert "$" not in str(item) or item["metadata"]["annotations"][SUBSTITUTE] == "disabled"
            continue
        for _, value in walk(item):
            if isinstance(value, str):
                assert "$" not in value.replace("$$", ""), (path, value)


def digests(data: list[dict[str, Any]], seed: str) -> str:
    """The digests of what stacks render to, in a process with its own hash seed."""
    code = (
        "import json, sys, hashlib\n"
        "from tests.test_properties import digest\n"
        "for item in json.load(sys.stdin): print(digest(item))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(data),
        env={"PYTHONHASHSEED": seed, "PATH": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def digest(data: dict[str, Any]) -> str:
    """The digest of what a stack renders to."""
    return hashlib.sha256(repr(list(render(data).files.items())).encode()).hexdigest()


def test_same_stack_same_bytes_across_hash_seeds() -> None:
    drawn: list[dict[str, Any]] = []

    @settings(max_examples=40, database=None)
    @given(stacks())
    def draw(data: dict[str, Any]) -> None:
        drawn.append(json.loads(json.dumps(data)))

    draw()
    seen = {digests(drawn, seed) for seed in ("0", "1", "4242")}
    assert len(seen) == 1
    assert seen.pop() == "".join(f"{digest(item)}\n" for item in drawn)
