"""The oracle itself, by small tables worked out by hand from the text of the Recommendation.

A macrostep is told as `EVENT: taken -exited +entered; …`, the microsteps separated by `;`, then what was emitted.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.oracle.appendix_d import Microstep, Trace, Unsupported, nameMatch, run


def told(trace: Trace) -> str:
    """Say a macrostep in one line."""
    steps = "; ".join(map(step_told, trace.microsteps)) or "-"
    return f"{trace.event or 'start'}: {steps}" + (" | " + " ".join(trace.effects) if trace.effects else "")


def step_told(step: Microstep) -> str:
    """Say a microstep: the transitions, then the states exited and entered, in their order."""
    return " ".join([*step.transitions, *("-" + name for name in step.exited), *("+" + name for name in step.entered)])


def machine(text: str) -> dict[str, Any]:
    """Read the text of a machine and let all its states say when they are entered and exited."""
    data: dict[str, Any] = yaml.safe_load(text)
    make_loud(data["states"])
    return data


def make_loud(states: dict[str, Any]) -> None:
    """Let every state emit `+NAME` when entered and `-NAME` when exited, after what it says itself."""
    for name, state in states.items():
        if "history" not in state:
            state["entry"] = [*state.get("entry", []), {"emit": "+" + name}]
            state["exit"] = [*state.get("exit", []), {"emit": "-" + name}]
        make_loud(state.get("states") or state.get("regions") or {})


def quiet(text: str, events: str = "") -> list[str]:
    """Run a machine whose states emit nothing of their own."""
    return [told(trace) for trace in run(yaml.safe_load(text), events.split())]


INITIAL = """
initial-transition: {to: [c, f], do: [{emit: begin}]}
states:
  a: {}
  p:
    regions:
      r: {states: {b: {}, c: {states: {d: {}, e: {initial: true}}}}}
      s: {states: {f: {}, g: {}}, initial-transition: {to: g, do: [{emit: never}]}}
      t: {states: {h: {states: {i: {}, j: {}}}}, initial-transition: {to: j, do: [{emit: deep}]}}
"""


def test_the_initial_configuration_is_entered_in_document_order() -> None:
    """Explicit targets skip the defaults of their ancestors; a region nobody targets is entered by default (3.6)."""
    [start] = run(machine(INITIAL), [])

    assert told(start).startswith("start: +p +r +c +e +s +f +t +h +j | begin +p +r +c +e +s +f +t deep +h +j")
    assert start.configuration == ("p", "r", "c", "e", "s", "f", "t", "h", "j")


HISTORY = """
states:
  a:
    entry: [{{emit: in-a}}]
    initial-transition: {{to: {initial}, do: [{{emit: initial}}]}}
    states:
      h: {{history: {kind}, to: b, do: [{{emit: default}}]}}
      b: {{}}
      c: {{states: {{d: {{}}, e: {{states: {{f: {{}}, g: {{}}}}}}}}}}
  z: {{}}
transitions:
  - {{id: deeper, from: a, event: deeper, to: g}}
  - {{id: leave, from: a, event: leave, to: z}}
  - {{id: back, from: z, event: back, to: h}}
  - {{id: enter, from: z, event: enter, to: a}}
  - {{id: again, from: a, event: again, to: h}}
  - {{id: inner, from: b, event: inner, to: h}}
"""


@pytest.mark.parametrize(
    ("kind", "initial", "events", "expected"),
    [
        ("deep", "b", "deeper leave back", "back: back -z +a +c +e +g | in-a"),
        ("shallow", "b", "deeper leave back", "back: back -z +a +c +d | in-a"),
        ("shallow", "b", "leave back", "back: back -z +a +b | in-a"),
        # the initial transition leads to the history: its content first, then the history's default (test 579)
        ("deep", "h", "", "start: +a +b | in-a initial default"),
        # with a value, the ancestors of what is restored are entered, and the default has nothing to say
        ("deep", "h", "deeper leave enter", "enter: enter -z +a +c +e +g | in-a initial"),
        ("shallow", "h", "deeper leave enter", "enter: enter -z +a +c +d | in-a initial"),
        # the value is written down while the source, which is also the parent, is exited
        ("deep", "b", "deeper again", "again: again -g -e -c -a +a +c +e +g | in-a"),
        ("shallow", "b", "deeper again", "again: again -g -e -c -a +a +c +d | in-a"),
        # no value yet and the parent is not entered: Appendix D never reaches the content of the default transition
        ("deep", "b", "inner", "inner: inner -b +b"),
    ],
)
def test_history(kind: str, initial: str, events: str, expected: str) -> None:
    """A history leads back to the children (shallow) or leaves (deep) that were active when its parent was exited."""
    assert quiet(HISTORY.format(kind=kind, initial=initial), events)[-1] == expected


INSIDE = """
states:
  s:
    initial-transition: {to: [b, e]}
    states:
      h: {history: deep, to: c}
      p:
        regions:
          r: {states: {a: {states: {b: {}, c: {}}}}}
          q: {states: {d: {}, e: {}}}
