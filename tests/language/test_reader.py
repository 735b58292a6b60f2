"""Text -> model: what each construct means, and that the structured forms mean what their text says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast import model
from outlast.catalog import specs, templates
from outlast.expr import BOOL, DURATION, INT, STRING, Expr, parse, render, tree
from outlast.language import is_scenario, read_clauses, read_machine, read_scenario, read_system, read_system_file
from outlast.language.expressions import condition
from outlast.language.nodes import compose
from outlast.language.source import from_text
from outlast.moments import HOUR, MINUTE, SECOND
from outlast.place import place_of

SYSTEMS = [*sorted(path.parent for path in specs().glob("*/system.yaml")), templates()]
SCENARIOS = sorted(path for system in SYSTEMS for path in (system / "scenarios").glob("*.yaml"))


def machine(text: str) -> model.Machine:
    """The machine of a sound text; the head and a state are added."""
    found, problems = read_machine(f"machine: m\nstates: {{a: {{}}}}\n{text}", "m.yaml")
    assert problems == []
    assert found
    return found


def row(text: str) -> model.Transition:
    """The transition `{id: t, from: a, …}`."""
    (found,) = machine(f"transitions:\n  - {{id: t, from: a, {text}}}\n").transitions
    return found


def state(text: str) -> model.State:
    """The state `s: …`."""
    found, problems = read_machine(f"machine: m\nstates:\n  s: {text}\n", "m.yaml")
    assert problems == []
    assert found
    return found.states[0]


def guard(text: str) -> Expr | None:
    """The tree of a guard in YAML."""
    source = from_text(text, "f")
    node = compose(source)
    assert node is not None
    found = condition(node, source, "when")
    assert source.problems == []
    return found


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.name)
def test_shipped_systems_read_without_a_problem(path: Path) -> None:
    """Every machine and clause of the bundled systems and of the template."""
    system, problems = read_system(path)

    assert problems == []
    assert system
    assert system.machines


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_shipped_scenarios_read_without_a_problem(path: Path) -> None:
    """Every scenario of the bundled systems and of the template."""
    scenario, problems = read_scenario(path)

    assert (problems, is_scenario(path)) == ([], True)
    assert scenario
    assert scenario.name == path.stem


GUARDS = [
    ("enabled", "enabled"),
    ('"enabled"', "enabled"),
    ("true", "true"),
    ("enabled and count < 3", "enabled and count < 3"),
    ("[enabled, count < 3]", "enabled and count < 3"),
    ("[enabled]", "enabled"),
    ("{session: signed-in}", "session is signed-in"),
    ("{session: [signed-in, expired]}", "session is [signed-in, expired]"),
    ("{session: {not: signed-in}}", "session is not signed-in"),
    ("{session: {not: [signed-in, expired]}}", "session is not [signed-in, expired]"),
    ("{A-02: pin}", "A-02 is pin"),
    ("{self: executing}", "self is executing"),
    ("{domain.effective: true}", "domain.effective == true"),
    ("{enabled: false}", "enabled == false"),
    ("{count: 3}", "count == 3"),
    ("{count: [1, 2]}", "count in [1, 2]"),
    ("{count: {not: 3}}", "not (count == 3)"),
    ("{name: \"'abc'\"}", "name == 'abc'"),
    ("{duration: 15m}", "duration == 15m"),
    ("{duration: center.length}", "duration == center.length"),
    ("{duration: {at-least: 15m}}", "duration >= 15m"),
    ("{duration: {at-most: limit}}", "duration <= limit"),
    ("{count: {above: 1, below: 2 * limit}}", "count > 1 and count < 2 * limit"),
    ("{limit: {is: present}}", "limit is present"),
    ("{limit: {is: absent}}", "limit is absent"),
    ("{not: {self: executing}}", "self is not executing"),
    ("{not: enabled}", "not enabled"),
    ("{any: [{session: signed-out}, {not: {self: executing}}, count > 3]}", "session is signed-out or self is not executing or count > 3"),
    ("{all: [enabled, ready]}", "enabled and ready"),
    ("{any: [enabled]}", "enabled"),
    (
        "{domain: tip-enabled, domain.effective: true, kind: [training, processing], max-runtime: {at-least: 15m}}",
        "domain is tip-enabled and domain.effective == true and kind is [training, processing] and max-runtime >= 15m",
    ),
    ("[{a: b}, {any: [c, d]}]", "a is b and (c or d)"),
]  # fmt: skip


@pytest.mark.parametrize(("structured", "text"), GUARDS)
def test_a_structured_guard_is_its_text(structured: str, text: str) -> None:
    """Both forms give the very same tree."""
    assert parse(text) == guard(structured)


@given(
    st.recursive(
        st.sampled_from(["enabled", "count > 3", "{session: signed-in}", "{count: {at-least: 1, not: 3}}"]),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"{{any: [{', '.join(parts)}]}}"),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
            inner.map(lambda part: f"{{not: {part}}}"),
        ),
        max_leaves=12,
    )
)
def test_any_structured_guard_can_be_told_as_text(structured: str) -> None:
    """What the structured form says, the text of its tree says too."""
    found = guard(structured)
    assert found

    assert found == parse(tree_text(found))


def tree_text(expr: Expr) -> str:
    """The text of a tree."""
    return render(expr)


VALUES = [
    ("3", tree.Literal(3, INT)),
    ("-3", tree.Literal(-3, INT)),
    ("0x10", tree.Literal(16, INT)),
    ("010", tree.Literal(10, INT)),
    ("true", tree.Literal(value=True, type=BOOL)),
    ("15m", tree.Literal(15 * MINUTE, DURATION)),
    ("1h 30m", tree.Literal(90 * MINUTE, DURATION)),
    ("PT15M", tree.Literal(15 * MINUTE, DURATION)),
    ("\"'abc'\"", tree.Literal("abc", STRING)),
    ("training", tree.Name(("training",))),
    ("yes", tree.Name(("yes",))),
    ("center.length", tree.Name(("center", "length"))),
    ("count + 1", parse("count + 1")),
    ('"count + 1"', parse("count + 1")),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_are_expressions(text: str, expected: Expr) -> None:
    """Numbers and truth values are what they are; any text is an expression, quoted or not."""
    assert row(f"do: [{{set: {{x: {text}}}}}]").actions == (model.Assign((("x", expected),)),)  # type: ignore[arg-type]  # a str equals its Word


ROWS = [
    ("event: x", model.OnEvent(("x",))),  # type: ignore[arg-type]
    ("event: [x, session.expired, a.*]", model.OnEvent(("x", "session.expired", "a.*"))),  # type: ignore[arg-type]
    ("event: '*'", model.OnEvent(("*",))),  # type: ignore[arg-type]
    ("after: 30s", model.After(tree.Literal(30 * SECOND, DURATION))),
    ("after: 2 * patience", model.After(parse("2 * patience"))),
    ("within: grace", model.Within(parse("grace"))),
    ("done: making", model.OnDone("making")),  # type: ignore[arg-type]
    ("when: ready", None),
]


@pytest.mark.parametrize(("text", "trigger"), ROWS)
def test_triggers(text: str, trigger: model.Trigger) -> None:
    """Each key of a trigger has its own meaning; none is an eventless transition."""
    assert trigger == row(text).trigger


def test_a_whole_transition() -> None:
    """One or several of what can be one or several, and everything else in its place."""
    found = row(
        "event: x, when: ready, to: [b, c], internal: true, do: [{raise: y}], about: Why., because: [C-1, C-2.1]"
    )

    assert found.targets == ("b", "c")
    assert found.guard == tree.Name(("ready",))
    assert found.internal
    assert found.actions == (model.Raise("y"),)  # type: ignore[arg-type]
    assert (found.about, found.because, found.refuse) == ("Why.", ("C-1", "C-2.1"), "")


ACTIONS = [
    ("set: {x: 1, y: x}", model.Assign((("x", parse("1")), ("y", parse("x"))))),  # type: ignore[arg-type]
    ("emit: done", model.Emit("done")),  # type: ignore[arg-type]
    ("emit: {done: {count: 3}}", model.Emit("done", (("count", parse("3")),))),  # type: ignore[arg-type]
    ("emit: {done: {}}", model.Emit("done")),  # type: ignore[arg-type]
    ("raise: {x: {y: z}}", model.Raise("x", (("y", parse("z")),))),  # type: ignore[arg-type]
    ("send: {event: x}", model.Send("x")),  # type: ignore[arg-type]
    (
        "send: {event: x, to: peer, after: 5s, with: {n: 1}, id: later}",
        model.Send("x", "peer", parse("5s"), (("n", parse("1")),), "later"),  # type: ignore[arg-type]
    ),
    ("cancel: later", model.Cancel("later")),  # type: ignore[arg-type]
    ("stop: child", model.Stop("child")),  # type: ignore[arg-type]
    ("spawn: {child: m}", model.Spawn("child", "m")),  # type: ignore[arg-type]
    (
        "spawn: {child: {machine: m, with: {n: 1}, refs: {parent: self}}}",
        model.Spawn("child", "m", (("n", parse("1")),), (("parent", "self"),)),  # type: ignore[arg-type]
    ),
    (
        "if: {x: y}, do: [{stop: child}], else: [{raise: z}]",
        model.If(parse("x is y"), (model.Stop("child"),), (model.Raise("z"),)),  # type: ignore[arg-type]
    ),
]


@pytest.mark.parametrize(("text", "action"), ACTIONS)
def test_actions(text: str, action: model.Action) -> None:
    """Every action in its forms."""
    assert row(f"do: [{{{text}}}]").actions == (action,)


STATES = [
    ("{}", "atomic"),
    ("{final: false}", "atomic"),
    ("{final: true}", "final"),
    ("{states: {t: {}}}", "composite"),
    ("{regions: {t: {}}}", "parallel"),
    ("{history: shallow, to: s}", "shallow-history"),
    ("{history: deep, to: s}", "deep-history"),
]


@pytest.mark.parametrize(("text", "kind"), STATES)
def test_kinds_of_states(text: str, kind: str) -> None:
    """The keys of a state say its kind."""
    assert kind == state(text).kind


def test_blocks_of_actions() -> None:
    """A list of actions is one block, a list of lists is several."""
    assert [len(block) for block in state("{entry: [{stop: x}, {stop: y}]}").entry] == [2]
    assert [len(block) for block in state("{exit: [[{stop: x}], [{stop: y}, {stop: z}]]}").exit] == [1, 2]
    assert state("{entry: []}").entry == ()


def test_where_a_history_and_a_composite_begin() -> None:
    """The default of a history stands in `to` and `do`, that of a composite in `initial-transition`."""
    entry = model.Entry(("a", "b"), (model.Stop("x"),))  # type: ignore[arg-type]

    assert state("{history: deep, to: [a, b], do: [{stop: x}]}").default == entry
    assert state("{states: {t: {}}, initial-transition: {to: [a, b], do: [{stop: x}]}}").default == entry


def test_short_forms() -> None:
    """A bare word is short for the record with only that."""
    long = machine("fields: {n: {type: int}}\nrefs: {r: {machine: o}}\nguards: {g: {that: n > 1}}\n")
    short = machine("fields: {n: int}\nrefs: {r: o}\nguards: {g: n > 1}\n")

    assert long == short


def test_names_know_their_place() -> None:
    """A later problem can point at any name, and at any part of a guard."""
    found = machine("transitions:\n  - {id: t, from: a, event: x, to: [b, c], when: 'x is y'}\n").transitions[0]

    assert [str(place_of(word)) for word in found.targets] == ["m.yaml:4:37", "m.yaml:4:40"]
    assert found.guard
    assert str(found.guard.place) == "m.yaml:4:51"
    assert isinstance(found.guard, tree.Is)
    assert str(found.guard.words[0].place) == "m.yaml:4:56"


ESCAPED = [("'x == ''y'' and z'", 22), (r'"x == \"y\" and z"', 22), ("x == 'y' and z", 19)]


@pytest.mark.parametrize(("text", "column"), ESCAPED)
def test_places_in_quoted_texts_are_exact(text: str, column: int) -> None:
    """Quotes and escapes count."""
    found = machine(f"guards:\n  g: {text}\n").guards[0].that

    assert isinstance(found, tree.All)
    assert found.parts[1].place
    assert column == found.parts[1].place.column


def test_a_text_over_several_lines_stands_where_it_begins() -> None:
    """All of a folded guard is at its first character."""
    found = machine("guards:\n  g: >-\n    x and\n    y\n").guards[0].that

    assert isinstance(found, tree.All)
    assert {str(part.place) for part in found.parts} == {"m.yaml:4:6"}


def test_what_is_sound_is_read_beside_problems() -> None:
    """Later phases get every row and state that can be understood."""
    text = "machine: m\nstats: {a: {}, b: [x]}\ntransitions:\n  - {form: a, when: x =, to: b}\n  - {id: u, from: 3}\n"
    found, problems = read_machine(text, "m.yaml")

    assert [problem.code for problem in problems] == [
        "unknown-key",
        "missing-key",
        "unknown-key",
        "bad-expression",
        "wrong-kind",
    ]
    assert found
    assert [state.name for state in found.states] == ["a"]
    assert [(row.id, row.sources, row.targets) for row in found.transitions] == [("?4:5", ("a",), ("b",))]


STORY = """
scenario: s
system: t
given:
  m one: {state: a, peer: two, n: 3}
  m two: {}
