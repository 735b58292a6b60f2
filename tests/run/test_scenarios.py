"""The bundled stories, under every reading; and what becomes of a story that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

import outlast
from outlast import Terms, model
from outlast.errors import SpecError
from outlast.language import read_scenario
from outlast.language.writer import write_scenario
from outlast.moments import HOUR, MINUTE
from outlast.place import Word
from outlast.run import every_reading, run_scenario
from outlast.run.staging import problems_of
from tests.run.worlds import STORIES, bundled_plans, plan_of, told

TOLD = [pytest.param(name, file, id=f"{name}-{file.stem}") for name, file in STORIES]


@pytest.mark.parametrize(("name", "file"), TOLD)
def test_every_reading(name: str, file: Path) -> None:
    """Nothing fails under any reading; under the default nothing is even contested."""
    first, *others = every_reading(bundled_plans()[name], outlast.load_scenario(file))
    failed = [verdict for run in (first, *others) for verdict in run.verdicts if verdict.status == "failed"]

    assert ([], ()) == (failed, first.contested)
    assert first.verdicts
    assert len(others) == len(bundled_plans()[name].alternatives)


@pytest.mark.parametrize(("name", "file"), TOLD)
def test_what_is_contested(name: str, file: Path) -> None:
    """A story is contested exactly under the readings for which it says something else itself."""
    plan, scenario = bundled_plans()[name], outlast.load_scenario(file)
    marked = {pair for item in (*scenario.expect, *scenario.steps) for pair in item.under}
    contested = {
        reading
        for run, reading in zip(every_reading(plan, scenario)[1:], plan.alternatives, strict=True)
        if run.contested
    }

    assert {
        (str(name), str(reading)) for name, reading in marked if plan.assumptions[name].default != reading
    } == contested


def test_the_a_02_story() -> None:
    """Both switches off: the job moves by default, and keeps its session under `pin`, where the default is contested."""
    plan, scenario = bundled_plans()["sagemaker"], outlast.scenarios("sagemaker")["both-switches-off"]
    default, pin = (run_scenario(plan, scenario, readings=readings) for readings in ({}, {"A-02": "pin"}))

    assert (True, False, True, True) == (default.ok, bool(default.contested), pin.ok, bool(pin.contested))


SHORT = """scenario: short
system: sagemaker
constants: {grace: 1m}
given:
  identity-center acme:      {}
  studio-application studio: {}
  studio-domain ds:          {state: tip-enabled, center: acme, application: studio}
  interactive-session ana:   {center: acme}
  job train:                 {state: grace-period, kind: training, domain: ds, session: ana}
expect:
  - {at: 1m, job train: failed}
