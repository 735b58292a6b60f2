"""`outlast import`, `outlast export`: machines from and to other languages."""

from __future__ import annotations

from pathlib import Path

import click

from outlast import loading
from outlast.bridge.scxml import import_scxml, to_scxml
from outlast.cli import finding


@click.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_command(document: Path) -> None:
    """Print an SCXML document as a machine file.

    What a machine file cannot say is reported, with element, line and reason.
    """
    click.echo(import_scxml(document), nl=False)


@click.command()
@click.argument("system", shell_complete=finding.complete_system)
@click.argument("machine")
@click.option(
    "--to", "language", type=click.Choice(["scxml"]), default="scxml", show_default=True, help="The language to write."
)
def export_command(system: str, machine: str, *, language: str) -> None:
    """Print a machine of a system in another language.

    What that language cannot say is reported.
    """
    writers = {"scxml": to_scxml}
    click.echo(writers[language](loading.load(system), machine), nl=False)
