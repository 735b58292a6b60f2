"""Pictures, measured from the SVG itself: how wide, what overlaps, what crosses, what is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from itertools import product
from random import Random

import pytest

from outlast import catalog, loading, model
from outlast.language import read_machine
from outlast.plan import Plan, compile_system
from outlast.run import run_scenario
from outlast.views import Marks, arrange, machine_graph, svg, wiring_graph
from outlast.views.apart import columns, parted
from outlast.views.arrange import WIDEST_WIRING, Hints, arranged, cut_off
from outlast.views.dot import Choice, dot_source, sizes_of
from outlast.views.gallery import gv, hints_in
from outlast.views.metrics import text_width
from outlast.views.path import path_marks
from outlast.views.svg import marked
from outlast.views.theme import GLYPHS, ROLES, TEXT_ON, THEMES, contrast, style_sheet
from tests.conftest import ROOT
from tests.oracle.machines import random_run, to_yaml
from tests.views.drawn import SVG, Drawn

PLANS = {name: loading.load(name) for name in catalog.bundled()}
MACHINES = [(system, machine) for system, plan in PLANS.items() for machine in plan.machines]
WIRED = [system for system, plan in PLANS.items() if wiring_graph(plan).arrows]
DIAGRAMS = ROOT / "diagrams"


@cache
def picture(system: str, name: str) -> str:
    """The SVG of a machine, or of `wiring`, laid out by the hints of the gallery if it is there, searched for otherwise."""
    plan = PLANS[system]
    graph = wiring_graph(plan) if name == "wiring" else machine_graph(plan, name)
    source = DIAGRAMS / system / f"{name}.gv"
    hints = hints_in(source.read_text("utf-8")) if source.is_file() else None
    return svg((arranged(graph, hints) if hints else None) or arrange(graph), clauses="clauses.md")


@pytest.mark.needs("dot")
def test_the_job_machine_is_drawn_well() -> None:
    """The largest machine of the bundled document: a page wide, nothing on top of anything, two crossings at most."""
    drawn = Drawn.read(picture("sagemaker", "job"))

    assert drawn.width <= 800
    assert drawn.overlaps == 0
    assert drawn.crossings <= 2


@pytest.mark.needs("dot")
@pytest.mark.parametrize(("system", "machine"), MACHINES + [(system, "wiring") for system in WIRED])
def test_nothing_overlaps(system: str, machine: str) -> None:
    """In no bundled picture is a label on another, on a box or across a frame."""
    drawn = Drawn.read(picture(system, machine))

    assert drawn.overlaps == 0
    assert drawn.crossings <= 3
    assert drawn.width <= WIDEST_WIRING + 28


@pytest.mark.needs("dot")
def test_a_crowded_machine_has_its_text_below() -> None:
    """The way through TCP's states is about as high as two pages are wide; its rules stand under it, in columns of equal height."""
    drawn = Drawn.read(picture("tcp", "endpoint"))
    (below,) = (item for item in drawn.root.iter(f"{SVG}g") if item.attrib.get("class") == "below")
    told = {item.attrib["data-row"] for item in below.iter() if "data-row" in item.attrib}
    lowest = max(bottom for *_, bottom in (*drawn.boxes, *drawn.labels, *drawn.frames))
    texts = [(float(item.attrib["x"]), float(item.attrib["y"])) for item in below.iter(f"{SVG}text")]
    ends = [
        max(y for x, y in texts if x == left)
        for left in {x for x, _ in texts if sum(each == x for each, _ in texts) > 9}
    ]

    assert drawn.width <= 800
    assert lowest < 1.8 * drawn.width
    assert min(y for _, y in texts) > lowest
    assert len(ends) == 3
    assert max(ends) - min(ends) < 100
    assert {"nothing-there", "abort", "peer-closes"} <= told  # refused, not drawn, and drawn without its guard
    assert "open-passive" not in told
    source = gv(machine_graph(PLANS["tcp"], "endpoint"), Hints(apart=True))
    assert [row for row in sorted(told) if f"{row}</FONT>" not in source] == []


