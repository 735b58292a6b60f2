"""`outlast migrate`: from one version of a specification to the next."""

from __future__ import annotations

from contextlib import closing

import attrs
import click
from rich.console import Group
from rich.text import Text

from outlast import loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render.words import columns, counted
from outlast.cli.terminal import show, show_json
from outlast.errors import MisuseError
from outlast.plan import Plan
from outlast.store.migration import REMEDY, Course, courses, migrate, planned, undo
from outlast.store.opening import open_backend

STYLES = {"mapped": "good", "needs rule": "doubt", "impossible": "bad"}
WORDS = {"mapped": "mapped", "needs rule": "without a rule", "impossible": "that cannot be moved"}


@click.command()
@click.argument("old", metavar="STORE|OLD", shell_complete=finding.complete_system)
@click.argument("new", metavar="[NEW]", required=False, shell_complete=finding.complete_system)
@click.option(
    "--plan", "mode", flag_value="plan", default="plan", help="Only say what would become of everybody; the default."
)
@click.option("--apply", "mode", flag_value="apply", help="Move the store: everybody in one transaction, or nobody.")
@click.option("--undo", "mode", flag_value="undo", help="Put everybody back, as long as nothing has happened since.")
@click.option(
    "--store", metavar="URL", help="The store, where OLD is a specification: one whose text the store does not have."
)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def migrate_command(old: str, new: str | None, mode: str, store: str | None, *, as_json: bool) -> None:
    """Move a STORE to the next version NEW of its specification; or say what can be said of OLD and NEW without a store.

    A STORE is sqlite:///FILE or postgresql://USER@HOST/DATABASE; it knows the version it is under. Instances go where a state has the same
    name, or where `moved` in NEW says; values and bindings stay by name, running timers keep the instants at which they are due. Exit code
    1: somebody cannot be moved.
    """
    url, before = _sides(old, store)
    after = loading.load(new) if new is not None else None
    if url is None and mode != "plan":
        raise MisuseError(f"--{mode} needs a store: say its URL in place of OLD")
    if mode == "undo" and url is not None:
        with closing(open_backend(url, create=False)) as backend:
            count = undo(backend, old=before, new=after)
        if as_json:
            show_json({"undone": count})
        else:
            show(Text(f"{counted(count, 'instance')} put back", style="good"))
        return
    if after is None:
        raise MisuseError("say NEW, the version to move to")
    found = courses(before, after) if before is not None and url is None else []
    if url is not None:
        with closing(open_backend(url, create=False)) as backend:
            found = planned(backend, after, old=before)
            if mode == "apply" and all(course.fate == "mapped" for course in found):
                found = migrate(backend, after, old=before)
    whole = all(course.fate == "mapped" for course in found)
    if as_json:
        show_json(
            {"ok": whole, "applied": mode == "apply" and whole, "courses": [attrs.asdict(course) for course in found]}
        )
    else:
        show(_report(found, applied=mode == "apply" and whole))
    if not whole:
        click.get_current_context().exit(PROBLEMS)


def _sides(old: str, store: str | None) -> tuple[str | None, Plan | None]:
    """The URL of the store, and the version to begin with, as far as they are said. Raises MisuseError, SpecError."""
    if "://" not in old:
        return store, loading.load(old)
    if store is not None:
        raise MisuseError("two stores: --store is for where OLD is a specification")
    return old, None


def _report(found: list[Course], *, applied: bool) -> Group:
    """A row for each place, then how many there are of each fate."""
    grid = columns()
    for course in found:
        grid.add_row(
            Text("" if course.count is None else str(course.count), justify="right"),
            Text(course.machine, style="name"),
            Text(" + ".join(course.states), style="state"),
            Text("→ " + " + ".join(course.target) if course.target else "", style="state"),
            Text(course.fate, style=STYLES[course.fate]),
            Text(course.why or ", ".join(course.notes), style="quiet"),
        )
    sums = []
    for fate in STYLES:
        rows = [course for course in found if course.fate == fate]
        if rows:
            known = rows[0].count is not None
            number = sum(course.count or 0 for course in rows) if known else len(rows)
            sums.append(f"{counted(number, 'instance' if known else 'state')} {WORDS[fate]}")
    verdict = "moved: " if applied else ""
    stranded = any(course.count and course.fate != "mapped" for course in found)
    remedy = [Text(f"a store is moved as a whole: {REMEDY}", style="doubt")] if stranded else []
    return Group(grid, Text(verdict + (", ".join(sums) or "nobody is there"), style="good" if applied else ""), *remedy)
