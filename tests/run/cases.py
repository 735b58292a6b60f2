"""Small machines whose every step is known: the order of things, where it is easiest to get wrong.

Each case is a function that asserts. `test_order.py` runs them; `test_mutations.py` breaks the interpreter and shows that they notice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from outlast import model
from outlast.bridge.scxml.document import parse
from outlast.bridge.scxml.lower import Machines
from outlast.language import read_machine
from outlast.plan import Plan, compile_system
from outlast.run import Instance, Step, System, SystemSnapshot

Case = Callable[[], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Note a case under its name, with dashes."""
    CASES[function.__name__.replace("_", "-")] = function
    return function


def compiled(*texts: str) -> Plan:
    """The plan of these machine files; effects and events that are only named are declared."""
    machines = []
    for text in texts:
        machine, problems = read_machine(text, "machine.yaml")
        assert machine is not None and not problems, problems
        machines.append(machine)
    plan, unresolved = compile_system(model.System(machines[0].name, machines=tuple(machines)))
    assert not unresolved, unresolved
    return plan


class Story:
    """A run whose effects are kept, in order, as `effect`, or `instance:effect` when there are several instances."""

    def __init__(self, *texts: str, **given: tuple[str, Mapping[str, str]]) -> None:
        """`given`: instance -> (machine, refs); default: one instance `x` of the first machine."""
        self.plan = compiled(*texts)
        self.system = System(self.plan)
        self.seen: list[str] = []
        self.many = bool(given) or len(texts) > 1
        cast = given or {"x": (next(iter(self.plan.machines)), {})}
        self.note(self.system.begin({name: (machine, refs, None) for name, (machine, refs) in cast.items()}))

    def note(self, steps: tuple[Step, ...]) -> None:
        """Keep what these steps told."""
        for step in steps:
            self.seen += [f"{step.instance}:{item.name}" if self.many else item.name for item in step.effects]

    def say(self, *events: str, to: str = "x") -> Story:
        """Say events to one instance."""
        for event in events:
            first = self.system.send(to, event)
            self.note((first, *first.caused))
        return self

    def wait(self, duration: str) -> Story:
        """Let time pass."""
        self.note(self.system.advance(duration))
        return self

    def told(self) -> str:
        """What was told since this was asked last."""
        said, self.seen = " ".join(self.seen), []
        return said

    def at(self, name: str = "x") -> Instance:
        """An instance."""
        return self.system[name]


def scxml(text: str, seconds: int = 10) -> str:
    """Where a document ends, and its log."""
    system_ = Machines(lambda name: name.encode()).system(
        parse(f'<scxml xmlns="http://www.w3.org/2005/07/scxml" {text}</scxml>', "case.scxml"), "x"
    )
    plan, problems = compile_system(system_)
    assert not problems, problems
    system = System(plan)
    steps = (*system.begin({"x": ("x", {}, None)}), *system.advance(f"{seconds}s"))
    log = [str(value) for step in steps for effect in step.effects for _, value in effect.payload if value is not None]
    return " ".join([*log, "->", system["x"].state])


# ---- what is exited, done and entered, and when

ORDER = """
machine: order
events: {go: {}, back: {}}
effects: {in-a: {}, in-p: {}, in-l: {}, in-l1: {}, in-r: {}, in-r1: {}, out-a: {}, out-p: {}, out-l: {}, out-l1: {}, out-r: {}, out-r1: {},
  act: {}, first: {}, back: {}}
states:
  a: {entry: [{emit: in-a}], exit: [{emit: out-a}]}
  p:
    entry: [{emit: in-p}]
    exit: [{emit: out-p}]
    regions:
      l:
        entry: [{emit: in-l}]
        exit: [{emit: out-l}]
        initial-transition: {to: l1, do: [{emit: first}]}
        states: {l1: {entry: [{emit: in-l1}], exit: [{emit: out-l1}]}}
      r:
        entry: [{emit: in-r}]
        exit: [{emit: out-r}]
        states: {r1: {entry: [{emit: in-r1}], exit: [{emit: out-r1}]}}
transitions:
  - {id: go, from: a, event: go, to: p, do: [{emit: act}]}
  - {id: back, from: r1, event: back, to: a, do: [{emit: back}]}
"""