transitions:
  - {id: back, from: b, event: back, to: h}
"""


@pytest.mark.parametrize(
    ("literal", "entered", "configuration"),
    [
        (False, ("c",), ("s", "p", "r", "a", "c", "q", "e")),
        (True, ("p", "r", "a", "c", "q", "d"), ("s", "p", "r", "a", "c", "q", "d", "e")),
    ],
)
def test_a_history_of_what_is_not_exited(
    literal: bool, entered: tuple[str, ...], configuration: tuple[str, ...]
) -> None:
    """Only what was exited is entered; to the letter, Appendix D would leave two children of a region active."""
    trace = run(yaml.safe_load(INSIDE), ["back"], literal=literal)[1]

    [step] = trace.microsteps
    assert (step.exited, step.entered, trace.configuration) == (("b",), entered, configuration)


def test_the_domain_follows_what_the_history_stands_for() -> None:
    """With a value inside the same composite as the source, that composite is not exited; with the default it is."""
    text = """
states:
  s: {states: {x: {}, h: {history: deep, to: x}, a: {states: {b: {}, c: {}}}}}
transitions:
  - {id: to-c, from: s, event: c, to: c}
  - {id: to-b, from: s, event: b, to: b, internal: true}
  - {id: back, from: b, event: back, to: h}
"""
    assert quiet(text, "b back")[-1] == "back: back -b -a +x"
    # the first `c` leads to c; the second exits s while c is active, and so writes c down
    assert quiet(text, "c c b back")[-1] == "back: back -b +c"


def test_the_default_of_a_history_acts_after_the_entry_of_its_parent() -> None:
    """3.10: its content is executed after the parent's `onentry` and before the children are entered."""
    text = """
states:
  z: {}
  a: {states: {b: {}, c: {}, h: {history: deep, to: c, do: [{emit: default}]}}}
transitions: [{id: t, from: z, event: go, to: h, do: [{emit: t}]}]
"""
    assert told(run(machine(text), ["go"])[1]) == "go: t -z +a +c | -z t +a default +c"


PARALLEL = """
states:
  p:
    regions:
      r: {{states: {{a: {{}}, b: {{}}}}}}
      s: {{states: {{c: {{}}, d: {{}}}}}}
      u: {{}}
  z: {{}}
transitions: [{rows}]
"""
ROWS = [
    # both regions move; the exits in reverse document order, the entries in document order
    (["{id: c-d, from: c, event: x, to: d}", "{id: a-b, from: a, event: x, to: b}"], "a-b c-d -c -a +b +d", []),
    # one leaves the parallel state: the state that stands first wins
    (["{id: c-z, from: c, event: x, to: z}", "{id: a-b, from: a, event: x, to: b}"], "a-b -a +b", [("c-z", "a-b")]),
    (
        ["{id: c-d, from: c, event: x, to: d}", "{id: a-z, from: a, event: x, to: z}"],
        "a-z -u -c -s -a -r -p +z",
        [("c-d", "a-z")],
    ),
    # a transition of an ancestor was selected first: the descendant of its source wins all the same
    (["{id: p-z, from: p, event: x, to: z}", "{id: c-d, from: c, event: x, to: d}"], "c-d -c +d", [("p-z", "c-d")]),
    # without a target nothing is exited, so nothing conflicts
    (["{id: a-, from: a, event: x}", "{id: c-z, from: c, event: x, to: z}"], "a- c-z -u -c -s -a -r -p +z", []),
    # the ancestor's transition is selected by two states and taken once
    (["{id: p-, from: p, event: x}"], "p-", []),
    (["{id: both, from: [c, a], event: x}"], "both both", []),
    # several targets; the region that has none is entered by default
    (["{id: p-bd, from: p, event: x, to: [d, b]}"], "p-bd -u -c -s -a -r -p +p +r +b +s +d +u", []),
    # a target in another region leaves and re-enters the parallel state: no ancestor below it is compound
    (["{id: a-d, from: a, event: x, to: d}"], "a-d -u -c -s -a -r -p +p +r +a +s +d +u", []),
    # a region that is a leaf can be left for itself: the domain is above the parallel state
    (["{id: u-u, from: u, event: x, to: u}"], "u-u -u -c -s -a -r -p +p +r +a +s +c +u", []),
]


