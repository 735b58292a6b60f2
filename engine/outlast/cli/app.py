"""The command `outlast`: its subcommands by name, and what becomes of an error.

Subcommands are loaded when they are called: `outlast --version`, a typing mistake or a completion should not wait for the YAML reader.
"""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from outlast import __version__
from outlast.errors import LimitExceeded, OutlastError, SpecError, did_you_mean

PROBLEMS, MISUSE, UNDETERMINED, INTERRUPTED, CUT_OFF = 1, 2, 3, 130, 141
"""Exit codes. The last two are 128 and the number of the signal, as shells count."""

COMMANDS = {
    "list": "listing",
    "check": "checking",
    "compare": "comparing",
    "test": "testing",
    "generate": "generating",
    "run": "running",
    "audit": "auditing",
    "explain": "explaining",
    "draw": "drawing",
    "fmt": "writing",
    "new": "writing",
    "schema": "writing",
    "import": "exchanging",
    "export": "exchanging",
    "store": "storing",
    "migrate": "migrating",
    "serve": "serving",
    "completion": "completing",
}
"""Subcommand -> the module of this package that holds it, under the same name with `_command`."""


class Commands(click.Group):
    """A group that imports a subcommand when it is asked for it, and turns expected errors into one message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """The subcommand, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"outlast.cli.{COMMANDS[cmd_name]}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with a suggestion for a mistyped name."""
        hint = did_you_mean(args[0], COMMANDS) if args[0] not in COMMANDS and not args[0].startswith("-") else None
        if hint:
            ctx.fail(f"no command is called `{args[0]}` ({hint})")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the subcommand. Errors we expect become words; what we do not expect is our bug and shows itself."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that knows no arrows gets question marks
        try:
            answer: object = super().invoke(ctx)
            sys.stdout.flush()
        except OutlastError as error:
            _complain(error)
            ctx.exit(PROBLEMS if isinstance(error, SpecError | LimitExceeded) else MISUSE)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush has somewhere to go
            ctx.exit(CUT_OFF)
        except OSError as error:
            if error.filename is None:
                raise
            _complain(error)
            ctx.exit(MISUSE)
        return answer


def _complain(error: OutlastError | OSError) -> None:
    """Print it; what that takes is loaded here, so that whoever makes no mistake need not wait for it."""
    importlib.import_module("outlast.cli.complaining").about(error)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="outlast", message="%(prog)s %(version)s")
def main() -> None:
    """Run finite state machines that somebody has to answer for.

    A SYSTEM is the name of a bundled one (outlast list), a folder with a system.yaml, or the file of a single machine.

    Exit codes: 0 all is well, 1 something is wrong with a specification or a story, 2 the command makes no sense,
    3 a property is undetermined.
    """