@case
def entry_and_exit_order() -> None:
    """Parents before children, in document order; the other way round on the way out; actions between (3.13)."""
    story = Story(ORDER)
    assert story.told() == "in-a"
    assert story.say("go").told() == "out-a act in-p in-l first in-l1 in-r in-r1"
    assert story.say("back").told() == "out-r1 out-r out-l1 out-l out-p back in-a"


SELF = """
machine: self
events: {out: {}, inside: {}, still: {}}
effects: {in-c: {}, out-c: {}, in-k: {}, out-k: {}, did: {}}
states:
  c:
    entry: [{emit: in-c}]
    exit: [{emit: out-c}]
    states:
      k: {entry: [{emit: in-k}], exit: [{emit: out-k}]}
      m: {}
transitions:
  - {id: out, from: c, event: out, to: k}
  - {id: inside, from: c, event: inside, to: k, internal: true}
  - {id: still, from: c, event: still, do: [{emit: did}]}
"""


@case
def internal_and_external() -> None:
    """An internal row does not exit its source, an external one does, one without a target exits nothing (3.5)."""
    story = Story(SELF)
    story.told()
    assert story.say("inside").told() == "out-k in-k"
    assert story.say("out").told() == "out-k out-c in-c in-k"
    assert story.say("still").told() == "did"


# ---- which rows are taken

CONFLICT = """
machine: conflict
choice: first
events: {e: {}, f: {}, g: {}}
effects: {left: {}, right: {}, outer: {}, inner: {}, first: {}, second: {}}
states:
  p:
    regions:
      l: {states: {l1: {}, l2: {}}}
      r:
        regions:
          r1: {states: {r11: {}, r12: {}}}
          r2: {states: {r21: {}, r22: {}}}
  q: {}
transitions:
  - {id: le, from: l1, event: e, to: l2, do: [{emit: left}]}
  - {id: re, from: r, event: e, to: q, do: [{emit: right}]}
  - {id: pf, from: p, event: f, to: q, do: [{emit: outer}]}
  - {id: rf, from: r21, event: f, to: r22, do: [{emit: inner}]}
  - {id: g1, from: r11, event: g, to: r12, do: [{emit: first}]}
  - {id: g2, from: r11, event: g, to: q, do: [{emit: second}]}
"""


@case
def conflicts_between_regions() -> None:
    """Of two rows that exit a common state the earlier region's is taken, and a row of `r` is enabled by each of its leaves (3.13)."""
    story = Story(CONFLICT)
    assert story.say("e").told() == "left"
    assert story.at().states == ("p", "l", "l2", "r", "r1", "r11", "r2", "r21")


@case
def nested_conflicts() -> None:
    """An inner row preempts an outer one that another region enabled before it (3.13)."""
    story = Story(CONFLICT)
    assert story.say("f").told() == "inner"
    assert story.at().states == ("p", "l", "l1", "r", "r1", "r11", "r2", "r22")


@case
def rows_of_one_state() -> None:
    """The first enabled row of the file is taken (3.13)."""
    assert Story(CONFLICT).say("g").told() == "first"


PRIORITY = """
machine: priority
events: {e: {}, e.f: {}, ef: {}}
effects: {inner: {}, outer: {}, prefix: {}}
fields: {ready: {type: bool, default: false}}
states: {c: {states: {k: {}}}}
transitions:
  - {id: o, from: c, event: e, do: [{emit: outer}, {set: {ready: true}}]}
  - {id: i, from: k, event: e, when: ready, do: [{emit: inner}]}
  - {id: x, from: c, event: ef, do: [{emit: prefix}]}
"""


@case
def inner_before_outer() -> None:
    """The innermost state that has an enabled row decides; a guard that does not hold leaves it to the outer one (3.13)."""
    assert Story(PRIORITY).say("e", "e").told() == "outer inner"


@case
def guards_of_two_parts() -> None:
    """All parts of `and` hold, or it does not; one part of `or` is enough."""
    text = """
machine: parts
fields: {n: {type: int, default: 0}, flag: {type: bool, default: true}}
events: {both: {}, one: {}}
effects: {yes: {}, no: {}}
states: {s: {}}
transitions:
  - {id: both, from: s, event: both, when: n > 0 and flag, do: [{emit: yes}]}
  - {id: not-both, from: s, event: both, when: not (n > 0 and flag), do: [{emit: no}]}
  - {id: one, from: s, event: one, when: n > 0 or flag, do: [{emit: yes}]}
  - {id: none, from: s, event: one, when: not (n > 0 or flag), do: [{emit: no}]}
"""
    assert Story(text).say("both", "one").told() == "no yes"


