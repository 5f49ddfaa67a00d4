"""The command line. One file a command; a command's module, and what it needs, is imported only when it runs."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence

import click

from homelabmon import __version__
from homelabmon.errors import (
    EXIT_BUG,
    EXIT_FINDINGS,
    EXIT_OK,
    EXIT_USAGE,
    HomelabmonError,
    InputError,
    MissingDependencyError,
)

COMMANDS = {
    "init": "Write a stack.yaml to start from, with CI workflow and pre-commit hook.",
    "render": "Write every file of the monitoring stack, or check that it is current.",
    "explain": "Explain who hears of an alert, when, how often, and why.",
    "test": "Test what the stack's owner expects of its alerts.",
    "simulate": "Simulate what channels would be told over time, or would have been.",
    "check": "Report every finding about the stack and what it renders to.",
    "schema": "Print the JSON Schema of stack.yaml, for editors.",
    "docs": "Print the monitoring page, made from the stack.",
    "graph": "Draw components, log and alert flow, and dependencies.",
    "beat": "Run a command, and report it as a heartbeat.",
    "heartbeat": "Print where heartbeats are pinged; pause them.",
    "status": "Tell the public of incidents, and write the status page as files.",
    "probe": "Ask probes once, from here, and print what came.",
    "relay": "Run the service that posts alerts to Discord, and look after what it keeps.",
    "completion": "Print the shell completion script.",
}
"""Every command with its one-line help, so that `--help` need not import them."""

_EXTRAS = {
    "aiohttp": "relay",
    "jinja2": "render",
    "yaml": "render",
    "ruamel": "render",
    "jsonschema_rs": "render",
    "kubernetes_validate": "render",
    "promql_parser": "render",
    "cronsim": "render",
    "helm_python": "helm",
}


class _Commands(click.Group):
    """Finds commands by name; importing one is left until it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"homelabmon.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from homelabmon.spec.suggest import suggest

            ctx.fail(f"no such command {args[0]!r}; {suggest(args[0], COMMANDS, 'commands: ')}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    name="homelabmon",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: homelabmon render && git diff rendered/",
)
@click.version_option(__version__, prog_name="homelabmon")
def root() -> None:
    """Declare, review and run the monitoring of a Kubernetes homelab, from one stack.yaml."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. Prints, in colour only where that is wanted; never raises."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"  # https://no-color.org
    with click.Context(root, color=False if plain else None).scope() as context:
        return _run(arguments, context.color)


def _run(arguments: Sequence[str], color: bool | None) -> int:
    try:
        result = root.main(list(arguments), prog_name="homelabmon", standalone_mode=False, color=color)
        return result if isinstance(result, int) else EXIT_OK
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    except KeyboardInterrupt:
        return 130
    except (
        SystemExit
    ) as error:  # click's answer to a reader that is gone: 1, and standard output that says nothing more
        return int(error.code or 0)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            return _bug(error)
        click.echo(f"error: {MissingDependencyError(error.name or '', extra)}", err=True)
        return EXIT_USAGE
    except InputError as error:
        from homelabmon.cli.output import print_findings

        print_findings(error.findings, err=True)
        return EXIT_USAGE
    except HomelabmonError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_USAGE
    except OSError as error:  # a full disk behind stdout, a file that went away
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {place}{error.strerror or error}", err=True)
        return EXIT_USAGE
    except Exception as error:
        return _bug(error)


def _bug(error: BaseException) -> int:
    """Tells a bug of ours apart from a mistake of the user's, without spilling values that may be secret."""
    import traceback

    from homelabmon.spec.secrets import redact

    click.echo(redact("".join(traceback.format_exception(error))), err=True)
    click.echo(
        f"This is a bug in homelabmon {__version__}, not a mistake of yours. Please report the lines above.", err=True
    )
    return EXIT_BUG


__all__ = ["EXIT_FINDINGS", "root", "run"]
