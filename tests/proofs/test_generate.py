"""Tables made from a specification: what they cover, what they kill, and that every way of running a system passes them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from outlast import load, loading
from outlast.errors import LimitExceeded, MisuseError, UnknownName
from outlast.model import Happen
from outlast.plan import Plan
from outlast.proofs.conformance.implementations import runner_at
from outlast.proofs.conformance.judging import run_cases
from outlast.proofs.conformance.reading import FittedCase, fit, read_suite
from outlast.proofs.conformance.writing import format_suite, write_suite
from outlast.proofs.coverage import Coverage
from outlast.proofs.generate import Cover, Generated, generate
from outlast.proofs.generate.goals import Goal
from outlast.proofs.mutants import fates
from outlast.proofs.timed import composed, successors
from outlast.proofs.timed.composed import compose
from outlast.run import System
from tests.proofs.lamps import LAMP, planned
from tests.proofs.random_systems import random_system
from tests.proofs.ticks import SHORT

RUNNERS = ("system", "compiled", "step", "restore", "transitions")
CLAUSES = "clauses: [{id: L-1, says: A lamp can be lit.}]\n"
CITED = LAMP.replace("to: lit}", "to: lit, because: L-1}")


@cache
def generated(cover: Cover) -> Generated:
    """A table for the shipped system."""
    compositions = ["one-job"] if cover == "boundaries" else []
    return generate(load("sagemaker"), cover, compositions=compositions, system="sagemaker")


def fitted(plan: Plan, found: Generated) -> tuple[FittedCase, ...]:
    """Its cases as a reader of the text gets them."""
    text = write_suite(found.suite)
    suite, problems = read_suite(text, "generated.yaml")
    assert suite is not None
    assert not problems
    return fit(plan, suite)


def wrong(cases: tuple[FittedCase, ...], runner: str) -> list[str]:
    """The failures in words."""
    return ["\n".join(result.lines()) for result in run_cases(cases, runner_at(runner)) if result.status != "passed"]


# ---- the shipped system


@pytest.mark.parametrize("cover", ["transitions", "boundaries"])
@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_passes(cover: Cover, runner: str) -> None:
    """The table says what the system does, whoever runs it."""
    assert wrong(fitted(load("sagemaker"), generated(cover)), runner) == []


def test_all_rows_and_mutants() -> None:
    """All rows are taken, and every change of one row makes a case fail."""
    plan, found = load("sagemaker"), generated("transitions")
    cases = fitted(plan, found)
    coverage = Coverage(plan)
    assert wrong(cases, "system") == []
    for _ in run_cases(cases, runner_at("system", coverage.watch)):
        pass

    assert (72, 72) == found.count("transition")
    assert coverage.not_taken == ()
    told = list(fates(plan, cases))
    assert len(told) == 155
    assert [str(fate.mutant) for fate in told if fate.killer is None] == []


def test_boundaries_have_both_sides() -> None:
    """Each timer is looked at a second before, at and a second after its time, and meets an event of the same moment."""
    found = generated("boundaries")
    cases = {str(case.id): case for case in found.suite.cases}

    assert ((4, 4), (4, 4)) == (found.count("timer"), found.count("value"))
    grace = cases["timer.job.grace-over.time"].steps[-3:]
    assert [1_000_000, 1_000_000] == [late.at - early.at for early, late in pairwise(grace)]
    assert ["grace-period", "failed"] == [step.then.claims[0].states[0] for step in grace[:2]]
    tie = cases["timer.job.grace-over.tie"].steps
    assert [step.refused for step in tie[-2:]] == [True, False]
    refused = [step for case in cases.values() for step in case.steps if step.refused]
    assert len(refused) >= 6


def test_the_same_table_again() -> None:
    """The same specification gives the same text, in canonical form, with ids that are used once."""
    again = generate(load("sagemaker"), "boundaries", compositions=["one-job"], system="sagemaker")
    text = write_suite(again.suite)

    assert text == write_suite(generated("boundaries").suite)
    assert format_suite(text) == text
    ids = [str(case.id) for case in generated("transitions").suite.cases]
    assert len(set(ids)) == len(ids)


def test_readings_are_said() -> None:
    """A row that asks for another reading has a case under that reading."""
    under = {reading for case in generated("transitions").suite.cases for reading in case.under}

    assert {("A-02", "pin"), ("A-15", "edge"), ("A-03", "fresh"), ("A-05", "rescue")} <= under


# ---- small systems


def lamps(folder: Path, *, lamp: str = CITED, also: str = "") -> Plan:
    """The lamps, with a clause to cite."""
    planned(
        folder,
        "  - {id: fine, of: lamp, always: self is dark or self is not dark, says: It is so.}\n",
        lamp=lamp,
        also=also,
    )
    path = folder / "system.yaml"
    path.write_text(path.read_text("utf-8").replace("actors:", CLAUSES + "actors:"), encoding="utf-8")
    return loading.load(folder)


MISSING = [  # a row more, what is said of it
    ("", []),
    ("  - {id: late, from: lit, after: 9m, to: broken}\n", ["lamp.late: comes too late: only with other durations"]),
    ("  - {id: never, from: dim, event: press, when: count > 3, to: dark}\n", ["lamp.never: cannot be reached in two"]),
]


@pytest.mark.parametrize(("row", "reasons"), MISSING)
def test_what_is_missing_has_a_reason(tmp_path: Path, row: str, reasons: list[str]) -> None:
    """What cannot be reached is listed, and never looked for for ever."""
    found = generate(lamps(tmp_path, lamp=CITED + row), "transitions")

    assert reasons == [f"{item.goal.machine}.{item.goal.name}: {item.reason}" for item in found.missing]


def test_pairs(tmp_path: Path) -> None:
    """Two rows of one instance, one after the other, whatever others do meanwhile; not two that cannot follow each other."""
    found = generate(lamps(tmp_path), "pairs")

    pairs = {goal.name for goal in found.covered if (goal.kind, goal.machine) == ("pair", "lamp")}
    assert {"on off", "off on", "on fade", "fade out", "out on", "tune on", "tune tune"} <= pairs
    assert not {"on out", "fade off", "off out"} & pairs
    assert {"worry relax", "worry give-up"} <= {goal.name for goal in found.covered if goal.machine == "watcher"}
    assert wrong(fitted(lamps(tmp_path), found), "step") == []


def test_pairs_of_rows_that_change_nothing_or_follow_at_once(tmp_path: Path) -> None:
    """A row that leaves everything as it was can be the first of two; so can one that another follows within the same step."""
    rows = "  - {id: idle, from: dark, event: kick}\n  - {id: mend, from: broken, when: count == 0, to: dark}\n"
    found = generate(lamps(tmp_path, lamp=CITED + rows), "pairs")

    pairs = {goal.name for goal in found.covered if (goal.kind, goal.machine) == ("pair", "lamp")}
    assert {"idle on", "idle idle", "kicked@lit mend", "mend idle"} <= pairs
    assert "kicked@lit idle" not in pairs


def test_a_budget_is_told(tmp_path: Path) -> None:
    """What was not come to is not said to be impossible."""
    found = generate(lamps(tmp_path), "transitions", budget=1)

    assert {item.reason for item in found.missing} == {"not come to: more than 1 zones"}


def test_nothing_to_walk_in(tmp_path: Path) -> None:
    """A system without compositions, and a composition that is not there, are misuse."""
    (tmp_path / "lamp.yaml").write_text(LAMP.replace(" {by: hand}", " {}").replace("by: hand, ", ""), encoding="utf-8")
    with pytest.raises(MisuseError, match="no composition"):
        generate(loading.load(tmp_path / "lamp.yaml"), "states")
    with pytest.raises(UnknownName):
        generate(load("sagemaker"), "states", compositions=["one-jab"])


SHORT_LIVED = """
machine: lamp
fields: {age: {type: int, default: 0}}
events: {press: {}}
states: {dark: {}, lit: {}, warm: {}}
transitions:
  - {id: again, from: dark, event: press, when: age == 1, to: warm}
  - {id: on, from: dark, event: press, to: lit, because: L-1}
  - {id: out, from: lit, within: 9m, to: dark}
  - {id: warm, from: lit, after: long, to: warm}
  - {id: cool, from: warm, event: press, do: [{set: {age: 1}}], to: dark}
