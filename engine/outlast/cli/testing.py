"""`outlast test`: tables of cases against an implementation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from outlast import catalog, loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render import tested
from outlast.cli.terminal import show, show_json
from outlast.errors import MisuseError, Problem, SpecError
from outlast.plan import Plan
from outlast.proofs.conformance.cases import Suite
from outlast.proofs.conformance.implementations import runner_at
from outlast.proofs.conformance.judging import Result, run_cases
from outlast.proofs.conformance.protocol import Broken
from outlast.proofs.conformance.reading import FittedCase, fit, load_suite, suite_files, system_of
from outlast.proofs.conformance.reports import badge, html, jsonl, junit
from outlast.proofs.coverage import Coverage
from outlast.values import frozen

REPORTS = ("html", "junit", "jsonl", "badge")


@frozen(eq=False)
class Tables:
    """Every case asked for, of one system."""

    plan: Plan
    cases: tuple[FittedCase, ...]


@click.command()
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option(
    "--system",
    metavar="SYSTEM",
    shell_complete=finding.complete_system,
    help="What the tables are about; otherwise they say it, or stand in its conformance/ folder.",
)
@click.option(
    "--against",
    metavar="WHAT",
    multiple=True,
    help="system (as if left out), compiled, step, restore, transitions, cmd:PROGRAM or http://ADDRESS; may be repeated.",
)
@click.option(
    "-k",
    "chosen",
    metavar="EXPR",
    default="",
    help="Only cases whose id, title or clauses match: `TIP-32 and not edge`.",
)
@click.option("--json", "as_json", is_flag=True, help="What became of every case as data for programs.")
@click.option("--report", type=click.Choice(REPORTS), help="Print this in place of the summary.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report to this file, and the summary all the same.",
)
def test_command(
    tables: tuple[str, ...],
    *,
    system: str | None,
    against: tuple[str, ...],
    chosen: str,
    as_json: bool,
    report: str | None,
    output: Path | None,
) -> None:
    """Hold an implementation to a table of cases.

    A TABLE is a file (YAML, CSV or Markdown), a folder of them, or the name of a bundled system. Exit code 1: a case failed.
    """
    if output and not report:
        raise MisuseError("--output is the file of a report: say which with --report")
    if as_json and report and not output:
        raise MisuseError("--json and --report both go to standard output: name a file for the report with --output")
    found = gather(tables, chosen, system)
    coverage = Coverage(found.plan)
    results: list[Result] = []
    for where in against or ("system",):
        results += judged(found, where, coverage)
    if report:
        text = (
            html(found.plan, results)
            if report == "html"
            else {"junit": junit, "jsonl": jsonl, "badge": badge}[report](results)
        )
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            click.echo(text, nl=False)
    if as_json:
        show_json(tested.data(results))
    elif not report or output:
        show(*tested.summary(found.plan, results, coverage if coverage.taken else None, whole=not chosen))
    if any(result.status == "failed" for result in results):
        click.get_current_context().exit(PROBLEMS)


def gather(tables: tuple[str, ...], chosen: str, system: str | None = None) -> Tables:
    """The cases of all tables that match; `system`: what they are about, whatever they say. Raises MisuseError, SpecError."""
    suites = [(file, load_suite(file)) for table in tables for file in suite_files(_path(table))]
    homes = {system or _home(file, suite) for file, suite in suites}
    if len(homes) != 1:
        raise MisuseError(
            "these tables are about several systems" if homes else f"no table of cases in {', '.join(tables)}"
        )
    plan = loading.load(homes.pop())
    names: set[str] = set()
    cases: list[FittedCase] = []
    problems: list[Problem] = []
    for _, suite in suites:
        try:
            cases += fit(plan, suite, names=names)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    kept = tuple(case for case in cases if matches(case, chosen))
    if not kept:
        raise MisuseError(f"no case matches `{chosen}`")
    return Tables(plan, kept)


def matches(case: FittedCase, chosen: str) -> bool:
    """Whether a case has the words of an expression with `and`, `or`, `not` in its id, title or clauses."""
    text = " ".join((case.case.id, case.case.title, *case.case.because)).lower()

    def holds(term: str) -> bool:
        word = term.strip().lower()
        return word.removeprefix("not ").strip() not in text if word.startswith("not ") else word in text

    return any(all(holds(term) for term in part.split(" and ")) for part in chosen.split(" or "))


def judged(found: Tables, where: str, coverage: Coverage) -> Iterator[Result]:
    """The results of one implementation, with a bar on a terminal."""
    try:
        runner = runner_at(where, coverage.watch)
    except Broken as error:
        raise MisuseError(f"{where}: {error}") from error
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(runner.name, total=len(found.cases))
            for result in run_cases(found.cases, runner):
                bar.advance(task)
                yield result
    finally:
        runner.close()


def _path(table: str) -> Path:
    bundled = catalog.bundled()
    if table not in bundled or Path(table).exists():
        return Path(table)
    folder = bundled[table] / "conformance"
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _home(file: Path, suite: Suite) -> str:
    home = system_of(file, suite)
    if home is None:
        raise MisuseError(
            f"`{file}` does not say its system: write `system: NAME` at its top, or say which with --system"
        )
    return home
