"""From what was typed to a system or a scenario, and what could be typed next."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from outlast import catalog, loading, model
from outlast.cli import subjects
from outlast.errors import MisuseError, OutlastError, UnknownName, did_you_mean, listed
from outlast.plan import Plan
from outlast.values import frozen

readings_option = click.option(
    "--reading",
    "readings",
    metavar="ASSUMPTION=READING",
    multiple=True,
    help="Read an assumption so, e.g. A-02=pin; may be repeated.",
)


@frozen(eq=False)
class Story:
    """A scenario and the system it is told in."""

    plan: Plan
    scenario: model.Scenario


def find_story(scenario: str, system: str | None = None) -> Story:
    """The scenario of that name (in `system`, or in any bundled one) or at that path. Raises MisuseError, SpecError."""
    path = Path(scenario)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1 or path.is_file():
        return _at_path(path, system)
    if system is not None:
        stories = story_files(system)
        if scenario not in stories:
            raise UnknownName(f"scenario of {system}", scenario, stories)
        return Story(loading.load(system), loading.load_scenario(stories[scenario]))
    homes = {name: stories for name in catalog.bundled() if scenario in (stories := story_files(name))}
    if not homes:
        raise _unknown(scenario)
    if len(homes) > 1:
        raise MisuseError(f"`{scenario}` is a scenario of {listed(homes)}: say which with --system")
    ((home, stories),) = homes.items()
    return Story(loading.load(home), loading.load_scenario(stories[scenario]))


def _unknown(scenario: str) -> MisuseError:
    if scenario in catalog.bundled():
        return MisuseError(f"`{scenario}` is a system: say one of its scenarios, see `outlast list {scenario}`")
    known = {story for name in catalog.bundled() for story in story_files(name)}
    hint = did_you_mean(scenario, sorted(known)) or "see `outlast list SYSTEM`"
    return MisuseError(f"no bundled system has a scenario called `{scenario}` ({hint})")


def _at_path(path: Path, system: str | None) -> Story:
    if not path.is_file():
        raise MisuseError(
            f"there is no file `{path}`" if not path.is_dir() else f"`{path}` is a folder, not a scenario"
        )
    scenario = loading.load_scenario(path)
    return Story(loading.load(system or _home_of(path, scenario)), scenario)


def _home_of(path: Path, scenario: model.Scenario) -> str:
    """The system a scenario file belongs to: the folder around its `scenarios/`, or the one it names."""
    folder = path.resolve().parent.parent
    if path.resolve().parent.name == "scenarios" and (folder / "system.yaml").is_file():
        try:
            return str(folder.relative_to(Path.cwd()))
        except ValueError:
            return str(folder)
    if scenario.system is None:
        raise MisuseError(f"`{path}` does not say its system: say which with --system")
    beside = path.parent / scenario.system
    return str(beside) if beside.exists() else str(scenario.system)


def story_files(system: str) -> dict[str, Path]:
    """Name -> file of the scenarios of a system; nothing is read. Raises UnknownName."""
    return {file.stem: file for file in loading.scenario_files(loading.find(system))}


def chosen_readings(readings: tuple[str, ...]) -> dict[str, str]:
    """Assumption -> reading, from `A-02=pin` and the like. Raises MisuseError."""
    chosen: dict[str, str] = {}
    for text in readings:
        name, _, reading = text.partition("=")
        if not (name and reading):
            raise MisuseError(f"`{text}` is no reading: write it as ASSUMPTION=READING, e.g. A-02=pin")
        if chosen.setdefault(name, reading) != reading:
            raise MisuseError(f"`{name}` is given two readings: `{chosen[name]}` and `{reading}`")
    return chosen


# ---- what could be typed next


def complete_system(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  # click's signature
    """The bundled systems; failing that, the shell completes paths."""
    names = [CompletionItem(name) for name in catalog.bundled() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def complete_scenario(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  # click's signature
    """The scenarios of the system said so far, or of all bundled ones; failing that, paths."""
    system = ctx.params.get("system")
    try:
        found = {story: name for name in ([system] if system else catalog.bundled()) for story in story_files(name)}
    except MisuseError:
        found = {}
    items = [CompletionItem(story, help=name) for story, name in found.items() if story.startswith(incomplete)]
    return items or [CompletionItem(incomplete, type="file")]


def complete_part(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001  # click's signature
    """The names in the system said so far, with what they are."""
    try:
        plan = loading.load(ctx.params.get("system") or "")
    except OutlastError:
        return []
    return [
        CompletionItem(item.name, help=item.kind)
        for item in subjects.subjects(plan)
        if item.name.startswith(incomplete)
    ]
