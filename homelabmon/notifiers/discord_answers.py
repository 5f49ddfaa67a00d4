"""What Discord's answers mean.

Used by :mod:`~homelabmon.notifiers.discord`. May import: notifiers.contract, the standard library.

Sources: Discord's API documentation, topics/rate-limits and topics/opcodes-and-status-codes. In front of Discord
stands Cloudflare, and in front of that perhaps a proxy: an answer that is no JSON object is theirs, and says nothing
about the webhook. Codes of version 10 of the API; :mod:`~homelabmon.notifiers.discord` asks for that version.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from homelabmon.notifiers.contract import Budget, Outcome, Rejected, RejectedKind, Request, Response, Retry, Sent

NO_MESSAGE: Final = "0"
"""An id that no message has."""

_EDITED: Final = re.compile(r"/webhooks/\d+/[^/]+/messages/(\d+)$")
_BLOCKED_FOR: Final = 60.0
"""Seconds to wait after Cloudflare refuses without saying how long: ten such requests in the ten minutes that count."""

_REJECTED: Final[Mapping[int, tuple[str, RejectedKind, str]]] = {
    10003: ("unknown_channel", "channel_gone", "the channel does not exist any more"),
    10008: ("unknown_message", "message_gone", "the message was deleted"),
    10015: ("unknown_webhook", "channel_gone", "the webhook was deleted: make a new one"),
    20022: ("too_many_edits", "too_many_edits", ""),
    30046: ("too_many_edits", "too_many_edits", "Discord limits edits of messages older than an hour"),
    40005: ("too_large", "malformed", ""),
    40067: ("tag_required", "channel_gone", "the forum requires a tag: switch that off in the channel's settings"),
    50005: ("foreign_message", "message_gone", "the message was posted by another webhook"),
    50006: ("empty_message", "malformed", ""),
    50027: ("invalid_token", "channel_gone", "the webhook's token is wrong: copy its URL anew"),
    50035: ("invalid_form", "malformed", ""),
    50083: ("archived_thread", "thread_gone", "the thread is archived"),
    50109: ("invalid_json", "malformed", ""),
    160005: ("locked_thread", "thread_gone", "the thread is locked"),
    200000: ("blocked_by_automod", "malformed", "the server's AutoMod blocked it"),
    220001: ("forum_without_thread", "channel_gone", "the channel is a forum: set `forum: true`, or a `thread_id`"),
    220002: ("forum_with_both", "malformed", ""),
    220003: ("no_forum", "channel_gone", "the channel is no forum: take `forum: true` away"),
    220004: ("no_webhooks_in_forum", "channel_gone", "this kind of webhook cannot post into a forum"),
    240000: ("harmful_link", "malformed", "Discord takes a link in it for harmful"),
}
_OLD_EDITS: Final = (20022, 30046)
_RETRIED: Final[Mapping[int, str]] = {
    20016: "slow_mode",
    20028: "channel_rate_limit",
    20029: "server_rate_limit",
    40062: "resource_rate_limit",
    130000: "overloaded",
}


def judge(request: Request, response: Response) -> Outcome:
    """What to do next. Never raises, whatever came back."""
    data = _object(response.body)
    status = response.status
    budget = _budget(response.headers)
    if 200 <= status < 300:
        return _stored(request, response, data, budget)
    if status == 429:
        return _rate_limited(response.headers, data, budget)
    if status >= 500 or status < 300:
        reason = "server_error" if status >= 500 else "odd_status"
        return Retry(reason, _seconds_header(response), "request" if status == 500 else "webhook", budget)
    if status < 400:
        return _redirected(status)
    if data is None:
        return _refused_on_the_way(status, response, budget)
    return _refused(request, status, data, budget)


def _stored(request: Request, response: Response, data: dict[str, Any] | None, budget: Budget | None) -> Outcome:
    """With ``wait=true`` a 2xx means that the message is there.

    A page of HTML is no such answer, whatever its status: a login page of somebody's network has 200 as well.
    """
    body = response.body.lstrip()
    if data is None and body and not body.startswith(b"{"):
        return Retry("not_discord", None, "webhook", budget)
    if edited := _EDITED.search(urlsplit(request.url).path):
        return Sent(edited[1], None, budget)
    found = data or {}
    thread = _snowflake(found.get("channel_id")) if "thread_name" in (_object(request.body) or {}) else None
    return Sent(_snowflake(found.get("id")) or NO_MESSAGE, thread, budget)


def _rate_limited(headers: Mapping[str, str], data: dict[str, Any] | None, budget: Budget | None) -> Outcome:
    """The body's seconds are exact, the header's are rounded up. Without a body it was Cloudflare: all must wait.

    Edits of messages older than an hour have a limit of their own (30046, with this status, and not always a time).
    """
    header = _seconds(headers.get("retry-after"))
    if data is None:
        return Retry("cloudflare", _BLOCKED_FOR if header is None else header, "everything", budget)
    after = _seconds(data.get("retry_after"))
    after = header if after is None else after
    if data.get("code") in _OLD_EDITS:
        if after is None:
            return Rejected("too_many_edits", "too_many_edits", _REJECTED[30046][2], budget)
        return Retry("too_many_edits", after, "request", budget)
    if data.get("global") is True or headers.get("x-ratelimit-global", "").lower() == "true":
        return Retry("global_rate_limit", after, "everything", budget)
    shared = headers.get("x-ratelimit-scope") == "shared"
    return Retry("shared_rate_limit" if shared else "rate_limit", after, "webhook", budget)


def _redirected(status: int) -> Outcome:
    """Not followed, as that would turn a POST into a GET. A passing one may be a network's login page."""
    if status in (301, 308):
        return Rejected("moved", "forbidden", f"status {status}: the address has moved; copy the webhook's URL anew")
    return Retry("redirected", None, "webhook")


