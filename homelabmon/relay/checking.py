"""Whether a configuration would work: its secrets are there, its webhooks have the right shape; and a test message.

Used by the command line, and by the service when it starts. May import: errors, notifiers, spec, and relay.delivery,
relay.heartbeats, relay.probes, relay.secrets, relay.upkeep.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from homelabmon.errors import HomelabmonError
from homelabmon.notifiers import NOTIFIERS
from homelabmon.notifiers.contract import Rejected, Sent, Target
from homelabmon.notifiers.message import AlertView, IncidentView, Message
from homelabmon.relay.heartbeats.addresses import Addresses
from homelabmon.relay.probes.checks.icmp import cannot_be_asked
from homelabmon.relay.secrets import SecretError, SecretFile
from homelabmon.spec import names
from homelabmon.spec.relay_file import ChannelEntry, RelayFile
from homelabmon.spec.suggest import suggest

ANCHORS: Final = 3
"""Addresses that an outpost needs to know whether it sees."""
_TOKENS: Final = (
    "alertmanager_token_file",
    "falco_path_file",
    "flux_token_file",
    "event_token_file",
    "scrape_token_file",
    "page_password_file",
)


def flaws(file: RelayFile) -> Iterator[str]:
    """Everything that would keep it from working here, a sentence each. Quotes no secret."""
    yield from _channels(file)
    yield from _secrets(file)
    yield from _heartbeats(file)
    yield from _probes(file)
    yield from _disk(Path(file.database))
    if file.role == "outpost":
        yield from _outside(file)


def _channels(file: RelayFile) -> Iterator[str]:
    for name, entry in file.channels.items():
        try:
            target = _target(entry)
        except SecretError as error:
            yield f"channels.{name}.webhook_file: {error}"
            continue
        flaw = NOTIFIERS[entry.kind].flaw(target)
        if flaw is not None:
            yield f"channels.{name}.webhook_file: {entry.webhook_file}: {flaw}"


def _secrets(file: RelayFile) -> Iterator[str]:
    """Tokens, and whatever else is a line in a file."""
    named = {f"intake.{key}": getattr(file.intake, key) for key in _TOKENS}
    if file.upstream is not None:
        named["upstream.token_file"] = file.upstream.token_file
    if file.third_leg is not None:
        named["third_leg.ping_file"] = file.third_leg.ping_file
    for key, path in named.items():
        try:
            if path is not None:
                SecretFile(path).all()
        except SecretError as error:
            yield f"{key}: {error}"


def _probes(file: RelayFile) -> Iterator[str]:
    for number, probe in enumerate(file.probes):
        why = cannot_be_asked(probe)
        if why is not None:
            yield f"probes[{number}], {probe.name}: {why}"


def _heartbeats(file: RelayFile) -> Iterator[str]:
    intake = file.intake
    try:
        Addresses(intake, ()).by_uuid("")
    except SecretError as error:
        yield f"intake, the addresses of heartbeats: {error}"
    if file.heartbeats and intake.heartbeat_key_file is None and intake.heartbeat_ids_file is None:
        yield "intake: neither heartbeat_key_file nor heartbeat_ids_file is named, so no heartbeat can be pinged"


def _disk(database: Path) -> Iterator[str]:
    if not database.parent.is_dir():
        yield f"database: {database.parent}: no such folder"
    elif not os.access(database.parent, os.W_OK | os.X_OK):
        yield f"database: {database.parent}: this user may not write into it"
    elif database.exists() and not os.access(database, os.R_OK | os.W_OK):
        yield f"database: {database}: this user may not read and write it"


def _outside(file: RelayFile) -> Iterator[str]:
    """What an outpost needs besides."""
    if len(set(file.anchors)) < ANCHORS:
        yield f"anchors: {len(set(file.anchors))}, and fewer than {ANCHORS} cannot tell an outage of ours from others'"
    if file.watchdog is None:
        yield "watchdog: there is none, so nobody notices when the cluster falls silent"
    elif file.intake.alertmanager_token_file is None:
        yield "intake: no alertmanager_token_file is named, so the Watchdog cannot come in"


async def send_test(file: RelayFile, channel: str) -> tuple[bool, str]:
    """Posts a test message; whether it stands there, and what happened, in words. Raises HomelabmonError."""
    from homelabmon.relay.delivery.transport import HttpTransport, TransportFailure

    entry = file.channels.get(channel)
    if entry is None:
        raise HomelabmonError(f"there is no channel {channel!r}; {suggest(channel, file.channels, 'channels: ')}")
    notifier = NOTIFIERS[entry.kind]
    try:
        target = _target(entry)
    except SecretError as error:
        return False, f"#{channel}: {error}"
    flaw = notifier.flaw(target)
    if flaw is not None:
        return False, f"#{channel}: {entry.webhook_file}: {flaw}"
    request = notifier.post(target, notifier.render(_message(file, channel, time.time())))
    async with HttpTransport() as transport:
        response = await transport.send(request)
    if isinstance(response, TransportFailure):
        return False, f"#{channel}: no answer: {response.reason}"
    outcome = notifier.judge(request, response)
    if isinstance(outcome, Sent):
        return True, f"#{channel}: posted as message {outcome.message_id}"
    detail = f" ({outcome.detail})" if isinstance(outcome, Rejected) and outcome.detail else ""
    return False, f"#{channel}: not posted, status {response.status}: {outcome.reason}{detail}"


def revive(file: RelayFile, channel: str) -> bool:
    """A channel's webhook works: whether a relay had found it dead, and will use it again.

    False where the relay keeps its database elsewhere. Raises HomelabmonError when the disk fails.
    """
    if not Path(file.database).exists():
        return False
    from homelabmon.relay.delivery import memory
    from homelabmon.relay.upkeep import Upkeep

    address = SecretFile(file.channels[channel].webhook_file).one().reveal()
    with Upkeep(file.database) as upkeep:
        return upkeep.transact(lambda connection: memory.revive(connection, address))


def _target(entry: ChannelEntry) -> Target:
    return Target(SecretFile(entry.webhook_file).one().reveal(), entry.thread_id, entry.forum)


def _message(file: RelayFile, channel: str, now: float) -> Message:
    labels = {names.LABEL_ALERTNAME: "RelayTest", names.LABEL_SEVERITY: "info"}
    words = {"summary": "This is a test", "description": f"Messages of the relay for #{channel} arrive here."}
    alert = AlertView(labels, "info", "event", now, words)
    view = IncidentView(
        id=0,
        route="test",
        source="relay",
        state="event",
        severity="info",
        title="This is a test",
        group={names.LABEL_ALERTNAME: "RelayTest"},
        alerts=(alert,),
        opened_at=now,
    )
    return Message(channel, (view,), sender=file.channels[channel].username, stack=file.name)
