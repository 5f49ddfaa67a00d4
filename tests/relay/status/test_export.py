"""The page as files, in a folder that may hold other files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homelabmon.errors import HomelabmonError
from homelabmon.relay.status import export as module
from homelabmon.relay.status.export import LIST, Written, export


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != LIST)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_what_is_written_is_there_and_what_is_no_longer_part_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "public"
    first = {"incidents/1.html": "one", "incidents/2.html": "two", "feed/a.atom": "a", "index.html": "i"}
    assert export(folder, first) == Written(4, 4, 0)
    assert files(folder) == first
    second = {"incidents/2.html": "two", "index.html": "j"}
    assert export(folder, second) == Written(2, 1, 2)
    assert files(folder) == second
    assert sorted(path.name for path in folder.iterdir()) == [LIST, "incidents", "index.html"]


def test_nothing_is_touched_that_is_the_same_already(tmp_path: Path) -> None:
    export(tmp_path, {"index.html": "i"})
    os.utime(tmp_path / "index.html", (1, 1))
    assert export(tmp_path, {"index.html": "i"}) == Written(1, 0, 0)
    assert (tmp_path / "index.html").stat().st_mtime == 1


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref")
    (tmp_path / "CNAME").write_text("status.example.net")
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "mine.txt").write_text("mine")
    export(tmp_path, {"incidents/1.html": "one", "index.html": "i"})
    export(tmp_path, {"index.html": "i"})
    assert files(tmp_path) == {
        ".git/HEAD": "ref",
        "CNAME": "status.example.net",
        "incidents/mine.txt": "mine",
        "index.html": "i",
    }


def test_a_crash_on_the_way_leaves_whole_files_that_are_known_to_be_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path, {"old.html": "old", "index.html": "i"})
    real = module._put

    def put(directory: Path, path: str, text: str) -> bool:
        if path == "index.html":
            raise OSError(28, "No space left on device")
        return real(directory, path, text)

    monkeypatch.setattr(module, "_put", put)
    with pytest.raises(OSError, match="No space left"):
        export(tmp_path, {"new.html": "new", "index.html": "j"})
    assert files(tmp_path) == {"old.html": "old", "new.html": "new", "index.html": "i"}
    monkeypatch.undo()
    assert export(tmp_path, {"index.html": "j"}) == Written(1, 1, 2)
    assert files(tmp_path) == {"index.html": "j"}


def test_half_of_a_file_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path, {"index.html": "i"})

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        export(tmp_path, {"index.html": "j"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [LIST, "index.html"]
    assert (tmp_path / "index.html").read_text() == "i"


def test_what_the_list_says_of_files_elsewhere_is_not_believed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / LIST).write_text(json.dumps({"files": ["../outside.txt", str(outside), "a/../../outside.txt"]}))
    assert export(folder, {"index.html": "i"}) == Written(1, 1, 0)
    assert outside.read_text() == "mine"


def test_a_list_that_is_none_stops_everything(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("{")
    with pytest.raises(HomelabmonError, match="is no list of ours"):
        export(tmp_path, {"index.html": "i"})
    assert files(tmp_path) == {}


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "public"
    elsewhere.mkdir()
    folder.mkdir()
    (elsewhere / "page").write_text("mine")
    (folder / "index.html").symlink_to(elsewhere / "page")
    export(folder, {"index.html": "i"})
    assert (elsewhere / "page").read_text() == "mine"
    assert not (folder / "index.html").is_symlink()
    (folder / "badge").symlink_to(elsewhere)
    with pytest.raises(HomelabmonError, match="badge: leads elsewhere"):
        export(folder, {"badge/a.svg": "a"})
    assert sorted(path.name for path in elsewhere.iterdir()) == ["page"]


def test_a_web_server_may_read_what_is_written(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        export(tmp_path, {"badge/a.svg": "a", "index.html": "i"})
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("index.html", "badge", "badge/a.svg")}
    assert modes == {"index.html": 0o644, "badge": 0o755, "badge/a.svg": 0o644}