"""


def test_a_story_with_constants_of_its_own() -> None:
    """It is told of the system with those, comes back from its text, and leaves the system as it is."""
    plan = bundled_plans()["sagemaker"]
    story, problems = read_scenario(SHORT)
    assert story
    assert problems == []

    assert run_scenario(plan, story).ok
    assert not run_scenario(plan, attrs.evolve(story, constants=())).ok
    assert write_scenario(story) == SHORT


@pytest.mark.parametrize(("constants", "says"), [("{graze: 1m}", "unknown-constant"), ("{grace: true}", "wrong-type")])
def test_constants_there_are_not(constants: str, says: str) -> None:
    """Names and values are looked at before anything is told, and have a place."""
    story, _ = read_scenario(SHORT.replace("{grace: 1m}", constants), "short.yaml")
    assert story
    (problem,) = problems_of(bundled_plans()["sagemaker"], story)

    assert (problem.code, problem.place and problem.place.line) == (says, 3)
    with pytest.raises(SpecError, match=says):
        run_scenario(bundled_plans()["sagemaker"], story)


def changed(scenario: model.Scenario, index: int) -> model.Scenario | None:
    """The story with one expectation about a state replaced by a wrong one."""
    wanted = scenario.expect[index]
    if not wanted.states:
        return None
    wrong = attrs.evolve(wanted, states=(Word("completed"),), machine=wanted.machine)
    return attrs.evolve(scenario, expect=(*scenario.expect[:index], wrong, *scenario.expect[index + 1 :]))


def test_a_wrong_expectation_fails() -> None:
    """Whichever expectation about the job is changed, exactly that one fails, with what was seen."""
    plan, scenario = bundled_plans()["sagemaker"], outlast.scenarios("sagemaker")["restarted-on-what-remains"]
    for index, wanted in enumerate(scenario.expect):
        wrong = changed(scenario, index)
        if wrong is None or wanted.machine != "job":
            continue
        readings = {str(name): str(reading) for name, reading in wanted.under}
        run = run_scenario(plan, wrong, readings=readings)
        failed = [verdict for verdict in run.verdicts if verdict.status == "failed"]

        assert (False, [(wanted.at, "train")]) == (run.ok, [(verdict.at, verdict.about) for verdict in failed])
        assert failed[0].wanted.startswith("completed")
        assert failed[0].seen.startswith(str(wanted.states[-1]))


NO_DEADLINES: tuple[tuple[Word, int], ...] = ()
WRONG: list[tuple[Callable[[model.Expectation], model.Expectation], tuple[str, str, str]]] = [
    (lambda item: attrs.evolve(item, effects=(Word("credentials"),)), ("effects", "credentials", "none")),
    (
        lambda item: attrs.evolve(item, deadlines=NO_DEADLINES),
        ("train", "running-interactive, deadlines none", "running-interactive, deadlines max-runtime at 1d 6h"),
    ),
]


@pytest.mark.parametrize(("change", "verdict"), WRONG)
def test_wrong_effects_and_deadlines(
    change: Callable[[model.Expectation], model.Expectation], verdict: tuple[str, str, str]
) -> None:
    """Effects and deadlines are compared as a whole."""
    plan, scenario = bundled_plans()["sagemaker"], outlast.scenarios("sagemaker")["restarted-on-what-remains"]
    at = 8 * HOUR - MINUTE
    claims = tuple(change(item) if item.at == at and item.machine == "job" else item for item in scenario.expect)
    run = run_scenario(plan, attrs.evolve(scenario, expect=claims))

    assert [verdict] == [(item.about, item.wanted, item.seen) for item in run.verdicts if item.status == "failed"]


def test_a_step_that_is_refused_fails() -> None:
    """Every step of a story must be accepted, unless it says otherwise; what should be refused must be."""
    plan, scenario = bundled_plans()["sagemaker"], outlast.scenarios("sagemaker")["the-range-of-the-duration"]
    turned = tuple(
        attrs.evolve(step, refused=not step.refused) for step in scenario.steps if isinstance(step, model.Say)
    )
    run = run_scenario(plan, attrs.evolve(scenario, steps=turned, expect=()))

    assert len(turned) == len([verdict for verdict in run.verdicts if verdict.status == "failed"])
    assert ("refused", "accepted") == (run.verdicts[4].wanted, run.verdicts[4].seen)


def test_what_does_not_fit_is_told_before_anything_runs() -> None:
    """A story for another system is refused with all its problems."""
    scenario = outlast.scenarios("tour")["one-cup"]
    with pytest.raises(SpecError) as refused:
        run_scenario(bundled_plans()["tcp"], scenario)

    assert {"unknown-machine"} <= {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize("resolve", ["earliest", "seed:1"])
@pytest.mark.parametrize(("name", "file"), TOLD)
def test_stories_end_under_other_terms(name: str, file: Path, resolve: str) -> None:
    """However upper bounds are resolved, every story can be told to its end."""
    run = run_scenario(bundled_plans()[name], outlast.load_scenario(file), terms=Terms(resolve=resolve))

    assert run.moments


ZERO = """
machine: m
events: {go: {}, stay: {}}
effects: {first: {}, second: {}}
states: {a: {}, b: {}, c: {}}
transitions:
  - {id: go, from: a, event: go, to: b, do: [{emit: first}]}
  - {id: at-once, from: b, after: 0s, to: c, do: [{emit: second}]}
  - {id: stay, from: c, event: stay}
"""


def test_what_happens_between_two_steps_of_one_instant_is_told() -> None:
    """Timers due between two things said at one instant are moments of the story like any other."""
    story = """
scenario: two-at-once
given: {m x: {}}
steps: [{at: 1s, m x: go}, {at: 1s, m x: stay}]
expect: [{at: 1s, m x: c, effects: [first, second]}]
"""
    scenario, problems = read_scenario(story, "two-at-once.yaml")
    assert scenario is not None, problems
    run = run_scenario(plan_of(ZERO), scenario)

    assert ["x start: -", "x go: go", "x after 0s: at-once", "x stay: stay"] == told(
        *(item.step for item in run.moments)
    )
    assert run.ok