steps:
  - {at: 1h, m one: go}
  - {at: 1h, m one: {go: {n: 4}}, by: me, expect: refused}
  - {at: 2h, under: {A-1: yes}, new: {m three: {peer: one}}}
expect:
  - {at: 1h, m one: b, m two: {state: [a, c], n: 4, deadlines: {late: 1h 30m}}, effects: [done, done]}
  - {at: 2h, under: {A-1: yes}, effects: []}
  - {at: 3h, m one: {n: 5}}
"""


def test_a_whole_scenario() -> None:
    """Steps say an event or make an instance; a row of expectations is one for each instance, and one for the effects."""
    found, problems = read_scenario(STORY, "s.yaml")
    assert problems == []
    assert found

    assert found.system == "t"
    assert [(given.name, given.state, len(given.values)) for given in found.given] == [
        ("one", "a", 2),
        ("two", None, 0),
    ]
    say, refused, make = found.steps
    assert isinstance(say, model.Say)
    assert isinstance(refused, model.Say)
    assert isinstance(make, model.Make)
    assert (say.at, say.machine, say.name, say.event, say.refused) == (HOUR, "m", "one", "go", False)
    assert (refused.payload, refused.by, refused.refused) == ((("n", parse("4")),), "me", True)
    assert (make.given.name, make.under) == ("three", (("A-1", "yes"),))
    one, two, effects, nothing, last = found.expect
    assert (one.name, one.states, one.deadlines, one.effects) == ("one", ("b",), None, None)
    assert (two.states, two.deadlines) == (("a", "c"), (("late", 90 * MINUTE),))
    assert (effects.machine, effects.effects) == (None, ("done", "done"))
    assert (nothing.effects, nothing.under) == ((), (("A-1", "yes"),))
    assert (last.states, last.values) == ((), (("n", parse("5")),))


SYSTEM = """
system: s
document: {title: T, language: it, address: 'https://example.org'}
machines: [one, two]
clauses:
  - {id: C-1, says: So it is., section: "3.4", line: 12, reason: Because.}