@case
def descriptors_match_whole_tokens() -> None:
    """`e` matches `e` and `e.f`, not `ef` (3.12.1)."""
    assert Story(PRIORITY).say("ef", "e.f").told() == "prefix outer"


# ---- history

HISTORY = """
machine: history
events: {out: {}, shallow: {}, deep: {}, step: {}}
effects: {default: {}, seen: {}}
states:
  c:
    exit: [{if: self is k2, do: [{emit: seen}]}]
    states:
      hs: {history: shallow, to: d, do: [{emit: default}]}
      hd: {history: deep, to: d2}
      k: {states: {k1: {}, k2: {}}}
      d: {states: {d1: {}, d2: {}}}
  o: {initial: true}
transitions:
  - {id: out, from: c, event: out, to: o}
  - {id: shallow, from: o, event: shallow, to: hs}
  - {id: deep, from: o, event: deep, to: hd}
  - {id: step, from: [k1, d1], event: step, to: k2}
"""


@case
def history_default() -> None:
    """A history without memory takes its default, and only then its actions (3.10)."""
    story = Story(HISTORY)
    assert story.say("shallow").told() == "default" and story.at().state == "d1"
    assert story.say("step", "out", "shallow").told() == "" and story.at().state == "k1"
    assert Story(HISTORY).say("deep").at().state == "d2"


@case
def history_depth() -> None:
    """Deep history remembers leaves, shallow history children (3.10)."""
    story = Story(HISTORY).say("shallow", "step", "out", "deep")
    assert story.at().state == "k2"
    assert story.say("out", "shallow").at().state == "k1"


@case
def actions_of_an_exit_see_what_is_still_active() -> None:
    """A state leaves the configuration after its own exit actions: the children of `c` are gone when `c` is exited (3.13)."""
    assert Story(HISTORY).say("shallow", "step", "out").told() == "default"


# ---- done, and the two queues

DONE = """
machine: done
events: {l: {}, r: {}, own: {internal: true}, ext: {}}
effects: {l-done: {}, r-done: {}, p-done: {}, own: {}, ext: {}, idle: {}}
fields: {left: {type: bool, default: false}}
states:
  p:
    regions:
      pl: {states: {l1: {}, l2: {final: true, entry: [{raise: own}]}}}
      pr: {states: {r1: {}, r2: {final: true, entry: [{send: {event: ext}}]}}}
  end: {}
transitions:
  - {id: l, from: l1, event: l, to: l2}
  - {id: r, from: r1, event: r, to: r2}
  - {id: ld, from: p, done: pl, do: [{emit: l-done}, {set: {left: true}}]}
  - {id: rd, from: p, done: pr, do: [{emit: r-done}]}
  - {id: pd, from: p, done: p, do: [{emit: p-done}]}
  - {id: own, from: p, event: own, do: [{emit: own}]}
  - {id: ext, from: p, event: ext, do: [{emit: ext}]}
  - {id: idle, from: p, when: left, to: end, do: [{emit: idle}]}
"""


@case
def done_of_composite_and_parallel() -> None:
    """A region is done at once, the parallel state with its last region, after that region; what is raised is heard first (3.7)."""
    story = Story(DONE)
    assert story.say("r").told() == "r-done ext"
    assert story.say("l").told() == "own l-done idle"
    other = Story(
        DONE.replace("when: left", "when: left and self is q").replace("  end: {}", "  end: {states: {q: {}}}")
    )
    assert other.say("r", "l").told() == "r-done ext own l-done p-done"


QUEUES = """
machine: queues
events: {go: {}, a: {}, b: {}, c: {}}
effects: {a: {}, b: {}, c: {}, now: {}}
fields: {n: {type: int, default: 0, max: 1}}
states: {s: {}, t: {}, u: {}}
transitions:
  - {id: go, from: s, event: go, to: t, do: [{send: {event: a}}, {raise: b}, {raise: c}]}
  - {id: now, from: t, when: n == 0, do: [{emit: now}, {set: {n: 1}}]}
  - {id: b, from: t, event: b, do: [{emit: b}]}
  - {id: c, from: t, event: c, do: [{emit: c}]}
  - {id: a, from: t, event: a, do: [{emit: a}]}
"""


