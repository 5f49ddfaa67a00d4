"""Writes a plan to a folder, or compares it. A crash leaves the old tree or the new one, never a mixture.

The folder is ours only as far as ``.homelabmon`` (the list of files written last time) says: other files are carried
over untouched, stale files of ours go, and a file of somebody else's in our way is an error.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from homelabmon.errors import HomelabmonError, OutputConflictError
from homelabmon.spec import names

MANIFEST = ".homelabmon"
_MANIFEST_HEAD = "# Files that `homelabmon render` wrote here; it removes those it no longer renders.\n"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class Changes(NamedTuple):
    """What writing would do, as sorted relative paths. ``kept`` are stale files that somebody has since replaced."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def compare(files: Mapping[str, str], out: Path) -> Changes:
    """What writing ``files`` to ``out`` would change. Raises OutputConflictError for a foreign file in the way."""
    if out.exists() and not out.is_dir():
        raise OutputConflictError(f"{out}: is a file; name a folder with --out")
    if not out.exists():
        return Changes(added=tuple(sorted(files)))
    ours = _manifest(out)
    added, changed, foreign = [], [], []
    for path, text in sorted(files.items()):
        target = out / path
        if target.is_dir() and not target.is_symlink():
            foreign.append(path)
        elif not target.exists() and not target.is_symlink():
            added.append(path)
        elif target.is_symlink() or target.read_bytes() != text.encode():
            changed.append(path)
            if path not in ours and not _is_ours(target):
                foreign.append(path)
    parents = {parent for path in files for parent in _parents(path)}
    foreign += [parent for parent in parents if _blocks(out / parent) and parent not in ours]
    if foreign:
        listed = ", ".join(str(out / path) for path in sorted(set(foreign))[:5])
        raise OutputConflictError(
            f"{listed}: in the way, and not written by homelabmon; move it, or choose another --out"
        )
    stale = [path for path in sorted(ours) if path not in files and (out / path).is_file()]
    removed = [path for path in stale if _is_ours(out / path)]
    kept = [path for path in stale if path not in removed]
    return Changes(tuple(added), tuple(changed), tuple(removed), tuple(kept))


def diff(files: Mapping[str, str], out: Path, changes: Changes) -> str:
    """The changes as one unified diff: what stands in ``out`` against what the stack says."""
    import difflib

    parts = []
    for path in sorted({*changes.added, *changes.changed, *changes.removed}):
        before = _read(out / path) if path not in changes.added else ""
        after = files.get(path, "")
        old = f"a/{path}" if path not in changes.added else "/dev/null"
        new = f"b/{path}" if path not in changes.removed else "/dev/null"
        lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), old, new)
        parts.append(
            "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        )
    return "".join(parts)


def write(files: Mapping[str, str], out: Path) -> Changes:
    """Makes ``out`` hold ``files``. Nothing is touched when nothing changes.

    Raises OutputConflictError for a foreign file in the way, HomelabmonError when the folder cannot be written.
    """
    out = Path(os.path.realpath(out))
    _refuse_unsafe(out)
    try:
        _recover(out)
        changes = compare(files, out)
        manifest = _MANIFEST_HEAD + "".join(f"{path}\n" for path in sorted(files))
        if not changes and _read(out / MANIFEST) == manifest:
            return changes
        out.parent.mkdir(parents=True, exist_ok=True)
        staged = out.with_name(f".{out.name}.{os.urandom(4).hex()}.new")
        try:
            _stage(staged, {**files, MANIFEST: manifest}, out, _manifest(out) - set(changes.kept))
            _swap(staged, out)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        place = out if str(error.filename or "").startswith(str(out.with_name(f".{out.name}."))) else error.filename
        raise HomelabmonError(f"{place or out}: cannot be written: {error.strerror}; nothing was changed") from None
    return changes


def _refuse_unsafe(out: Path) -> None:
    """The folder is replaced as a whole, so it must be one for output: no repository, no working directory, no root."""
    fix = "name a folder for the output alone, such as --out rendered"
    if out == Path(out.anchor) or (out / ".git").exists():
        raise OutputConflictError(f"{out}: is a whole repository or file system; {fix}")
    here = Path.cwd()
    if out == here or out in here.parents or (out / "stack.yaml").exists():
        raise OutputConflictError(f"{out}: holds more than output; {fix}")


def _stage(staged: Path, files: Mapping[str, str], out: Path, ours: set[str]) -> None:
    staged.mkdir()
    if out.is_dir():
        shutil.copymode(out, staged)
    made = {staged}
    for path, text in files.items():
        target = staged / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(text.encode())
    _carry_over(out, staged, {*files, *ours})
    _sync_all(staged)


def _carry_over(out: Path, staged: Path, known: set[str]) -> None:
    """What is not ours: files hard-linked where the file system can, links as links, empty folders, folders' modes."""
    if not out.is_dir():
        return
    ours = {parent for path in known for parent in _parents(path)}
    for folder, below, found in os.walk(out, onerror=_refuse):
        for name in [*found, *below]:
            source = Path(folder) / name
            relative = source.relative_to(out).as_posix()
            target = staged / relative
            if source.is_dir() and not source.is_symlink():
                _carry_folder(source, target, keep=relative not in ours)
            elif relative not in known:
                target.parent.mkdir(parents=True, exist_ok=True)
                _carry_file(source, target)


def _carry_folder(source: Path, target: Path, *, keep: bool) -> None:
    """A folder with its mode: made where it is somebody else's; one of ours is there when something is in it."""
    if source.is_mount():
        raise OSError(errno.EBUSY, "a file system is mounted there", str(source))
    if keep:
        target.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.copymode(source, target)


def _carry_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _refuse(error: OSError) -> None:
    raise error


def _swap(staged: Path, out: Path) -> None:
    """Puts ``staged`` in place of ``out``: in one step where the kernel can, else in two that `_recover` completes."""
    if not out.exists():
        staged.rename(out)
    elif not _exchange(staged, out):
        old = out.with_name(f".{out.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
        staged.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    _sync(out.parent)


def _exchange(one: Path, two: Path) -> bool:
    """Linux renameat2(RENAME_EXCHANGE): swaps two paths atomically. False where that cannot be done."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(two), _RENAME_EXCHANGE) == 0:
        return True
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(two))


def _recover(out: Path) -> None:
    """Completes a swap that a crash interrupted between its two steps: the old tree comes back."""
    old = out.with_name(f".{out.name}.old")
    if old.is_dir() and not out.exists():
        old.rename(out)


def _sync(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_all(folder: Path) -> None:
    """Waits until everything in a folder is on disk: syncfs, once, as an fsync a file takes 100 times as long."""
    import ctypes

    handle = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    except AttributeError:
        os.sync()
    finally:
        os.close(handle)


def _manifest(out: Path) -> set[str]:
    """Paths written last time. A path that leaves the folder is not believed."""
    lines = _read(out / MANIFEST).splitlines()
    paths = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    return {path for path in paths if not path.startswith("/") and ".." not in path.split("/")}


def _blocks(parent: Path) -> bool:
    """Whether no file can be written below it, or it would land elsewhere."""
    return parent.is_symlink() or parent.is_file()


def _is_ours(path: Path) -> bool:
    """Whether a file still carries our header: one that somebody has replaced is theirs."""
    return names.HEADER in _read(path)[:1000]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ""


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
