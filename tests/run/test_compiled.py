"""Compiled machines: every step is the interpreter's, told in full, with the same explanation, however it was come by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import attrs
import pytest
from hypothesis import Phase, given, settings

import outlast
from outlast.errors import LimitExceeded, OutlastError
from outlast.plan import Plan, tables
from outlast.run import Effect, Event, Step, System, Terms, explain, heart, run_scenario
from outlast.run.fast import places
from outlast.run.fast.automaton import compile  # noqa: A004  # as in `re.compile`
from outlast.run.instances import blank
from tests.oracle.machines import Run, runs
from tests.run.neighbours import neighbours
from tests.run.worlds import STORIES, bundled_plans, plan_of, random_plan
from tests.scxml.suite import Case, cases
from tests.scxml.suite import run as run_case

UNHURRIED = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None, max_examples=40)
FIELDS = [field.name for field in attrs.fields(Step)]


def whole(step: Step) -> list[object]:
    """Everything a step says, and why it went as it did."""
    parts = [getattr(step, name) for name in FIELDS if name not in ("plan", "made", "caused", "preceded")]
    others = [whole(other) for other in (*step.made, *step.caused, *step.preceded)]
    return [*parts, str(explain(step)), step.accepted, step.taken, others]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is compiled the first time it happens."""
    monkeypatch.setattr(places, "PATIENCE", 0)


class Pair:
    """Two systems that live the same life, one of them compiled."""

    def __init__(self, plan: Plan, terms: Terms) -> None:
        self.compiled, self.interpreted = System(plan, terms=terms), System(plan, terms=terms, compiled=False)

    def do(self, name: str, *args: Any, **given: Any) -> object:
        """Do the same with both; what they answer must be the same."""
        answers = []
        for system in (self.compiled, self.interpreted):
            try:
                answers.append(_answer(getattr(system, name)(*args, **given)))
            except OutlastError as error:
                answers.append(str(error))
        assert answers[0] == answers[1]
        assert self.compiled.snapshot() == self.interpreted.snapshot()
        assert self.compiled.next_due == self.interpreted.next_due
        return answers[0]


def _answer(value: Any) -> object:
    steps = value if isinstance(value, tuple) else getattr(value, "began", None) or (value,)
    return [whole(step) if isinstance(step, Step) else str(step) for step in steps]


# ---- random machines


@pytest.mark.usefixtures("at_once")
@UNHURRIED
@given(runs())
def test_random_machines_in_a_system(drawn: Run) -> None:
    """Every step of every random machine is the same, and so is what it would do next."""
    machine, events = drawn
    plan = random_plan(machine)
    pair = Pair(plan, Terms(microsteps=100))
    pair.do("make", next(iter(plan.machines)), "x", {})
    for event in events if "x" in pair.compiled.world else ():
        pair.do("send", "x", event)
        pair.do("explain", "x", event)


@UNHURRIED
@given(runs())
def test_random_machines_alone(drawn: Run) -> None:
    """An automaton does what the pure functions do, and can tell it in full; many events at once leave it where one by one would."""
    machine, events = drawn
    plan = random_plan(machine)
    name, terms = next(iter(plan.machines)), Terms(microsteps=100)
    machines = compile(plan, terms=terms)
    try:
        m, done = machines.new(), heart.start(plan, blank(plan, name, name, {}, {}), 0, terms=terms)
    except OutlastError:
        return
    assert whole(done) == whole(m.last)
    accepted, effects, said = 0, list[Effect](), list[str]()
    for event in events:
        try:
            done = heart.step(plan, done.after, Event(event), 0, terms=terms)
        except LimitExceeded:
            with pytest.raises(LimitExceeded):
                m.send(event)
            break
        said.append(event)
        effects += done.effects
        accepted += m.send(event)
        assert whole(done) == whole(m.last)
        assert done.effects == m.effects
        assert str(m.why) == str(explain(done))
    other, seen = machines.new(), list[Effect]()

    assert (accepted, effects) == (machines.send_many(other, said, seen), seen)
    assert (m.snapshot, whole(m.last)) == (other.snapshot, whole(other.last))