"""
SYSTEM = (
    "system: lamps\nmachines: [lamp]\nclauses: [{id: L-1, says: A lamp can be lit.}]\nconstants: {long: {value: 20m}}\n"
)
ONE = "compositions: {one: {given: {lamp a: {}}}}\n"
BOTH = "compositions: {one: {given: {lamp a: {}}}, short: {constants: {long: 2m}, given: {lamp a: {}}}}\n"


def short_lived(folder: Path, compositions: str, lamp: str = SHORT_LIVED) -> Plan:
    """A lamp that warms up after a long time, in which it has gone out again."""
    (folder / "lamp.yaml").write_text(lamp, encoding="utf-8")
    (folder / "system.yaml").write_text(SYSTEM + compositions, encoding="utf-8")
    return loading.load(folder)


def test_constants_are_said(tmp_path: Path) -> None:
    """What only a composition with other constants comes to is covered there, and the case says them; every runner follows."""
    alone = generate(short_lived(tmp_path, ONE), "transitions")
    plan = short_lived(tmp_path, BOTH)
    found = generate(plan, "transitions")
    said = {str(case.id): dict(case.constants) for case in found.suite.cases}

    assert ["again", "warm", "cool"] == [item.goal.name for item in alone.missing]
    assert not found.missing
    assert [] == [str(name) for name, constants in said.items() if ("warm" in name) != bool(constants)]
    for runner in RUNNERS:
        assert wrong(fitted(plan, found), runner) == []


def test_a_row_that_is_taken_only_if_another_comes_early(tmp_path: Path) -> None:
    """It is covered, with the moment of the other; every runner follows."""
    lamp = SHORT_LIVED.replace("after: long", "after: 5m")
    plan = short_lived(tmp_path, ONE, lamp)
    found = generate(plan, "transitions")

    assert not found.missing
    (case,) = [case for case in found.suite.cases if str(case.id).startswith("transition.lamp.out")]
    assert [step.cue.row for step in case.steps if isinstance(step.cue, Happen)] == ["out"]
    for runner in RUNNERS:
        assert wrong(fitted(plan, found), runner) == []


def test_boundaries_of_a_within_row(tmp_path: Path) -> None:
    """At its bound, and as early as it can come: at the moment it begins to wait."""
    plan = short_lived(tmp_path, ONE)
    cases = {str(case.id): case for case in generate(plan, "boundaries").suite.cases}
    pressed, came = cases["timer.lamp.out.early"].steps

    assert isinstance(came.cue, Happen)
    assert (came.cue.at, came.cue.row) == (pressed.at, "out")
    assert [step.at - pressed.at for step in cases["timer.lamp.out.time"].steps[1:]] == [
        539_000_000,
        540_000_000,
        541_000_000,
    ]


@pytest.fixture
def _soon_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes on for long at one instant need not go on for long."""
    monkeypatch.setattr(composed, "LIMITS", SHORT)
    monkeypatch.setattr(successors, "LIMITS", SHORT)


