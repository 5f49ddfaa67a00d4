"""Every alert has its runbook, and every runbook is complete."""

import re
from typing import Final

import pytest

from homelabmon.spec import names
from tests.rules.packs import ALL_ALERTS, PACKS, RUNBOOKS_DIR, documented_options

BY_THE_SERVICE: Final = {
    names.ALERT_HEARTBEATS_UNVERIFIED,
    names.ALERT_CLUSTER_SILENT,
    names.ALERT_OUTPOST_AWAY,
}
"""What only the relay and the outpost tell of, by themselves."""


def test_runbooks_and_their_index_cover_the_alerts_exactly() -> None:
    ours = {rule["alert"] for _, rule in ALL_ALERTS} | BY_THE_SERVICE
    pages = {path.stem for path in RUNBOOKS_DIR.glob("*.md")} - {"README"}
    assert pages == ours
    index = (RUNBOOKS_DIR / "README.md").read_text()
    assert set(re.findall(r"\((\w+)\.md\)", index)) == ours


@pytest.mark.parametrize("name", sorted({rule["alert"] for _, rule in ALL_ALERTS} | BY_THE_SERVICE))
def test_runbook_answers_the_five_questions(name: str) -> None:
    page = (RUNBOOKS_DIR / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    headings = re.findall(r"^## (.+)$", page, re.M)
    assert headings == ["What it means", "Why it matters", "How to check", "How to fix", "How to silence or tune"]


def test_runbooks_explain_every_option_and_name_no_others() -> None:
    pages = "".join(page.read_text() for page in RUNBOOKS_DIR.glob("*.md"))
    explained = {(pack.replace("_", "-"), option) for pack, option in re.findall(r"`packs\.([a-z_]+)\.(\w+)`", pages)}
    assert explained == {(pack, option) for pack in PACKS for option in documented_options(pack)}
