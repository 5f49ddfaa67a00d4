"""Writing the tree: all or nothing, only what is ours, and the old tree or the new one after a crash."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelabmon.errors import HomelabmonError, OutputConflictError
from homelabmon.render import write as module
from homelabmon.render.write import MANIFEST, compare, diff, write
from homelabmon.spec import names

HEAD = f"# {names.HEADER}\n"


def tree(folder: Path) -> dict[str, str]:
    """Every file but the manifest, as path to text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def files(**texts: str) -> dict[str, str]:
    """Files with our header; ``__`` in a name is a slash."""
    return {name.replace("__", "/") + ".yaml": HEAD + text + "\n" for name, text in texts.items()}


def test_writes_what_is_missing_changes_what_differs_removes_what_is_stale(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    first = write(files(a="1", b__c="2", stale="3"), out)
    assert first.added == ("a.yaml", "b/c.yaml", "stale.yaml")
    second = write(files(a="1", b__c="other", new="4"), out)
    assert (second.added, second.changed, second.removed) == (("new.yaml",), ("b/c.yaml",), ("stale.yaml",))
    assert tree(out) == files(a="1", b__c="other", new="4")


def test_nothing_is_touched_when_nothing_changes(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1"), out)
    before = {path: path.stat().st_mtime_ns for path in (out, out / "a.yaml", out / MANIFEST)}
    assert not write(files(a="1"), out)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_empty_folders_of_ours_go(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1", gone__x="2"), out)
    write(files(a="1"), out)
    assert not (out / "gone").exists()


def test_files_of_others_stay_wherever_they_are(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1", b__c="2"), out)
    (out / "mine.txt").write_text("mine")
    (out / "b" / "mine.yaml").write_text("mine too")
    (out / "link").symlink_to("mine.txt")
    write(files(a="2"), out)
    assert tree(out) == {**files(a="2"), "mine.txt": "mine", "b/mine.yaml": "mine too", "link": "mine"}
    assert (out / "link").is_symlink()


def test_a_stale_file_that_somebody_has_replaced_is_left_alone_and_named(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1", stale="2"), out)
    (out / "stale.yaml").write_text("now my own\n")
    changes = write(files(a="1", b="2"), out)
    assert changes.kept == ("stale.yaml",)
    assert (out / "stale.yaml").read_text() == "now my own\n"


def test_a_file_of_somebody_else_in_the_way_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    out.mkdir()
    (out / "b.yaml").write_text("precious\n")
    with pytest.raises(OutputConflictError, match=r"b\.yaml: in the way, and not written by homelabmon"):
        write(files(a="1", b="2"), out)
    assert tree(out) == {"b.yaml": "precious\n"}


@pytest.mark.parametrize("blocker", ["folder", "file", "file-in-path"])
def test_things_in_the_way(tmp_path: Path, blocker: str) -> None:
    out = tmp_path / "rendered"
    if blocker == "folder":
        (out / "a.yaml").mkdir(parents=True)
    elif blocker == "file":
        out.write_text("x")
    else:
        out.mkdir()
        (out / "b").write_text("x")
    with pytest.raises(OutputConflictError):
        write(files(a="1", b__c="2"), out)


def test_a_manifest_that_points_outside_is_not_believed(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1"), out)
    outside = tmp_path / "precious.yaml"
    outside.write_text(HEAD)
    (out / MANIFEST).write_text(f"../precious.yaml\n{outside}\na.yaml\n")
    write(files(b="1"), out)
    assert outside.exists()


def test_check_sees_every_kind_of_difference_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(same="1", edited="2", stale="3"), out)
    (out / "edited.yaml").write_text(HEAD + "by hand\n")
    wanted = files(same="1", edited="2", new="4")
    before = tree(out)
    changes = compare(wanted, out)
    text = diff(wanted, out, changes)
    assert tree(out) == before
    assert "--- a/edited.yaml\n+++ b/edited.yaml\n@@ -1,2 +1,2 @@\n" in text
    assert "-by hand\n+2\n" in text
    assert "--- /dev/null\n+++ b/new.yaml\n" in text
    assert "--- a/stale.yaml\n+++ /dev/null\n" in text
    assert "same.yaml" not in text


def test_a_folder_behind_a_symlink_is_written_where_it_points(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "rendered").symlink_to(real)
    write(files(a="1"), tmp_path / "rendered")
    assert (tmp_path / "rendered").is_symlink()
    assert tree(real) == files(a="1")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(HomelabmonError, match=r"cannot be written: (Not a directory|File exists); nothing was changed"):
        write(files(a="1"), tmp_path / "file" / "rendered")


def test_a_full_disk_leaves_the_old_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rendered"
    write(files(a="1", b="1"), out)
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "b.yaml":
            raise OSError(28, "No space left on device", "b.yaml")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        HomelabmonError, match=r"b\.yaml: cannot be written: No space left on device; nothing was changed"
    ):
        write(files(a="2", b="2"), out)
    assert tree(out) == files(a="1", b="1")
    assert [path.name for path in tmp_path.iterdir()] == ["rendered"]


def test_without_the_atomic_exchange_an_interrupted_swap_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rendered"
    write(files(a="1"), out)
    monkeypatch.setattr(module, "_exchange", lambda one, two: False)
    assert write(files(a="2"), out).changed == ("a.yaml",)
    out.rename(tmp_path / ".rendered.old")
    assert not write(files(a="2"), out)
    assert tree(out) == files(a="2")


WRITER = """
import sys
from pathlib import Path
from homelabmon.render.write import write
out, head = Path(sys.argv[1]), sys.argv[2]
number = 0
while True:
    number += 1
    write({f"d{i}/f{i}.yaml": f"{head}{number}\\n" for i in range(8)}, out)
    print(number, flush=True)
"""


def test_kill_at_any_moment_leaves_one_whole_tree(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    for attempt in range(12):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(out), HEAD], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.003 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = tree(out)
        assert len(found) == 8
        assert len(set(found.values())) == 1, "files of two renders stand side by side"
    left = {path.name for path in tmp_path.iterdir() if not path.name.endswith(".new")}
    assert left == {"rendered"}


NAMES = st.sampled_from(["a.yaml", "b.yaml", "d/a.yaml", "d/e/b.yaml", "f/x.yaml"])
RENDERS = st.lists(st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=5), min_size=1, max_size=5)


@settings(max_examples=40)
@given(RENDERS)
def test_after_any_history_the_tree_is_the_last_render_and_the_users_files(renders: list[dict[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rendered"
        out.mkdir()
        (out / "mine.txt").write_text("mine")
        for render in renders:
            wanted = {name: f"{HEAD}{text}\n" for name, text in render.items()}
            write(wanted, out)
            assert tree(out) == {**wanted, "mine.txt": "mine"}
            assert not compare(wanted, out)


def test_empty_folders_links_and_modes_of_others_stay(tmp_path: Path) -> None:
    out, outside = tmp_path / "rendered", tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("x")
    write(files(a="1", b__c="2"), out)
    (out / "empty" / "deep").mkdir(parents=True)
    (out / "private").mkdir(mode=0o700)
    (out / "b").chmod(0o750)
    (out / "b" / "link").symlink_to(outside)
    write(files(a="2", b__c="2"), out)
    assert (out / "empty" / "deep").is_dir()
    assert (out / "private").stat().st_mode & 0o777 == 0o700
    assert (out / "b").stat().st_mode & 0o777 == 0o750
    assert (out / "b" / "link").is_symlink()
    assert (outside / "x").read_text() == "x"


@pytest.mark.parametrize("kind", ["repository", "stack", "working directory", "above it", "root"])
def test_a_folder_that_holds_more_than_output_is_never_replaced(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path("/") if kind == "root" else tmp_path / "out"
    (tmp_path / "out" / "sub").mkdir(parents=True)
    if kind == "repository":
        (out / ".git").mkdir()
    elif kind == "stack":
        (out / "stack.yaml").write_text("x")
    elif kind != "root":
        monkeypatch.chdir(out if kind == "working directory" else out / "sub")
    with pytest.raises(OutputConflictError, match="name a folder for the output alone"):
        write(files(a="1"), out)
    assert not (tmp_path / "out" / "a.yaml").exists()


def test_a_folder_of_ours_that_is_a_symlink_is_in_the_way(tmp_path: Path) -> None:
    out = tmp_path / "rendered"
    write(files(a="1", b__c="2"), out)
    elsewhere = tmp_path / "elsewhere"
    (out / "b").rename(elsewhere)
    (out / "b").symlink_to(elsewhere)
    with pytest.raises(OutputConflictError, match="rendered/b: in the way, and not written by homelabmon"):
        write(files(a="3", b__c="2"), out)
    assert (out / "b").is_symlink()
    assert tree(elsewhere) == files(c="2")
