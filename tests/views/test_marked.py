"""What is marked on the picture of a machine: differences, coverage, counts. Measured on the graph, and on the SVG."""

from __future__ import annotations

import pytest

from outlast import catalog, loading, model
from outlast.errors import UnknownName
from outlast.language import read_machine
from outlast.plan import Plan, compile_system
from outlast.plan.difference import difference
from outlast.views import arrange, machine_graph, svg
from outlast.views.changes import changed_machines, changes_graph
from outlast.views.gallery import remembered
from outlast.views.heat import count_marks, coverage_marks
from outlast.views.svg import Mark, Marks, marked
from tests.conftest import ROOT
from tests.views.drawn import SVG, Drawn

TOUR = loading.load("tour")
TEXT = (catalog.bundled()["tour"] / "coffee-machine.yaml").read_text("utf-8")
ROWS = {row.id for row in TOUR.machines["coffee-machine"].transitions}


def changed(*words: tuple[str, str]) -> Plan:
    """The coffee machine with some words replaced."""
    text = TEXT
    for old, new in words:
        assert old in text
        text = text.replace(old, new)
    read, problems = read_machine(text, "coffee-machine.yaml")
    assert read
    assert not problems
    plan, unresolved = compile_system(model.System(TOUR.source.name, machines=(read,), clauses=TOUR.source.clauses))
    assert unresolved == ()
    return plan


