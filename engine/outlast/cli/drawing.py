"""`outlast draw`: a folder of pictures and tables, and whether it is fresh; or a single picture."""

from __future__ import annotations

import importlib
from pathlib import Path

import click
from rich.text import Text

from outlast import loading
from outlast.cli import finding, pictures
from outlast.cli.app import PROBLEMS
from outlast.cli.render.words import counted
from outlast.cli.terminal import complain, show, show_path
from outlast.errors import MisuseError, listed
from outlast.views import draw, stale
from outlast.views.dot import INSTALL

FOLDER = Path("diagrams")


@click.command()
@click.argument("systems", metavar="[SYSTEM]...", nargs=-1, shell_complete=finding.complete_system)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The folder to write into, `diagrams` if left out; for a single picture the file, standard output if left out.",
)
@click.option("--check", is_flag=True, help="Write nothing; list what is stale, exit code 1 if anything is.")
@click.option(
    "--scenario",
    metavar="STORY",
    shell_complete=finding.complete_scenario,
    help="A story as a timeline; a name or a file.",
)
@click.option(
    "--path", metavar="INSTANCE", help="With --scenario: the way of an instance through its machine, numbered."
)
@click.option("--machine", metavar="MACHINE", help="Only this machine.")
@click.option(
    "--coverage", metavar="TABLE", help="How often each rule is taken by a table of cases (see `outlast test`)."
)
@click.option(
    "--counts",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help='How many instances sit in each state: JSON as {"job": {"pending": 3}}.',
)
@click.option(
    "--diff", nargs=2, metavar="OLD NEW", help="What is new, gone and changed in the machines of two systems."
)
def draw_command(
    systems: tuple[str, ...],
    output: Path | None,
    scenario: str | None,
    path: str | None,
    machine: str | None,
    coverage: str | None,
    counts: Path | None,
    diff: tuple[str, str] | None,
    *,
    check: bool,
) -> None:
    """Draw a system's machines, with a page that explains them; or a single picture of something.

    Without further options: a README.md with every machine's picture, states and rules, the clauses, the stories as timelines, and each picture as
    SVG and DOT. What is fresh is not drawn again. Pictures of machines need Graphviz; the rest does without.
    """
    modes = {"--scenario": scenario, "--coverage": coverage, "--counts": counts, "--diff": diff}
    said = [name for name, value in modes.items() if value is not None]
    if len(said) > 1:
        raise MisuseError(f"{' and '.join(said)} are different pictures: say one of them")
    if path is not None and scenario is None:
        raise MisuseError("--path is the way of an instance in a story: say which with --scenario")
    if not said and machine is None:
        _gallery(systems, output or FOLDER, check=check)
        return
    if check:
        raise MisuseError("--check is about the whole folder: leave the other options out")
    _write(_pictures(systems, scenario, path, machine, coverage, counts, diff), output)


def _pictures(
    systems: tuple[str, ...],
    scenario: str | None,
    path: str | None,
    machine: str | None,
    coverage: str | None,
    counts: Path | None,
    diff: tuple[str, str] | None,
) -> dict[str, str]:
    if len(systems) > 1 or (diff and systems):
        raise MisuseError("--diff already names its systems" if diff else "a single picture is of one system")
    if diff:
        return pictures.changes(*diff, machine)
    if scenario is not None:
        if machine is not None:
            raise MisuseError("--scenario says itself what is drawn: leave --machine out")
        return pictures.story(scenario, systems[0] if systems else None, path)
    if not systems:
        raise click.UsageError("say which system")
    plan = loading.load(systems[0])
    if coverage is not None:
        drawn: dict[str, str] = importlib.import_module("outlast.cli.covering").coverage(plan, machine, coverage)
        return drawn
    return pictures.counts(plan, machine, counts) if counts else pictures.machines(plan, machine)


def _write(drawn: dict[str, str], output: Path | None) -> None:
    """One picture to a file or to standard output, several into a folder."""
    if not drawn:
        show(Text("no machine has changed", style="quiet"))
        return
    if output is not None and output.suffix != ".svg":
        output.mkdir(parents=True, exist_ok=True)
    if output is not None and output.is_dir():
        for name, text in drawn.items():
            (output / f"{name}.svg").write_text(text, encoding="utf-8", newline="\n")
            show(Text(f"written: {output / name}.svg"))
        return
    if len(drawn) > 1:
        raise MisuseError(
            f"these are several pictures, {listed(drawn)}: say one with --machine, or a folder with --output"
        )
    (text,) = drawn.values()
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="\n")
        show(Text(f"written: {output}"))


def _gallery(systems: tuple[str, ...], output: Path, *, check: bool) -> None:
    if not systems:
        raise click.UsageError("say which system, or several")
    plans = [(loading.load(name), loading.scenarios(name)) for name in systems]
    if check:
        old = [path for plan, stories in plans for path in stale(plan, output, stories)]
        for path in old:
            show_path("stale", path)
        show(Text(f"{counted(len(old), 'file')} stale" if old else "all fresh", style="quiet"))
        if old:
            click.get_current_context().exit(PROBLEMS)
        return
    drawn = [draw(plan, output, stories) for plan, stories in plans]
    written = [path for each in drawn for path in each.written]
    missing = [path for each in drawn for path in each.missing]
    show(*(Text(f"written: {path}") for path in written))
    show(Text(f"{counted(len(written), 'file')} written in {output}", style="quiet"))
    if missing:
        complain(Text(f"outlast: {counted(len(missing), 'picture')} left out: {INSTALL}"))
        click.get_current_context().exit(PROBLEMS)
