"""The user's own templates: which of them replace none of ours, and what an error in one looks like as a finding.

Asked by ``homelabmon check`` and ``render``. May import: errors, spec, and the templates beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from homelabmon.errors import RenderError
from homelabmon.render.templates import shipped_folder
from homelabmon.source import shown
from homelabmon.spec.findings import Finding, Position, Severity
from homelabmon.spec.suggest import closest

SUFFIX: Final = ".j2"
_PLACE: Final = re.compile(r"([^:]+\.j2)(?::(\d+))?: (.*)", re.DOTALL)


def unread_templates(folder: Path) -> Iterator[Finding]:
    """A finding for each file of the folder that nothing ever reads.

    A file is read when one of ours has its path, or another of the user's names it (to include it). What lies apart
    from our folders and is like none of ours may be there for another program: a remark.
    """
    shipped = shipped_folder()
    if folder.resolve() == shipped.resolve():
        return
    ours = {path.relative_to(shipped).as_posix() for path in shipped.rglob(f"*{SUFFIX}")}
    theirs = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    unmatched = [name for name, path in theirs.items() if name not in ours and _meant_as_template(name, ours)]
    texts = [_text(path) for name, path in theirs.items() if name.endswith(SUFFIX)] if unmatched else []
    for name in unmatched:
        if any(name in text for text in texts):
            continue
        guess = _guess(name, ours)
        known = bool(guess) or name.partition("/")[0] in {path.partition("/")[0] for path in ours}
        if not known and not name.endswith(SUFFIX):
            continue
        yield Finding(
            "template",
            f"none of ours is called {name}, so it is never read",
            f"did you mean {guess}?" if guess else "call it as ours that it is to replace, or move it away",
            severity=Severity.WARNING if known else Severity.INFO,
            file=shown(folder / name),
        )


def _meant_as_template(name: str, ours: set[str]) -> bool:
    if any(part.startswith(".") or part.endswith("~") for part in name.split("/")):
        return False
    return name.endswith(SUFFIX) or f"{name}{SUFFIX}" in ours


def _guess(name: str, ours: set[str]) -> str | None:
    """The template that was most likely meant: the same without its ending, of the same name elsewhere, or alike."""
    if f"{name}{SUFFIX}" in ours:
        return f"{name}{SUFFIX}"
    alike = [path for path in sorted(ours) if path.rpartition("/")[2] == name.rpartition("/")[2]]
    return alike[0] if len(alike) == 1 else closest(name, sorted(ours)) if "/" in name else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def template_finding(error: RenderError, stack_file: str) -> Finding:
    """An error in a template, at its place in the template; the stack is named only where no template is."""
    told = _PLACE.fullmatch(str(error))
    if told is None:
        return Finding("template", str(error), file=stack_file)
    what, _, fix = told[3].partition("; ")
    return Finding("template", what, fix, file=told[1], position=Position(int(told[2]), 1) if told[2] else None)