@pytest.mark.needs("dot")
def test_text_moves_nothing() -> None:
    """All sizes are given: a layout is asked for without any text, and that of the `.gv` with it is the same."""
    graph, choice = machine_graph(PLANS["tour"], "coffee-machine"), Choice()
    asked = (dot_source(graph, sizes_of(graph, choice), choice, texts=texts) for texts in (False, True))
    places = []
    for text in asked:
        done = subprocess.run(["dot", "-Tjson0"], input=text.encode(), capture_output=True, check=True)
        answer = json.loads(done.stdout)
        parts = [answer, *answer["objects"], *answer["edges"]]
        places.append([(part.get("name"), part.get("bb"), part.get("pos")) for part in parts])

    assert len(places[0]) > 40
    assert places[0] == places[1]


def test_nothing_is_lost_below() -> None:
    """Every row is still there, in full, once; columns hold all of it, and are about as high."""
    graph = machine_graph(PLANS["tcp"], "endpoint")
    found = parted(graph)
    short = {row for arrow in found.arrows for row in arrow.rows}
    full = {row.id for note in found.below for row in note.rows} | {
        row.id for arrow in graph.arrows for row in arrow.rows if row in short
    }
    across, made = columns(found.below, 740)
    rows = [
        paragraph.row.id for column in made for _, paragraph in column.paragraphs if paragraph.row and paragraph.row.id
    ]

    assert full == {row.id for row in graph.rows if row.id}
    assert sorted(rows) == sorted(row.id for note in found.below for row in note.rows)
    assert not any(box.rows for box in found.boxes)
    assert 3 * across < 740
    assert max(column.height for column in made) - min(column.height for column in made) < 120


def test_a_box_that_is_cut_off() -> None:
    """Writing an arrow in a box costs more where it was the last way in, or the last way out."""
    graph = machine_graph(PLANS["tour"], "coffee-machine")
    names = {arrow.targets: arrow.name for arrow in graph.arrows}

    assert cut_off(graph, ()) == 0
    assert cut_off(graph, (names["pouring",],)) == 2  # out of `making`, into `pouring`
    assert cut_off(graph, (names["tank-out",],)) == 1  # `on` has another way out


@pytest.mark.needs("dot")
@pytest.mark.parametrize("seed", range(30))
def test_nothing_overlaps_in_random_machines(seed: int) -> None:
    """Thirty machines of at most twelve states, with every feature of statecharts; for some, arrows are given up too."""
    plan = compiled(seed)
    graph = machine_graph(plan, "m")
    drawn = Drawn.read(svg(arrange(graph, patience=0 if seed % 10 else 2)))

    assert drawn.overlaps == 0
    assert drawn.named("data-state") == {state.name for state in plan.machines["m"].states}
    assert drawn.named("data-row") == {row.id for row in plan.machines["m"].transitions}


def compiled(seed: int) -> Plan:
    """The plan of a random machine."""
    read, problems = read_machine(to_yaml(random_run(seed, 12)[0]), "machine.yaml")
    assert read is not None, problems
    plan, unresolved = compile_system(model.System(read.name, machines=(read,)))
    assert plan is not None, unresolved
    return plan


@pytest.mark.needs("dot")
@pytest.mark.parametrize(("system", "machine"), MACHINES)
def test_everything_is_in_the_picture(system: str, machine: str) -> None:
    """Every state, row, guard, timer and clause of the machine."""
    plan, drawn = PLANS[system], Drawn.read(picture(system, machine))
    table = plan.machines[machine]
    cited = {clause for state in table.states for clause in state.because}
    cited |= {clause for row in table.transitions for clause in row.because}
    shown = {clause for clauses in drawn.named("data-because") for clause in clauses.split()}

    assert drawn.named("data-state") == {state.name for state in table.states}
    assert drawn.named("data-row") == {row.id for row in table.transitions}
    assert shown == cited
    assert [clause for clause in cited if f"{clause}: {plan.clauses[clause].says}" not in drawn.titles] == []
    guards = {str(row.guard) for row in table.transitions if row.guard}
    assert [guard for guard in guards if f"[{guard}]".replace(" ", "") not in drawn.words] == []
    timers = {f"{row.kind} {row.delay}" for row in table.transitions if row.delay}
    assert [timer for timer in timers if timer.replace(" ", "") not in drawn.words] == []


