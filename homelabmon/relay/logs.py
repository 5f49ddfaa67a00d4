"""Structured logs: one JSON object a line, without anything that looks like a secret.

Set up by the command line. May import: spec.secrets, the standard library.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from homelabmon.spec.secrets import redact

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST: Final = 8_000


class JsonLines(logging.Formatter):
    """``{"time": ..., "level": ..., "logger": ..., "message": ..., ...}``, with what was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line. Never raises."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix("homelabmon."),
            "message": record.getMessage(),
        }
        fields.update({key: value for key, value in vars(record).items() if key not in _OWN})
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)[-_LONGEST:]
        return redact(json.dumps(fields, ensure_ascii=False, default=str))


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends everything that is logged to ``stream`` (standard error by default), and nothing anywhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What clients do wrong is their trouble and our 4xx; the library would log a traceback for each, as an error even.
    # Our own answers never raise.
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
