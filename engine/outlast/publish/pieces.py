"""What a page asked for, as an inline SVG and in words: `sagemaker`, `sagemaker job`, `tour --scenario one-cup`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from outlast import loading
from outlast.errors import MisuseError, UnknownName
from outlast.run import run_scenario
from outlast.values import frozen
from outlast.views.arrange import WIDEST, WIDEST_WIRING
from outlast.views.gallery import remembered
from outlast.views.graph import machine_graph, wiring_graph
from outlast.views.lanes import lanes
from outlast.views.svg import described as machine_in_words
from outlast.views.svg import renamed, svg
from outlast.views.timeline import described as story_in_words
from outlast.views.timeline import timeline


@frozen
class Piece:
    """A picture for a page: its title, its words for those who do not see it, and the files it was made from."""

    svg: str
    title: str
    words: str
    files: tuple[Path, ...]

    def figure(self, number: int = 1) -> str:
        """The picture as HTML that fits any column; `number` counts those of a page, which have no id in common."""
        unique = self.svg if number == 1 else renamed(self.svg, f"picture-{number}-")
        fitted = unique.replace('class="fsm"', 'class="fsm" style="max-width:100%;height:auto"', 1)
        return f'<figure class="outlast" style="margin:1em 0">{fitted}</figure>'


@frozen
class Wish:
    """What to draw: a machine of a system, who signals whom in it, or one of its stories. `clauses`: where ids lead, None for nowhere."""

    system: str
    machine: str | None = None
    scenario: str | None = None
    clauses: str | None = None


def parsed(text: str) -> Wish:
    """A wish as it is written in a page: `SYSTEM [MACHINE] [--scenario NAME] [--clauses ADDRESS]`. Raises MisuseError."""
    try:
        words = shlex.split(text)
        wish: Wish = _wish.main(words, standalone_mode=False)
    except ValueError as error:
        raise MisuseError(f"`{text.strip()}`: {str(error).lower()}") from error
    except click.UsageError as error:
        raise MisuseError(
            f"`{text.strip()}`: {error.format_message().rstrip('.').lower()}: write SYSTEM [MACHINE] [--scenario NAME]"
        ) from error
    return wish


@click.command(add_help_option=False)
@click.argument("system")
@click.argument("machine", required=False)
@click.option("--scenario")
@click.option("--clauses")
def _wish(system: str, machine: str | None, scenario: str | None, clauses: str | None) -> Wish:
    return Wish(system, machine, scenario, clauses)


def drawn(wish: Wish, around: Path) -> Piece:
    """Draw it. A system that is no bundled one is looked for from the folder `around`, and so is a gallery with its layouts.

    Raises UnknownName, SpecError, MisuseError, DotMissing, LayoutFailed.
    """
    place = around / wish.system
    home = loading.find(place if place.exists() else wish.system)
    plan = loading.load(home)
    files = tuple(sorted(home.rglob("*.yaml"))) if home.is_dir() else (home,)
    if wish.scenario is not None:
        if wish.machine is not None:
            raise MisuseError("a scenario says itself what is drawn: leave the machine out")
        stories = {file.stem: file for file in loading.scenario_files(home)}
        if wish.scenario not in stories:
            raise UnknownName(f"scenario of {plan.name}", wish.scenario, stories)
        story = lanes(run_scenario(plan, loading.load_scenario(stories[wish.scenario])))
        return Piece(timeline(story, clauses=wish.clauses), story.title, story_in_words(story), files)
    if wish.machine is not None and wish.machine not in plan.machines:
        raise UnknownName(f"machine of {plan.name}", wish.machine, plan.machines)
    wired = wish.machine is None and len(plan.machines) > 1
    graph = wiring_graph(plan) if wired else machine_graph(plan, wish.machine or next(iter(plan.machines)))
    found = remembered(graph, around / "diagrams" / plan.name, widest=WIDEST_WIRING if wired else WIDEST)
    return Piece(svg(found, clauses=wish.clauses), graph.title, machine_in_words(graph), files)
