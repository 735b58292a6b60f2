"""`outlast check`: everything that is wrong with a system."""

from __future__ import annotations

import click

from outlast import loading
from outlast.cli import finding, shapes
from outlast.cli.app import PROBLEMS
from outlast.cli.render import checked
from outlast.cli.terminal import show, show_json


@click.command()
@click.argument("systems", metavar="SYSTEM...", nargs=-1, required=True, shell_complete=finding.complete_system)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def check_command(systems: tuple[str, ...], *, as_json: bool) -> None:
    """Report everything that is wrong with a system.

    Systems are read, compiled and looked over for what is surely not meant; so are their scenarios. Exit code 1: there are problems. Warnings alone leave it at 0.
    """
    found = [(name, loading.check(name)) for name in systems]
    if as_json:
        show_json(
            {"ok": not any(item.errors for _, item in found), "systems": [shapes.checked(*pair) for pair in found]}
        )
    else:
        width = max(len(checked.name_of(*pair)) for pair in found)
        show(*(checked.checked(*pair, width=width) for pair in found), checked.total([item for _, item in found]))
    if any(item.errors for _, item in found):
        click.get_current_context().exit(PROBLEMS)
