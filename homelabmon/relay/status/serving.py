"""Answers requests for the status page: what was made before, until something changes.

No cookies, no scripts; whoever asks again with what they have is told that it still holds. May import: aiohttp, its
neighbours.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from homelabmon.relay.status.layout import POLICY, lost
from homelabmon.relay.status.site import INDEX, Output

_FRESH: Final = "public, max-age=30"
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PACKED_FROM: Final = 500
"""Bytes from which on it is worth it."""


@dataclass(frozen=True, slots=True)
class Made:
    """One output as it goes out. ``packed``: with gzip, where that is smaller."""

    type: str
    body: bytes
    packed: bytes | None
    tag: str


class Shelf:
    """The outputs of one page. Each is made when it is first asked for."""

    def __init__(self, outputs: Mapping[str, Output]) -> None:
        self._outputs = outputs
        self._made: dict[str, Made] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._outputs

    def get(self, path: str) -> Made:
        """One output. Raises KeyError when there is none of that name."""
        made = self._made.get(path)
        if made is None:
            made = self._made[path] = _made(self._outputs[path])
        return made


def _made(output: Output) -> Made:
    body = output.make().encode("utf-8", "replace")
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= _PACKED_FROM else None
    tag = hashlib.sha256(body).hexdigest()[:20]
    return Made(output.type, body, packed if packed is not None and len(packed) < len(body) else None, tag)


def path_of(request: web.BaseRequest) -> str:
    """The output that a request is about."""
    return request.path.removeprefix("/") or INDEX


def answer(request: web.BaseRequest, made: Made) -> web.Response:
    """The output, or that what the reader has still holds."""
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        allowed = f"{hdrs.METH_GET}, {hdrs.METH_HEAD}"
        return web.Response(status=405, text="only to be read\n", headers={hdrs.ALLOW: allowed})
    packed = made.packed if _takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")) else None
    tag = f'"{made.tag}{"-gz" if packed is not None else ""}"'
    headers = {**_HEADERS, hdrs.ETAG: tag, hdrs.CACHE_CONTROL: _FRESH, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if not made.type.startswith("text/html"):
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
    if _has(request.headers.get(hdrs.IF_NONE_MATCH, ""), made.tag):
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_TYPE] = made.type
    if packed is not None:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=made.body if packed is None else packed, headers=headers)


def missing(title: str) -> web.Response:
    """There is no such page."""
    headers = {**_HEADERS, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=404, text=lost(title), content_type="text/html", headers=headers)


def _has(given: str, tag: str) -> bool:
    """Whether one of a reader's tags is ours, packed or not (RFC 9110, 13.1.2: weak comparison)."""
    tags = {one.strip().removeprefix("W/") for one in given.split(",")}
    return bool(tags & {"*", f'"{tag}"', f'"{tag}-gz"'})


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, rest = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            quality = rest.strip().removeprefix("q=") or "1"
            return quality.strip("0.") != ""
    return False
