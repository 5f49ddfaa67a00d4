"""``homelabmon relay``: runs the service, and looks after what it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from homelabmon.errors import EXIT_FINDINGS, EXIT_OK, HomelabmonError

if TYPE_CHECKING:
    from homelabmon.spec.relay_file import RelayFile

_DEFAULT: Final = "/etc/homelabmon/config/relay.yaml"
_LISTEN: Final = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.%]+\]|[^:\[\]]*):)?(?P<port>\d{1,5})")


def config_option(function: Any) -> Any:
    """``--config``: the service's configuration."""
    return click.option(
        "-c",
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        default=Path(_DEFAULT),
        show_default=True,
        envvar="HOMELABMON_RELAY_CONFIG",
        show_envvar=True,
        help="The relay's configuration, as `homelabmon render` writes it.",
    )(function)


@click.group(
    name="relay",
    invoke_without_command=True,
    epilog="\b\nExample: homelabmon relay --config relay.yaml --listen 127.0.0.1:8080 --dry-run",
)
@config_option
@click.option("--listen", default="8080", show_default=True, metavar="[HOST:]PORT", help="Where senders reach it.")
@click.option("--dry-run", is_flag=True, help="Do everything but post: print what would be posted.")
@click.option("--verbose", is_flag=True, help="Log more.")
@click.pass_context
def command(context: click.Context, config_file: Path, listen: str, dry_run: bool, verbose: bool) -> int | None:
    """Run the service: take webhooks, wait out churn, keep one honest message per incident.

    It logs to standard error, one JSON object a line. SIGTERM stops it once what is under way is done; SIGHUP makes it
    read its configuration again, which it does by itself when the file changes. The commands below look after what it
    keeps, while it runs or not.
    """
    context.obj = config_file
    if context.invoked_subcommand is not None:
        return None
    import logging

    import aiohttp  # noqa: F401  # named first: without the extra, the message names it

    from homelabmon.relay import running
    from homelabmon.relay.logs import set_up

    host, port = _address(listen)
    set_up(logging.DEBUG if verbose else logging.INFO)
    running.run(config_file, host, port, click.echo if dry_run else None)
    return EXIT_OK


def _address(text: str) -> tuple[str | None, int]:
    """Host (None: every address) and port."""
    match = _LISTEN.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise click.BadParameter(
            f"{text!r} is no address: write a port, or host:port, such as 127.0.0.1:8080 or [::1]:8080",
            param_hint="--listen",
        )
    return (match["host"] or "").strip("[]") or None, int(match["port"])


@command.command(name="check-config", epilog="\b\nExample: homelabmon relay --config relay.yaml check-config")
@click.pass_obj
def check_config(config_file: Path) -> int:
    """Say what is wrong with the configuration, and with the files of secrets it names.

    Nothing is sent and no secret is shown. Exits 0 when all is well, 1 when a secret cannot be had, 2 when the
    configuration cannot be read.
    """
    file = _read(config_file)
    from homelabmon.relay.checking import flaws

    found = list(flaws(file))
    for flaw in found:
        click.echo(flaw)
    if not found:
        click.echo(f"{config_file}: {len(file.channels)} channels, nothing wrong")
    return EXIT_FINDINGS if found else EXIT_OK


@command.command(name="send-test", epilog="\b\nExample: homelabmon relay send-test ops")
@click.argument("channel")
@click.pass_obj
def send_test(config_file: Path, channel: str) -> int:
    """Post a test message to a channel, and say what became of it.

    A webhook that the relay found dead and that takes the message is used again, within seconds.

    Exits 0 when it was posted, 1 when it was not, 2 when there is no such channel.
    """
    file = _read(config_file)
    import asyncio

    import aiohttp  # noqa: F401

    from homelabmon.relay.checking import revive
    from homelabmon.relay.checking import send_test as send

    posted, words = asyncio.run(send(file, channel))
    click.echo(words, err=not posted)
    if posted and revive(file, channel):
        click.echo(f"#{channel}: the relay took its webhook for dead, and uses it again")
    return EXIT_OK if posted else EXIT_FINDINGS


