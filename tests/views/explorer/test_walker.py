"""The walker does what the engine does: on the stories, on every case about order, on random machines, and on the conformance table."""

from __future__ import annotations

import inspect
from pathlib import Path

import attrs
import pytest

import outlast
from outlast import model
from outlast.catalog import specs
from outlast.errors import OutlastError
from outlast.moments import SECOND
from outlast.place import Word
from outlast.proofs.conformance.judging import run_cases
from outlast.proofs.conformance.reading import fit, load_suite, suite_files
from outlast.proofs.conformance.strangers import stranger_at
from outlast.run import System, Terms, run_scenario
from outlast.views.explorer import to_walker
from outlast.views.explorer.stories import story_of
from outlast.views.explorer.tables import tables_of
from tests.oracle.machines import random_run
from tests.run import test_system
from tests.run.cases import CASES
from tests.run.worlds import STORIES, bundled_plans, plan_of, random_plan
from tests.views.explorer.held import asked, recorded, same, told

pytestmark = pytest.mark.needs("node")
CALLS = [
    function
    for name, function in vars(test_system).items()
    if name.startswith("test_") and not inspect.signature(function).parameters
]


@pytest.mark.parametrize("bounds", ["latest", "earliest"])
def test_stories(bounds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bundled story under every reading, step by step, with every explanation and offer in words."""
    with recorded(monkeypatch) as records:
        for name, file in STORIES:
            plan, scenario = bundled_plans()[name], outlast.load_scenario(file)
            others = plan.alternatives if bounds == "latest" else ()
            for readings in ({}, *({name: reading} for name, reading in others)):
                run_scenario(plan, scenario, readings=readings, terms=Terms(resolve=bounds))
    assert len(records) >= (170 if bounds == "latest" else 35)

    same(tmp_path, records)


def test_the_order_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases about order, sends, children, timers, faults and limits, each as it is told to a system."""
    with recorded(monkeypatch) as records:
        for run in (*CASES.values(), *CALLS):
            run()
    assert len(records) >= 60

    same(tmp_path, records)


PARENT = """
machine: parent
fields: {wait: {type: duration, default: 3s}}
refs: {kid: {machine: kid, optional: true}}
events: {have: {}, drop: {}}
effects: {young: {}, gone: {}}
states: {a: {}, b: {}}
transitions:
  - {id: have, from: a, event: have, do: [{spawn: {kid: kid}}, {if: kid is c1, do: [{emit: young}]}]}
  - {id: drop, from: a, event: drop, do: [{stop: kid}, {if: kid is absent, do: [{emit: gone}]}]}
  - {id: early, from: b, after: wait - 9s, to: a}
"""
KID = """
machine: kid
effects: {out-c: {}, out-c1: {}}
states: {c: {exit: [{emit: out-c}], states: {c1: {exit: [{emit: out-c1}]}}}}
"""


def test_what_a_macrostep_sees_of_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is there for the next action, and gone after its stop, which exits it from the inside out; no delay is negative."""
    with recorded(monkeypatch) as records:
        system = System(plan_of(PARENT, KID))
        system.add("parent", "p", state="b")
        for event in ("have", "drop", "have"):
            system.send("p", event)
    effects = [effect for answer in records[0].answers for step in answer["steps"] for effect, _ in step["effects"]]
    assert effects == ["young", "gone", "out-c1", "out-c", "young"]

    same(tmp_path, records)


def test_random_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsteps, effects, fields, history, faults, and why every other event would be refused."""
    with recorded(monkeypatch) as records:
        for seed in range(100):
            machine, events = random_run(seed)
            system = System(random_plan(machine), terms=Terms(microsteps=100))
            try:
                system.add(next(iter(system.plan.machines)), "x")
                for event in events:
                    system.send("x", event)
            except OutlastError:
                continue
    assert len(records) >= 95

    same(tmp_path, records)


@attrs.frozen
class Told:
    """A story, and what it is told under."""

    system: str
    story: model.Scenario
    readings: dict[str, str] = attrs.field(factory=dict)
    bounds: str = "latest"


def stories() -> list[Told]:
    """Every bundled story, and some that say more: a step under a reading, one that comes later, the moment of a `within` row."""
    bundled = [Told(name, outlast.load_scenario(file)) for name, file in STORIES]
    scenario = outlast.scenarios("sagemaker")["both-switches-off"]
    (late,) = [given for given in scenario.given if given.name == "of-ben"]
    machine, name, row = Word("job"), Word("of-ana"), Word("grace-over")
    happens = attrs.evolve(scenario, steps=(*scenario.steps, model.Happen(11_000 * SECOND, machine, name, row)))
    never = attrs.evolve(scenario, steps=(*scenario.steps, model.Happen(90_000 * SECOND, machine, name, row)))
    pinned = [attrs.evolve(step, under=((Word("A-02"), Word("pin")),)) for step in scenario.steps]
    comes = attrs.evolve(
        scenario,
        given=tuple(given for given in scenario.given if given is not late),
        steps=(model.Make(0, late), *scenario.steps),
    )
    more = [
        Told("sagemaker", happens),
        Told("sagemaker", happens, bounds="earliest"),
        Told("sagemaker", never),
        Told("sagemaker", comes, {"A-02": "pin"}),
        *(
            Told("sagemaker", attrs.evolve(scenario, steps=tuple(pinned)), {"A-02": reading})
            for reading in ("pin", "switch")
        ),
    ]
    return [*bundled, *more]


def test_the_source_tells_stories_as_the_engine_does(tmp_path: Path) -> None:
    """What the page shows of a story, told to its end, is what the engine tells."""
    every = stories()
    asking = [
        {
            "what": "story", "tables": tables_of(bundled_plans()[each.system]), "readings": each.readings, "policy": each.bounds,
            "story": {**story_of(bundled_plans()[each.system], each.story), "name": "it"},
        }
        for each in every
    ]  # fmt: skip
    for each, walked in zip(every, asked(tmp_path, asking), strict=True):
        plan = bundled_plans()[each.system]
        run = run_scenario(plan, each.story, readings=each.readings, terms=Terms(resolve=each.bounds))

        assert [told(moment.step) for moment in run.moments] == walked["steps"], each.story.name
        assert [[it.id, list(it.states)] for it in run.system.instances] == walked["shown"], each.story.name
        late = [verdict.about for verdict in run.verdicts if verdict.seen == "does not happen then"]
        assert [
            f"`{about.split(': ')[1]}` of `{about.split(': ')[0]}` does not happen then" for about in late
        ] == walked["problems"]


@pytest.mark.parametrize("system", ["sagemaker"])
def test_the_conformance_table(system: str, tmp_path: Path) -> None:
    """The program `outlast export --to walker` prints passes every case, whenever `within` rows happen."""
    program = tmp_path / "walker.js"
    program.write_text(to_walker(bundled_plans()[system]), "utf-8")
    files = suite_files(specs() / system / "conformance")
    cases = [case for file in files for case in fit(bundled_plans()[system], load_suite(file))]
    runner = stranger_at(f"cmd:node {program}")
    try:
        found = list(run_cases(cases, runner))
    finally:
        runner.close()

    assert len(found) >= 246
    assert ["\n".join(result.lines()) for result in found if result.status != "passed"] == []
