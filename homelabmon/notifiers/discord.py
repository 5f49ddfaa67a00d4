"""Discord, through a channel's webhook.

Used by the relay, and by ``explain`` and ``simulate`` for previews, through :data:`homelabmon.notifiers.NOTIFIERS`.
May import: notifiers, the standard library.

- :mod:`~homelabmon.notifiers.discord_message`: what a message looks like, within Discord's limits; made of
  :mod:`~homelabmon.notifiers.discord_card`, :mod:`~homelabmon.notifiers.discord_digest` and
  :mod:`~homelabmon.notifiers.discord_words`
- :mod:`~homelabmon.notifiers.discord_text`: cleaning, escaping, cutting, counting
- :mod:`~homelabmon.notifiers.discord_answers`: what an answer means
- here: requests and addresses (resources/webhook of Discord's API documentation)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from homelabmon import __version__
from homelabmon.notifiers import discord_answers, discord_digest, discord_message, discord_words
from homelabmon.notifiers.contract import Outcome, Request, Response, Style, Target
from homelabmon.notifiers.message import IncidentView, Message

_DISCORD: Final = re.compile(r"(?:(?:ptb|canary)\.)?discord(?:app)?\.com")
_PATH: Final = re.compile(r"(?P<api>/api(?:/v\d+)?|.*)/webhooks/(?P<id>\d{1,20})/(?P<token>[\w.-]+)", re.ASCII)
_VERSION: Final = "/api/v10"
"""Without a version Discord answers as version 6, which is deprecated and gives waiting times in milliseconds."""

_HEADERS: Final = {
    "content-type": "application/json",
    "user-agent": f"DiscordBot (homelabmon, {__version__})",
}
"""Discord's API documentation, reference: a client without a valid user agent may be blocked by Cloudflare."""

_POST_ONLY: Final = ("username", "thread_name")


class Discord:
    """Discord webhooks. Has no state."""

    name = "discord"

    def render(self, message: Message, style: Style = "full") -> dict[str, Any]:
        """The payload, within every limit. ``thread_name`` is for forums: :meth:`post` leaves it out elsewhere."""
        return discord_message.full(message) if style == "full" else discord_message.plain(message)

    def how_many_fit(self, incidents: Sequence[IncidentView], style: Style = "full") -> int:
        """How many of the incidents one digest shows with every alert named; at least 1."""
        fit = discord_digest.how_many_fit if style == "full" else discord_words.how_many_fit
        return fit(incidents)

    def post(self, target: Target, payload: Mapping[str, Any]) -> Request:
        """``wait=true``: Discord answers once the message is stored, with its id; else an error could go unnoticed."""
        new_thread = target.forum and _thread_of(target) is None
        body = {name: value for name, value in payload.items() if name != "thread_name" or new_thread}
        return _request("POST", target, "", body, wait=True)

    def edit(self, target: Target, message_id: str, payload: Mapping[str, Any]) -> Request:
        """An edit leaves alone what it does not name, so embeds are always named: a plain message takes them away."""
        body = {"embeds": [], **{name: value for name, value in payload.items() if name not in _POST_ONLY}}
        return _request("PATCH", target, f"/messages/{message_id}", body, wait=False)

    def delete(self, target: Target, message_id: str) -> Request:
        """Answered by 204 without a body."""
        return _request("DELETE", target, f"/messages/{message_id}", None, wait=False)

    def judge(self, request: Request, response: Response) -> Outcome:
        """What a response means."""
        return discord_answers.judge(request, response)

    def flaw(self, target: Target) -> str | None:
        """What is wrong with the address of a webhook, without quoting it."""
        return _flaw(target)


def _request(
    method: Literal["POST", "PATCH", "DELETE"],
    target: Target,
    below: str,
    body: Mapping[str, Any] | None,
    *,
    wait: bool,
) -> Request:
    parts = urlsplit(target.url.strip())
    path = parts.path.rstrip("/")
    if _DISCORD.fullmatch((parts.hostname or "").lower()):
        path = re.sub(r"^/api(?=/webhooks/)", _VERSION, path)
    query = {name: text for name, text in parse_qsl(parts.query) if name not in ("wait", "thread_id")}
    if wait:
        query["wait"] = "true"
    if thread := _thread_of(target):
        query["thread_id"] = thread
    url = urlunsplit((parts.scheme, parts.netloc, path + below, urlencode(query), ""))
    text = "" if body is None else json.dumps(body, ensure_ascii=False)
    return Request(method, url, text.encode("utf-8", "replace"), _HEADERS)


def _thread_of(target: Target) -> str | None:
    """The thread to post into: the configured one, else the one in the webhook's own address."""
    return target.thread_id or dict(parse_qsl(urlsplit(target.url.strip()).query)).get("thread_id")


def _flaw(target: Target) -> str | None:
    url = target.url.strip()
    if not url:
        return "the address is empty"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "the address has a space, a line break or another character that no address has"
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "this is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "the address must begin with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "the address must not hold a user name or a password"
    if parts.fragment:
        return "the address must not have a part after #"
    return _flaw_of_path(parts.path.rstrip("/"), host, parts.scheme) or _flaw_of_thread(target)


def _flaw_of_path(path: str, host: str, scheme: str) -> str | None:
    found = _PATH.fullmatch(path)
    if found is None:
        if re.search(r"/webhooks/\d+/[\w.-]+/(?:slack|github)$", path):
            return "the address is the Slack or GitHub variant: take away its last part, /slack or /github"
        return "the address must end in /api/webhooks/ID/TOKEN: copy it from the channel's settings, Integrations"
    if not _DISCORD.fullmatch(host):
        return None
    if scheme != "https":
        return "the address must begin with https://: the token would travel in the clear"
    if not found["api"].startswith("/api"):
        return "the address must end in /api/webhooks/ID/TOKEN: copy it from the channel's settings, Integrations"
    if len(found["token"]) < 50:
        return "the webhook's token is cut short: copy the whole address"
    return None


def _flaw_of_thread(target: Target) -> str | None:
    thread = _thread_of(target)
    if thread is not None and not re.fullmatch(r"\d{1,20}", thread, re.ASCII):
        return "the thread's id must be a number"
    return None
