"""`outlast fmt`, `outlast new`, `outlast schema`: the commands that write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from rich.text import Text

from outlast import catalog
from outlast.cli.app import PROBLEMS
from outlast.cli.render import problems as render
from outlast.cli.render.words import counted
from outlast.cli.terminal import complain, show
from outlast.errors import MisuseError, Problem, SpecError
from outlast.language.schema import schema_text
from outlast.language.writer import format_text
from outlast.proofs.audit.grammar import audit_schema_text
from outlast.proofs.conformance.grammar import conformance_schema_text
from outlast.proofs.conformance.reading import is_suite
from outlast.proofs.conformance.writing import format_suite

_NAMED = re.compile(r"\bNAME\b")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@click.command()
@click.argument("paths", metavar="PATH...", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if something is not in canonical form.")
def fmt_command(paths: tuple[Path, ...], *, check: bool) -> None:
    """Write specifications in canonical form.

    PATH is a file (tables of cases too, if they are YAML), or a folder: the systems in it with their scenarios. Comments stay. A file with problems is left as it is, and they are reported.
    """
    files, changed, wrong = list(_files(paths)), 0, list[Problem]()
    for file in files:
        before = _text(file)
        try:
            after = (format_suite if is_suite(file) else format_text)(before, str(file))
        except SpecError as error:
            wrong += error.problems
            continue
        if after != before:
            changed += 1
            show(Text(f"{'not formatted' if check else 'written'}: {file}", style="doubt" if check else "none"))
            if not check:
                file.write_text(after, "utf-8", newline="\n")
    if wrong:
        complain(render.problems(wrong))
    left = "not formatted" if check else "written"
    show(Text(f"{counted(len(files), 'file')}, {changed or 'none'} {left}", style="quiet"))
    if wrong or (check and changed):
        click.get_current_context().exit(PROBLEMS)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Each file once. A folder stands for the systems below it; without any, for what lies directly in it."""
    for path in paths:
        if path.is_dir():
            homes = [file.parent for file in path.rglob("system.yaml")]
            folders = [folder for home in homes for folder in (home, home / "scenarios")] or [path]
            yield from sorted(file for folder in folders for file in folder.glob("*.yaml"))
        else:
            yield path


def _text(file: Path) -> str:
    """The file's characters, line ends as they are. Raises MisuseError for one that holds no text."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise MisuseError(f"`{file}` is not UTF-8 text") from error


@click.command()
@click.option(
    "--check",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare FILE; exit code 1 if it differs.",
)
@click.option("--tables", is_flag=True, help="The schema of conformance tables instead.")
@click.option("--audit", is_flag=True, help="The schema of mappings for audits instead.")
def schema_command(file: Path | None, *, tables: bool, audit: bool) -> None:
    """Print the JSON Schema of the language."""
    if tables and audit:
        raise MisuseError("--tables and --audit are two schemas: ask for one")
    text = conformance_schema_text() if tables else audit_schema_text() if audit else schema_text()
    if file is None:
        click.echo(text, nl=False)
    elif _text(file) != text:
        option = " --tables" if tables else " --audit" if audit else ""
        complain(Text(f"outlast: `{file}` is not the schema of this version: outlast schema{option} > {file}"))
        click.get_current_context().exit(PROBLEMS)


@click.command()
@click.argument("name")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder to put it in."
)
def new_command(name: str, into: Path) -> None:
    """Begin a system from a template.

    Makes a folder NAME with a machine, its clauses and a first story, all of which work.
    """
    if not _NAME.fullmatch(name):
        raise MisuseError(f"`{name}` is no name: lower-case words joined by dashes, e.g. `expense-report`")
    folder = into / name
    if folder.exists():
        raise MisuseError(f"`{folder}` is already there")
    template = catalog.templates()
    for source in sorted(path for path in template.rglob("*.yaml")):
        target = folder / str(source.relative_to(template)).replace("NAME", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(source.read_text("utf-8"), name), "utf-8", newline="\n")
        show(Text(str(target)))
    story = folder / "scenarios" / "first-story.yaml"
    show(
        Text("\nNext:"),
        *(Text(f"  outlast {words}") for words in (f"check {folder}", f"run {story}", f"explain {folder}")),
    )


def _filled(text: str, name: str) -> str:
    """The template with the system's name in it, in canonical form, comments in the column where they were."""

    def line(match: re.Match[str]) -> str:
        said, gap, comment = match.groups()
        width = len(said) + len(gap)
        return f"{_NAMED.sub(name, said):<{width - 1}} {comment}"

    return format_text(_NAMED.sub(name, re.sub(r"(?m)^(.*\S)(  +)(#.*)$", line, text)))
