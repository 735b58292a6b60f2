"""Promela models: Spin finds the very states that the engine runs through tick by tick, and the zones of `proofs.timed` hold."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import attrs
import pytest

from outlast import loading
from outlast.errors import SpecError
from outlast.proofs.promela import Column, Model, to_promela
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.locations import NOW, Location
from outlast.proofs.timed.search import Search
from outlast.proofs.timed.successors import Successors
from outlast.run import Event, System
from tests.proofs.promela.compositions import plan_of, random_composition, shop
from tests.proofs.promela.ticks import Drawing, State, explored, row, spun, verified
from tests.proofs.ticks import is_inside

SEEDS = (17, 53)
"""Some with many states, children, faults and draws; a few hundred more were tried once."""


def model_of(system: System, said: list[tuple[str, Event]]) -> Model:
    """The model of a system as it begins."""
    return to_promela(system.plan, [instance.snapshot for instance in system.instances], said, system.now)


@pytest.mark.needs("spin", "gcc")
@pytest.mark.parametrize("seed", SEEDS)
def test_spin_finds_the_states_the_engine_runs_through(seed: int, tmp_path: Path) -> None:
    """State for state: configurations, fields, refs, timers, who is there, and in which order."""
    system, said = random_composition(seed)
    model = model_of(system, said)

    expected = {row(model, state) for state in explored(system, said, model.tick)}

    assert len(expected) > 150
    assert spun(model, tmp_path) == expected


@pytest.mark.needs("spin", "gcc")
def test_spin_finds_the_states_of_a_shop(tmp_path: Path) -> None:
    """A composition written so that every construct matters."""
    system, said = shop()
    model = model_of(system, said)

    assert spun(model, tmp_path) == {row(model, state) for state in explored(system, said, model.tick)}


# ---- a user and a job


LATER = 100
"""An instant after all that a short composition waits for."""
SHORT = {
    "system.yaml": [("{value: 15m, because: TIP-17}", "{value: 1us, because: TIP-17}"), ("{value: 1m,  because", "{value: 1us, because"),
                    ("{value: 15m, because: TIP-28}", "{value: 1us, because: TIP-28}"), ("background-duration: 1d", "background-duration: 2us, interactive-duration: 1us"),
                    ("max-runtime: 1d, domain: ds, session: ana", "max-runtime: 3us, domain: ds, session: ana")],
    "job.yaml": [("min: 1s, step: 1s", "min: 1us, step: 1us")],
}  # fmt: skip


@pytest.fixture(scope="module")
def one_job(tmp_path_factory: pytest.TempPathFactory) -> Composed:
    """The composition `one-job` of SageMaker, days become microseconds."""
    folder = tmp_path_factory.mktemp("sagemaker")
    for file in loading.find("sagemaker").glob("*.yaml"):
        text = file.read_text("utf-8")
        for old, new in SHORT.get(file.name, ()):
            assert old in text
            text = text.replace(old, new)
        (folder / file.name).write_text(text, "utf-8")
    plan = loading.load(folder)
    return compose(plan, plan.compositions["one-job"])


@pytest.mark.needs("spin", "gcc")
def test_one_user_and_one_job(one_job: Composed, tmp_path: Path) -> None:
    """Spin, the engine tick by tick, and the explorer by zones come to the same states."""
    said = [(one.to, one.event) for one in one_job.said]
    model = to_promela(one_job.plan, one_job.snapshots, said, NOW)
    system = System(one_job.plan, terms=Drawing())
    one_job.begin(system)

    found = spun(model, tmp_path)

    assert model.tick == 1
    assert found == {row(model, state) for state in explored(system, said, model.tick)}
    assert {undue(model, state) for state in found} == zones(model, one_job)


def undue(model: Model, state: State) -> State:
    """A state without what nobody can see: for when a `within` timer is due."""
    return tuple(value for column, value in zip(model.columns, state, strict=True) if column.kind != "due")


def zones(model: Model, composed: Composed) -> set[State]:
    """Every point of every zone, as the variables of the model."""
    successors = Successors(composed.plan, composed.snapshots, composed.said)
    search = Search(successors)
    for _ in search:
        pass
    found: set[State] = set()
    for nodes in search.passed.values():
        for node in nodes:
            clocks = successors.places.clocks(node.location)
            for times in product(*(range(clock.cap + 1) for clock in clocks)):
                if is_inside(node.zone, (0, *times)):
                    found.add(undue(model, point(model, composed, node.location, times)))
    return found


def point(model: Model, composed: Composed, location: Location, times: tuple[int, ...]) -> State:
    """A location at certain times of its clocks, as a system that has them."""
    system, elapsed = System(composed.plan, now=LATER), iter(times)
    for snapshot in location:
        timers = tuple(
            attrs.evolve(timer, armed=begun, due=begun + timer.latest, latest=begun + timer.latest)
            for timer, begun in [(timer, LATER - next(elapsed)) for timer in snapshot.timers]
        )
        system._population.put(attrs.evolve(snapshot, timers=timers))
    return row(model, system)


# ---- for people


LAMP = """
machine: lamp
events: {press: {}}
states: {dark: {}, lit: {}}
transitions:
  - {id: on, from: dark, event: press, to: lit}
  - {id: longer, from: lit, event: press, to: lit}
  - {id: off, from: lit, after: 2m, to: dark}