actors: {me: {about: I.}, you: {}}
constants: {grace: {value: 15m, because: C-1}}
assumptions:
  A-1: {question: Is it?, readings: {yes: It is., no: It is not.}, default: yes, confidence: high, because: C-1}
"""


def test_a_whole_system_file() -> None:
    """Everything a system says beside its machines."""
    found, problems = read_system_file(SYSTEM, "system.yaml")
    assert problems == []
    assert found

    assert (found.machines, found.clauses) == (("one", "two"), None)
    system = found.system
    assert system.document == model.Document("T", "it", "https://example.org")
    assert system.clauses == (model.Clause("C-1", "So it is.", "3.4", 12, "Because."),)  # type: ignore[arg-type]
    assert [actor.about for actor in system.actors] == ["I.", ""]
    assert system.constants[0].value == parse("15m")
    assert system.assumptions[0].readings == (("yes", "It is."), ("no", "It is not."))
    assert read_clauses("- {id: C-1, says: x}\n", "c.yaml")[0] == (model.Clause("C-1", "x"),)  # type: ignore[arg-type]


# ---- files


def folder(tmp_path: Path, **files: str) -> Path:
    """A folder with these YAML files."""
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


GOOD = "machine: m\nstates: {a: {}}\n"


def test_a_machine_alone_is_a_system(tmp_path: Path) -> None:
    """A single file reads as a system of one machine."""
    system, problems = read_system(folder(tmp_path, m=GOOD) / "m.yaml")

    assert problems == []
    assert system
    assert (system.name, [machine.name for machine in system.machines]) == ("m", ["m"])


FOLDERS = [
    ({}, [("missing-file", "system.yaml", 1, 1)]),
    ({"system": "system: s\nmachines: [m]\n"}, [("missing-file", "system.yaml", 2, 12)]),
    ({"system": "system: s\nmachines: [n]\n", "n": GOOD}, [("wrong-file", "n.yaml", 1, 10)]),
    ({"system": "system: s\nmachines: [m]\nclauses: c.yaml\n", "m": GOOD}, [("missing-file", "system.yaml", 3, 10)]),
    (
        {"system": "system: s\nmachines: [m]\nclauses: c.yaml\nx: 1\n", "m": GOOD + "y: 1\n", "c": "- {id: C-1}\n"},
        [("missing-key", "c.yaml", 1, 3), ("unknown-key", "m.yaml", 3, 1), ("unknown-key", "system.yaml", 4, 1)],
    ),
    ({"system": GOOD}, []),
    ({"system": "machines: [m]\n", "m": GOOD}, [("missing-key", "system.yaml", 1, 1)]),
]


@pytest.mark.parametrize(("files", "expected"), FOLDERS)
def test_problems_of_all_files_of_a_system(
    tmp_path: Path, files: dict[str, str], expected: list[tuple[str, str, int, int]]
) -> None:
    """Each problem stands in the file it is in."""
    _, problems = read_system(folder(tmp_path, **files))
    places = [(one.code, one.place) for one in problems]

    assert expected == [(code, Path(place.file).name, place.line, place.column) for code, place in places if place]


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """Neither a path nor a link leads out of the folder of a system."""
    outside = tmp_path / "secret.yaml"
    outside.write_text(GOOD, "utf-8")
    inside = tmp_path / "system"
    inside.mkdir()
    (inside / "m.yaml").symlink_to(outside)
    (inside / "system.yaml").write_text(f"system: s\nmachines: [m, ../secret]\nclauses: {outside}\n", "utf-8")
    system, problems = read_system(inside)

    assert [problem.code for problem in problems] == ["outside-folder", "bad-name", "bad-name"]
    assert system
    assert system.machines == ()


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A folder where a file should be, say."""
    (tmp_path / "m.yaml").mkdir()
    (tmp_path / "system.yaml").mkdir()

    assert [problem.code for problem in read_system(tmp_path)[1]] == ["unreadable-file"]
    assert [problem.code for problem in read_machine(tmp_path / "m.yaml")[1]] == ["unreadable-file"]
