"""`outlast generate`: a table of cases made from the specification."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from outlast import catalog, loading
from outlast.cli import finding
from outlast.cli.render import generated
from outlast.cli.terminal import complain, show, show_json
from outlast.errors import MisuseError
from outlast.proofs.conformance.writing import write_suite
from outlast.proofs.generate import COVERS, Cover, generate


@click.command()
@click.argument("system", shell_complete=finding.complete_system)
@click.option(
    "--cover", type=click.Choice(COVERS), default="transitions", show_default=True, help="What the cases are to cover."
)
@click.option("--in", "compositions", metavar="NAME", multiple=True, help="Walk in this composition; may be repeated.")
@finding.readings_option
@click.option(
    "-o",
    "--output",
    metavar="TABLE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table to this file.",
)
@click.option(
    "--budget",
    metavar="ZONES",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How much one search may look at before what is left counts as not come to.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="What the table covers, as data for programs; the table needs a file then."
)
def generate_command(
    system: str,
    *,
    cover: Cover,
    compositions: tuple[str, ...],
    readings: tuple[str, ...],
    output: Path | None,
    budget: int,
    as_json: bool,
) -> None:
    """Make a table of cases from the specification.

    Walks through the compositions of a system to everything that can be reached, and writes down all that is seen on the way. The table goes
    to standard output, or to TABLE; what it covers, and what nothing can cover, is told beside it.
    """
    if as_json and output is None:
        raise MisuseError("the table goes to standard output, where --json would stand: name a file with --output")
    plan = loading.load(system, finding.chosen_readings(readings))
    if not plan.clauses:
        raise MisuseError(f"a case says which clauses it follows from, and `{plan.name}` has none: write `clauses:`")
    found = generate(plan, cover, compositions=compositions, system=_named(system, plan.name, output), budget=budget)
    if not found.suite.cases:
        complain(*generated.summary(found))
        raise MisuseError("there is nothing to write a case about")
    text = write_suite(found.suite)
    if output is None:
        click.echo(text, nl=False)
        complain(*generated.summary(found))
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")
    if as_json:
        show_json(generated.data(found, str(output)))
    else:
        show(*generated.summary(found), Text(str(output)))


def _named(asked: str, name: str, output: Path | None) -> str | None:
    """What the table says it is about: nothing in the system's own folder, or where no name would lead to the system."""
    home = loading.find(asked)
    folder = home if home.is_dir() else home.parent
    if output is not None and folder.resolve() in output.resolve().parents:
        return None
    return name if catalog.bundled().get(name) == folder or asked in catalog.bundled() else None