@pytest.mark.parametrize(("rows", "expected", "preempted"), ROWS)
def test_transitions_of_parallel_regions(rows: list[str], expected: str, preempted: list[tuple[str, str]]) -> None:
    """Transitions with disjoint exit sets are taken together; of two that conflict, one is preempted (3.13)."""
    _, trace = run(yaml.safe_load(PARALLEL.format(rows=", ".join(rows))), ["x"])

    [step] = trace.microsteps
    assert step_told(step) == expected
    assert list(step.preempted) == preempted


def test_the_preempted_do_not_preempt() -> None:
    """A transition that loses to a descendant no longer stands in the way of a third one."""
    text = """
states:
  p:
    regions:
      q: {regions: {r: {states: {a: {}}}, s: {states: {b: {}, c: {}}}}}
      u: {states: {d: {}, e: {}}}
transitions:
  - {id: outer, from: p, event: x, to: p}
  - {id: b-c, from: b, event: x, to: c}
  - {id: d-e, from: d, event: x, to: e}
"""
    [step] = run(yaml.safe_load(text), ["x"])[1].microsteps
    assert step_told(step) == "b-c d-e -d -b +c +e"
    assert step.preempted == (("outer", "b-c"),)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("from: a, to: c, internal: true", "t -b +c"),
        ("from: a, to: c", "t -b -a +a +c"),
        ("from: a, to: a, internal: true", "t -b -a +a +b"),
        ("from: a, to: z, internal: true", "t -b -a +z"),
        ("from: a", "t"),
        ("from: b, to: b", "t -b +b"),
        ("from: b, to: a", "t -b -a +a +b"),
    ],
)
def test_internal_and_external(row: str, expected: str) -> None:
    """An internal transition stays in its composite source when all its targets are inside it (3.13)."""
    text = f"{{states: {{a: {{states: {{b: {{}}, c: {{}}}}}}, z: {{}}}}, transitions: [{{id: t, event: x, {row}}}]}}"
    assert quiet(text, "x")[1] == f"x: {expected}"


def test_an_internal_transition_of_a_parallel_state_is_external() -> None:
    """Only a compound source can be the domain of its own transition."""
    text = """
states: {p: {regions: {r: {states: {a: {}, b: {}}}, s: {}}}}
transitions: [{id: t, from: p, event: x, to: b, internal: true}]
"""
    assert quiet(text, "x")[1] == "x: t -s -a -r -p +p +r +b +s"


DONE = """
states:
  p:
    regions:
      r: {states: {a: {}, ra: {final: true}}}
      q:
        states:
          n:
            regions:
              s: {states: {b: {}, sb: {final: true}}}
              u: {states: {c: {}, uc: {final: true}}}
          qn: {final: true}
  z: {}
transitions:
  - {id: a, from: a, event: x, to: ra}
  - {id: b, from: b, event: [x, y], to: sb}
  - {id: c, from: c, event: y, to: uc}
  - {id: r-done, from: r, done: r}
  - {id: s-done, from: s, done: s}
  - {id: n-done, from: n, done: n, to: qn}
  - {id: q-done, from: q, done: q}
  - {id: p-done, from: p, done: p, to: z}
"""


def test_done_in_nested_parallel() -> None:
    """A parallel state is done with its last region (3.7); its parent's region only by a final state of its own."""
    assert quiet(DONE, "x y") == [
        "start: +p +r +a +q +n +s +b +u +c",
        "x: a b -b -a +ra +sb; r-done; s-done",
        # done.state.u, done.state.n; then the final state beside n: done.state.q, done.state.p
        "y: c -c +uc; n-done -uc -u -sb -s -n +qn; q-done; p-done -qn -q -ra -r -p +z",
    ]


@pytest.mark.parametrize(
    ("events", "done"),
    [
        # the text asks only for the grandparent of the final state that was entered: nobody says that p is done
        ("x y", ["r", "s", "q"]),
        # but when the last final state is that of u, the whole tree below p is asked
        ("y x", ["u", "p"]),
    ],
)
def test_a_parallel_state_that_is_itself_a_region(events: str, done: list[str]) -> None:
    """Whether its parent becomes done depends, in Appendix D, on which region comes last."""
    text = """
states:
  p:
    regions:
      q: {regions: {r: {states: {a: {}, ra: {final: true}}}, s: {states: {b: {}, sb: {final: true}}}}}
      u: {states: {c: {}, uc: {final: true}}}
transitions:
  - {id: c, from: c, event: x, to: uc}
  - {id: a, from: a, event: y, to: ra}
  - {id: b, from: b, event: y, to: sb}
  - {id: any, from: p, event: done.state}
"""
    trace = run(yaml.safe_load(text), events.split())[2]
    assert trace.configuration == ("p", "q", "r", "ra", "s", "sb", "u", "uc")
    assert [step.event for step in trace.microsteps[1:]] == ["done.state." + name for name in done]