# Quarantine --------------------------------------------------------------------------------------------------------


@command.group(
    epilog="\b\nExample: kubectl -n monitoring exec deploy/discord-alert-proxy -- homelabmon relay quarantine list"
)
def quarantine() -> None:
    """What senders sent and was not understood."""


@quarantine.command(name="list", epilog="\b\nExample: homelabmon relay quarantine list")
@click.pass_obj
def list_quarantine(config_file: Path) -> int:
    """List it, the latest first."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        rows = upkeep.quarantine()
    for row in rows:
        again = f", {row.times} times" if row.times > 1 else ""
        click.echo(f"{row.id}  {_time(row.last_at)}  {row.source}  {row.size} bytes{again}  {row.reason}")
    if not rows:
        click.echo("nothing is in quarantine", err=True)
    return EXIT_OK


@quarantine.command(name="show", epilog="\b\nExample: homelabmon relay quarantine show 3")
@click.argument("number", type=int)
@click.pass_obj
def show_quarantine(config_file: Path, number: int) -> int:
    """Print a request as it was sent."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        body = upkeep.body(number)
    click.echo(_found(body, "request", number), nl=False)
    return EXIT_OK


@quarantine.command(name="replay", epilog="\b\nExample: homelabmon relay quarantine replay 3 4")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.pass_obj
def replay_quarantine(config_file: Path, numbers: tuple[int, ...]) -> int:
    """Take requests again, as if they had just come in: after an upgrade, for example."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        return _each(numbers, upkeep.replay, "request", "is taken again")


@quarantine.command(name="drop", epilog="\b\nExample: homelabmon relay quarantine drop 3 4")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.pass_obj
def drop_quarantine(config_file: Path, numbers: tuple[int, ...]) -> int:
    """Remove requests for good."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        return _each(numbers, upkeep.drop, "request", "is removed")


# Dead letters ------------------------------------------------------------------------------------------------------


@command.group(
    name="dead-letters",
    epilog="\b\nExample: kubectl -n monitoring exec deploy/discord-alert-proxy -- homelabmon relay dead-letters list",
)
def dead_letters() -> None:
    """Messages that Discord refused for good."""


@dead_letters.command(name="list", epilog="\b\nExample: homelabmon relay dead-letters list")
@click.pass_obj
def list_dead_letters(config_file: Path) -> int:
    """List them, the latest first."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        letters = upkeep.dead_letters()
    for letter in letters:
        again = "" if letter.replayed_at is None else f", told again {_time(letter.replayed_at)}"
        detail = f": {letter.detail}" if letter.detail else ""
        about = f"#{letter.channel}  {letter.notices} notices  {letter.reason}{detail}{again}"
        click.echo(f"{letter.id}  {_time(letter.at)}  {about}")
    if not letters:
        click.echo("there are no dead letters", err=True)
    return EXIT_OK


@dead_letters.command(name="replay", epilog="\b\nExample: homelabmon relay dead-letters replay 3 4")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.pass_obj
def replay_dead_letters(config_file: Path, numbers: tuple[int, ...]) -> int:
    """Tell what they told once more. The relay does it as soon as it runs, within seconds."""
    from homelabmon.relay.upkeep import Upkeep

    with Upkeep(_read(config_file).database) as upkeep:
        return _each(numbers, upkeep.want, "dead letter", "will be told again")


# Shared ------------------------------------------------------------------------------------------------------------


def _read(config_file: Path) -> RelayFile:
    from homelabmon.relay.config import read_config

    return read_config(config_file)


def _each(numbers: tuple[int, ...], do: Any, noun: str, done: str) -> int:
    missing = 0
    for number in numbers:
        if do(number):
            click.echo(f"{noun} {number} {done}")
        else:
            click.echo(f"error: there is no {noun} {number}, or nothing was kept of it", err=True)
            missing += 1
    return EXIT_FINDINGS if missing else EXIT_OK


def _found(value: Any, noun: str, number: int) -> Any:
    if value is None:
        raise HomelabmonError(f"there is no {noun} {number}, or nothing was kept of it")
    return value


def _time(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
