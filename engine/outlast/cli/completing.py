"""`outlast completion`: what a shell needs to complete commands, systems, scenarios and the names in them."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from outlast.errors import MisuseError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    r"""Print a script that teaches a shell to complete.

    Put the line for yours into its start-up file:

    \b
    ~/.bashrc                   eval "$(outlast completion bash)"
    ~/.zshrc                    eval "$(outlast completion zsh)"
    ~/.config/fish/config.fish  outlast completion fish | source
    """
    context = click.get_current_context().find_root()
    kind = get_completion_class(shell)
    if kind is None:
        raise MisuseError(f"no completion for `{shell}`")
    click.echo(kind(context.command, {}, "outlast", "_OUTLAST_COMPLETE").source())