def test_the_machine_is_done() -> None:
    """At a top-level final state the queue is forgotten and everything is exited, but can still be read."""
    text = """
fields: {n: {type: int, default: 0}}
states:
  a: {states: {b: {}}}
  f: {final: true, entry: [{raise: x}, {emit: in}], exit: [{if: {self: f}, do: [{set: {n: n + 1}}]}, {emit: out}]}
transitions: [{id: t, from: b, event: go, to: f}, {id: never, from: a, event: x}]
"""
    traces = run(yaml.safe_load(text), ["go", "x"])

    assert [told(trace) for trace in traces] == ["start: +a +b", "go: t -b -a +f | in out", "x: -"]
    assert [trace.done for trace in traces] == [False, True, True]
    assert traces[1].configuration == traces[2].configuration == ("f",)
    assert traces[2].fields == {"n": 1}


def test_inner_before_outer_and_file_order_within_a_state() -> None:
    """The innermost state with an enabled transition decides, and there the first row in the file (3.13)."""
    text = """
fields: {n: {type: int, default: 0}}
states: {a: {states: {b: {}}}}
transitions:
  - {id: outer, from: a, event: x}
  - {id: not-yet, from: b, event: x, when: {n: {at-least: 9}}}
  - {id: first, from: b, event: x, when: {n: {below: 1}}, do: [{set: {n: 1}}]}
  - {id: second, from: b, event: x, when: {n: {below: 2}}, do: [{set: {n: n + 2}}]}
"""
    assert quiet(text, "x x x") == ["start: +a +b", "x: first", "x: second", "x: outer"]


def test_eventless_before_internal_before_external() -> None:
    """A macrostep takes eventless transitions first, then the internal queue in order, then waits (3.13)."""
    text = """
fields: {n: {type: int, default: 0}}
states: {a: {entry: [{raise: b}, {raise: c}]}}
transitions:
  - {id: eventless, from: a, when: {n: {below: 2}}, do: [{set: {n: n + 1}}, {emit: e}]}
  - {id: on-b, from: a, event: b, do: [{set: {n: n - 1}}, {emit: b}]}
  - {id: on-c, from: a, event: c, do: [{emit: c}]}
"""
    start, trace = run(yaml.safe_load(text), ["c"])
    assert told(start) == "start: +a; eventless; eventless; on-b; eventless; on-c | e e b e c"
    assert [step.event for step in start.microsteps] == [None, None, None, "b", None, "c"]
    assert told(trace) == "c: on-c | c"


def test_content_of_transitions_is_executed_between_exits_and_entries() -> None:
    """All exits, then the content of all transitions in the order of the states that selected them, then all entries."""
    rows = "{id: s, from: s, event: x, to: d, do: [{emit: s}], internal: true}, {id: a, from: a, event: x, to: b, do: [{emit: a}]}"
    assert told(run(machine(PARALLEL.format(rows=rows)), ["x"])[1]) == "x: a s -c -a +b +d | -c -a a s +b +d"


def test_in_asks_for_the_configuration_at_the_moment() -> None:
    """A state is active during its own entry and exit actions; children are entered later and exited earlier."""
    text = """
states:
  a:
    entry: [{if: {self: a}, do: [{emit: a-in-a}]}, {if: {self: b}, do: [{emit: wrong}]}]
    exit: [{if: {self: b}, do: [{emit: wrong}], else: [{emit: b-gone}]}, {if: {self: a}, do: [{emit: a-out-a}]}]
    states: {b: {exit: [{if: {all: [{self: a}, {self: b}]}, do: [{emit: both}]}]}}
  z: {}
transitions: [{id: t, from: a, event: x, to: z, do: [{if: {not: {self: a}}, do: [{emit: nowhere}]}]}]
"""
    assert quiet(text, "x") == ["start: +a +b | a-in-a", "x: t -b -a +z | both b-gone a-out-a nowhere"]