CHANGES = [
    # what is replaced by what                                     rows and how they are marked              boxes
    ([("after: 20s", "after: 25s")], {"heat": "changed"}, {}),
    ([("id: heat, ", "id: warm, ")], {"heat": "removed", "warm": "added"}, {}),
    ([("from: [on, tank-out], event: switch", "from: on, event: switch")], {"turn-off": "changed", "turn-off (before)": "removed"}, {}),
    ([("event: lift-tank, to: tank-out", "event: lift-tank, to: off")], {"lift-tank": "changed", "lift-tank (before)": "removed"}, {}),
    ([("  tank-out: {}", "  tank-out: {}\n  broken: {}")], {}, {"broken": "added"}),
    ([("      pouring: {}", "      pouring: {title: Pouring}")], {}, {"pouring": "changed"}),
    ([("beans == 0, refuse", "beans < 1, refuse")], {"no-beans": "changed"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "rows", "boxes"), CHANGES)
def test_a_difference_is_marked(words: list[tuple[str, str]], rows: dict[str, str], boxes: dict[str, str]) -> None:
    """What is new, gone and changed, each with its own sign; both versions are in the graph; the rest is not marked."""
    new = changed(*words)
    found = difference(TOUR, new)
    graph, marks = changes_graph(found, "coffee-machine")
    shown = {row.id for row in graph.rows if row.id}

    assert changed_machines(found) == ("coffee-machine",)
    assert rows == {row: marks.of_row(row).kind for row in shown if marks.of_row(row).kind}
    assert boxes == {box.name: marks.of_box(box.name).kind for box in graph.boxes if marks.of_box(box.name).kind}
    assert {row.id for row in machine_graph(new, "coffee-machine").rows} <= {*shown, ""}
    assert {marks.of_row(row).badge for row in rows} <= {"+", "−", "≠"}


def test_what_is_gone_stays_in_its_place() -> None:
    """A removed state keeps its arrows, and the words a row has lost are there beside the new ones."""
    without = [("  tank-out: {}\n", ""), ("[on, tank-out]", "on"), ("[off, on, tank-out]", "[off, on]")]
    without += [("  - {id: lift-tank,   from: on, event: lift-tank, to: tank-out, because: CM-5}\n", "")]
    without += [("  - {id: return-tank, from: tank-out, event: return-tank, to: where-it-was, because: CM-5}\n", "")]
    graph, marks = changes_graph(difference(TOUR, changed(*without)), "coffee-machine")
    names = [box.name for box in graph.boxes]

    assert marks.of_box("tank-out") == Mark("removed", "−")
    assert names.index("tank-out") > names.index("on")
    assert {("on",), ("tank-out",)} <= {
        arrow.sources for arrow in graph.arrows if {"lift-tank", "return-tank"} & {row.id for row in arrow.rows}
    }
    graph, _ = changes_graph(difference(TOUR, changed(("after: 20s", "after: 25s"))), "coffee-machine")
    assert [(row.triggers, row.was) for row in graph.rows if row.id == "heat"] == [(("after 25s",), ("after 20s",))]


@pytest.mark.needs("dot")
def test_the_picture_of_a_difference() -> None:
    """Signs have room of their own, nothing overlaps, and the legend says what they mean."""
    words = [("after: 20s", "after: 25s"), ("event: lift-tank, to: tank-out", "event: lift-tank, to: off")]
    graph, marks = changes_graph(difference(TOUR, changed(*words)), "coffee-machine")
    drawn = Drawn.read(svg(arrange(marked(graph, marks)), marks=marks))
    classes = drawn.named("class")

    assert drawn.overlaps == 0
    assert {"row changed", "row removed", "badge"} <= classes
    assert [word for word in ("new", "gone", "changed") if word not in drawn.words] == []
    assert "after20s" in drawn.words


def test_an_unknown_machine() -> None:
    """Named with what there is."""
    with pytest.raises(UnknownName, match="no machine is called `tea-machine`"):
        changes_graph(difference(TOUR, TOUR), "tea-machine")
    assert changed_machines(difference(TOUR, TOUR)) == ()


def test_coverage_is_written_and_not_only_coloured() -> None:
    """Every row says its number; none is cold, few is mild, much is hot."""
    taken = {
        ("coffee-machine", "press"): 3,
        ("coffee-machine", "make"): 40,
        ("coffee-machine", "grind"): 15,
        ("coffee-machine", "heat"): 2,
    }
    marks = coverage_marks(TOUR, "coffee-machine", taken)

    assert marks.rows.keys() == ROWS
    assert [marks.rows[row] for row in ("make", "grind", "heat", "pour")] == [
        Mark("hot", "40"),
        Mark("warm", "15"),
        Mark("mild", "2"),
        Mark("cold", "0"),
    ]
    assert f"3 of {len(ROWS)} rules" in marks.legend[0][1]


def test_counts_of_states() -> None:
    """Composites count what is in them; a state with parallel regions below is not added up."""
    plan = loading.load("sagemaker")
    marks = count_marks(plan, "job", {"pending": 3, "running-background": 20, "running-role": 1, "grace-period": 4})

    assert {name: mark.badge for name, mark in marks.boxes.items() if mark.kind != "cold"} == {
        "pending": "3", "executing": "25", "running": "21", "running-background": "20", "running-role": "1", "grace-period": "4",
    }  # fmt: skip
    assert marks.boxes["failed"] == Mark("cold", "0")
    assert "making" not in count_marks(TOUR, "coffee-machine", {"grinding": 1, "heating": 1}).boxes
    with pytest.raises(UnknownName, match="no state of job is called `pendin`"):
        count_marks(plan, "job", {"pendin": 1})


@pytest.mark.needs("dot")
def test_numbers_take_room() -> None:
    """A badge is a part of the text it stands before: nothing is covered."""
    marks = Marks({row: Mark("hot", "1234") for row in ROWS}, {"off": Mark("hot", "77")})
    drawn = Drawn.read(svg(arrange(marked(machine_graph(TOUR, "coffee-machine"), marks)), marks=marks))
    badges = [item for item in drawn.root.iter(f"{SVG}g") if item.attrib.get("class", "").startswith("badge")]

    assert drawn.overlaps == 0
    for label in (item for item in drawn.root.iter(f"{SVG}g") if "data-box" in item.attrib):
        left, _, right, _ = map(float, label.attrib["data-box"].split())
        grounds = label.findall(f".//{SVG}g[@class='badge']/{SVG}rect")
        assert [ground for ground in grounds if not left <= float(ground.attrib["x"]) <= right] == []
    assert len(badges) == 1 + sum(1 for row in machine_graph(TOUR, "coffee-machine").rows if row.id)


@pytest.mark.needs("dot")
def test_a_marked_picture_fits_the_page() -> None:
    """Badges widen the largest machine; its layout is sought near that of the gallery, and no wider than it may be."""
    if not (ROOT / "diagrams").is_dir():
        pytest.skip("away from the checkout")
    plan = loading.load("sagemaker")
    rows = [row.id for row in plan.machines["job"].transitions]
    marks = coverage_marks(plan, "job", {("job", row): 100 + number for number, row in enumerate(rows)})
    graph = marked(machine_graph(plan, "job"), marks)
    drawn = Drawn.read(svg(remembered(graph, ROOT / "diagrams" / "sagemaker"), marks=marks))

    assert drawn.width <= 800
    assert drawn.overlaps == 0