@case
def eventless_then_internal_then_external() -> None:
    """Eventless rows come first, then what was raised, in order, then what was sent (3.13)."""
    assert Story(QUEUES).say("go").told() == "now b c a"


FAULTS = """
machine: faults
events: {go: {}}
effects: {one: {}, two: {}, told: {}}
fields: {n: {type: int, default: 0, max: 1}}
states:
  s: {exit: [{emit: one}, {set: {n: n + 2}}, {emit: two}]}
  t: {}
transitions:
  - {id: go, from: s, event: go, to: t}
  - {id: told, from: t, event: error.execution, do: [{emit: told}]}
"""


@case
def the_rest_of_a_block_is_left_out() -> None:
    """An action that cannot be carried out ends its block and is told inside (5.9)."""
    story = Story(FAULTS).say("go")
    assert story.told() == "one told" and story.at().fields == {"n": 0}


# ---- time

TIMERS = """
machine: timers
events: {again: {}, later: {}, sent: {}, drop: {}, two: {}, still: {}}
effects: {first: {}, second: {}, outer: {}, sent: {}, two: {}}
fields: {on: {type: bool, default: true}}
states:
  c: {states: {k: {}, m: {}}}
transitions:
  - {id: first, from: k, after: 10m, when: on, do: [{emit: first}]}
  - {id: outer, from: c, after: 10m, do: [{emit: outer}]}
  - {id: second, from: k, after: 10m, do: [{emit: second}]}
  - {id: again, from: k, event: again, to: k}
  - {id: still, from: k, event: still, do: [{set: {on: false}}]}
  - {id: later, from: c, event: later, do: [{send: {event: sent, after: 10m, id: s}}, {send: {event: two, after: 10m}}]}
  - {id: sent, from: c, event: sent, do: [{emit: sent}]}
  - {id: two, from: c, event: two, do: [{emit: two}]}
  - {id: drop, from: c, event: drop, do: [{cancel: s}]}
"""


@case
def timers_at_one_instant() -> None:
    """Timers come in the order of the file, whatever their states, and before delayed sends, which come in the order of sending."""
    assert Story(TIMERS).say("later").wait("10m").told() == "first outer second sent two"


@case
def timers_of_two_instances_at_one_instant() -> None:
    """The instance made first is served first, timers and sends together; names do not matter."""
    story = Story(TIMERS, z=("timers", {}), a=("timers", {}))
    story.say("later", to="a").say("later", to="z").wait("10m")
    one, two = ["first", "outer", "second", "sent", "two"], ["first", "outer", "second", "sent", "two"]
    assert story.told().split() == [*(f"z:{word}" for word in one), *(f"a:{word}" for word in two)]


@case
def timers_before_what_is_said() -> None:
    """What is due at an instant happens before what is said at it."""
    story = Story(TIMERS)
    story.system.advance("9m 59s")
    said = story.system.send("x", "again", at=600_000_000)
    assert said.accepted and [timer.armed for timer in story.at().deadlines] == [600_000_000] * 2


@case
def re_arming_on_re_entry() -> None:
    """A state entered again arms its timers anew, counted from then; the timer of a state that stayed goes on."""
    story = Story(TIMERS).wait("4m").say("again")
    assert {timer.key: timer.due // 60_000_000 for timer in story.at().deadlines} == {
        "first": 14,
        "outer": 10,
        "second": 14,
    }
    assert story.wait("6m").told() == "outer"
    assert story.wait("4m").told() == "first second"
    assert story.wait("1h").told() == ""


@case
def a_timer_whose_guard_is_false_is_spent() -> None:
    """A timer that is due is gone, whether its row was taken or not."""
    story = Story(TIMERS).say("still").wait("10m")
    assert story.told() == "outer second" and not story.at().deadlines


LEFT = """
machine: left
events: {go: {}}
effects: {late: {}}
states: {s: {}, t: {}}
transitions:
  - {id: late, from: s, after: 10m, do: [{emit: late}]}
  - {id: go, from: s, event: go, to: t}
"""


