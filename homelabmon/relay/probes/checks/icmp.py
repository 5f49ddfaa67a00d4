"""A ping: one echo request, and its answer. IPv4 and IPv6.

Where the system lets this group ping (net.ipv4.ping_group_range), by a socket that can do nothing else; otherwise by a
raw one, which takes CAP_NET_RAW. Where neither is allowed nothing can be said of the host. May import: its neighbours,
spec.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from typing import Final

from homelabmon.relay.probes.checks.errors import UnknownError
from homelabmon.relay.probes.checks.line import Address, Line
from homelabmon.relay.probes.outcome import Outcome, Timing
from homelabmon.spec.watch import Probe

CANNOT: Final = (
    "cannot ping here: give the process the capability NET_RAW, or its group the right by the sysctl"
    " net.ipv4.ping_group_range"
)
_REQUEST: Final = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: Final = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL: Final = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}


async def check(probe: Probe, line: Line, timing: Timing) -> Outcome:
    """Sends one echo request to the host's first address that can be pinged from here."""
    assert probe.icmp is not None
    clock = asyncio.get_running_loop().time
    began = clock()
    addresses = await line.addresses(probe.icmp.removeprefix("[").removesuffix("]"), 0)
    timing.dns = clock() - began
    address = next((one for one in addresses if one[0] == socket.AF_INET), addresses[0])
    made = open_socket(address[0])
    try:
        await _echo(made, address)
    finally:
        made.close()
    return Outcome("ok")


def open_socket(family: socket.AddressFamily) -> socket.socket:
    """A socket that can ping. Raises UnknownError where nobody lets us have one."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            made = socket.socket(family, kind, _PROTOCOL[family])
        except PermissionError:
            continue
        except OSError:
            raise UnknownError("cannot ping here: this machine has no such network") from None
        made.setblocking(False)
        return made
    raise UnknownError(CANNOT)


def cannot_be_asked(probe: Probe) -> str | None:
    """Why a probe cannot be asked from here; None where it can, as far as that can be known beforehand."""
    if probe.icmp is None:
        return None
    try:
        open_socket(socket.AF_INET6 if ":" in probe.icmp else socket.AF_INET).close()
    except UnknownError as error:
        return str(error)
    return None


async def _echo(made: socket.socket, address: Address) -> None:
    loop = asyncio.get_running_loop()
    family, where = address
    nonce = secrets.token_bytes(16)
    number = int.from_bytes(nonce[:2], "big")
    made.connect(where)  # waits for nobody: it only sets where packets go
    await loop.sock_sendall(made, request(family, number, nonce))
    while not is_reply(await loop.sock_recv(made, 2048), family, made.type, nonce):
        pass


def request(family: socket.AddressFamily, number: int, nonce: bytes) -> bytes:
    """An echo request (RFC 792, RFC 4443). The kernel fills in the checksum of IPv6."""
    head = struct.pack("!BBHHH", _REQUEST[family], 0, 0, number, 1)
    if family == socket.AF_INET6:
        return head + nonce
    return struct.pack("!BBHHH", _REQUEST[family], 0, checksum(head + nonce), number, 1) + nonce


def is_reply(packet: bytes, family: socket.AddressFamily, kind: int, nonce: bytes) -> bool:
    """Whether a packet is the answer to our request: raw sockets see everybody's, with the IPv4 header in front."""
    if family == socket.AF_INET and kind == socket.SOCK_RAW and packet:
        packet = packet[(packet[0] & 15) * 4 :]
    return len(packet) >= 8 and packet[0] == _REPLY[family] and packet[8:] == nonce


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
