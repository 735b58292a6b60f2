"""Lint: small machines and the exact codes found in them, each at the word it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast.catalog import specs
from outlast.errors import Problem
from outlast.language import read_system
from outlast.plan import compile_system
from outlast.plan.lint import lint

SPECS = specs()


def found(folder: Path) -> tuple[Problem, ...]:
    """What lint says of the system in a folder, which has to compile."""
    system, problems = read_system(folder)
    assert system
    assert problems == []
    plan, unresolved = compile_system(system)
    assert unresolved == ()
    return lint(plan)


def codes(text: str, tmp_path: Path) -> list[str]:
    """`code at the word` for every problem in a machine."""
    file = tmp_path / "machine.yaml"
    file.write_text(text)
    return [f"{problem.code} {word_at(problem)}" for problem in found(file)]


def word_at(problem: Problem) -> str:
    """The word a problem points at."""
    assert problem.place
    line = Path(problem.place.file).read_text().splitlines()[problem.place.line - 1]
    return line[problem.place.column - 1 :].replace(",", " ").replace(":", " ").replace("}", " ").split()[0]


def machine(states: str, rows: list[str], more: str = "") -> str:
    """A machine with the events `go` and `stop`, of which both are heard."""
    written = "\n".join(f"  - {row}" for row in rows)
    return f"""
