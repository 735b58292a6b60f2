"""`outlast draw`: a folder of pictures and tables, and whether it is fresh."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from outlast import loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render.words import counted
from outlast.cli.terminal import complain, show
from outlast.views import draw, stale
from outlast.views.dot import INSTALL


@click.command()
@click.argument("systems", metavar="SYSTEM...", nargs=-1, required=True, shell_complete=finding.complete_system)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("diagrams"),
    show_default=True,
    help="The folder to write into: a folder of its own for each system.",
)
@click.option("--check", is_flag=True, help="Write nothing; list what is stale, exit code 1 if anything is.")
def draw_command(systems: tuple[str, ...], output: Path, *, check: bool) -> None:
    """Draw a system's machines, with a page that explains them.

    Writes a README.md with every machine's picture, states and rules, the clauses, and each picture as SVG and DOT. What is fresh is not drawn again. Pictures need Graphviz; the rest does without.
    """
    plans = [loading.load(name) for name in systems]
    if check:
        old = [path for plan in plans for path in stale(plan, output)]
        show(*(Text(f"stale: {path}", style="bad") for path in old))
        show(Text(f"{counted(len(old), 'file')} stale" if old else "all fresh", style="quiet"))
        if old:
            click.get_current_context().exit(PROBLEMS)
        return
    drawn = [draw(plan, output) for plan in plans]
    written = [path for each in drawn for path in each.written]
    missing = [path for each in drawn for path in each.missing]
    show(*(Text(f"written: {path}") for path in written))
    show(Text(f"{counted(len(written), 'file')} written in {output}", style="quiet"))
    if missing:
        complain(Text(f"outlast: {counted(len(missing), 'picture')} left out: {INSTALL}"))
        click.get_current_context().exit(PROBLEMS)