@case
def a_timer_ends_with_its_state() -> None:
    """Leaving a state disarms its timers."""
    story = Story(LEFT).say("go").wait("1h")
    assert story.told() == "" and not story.at().deadlines


@case
def cancelling() -> None:
    """A cancelled send never arrives; the others do (6.3)."""
    assert Story(TIMERS).say("later", "drop").wait("10m").told() == "first outer second two"


@case
def restoring_in_the_middle_of_a_timer() -> None:
    """A system restored between arming and firing goes on as the one that was saved: timers, sends, cancellation, history."""
    story = Story(TIMERS).wait("4m").say("again", "later").wait("3m")
    data = json.loads(json.dumps(story.system.snapshot().to_json(story.plan)))
    story.told()
    restored = Story(TIMERS)
    restored.system = System.restore(restored.plan, SystemSnapshot.from_json(restored.plan, data))
    restored.told()
    for one in (story, restored):
        assert one.at().deadlines[0].due == 600_000_000
        assert one.say("drop").wait("3m").told() == "outer"
        assert one.wait("4m").told() == "first second two"
    assert story.system.snapshot() == restored.system.snapshot()


@case
def restoring_history() -> None:
    """What a history remembers is part of what is saved."""
    story = Story(HISTORY).say("shallow", "step", "out")
    data = json.loads(json.dumps(story.system.snapshot().to_json(story.plan)))
    story.system = System.restore(story.plan, SystemSnapshot.from_json(story.plan, data))
    assert story.say("deep").at().state == "k2"


# ---- several machines

SENDER = """
machine: sender
refs: {one: hearer, two: hearer}
events: {go: {}}
states: {s: {}, t: {}}
transitions:
  - {id: go, from: s, event: go, to: t, do: [{send: {event: b, to: two}}, {send: {event: a, to: one}}, {send: {event: a, to: two}}]}
"""
HEARER = """
machine: hearer
refs: {watched: {machine: sender, optional: true}}
events: {a: {}, b: {}}
effects: {a: {}, b: {}, saw: {}}
states: {s: {}}
transitions:
  - {id: a, from: s, event: a, do: [{emit: a}]}
  - {id: b, from: s, event: b, do: [{emit: b}]}
  - {id: saw, from: s, event: watched.t, do: [{emit: saw}]}
"""


@case
def sends_then_observations() -> None:
    """What a step sent arrives in the order of sending; those who watch it hear of it after that, the one made first first."""
    story = Story(
        SENDER,
        HEARER,
        v=("hearer", {"watched": "s"}),
        s=("sender", {"one": "v", "two": "u"}),
        u=("hearer", {"watched": "s"}),
    )
    assert story.say("go", to="s").told() == "u:b v:a u:a v:saw u:saw"


PARENT = """
machine: parent
refs: {child: {machine: child, optional: true}}
events: {go: {}, leave: {}, own: {}, hello: {}, bye: {}, skip: {}}
effects: {own: {}, hello: {}, done: {}, bye: {}}
states:
  s: {}
  t: {spawn: {child: child}, entry: [{send: {event: own}}]}
  u: {}
transitions:
  - {id: go, from: s, event: go, to: t}
  - {id: leave, from: t, event: leave, to: u}
  - {id: skip, from: s, event: skip, to: t, do: [{raise: leave}]}
  - {id: own, from: [t, u], event: own, do: [{emit: own}]}
  - {id: hello, from: [t, u], event: hello, do: [{emit: hello}]}
  - {id: bye, from: [t, u], event: bye, do: [{emit: bye}]}
  - {id: done, from: [t, u], done: child, do: [{emit: done}]}
"""
CHILD = """
machine: child
refs: {parent: {machine: parent, optional: true}}
events: {end: {}}
effects: {born: {}, gone: {}}
states:
  a: {entry: [{emit: born}, {send: {event: hello, to: parent}}], exit: [{emit: gone}, {send: {event: bye, to: parent}}]}
  z: {final: true}
transitions:
  - {id: end, from: a, event: end, to: z}
"""


