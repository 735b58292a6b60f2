"""`outlast compare`: what two specifications have in common, in words and in what they do."""

from __future__ import annotations

from pathlib import Path

import click

from outlast import loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS, UNDETERMINED
from outlast.cli.render import compared
from outlast.cli.terminal import show
from outlast.language.writer import write_scenario
from outlast.plan import Plan
from outlast.plan.difference import difference
from outlast.proofs.comparison import Comparison, compare


@click.command()
@click.argument("old", metavar="OLD", shell_complete=finding.complete_system)
@click.argument("new", metavar="NEW", shell_complete=finding.complete_system)
@click.option(
    "--in",
    "compositions",
    metavar="NAME",
    multiple=True,
    help="In this composition of NEW, not in all; may be repeated.",
)
@click.option(
    "--budget",
    metavar="ZONES",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="How much one search may look at before it is undetermined.",
)
@click.option(
    "-o",
    "--output",
    metavar="STORY",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the story there that tells them apart.",
)
def compare_command(old: str, new: str, *, compositions: tuple[str, ...], budget: int, output: Path | None) -> None:
    """Say what differs between two specifications, in words and in behaviour.

    First what was added, removed and changed. Then, for each composition of NEW: the shortest story after which OLD and NEW differ in what can
    be seen, or that there is none. Exit code 0: they behave alike. 1: they do not. 3: that is undetermined.
    """
    before, after = loading.load(old), loading.load(new)
    found = difference(before, after)
    show(*compared.structure(found))
    if not found.behaves:
        return
    results = tuple(_compared(before, after, compositions, budget))
    for result in results:
        show(*compared.behaviour(result))
    show(compared.conclusion(results))
    story = next((result.scenario for result in results if result.scenario), None)
    if output and story:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(write_scenario(story), encoding="utf-8", newline="\n")
    outcomes = {result.outcome for result in results}
    if "differ" in outcomes:
        click.get_current_context().exit(PROBLEMS)
    if "undetermined" in outcomes or not results:
        click.get_current_context().exit(UNDETERMINED)


def _compared(old: Plan, new: Plan, compositions: tuple[str, ...], budget: int) -> tuple[Comparison, ...]:
    """Without a composition there is nothing to run, and nothing is known."""
    if not new.compositions and not compositions:
        return ()
    return tuple(compare(old, new, compositions=compositions, budget=budget))