"""


@pytest.mark.needs("spin", "gcc")
@pytest.mark.parametrize(
    ("formula", "errors"),
    [("[] (in_hall_lit -> lamp_timer_off[0] > 0)", 0), ("[] (in_hall_lit -> <> in_hall_dark)", 1)],
)
def test_a_formula_speaks_of_states_by_name(formula: str, errors: int, tmp_path: Path) -> None:
    """Spin's own logic over the model: a lit lamp has a timer; it need not go out, if somebody keeps pressing."""
    plan = plan_of(LAMP)
    system = System(plan)
    system.add("lamp", "hall")
    file = tmp_path / "lamp.pml"
    file.write_text(model_of(system, [("hall", Event("press"))]).text + f"ltl told {{ {formula} }}\n")

    said = verified(file, compiling=(), running=["-a"])

    assert f"errors: {errors}" in said


REFUSED = [  # what a machine has                              what is said of it
    ("states: {a: {regions: {x: {states: {b: {}}}}}}", "the parallel state `m.a`"),
    ("states: {a: {states: {b: {}, h: {history: deep, to: b}}}}", "the history `m.h`"),
    (
        "fields: {name: {type: string, default: \"'x'\"}}\nstates: {a: {}}",
        "the field `m.name`: text has too many values",
    ),
    (
        "events: {go: {payload: {name: string}}}\nstates: {a: {}}",
        "what the event `go` carries: text has too many values",
    ),
    (
        "events: {go: {}}\nstates: {a: {entry: [{send: {event: go, after: 1m}}]}}",
        "the event `go` that `m` sends for later",
    ),
    (
        "refs: {c: {machine: m, optional: true}}\nstates: {a: {entry: [{if: c is a, do: [{spawn: {c: m}}]}]}}",
        "`m`, which makes children of its own kind",
    ),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_cannot_be_said_is_refused(text: str, said: str) -> None:
    """With its name, and its place where it has one; all of it at once."""
    plan = plan_of(f"machine: m\n{text}\n")
    system = System(plan)
    system.add("m", "it")

    with pytest.raises(SpecError) as caught:
        model_of(system, [])

    assert [problem.text for problem in caught.value.problems] == [f"a model in ticks has no word for {said}"]


def test_the_tick_is_the_longest_that_fits() -> None:
    """Every duration is a whole number of ticks."""
    text = LAMP.replace("2m", "90s").replace("events", "fields: {wait: {type: duration, default: 2m}}\nevents")
    plan = plan_of(text)
    system = System(plan)
    system.add("lamp", "hall")

    model = model_of(system, [])

    assert model.tick == 30_000_000
    assert Column("field", "hall", "wait", "lamp_wait[0]") in model.columns
    assert "lamp_wait[0] = 4;" in model.text


def test_names_that_differ_in_a_dash_stay_apart() -> None:
    """Identifiers of Promela know no dashes."""
    plan = plan_of(
        "machine: m\nfields: {a-b: {type: int, default: 1}, a_b: {type: int, default: 2}}\nstates: {s: {}}\n"
    )
    system = System(plan)
    system.add("m", "it")

    variables = [column.variable for column in model_of(system, []).columns]

    assert len(set(variables)) == len(variables)