machine: m
events: {{go: {{payload: {{n: {{type: int, min: 0, max: 9}}}}}}, stop: {{}}}}
{more}
states: {states}
transitions:
  - {{id: hears, from: first, event: [go, stop], when: false, to: last}}
{written}
"""


BASE = "{first: {}, last: {final: true}}"
CASES: dict[str, tuple[str, list[str], str, list[str]]] = {  # states, rows, more, what is found
    # ---- guards of one state and event
    "both unguarded": (
        BASE,
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: first, event: go}"],
        "",
        ["overlapping-guards b"],
    ),
    "the order decides": (
        "{first: {choice: first}, last: {final: true}}",
        ["{id: a, from: first, event: go, when: event.n > 3, to: last}", "{id: b, from: first, event: go}"],
        "",
        [],
    ),
    "the order of the machine decides": (
        BASE,
        ["{id: a, from: first, event: go, when: event.n > 3, to: last}", "{id: b, from: first, event: go}"],
        "choice: first",
        [],
    ),
    "exclusive": (
        BASE,
        [
            "{id: a, from: first, event: go, when: event.n > 3, to: last}",
            "{id: b, from: first, event: go, when: event.n <= 3}",
        ],
        "",
        [],
    ),
    "one value in common": (
        BASE,
        [
            "{id: a, from: first, event: go, when: event.n >= 3, to: last}",
            "{id: b, from: first, event: go, when: event.n <= 3}",
        ],
        "",
        ["overlapping-guards b"],
    ),
    "a prefix and a star hear it too": (
        BASE,
        ["{id: a, from: first, event: stop, to: last}", "{id: b, from: first, event: '*'}"],
        "",
        ["overlapping-guards b"],
    ),
    "told once for several states": (
        "{first: {}, second: {}, last: {final: true}}",
        [
            "{id: a, from: [first, second], event: go, to: last}",
            "{id: b, from: [first, second], event: go, to: second}",
        ],
        "",
        ["overlapping-guards b"],
    ),
    "different events": (
        BASE,
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: first, event: stop}"],
        "",
        [],
    ),
    "inner rows simply come first": (
        "{first: {states: {inner: {}}}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: inner, event: go}"],
        "",
        [],
    ),
    "two eventless rows": (
        BASE,
        [
            "{id: a, from: first, when: f, to: last}",
            "{id: b, from: first, when: not f and not g, to: last}",
            "{id: c, from: first, when: g, to: last}",
        ],
        "fields: {f: bool, g: bool}",
        ["overlapping-guards c"],
    ),
    "timers are not compared": (
        BASE,
        ["{id: a, from: first, after: 1m, to: last}", "{id: b, from: first, within: 1m, to: last}"],
        "",
        [],
    ),
    "the source is active": (
        BASE,
        ["{id: a, from: first, event: go, when: self is last, to: last}", "{id: b, from: first, event: go, to: last}"],
        "",
        ["never-true self"],
    ),
    # ---- guards that decide nothing
    "always": (BASE, ["{id: a, from: first, event: go, when: event.n >= 0, to: last}"], "", ["always-true event.n"]),
    "never": (
        BASE,
        ["{id: a, from: first, event: go, when: event.n > 9, to: last}"],
        "",
        ["trap-state first", "unreachable-state last", "never-true event.n"],
    ),
    "a demand nobody meets": (
        BASE,
        ["{id: a, from: first, event: go, to: last}"],
        "fields: {f: {type: int, max: 3}}\nrequires: [{id: r, that: f > 3, says: No.}]",
        ["never-true f"],
    ),
    "a demand everybody meets": (
        BASE,
        ["{id: a, from: first, event: go, to: last}"],
        "fields: {f: {type: int, max: 3}}\nrequires: [{id: r, that: f <= 3, says: Yes.}]",
        ["always-true f"],
    ),
    # ---- rows that others hide
    "hidden": (
        "{first: {choice: first}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: first, event: go}"],
        "",
        ["dead-transition b"],
    ),
    "hidden by two together": (
        "{first: {choice: first}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, when: event.n < 5, to: last}",
            "{id: b, from: first, event: go, when: event.n > 3}",
            "{id: c, from: first, event: go, to: last}",
        ],
        "",
        ["dead-transition c"],
    ),
    "hidden for one of its events only": (
        "{first: {choice: first}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: first, event: [go, stop]}"],
        "",
        [],
    ),
    # ---- states
    "nothing leads there": (
        "{first: {}, lost: {states: {inner: {}, other: {}}}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: lost, event: go, to: last}"],
        "",
        ["unreachable-state lost"],
    ),
    "only a row that is never taken leads there": (
        "{first: {}, lost: {final: true}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: last}",
            "{id: b, from: first, event: stop, when: self is last, to: lost}",
        ],
        "",
        ["unreachable-state lost", "never-true self"],
    ),
    "the second child, by a row": (
        "{first: {states: {one: {}, two: {}}}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}", "{id: b, from: one, event: go, to: two}"],
        "",
        [],
    ),
    "regions are entered with their sister": (
        "{first: {}, both: {regions: {x: {states: {x1: {}, x2: {final: true}}}, y: {states: {y1: {}}}}}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: x2}", "{id: b, from: both, event: go, to: last}"],
        "",
        ["unreachable-state x1"],
    ),
    "no way out": (
        "{first: {}, stuck: {}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: stuck}", "{id: b, from: first, event: stop, to: last}"],
        "",
        ["trap-state stuck"],
    ),
    "round and round is no way out": (
        "{first: {}, stuck: {}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: stuck}",
            "{id: b, from: first, event: stop, to: last}",
            "{id: c, from: stuck, event: go, to: stuck}",
        ],
        "",
        ["trap-state stuck"],
    ),
    "an ancestor leads out": (
        "{first: {states: {inner: {}}}, last: {final: true}}",
        ["{id: a, from: first, event: go, to: last}"],
        "",
        [],
    ),
    # ---- eventless rows
    "a cycle of two": (
        "{first: {}, x: {}, y: {}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: x}",
            "{id: b, from: x, to: y}",
            "{id: c, from: y, to: x}",
            "{id: d, from: [x, y], event: stop, to: last}",
        ],
        "",
        ["eventless-cycle b"],
    ),
    "staying where it is": (
        BASE,
        ["{id: a, from: first}", "{id: b, from: first, event: go, to: last}"],
        "",
        ["eventless-cycle a"],
    ),
    "a guard may end it": (
        "{first: {}, x: {}, y: {}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: x}",
            "{id: b, from: x, to: y}",
            "{id: c, from: y, when: f, to: x}",
            "{id: d, from: [x, y], event: stop, to: last}",
        ],
        "fields: {f: bool}",
        [],
    ),
    "another row may end it": (
        "{first: {}, x: {choice: first}, y: {}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: x}",
            "{id: z, from: x, when: f, to: last}",
            "{id: b, from: x, to: y}",
            "{id: c, from: y, to: x}",
        ],
        "fields: {f: bool}",
        [],
    ),
    # ---- what never comes
    "left at once": (
        "{first: {}, brief: {}, last: {final: true}}",
        [
            "{id: a, from: first, event: go, to: brief}",
            "{id: b, from: brief, to: last}",
            "{id: c, from: brief, after: 1m, to: last}",
        ],
        "",
        ["timer-never-fires c"],
    ),
    "another timer is faster": (
        BASE,
        ["{id: a, from: first, after: 1m, to: last}", "{id: b, from: first, after: 2m, to: last}"],
        "",
        ["timer-never-fires b"],
    ),
    "another timer is faster, if asked": (
        BASE,
        ["{id: a, from: first, after: 1m, when: f, to: last}", "{id: b, from: first, after: 2m, to: last}"],
        "fields: {f: bool}",
        [],
    ),
    "never done": (
        "{first: {states: {one: {}}}, last: {final: true}}",
        ["{id: a, from: first, done: first, to: last}", "{id: b, from: first, event: go, to: last}"],
        "",
        ["dead-transition a"],
    ),
    "a region is never done": (
        "{first: {regions: {x: {states: {x1: {final: true}}}, y: {states: {y1: {}}}}}, last: {final: true}}",
        ["{id: a, from: first, done: first, to: last}", "{id: b, from: first, event: go, to: last}"],
        "",
        ["dead-transition a"],
    ),
    # ---- names
    "a field": (BASE, ["{id: a, from: first, event: go, to: last}"], "fields: {f: bool}", ["unused-field f"]),
    "a field that is only written": (
        BASE,
        ["{id: a, from: first, event: go, to: last, do: [{set: {f: true}}]}"],
        "fields: {f: bool}",
        ["unused-field f"],
    ),
    "an effect": (BASE, ["{id: a, from: first, event: go, to: last}"], "effects: {e: {}}", ["unused-effect e"]),
    "a guard": (
        BASE,
        ["{id: a, from: first, event: go, to: last}"],
        "fields: {f: bool}\nguards: {g: f, h: g}",
        ["unused-guard h"],
    ),
    "a ref": (BASE, ["{id: a, from: first, event: go, to: last}"], "refs: {r: m}", ["unused-ref r"]),
}


@pytest.mark.parametrize("name", CASES)
def test_one_machine(name: str, tmp_path: Path) -> None:
    """Exactly these, apart from the row every machine here has so that its events are heard."""
    states, rows, more, expected = CASES[name]

    assert [code for code in codes(machine(states, rows, more), tmp_path) if code != "never-true false"] == expected


def test_what_nobody_hears(tmp_path: Path) -> None:
    """An event without a row."""
    text = "machine: m\nevents: {go: {}, stop: {}}\nstates: {a: {}, b: {final: true}}\ntransitions: [{id: x, from: a, event: go, to: b}]"

    assert codes(text, tmp_path) == ["unused-event stop"]


def test_a_machine_without_events_has_no_traps(tmp_path: Path) -> None:
    """A state that only others look at may stand still."""
    assert codes("machine: m\nstates: {a: {}}", tmp_path) == []


SYSTEM = """
system: s
machines: [one, two]
actors: {somebody: {}, nobody: {}}
constants: {limit: {value: 3m}, longest: {value: limit + 1m}, idle: {value: 3}}
assumptions:
  A-1: {question: Which?, readings: {this: One., that: Two.}, default: this, confidence: low, because: C-3}