CLOCK = """
machine: clock
fields: {n: {type: int, default: 0, max: 3}, pause: {type: duration, optional: true, default: 0s}, word: {enum: [tick, tock]}, loud: {type: bool, default: true}}
events: {wind: {payload: {by: {type: int, min: 0, max: 2}}, by: [boss]}, stop: {}, go: {}}
effects: {strike: {payload: {n: int, word: {enum: [tick, tock]}}}, rung: {}}
requires: [{id: small, that: n < 3, says: It begins small.}]
states:
  going:
    entry: [{emit: rung}]
    states: {left: {}, right: {}, rest: {}}
  stopped: {}
  broken: {final: true, done-data: {n: n}}
transitions:
  - {id: tick, from: left, after: 1s, to: right, do: [{set: {word: tick}}, {emit: {strike: {n: n, word: word}}}]}
  - {id: tock, from: right, after: pause, to: left, do: [{set: {word: tock}}, {emit: {strike: {n: n, word: word}}}]}
  - {id: rest, from: right, event: stop, to: rest}
  - {id: doze, from: rest, within: 4s, when: loud, to: left}
  - {id: wind, from: going, event: wind, do: [{set: {n: n + event.by}}]}
  - {id: too-far, from: going, event: error.execution, to: broken}
  - {id: stop, from: going, event: stop, to: stopped}
  - {id: go, from: stopped, event: go, to: going}
"""

FALL = """
machine: fall
fields: {n: {type: int, default: 0}}
events: {push: {}, lift: {}}
effects: {bump: {}}
states: {up: {}, down: {}, under: {}}
transitions:
  - {id: push, from: up, event: push, to: down, do: [{set: {n: n + 1}}]}
  - {id: again, from: [down, under], event: push, do: [{emit: bump}]}
  - {id: at-once, from: down, after: 0s, to: under}
  - {id: lift, from: under, event: lift, to: up}
"""

ALONE = [
    (FALL, {}),
    (CLOCK, {"word": "tick"}),
    (CLOCK, {"word": "tock", "pause": None, "loud": False}),
    (CLOCK, {"word": "tock", "pause": "2s", "n": 2}),
    ("tour", {"beans": 5}),
]


@pytest.mark.parametrize(("text", "fields"), ALONE)
@pytest.mark.parametrize("seed", range(6))
def test_alone_in_time(text: str, fields: dict[str, Any], seed: int) -> None:
    """With timers, payloads and actors too, an automaton does what the only instance of a system does."""
    random = Random(seed)
    plan = bundled_plans()[text] if text in bundled_plans() else plan_of(text)
    terms = Terms(resolve=random.choice(["latest", "earliest", "seed:5"]), cascade=50)
    (name,), system = plan.machines, System(plan, terms=terms, compiled=False)
    machines = compile(plan, terms=terms)
    m: Any = machines.new(**fields)
    (begun,) = system.make(name, name, fields).began
    assert whole(begun) == whole(m.last)
    for _ in range(40):
        if random.random() < 0.15:
            outside = [event for event in plan.machines[name].events.values() if not (event.internal or event.payload)]
            events, effects = [random.choice(outside).name for _ in range(4)], list[Effect]()
            steps = [system.send(name, event) for event in events]
            assert machines.send_many(m, events, effects) == sum(step.accepted for step in steps)
            assert effects == [effect for step in steps for effect in step.effects]
        elif random.random() < 0.4:
            length = random.choice([0, 300_000, 1_000_000, 7_000_000])
            assert outcome(system.advance, length) == outcome(m.advance, length)
        else:
            event = random.choice([event for event in plan.machines[name].events.values() if not event.internal])
            payload = {field.name: random.randrange(4) for field in event.payload.values()} or None
            by = random.choice([None, *event.by, *plan.actors])
            at = random.choice([None, system.now + 500_000])
            assert str(system.explain(name, event.name, payload, by=by)) == str(m.explain(event.name, payload, by=by))
            said = outcome(system.send, name, event.name, payload, by=by, at=at)
            assert said == outcome(_sent, m, event.name, payload, by=by, at=at)
        assert system[name].snapshot == m.snapshot
        assert (system[name].state, system[name].done, system.next_due) == (m.state, m.done, m.next_due)
        assert (system[name].deadlines, system[name].fields, system.enabled(name)) == (m.deadlines, m.fields, m.enabled)
        if random.random() < 0.1:
            m = machines.restore(m.snapshot, m.now)


def outcome(work: Callable[..., Any], *args: Any, **given: Any) -> object:
    """What work answers, what was due before it apart, or how it fails."""
    try:
        done = work(*args, **given)
    except OutlastError as error:
        return type(error)
    return _answer(attrs.evolve(done, preceded=()) if isinstance(done, Step) else done)


def _sent(m: Any, *args: Any, **given: Any) -> Step:
    accepted, last = m.send(*args, **given), m.last
    assert accepted is last.accepted
    assert isinstance(last, Step)
    return last


# ---- whole systems


