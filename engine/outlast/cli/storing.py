"""`outlast store`: looking after a durable store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import click
from rich.console import Group
from rich.text import Text

from outlast import catalog, loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render.words import columns, counted
from outlast.cli.terminal import show, show_json
from outlast.errors import MisuseError, StoreError
from outlast.moments import format_instant
from outlast.plan import Plan, under
from outlast.store.checking import Verified, head_of, verify
from outlast.store.interface import Backend
from outlast.store.opening import open_backend

URL = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


@click.group()
def store_command() -> None:
    """Look after a durable store: is it whole, what is in it, a copy of it.

    A URL is sqlite:///FILE or postgresql://USER@HOST/DATABASE.
    """


@store_command.command("verify")
@click.argument("url", metavar="URL")
@click.option(
    "--system",
    metavar="SYSTEM",
    shell_complete=finding.complete_system,
    help="Decide everything again under this; a bundled system is found by itself.",
)
@click.option(
    "--holds", metavar="HEAD", multiple=True, help="A head kept from before must still be there; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def verify_command(url: str, system: str | None, holds: tuple[str, ...], *, as_json: bool) -> None:
    """Read all of a store and report whatever is not as it was written.

    Each decision has a hash over itself and its predecessor; instances, deadlines and effects are held against the journal; then the
    journal is told again and must come out the same. Exit code 1: something is wrong.
    """
    backend = open_backend(url, create=False)
    try:
        found = verify(backend, _plan(backend, system), holds=holds)
    finally:
        backend.close()
    if as_json:
        show_json({"ok": found.ok, **attrs.asdict(found)})
    else:
        show(_report(found))
    if not found.ok:
        click.get_current_context().exit(PROBLEMS)


@store_command.command("info")
@click.argument("url", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def info_command(url: str, *, as_json: bool) -> None:
    """Say what is in a store, what is pending, and its head: the word to keep for `verify --holds`."""
    backend = open_backend(url, create=False)
    try:
        with backend.reading() as reading:
            specification = _present(reading.specifications())
            about = {
                "url": backend.url,
                "system": specification.get("system"),
                "hash": specification.get("hash"),
                "counts": reading.counts(),
                "latest": reading.latest(),
                "next_due": reading.next_due(),
                "stuck": reading.stuck(),
                "head": head_of(reading.last()),
            }
    finally:
        backend.close()
    if as_json:
        show_json(about)
    else:
        show(_about(about))


@store_command.command("backup")
@click.argument("url", metavar="URL")
@click.argument("file", type=click.Path(path_type=Path))
def backup_command(url: str, file: Path) -> None:
    """Copy a store to FILE while others go on writing to it. PostgreSQL: says which command to use."""
    backend = open_backend(url, create=False)
    try:
        backend.backup(file)
        with backend.reading() as reading:
            count = reading.counts()["decisions"]
    finally:
        backend.close()
    show(Text(f"{file}: {counted(count, 'decision')}"))


def _present(specifications: list[Mapping[str, str]]) -> Mapping[str, str]:
    return specifications[-1] if specifications else {}


def _plan(backend: Backend, system: str | None) -> Plan | None:
    """The plan the store was written under, if it is given or bundled. Raises MisuseError, SpecError."""
    try:
        with backend.reading() as reading:
            stored = _present(reading.specifications())
    except StoreError:
        return None
    name = system or stored.get("system", "")
    if not stored or (system is None and name not in catalog.bundled()):
        return None
    plan = loading.load(name)
    if plan.hash == stored["hash"]:
        return under(plan, {})
    if system is not None:
        raise MisuseError(f"the store was written under another version of `{plan.name}`")
    return None


def _report(found: Verified) -> Group:
    size = f"{counted(found.decisions, 'decision')}, {counted(found.instances, 'instance')}, {counted(found.effects, 'effect')}"
    lines = [Text(f"{item.where}: {item.what}", style="bad") for item in found.findings]
    if found.findings:
        verdict = Text(f"{counted(len(found.findings), 'finding')} in {size}", style="bad")
    else:
        how = "decided again, all came out the same" if found.replayed else "not decided again: say --system"
        verdict = Text(f"{size}: whole; {how}", style="good")
    return Group(*lines, verdict, Text(f"head {found.head or '-'}", style="quiet"))


def _about(about: Mapping[str, object]) -> Group:
    counts, due, latest, stuck = (about[name] for name in ("counts", "next_due", "latest", "stuck"))
    assert isinstance(counts, dict)
    assert isinstance(stuck, dict)
    grid = columns()
    grid.add_row(Text("store"), Text(str(about["url"])))
    grid.add_row(Text("system"), Text(f"{about['system'] or 'none yet'}  {str(about['hash'] or '')[:12]}"))
    grid.add_row(
        Text("journal"), Text(f"{counted(counts['turns'], 'turn')}, {counted(counts['decisions'], 'decision')}")
    )
    grid.add_row(
        Text("instances"),
        Text(f"{counts['instances']} in {counted(counts['groups'], 'group')}, {counts['waiting']} with a deadline"),
    )
    grid.add_row(Text("effects"), Text(f"{counts['pending']} pending, {counts['dead']} dead"))
    if isinstance(latest, int) and counts["decisions"]:
        grid.add_row(Text("time"), Text(format_instant(latest)))
    grid.add_row(Text("next due"), Text(format_instant(due) if isinstance(due, int) else "nothing"))
    for group, why in stuck.items():
        grid.add_row(Text("stuck", style="bad"), Text(f"{group or 'commons'}: {why}"))
    grid.add_row(Text("head"), Text(str(about["head"] or "-")))
    return Group(grid)
