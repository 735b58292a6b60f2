"""`outlast check`: everything that is wrong with a system, and whether its properties hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs
import click

from outlast import loading
from outlast.cli import finding, proving
from outlast.cli.app import PROBLEMS, UNDETERMINED
from outlast.cli.render import checked
from outlast.cli.render.data import data
from outlast.cli.render.junit import junit
from outlast.cli.render.outcomes import Outcome
from outlast.cli.render.sarif import sarif
from outlast.cli.terminal import show
from outlast.errors import MisuseError
from outlast.plan import under
from outlast.proofs.statics import Decider

FORMATS = ("text", "json", "sarif", "junit")


@click.command()
@click.argument("systems", metavar="SYSTEM...", nargs=-1, required=True, shell_complete=finding.complete_system)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to answer.")
@click.option("--json", "form", flag_value="json", help="As --format json.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write json, sarif or junit to this file, and the text all the same.",
)
@click.option("--property", "properties", metavar="ID", multiple=True, help="Only this property; may be repeated.")
@click.option(
    "--in", "compositions", metavar="NAME", multiple=True, help="In this composition, not the first; may be repeated."
)
@finding.readings_option
@click.option("--everywhere", is_flag=True, help="In every composition.")
@click.option("--whole", is_flag=True, help="Search whole compositions, not only the part that matters to a property.")
@click.option("--distinct", is_flag=True, help="Tell equal instances apart: do not let them change places.")
@click.option(
    "--budget",
    metavar="ZONES",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="How much one search may look at before its verdict is undetermined.",
)
@click.option(
    "--traces",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each counterexample there: as a scenario, a case of a table, a message chart and a timeline.",
)
@click.option(
    "--unreached",
    is_flag=True,
    help="Say which rows are never taken, and which states never left, in the compositions looked at.",
)
@click.option("--no-prove", is_flag=True, help="Leave the properties alone.")
def check_command(
    systems: tuple[str, ...],
    *,
    form: str,
    output: Path | None,
    properties: tuple[str, ...],
    compositions: tuple[str, ...],
    readings: tuple[str, ...],
    everywhere: bool,
    whole: bool,
    distinct: bool,
    budget: int,
    traces: Path | None,
    unreached: bool,
    no_prove: bool,
) -> None:
    """Report everything that is wrong with a system, and prove its properties.

    Systems are read, compiled and looked over for what is surely not meant; so are their scenarios. Then each property is proved, or
    refuted by a run that breaks it, for every order of events and every moment. Exit code 1: there are problems, or a property is
    refuted. 3: a property is undetermined. Warnings alone leave it at 0.
    """
    if output and form == "text":
        raise MisuseError("--output is the file of a report: say which with --format json, sarif or junit")
    ask = proving.Question(properties, compositions, everywhere, whole, distinct, budget)
    chosen = finding.chosen_readings(readings)
    outcomes = [looked_over(name, None if no_prove else ask, chosen) for name in systems]
    code = code_of(outcomes)
    if traces:
        proving.write_traces(traces, outcomes)
    if form == "text" or output:
        width = max(len(outcome.name) for outcome in outcomes)
        never = [part for outcome in outcomes for part in ask.unreached(outcome)] if unreached else []
        show(*(checked.checked(outcome, width=width) for outcome in outcomes), *never, checked.total(outcomes))
    if form != "text":
        report = text_of(form, outcomes, code)
        if output:
            output.write_text(report, encoding="utf-8")
        else:
            click.echo(report, nl=False)
    if code:
        click.get_current_context().exit(code)


def looked_over(name: str, ask: proving.Question | None, readings: Mapping[str, str]) -> Outcome:
    """One system, checked, and its properties proved as far as `ask` wants it, under these readings. Raises UnknownName."""
    decider = Decider()
    found = loading.check(name, decider)
    if found.plan and readings:
        found = attrs.evolve(found, plan=under(found.plan, readings))
    verdicts = ask.answered(found.plan) if ask and found.plan and not found.errors else ()
    return Outcome(name, found, verdicts, decider.remark, len(decider.unanswered))


def code_of(outcomes: list[Outcome]) -> int:
    """The exit code: the worst there is."""
    verdicts = {verdict.outcome for outcome in outcomes for verdict in outcome.verdicts}
    if "refuted" in verdicts or any(outcome.found.errors for outcome in outcomes):
        return PROBLEMS
    return UNDETERMINED if "undetermined" in verdicts else 0


def text_of(form: str, outcomes: list[Outcome], code: int) -> str:
    """The report in a form that programs read."""
    if form == "sarif":
        return sarif(outcomes, code)
    if form == "junit":
        return junit(outcomes)
    ok = all(outcome.ok for outcome in outcomes)
    return json.dumps({"ok": ok, "systems": [data(outcome) for outcome in outcomes]}, indent=2) + "\n"
