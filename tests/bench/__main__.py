"""`make bench`, or `python -m tests.bench [--runs N] [CASE ...]`: prints a Markdown table of the timings."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import rendering, simulation, startup
from tests.bench.harness import Case, CommandFailedError, conditions, measure, table
from tests.routing import bench as routing

if TYPE_CHECKING:
    from collections.abc import Callable

SUITES: Final[tuple[Callable[[Path], list[Case]], ...]] = (startup.cases, rendering.cases, simulation.cases)
"""One line a module; each gets an empty folder and gives its cases."""
ROUTING: Final = "routing"
"""Not a command but a library: decisions a second, by :mod:`tests.routing.bench`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="timed runs of each command (default: 10)")
    parser.add_argument("names", metavar="CASE", nargs="*", help="only these cases (default: all)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cases = [case for index, suite in enumerate(SUITES) for case in suite(_folder(Path(scratch), index))]
        known = [*(case.name for case in cases), ROUTING]
        if unknown := set(options.names) - set(known):
            parser.error(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        try:
            results = [measure(case, options.runs) for case in cases if not options.names or case.name in options.names]
        except CommandFailedError as error:
            print(error, file=sys.stderr)
            return 1
    if results:
        print(table(results), conditions(options.runs), sep="\n\n")
    if not options.names or ROUTING in options.names:
        routing.main(options.runs)
    return 0


def _folder(scratch: Path, index: int) -> Path:
    folder = scratch / str(index)
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
