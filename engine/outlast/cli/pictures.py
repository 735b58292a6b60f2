"""Single pictures: a story, its way through a machine, numbers on a machine, the difference of two systems. Name -> SVG."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from outlast import loading
from outlast.cli import finding
from outlast.errors import Problem, SpecError, UnknownName
from outlast.model import Scenario
from outlast.place import Place
from outlast.plan import Plan
from outlast.plan.difference import difference
from outlast.run import run_scenario
from outlast.views.changes import changed_machines, changes_graph
from outlast.views.gallery import remembered
from outlast.views.graph import Graph, machine_graph
from outlast.views.heat import count_marks
from outlast.views.lanes import lanes
from outlast.views.path import path_marks
from outlast.views.svg import Marks, marked, svg
from outlast.views.timeline import timeline

GALLERY = Path("diagrams")
"""Where a layout is looked for before one is searched."""


def story(scenario: str, system: str | None, instance: str | None) -> dict[str, str]:
    """A story as a timeline; or the way of one instance through its machine."""
    told = finding.find_story(scenario, system)
    if instance is None:
        return {str(told.scenario.name): told_by(told.plan, told.scenario)}
    run = run_scenario(told.plan, told.scenario)
    marks = path_marks(run, instance)
    machine = next(moment.step.after.machine for moment in run.moments if moment.step.instance == instance)
    return {f"{told.scenario.name}-{instance}": picture(told.plan, machine_graph(told.plan, machine), marks)}


def told_by(plan: Plan, scenario: Scenario) -> str:
    """A story as a timeline. Raises what `run_scenario` raises."""
    return timeline(lanes(run_scenario(plan, scenario)))


def machines(plan: Plan, machine: str | None) -> dict[str, str]:
    """The pictures of machines as such."""
    return {name: picture(plan, machine_graph(plan, name), Marks()) for name in chosen(plan.machines, machine)}


def counts(plan: Plan, machine: str | None, file: Path) -> dict[str, str]:
    """How many instances sit in every state, by a file that says so: `{"job": {"pending": 3}}`."""
    said = read_counts(file)
    for name in said:
        if name not in plan.machines:
            raise UnknownName(f"machine of {plan.name}", name, plan.machines)
    return {
        name: picture(plan, machine_graph(plan, name), count_marks(plan, name, said.get(name, {})))
        for name in chosen(said if machine is None else plan.machines, machine)
    }


def changes(old: str, new: str, machine: str | None) -> dict[str, str]:
    """What has changed in the machines of a system; nothing if nothing has."""
    found = difference(loading.load(old), loading.load(new))
    pictures = {}
    for name in chosen(changed_machines(found), machine):
        graph, marks = changes_graph(found, name)
        pictures[name] = picture(found.new, graph, marks)
    return pictures


def chosen(names: Iterable[str], name: str | None) -> tuple[str, ...]:
    """The one asked for, or all. Raises UnknownName."""
    names = tuple(names)
    if name is not None and name not in names:
        raise UnknownName("machine", name, names)
    return names if name is None else (name,)


def picture(plan: Plan, graph: Graph, marks: Marks) -> str:
    """A machine with its marks, laid out as in the gallery if that has it. Raises DotMissing, LayoutFailed."""
    graph = marked(graph, marks)
    return svg(remembered(graph, GALLERY / plan.name), marks=marks)


def read_counts(file: Path) -> dict[str, dict[str, int]]:
    """Machine -> state -> how many, out of a JSON file. Raises SpecError, OSError."""
    text = file.read_text("utf-8", errors="replace")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(
            [Problem("bad-json", f"this is no JSON: {error.msg.lower()}", Place(str(file), error.lineno, error.colno))]
        ) from error
    well = isinstance(data, dict) and all(
        isinstance(states, dict)
        and all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in states.values())
        for states in data.values()
    )
    if not well:
        hint = 'for each machine the number of instances in each state: {"job": {"pending": 3}}'
        raise SpecError([Problem("bad-counts", "these are no counts", Place(str(file), 1, 1), hint)])
    found: dict[str, dict[str, int]] = data
    return found
