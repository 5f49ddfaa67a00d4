"""The helper that looks for what hinders people: it finds what is there."""

from __future__ import annotations

from pathlib import Path

from tests.axe import hindrances, with_axe

PAGE = """<!doctype html><html lang="en"><head><title>x</title><style>
@media (prefers-color-scheme: dark) { p { color: #444; background: #333 } }
@media (max-width: 40rem) { img { display: none } }
</style></head><body><main><h1>x</h1><p>hard to read</p><img src="data:,"></main></body></html>"""


@with_axe
def test_what_hinders_in_the_dark_or_on_a_screen_only_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    url = page.as_uri()
    assert [line.split(": ")[:2] for line in hindrances(url)] == [
        [f"{url}, light, 1000", "image-alt"],
        [f"{url}, dark, 1000", "color-contrast"],
        [f"{url}, dark, 1000", "image-alt"],
        [f"{url}, dark, 500", "color-contrast"],
    ]
