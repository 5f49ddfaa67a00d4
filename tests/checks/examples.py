"""Runs checks on pieces of a stack. Used by every test of checks: the cases, the pages, the command."""

from __future__ import annotations

from homelabmon.checks import run_checks
from homelabmon.load import Loaded, read_source
from homelabmon.source import parse
from homelabmon.spec.findings import Finding

REST = {
    "apiVersion": "homelabmon/v1",
    "name": "home",
    "cluster": "{distribution: kubeadm}",
    "components": "{prometheus: {}, alertmanager: {}, relay: {}}",
    "channels": "{ops: {discord: {webhook: {secret: discord-webhooks, key: ops}}}}",
    "defaults": "{channel: ops}",
}
"""What a stack needs besides the piece that a case is about. It comes after it, so that line numbers stay."""


def whole(piece: str) -> str:
    """A piece of a stack with what it lacks to be one."""
    missing = [f"{key}: {text}" for key, text in REST.items() if f"\n{key}:" not in f"\n{piece}"]
    return "\n".join([piece.rstrip("\n"), *missing, ""])


def load(piece: str) -> Loaded:
    return read_source(parse(whole(piece).encode(), "stack.yaml"))


def check(piece: str) -> list[Finding]:
    """Every finding about a piece, schema errors included."""
    loaded = load(piece)
    assert loaded.stack is not None, [finding.render() for finding in loaded.findings]
    found = run_checks(loaded.stack, loaded.source, partial=bool(loaded.findings), original=loaded.original)
    return [*loaded.findings, *found]


def said(piece: str, *checks: str) -> list[str]:
    """What the command would print about a piece: of some checks, or of all but what the filler brings along."""
    return [line(finding) for finding in check(piece) if finding.check in checks or not checks]


def line(finding: Finding) -> str:
    """A finding as the command prints it."""
    place, _, rest = finding.render().partition(": ")
    return f"{place}: {finding.severity.value}: {rest} [{finding.check}]"


def without_position(finding: Finding) -> Finding:
    return finding._replace(position=None)
