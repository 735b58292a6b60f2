"""Questions about guards that trying out leaves open: the solver, held to trying out and to the evaluation itself."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast.language import read_machine
from outlast.loading import check
from outlast.model import System
from outlast.place import Word
from outlast.plan import compile_system
from outlast.plan.linear import Undecided
from outlast.plan.overlap import Moment, example
from outlast.plan.tables import Plan
from outlast.proofs import solver
from outlast.proofs.statics import Decider
from tests.plan.test_overlap import GUARDS, STORIES, guard, moment, possible


@settings(max_examples=120, deadline=None)
@given(GUARDS, GUARDS, st.sampled_from(["dark", "lit", "dim"]), st.booleans())
def test_the_solver_is_what_trying_everything_says(one: str, two: str, active: str, both: bool) -> None:
    """Z3, the search and the evaluation of every moment there can be agree on whether there is an example."""
    goals = ([guard(one), guard(two)], []) if both else ([guard(one)], [guard(two)])
    expected = possible(one, two, active, both=both)

    assert (solver.example(moment(active), *goals) is not None) == expected
    assert (Decider()(moment(active), *goals) is not None) == expected


@pytest.mark.parametrize(("one", "two", "story"), STORIES)
def test_the_solver_tells_it_in_the_same_words(one: str, two: str, story: str | None) -> None:
    """The values that were needed, as an author writes them, and no others."""
    assert solver.example(moment("dark"), [guard(one), guard(two)]) == story


SUMS = """
machine: sums
fields:
  x: {type: int, min: -3, max: 3, default: 0}
  y: {type: int, min: -3, max: 3, default: 0}
  z: {type: int, min: -3, max: 3, default: 0}
events: {go: {}}
states: {a: {}}
transitions:
"""


def plan_of(text: str) -> Plan:
    """The plan of one machine."""
    machine, problems = read_machine(text, "m.yaml")
    assert machine
    assert not problems
    plan, wrong = compile_system(System(Word("s"), machines=(machine,)))
    assert not wrong
    return plan


WEIGHTS = st.tuples(*[st.integers(-9, 9)] * 3, st.integers(-20, 20))


@settings(max_examples=60, deadline=None)
@given(st.lists(WEIGHTS, min_size=2, max_size=5))
def test_uneven_sums_are_decided(rows: list[tuple[int, int, int, int]]) -> None:
    """Where weights differ, eliminating variables leaves a gap. The decider has none."""
    guards = " and ".join(f"{a} * x + {b} * y + {c} * z <= {d}" for a, b, c, d in rows)
    plan = plan_of(f"{SUMS}  - {{id: t, from: a, event: go, when: {guards}}}\n")
    machine = plan.machines["sums"]
    row = machine.transitions[0]
    assert row.guard
    expected = any(
        all(a * x + b * y + c * z <= d for a, b, c, d in rows) for x, y, z in product(range(-3, 4), repeat=3)
    )
    decider = Decider()

    found = decider(Moment(plan.machines, machine, {}, row.source), [row.guard.expr])

    assert (found is not None) == expected
    assert decider.remark is None


TANGLED = """
machine: tangled
fields:
{fields}
events: {{go: {{payload: {{wait: {{type: duration, min: 0s}}}}}}}}
states: {{a: {{}}, b: {{final: true}}}}
transitions:
  - {{id: few, from: a, event: go, when: {few}, to: b}}
  - {{id: many, from: a, event: go, when: {many}}}
"""


def tangled() -> str:
    """Two guards that together put six pigeons into five holes."""
    pigeons, holes = range(6), range(5)
    names = [f"p{pigeon}{hole}" for pigeon in pigeons for hole in holes]
    everybody = [f"({' or '.join(f'p{pigeon}{hole}' for hole in holes)})" for pigeon in pigeons]
    alone = [
        f"not (p{one}{hole} and p{two}{hole})" for hole in holes for one in pigeons for two in pigeons if one < two
    ]
    return TANGLED.format(
        fields="\n".join(f"  {name}: {{type: bool, default: false}}" for name in names),
        few=" and ".join([*everybody, *alone[:30], "event.wait > 15m"]),
        many=" and ".join([*alone[30:], "not (event.wait < 15m)"]),
    )


@pytest.fixture
def hard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose guards are too many to try out; patience is short here, since none is enough."""
    monkeypatch.setattr("outlast.plan.overlap.MOST_STEPS", 2_000)
    file = tmp_path / "tangled.yaml"
    file.write_text(tangled())
    return file