def _refused_on_the_way(status: int, response: Response, budget: Budget | None) -> Outcome:
    """Refused by something that is not Discord's API. 404 is the exception: such an address must not be used again."""
    if status == 404:
        return Rejected("not_found", "channel_gone", "status 404: nothing answers at this address", budget)
    if status in (400, 405, 411, 413, 414, 415, 431):
        kind: RejectedKind = "malformed" if status in (400, 413) else "forbidden"
        return Rejected(f"status_{status}", kind, f"status {status}, not from Discord itself", budget)
    after = _seconds_header(response)
    return Retry("blocked", _BLOCKED_FOR if after is None else after, "everything", budget)


def _refused(request: Request, status: int, data: Mapping[str, Any], budget: Budget | None) -> Outcome:
    code = data.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else 0
    if code == 40333:
        return Retry("blocked", _BLOCKED_FOR, "everything", budget)
    if code in _RETRIED or status in (408, 425):
        return Retry(_RETRIED.get(code, "timeout"), _seconds(data.get("retry_after")), "webhook", budget)
    detail = _detail(request, status, code, data)
    if code in _REJECTED:
        reason, kind, hint = _REJECTED[code]
        if code == 10003 and "thread_id=" in urlsplit(request.url).query:
            reason, kind, hint = "unknown_thread", "thread_gone", "the thread was deleted"
        return Rejected(reason, kind, f"{hint} ({detail})" if hint else detail, budget)
    if status == 401:
        return Rejected("unauthorized", "channel_gone", detail, budget)
    if status == 404:
        return Rejected("not_found", "channel_gone", detail, budget)
    if status in (400, 413):
        return Rejected(f"status_{status}", "malformed", detail, budget)
    return Rejected(f"status_{status}", "forbidden", detail, budget)


def _detail(request: Request, status: int, code: int, data: Mapping[str, Any]) -> str:
    """``400, code 50035: Invalid Form Body: embeds.0.description: Must be ...``, without the address's secrets."""
    said = str(data.get("message", ""))
    where = next(_form_errors(data.get("errors")), "")
    text = f"status {status}{f', code {code}' if code else ''}{f': {said}' if said else ''}"
    text = "".join(char if char.isprintable() else " " for char in (f"{text}: {where}" if where else text))
    for part in urlsplit(request.url).path.split("/"):
        if len(part) >= 16:
            text = text.replace(part, "[redacted]")
    return text.encode("utf-8", "replace").decode()[:300]


def _form_errors(errors: Any, path: str = "", depth: int = 0) -> Any:
    """``embeds.0.description: Must be 4096 or fewer in length.`` for each leaf of Discord's tree of errors."""
    if not isinstance(errors, dict) or depth > 10:
        return
    for key, value in errors.items():
        if key == "_errors" and isinstance(value, list):
            for error in value:
                if isinstance(error, dict):
                    yield f"{path}: {error.get('message', '')}" if path else str(error.get("message", ""))
        else:
            yield from _form_errors(value, f"{path}.{key}" if path else str(key), depth + 1)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _snowflake(value: Any) -> str | None:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _seconds_header(response: Response) -> float | None:
    return _seconds(response.headers.get("retry-after"))


def _seconds(value: Any) -> float | None:
    """A waiting time of at most a day; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(seconds, 86400.0) if math.isfinite(seconds) and seconds >= 0 else None


def _budget(headers: Mapping[str, str]) -> Budget | None:
    remaining, reset = _seconds(headers.get("x-ratelimit-remaining")), _seconds(headers.get("x-ratelimit-reset-after"))
    return None if remaining is None or reset is None else Budget(int(remaining), reset)
