"""The entry point, and the one place where errors become exit codes: 0 fine, 1 findings, 2 wrong use, 3 our bug."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and exits.

    A short process makes many objects and few cycles: it looks for garbage rarely, and leaves taking everything apart
    at the end to the operating system (together a quarter of the time of `homelabmon render`).
    """
    gc.set_threshold(200_000, 20, 100)
    try:
        from homelabmon.cli import run
        from homelabmon.cli.no_plugins import go_without_plugins

        go_without_plugins()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anybody to take it
        code = 130
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # started with it closed
                stream.flush()
        except OSError:  # whoever read our output is gone
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
