"""``homelabmon heartbeat``: where heartbeats are pinged, and what is not to be expected for a while."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from homelabmon.cli.relay import config_option
from homelabmon.errors import EXIT_OK, HomelabmonError
from homelabmon.spec.suggest import suggest

if TYPE_CHECKING:
    from homelabmon.spec.relay_file import RelayFile

KEY_VARIABLE: Final = "HOMELABMON_HEARTBEAT_KEY"


@click.group(name="heartbeat", epilog="\b\nExample: docker compose exec outpost homelabmon heartbeat pause backup")
@config_option
@click.pass_context
def command(context: click.Context, config_file: Path) -> None:
    """Print where heartbeats are pinged, and pause and resume them.

    The configuration is that of the outpost: rendered/outpost/relay.yaml, or the file it runs with.
    """
    context.obj = config_file


@command.command(epilog="Example: homelabmon heartbeat --config rendered/outpost/relay.yaml urls --key-file key backup")
@click.argument("names", nargs=-1)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help=f"The key, where the configuration's own file is elsewhere. Default: the variable {KEY_VARIABLE}.",
)
@click.option("--base", metavar="URL", help="The outpost's public address. Default: that of the configuration.")
@click.option("--in-cluster", is_flag=True, help="Print where jobs in the cluster ping: the relay, which passes it on.")
@click.option("--by-name", is_flag=True, help="Print addresses with the key of all and the heartbeat's name.")
@click.pass_obj
def urls(
    config_file: Path,
    names: tuple[str, ...],
    key_file: Path | None,
    base: str | None,
    in_cluster: bool,
    by_name: bool,
) -> int:
    """Print the addresses of heartbeats, of all or of those that are named. They are secrets: whoever has one can ping.

    Without /start, /fail, /log or an exit code behind it, an address says that the run has succeeded.
    """
    file = _read(config_file)
    known = [beat.name for beat in file.heartbeats]
    for name in names:
        _must_know(name, known)
    url = base or (file.inside if in_cluster else file.url)
    if url is None and in_cluster:
        raise HomelabmonError("no relay in the cluster takes pings: write `relay: {spool: true}` below components")
    if url is None:
        raise HomelabmonError("the configuration has no `url`: name the outpost's public address with --base")
    for name, rest in _addresses(file, names or tuple(known), key_file, by_name=by_name):
        click.echo(f"{name}  {url.rstrip('/')}/ping/{rest}")
    return EXIT_OK


def _addresses(
    file: RelayFile, names: tuple[str, ...], key_file: Path | None, *, by_name: bool
) -> Iterator[tuple[str, str]]:
    """Each heartbeat with what follows /ping/ in its address. Raises HomelabmonError."""
    from homelabmon.relay.heartbeats.addresses import Addresses, FixedKey
    from homelabmon.relay.secrets import SecretError, SecretFile, SecretText

    given = os.environ.get(KEY_VARIABLE, "").strip()
    keys: SecretFile | FixedKey | None = None
    if key_file is not None:
        keys = SecretFile(key_file)
    elif given:
        keys = FixedKey(KEY_VARIABLE, SecretText(given))
    found = Addresses(file.intake, [beat.name for beat in file.heartbeats], keys)
    hint = f"give the key with --key-file, or in the variable {KEY_VARIABLE}"
    if not found.open:
        raise HomelabmonError(f"the configuration names no file with a key: {hint}")
    try:
        for name in names:
            key, uuid = found.ping_key(), found.of(name)
            if (key if by_name else uuid) is None:
                raise HomelabmonError(f"nothing gives {name!r} such an address: {hint}")
            yield name, f"{key}/{name}" if by_name else str(uuid)
    except SecretError as error:
        raise HomelabmonError(f"{error}; {hint}") from None


@command.command(epilog="Example: homelabmon heartbeat pause backup")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def pause(config_file: Path, names: tuple[str, ...]) -> int:
    """Expect nothing of heartbeats until they ping again. Run it where the outpost runs, while it runs or not."""
    from homelabmon.relay.heartbeats import keeper

    return _each(config_file, names, keeper.pause, "is paused until it pings")


@command.command(epilog="Example: homelabmon heartbeat resume backup")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def resume(config_file: Path, names: tuple[str, ...]) -> int:
    """Expect paused heartbeats again."""
    from homelabmon.relay.heartbeats import keeper

    return _each(config_file, names, keeper.resume, "is expected")


def _each(config_file: Path, names: tuple[str, ...], do: Callable[..., bool], done: str) -> int:
    import time

    from homelabmon.relay.heartbeats.beats import beats_of
    from homelabmon.relay.upkeep import Upkeep

    file = _read(config_file)
    beats = beats_of(file)
    with Upkeep(file.database) as upkeep:
        for name in names:
            if not upkeep.transact(partial(do, beats=beats, name=name, now=time.time())):
                _must_know(name, beats)
                raise HomelabmonError(f"the outpost has not seen {name!r} yet: start it with this configuration first")
            click.echo(f"{name} {done}")
    return EXIT_OK


def _must_know(name: str, known: Iterable[str]) -> None:
    if name not in list(known):
        raise HomelabmonError(f"there is no heartbeat {name!r}; {suggest(name, known, 'heartbeats: ')}")


def _read(config_file: Path) -> RelayFile:
    from homelabmon.relay.config import read_config

    return read_config(config_file)
