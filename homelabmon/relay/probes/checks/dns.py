"""A DNS question: whether a server answers it, and how. Over UDP, and over TCP where the answer is too long for that.

Means the same as the blackbox exporter's prober `dns`: recursion is asked for, the code must be NOERROR, there must be
a record of the type that was asked for, and ``answer`` is looked for in whole records as they are written in a zone:
name, time to live, class, type and data, with tabs in between. May import: its neighbours, spec, dnspython.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from homelabmon.relay.probes.checks.errors import FailedError
from homelabmon.relay.probes.checks.line import Line
from homelabmon.relay.probes.checks.pattern import searcher
from homelabmon.relay.probes.outcome import Outcome, Timing
from homelabmon.spec.watch import Dns, Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.message import Message

_WORDS: Final = {
    "NXDOMAIN": "the name does not exist (NXDOMAIN)",
    "SERVFAIL": "the server failed to find out (SERVFAIL)",
    "REFUSED": "the server refuses to answer (REFUSED)",
}


async def check(probe: Probe, line: Line, timing: Timing) -> Outcome:
    """Asks once, and compares the records with what is expected."""
    from dns.exception import DNSException  # here, not above: it takes 6 MiB that most outposts never need

    assert probe.dns is not None
    clock = asyncio.get_running_loop().time
    host, _, port = probe.dns.server.rpartition(":")
    began = clock()
    _, where = (await line.addresses(host.removeprefix("[").removesuffix("]"), int(port)))[0]
    timing.dns, timing.connect = clock() - began, 0.0
    try:
        answer = await _ask(probe.dns, where[0], int(port))
    except DNSException:
        raise FailedError("what came is no DNS answer") from None
    timing.first_byte = clock() - began - timing.dns
    flaw = _flaw(probe.dns, answer)
    return Outcome("failed" if flaw else "ok", flaw)


async def _ask(dns: Dns, where: str, port: int) -> Message:
    from dns.asyncquery import udp_with_fallback
    from dns.message import make_query

    answer, _ = await udp_with_fallback(make_query(dns.query, dns.type), where, port=port, ignore_unexpected=True)
    return answer


def _flaw(dns: Dns, answer: Message) -> str:
    from dns.rcode import to_text

    code = to_text(answer.rcode())
    if code != "NOERROR":
        return _WORDS.get(code, f"the server answers {code}")
    found = list(records(answer))
    if dns.answer is None:
        return "" if any(kind == dns.type for kind, _ in found) else f"it has no {dns.type} record"
    search = searcher(dns.answer)
    if any(search(text) for _, text in found):
        return ""
    return f"no record matches {dns.answer!r}" if found else f"it has no {dns.type} record"


def records(answer: Message) -> Iterator[tuple[str, str]]:
    """The type and the text of every record of an answer."""
    from dns.rdataclass import to_text as class_text
    from dns.rdatatype import to_text as type_text

    for record_set in answer.answer:
        kind = type_text(record_set.rdtype)
        head = f"{record_set.name}\t{record_set.ttl}\t{class_text(record_set.rdclass)}\t{kind}"
        for data in record_set:
            yield kind, f"{head}\t{data.to_text()}"
