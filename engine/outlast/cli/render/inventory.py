"""Lists: the bundled systems; the machines and stories of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outlast import model
from outlast.cli.render.words import columns, counted, heading, indented
from outlast.plan import Plan


def systems(found: Iterable[tuple[str, Plan, int]]) -> Table:
    """Name, size and title of each system; `found` holds (name, plan, number of scenarios)."""
    grid = columns(widths=(None, None, None, None, None))
    for name, plan, stories in found:
        counts = (
            counted(len(plan.machines), "machine"),
            counted(stories, "scenario"),
            counted(len(plan.clauses), "clause"),
        )
        cells = [Text(count, style="quiet", justify="right", no_wrap=True) for count in counts]
        grid.add_row(Text(name, style="name", no_wrap=True), *cells, Text(plan.title))
    return grid


def system(plan: Plan, stories: Mapping[str, model.Scenario]) -> Group:
    """The machines and scenarios of a system, with their titles."""
    head = Text.assemble((plan.title or plan.name, "title"), (f"  {plan.name}" if plan.title else "", "quiet"))
    parts: list[RenderableType] = [head, Text(), heading("Machines")]
    parts.append(indented(_titles((machine.name, machine.title) for machine in plan.machines.values())))
    if stories:
        titles = ((name, story.title) for name, story in stories.items())
        parts += [Text(), heading("Scenarios"), indented(_titles(titles))]
    return Group(*parts)


def _titles(entries: Iterable[tuple[str, str]]) -> Table:
    grid = columns(widths=(None, None))
    for name, title in entries:
        grid.add_row(Text(name, style="name", no_wrap=True), Text(title))
    return grid