def rows_met(plan: Plan, seed: int) -> set[Goal]:
    """The rows that runs take in which anything is said at any time."""
    random, found = Random(seed), set[Goal]()
    whole = compose(plan, plan.compositions["all"])
    for _ in range(30):
        system = System(plan, terms=SHORT)
        whole.begin(system)
        for _ in range(12):
            said = random.choice(whole.said)
            steps = [*system.advance(random.choice([0, 0, 1, 2, 3]))]
            if said.to in system.world:
                step = system.send(said.to, said.event.name, by=said.event.by)
                steps += [step, *step.caused]
            found |= {
                Goal("transition", one.after.machine, key)
                for one in steps
                for micro in one.microsteps
                for key in micro.transitions
            }
    return found


@pytest.mark.usefixtures("_soon_endless")
def test_random_systems() -> None:
    """Each row that runs at random take is covered, and the table holds however it is run."""
    compared = 0
    for seed in range(1, 29):  # in the first something goes on for ever at one instant
        plan = random_system(seed)
        try:
            found, met = generate(plan, "transitions", budget=100), rows_met(plan, seed)
        except LimitExceeded:
            continue
        if any(item.reason.startswith("not come to") for item in found.missing):
            continue
        compared += 1
        assert met <= set(found.covered), seed
        for runner in ("system", "step", "restore"):
            assert wrong(fit(plan, found.suite), runner) == [], seed

    assert compared >= 15