@case
def observing() -> None:
    """What is observed is heard, though nothing is said."""
    door = "machine: door\nevents: {open: {}}\nstates: {shut: {}, open: {}}\ntransitions: [{id: open, from: shut, event: open, to: open}]"
    cat = """
machine: cat
refs: {door: {machine: door}}
effects: {out: {}}
states: {inside: {}, outside: {entry: [{emit: out}]}}
transitions: [{id: go, from: inside, event: door.open, to: outside}]
"""
    story = Story(door, cat, door=("door", {}), tom=("cat", {"door": "door"}))
    assert story.say("open", to="door").told() == "tom:out"


LAMP = """
machine: lamp
events: {switch: {}}
states: {dark: {}, lit: {}}
transitions: [{id: on, from: dark, event: switch, to: lit}, {id: off, from: lit, event: switch, to: dark}]
"""
MIRROR = """
machine: mirror
refs: {lamp: {machine: lamp}}
effects: {shine: {}, dim: {}}
states: {dull: {}, bright: {}}
transitions:
  - {id: shine, from: dull, event: lamp.lit, to: bright, do: [{emit: shine}]}
  - {id: dim, from: bright, after: 5s, to: dull, do: [{emit: dim}]}
"""
EYE = """
machine: eye
refs: {mirror: {machine: mirror}}
effects: {see: {}, far: {}}
states: {open: {}}
transitions:
  - {id: see, from: open, event: mirror.bright, do: [{emit: see}]}
  - {id: far, from: open, event: mirror.lamp.dark, do: [{emit: far}]}
"""
MOTH = """
machine: moth
refs: {lamp: {machine: lamp}}
events: {flutter: {}}
effects: {flutter: {}}
states: {still: {}}
transitions:
  - {id: wake, from: still, event: lamp.lit, do: [{send: {event: flutter}}]}
  - {id: flutter, from: still, event: flutter, do: [{emit: flutter}]}
"""


@case
def those_who_watch_watchers() -> None:
    """They hear after all that watch what happened, in the order in which those did."""
    story = Story(
        LAMP,
        MIRROR,
        EYE,
        lamp=("lamp", {}),
        e=("eye", {"mirror": "n"}),
        m=("mirror", {"lamp": "lamp"}),
        n=("mirror", {"lamp": "lamp"}),
        f=("eye", {"mirror": "m"}),
        g=("eye", {"mirror": "m"}),
    )
    assert story.say("switch", to="lamp").told() == "m:shine n:shine f:see g:see e:see"
    assert story.say("switch", to="lamp").told() == "e:far f:far g:far"


@case
def watchers_that_do_more() -> None:
    """A watcher that sends something does not make the one before it hear twice."""
    story = Story(LAMP, MIRROR, MOTH, lamp=("lamp", {}), m=("mirror", {"lamp": "lamp"}), p=("moth", {"lamp": "lamp"}))
    assert story.say("switch", to="lamp").told() == "m:shine p:flutter"


@case
def timers_of_watchers() -> None:
    """A timer set by what was observed goes off."""
    story = Story(LAMP, MIRROR, lamp=("lamp", {}), m=("mirror", {"lamp": "lamp"})).say("switch", to="lamp")
    assert story.wait("4s").told() == "m:shine"
    assert story.wait("1s").told() == "m:dim"


@case
def who_begins_to_watch() -> None:
    """Who is made later hears of what happens then, along one ref or two."""
    story = Story(LAMP, MIRROR, EYE, lamp=("lamp", {}), m=("mirror", {"lamp": "lamp"})).say(
        "switch", "switch", to="lamp"
    )
    assert story.told() == "m:shine"
    story.system.add("eye", "e", mirror="m")
    assert story.say("switch", "switch", to="lamp").told() == "e:far"
    story.system.add("mirror", "n", lamp="lamp")
    assert story.say("switch", "switch", to="lamp").told() == "n:shine e:far"


@case
def who_does_not_watch_any_more() -> None:
    """Who is gone hears nothing."""
    story = Story(LAMP, MOTH, MIRROR, lamp=("lamp", {}), m=("mirror", {"lamp": "lamp"}), n=("mirror", {"lamp": "lamp"}))
    story.say("switch", "switch", to="lamp").wait("5s").told()
    story.system.remove("m")
    assert story.say("switch", to="lamp").told() == "n:shine"


