"""Writes the status page into a folder, which may hold other files, such as a Git checkout.

Each file is replaced whole; the first page comes last, and what is no longer part of the page goes after it, so that
nobody who reads meanwhile finds a link that leads nowhere. Only what was written before is ever removed: a list of it
lies in the folder. Used by the part and the command line. May import: errors, its neighbour site.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from homelabmon.errors import HomelabmonError

LIST: Final = ".homelabmon-status.json"


@dataclass(frozen=True, slots=True)
class Written:
    """How many files there are, how many of them were different, and how many were removed."""

    files: int
    changed: int
    removed: int


def export(directory: Path, texts: Mapping[str, str]) -> Written:
    """Makes the folder hold these texts, by path, in their order. Raises HomelabmonError, and OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    ours = _listed(directory)
    # First the list: what is written from here on is known to be ours, whatever happens.
    _put(directory, LIST, _list([*ours, *texts]))
    changed = sum(_put(directory, path, text) for path, text in texts.items())
    stale = [path for path in ours if path not in texts]
    for path in stale:
        _remove(directory, path)
    _put(directory, LIST, _list(texts))
    return Written(len(texts), changed, len(stale))


def _list(paths: Mapping[str, str] | list[str]) -> str:
    return json.dumps({"homelabmon": 1, "files": sorted(set(paths))}, indent=0) + "\n"


def _listed(directory: Path) -> list[str]:
    """What was written before. A path that could lead out of the folder is none of ours."""
    place = directory / LIST
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        paths = [str(path) for path in data["files"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        raise HomelabmonError(
            f"{place}: is no list of ours, so nobody knows what may be removed: remove it, and by hand what is stale"
        ) from None
    return [path for path in paths if not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts]


def _put(directory: Path, path: str, text: str) -> bool:
    """Replaces one file whole; whether it was different. What links to elsewhere is not followed."""
    place = directory / path
    for part in reversed(PurePosixPath(path).parents[:-1]):
        folder = directory / part
        if folder.is_symlink():
            raise HomelabmonError(f"{folder}: leads elsewhere: remove the link, or write to another folder")
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(0o755)
    content = text.encode("utf-8", "replace")
    if not place.is_symlink() and place.is_file() and place.read_bytes() == content:
        return False
    aside = place.with_name(f".{place.name}.new")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(place)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
    return True


def _remove(directory: Path, path: str) -> None:
    """Removes a file of ours, and the folders that are empty then."""
    with suppress(FileNotFoundError):
        (directory / path).unlink()
    for folder in PurePosixPath(path).parents:
        if str(folder) != ".":
            with suppress(OSError):
                (directory / folder).rmdir()
