"""`outlast import`, `outlast export`: machines from and to other languages."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from outlast import loading
from outlast.bridge.scxml import import_scxml, to_scxml
from outlast.cli import finding
from outlast.errors import MisuseError, UnknownName, listed
from outlast.plan import Plan
from outlast.proofs.promela import to_promela
from outlast.proofs.timed.composed import compose
from outlast.proofs.timed.locations import NOW
from outlast.views.explorer import to_walker


@click.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_command(document: Path) -> None:
    """Print an SCXML document as a machine file.

    What a machine file cannot say is reported, with element, line and reason.
    """
    click.echo(import_scxml(document), nl=False)


@click.command()
@click.argument("system", shell_complete=finding.complete_system)
@click.argument("what", required=False)
@click.option(
    "--to",
    "language",
    type=click.Choice(["scxml", "promela", "walker"]),
    default="scxml",
    show_default=True,
    help="The language to write.",
)
def export_command(system: str, what: str | None, *, language: str) -> None:
    """Print a system, or WHAT of it, in another language.

    A machine as scxml; a composition as promela, a model for Spin; the whole system as walker, a program for Node.js. What that language
    cannot say is reported.
    """
    plan = loading.load(system)
    if language == "walker":
        if what is not None:
            raise MisuseError("a walker is of a whole system: name no machine")
        click.echo(to_walker(plan), nl=False)
    elif language == "promela":
        click.echo(_model(plan, _chosen("composition", what, plan.compositions)), nl=False)
    else:
        click.echo(to_scxml(plan, _chosen("machine", what, plan.machines)), nl=False)


def _chosen(kind: str, what: str | None, known: Collection[str]) -> str:
    """What was named. Raises MisuseError, UnknownName."""
    if what is None:
        raise MisuseError(f"say which {kind}: {listed(known)}" if known else f"the system has no {kind}")
    if what not in known:
        raise UnknownName(kind, what, known)
    return what


def _model(plan: Plan, composition: str) -> str:
    composed = compose(plan, plan.compositions[composition])
    said = [(one.to, one.event) for one in composed.said]
    return to_promela(composed.plan, composed.snapshots, said, NOW, f"{plan.name}, {composition}").text
