"""`outlast explain`: what a name of a system stands for, its words, and who cites it."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import RenderableType
from rich.text import Text

from outlast import loading
from outlast.cli import finding, shapes, subjects
from outlast.cli.render import subject as render
from outlast.cli.terminal import show, show_json


@click.command()
@click.argument("system", shell_complete=finding.complete_system)
@click.argument("name", required=False, shell_complete=finding.complete_part)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def explain_command(system: str, name: str | None, *, as_json: bool) -> None:
    """Say what something in a system is.

    NAME is a clause, a machine, or anything in one: a state, a transition, an event … Where machines share a name, say
    MACHINE:NAME. Without NAME: an overview.
    """
    plan = loading.load(system)
    if name is None:
        stories = finding.story_files(system)
        if as_json:
            show_json(shapes.overview(plan, stories))
        else:
            show(
                render.overview(plan, stories),
                Text(),
                Text(f"outlast explain {system} NAME: anything named above", style="quiet"),
            )
        return
    found = subjects.find(plan, name)
    if as_json:
        show_json(shapes.explanation(plan, found))
    else:
        show(*_apart(render.subject(plan, item) for item in found))


def _apart(parts: Iterator[RenderableType]) -> Iterator[RenderableType]:
    for index, part in enumerate(parts):
        yield from (Text(),) if index else ()
        yield part
