"""Address pools: what an entry stands for, and what is wrong with how it is written."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Block(NamedTuple):
    """A pool entry: both ends included, both of one family."""

    text: str
    first: Address
    last: Address

    def holds(self, address: Address) -> bool:
        """Whether the address is inside."""
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)


class Flaw(NamedTuple):
    """Why an entry is not what it should be, and what to write. ``block`` is what it most likely means, if anything."""

    message: str
    fix: str
    block: Block | None = None


def read_entry(text: str) -> Block | Flaw:
    """A CIDR block or ``first-last``."""
    return _range(text) if "-" in text else _cidr(text)


def _cidr(text: str) -> Block | Flaw:
    written = text.strip()
    if "/" not in written:
        try:
            address = ipaddress.ip_address(written)
        except ValueError:
            return Flaw(f"{text!r} is no address range", "write a CIDR block or first-last: 192.168.1.224/28")
        size = address.max_prefixlen
        return Flaw(
            f"{written} has no length", f"write {address}/{size} for the one address", Block(text, address, address)
        )
    try:
        network = ipaddress.ip_network(written, strict=False)
    except ValueError:
        return Flaw(f"{text!r} is no CIDR block", "write address and length: 192.168.1.224/28")
    block = Block(text, network[0], network[-1])
    address = ipaddress.ip_address(written.partition("/")[0])
    if address != network.network_address:
        only = f"{address}-{network[-1]}"
        return Flaw(
            f"{written} has host bits set: the block is {network} and begins at {network[0]}, not at {address}",
            f"write {network} for all of it, or {only} for what comes from {address} on",
            block,
        )
    if written != str(network):
        return Flaw(f"{written} is not how this block is written", f"write {network}", block)
    return block


def _range(text: str) -> Block | Flaw:
    ends = [part.strip() for part in text.split("-")]
    try:
        first, last = (ipaddress.ip_address(end) for end in ends)
    except ValueError:
        return Flaw(f"{text!r} is no range of addresses", "write first-last: 192.168.1.229-192.168.1.240")
    if first.version != last.version:
        return Flaw(f"{text!r} goes from IPv{first.version} to IPv{last.version}", "write one range for each")
    if int(first) > int(last):
        return Flaw(f"{text!r} ends before it begins", f"write {last}-{first}", Block(text, last, first))
    return Block(text, first, last)
