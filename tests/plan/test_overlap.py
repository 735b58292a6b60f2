"""Whether guards can hold at once: the decision against trying everything, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast import model
from outlast.expr import Context, Expr, Value, compiled, parse, resolve
from outlast.language import read_machine
from outlast.place import Word
from outlast.plan import Plan, compile_system
from outlast.plan.linear import Linear, Undecided, solve
from outlast.plan.overlap import Moment, configurations, example
from outlast.plan.scope import Header, MachineScope, Report, World
from outlast.plan.tables import Field

WATCHED = """
machine: lamp
fields:
  power: {type: int, min: 0, max: 2, default: 0}
  warm: {type: bool, default: false}
states:
  off: {}
  on:
    regions:
      brightness: {states: {low: {}, high: {}}}
      colour: {states: {red: {}, blue: {}}}
"""
WATCHING = """
machine: room
fields:
  a: {type: bool, default: true}
  b: {type: bool, optional: true}
  kind: {enum: [x, y, z], default: x}
  n: {type: int, min: 0, max: 4, default: 0}
  even: {type: int, min: 2, max: 6, step: 2, default: 2}
  maybe: {type: int, min: 0, max: 3, optional: true}
  word: {type: string, default: "''"}
refs:
  lamp: {machine: lamp, optional: true}
events:
  tick: {payload: {size: {type: int, min: 1, max: 3}, spare: {type: int, min: 0, max: 2, optional: true}}}
states:
  dark: {}
  lit: {states: {dim: {}, bright: {}}}
transitions:
  - {id: look, from: dark, event: tick, when: lamp is on and lamp.power > 1, to: lit}