@pytest.mark.needs("dot")
@pytest.mark.parametrize(("system", "machine"), MACHINES)
def test_ids_lead_to_clauses(system: str, machine: str) -> None:
    """Every row that rests on a clause is a link to one of its clauses."""
    drawn = Drawn.read(picture(system, machine))
    links = {
        row.attrib["data-row"]: link.attrib["href"]
        for link in drawn.root.iter(f"{SVG}a")
        for row in link.iter()
        if "data-row" in row.attrib
    }
    rows = {row.id: row.because for row in PLANS[system].machines[machine].transitions}

    assert links == {id_: f"clauses.md#{because[0]}" for id_, because in rows.items() if because}


@pytest.mark.needs("dot")
def test_a_picture_speaks_to_a_screen_reader() -> None:
    """It is an image with a title and a description."""
    root = Drawn.read(picture("tour", "coffee-machine")).root
    said = {item.attrib.get("id"): item.text for item in root}

    assert root.attrib["role"] == "img"
    title, description = (said[id_] for id_ in root.attrib["aria-labelledby"].split())
    assert title == "A coffee machine: state diagram"
    assert description is not None
    assert "pouring" in description


def test_text_can_be_read_in_both_themes() -> None:
    """Contrast of at least 4.5:1 for every colour of text on everything it is written on."""
    poor = []
    for (theme, colours), (text, grounds) in product(THEMES.items(), TEXT_ON.items()):
        fills = [name for name in colours if name in grounds or ("*-f" in grounds and name.endswith("-f"))]
        poor += [(theme, text, fill) for fill in fills if contrast(colours[text], colours[fill]) < 4.5]

    assert poor == []
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_colour_is_never_alone() -> None:
    """Every role has a sign of its own, and both themes know every colour the style sheet uses."""
    assert len(set(GLYPHS.values())) == len(ROLES)
    assert THEMES["light"].keys() == THEMES["dark"].keys()
    assert "prefers-color-scheme:dark" in style_sheet()


@pytest.mark.needs("dot")
def test_pictures_are_the_same_to_the_byte() -> None:
    """Run after run, whatever the seed of hashes."""
    program = (
        "import hashlib; from outlast import loading; from outlast.views import arrange, machine_graph, svg\n"
        "plan = loading.load('tour'); print(hashlib.sha256(svg(arrange(machine_graph(plan, 'coffee-machine'), patience=2)).encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "4711")
    }

    assert len(seen) == 1


@pytest.mark.needs("dot")
def test_the_way_of_a_story() -> None:
    """The rows a story takes carry its numbers; the rest steps back."""
    scenario = loading.scenarios("tour")["one-cup"]
    run = run_scenario(PLANS["tour"], scenario)
    name = next(iter(run.system.world))
    marks = path_marks(run, name)
    numbers = sorted(int(number) for mark in marks.rows.values() for number in mark.badge.split(" · "))
    drawn = svg(arrange(marked(machine_graph(PLANS["tour"], "coffee-machine"), marks)), marks=marks)

    assert set(numbers) == set(range(1, max(numbers) + 1))
    assert drawn.count('class="badge"') == len(marks.rows)
    assert 'class="row cold"' in drawn
    assert Marks().of_row("anything").kind == ""


def test_widths_are_those_of_arial() -> None:
    """Some advance widths from the published font metrics, and what is done with the rest."""
    assert text_width("Wil", 1000) == 944 + 222 + 222
    assert text_width("Wil", 1000, bold=True) == 944 + 278 + 278
    assert text_width("abc", 10, mono=True) == 18
    assert text_width("é", 1000) == text_width("e", 1000)
    assert text_width("状", 1000) == 1000


@pytest.mark.parametrize("seed", [Random(5).randrange(10**6)])
def test_a_graph_needs_no_graphviz(seed: int) -> None:
    """What to draw is known before anything is placed."""
    graph = machine_graph(compiled(seed), "m")

    assert {row.id for row in graph.rows if row.id} == {row.id for row in compiled(seed).machines["m"].transitions}
