"""`outlast run`: tell a story and judge it."""

from __future__ import annotations

import click
from rich.text import Text

from outlast.cli import finding, shapes
from outlast.cli.app import PROBLEMS
from outlast.cli.render import story
from outlast.cli.terminal import show, show_json
from outlast.errors import MisuseError
from outlast.run import Run, Terms, every_reading, run_scenario


@click.command()
@click.argument("scenario", shell_complete=finding.complete_scenario)
@click.option(
    "--system",
    metavar="SYSTEM",
    is_eager=True,
    shell_complete=finding.complete_system,
    help="Where to look for the scenario.",
)
@finding.readings_option
@click.option("--every-reading", is_flag=True, help="Repeat the story under each other reading; say what differs.")
@click.option(
    "--resolve",
    metavar="HOW",
    default="latest",
    help="When a `within` happens: latest (the default), earliest or seed:N.",
)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def run_command(
    scenario: str,
    system: str | None,
    readings: tuple[str, ...],
    resolve: str,
    *,
    every_reading: bool,
    as_json: bool,
) -> None:
    """Tell a story and judge it.

    Says what happens when, to whom and why, and whether it is what the scenario expects.
    SCENARIO is a name (outlast list SYSTEM) or a file. Exit code 1: an expectation failed.
    """
    if every_reading and readings:
        raise MisuseError("--every-reading already takes every reading: leave --reading out")
    chosen = finding.chosen_readings(readings)
    told = finding.find_story(scenario, system)
    terms = Terms(resolve=resolve)
    if every_reading:
        _every_reading(told, terms, as_json=as_json)
        return
    run = run_scenario(told.plan, told.scenario, readings=chosen, terms=terms)
    if as_json:
        show_json(shapes.run(run))
    else:
        show(story.story(run))
    _leave((run,))


def _every_reading(told: finding.Story, terms: Terms, *, as_json: bool) -> None:
    runs = every_reading(told.plan, told.scenario, terms=terms)
    if as_json:
        show_json(shapes.every_reading(runs))
    else:
        show(story.story(runs[0]), Text(), story.differences(runs))
    _leave(runs)


def _leave(runs: tuple[Run, ...]) -> None:
    if not all(run.ok for run in runs):
        click.get_current_context().exit(PROBLEMS)