def test_what_is_too_much_to_try_out_is_decided(hard: Path) -> None:
    """With the solver nothing is left open: these two never hold at once, though that takes an argument."""
    decider = Decider()

    found = check(hard, decider)

    assert [problem.code for problem in found.problems] == ["guard-gap"]
    assert decider.remark is None


def test_without_the_solver_it_is_said_what_is_left_open(hard: Path) -> None:
    """How many questions, and what would answer them; each one counts once."""
    decider = Decider(solver=lambda: None)

    found = check(hard, decider)

    assert [problem.code for problem in found.problems] == [
        "guard-gap",
        "overlap-undecided",
    ]
    assert decider.remark == (
        "2 questions about guards left open: pip install 'outlast[check]' brings a solver for them"
    )


def test_an_example_is_in_the_words_of_the_author() -> None:
    """Durations with their units, words of enums, states of others; found where the search gives up."""
    fields = "\n".join(f"  n{number}: {{type: int, min: 0, default: 0}}" for number in range(12))
    weights = " + ".join(f"{2 * number + 3} * n{number}" for number in range(12))
    text = f"""
machine: m
fields:
{fields}
  wait: {{type: duration, min: 15m, step: 1m, default: 15m}}
  kind: {{enum: [training, processing], default: training}}
events: {{go: {{}}}}
states: {{a: {{}}}}
transitions:
  - {{id: t, from: a, event: go, when: "{weights} == 1000003 and 7 * wait > 2h and kind != training"}}
"""
    plan = plan_of(text)
    row = plan.machines["m"].transitions[0]
    assert row.guard

    found = solver.example(Moment(plan.machines, plan.machines["m"], {}, row.source), [row.guard.expr])

    assert found
    facts = dict(fact.split(" is ") for fact in found.split(", "))
    assert facts["kind"] == "processing"
    assert facts["wait"].endswith("m")
    assert sum((2 * number + 3) * int(facts[f"n{number}"]) for number in range(12)) == 1000003


def test_many_regions(tmp_path: Path) -> None:
    """Configurations too many to list are a few rules about states."""
    regions = "".join(f"r{number}: {{states: {{x{number}: {{}}, y{number}: {{}}}}}}, " for number in range(14))
    somewhere = " and ".join(f"self is x{number}" for number in range(14))
    file = tmp_path / "m.yaml"
    file.write_text(f"""
machine: m
events: {{go: {{}}, turn: {{}}}}
states: {{all: {{regions: {{{regions}}}}}, end: {{final: true}}}}
transitions:
  - {{id: a, from: all, event: go, when: {somewhere}, to: end}}
  - {{id: b, from: all, event: go, when: not ({somewhere}) }}
  - {{id: turn, from: all, event: turn, to: [{", ".join(f"y{number}" for number in range(14))}]}}
""")
    without, within = Decider(solver=lambda: None), Decider()

    assert [problem.code for problem in check(file, without).problems] == ["overlap-undecided"]
    assert check(file, within).problems == ()


def test_what_the_solver_cannot_do_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its refusal is the decider's."""

    def hopeless(*_: object) -> str | None:
        raise Undecided

    monkeypatch.setattr("outlast.plan.overlap.MOST_STEPS", 0)
    decider = Decider(solver=lambda: hopeless)
    for _ in range(2):
        with pytest.raises(Undecided):
            decider(moment("dark"), [guard("n > 1")])

    assert decider.remark == "1 question about guards left open: too hard to decide here"


CHAINED = [
    """
machine: person
states: {here: {}, away: {}}
""",
    """
machine: lamp
refs: {owner: person}
states: {off: {}, on: {}}
""",
    """
machine: room
refs: {lamp: {machine: lamp, optional: true}}
events: {go: {}}
states: {a: {}}
transitions:
  - {id: one, from: a, event: go, when: lamp is absent}
  - {id: two, from: a, event: go, when: lamp.owner is here}
""",
]


def test_a_chain_that_is_broken_early_leads_nowhere() -> None:
    """Without a lamp there is no owner of it; the search and the solver know both."""
    machines = []
    for number, text in enumerate(CHAINED):
        machine, problems = read_machine(text, f"{number}.yaml")
        assert machine
        assert not problems
        machines.append(machine)
    plan, wrong = compile_system(System(Word("s"), machines=tuple(machines)))
    assert not wrong
    room = plan.machines["room"]
    one, two = (row.guard.expr for row in room.transitions if row.guard)
    here = Moment(plan.machines, room, {}, 0)

    assert [decide(here, [one, two]) for decide in (example, solver.example)] == [
        None,
        None,
    ]
    assert [decide(here, [two]) for decide in (example, solver.example)] == ["lamp is present, lamp.owner is here"] * 2
