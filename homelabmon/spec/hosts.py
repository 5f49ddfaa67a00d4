"""Hosts, ports and web addresses: whether one can exist. Asked by the models, for every address a stack names.

Each function that judges raises ValueError with what is wrong, a colon, and what to write instead.
"""

import ipaddress
import re
from typing import Final

_DIGITS_AND_DOTS: Final = re.compile(r"[\d.]+")
_LABEL: Final = re.compile(r"\w(?:[\w-]{0,61}\w)?")
_LAST_PORT: Final = 65535
_LONGEST: Final = 253


def check_host(host: str) -> None:
    """A name or an IPv4 address, or an IPv6 address with or without brackets."""
    if _DIGITS_AND_DOTS.fullmatch(host):
        _check_address(host, 4)
    elif ":" in host:
        _check_address(host.removeprefix("[").removesuffix("]").partition("%")[0], 6)
    elif len(host) > _LONGEST or not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")):
        raise ValueError(
            f"{host!r} is no host name: write letters, digits and dashes, with dots in between, such as nas.lan"
        )


def _check_address(text: str, version: int) -> None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        example = "four numbers from 0 to 255, such as 192.168.1.10" if version == 4 else "one such as [fd00::10]"
        raise ValueError(f"{text!r} is no IPv{version} address: write {example}") from None
    if found.version != version:
        raise ValueError(f"{text!r} is no IPv{version} address: write it without brackets")


def check_port(port: str) -> None:
    """A number from 1 to 65535."""
    if not port.isdecimal() or not 1 <= int(port) <= _LAST_PORT:
        raise ValueError(f"there is no port {port}: write one from 1 to {_LAST_PORT}")


def host_port(value: str) -> str:
    """``host:port``, the host in brackets where it is an IPv6 address."""
    host, _, port = value.rpartition(":")
    check_port(port)
    check_host(host)
    return value


def host_of(target: str) -> str:
    """The host of a web address, of ``host:port``, or of a host alone; without brackets. Empty where there is none."""
    authority = re.sub(r"^[a-z][a-z0-9+.-]*://", "", target, flags=re.IGNORECASE)
    authority = re.split(r"[/?#]", authority, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority if authority.count(":") > 1 else authority.partition(":")[0]


def web_address(value: str) -> str:
    """An address with http:// or https://, whose host and port can exist. Parts with a template are left alone."""
    from urllib.parse import urlsplit

    authority = urlsplit(value).netloc
    if "{" in authority:
        return value
    host, colon, port = authority.rpartition("@")[2].rpartition(":")
    if not colon or port.endswith("]"):
        host, port = f"{host}{colon}{port}", ""
    if port or value.removesuffix("/").endswith(":"):
        check_port(port)
    if not host:
        raise ValueError("there is no host in it: write for example https://example.net")
    check_host(host)
    return value


def ping_target(value: str) -> str:
    """A host to ping: neither a web address, nor a port, nor a network."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", value, flags=re.IGNORECASE)
    alone = re.sub(r":\d+$", "", bare.partition("/")[0]) if bare.count(":") < 2 else bare.partition("/")[0]
    if alone != value and alone:
        raise ValueError(f"a ping goes to a host, without scheme, port or path: write {alone}")
    check_host(value)
    return value


def dns_name(value: str) -> str:
    """A name to ask a DNS server for; ``.`` is the root."""
    if "://" in value or "/" in value:
        host = value.partition("://")[2].partition("/")[0] if "://" in value else value.partition("/")[0]
        raise ValueError(f"a question is about a name, not a web address: write {host or 'example.net'}")
    if value != "." and not all(_LABEL.fullmatch(label) for label in value.removesuffix(".").split(".")):
        raise ValueError("not a DNS name: write for example example.net")
    return value


def base_address(value: str) -> str:
    """A web address to which paths are added: it ends with its path."""
    for mark, what in (("?", "a query"), ("#", "a fragment")):
        if mark in value:
            raise ValueError(
                f"paths are added to this address, so it cannot have {what}: write {value.partition(mark)[0]}"
            )
    return value
