"""Compiled templates are kept between runs, and only believed while they are those of the same text."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from homelabmon.render.templates import Templates
from homelabmon.spec.contribution import Template


def render(override: Path, cache: Path) -> str:
    templates = Templates(override, cache)
    text = templates.text(Template("own.j2"))
    templates.keep()
    return text


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were compiled, by name."""
    names: list[str] = []
    compile_template = jinja2.Environment.compile

    def compile_and_note(self: jinja2.Environment, source: str, name: str, filename: str) -> object:
        names.append(name)
        return compile_template(self, source, name, filename)

    monkeypatch.setattr(jinja2.Environment, "compile", compile_and_note)
    return names


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    override, cache = tmp_path / "templates", tmp_path / "cache"
    override.mkdir()
    cache.mkdir()
    (override / "own.j2").write_text("<< 1 + 1 >>")
    return override, cache


def test_a_template_is_compiled_once_and_again_when_its_text_has_changed(
    folders: tuple[Path, Path], compiles: list[str]
) -> None:
    override, _ = folders
    assert [render(*folders), render(*folders)] == ["2", "2"]
    assert compiles == ["own.j2"]
    (override / "own.j2").write_text("<< 1 + 2 >>")
    assert [render(*folders), render(*folders)] == ["3", "3"]
    assert compiles == ["own.j2", "own.j2"]


def test_two_folders_with_a_template_of_one_name_are_kept_apart(
    folders: tuple[Path, Path], tmp_path: Path, compiles: list[str]
) -> None:
    override, cache = folders
    other = tmp_path / "other"
    other.mkdir()
    (other / "own.j2").write_text("other")
    for _ in range(2):
        assert render(override, cache) == "2"
        assert render(other, cache) == "other"
    assert compiles == ["own.j2", "own.j2"]


@pytest.mark.parametrize("content", [b"", b"junk", b"[\x00\x00\x00\x00", b"N"])
def test_whatever_is_kept_wrongly_is_made_anew(folders: tuple[Path, Path], content: bytes, compiles: list[str]) -> None:
    render(*folders)
    (kept,) = folders[1].iterdir()
    kept.write_bytes(content)
    assert [render(*folders), render(*folders)] == ["2", "2"]
    assert compiles == ["own.j2", "own.j2"]


def test_a_folder_that_cannot_be_written_is_no_loss(folders: tuple[Path, Path]) -> None:
    override, cache = folders
    cache.rmdir()
    assert render(override, cache) == "2"
