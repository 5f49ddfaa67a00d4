"""impossible-address: an address that no Service, node or target can have, or a pool that cannot be meant like that."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from homelabmon.checks.support.check import Check, Problem
from homelabmon.checks.support.context import Context
from homelabmon.checks.support.pools import Address, Block, read_entry
from homelabmon.spec.findings import Path, Severity
from homelabmon.spec.hosts import host_of

_SPECIAL: Final = tuple(
    (Block(text, network[0], network[-1]), what)
    for text, what in (
        ("127.0.0.0/8", "loopback"),
        ("0.0.0.0/8", "no address of a host"),
        ("169.254.0.0/16", "link-local"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/127", "loopback, and no address at all"),
        ("::ffff:0:0/96", "an IPv4 address written as IPv6"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
    )
    for network in (ipaddress.ip_network(text),)
)
_MOST: Final = {4: 2**16, 6: 2**80}
"""Addresses of a pool beyond which it is taken for a slip: a /16, and a /48."""
_POOL: Final[Path] = ("cluster", "load_balancer", "pool")
_NO_POOL: Final = "write cluster.load_balancer.pool, or manage_pool: false there when other manifests define it"


def _find(context: Context) -> Iterator[Problem]:
    yield from _pool(context)
    for name, text in context.stack.lb_ips.items():
        what = _special(ipaddress.ip_address(text))
        if what is not None:
            yield Problem(("lb_ips", name), f"{_shown(text)} is {what}: no Service can have it", _instead(text))
    for number, text in enumerate(context.stack.cluster.control_plane.endpoints):
        what = _special(ipaddress.ip_address(text))
        if what is not None:
            path: Path = ("cluster", "control_plane", "endpoints", number)
            message = f"{text} is {what}: Prometheus, in a pod of its own, finds no node there"
            yield Problem(path, message, "write the node's address on your network")
    yield from _elsewhere(context)


def _mapped(text: str) -> ipaddress.IPv4Address | None:
    return getattr(ipaddress.ip_address(text), "ipv4_mapped", None)


def _shown(text: str) -> str:
    """The address, which Python 3.13 writes in another way than those before where IPv4 is inside."""
    return f"::ffff:{mapped}" if (mapped := _mapped(text)) else text


def _instead(text: str) -> str:
    mapped = _mapped(text)
    return f"write {mapped}" if mapped is not None and _special(mapped) is None else "take one of your network"


def _elsewhere(context: Context) -> Iterator[Problem]:
    """Addresses that others ask, and at which each of them finds itself."""
    stack = context.stack
    for number, scrape in enumerate(stack.scrape):
        for index, target in enumerate(scrape.targets):
            yield from _itself(("scrape", number, "targets", index), target, "Prometheus")
    for number, probe in enumerate(stack.probes):
        for key in ("url", "tcp", "icmp"):
            yield from _asked(("probes", number, key), getattr(probe, key), probe.from_)
        if probe.dns is not None:
            yield from _asked(("probes", number, "dns", "server"), probe.dns.server, probe.from_)
    if stack.outpost is not None:
        yield from _itself(("outpost", "url"), stack.outpost.url, "Alertmanager")
        for index, anchor in enumerate(stack.outpost.anchors):
            path = ("outpost", "anchors", index)
            yield from _itself(path, anchor, "the outpost", "write one on the internet, such as 1.1.1.1:443")


def _asked(path: Path, target: str | None, vantage: str) -> Iterator[Problem]:
    if target is None:
        return
    if vantage != "outpost":
        yield from _itself(path, target, "the blackbox exporter")
        return
    for problem in _itself(path, target, "the outpost", "write the address of another machine"):
        yield problem._replace(severity=Severity.WARNING)


def _itself(
    path: Path, target: str, who: str, fix: str = "write the machine's address on your network"
) -> Iterator[Problem]:
    """``target``: a host, ``host:port``, or a web address. Link-local ones are left alone: clusters have DNS there."""
    host = host_of(target)
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        yield Problem(path, f"{target} is whoever asks: {who} finds only itself there", fix)
        return
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address.is_unspecified:
        yield Problem(path, f"{target} is whoever asks: {who} finds only itself there", fix)
    elif address.is_multicast:
        yield Problem(path, f"{target} is multicast: nobody answers there", fix)


def _special(address: Address) -> str | None:
    return next((what for block, what in _SPECIAL if block.holds(address)), None)


def _pool(context: Context) -> Iterator[Problem]:
    balancer = context.stack.cluster.load_balancer
    for number, text in enumerate(balancer.pool):
        entry = read_entry(text)
        block = entry if isinstance(entry, Block) else entry.block
        if block is not None:
            yield from _block(context, block, (*_POOL, number))
    ours = balancer.manage_pool and balancer.provider in ("metallb", "cilium")
    if not ours or balancer.pool:
        return
    if context.says(*_POOL):
        message = f"the pool is empty: {balancer.provider} has no addresses to give"
        fix = "write for example [192.168.1.224/28], or manage_pool: false when other manifests define it"
        yield Problem(_POOL, message, fix)
    elif context.stack.lb_ips and not context.partial:
        message = f"there is no pool: {balancer.provider} has no addresses to give, and each of these stays pending"
        yield Problem(("lb_ips",), message, _NO_POOL, on_key=True)
    elif not context.partial:
        message = f"{balancer.provider} has no pool, so that no Service gets an address on your network"
        yield Problem(("cluster", "load_balancer", "provider"), message, _NO_POOL, Severity.INFO)


def _block(context: Context, block: Block, path: Path) -> Iterator[Problem]:
    for special, what in _SPECIAL:
        if block.holds(special.first) or special.holds(block.first):
            verb = "lies in" if special.holds(block.first) and special.holds(block.last) else "holds"
            message = f"{block.text} {verb} {special.text} ({what}), which no Service can have"
            yield Problem(path, message, "write the free part of your network, such as 192.168.1.224/28")
            return
    count = int(block.last) - int(block.first) + 1
    if count > _MOST[block.first.version]:
        shown = f"{count:,}" if count < 2**40 else f"2^{count.bit_length() - 1}"
        message = f"{block.text} holds {shown} addresses: every one of them may be given to a Service"
        yield Problem(path, message, "write the part of your network that nothing else uses", Severity.WARNING)
    for number, text in enumerate(context.stack.cluster.control_plane.endpoints):
        if block.holds(ipaddress.ip_address(text)):
            message = f"{block.text} holds {text}, a node's address (cluster.control_plane.endpoints[{number}])"
            fix = "leave out the nodes' addresses: write a smaller block, or first-last"
            yield Problem(path, message, fix, Severity.WARNING)
            return


CHECK = Check(
    "impossible-address",
    Severity.ERROR,
    "An address that no Service, node or target can have, or a pool that is empty, or far too large.",
    _find,
)