@pytest.mark.parametrize(
    ("actions", "effects", "fields"),
    [
        ("{set: {n: 2}}, {emit: e}", ["e"], {"n": 2, "m": 0}),
        ("{set: {n: n + 3}}, {emit: e}", ["error"], {"n": 0, "m": 0}),
        ("{set: {n: n - 1}}, {emit: e}", ["error"], {"n": 0, "m": 0}),
        ("{emit: e}, {set: {m: 7, n: 3}}, {emit: f}", ["e", "error"], {"n": 0, "m": 7}),
        ("{if: {n: 0}, do: [{set: {n: 3}}, {emit: e}]}, {emit: f}", ["error"], {"n": 0, "m": 0}),
        ("{set: {m: n + 1}}, {set: {n: m + 1}}, {emit: e}", ["e"], {"n": 2, "m": 1}),
    ],
)
def test_a_value_out_of_range(actions: str, effects: list[str], fields: dict[str, int]) -> None:
    """It is not assigned, the rest of the block is left out, and `error.execution` is raised (5.9)."""
    text = f"""
fields: {{n: {{type: int, default: 0, min: 0, max: 2}}, m: {{type: int, default: 0}}}}
states: {{a: {{entry: [{actions}]}}}}
transitions: [{{id: t, from: a, event: error, do: [{{emit: error}}]}}]
"""
    [start] = run(yaml.safe_load(text), [])
    assert (list(start.effects), start.fields) == (effects, fields)


GUARDS = [
    ("{n: 1}", True),
    ("{n: [0, 2]}", False),
    ("{n: {at-least: 1}, k: red}", True),
    ("{n: {at-least: 1, below: 1}}", False),
    ("{n: {below: 2}}", True),
    ("{n: {below: 1}}", False),
    ("{k: [green, red]}", True),
    ("{k: {not: red}}", False),
    ("{f: false}", True),
    ("{self: a}", True),
    ("{self: [z, b]}", True),
    ("{self: z}", False),
    ("{not: {self: z, f: false}}", True),
    ("{all: [{n: 1}, {f: true}]}", False),
    ("{any: [{n: 0}, {not: {f: true}}]}", True),
    ("[{n: 1}, {k: green}]", False),
]


@pytest.mark.parametrize(("guard", "holds"), GUARDS)
def test_guards(guard: str, holds: bool) -> None:
    """The structured form of guards: a mapping is *and*, a list of values is any of them."""
    text = f"""
fields: {{n: {{type: int, default: 1}}, k: {{enum: [red, green], default: red}}, f: {{type: bool, default: false}}}}
states: {{a: {{states: {{b: {{}}}}}}, z: {{}}}}
transitions: [{{id: t, from: b, event: x, when: {guard}}}]
"""
    assert quiet(text, "x")[1] == ("x: t" if holds else "x: -")


@pytest.mark.parametrize(
    ("descriptors", "name", "expected"),
    [
        (["a"], "a", True),
        (["a"], "a.b", True),
        (["a"], "ab", False),
        (["a.b"], "a", False),
        (["a.b"], "a.b.c", True),
        (["a.*"], "a", True),
        (["a."], "a.b", True),
        (["*"], "done.state.s1", True),
        (["b", "a"], "a", True),
        (["done.state.s1"], "done.state.s10", False),
        ([], "a", False),
    ],
)
def test_descriptors(descriptors: list[str], name: str, expected: bool) -> None:
    """Descriptors match by whole tokens, as prefixes (3.12.1)."""
    assert nameMatch(descriptors, name) is expected


@pytest.mark.parametrize(
    ("row", "event", "steps"),
    [("from: a", None, 7), ("from: a, event: x, do: [{raise: x}]", "x", 7)],
)
def test_an_endless_macrostep_is_marked(row: str, event: str | None, steps: int) -> None:
    """Eventless or internal events without end stop at the limit, and so does the run."""
    text = f"{{states: {{a: {{}}}}, transitions: [{{id: t, {row}}}]}}"
    traces = run(yaml.safe_load(text), [event, "y"] if event else ["y"], limit=steps)
    assert (traces[-1].event, traces[-1].endless, len(traces[-1].microsteps)) == (event, True, steps)
    assert not any(trace.endless for trace in traces[:-1])


@pytest.mark.parametrize(
    "text",
    [
        "{states: {a: {spawn: {r: m}}}}",
        "{states: {a: {}}, transitions: [{id: t, from: a, after: 1s}]}",
        "{states: {a: {}}, transitions: [{id: t, from: a, when: n > 1}]}",
        "{states: {a: {entry: [{emit: {e: {x: 1}}}]}}}",
    ],
)
def test_what_it_does_not_know_is_refused(text: str) -> None:
    """An oracle that guesses is none."""
    with pytest.raises(Unsupported):
        run(yaml.safe_load(text), [])
