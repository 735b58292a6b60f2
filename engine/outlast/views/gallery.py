"""A folder of pictures and tables for a system, and whether what lies there is still true.

    SYSTEM/README.md      reads like documentation: every machine with its picture, its states and its rows
    SYSTEM/clauses.md     the clauses, where the ids in pictures and tables lead
    SYSTEM/stories.md     the scenarios as timelines, each in `stories/NAME.svg`
    SYSTEM/explorer.html  all of it to be played with, in one file
    SYSTEM/NAME.svg       the picture of a machine, and `wiring.svg`: who signals whom
    SYSTEM/NAME.gv        the same as DOT; its first line says how it was laid out

Markdown, DOT, timelines and the explorer are compared byte for byte; the explorer holds the pictures that lie beside it. A layout
differs between versions of Graphviz, so the SVG of a machine carries the hash of all that went into it, and is fresh as long as that is the
same. What is fresh is not drawn again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import attrs

from outlast import model
from outlast.plan import Plan
from outlast.run import run_scenario
from outlast.views import mermaid, table
from outlast.views.arrange import WIDEST, WIDEST_WIRING, Arranged, Hints, arrange, arranged, is_good, reduced
from outlast.views.dot import Choice, DotMissing, dot_source, sizes_of
from outlast.views.explorer import explorer, obstacle
from outlast.views.graph import Graph, machine_graph, wiring_graph
from outlast.views.lanes import lanes
from outlast.views.svg import svg
from outlast.views.theme import style_sheet
from outlast.views.timeline import timeline

RENDERER = 3
"""Raised whenever a picture of the same graph comes out differently."""
CLAUSES = "clauses.md"
STORIES = "stories"
EXPLORER = "explorer.html"
_MADE = "*Made by `outlast draw`: change the specification, not this page.*"
_HINTS = "// layout: "
_STAMP = re.compile(r'data-stamp="([0-9a-f]{64})"')


@attrs.frozen
class Drawn:
    """What became of a gallery: files written, and files that could not be for want of Graphviz."""

    written: tuple[Path, ...]
    missing: tuple[Path, ...] = ()


Stories: TypeAlias = Mapping[str, model.Scenario]
"""The scenarios of a system by name."""


def draw(plan: Plan, folder: Path, stories: Stories | None = None) -> Drawn:
    """Write what is not fresh. Without Graphviz, everything but the pictures of machines. Raises LayoutFailed, OSError."""
    home = folder / plan.name
    home.mkdir(parents=True, exist_ok=True)
    written, missing = list[Path](), list[Path]()
    for name, text in {**pages(plan, stories), **timelines(plan, stories)}.items():
        (home / name).parent.mkdir(exist_ok=True)
        written += _write(home / name, text)
    for graph in graphs(plan):
        picture, source = home / f"{graph.name}.svg", home / f"{graph.name}.gv"
        if _is_fresh(graph, picture, source):
            continue
        widest = WIDEST_WIRING if graph.name == "wiring" else WIDEST
        try:
            found = remembered(graph, home, widest=widest)
        except DotMissing:
            missing.append(picture)
            written += _write(source, gv(graph, Hints()))
            continue
        written += _write(source, gv(graph, found.hints))
        written += _write(picture, svg(found, clauses=CLAUSES, stamp=stamp(graph)))
    for name, text in explored(plan, home, stories).items():
        written += _write(home / name, text)
    return Drawn(tuple(written), tuple(missing))


def stale(plan: Plan, folder: Path, stories: Stories | None = None) -> tuple[Path, ...]:
    """The files that are missing, or do not say any more what the plan says, and those that belong to nothing. Needs no Graphviz."""
    home = folder / plan.name
    wanted = {**pages(plan, stories), **timelines(plan, stories), **explored(plan, home, stories)}
    found = [home / name for name, text in wanted.items() if _read(home / name) != text]
    expected = set(wanted)
    for graph in graphs(plan):
        picture, source = home / f"{graph.name}.svg", home / f"{graph.name}.gv"
        expected |= {picture.name, source.name}
        if stamped(_read(picture)) != stamp(graph):
            found.append(picture)
        if not _source_is_fresh(graph, source):
            found.append(source)
    there = (
        (path, path.relative_to(home).as_posix()) for folder in ("", STORIES) for path in (home / folder).glob("*")
    )
    left = [path for path, name in there if name not in expected and path.suffix in (".svg", ".gv", ".md", ".html")]
    return tuple(sorted([*found, *left]))


def graphs(plan: Plan) -> list[Graph]:
    """What is drawn of a system."""
    machines = [machine_graph(plan, name) for name in plan.machines]
    wiring = wiring_graph(plan)
    return [wiring, *machines] if wiring.arrows else machines


def stamp(graph: Graph) -> str:
    """The hash of everything a picture is made of, except the layout."""
    text = json.dumps([RENDERER, style_sheet(), attrs.asdict(graph)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def stamped(picture: str) -> str:
    """The hash an SVG carries, or nothing."""
    match = _STAMP.search(picture[:2000])
    return match[1] if match else ""


def gv(graph: Graph, hints: Hints) -> str:
    """The DOT of a graph, with the hints in its first line."""
    shown, choice = reduced(graph, hints), hints.choice
    return (
        _HINTS
        + json.dumps(attrs.asdict(hints), sort_keys=True)
        + "\n"
        + dot_source(shown, sizes_of(shown, choice), choice)
    )


def hints_in(source: str) -> Hints | None:
    """The hints a `.gv` was written with, if it was."""
    first, _, _ = source.partition("\n")
    try:
        data = json.loads(first.removeprefix(_HINTS))
        return Hints(Choice(**data["choice"]), tuple(data["written"]), data.get("apart", False))
    except (ValueError, TypeError, KeyError):
        return None


def remembered(graph: Graph, home: Path, *, widest: float = WIDEST) -> Arranged:
    """A graph laid out as the gallery in `home` has it, or else as good as can be found. Raises DotMissing, LayoutFailed."""
    source = _read(home / f"{graph.name}.gv")
    return _again(graph, source, widest) or arrange(graph, widest=widest, start=_found_before(source))


def _again(graph: Graph, source: str, widest: float) -> Arranged | None:
    """The layout an earlier search found: for this very graph, or for another version if the picture is still good.

    Small changes should not move everything.
    """
    hints = _found_before(source)
    found = arranged(graph, hints) if hints else None
    return found if hints and found and (gv(graph, hints) == source or is_good(found.quality, widest)) else None


def _found_before(source: str) -> Hints | None:
    """The hints of an earlier search, if there was one."""
    hints = hints_in(source)
    return hints if hints != Hints() else None


def _is_fresh(graph: Graph, picture: Path, source: Path) -> bool:
    return stamped(_read(picture)) == stamp(graph) and _source_is_fresh(graph, source)


def _source_is_fresh(graph: Graph, source: Path) -> bool:
    text = _read(source)
    hints = hints_in(text)
    return hints is not None and gv(graph, hints) == text


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> Iterable[Path]:
    """Write a file unless that is what it says already."""
    if _read(path) == text:
        return ()
    path.write_text(text, encoding="utf-8", newline="\n")
    return (path,)


# ---- pages


def timelines(plan: Plan, stories: Stories | None) -> dict[str, str]:
    """Name -> SVG of every scenario, told under the default readings. Raises what `run_scenario` raises."""
    return {
        f"{STORIES}/{name}.svg": timeline(lanes(run_scenario(plan, story)), clauses=f"../{CLAUSES}")
        for name, story in (stories or {}).items()
    }


def explored(plan: Plan, home: Path, stories: Stories | None) -> dict[str, str]:
    """Name -> HTML of the explorer, with the pictures in `home`; nothing where its walker cannot do what the plan says."""
    if obstacle(plan):
        return {}
    pictures = {name: _read(home / f"{name}.svg") for name in plan.machines}
    return {EXPLORER: explorer(plan, (stories or {}).values(), pictures)}


def pages(plan: Plan, stories: Stories | None = None) -> dict[str, str]:
    """Name -> text of the Markdown files."""
    found = {"README.md": _index(plan, with_stories=bool(stories))}
    if stories:
        found["stories.md"] = _told(plan, stories)
    if plan.clauses:
        found[CLAUSES] = _clauses(plan)
    return found


def _told(plan: Plan, stories: Stories) -> str:
    """Every scenario with its timeline."""
    parts = [f"# Stories: {plan.title or plan.name}", _MADE]
    parts.append(
        "\n".join(f"- [{story.title or name}](#{_anchor(story.title or name)})" for name, story in stories.items())
    )
    for name, story in stories.items():
        title, picture = story.title or name, f"{STORIES}/{name}.svg"
        parts += [f"## {title}", story.about.strip(), f"[![{title}: timeline]({picture})]({picture})"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _index(plan: Plan, *, with_stories: bool) -> str:
    drawn = graphs(plan)
    parts = [
        f"# {plan.title or plan.name}",
        plan.about.strip(),
        _MADE,
        f"[{STORIES.capitalize()}]({STORIES}.md): every scenario as a timeline." if with_stories else "",
        ""
        if obstacle(plan)
        else f"[Explorer]({EXPLORER}): play it yourself. One file, to be opened in a browser from disk.",
    ]
    if len(plan.machines) > 1:
        parts.append("\n".join(f"- [{graph.title}](#{_anchor(graph.title)})" for graph in drawn))
    for graph in drawn:
        parts += [f"## {graph.title}", graph.about.strip() if graph.name in plan.machines else ""]
        parts.append(f"[![{graph.title}: state diagram]({graph.name}.svg)]({graph.name}.svg)")
        if graph.name not in plan.machines:
            continue
        machine = plan.machines[graph.name]
        parts += ["### States", table.state_list(plan, machine, clauses=CLAUSES)]
        parts += ["### Rules", table.transition_list(plan, machine, graph, clauses=CLAUSES)]
        parts += ["### What each event does in each state", table.matrix(machine, graph)]
        parts.append(
            f"<details><summary>Overview as Mermaid</summary>\n\n```mermaid\n{mermaid.overview(graph)}```\n\n</details>"
        )
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _anchor(title: str) -> str:
    """The anchor GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _clauses(plan: Plan) -> str:
    """Every clause with what rests on it."""
    cited: dict[str, list[str]] = {}
    for machine in plan.machines.values():
        for row in machine.transitions:
            for clause in row.because:
                link = f"[{machine.name} {row.id}](README.md#{machine.name}-{row.id})"
                cited.setdefault(clause, []).append(link)
    lines = []
    for found in plan.clauses.values():
        where = ", ".join(part for part in (found.section, f"line {found.line}" if found.line else "") if part)
        rests = ", ".join(dict.fromkeys(cited.get(found.id, ()))) or table.cell(found.reference)
        why = f"<br>*{table.cell(found.reason)}*" if found.reason else ""
        lines.append([f'<a id="{found.id}"></a>{found.id}', table.cell(found.says) + why, table.cell(where), rests])
    title = plan.document.title if plan.document else plan.title
    return f"# Clauses: {title}\n\n" + table.markdown(["clause", "says", "where", "what rests on it"], lines)
