"""`outlast store`: looking after a durable store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from outlast import catalog, loading, model
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render.words import columns, counted
from outlast.cli.terminal import show, show_json, show_path
from outlast.errors import MisuseError, StoreError
from outlast.language.writer import write_machine, write_system
from outlast.moments import format_instant
from outlast.plan import Plan
from outlast.plan.fingerprint import fingerprint
from outlast.store.checking import Verified, head_of, verify
from outlast.store.engine import wall_clock
from outlast.store.interface import Backend
from outlast.store.opening import open_backend
from outlast.store.outbox import key_of
from outlast.store.records import OutgoingEffect
from outlast.store.versions import SHORT, Versions

PAGE = 1_000
"""Effects asked for at a time."""
URL = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


@click.group()
def store_command() -> None:
    """Look after a durable store: is it whole, what is in it, a copy of it, effects that were given up.

    A URL is sqlite:///FILE or postgresql://USER@HOST/DATABASE.
    """


@store_command.command("verify")
@click.argument("url", metavar="URL")
@click.option(
    "--system",
    "systems",
    metavar="SYSTEM",
    multiple=True,
    shell_complete=finding.complete_system,
    help="A version the store was under and has no text of; may be repeated. A bundled system is found by itself.",
)
@click.option(
    "--holds", metavar="HEAD", multiple=True, help="A head kept from before must still be there; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def verify_command(url: str, systems: tuple[str, ...], holds: tuple[str, ...], *, as_json: bool) -> None:
    """Read all of a store and report whatever is not as it was written.

    Each decision has a hash over itself and its predecessor; instances, deadlines and effects are held against the journal; then the
    journal is told again, each decision under the specification it was made under, and must come out the same. Exit code 1: something is wrong.
    """
    backend = open_backend(url, create=False)
    try:
        found = verify(backend, _known(backend, systems), holds=holds)
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
    """Say what is in a store, under which specifications it was written, what is pending, and its head: the word to keep for `verify --holds`."""
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
                "specifications": [attrs.asdict(version) for version in Versions(reading).told()],
            }
    finally:
        backend.close()
    if as_json:
        show_json(about)
    else:
        show(_about(about))


@store_command.command("spec")
@click.argument("url", metavar="URL")
@click.argument("word", metavar="[HASH]", default="")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A new folder for its files; a single machine may be a FILE.yaml.",
)
def spec_command(url: str, word: str, output: Path | None) -> None:
    """Print the specification a store is under, or the one whose hash begins with HASH, as the store keeps it.

    `outlast store info` lists them.
    """
    backend = open_backend(url, create=False)
    try:
        with backend.reading() as reading:
            versions = Versions(reading)
            hash_ = versions.find(word) if word else versions.current(backend.url).hash
            text, system = versions.wording(hash_), versions.at(hash_).source
    finally:
        backend.close()
    if output is None:
        click.echo(text, nl=False)
        return
    files = _files(system, output)
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8", newline="\n")
        show_path("written", file)


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


@store_command.command("dead")
@click.argument("url", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="Data for programs.")
def dead_command(url: str, *, as_json: bool) -> None:
    """List effects that were given up, with the reason; oldest first."""
    backend = open_backend(url, create=False)
    try:
        found = list(_dead(backend))
    finally:
        backend.close()
    if as_json:
        show_json({"dead": [attrs.asdict(effect) | {"id": effect.id} for effect in found]})
    else:
        show(_dead_list(found) if found else Text("no effect is dead", style="good"))


@store_command.command("revive")
@click.argument("url", metavar="URL")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are dead.")
def revive_command(url: str, ids: tuple[str, ...], *, everything: bool) -> None:
    """Let dead effects be tried again, by whoever carries effects out. Exit code 1: one of them is not dead."""
    if everything == bool(ids):
        raise MisuseError("say which effects, by id, or --all: `outlast store dead` lists them")
    keys = {id_: key_of(id_) for id_ in ids}
    for id_, key in keys.items():
        if key is None:
            raise MisuseError(f"`{id_}` is no id of an effect: they are like 1048576-0")
    backend = open_backend(url, create=False)
    try:
        wanted = {effect.id: key_of(effect.id) for effect in _dead(backend)} if everything else keys
        with backend.transaction() as transaction:
            now = wall_clock()
            alive = [id_ for id_, key in wanted.items() if key and not transaction.revive_effect(*key, now)]
    finally:
        backend.close()
    if alive:
        show(Text(f"not dead: {', '.join(alive)}", style="bad"))
    show(Text(f"{counted(len(wanted) - len(alive), 'effect')} revived"))
    if alive and not everything:
        click.get_current_context().exit(PROBLEMS)


def _dead(backend: Backend) -> Iterator[OutgoingEffect]:
    """The dead effects of a store, in order."""
    after = (-1, -1)
    while True:
        with backend.reading() as reading:
            found = reading.effects(after, PAGE, "dead")
        yield from (effect for effect, _ in found)
        if len(found) < PAGE:
            return
        after = (found[-1][0].seq, found[-1][0].place)


def _dead_list(found: list[OutgoingEffect]) -> Group:
    grid = columns()
    for effect in found:
        tried = f"{format_instant(effect.at)}, tried {counted(effect.attempts, 'time')}"
        grid.add_row(
            Text(effect.id),
            Text(effect.instance, style="name"),
            Text(effect.name, style="event"),
            Text(tried, style="quiet"),
        )
        if effect.error:
            grid.add_row("", "", "", Text(effect.error, style="bad"))
    return Group(grid)


def _files(system: model.System, output: Path) -> dict[Path, str]:
    """Where the texts of a system are to be written. Raises MisuseError."""
    if output.exists():
        raise MisuseError(f"`{output}` is there already: say a new file or folder")
    if output.suffix not in (".yaml", ".yml"):
        return {output / name: text for name, text in write_system(system).items()}
    machine, *others = system.machines
    if others or fingerprint(system) != fingerprint(model.System(machine.name, machines=(machine,))):
        raise MisuseError(f"the system is more than one machine: `{output}` must be a folder")
    return {output: write_machine(machine)}


def _present(specifications: list[Mapping[str, str]]) -> Mapping[str, str]:
    return specifications[-1] if specifications else {}


def _known(backend: Backend, systems: tuple[str, ...]) -> dict[str, Plan]:
    """Plans the store was under, by their hash: those that are named, and a bundled one. Raises MisuseError, SpecError."""
    try:
        with backend.reading() as reading:
            rows = reading.specifications()
    except StoreError:
        return {}
    hashes, name = {row["hash"] for row in rows}, _present(rows).get("system", "")
    plans = [loading.load(system) for system in systems]
    for plan in plans:
        if plan.hash not in hashes:
            raise MisuseError(f"the store was written under another version of `{plan.name}`")
    plans += [loading.load(name)] if name in catalog.bundled() else []
    return {plan.hash: plan for plan in plans if plan.hash in hashes}


def _report(found: Verified) -> Group:
    size = f"{counted(found.decisions, 'decision')}, {counted(found.instances, 'instance')}, {counted(found.effects, 'effect')}"
    lines = [Text(f"{item.where}: {item.what}", style="bad") for item in found.findings]
    if found.findings:
        verdict = Text(f"{counted(len(found.findings), 'finding')} in {size}", style="bad")
    elif not found.passed:
        verdict = Text(f"{size}: whole; decided again, all came out the same", style="good")
    else:
        again = found.decisions - found.passed
        verdict = Text(f"{size}: whole; {f'{again} of them' if again else 'none'} decided again", style="good")
        lines.append(
            Text(
                f"{counted(found.passed, 'decision')} under a version the store has no text of: say --system",
                style="doubt",
            )
        )
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
    grid.add_row(Text("versions"), _versions(about))
    for group, why in stuck.items():
        grid.add_row(Text("stuck", style="bad"), Text(f"{group or 'commons'}: {why}"))
    grid.add_row(Text("head"), Text(str(about["head"] or "-")))
    return Group(grid)


def _versions(about: Mapping[str, object]) -> Table:
    """The specifications a store was written under, the present one last."""
    grid, before = columns(), dict[str, dict[str, object]]()
    found = about["specifications"]
    assert isinstance(found, list)
    for one in found:
        terms = {**one["readings"], **one["terms"]}
        other = [f"{name}={value}" for name, value in terms.items() if value != before.get(one["hash"], terms)[name]]
        before[one["hash"]] = terms
        remarks = ["at present"] * one["present"] + ["no text"] * (not one["kept"]) + other
        grid.add_row(
            Text(one["hash"][:SHORT], style="name"),
            Text(f"since {format_instant(one['since'])}" if one["since"] is not None else "not used yet"),
            Text(counted(one["decisions"], "decision")),
            Text(counted(one["instances"], "instance")),
            Text(", ".join(remarks), style="quiet"),
        )
    return grid
