"""Golden trees: the example and the stacks below tests/stacks render to exactly what is checked in."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelabmon.gitops.validate import validate
from homelabmon.load import load
from homelabmon.render.plan import make_plan
from homelabmon.render.write import compare, diff
from homelabmon.spec.findings import Severity
from homelabmon.spec.secrets import looks_secret
from tests.stacks_common import EXAMPLE, GOLDEN

STACKS = [EXAMPLE, *sorted(GOLDEN.glob("*/stack.yaml"))]


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_it_renders_to_what_is_checked_in(path: Path) -> None:
    files = make_plan(load(path)).files
    out = path.parent / "rendered"
    changes = compare(files, out)
    assert not changes, "run `make golden` and read the diff\n" + diff(files, out, changes)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.parent.name)
def test_every_object_is_valid_and_no_file_holds_a_secret(path: Path) -> None:
    stack = load(path)
    plan = make_plan(stack)
    findings = validate(
        plan.objects,
        kubernetes=stack.cluster.kubernetes,
        substitution=stack.cluster.flux.substitution,
        files=plan.files,
    )
    assert [finding.render() for finding in findings if finding.severity is not Severity.INFO] == []
    for name, text in plan.files.items():
        assert not looks_secret(text), name
