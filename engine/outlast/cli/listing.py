"""`outlast list`: the bundled systems, or the machines and stories of one."""

from __future__ import annotations

import click
from rich.text import Text

from outlast import catalog, loading
from outlast.cli import finding, shapes
from outlast.cli.render import inventory
from outlast.cli.terminal import show, show_json


@click.command()
@click.argument("system", required=False, shell_complete=finding.complete_system)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def list_command(system: str | None, *, as_json: bool) -> None:
    """List the bundled systems, or what is in one."""
    if system is not None:
        plan, stories = loading.load(system), loading.scenarios(system)
        if as_json:
            show_json(shapes.overview(plan, stories) | {"scenarios": shapes.scenarios(stories.values())})
        else:
            show(inventory.system(plan, stories))
        return
    found = [(name, loading.load(name), len(finding.story_files(name))) for name in catalog.bundled()]
    if as_json:
        show_json({"systems": [shapes.summary(name, plan, stories) for name, plan, stories in found]})
    else:
        show(inventory.systems(found), Text(), Text("outlast list SYSTEM: its machines and scenarios", style="quiet"))
