"""discord-url: a Discord webhook, or half of one, where a name is expected. Its value is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.source import walk
from homelabmon.spec.findings import Severity
from homelabmon.spec.secrets import looks_secret

_SNOWFLAKE: Final = re.compile(r"\d{17,21}")
_TOKEN: Final = re.compile(r"[\w.-]{60,}")
_PART: Final = re.compile(
    r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/|\bwebhooks/\d{17,21}/[\w-]{20,}", re.IGNORECASE
)

_FIX: Final = "make a Secret with the whole webhook URL, and write where it is: {secret: discord-webhooks, key: ops}"


def _find(context: Context) -> Iterator[Problem]:
    for name, channel in context.stack.channels.items():
        webhook = channel.discord.webhook
        path = ("channels", name, "discord", "webhook")
        if _SNOWFLAKE.fullmatch(webhook.secret):
            message = "`secret` is the name of a Secret, and this is a webhook's id (not shown here)"
            yield Problem((*path, "secret"), message, _FIX)
        if _SNOWFLAKE.fullmatch(webhook.key) or _TOKEN.fullmatch(webhook.key):
            message = "`key` is the name of a key in that Secret, and this is part of a webhook (not shown here)"
            yield Problem((*path, "key"), message, _FIX)
    for place, value in walk(context.data or context.stack.model_dump(by_alias=True)):
        if isinstance(value, str) and "ebhooks/" in value and _PART.search(value) and not looks_secret(value):
            yield Problem(place, "this looks like part of a Discord webhook (not shown here)", _FIX, in_source=True)


CHECK = Check("discord-url", Severity.ERROR, "Part of a Discord webhook stands where a name belongs.", _find)