WORLD = (
    """
machine: boss
fields: {budget: {type: int, default: 3, min: 0, max: 9}, rest: {type: duration, optional: true, default: 2s}}
refs: {aide: {machine: aide, optional: true}, peer: {machine: boss, optional: true}}
events: {hire: {payload: {days: {type: int, min: 1, max: 5}}, by: boss}, fire: {}, pay: {payload: {sum: int}}, raise: {}, nap: {}, mail: {}, tick: {internal: true}}
effects: {paid: {payload: {sum: int, rich: bool}}, told: {}, bye: {}}
guards: {rich: budget > 5}
states:
  idle: {entry: [{emit: told}]}
  busy:
    states: {alone: {}, helped: {}, where: {history: deep, to: alone}}
  asleep: {}
  gone: {final: true, entry: [{emit: bye}]}
transitions:
  - {id: hire, from: idle, event: hire, when: "event.days <= budget", to: busy, do: [{set: {budget: budget - event.days}}, {spawn: {aide: {machine: aide, with: {days: event.days}, refs: {boss: self}}}}]}
  - {id: poor, from: idle, event: hire, when: "event.days > budget", refuse: too dear}
  - {id: seen, from: alone, event: aide.working, to: helped}
  - {id: lost, from: helped, event: done.invoke.aide, to: alone, do: [{emit: told}]}
  - {id: gift, from: busy, event: pay, do: [{set: {budget: budget + event.sum}}, {emit: {paid: {sum: event.sum, rich: budget > 5}}}]}
  - {id: fire, from: busy, event: fire, to: idle, do: [{stop: aide}]}
  - {id: raise, from: busy, event: raise, do: [{raise: tick}]}
  - {id: tick, from: busy, event: tick, when: aide is working and aide.days > 1, do: [{send: {event: hurry, to: aide}}]}
  - {id: mail, from: [idle, busy], event: mail, when: peer is present, do: [{send: {event: pay, to: peer, with: {sum: budget}, after: 1s}}]}
  - {id: nap, from: busy, event: nap, to: asleep}
  - {id: wake, from: asleep, after: rest, to: where}
  - {id: dream, from: asleep, within: 5s, when: rich, to: idle}
  - {id: broke, from: busy, when: budget == 0, to: gone}
""",
    """
machine: aide
fields: {days: {type: int, default: 1, min: 0, max: 9}}
refs: {boss: {machine: boss, optional: true}}
events: {hurry: {}, quit: {}}
effects: {done-it: {payload: {days: int}}}
states: {new: {}, working: {exit: [{emit: {done-it: {days: days}}}]}, over: {final: true}}
transitions:
  - {id: begin, from: new, when: boss is present or days > 0, to: working}
  - {id: hurry, from: working, event: hurry, do: [{set: {days: days - 1}}]}
  - {id: out, from: working, event: error.execution, to: over}
  - {id: quit, from: working, event: quit, to: over}
  - {id: end, from: working, after: 3s, to: over}
""",
)


def live(pair: Pair, random: Random, steps: int) -> Iterator[object]:
    """Say and let happen what comes to mind; most of it is something that could be accepted."""
    for _ in range(steps):
        if random.random() < 0.15:
            yield pair.do("advance", random.choice([0, 500_000, 1_000_000, 2_500_000, 30_000_000, 3_600_000_000]))
            continue
        world = pair.interpreted.world
        snapshot = random.choice([item for item in world.values() if not item.done] or list(world.values()))
        machine = pair.interpreted.plan.machines[snapshot.machine]
        outside = [event for event in machine.events.values() if not event.internal]
        welcome = [machine.events[offer.event] for offer in pair.interpreted.enabled(snapshot.id)]
        event = random.choice(welcome if welcome and random.random() < 0.7 else outside)
        payload = {field.name: value_for(field, random) for field in event.payload.values()}
        by = random.choice([*pair.interpreted.plan.actors, None]) if random.random() < 0.1 else None
        at = pair.interpreted.now + 700_000 if random.random() < 0.1 else None
        yield pair.do("send", snapshot.id, event.name, payload or None, by=by, at=at)


def value_for(field: tables.Field, random: Random) -> object:
    """A value a field may have, as a rule."""
    if field.type.kind == "bool":
        return random.random() < 0.5
    if field.type.kind == "enum":
        return random.choice(field.type.words)
    if field.type.is_number:
        low = field.minimum or 0
        return low + (field.step or 1) * random.randrange(5)
    return random.choice(["a", "b"])


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("seed", range(15))
def test_a_world_of_everything(seed: int) -> None:
    """Children, observation, sends, timers, history, payloads, actors, faults: the two systems never differ."""
    random = Random(seed)
    pair = Pair(plan_of(*WORLD), Terms(resolve=random.choice(["latest", "earliest", "seed:3"])))
    pair.do("make", "boss", "ann", {"budget": random.randrange(10)})
    pair.do("make", "boss", "bob", {"peer": "ann", "rest": None})
    pair.do("make", "boss", "cid", {"peer": "bob", "rest": 0})

    assert len(list(live(pair, random, 60))) > 50


