"""Starts relays quickly: a process that has everything imported, and forks one for each line it reads.

``python -m tests.relay.nursery CONFIG PORT``: a line on stdin starts a relay; its process id is the answer; when it has
ended, by whatever means, an empty line follows. At the end of stdin it ends. What runs is ``homelabmon relay``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from homelabmon.relay.running import run


def main() -> None:
    config, port = Path(sys.argv[1]), int(sys.argv[2])
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(config, "127.0.0.1", port, None)
            finally:
                os._exit(1)
        print(child, flush=True)
        os.waitpid(child, 0)
        print(flush=True)


if __name__ == "__main__":
    main()