"""


@cache
def the_plan() -> Plan:
    """Both machines, with one assumption."""
    machines = []
    for name, text in (("lamp", WATCHED), ("room", WATCHING)):
        machine, problems = read_machine(text, f"{name}.yaml")
        assert machine
        assert not problems
        machines.append(machine)
    assumption = model.Assumption(Word("A-1"), "Which?", ((Word("this"), ""), (Word("that"), "")), Word("this"))
    plan, wrong = compile_system(model.System(Word("house"), machines=tuple(machines), assumptions=(assumption,)))
    assert not wrong
    return plan


def guard(text: str) -> Expr:
    """A resolved guard of the room."""
    plan = the_plan()
    headers = {}
    for source in plan.source.machines:
        machine = plan.machines[source.name]
        states = tuple(state.name for state in machine.states)
        headers[str(source.name)] = Header(
            source, dict(machine.fields), dict(machine.refs), dict(machine.events), states, {}
        )
    headers["room"].slots.update({path: number for number, path in enumerate(plan.machines["room"].slots)})
    report = Report()
    world = World(headers, {}, {"A-1": ("this", "that")}, report)
    scope = MachineScope(world, headers["room"], plan.machines["room"].events["tick"].payload)
    found = resolve(parse(text), scope, report)
    assert found is not None, report.problems
    return found


def moment(active: str | None = None) -> Moment:
    """The room hearing a tick."""
    plan = the_plan()
    room = plan.machines["room"]
    number = room.numbers[active] if active else None
    return Moment(plan.machines, room, plan.assumptions, number, room.events["tick"].payload)


# ---- the decision


@attrs.frozen
class Other:
    """An instance as a guard sees it."""

    configuration: tuple[str, ...]
    values: tuple[Value, ...]


def values_of(field: Field) -> list[Value]:
    """Every value of a field with a small domain."""
    if field.type.kind == "string":
        return ["", "p", "q", "other"]
    if field.type.kind == "bool":
        found: list[Value] = [False, True]
    elif field.type.kind == "enum":
        found = list(field.type.words)
    else:
        assert field.minimum is not None
        assert field.maximum is not None
        found = list(range(field.minimum, field.maximum + 1, field.step or 1))
    return [*found, None] if field.optional else found


def everything(text: str, active: str) -> Iterator[Context]:
    """Every moment there can be, as far as the text asks for it; what it does not name stands still."""
    plan = the_plan()
    room, lamp = plan.machines["room"], plan.machines["lamp"]

    named = set(re.findall(r"[A-Za-z][\w.-]*", text))

    def some(name: str, values: list[Value]) -> list[Value]:
        return values if name in named else values[:1]

    own = [some(name, values_of(field)) for name, field in room.fields.items()]
    sizes = some("event.size", [1, 2, 3])
    spares = some("event.spare", [0, 1, 2, None])
    readings = ["this", "that"] if "A-1" in text else ["this"]
    here = [part for part in configurations(room, frozenset(room.numbers)) if active in part]
    there: list[Other | None] = [None]
    if "lamp" in text:
        fields = [some(f"lamp.{name}", values_of(field)) for name, field in lamp.fields.items()]
        states = configurations(lamp, frozenset(lamp.numbers))
        there += [Other(tuple(part), values) for part in states for values in product(*fields)]
    for values in product(*own):
        for size, spare, reading, other, part in product(sizes, spares, readings, there, here):
            yield Context(values, {"size": size, "spare": spare}, part, [other], {"A-1": reading})


NUMBERS = ["n", "even", "maybe", "event.size", "event.spare", "lamp.power"]
CONSTANTS = [str(number) for number in range(-1, 8)]
ORDERS = ["==", "!=", "<", "<=", ">", ">="]
SIMPLE = st.sampled_from(
    [
        "a",
        "b",
        "b == a",
        "b != a",
        "a == lamp.warm",
        "lamp.warm",
        "b is present",
        "maybe is absent",
        "event.spare is present",
        "lamp is present",
        "lamp is off",
        "lamp is on",
        "lamp is low",
        "lamp is [high, red]",
        "lamp is not blue",
        "lamp.power is present",
        "self is dim",
        "self is lit",
        "self is not bright",
        "kind == x",
        "kind != y",
        "kind in [x, z]",
        "A-1 is this",
        "word == 'p'",
        "word in ['p', 'q']",
        "n in [1, maybe, 4]",
        "a == (n > 2)",
    ]
)
TERMS = st.one_of(
    st.sampled_from(NUMBERS),
    st.builds("{} + {}".format, st.sampled_from(NUMBERS), st.sampled_from(CONSTANTS)),
    st.builds("{} - {}".format, st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
    st.builds("{} * {}".format, st.sampled_from(["-1", "2", "(1 + 2)"]), st.sampled_from(NUMBERS)),
)
COMPARISONS = st.builds("{} {} {}".format, TERMS, st.sampled_from(ORDERS), st.one_of(st.sampled_from(CONSTANTS), TERMS))
GUARDS = st.recursive(
    st.one_of(SIMPLE, COMPARISONS),
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=5,
)


def possible(one: str, two: str, active: str, *, both: bool) -> bool:
    """By trying everything: whether `one` can hold while `two` holds too, or does not."""
    first, second = compiled(guard(one)), compiled(guard(two))
    return any(bool(first(context)) and bool(second(context)) == both for context in everything(f"{one} {two}", active))


@settings(max_examples=150, deadline=None)
@given(GUARDS, GUARDS, st.sampled_from(["dark", "lit", "dim"]), st.booleans())
def test_the_decision_is_what_trying_everything_says(one: str, two: str, active: str, both: bool) -> None:
    """The search finds an example exactly when there is one."""
    goals = ([guard(one), guard(two)], []) if both else ([guard(one)], [guard(two)])
    try:
        found = example(moment(active), *goals)
    except Undecided:
        return  # allowed where numbers are multiplied; see the next test

    assert (found is not None) == possible(one, two, active, both=both)


DIFFERENCES = st.builds(
    "{} {} {} + {}".format,
    st.sampled_from(["n", "maybe", "event.size", "lamp.power"]),
    st.sampled_from(ORDERS),
    st.sampled_from(["n", "maybe", "event.size", "event.spare"]),
    st.sampled_from(CONSTANTS),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(DIFFERENCES, min_size=2, max_size=4))
def test_differences_are_always_decided(texts: list[str]) -> None:
    """Comparisons of two numbers and a distance leave nothing open."""
    text = " and ".join(texts)

    found = example(moment("dark"), [guard(text)])

    assert (found is not None) == possible(text, "true", "dark", both=True)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda weights, constant: Linear.of(dict(zip("xyz", weights, strict=True)), constant),
            st.tuples(*[st.integers(-3, 3)] * 3),
            st.integers(-9, 9),
        ),
        max_size=6,
    )
)
def test_whole_numbers(rows: list[Linear]) -> None:
    """A solution solves; where there is none within a box, none is found within it."""
    box = [Linear.of({name: 1}, -3) for name in "xyz"] + [Linear.of({name: -1}, -3) for name in "xyz"]
    exists = any(
        all(row.at(dict(zip("xyz", point, strict=True))) <= 0 for row in rows)
        for point in product(range(-3, 4), repeat=3)
    )
    try:
        found = solve([*rows, *box])
    except Undecided:
        return

    assert (found is not None) == exists
    assert found is None or all(row.at(found) <= 0 for row in [*rows, *box])


# ---- what it says

STORIES = [  # one              other                     the example
    ("a", "kind == x", "a is true, kind is x"),
    ("a", "not a", None),
    ("n < 2", "n > 2", None),
    ("n < 2", "n <= 3", "n is 0"),
    ("n < maybe", "maybe < n + 1", None),
    ("n + even <= 2", "n == 0", "even is 2, n is 0"),
    ("even == 3", "true", None),
    ("maybe is absent", "maybe < 2", None),
    ("maybe is absent", "maybe != 2", "maybe is absent"),
    ("lamp is low", "lamp is blue", "lamp is low + blue"),
    ("lamp is low", "lamp is high", None),
    ("lamp is off", "lamp is on", None),
    ("lamp is not on", "lamp is not off", "lamp is absent"),
    ("lamp.power > 1", "lamp is absent", None),
    ("lamp.power > 1", "lamp is off", "lamp is off, lamp.power is 2"),
    ("A-1 is this", "A-1 is that", None),
    ("A-1 is this", "event.size > 2", "A-1 is this, event.size is 3"),
    ("self is lit", "true", None),
    ("word == 'p'", "word != 'q'", "word is 'p'"),
    ("true", "true", ""),
]


@pytest.mark.parametrize(("one", "two", "story"), STORIES)
def test_the_example_names_what_matters(one: str, two: str, story: str | None) -> None:
    """In the state `dark`: the values that were needed, as an author writes them."""
    found = example(moment("dark"), [guard(one), guard(two)])

    assert found == story


def test_a_state_implies_its_ancestors_and_its_own_children() -> None:
    """A configuration is a whole one: with a parallel state, a child of every region."""
    lamp = the_plan().machines["lamp"]

    parts = configurations(lamp, frozenset(lamp.numbers), lamp.numbers["red"])

    assert sorted(map(sorted, parts)) == [
        ["brightness", "colour", "high", "on", "red"],
        ["brightness", "colour", "low", "on", "red"],
    ]