HOUSE = (
    """
machine: door
events: {turn: {}}
states: {shut: {}, ajar: {}}
transitions: [{id: open, from: shut, event: turn, to: ajar}, {id: close, from: ajar, event: turn, to: shut}]
""",
    """
machine: cat
refs: {door: {machine: door}}
states: {inside: {}, outside: {}}
transitions: [{id: go, from: inside, event: door.ajar, to: outside}, {id: come, from: outside, event: door.ajar, to: inside}]
""",
    """
machine: dog
refs: {cat: {machine: cat}}
states: {calm: {}, wild: {}}
transitions:
  - {id: bark, from: calm, event: cat.outside, to: wild}
  - {id: sleep, from: wild, event: [cat.inside, cat.door.shut], to: calm}
""",
)


@pytest.mark.usefixtures("at_once")
def test_who_observes_is_asked_anew() -> None:
    """Those made later hear too, in the order they were made, and so do those who observe them."""
    pair = Pair(plan_of(*HOUSE), Terms())
    pair.do("make", "door", "front", {})
    for number in range(3):
        pair.do("send", "front", "turn")
        pair.do("send", "front", "turn")
        pair.do("make", "cat", f"cat{number}", {"door": "front"})
        pair.do("make", "dog", f"dog{number}", {"cat": f"cat{number}"})
    done = pair.compiled.send("front", "turn")

    assert [step.instance for step in done.caused] == ["cat0", "cat1", "cat2", "dog0", "dog1", "dog2"]
    pair.compiled.remove("dog1")
    pair.compiled.send("front", "turn")
    assert "dog1" not in {step.instance for step in pair.compiled.send("front", "turn").caused}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("cascade", range(1, 8))
def test_what_watchers_do_is_limited(cascade: int) -> None:
    """One event leads to so many steps and no more; beyond, nothing has happened."""
    pair = Pair(plan_of(*HOUSE), Terms(cascade=cascade))
    cats = {f"cat{number}": ("cat", {"door": "front"}, None) for number in range(3)}
    dogs = {f"dog{number}": ("dog", {"cat": f"cat{number}"}, None) for number in range(2)}
    pair.do("begin", {"front": ("door", {}, None), **cats, **dogs})
    pair.do("send", "front", "turn")

    assert pair.compiled["front"].state == ("ajar" if cascade >= 6 else "shut")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("seed", range(60))
def test_neighbours(seed: int) -> None:
    """Whoever watches whom, and whatever comes of it, the two systems never differ."""
    random = Random(seed)
    texts, given = neighbours(random)
    pair = Pair(plan_of(*texts), Terms(cascade=30))
    pair.do("begin", given)

    assert len(list(live(pair, random, 30))) == 30


GIVEN: dict[str, list[tuple[str, str, dict[str, Any], str | None]]] = {
    "sagemaker": [
        ("identity-center", "acme", {}, None),
        ("studio-application", "studio", {}, None),
        ("studio-domain", "ds", {"center": "acme", "application": "studio"}, "tip-enabled"),
        ("interactive-session", "ana", {"center": "acme"}, None),
        ("job", "train", {"domain": "ds", "session": "ana", "kind": "training", "max-runtime": "28d"}, None),
        ("job", "clean", {"domain": "ds", "session": "ana", "kind": "processing"}, None),
    ],
    "tour": [("coffee-machine", "kitchen", {"beans": 7}, None)],
}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("seed", range(5))
def test_bundled_systems(name: str, seed: int) -> None:
    """The bundled systems live alike too."""
    random = Random(seed)
    pair = Pair(bundled_plans()[name], Terms(resolve="seed:1"))
    for machine, id_, given_, state in GIVEN[name]:
        pair.do("make", machine, id_, given_, state=state)

    assert len(list(live(pair, random, 60))) > 50


@pytest.mark.parametrize(("name", "file"), STORIES, ids=lambda value: getattr(value, "stem", value))
def test_every_story(name: str, file: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bundled story is told in the same steps."""
    told = []
    for patience in (0, 10**9):
        monkeypatch.setattr(places, "PATIENCE", patience)
        run = run_scenario(bundled_plans()[name], outlast.load_scenario(file))  # type: ignore[arg-type]  # a path
        told.append(([whole(moment.step) for moment in run.moments], run.verdicts, run.system.snapshot()))

    assert told[0] == told[1]


@pytest.mark.skipif(not cases(), reason="the W3C's suite is not beside the checkout: shared/suites/w3c-scxml")
@pytest.mark.parametrize("case", [case for case in cases() if not case.manual], ids=lambda case: case.id)
def test_the_w3c_suite(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of the W3C goes the same steps, compiled and interpreted."""
    told = []
    for patience in (0, 10**9):
        monkeypatch.setattr(places, "PATIENCE", patience)
        outcome = run_case(case)
        told.append(([whole(step) for step in outcome.steps], outcome.state, outcome.log, str(outcome.error)))

    assert told[0] == told[1]