clauses:
  - {id: C-1, says: Cited.}
  - {id: C-2, says: Not cited.}
  - {id: C-3, says: Cited by an assumption.}
  - {id: C-4, says: Not cited., reference: Nothing follows.}
"""
ONE = """
machine: one
fields: {seen: {type: duration, default: 1m, max: longest}, asked: {type: bool, default: true}}
guards: {ready: asked}
events: {go: {by: somebody}}
states: {a: {}, b: {final: true}}
transitions:
  - {id: go, from: a, event: go, to: b, because: C-1}
  - {id: late, from: a, after: seen, to: b}
"""
TWO = """
machine: two
refs: {other: one}
events: {go: {by: somebody}}
states: {a: {}, b: {final: true}}
transitions:
  - {id: go, from: a, event: go, when: other.ready, to: b, because: C-1}
"""


def test_a_system(tmp_path: Path) -> None:
    """Other machines use names, too; constants use constants; clauses are owed a rule, and rules a clause."""
    for name, text in (("system", SYSTEM), ("one", ONE), ("two", TWO)):
        (tmp_path / f"{name}.yaml").write_text(text)

    assert [f"{problem.code} {word_at(problem)}" for problem in found(tmp_path)] == [
        "uncited-transition late",
        "unused-actor nobody",
        "unused-constant idle",
        "unused-assumption A-1",
        "uncited-clause C-2",
    ]


def test_an_overlap_is_told_in_words(tmp_path: Path) -> None:
    """Both rows by name, and a moment at which both hold."""
    rows = ["{id: a, from: first, event: go, when: event.n > 7, to: last}", "{id: b, from: first, event: go, when: f}"]
    (tmp_path / "m.yaml").write_text(machine(BASE, rows, "fields: {f: bool}"))

    told = [problem for problem in found(tmp_path / "m.yaml") if problem.code == "overlapping-guards"]

    assert [(problem.text, problem.severity) for problem in told] == [
        ("`a` and `b` compete in `first`: both hold when event.n is 8, f is true", "error")
    ]


@pytest.mark.parametrize(
    "path", sorted(path.parent for path in SPECS.glob("*/system.yaml")), ids=lambda path: path.name
)
def test_the_bundled_systems_are_clean(path: Path) -> None:
    """Nothing to say about what we ship."""
    assert found(path) == ()
