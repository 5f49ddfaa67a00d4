"""Every error the package raises on purpose, and the exit code each one means.

::

    HomelabmonError                 exit 2: wrong use or unreadable input
    ├── InputError                  a file that cannot be read as a stack; carries findings with positions
    ├── MissingDependencyError      a command needs an extra that is not installed
    ├── OutputConflictError         a file in the way that homelabmon did not write
    └── RenderError                 a template or a value that cannot be rendered (a user's override, mostly)

``homelabmon.__main__`` is the one place that turns them into exit codes: 0 fine, 1 findings or differences,
2 wrong use or unreadable input, 3 a bug of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homelabmon.spec.findings import Finding

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_BUG = 3


class HomelabmonError(Exception):
    """An expected failure. Its text is for the user: place, value and fix."""


class InputError(HomelabmonError):
    """The input cannot be read as a stack. ``findings`` holds every reason, each with its position."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(finding.message for finding in findings))
        self.findings = tuple(findings)


class MissingDependencyError(HomelabmonError):
    """A command needs packages of an extra that is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"the Python package {module!r} is missing: install it with: pip install 'homelabmon[{extra}]'"
        )


class OutputConflictError(HomelabmonError):
    """A file stands where output must go, and homelabmon did not write it."""


class RenderError(HomelabmonError):
    """A template or a value cannot be rendered; the text names the template, the line and the fix."""