EGG = """
machine: egg
events: {hop: {}}
effects: {late: {}, soon: {}}
states: {cold: {}, warm: {}, done: {}}
transitions:
  - {id: warm, from: cold, event: hop, to: warm}
  - {id: cool, from: warm, event: hop, to: cold}
  - {id: late, from: cold, after: 10s, to: done, do: [{emit: late}]}
  - {id: soon, from: warm, after: 3s, to: done, do: [{emit: soon}]}
"""


@case
def timers_that_come_sooner() -> None:
    """A timer goes off before one that was set earlier for later."""
    story = Story(EGG, x=("egg", {}), y=("egg", {})).say("hop", to="y")
    assert story.wait("3s").told() == "y:soon"


@case
def timers_that_are_put_off() -> None:
    """A timer set anew waits for its new instant, and others go off meanwhile."""
    story = Story(EGG, x=("egg", {}), y=("egg", {})).wait("4s").say("hop", "hop", to="x")
    assert (
        story.wait("1s").say("hop", "hop", to="y").wait("1s").say("hop", "hop", to="x").wait("20s").told()
        == "y:late x:late"
    )


@case
def a_child_speaks_after_its_parent() -> None:
    """What the parent sent before its child was made arrives before what the child says."""
    assert Story(PARENT, CHILD).say("go").told() == "x.child:born x:own x:hello"


@case
def a_child_that_is_done_is_reported_last() -> None:
    """Everything a child says arrives before the news that it is done, also if it says it on its way out (6.4)."""
    story = Story(PARENT, CHILD).say("go")
    story.told()
    assert story.say("end", to="x.child").told() == "x.child:gone x:bye x:done"


@case
def a_child_ends_with_its_state() -> None:
    """A child is stopped when its state is left, and what it says then is not heard by its parent (6.4)."""
    story = Story(PARENT, CHILD).say("go")
    story.told()
    assert story.say("leave").told() == "x.child:gone"
    assert [instance.id for instance in story.system.instances] == ["x"]


@case
def only_states_that_stay_have_children() -> None:
    """A state that is left in the macrostep that entered it makes no child (6.4)."""
    assert Story(PARENT, CHILD).say("skip").told() == "x:own"


# ---- what only documents can say

INVOKE = """initial="s" datamodel="null">
  <state id="s">
    <onentry><send event="hey"/></onentry>
    <invoke type="scxml" id="c" {attributes}><content>
      <scxml initial="a"><state id="a"><transition event="hey" target="z">
        <send target="#_parent" event="heard"><param name="v" expr="7"/></send></transition></state><final id="z"/></scxml>
    </content>{finalize}</invoke>
    <transition event="heard" target="yes"><log expr="'heard'"/></transition>
    <transition event="done.invoke" target="no"/>
  </state>
  <state id="yes"/><state id="no"/>"""


@case
def forwarding() -> None:
    """What the parent hears the child hears too, if its spawn says so, and only then (6.4)."""
    assert scxml(INVOKE.format(attributes='autoforward="true"', finalize="")) == "heard -> yes"
    assert scxml(INVOKE.format(attributes="", finalize="")) == "-> s"


@case
def finalizing() -> None:
    """What is to be done before a child is heard is done first (6.5)."""
    finalize = "<finalize><log expr=\"'first'\"/></finalize>"
    assert scxml(INVOKE.format(attributes='autoforward="true"', finalize=finalize)) == "first heard -> yes"


@case
def arithmetic_without_types() -> None:
    """What a document adds has the type it has at that moment (5.9)."""
    text = """initial="s" datamodel="outlast"><datamodel><data id="n" expr="1"/><data id="m" expr="5"/></datamodel>
      <state id="s"><onentry><send event="e"/></onentry><transition event="e" target="t">
        <assign location="n" expr="n + 1"/><assign location="m" expr="m - n + m"/></transition></state>
      <state id="t"><onentry><log expr="n"/><log expr="m"/></onentry></state>"""
    assert scxml(text) == "2 8 -> t"


@case
def errors_carry_the_id_of_the_send() -> None:
    """An error event of a send that failed names it; a condition that cannot be evaluated is false, and told (5.9, 5.10)."""
    text = """initial="s" datamodel="outlast">
      <state id="s"><onentry><send event="e" id="lost" target="nowhere"/></onentry>
        <transition event="error.execution" target="t"/></state><state id="t"/>"""
    assert scxml(text) == "-> t"
