"""What went wrong, in words: short, for people, without anything of an address or a body. May import: aiohttp."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp

from homelabmon.relay.probes.checks.line import NoSuchNameError


class FailedError(Exception):
    """The endpoint is not as it should be. The text says what came."""


class UnknownError(Exception):
    """It cannot be asked from here. The text says why."""


_ERRNO: Final[Mapping[int, str]] = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.EPIPE: "the connection was reset",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.EADDRNOTAVAIL: "there is no address of this kind here to ask from",
    errno.ETIMEDOUT: "the connection timed out",
}


def words_of(error: BaseException) -> str:
    """A failure of the network, or of what was sent over it."""
    if isinstance(error, (FailedError, UnknownError, NoSuchNameError)):
        return str(error)
    tls = _tls(error)
    if tls is not None:
        return tls
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError)):
        return "what came is not HTTP"
    if isinstance(error, OSError):
        inner = getattr(error, "os_error", error)
        return _ERRNO.get(inner.errno or 0, "the connection failed")
    return "the connection failed"


def _tls(error: BaseException) -> str | None:
    """What TLS has to complain of: where it is the certificate, in OpenSSL's own words."""
    found = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {_certificate_words(found)}"
    if isinstance(found, ssl.SSLError) or isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection could be made"
    return None


def _certificate_words(error: ssl.SSLCertVerificationError) -> str:
    """OpenSSL's words end in the name that was asked for; they are cut before it, the reader knows it."""
    words = str(getattr(error, "verify_message", "") or "it cannot be verified").rstrip(".")
    for start, told in _TOLD.items():
        if words.lower().startswith(start):
            return told
    return words


_TOLD: Final = {
    "hostname mismatch": "it is for another name",
    "ip address mismatch": "it is for another address",
    "certificate has expired": "it has expired",
    "certificate is not yet valid": "it is not valid yet",
    "self-signed certificate in certificate chain": "its chain ends in a certificate that nobody trusts",
    "self-signed certificate": "it is self-signed",
    "self signed certificate": "it is self-signed",
    "unable to get local issuer certificate": "its issuer is not known, or an intermediate certificate is missing",
}
