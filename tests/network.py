"""The tests' network ends at loopback.

Anything else is refused the way a closed network refuses it, and remembered: a test whose code swallows the refusal
(a retry loop does) still fails. Names under ``.invalid`` never resolve anywhere, so tests may look those up.
Programs that a test starts are not covered.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


class Loopback:
    """Takes the place of the socket functions that reach out. ``refused`` holds what was stopped, in order."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Patch the socket module until ``monkeypatch`` undoes it."""
        connect, connect_ex, sendto, getaddrinfo = (
            socket.socket.connect,
            socket.socket.connect_ex,
            socket.socket.sendto,
            socket.getaddrinfo,
        )

        def guarded_connect(sock: socket.socket, address: Any) -> None:
            self._admit(sock, address)
            connect(sock, address)

        def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
            self._admit(sock, address)
            return connect_ex(sock, address)

        def guarded_sendto(sock: socket.socket, data: Any, *flags_and_address: Any) -> int:
            self._admit(sock, flags_and_address[-1])
            return sendto(sock, data, *flags_and_address)

        def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            self._admit_lookup(host)
            return getaddrinfo(host, *args, **kwargs)

        monkeypatch.setattr(socket.socket, "connect", guarded_connect)
        monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        monkeypatch.setattr(socket.socket, "sendto", guarded_sendto)
        monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)

    def _admit(self, sock: socket.socket, address: Any) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or _stays_here(address[0]):
            return
        self.refused.append(f"a connection to {address[0]} port {address[1]}")
        raise ConnectionRefusedError(f"tests reach loopback only, not {address[0]}")

    def _admit_lookup(self, host: str | bytes | None) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or _address(name) is not None or _stays_here(name):
            return
        if not name.rstrip(".").endswith(".invalid"):
            self.refused.append(f"a look-up of {name}")
        raise socket.gaierror(socket.EAI_NONAME, f"tests reach loopback only: {name} is not looked up")


def _stays_here(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host in ("", "localhost")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
