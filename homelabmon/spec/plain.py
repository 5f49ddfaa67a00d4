"""Models as plain data, without building a serializer: only what differs from the default, by the names of the file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from homelabmon.spec.base import format_duration


def plain(value: Any) -> Any:
    """A value as mappings, lists and scalars. Unset and default fields are left out, so that a diff shows what is said.

    Durations are written as Prometheus writes them, dates as ISO 8601.
    """
    if isinstance(value, BaseModel):
        return {
            info.alias or name: plain(item)
            for name, info in type(value).model_fields.items()
            if (item := getattr(value, name)) is not None
            and (info.is_required() or item != info.get_default(call_default_factory=True))
        }
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
