"""A payload as text for a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homelabmon.notifiers.preview import preview


def test_markup_becomes_words() -> None:
    payload = {
        "content": "<@&5> <@7> **FIRING** n\\_1",
        "embeds": [
            {
                "description": "**Since** <t:1790000000:f> (<t:1790000000:R>)\n\n[Silence](http://a.example/x) · [Runbook](http://b.example)",
                "footer": {"text": "home"},
            }
        ],
    }
    assert preview(payload, 1_790_000_090).splitlines() == [
        "@role:5 @user:7 FIRING n_1",
        "  ┃ Since 2026-09-21 14:13 UTC (1 min 30 s ago)",
        "  ┃",
        "  ┃ Silence: http://a.example/x",
        "  ┃ Runbook: http://b.example",
        "  ┗ home",
    ]
    assert "Since 2026-09-21 14:13 UTC\n" in preview(payload)
    assert "in 10 s" in preview(payload, 1_789_999_990)


def test_escaped_markup_stays_text() -> None:
    assert preview({"content": "\\*\\*x\\*\\* \\[a\\](b) \\<t:1:R> \\\\"}) == "**x** [a](b) <t:1:R> \\"


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_reaches_the_terminal_that_it_would_obey(text: str) -> None:
    made = preview({"content": text, "embeds": [{"description": text, "footer": {"text": text}}]}, 0.0)
    assert all(char == "\n" or char.isprintable() or ord(char) > 0x9F for char in made)
    made.encode("utf-8")
