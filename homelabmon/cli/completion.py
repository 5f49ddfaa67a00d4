"""``homelabmon completion``: the shell completion script, to be read by the shell."""

from __future__ import annotations

import click


@click.command(name="completion", epilog="\b\nExample: echo 'source <(homelabmon completion bash)' >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from homelabmon.cli import root

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root, {}, "homelabmon", "_HOMELABMON_COMPLETE").source())
