"""`outlast compare`: what two specifications have in common, in words and in what they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from outlast import loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS, UNDETERMINED
from outlast.cli.render import compared
from outlast.cli.terminal import show, show_json
from outlast.errors import UnknownName
from outlast.language.writer import write_scenario
from outlast.plan import Plan, under
from outlast.plan.difference import Difference, difference
from outlast.proofs.comparison import Comparison, Outcome, compare


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
@finding.readings_option
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
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def compare_command(
    old: str,
    new: str,
    *,
    compositions: tuple[str, ...],
    readings: tuple[str, ...],
    budget: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Say what differs between two specifications, in words and in behaviour.

    First what was added, removed and changed. Then, for each composition of NEW: the shortest story after which OLD and NEW differ in what can
    be seen, or that there is none. Exit code 0: they behave alike. 1: they do not. 3: that is undetermined.
    """
    before, after = _read(loading.load(old), loading.load(new), finding.chosen_readings(readings))
    found = difference(before, after)
    if not as_json:
        show(*compared.structure(found))
    results = tuple(_compared(before, after, compositions, budget, as_json)) if found.behaves else ()
    outcome = _outcome(found, results)
    if as_json:
        show_json(compared.data(found, results, outcome))
    elif found.behaves:
        show(compared.conclusion(results))
    story = next((result.scenario for result in results if result.scenario), None)
    if output and story:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(write_scenario(story), encoding="utf-8", newline="\n")
    click.get_current_context().exit({"same": 0, "differ": PROBLEMS, "undetermined": UNDETERMINED}[outcome])


def _read(old: Plan, new: Plan, readings: Mapping[str, str]) -> tuple[Plan, Plan]:
    """Both under these readings, each as far as it has the assumption. Raises UnknownName for one that neither has."""
    for name in readings:
        if name not in (*old.assumptions, *new.assumptions):
            raise UnknownName("assumption", name, (*old.assumptions, *new.assumptions))
    before, after = (
        under(plan, {name: reading for name, reading in readings.items() if name in plan.assumptions})
        for plan in (old, new)
    )
    return before, after


def _outcome(found: Difference, results: Sequence[Comparison]) -> Outcome:
    """The worst there is; without a composition nothing is known of two that may behave otherwise."""
    outcomes = {result.outcome for result in results}
    if "differ" in outcomes:
        return "differ"
    return "undetermined" if "undetermined" in outcomes or (found.behaves and not results) else "same"


def _compared(old: Plan, new: Plan, compositions: tuple[str, ...], budget: int, silent: bool) -> Iterator[Comparison]:
    """Each composition, told when it is known. Without one there is nothing to run."""
    if new.compositions or compositions:
        for result in compare(old, new, compositions=compositions, budget=budget):
            if not silent:
                show(*compared.behaviour(result))
            yield result
