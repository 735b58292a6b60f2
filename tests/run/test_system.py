"""Systems of several machines: who hears what, in which order, at what time, and what happens when a limit is hit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outlast
from outlast.errors import InstanceExists, LimitExceeded, MisuseError, OutlastError, RefusedInstance, UnknownName
from outlast.moments import HOUR, MINUTE, SECOND
from outlast.run import Step, System, Terms
from outlast.run.scenario import every_reading
from tests.run.worlds import bundled_plans, every_step, plan_of, system_of, told

# The Python API -------------------------------------------------------------------------------------------------------


def office() -> System:
    """A person, their domain, and all it hangs on."""
    system = System(outlast.load("sagemaker"))
    system.add("identity-center", "acme", background_duration="7d")
    system.add("studio-application", "studio")
    system.add("studio-domain", "ds", state="tip-enabled", center="acme", application="studio")
    system.add("interactive-session", "ana", state="signed-in", center=system["acme"])
    return system


def test_as_a_service_would_use_it() -> None:
    """Instances are made, told, asked, and time passes; everything comes back as values."""
    system = office()
    job = system.add("job", "train", domain="ds", session="ana", kind="training", max_runtime=timedelta(days=28))
    step = system.send(job, "start", by="service")
    begun = (job.state, step.taken, step.accepted, [effect.name for effect in step.effects])

    assert ("running-background", ("start-background",), True, ["credentials"]) == begun
    assert ["max-runtime"] == [timer.key for timer in job.deadlines]
    assert {"kind": "training", "max-runtime": 28 * 24 * HOUR, "checkpoint": False} == job.fields
    assert {"domain": "ds", "session": "ana", "background": "train.background"} == job.refs
    assert ["acme", "studio", "ds", "ana", "train", "train.background"] == [item.id for item in system.instances]

    steps = system.advance("7d")

    assert "train background.expired: background-expires" in told(*steps)
    assert "grace-period" == job.state
    assert ["grace-over", "max-runtime"] == [timer.key for timer in job.deadlines]
    assert ("executing", "grace-period") == job.states
    assert "start" not in map(str, system.enabled(job))
    assert not system.explain(job, "start", by="service").accepted
    assert not job.done


COFFEE = """
machine: coffee
fields:
  beans: {type: int, default: 2, min: 0, max: 10}
  wait: {type: duration, optional: true}
  kind: {enum: [plain, milk], default: plain}
refs: {next: {machine: coffee, optional: true}}
events:
  press: {}
  fill: {payload: {cups: {type: int, min: 1, max: 10, because: X-1}, slowly: {type: bool, default: false}}, by: boss}
  pause: {payload: {for: {type: duration, min: 15m, max: 90d, step: 1m}}}
  inside: {internal: true}
  quit: {}
requires:
  - {id: some, that: kind == plain or beans > 0, says: Milk alone is no coffee.}
states: {ready: {}, full: {}, off: {final: true}}
transitions:
  - {id: make, from: ready, event: press, when: beans > 0, do: [{set: {beans: beans - 1}}]}
  - {id: empty, from: ready, event: press, when: beans == 0, refuse: There are no beans.}
  - {id: fill, from: ready, event: fill, when: beans + event.cups <= 10, do: [{set: {beans: beans + event.cups}}]}
  - {id: pause, from: ready, event: pause, do: [{set: {wait: event.for}}]}
  - {id: quit, from: [ready, full], event: quit, to: off}
"""

REFUSED = [  # event, payload, actor, why
    ("press", {}, None, None),
    ("fill", {"cups": 1}, "boss", None),
    ("fill", {"cups": 1}, None, None),
    ("fill", {"cups": 1}, "guest", "`guest` may not send it, only `boss` may"),
    ("fill", {"cups": 11}, "boss", "`cups` is from 1 to 10, not 11 (X-1)"),
    ("fill", {"cups": 0}, "boss", "`cups` is from 1 to 10, not 0 (X-1)"),
    ("fill", {"cups": True}, "boss", "`cups` is int, not True (X-1)"),
    ("fill", {"cups": "many"}, "boss", "`cups` is int, not 'many' (X-1)"),
    ("fill", {"cups": 1.5}, "boss", "`cups` is int, not 1.5 (X-1)"),
    ("fill", {"cups": None}, "boss", "`cups` must have a value (X-1)"),
    ("fill", {}, "boss", "`cups` must have a value (X-1)"),
    ("fill", {"cups": 1, "slowly": "yes"}, "boss", "`slowly` is true or false, not 'yes'"),
    ("fill", {"cups": 9}, "boss", "nothing listens for it here"),
    ("pause", {"for": "14m"}, None, "`for` is from 15m to 90d in steps of 1m, not 14m"),
    ("pause", {"for": "15m 30s"}, None, "`for` is from 15m to 90d in steps of 1m, not 15m 30s"),
    ("pause", {"for": timedelta(minutes=15)}, None, None),
    ("pause", {"for": 90 * MINUTE}, "guest", None),
]


@pytest.mark.parametrize(("event", "payload", "by", "why"), REFUSED)
def test_refused_events(event: str, payload: dict[str, object], by: str | None, why: str | None) -> None:
    """What may not come in is refused in words, with the range and the clause; asking first says the same."""
    system = outlast.System(plan_of(COFFEE))
    coffee = system.add("coffee", "c")
    before = system.snapshot()
    asked = system.explain(coffee, event, payload, by=by)  # type: ignore[arg-type]  # wrong on purpose
    step = system.send(coffee, event, payload, by=by)  # type: ignore[arg-type]

    assert (why, why, why is None) == (step.refusal, asked.refusal, step.accepted)
    assert (why is None) is (before != system.snapshot())


def test_a_row_may_refuse() -> None:
    """A row's own words say why; nothing changes."""
    system = system_of(COFFEE)
    step = system.send(system.add("coffee", "c", beans=0), "press")

    assert ("There are no beans.", ("empty",), step.before) == (step.refusal, step.taken, step.after)


def test_a_done_machine_hears_nothing() -> None:
    """What is done refuses everything, says so, and can still be read."""
    system = system_of(COFFEE)
    coffee = system.add("coffee", "c")
    system.send(coffee, "quit")
    step = system.send(coffee, "press")

    assert ("`c` is done", "off", True, ()) == (step.refusal, coffee.state, coffee.done, system.enabled(coffee))
    assert step.before == step.after


MISUSED: list[tuple[Callable[[System], object], type[OutlastError], str]] = [
    (lambda s: s.add("cofee", "d"), UnknownName, "no machine is called `cofee` (did you mean `coffee`?)"),
    (lambda s: s.add("coffee", "d", bean=1), UnknownName, "no field or ref of coffee is called `bean` (did you mean `beans`?)"),
    (lambda s: s.add("coffee", "d", state="of"), UnknownName, "no state of coffee is called `of` (did you mean `off`?)"),
    (lambda s: s.add("coffee", "d", next="e"), UnknownName, "no instance is called `e` (known: `c`)"),
    (lambda s: s.add("coffee", "c"), InstanceExists, "an instance called `c` is already there"),
    (lambda s: s.add("coffee", "d", beans=11), RefusedInstance, "`d` cannot be made: `beans` is from 0 to 10, not 11"),
    (lambda s: s.add("coffee", "d", kind="tea"), RefusedInstance,
     "`d` cannot be made: `kind` is one of plain, milk, not `tea`"),
    (lambda s: s.add("coffee", "d", kind="milk", beans=0), RefusedInstance,
     "`d` cannot be made: Milk alone is no coffee.: needs `kind == plain or beans > 0`"),
    (lambda s: s.add("coffee", "d", wait="soon"), MisuseError, "`soon` is not a duration"),
    (lambda s: s.add("coffee", "d", beans=timedelta(1)), MisuseError, "`beans` is int, not a duration"),
    (lambda s: s.add("coffee", "d", beans=s["c"]), MisuseError,
     "`beans` is a field of coffee, not a ref: it takes no instance"),
    (lambda s: s.begin({"d": ("coffee", {"next": "nobody"}, None)}), UnknownName,
     "no instance for the ref `next` of `d` is called `nobody` (known: `c`, `d`)"),
    (lambda s: s["d"], UnknownName, "no instance is called `d` (known: `c`)"),
    (lambda s: s.send("d", "press"), UnknownName, "no instance is called `d` (known: `c`)"),
    (lambda s: s.send("c", "pres"), UnknownName, "no event of coffee is called `pres` (did you mean `press`?)"),
    (lambda s: s.send("c", "inside"), UnknownName,
     "no event of coffee is called `inside` (known: `press`, `fill`, `pause`, `quit`)"),
    (lambda s: s.explain("c", "inside"), UnknownName,
     "no event of coffee is called `inside` (known: `press`, `fill`, `pause`, `quit`)"),
    (lambda s: s.send("c", "fill", {"cup": 1}), UnknownName,
     "no value of the event fill is called `cup` (did you mean `cups`?)"),
    (lambda s: s.send("c", "press", by="gest", at=5), UnknownName, "no actor is called `gest` (did you mean `guest`?)"),
    (lambda s: s.send("c", "press", at=-1), MisuseError, "time does not run backwards"),
    (lambda s: s.advance(-1), MisuseError, "time does not run backwards"),
    (lambda s: s.advance(timedelta(-1)), MisuseError, "time does not run backwards"),
    (lambda s: s.advance("tomorrow"), MisuseError, "`tomorrow` is not a duration"),
    (lambda _: Terms(resolve="soon"), MisuseError,
     "`soon` is no way to resolve `within`: say `latest`, `earliest` or `seed:N`"),
]  # fmt: skip


@pytest.mark.parametrize(("misuse", "error", "words"), MISUSED, ids=[row[2][:40] for row in MISUSED])
def test_misuse(misuse: Callable[[System], object], error: type[OutlastError], words: str) -> None:
    """Whoever asks for what is not there is told, with a suggestion; nothing happens, not even time."""
    system = system_of(COFFEE)
    system.add("coffee", "c", next=None)
    before = system.snapshot()
    with pytest.raises(OutlastError) as refused:
        misuse(system)

    assert (error, words, before) == (type(refused.value), str(refused.value), system.snapshot())


# Observing ------------------------------------------------------------------------------------------------------------

LAMP = """
machine: lamp
events: {toggle: {}, burn: {}}
states: {off: {}, on: {states: {dim: {}, bright: {}}}, broken: {final: true}}
transitions:
  - {id: switch-on, from: off, event: toggle, to: on}
  - {id: switch-off, from: on, event: toggle, to: off}
  - {id: brighter, from: dim, event: burn, to: bright}
  - {id: breaks, from: bright, event: burn, to: broken}
"""
CAT = """
machine: cat
refs: {lamp: lamp}
states: {asleep: {}, awake: {}}
transitions:
  - {id: wakes, from: asleep, event: lamp.on, to: awake}
  - {id: sleeps, from: awake, event: lamp.off, to: asleep}
  - {id: sees, from: awake, event: [lamp.dim, lamp.bright]}
"""
DOG = """
machine: dog
refs: {cat: cat, spare: {machine: cat, optional: true}}
states: {quiet: {}, barking: {}}
transitions:
  - {id: barks, from: quiet, event: cat.awake, when: cat.lamp is on, to: barking}
  - {id: calms, from: barking, event: cat.lamp.off, to: quiet}
  - {id: howls, from: [quiet, barking], event: cat.lamp.broken}
"""


def house() -> System:
    """A lamp, two cats that watch it, a dog that watches the second cat, and through it the lamp."""
    system = system_of(LAMP, CAT, DOG)
    system.add("lamp", "lamp")
    for name in ("tom", "kit"):
        system.add("cat", name, lamp="lamp")
    system.add("dog", "rex", cat="kit")
    return system


def test_observers_hear_in_the_order_they_were_made() -> None:
    """For each state entered, outer first, its observers hear of it, eldest first; what that causes comes after."""
    step = house().send("lamp", "toggle")

    assert [
        "lamp toggle: switch-on",
        "tom lamp.on: wakes",
        "kit lamp.on: wakes",
        "tom lamp.dim: sees",
        "kit lamp.dim: sees",
        "rex cat.awake: barks",
    ] == told(*every_step(step))


def test_chains_of_refs_are_watched() -> None:
    """The dog hears of its cat's lamp, after the cats, who were made before it."""
    system = house()
    system.send("lamp", "toggle")

    assert [
        "lamp toggle: switch-off",
        "tom lamp.off: sleeps",
        "kit lamp.off: sleeps",
        "rex cat.lamp.off: calms",
    ] == told(*every_step(system.send("lamp", "toggle")))


def test_final_states_are_observed() -> None:
    """Entering a final state is observed like any other, and the dead can still be read."""
    system = house()
    for event in ("toggle", "burn"):
        system.send("lamp", event)

    assert "rex cat.lamp.broken: howls" in told(*every_step(system.send("lamp", "burn")))
    assert ("barking", "broken") == (system["rex"].state, system["lamp"].state)


def test_what_a_story_begins_with_is_not_observed() -> None:
    """`begin` is silent about the states its instances enter first; those of a new child are observed (see below)."""
    machine = """
machine: m
refs: {other: {machine: m, optional: true}}
states: {a: {}, b: {}}
transitions: [{id: t, from: a, event: other.a, to: b}]
"""
    system = system_of(machine)
    steps = system.begin({"x": ("m", {"other": "y"}, None), "y": ("m", {"other": "x"}, "b")})

    assert (["x start: -", "y start: -"], "a", "b") == (told(*steps), system["x"].state, system["y"].state)


def test_refs_lead_to_their_machine() -> None:
    """A ref takes no instance of another machine, made before or at the same time."""
    words = "the ref `cat` of `rex` leads to a cat, and `l` is a lamp"
    system = system_of(LAMP, CAT, DOG)
    with pytest.raises(MisuseError, match=words):
        system.begin({"l": ("lamp", {}, None), "rex": ("dog", {"cat": "l"}, None)})
    system.add("lamp", "l")
    with pytest.raises(MisuseError, match=words):
        system.add("dog", "rex", cat="l")

    assert ["l"] == [item.id for item in system.instances]


# Sending --------------------------------------------------------------------------------------------------------------

BELL = """
machine: bell
fields: {rings: {type: int, default: 0}}
refs: {other: {machine: bell, optional: true}}
events: {ring: {payload: {times: {type: int, default: 1}}}, plan: {}, forget: {}, pass-on: {}, ping: {internal: true}}
effects: {ding: {}}
states: {there: {}}
transitions:
  - {id: ring, from: there, event: ring, do: [{set: {rings: rings + event.times}}, {emit: ding}]}
  - {id: plan, from: there, event: plan, do: [
      {send: {event: ring, after: 10s, id: late, with: {times: 2}}}, {send: {event: ring, after: 5s, id: early}},
      {send: {event: ring}}]}
  - {id: forget, from: there, event: forget, do: [{cancel: late}]}
  - {id: pass-on, from: there, event: pass-on, do: [{send: {event: ring, to: other}}, {emit: ding}]}
  - {id: ping, from: there, event: ping, do: [{send: {event: ping, to: other}}]}
  - {id: nobody, from: there, event: error.communication, do: [{set: {rings: 100}}]}
"""


def test_sending_now_and_later() -> None:
    """What is sent now follows at once; later sends come in their time, in order of arrival."""
    system = system_of(BELL)
    bell = system.add("bell", "b")
    first = told(*every_step(system.send(bell, "plan")))

    assert (["b plan: plan", "b ring: ring"], 1) == (first, bell.fields["rings"])
    assert (5 * SECOND, ["b ring: ring"], 2) == (system.next_due, told(*system.advance("5s")), bell.fields["rings"])
    assert (["b ring: ring"], 4, None) == (told(*system.advance("1h")), bell.fields["rings"], system.next_due)


def test_cancelling() -> None:
    """A delayed send is dropped by its id; the others stay."""
    system = system_of(BELL)
    bell = system.add("bell", "b")
    system.send(bell, "plan")
    system.send(bell, "forget")
    system.advance("1h")

    assert 2 == bell.fields["rings"]


def test_sending_to_nobody_is_a_fault_inside() -> None:
    """A send to an unbound ref leaves out the rest of its block and raises error.communication."""
    system = system_of(BELL)
    step = system.send(system.add("bell", "b"), "pass-on")

    assert (("pass-on", "nobody"), (), ("nobody is bound to `other`",)) == (step.taken, step.effects, step.faults)


# Children -------------------------------------------------------------------------------------------------------------

KID = """
machine: kid
fields: {age: {type: int, default: 1, max: 9}}
refs: {parent: {machine: parent, optional: true}}
events: {grow: {}, finish: {}}
effects: {bye: {}}
states: {playing: {exit: [{emit: bye}]}, grown: {final: true}}
transitions:
  - {id: grow, from: playing, event: grow, do: [{set: {age: age + 1}}, {send: {event: proud, to: parent}}]}
  - {id: finish, from: playing, event: finish, to: grown}
"""
PARENT = """
machine: parent
fields: {prouder: {type: int, default: 0}, age: {type: int, default: 3}}
refs: {kid: {machine: kid, optional: true}, helper: {machine: kid, optional: true}}
events: {home: {}, away: {}, again: {}, drop: {}, proud: {internal: true}, blink: {}, odd: {payload: {age: int}}, age: {payload: {age: int}}}
states:
  out: {}
  inside: {spawn: {kid: {machine: kid, with: {age: age}}}}
  rest: {}
  sorry: {}
transitions:
  - {id: home, from: out, event: home, to: inside}
  - {id: away, from: inside, event: away, to: out}
  - {id: blink, from: inside, event: blink, to: inside}
  - {id: again, from: [out, inside, rest], event: again, do: [{spawn: {helper: {machine: kid}}}]}
  - {id: odd, from: [out, inside], event: odd, do: [{set: {age: event.age}}, {spawn: {helper: {machine: kid, with: {age: age}}}}]}
  - {id: age, from: out, event: age, do: [{set: {age: event.age}}]}
  - {id: drop, from: [out, inside, rest], event: drop, do: [{stop: helper}]}
  - {id: proud, from: [inside, rest], event: proud, do: [{set: {prouder: prouder + 1}}]}
  - {id: watches, from: inside, event: kid.playing}
  - {id: done, from: inside, done: kid, to: rest}
  - {id: helped, from: [out, inside], done: helper, to: rest}
  - {id: fault, from: [out, inside], event: error.execution, to: sorry}
"""


def family() -> System:
    """A parent, out."""
    system = system_of(PARENT, KID)
    system.add("parent", "p")
    return system


def test_a_state_owns_a_child() -> None:
    """The child is made when its state is entered, observed, and stopped when the state is left."""
    system = family()
    home = told(*every_step(system.send("p", "home")))
    made = ([item.id for item in system.instances], system["p"].refs["kid"], system["p.kid"].fields)
    away = system.send("p", "away")

    assert ["p home: home", "p.kid start: -", "p kid.playing: watches"] == home
    assert (["p", "p.kid"], "p.kid", {"age": 3}) == made
    assert ["p away: away", "p.kid stop: -"] == told(*every_step(away))
    assert ["bye"] == [effect.name for effect in away.caused[0].effects]
    assert (["p"], None) == ([item.id for item in system.instances], system["p"].refs["kid"])


def test_a_child_is_new_each_time() -> None:
    """Leaving and entering at once replaces the child by another, with the next number."""
    system = family()
    system.send("p", "home")
    step = system.send("p", "blink")

    assert ["p blink: blink", "p.kid.2 start: -", "p.kid stop: -", "p kid.playing: watches"] == told(*every_step(step))
    assert {"kid": "p.kid.2", "helper": None} == system["p"].refs


def test_parent_and_child_talk() -> None:
    """The child's ref `parent` is bound to its maker, who hears when the child is done, and may still read it."""
    system = family()
    system.send("p", "home")
    proud = told(*every_step(system.send("p.kid", "grow")))
    done = told(*every_step(system.send("p.kid", "finish")))

    assert (["p.kid grow: grow", "p proud: proud"], 1) == (proud, system["p"].fields["prouder"])
    assert ["p.kid finish: finish", "p done.invoke.kid: done", "p.kid stop: -"] == done
    assert "rest" == system["p"].state


def test_children_of_actions() -> None:
    """`spawn` replaces the child bound before; `stop` ends it; stopping nobody is nothing."""
    system = family()
    spawned = [told(*every_step(system.send("p", "again"))) for _ in range(2)]
    dropped = [told(*every_step(system.send("p", "drop"))) for _ in range(2)]

    assert [
        ["p again: again", "p.helper start: -"],
        ["p again: again", "p.helper.2 start: -", "p.helper stop: -"],
    ] == spawned
    assert [["p drop: drop", "p.helper.2 stop: -"], ["p drop: drop"]] == dropped


def test_an_action_child_that_is_done_stays_to_be_read() -> None:
    """Done is told to the parent; the child stays bound."""
    system = family()
    system.send("p", "again")
    system.send("p.helper", "finish")

    assert ("rest", "p.helper", "grown") == (system["p"].state, system["p"].refs["helper"], system["p.helper"].state)


def test_a_replaced_child_is_not_heard() -> None:
    """That a child was done is no news of the one that took its place."""
    feeder = """
machine: feeder
refs: {p: parent, k: kid}
events: {both: {}}
states: {s: {}}
transitions: [{id: both, from: s, event: both, do: [{send: {event: finish, to: k}}, {send: {event: again, to: p}}]}]
"""
    system = system_of(PARENT, KID, feeder)
    system.add("parent", "p")
    system.send("p", "again")
    system.add("feeder", "f", p="p", k="p.helper")
    system.send("f", "both")

    assert ("out", "playing") == (system["p"].state, system["p.helper.2"].state)


def test_a_child_that_cannot_be_made_is_a_fault_inside() -> None:
    """A field out of its range raises error.execution, for a spawn of an action and of a state alike."""
    by_action, by_state = family(), family()
    by_action.send("p", "odd", {"age": 10})
    by_state.send("p", "age", {"age": 10})
    step = by_state.send("p", "home")

    assert "sorry" == by_action["p"].state
    assert (("home", "fault"), "sorry") == (step.taken, by_state["p"].state)


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    """A child gets the first free number: it never takes the place of another instance."""
    system = family()
    system.add("kid", "p.helper", age=5)
    system.send("p", "again")

    assert ("p.helper.2", 5) == (system["p"].refs["helper"], system["p.helper"].fields["age"])


def test_a_receiver_that_ends_meanwhile() -> None:
    """Who waits to speak until the other has gone hears that nobody is there."""
    boss = """
machine: boss
refs: {aide: {machine: aide, optional: true}}
states: {a: {spawn: {aide: {machine: aide}}}, b: {}}
transitions: [{id: t, from: a, after: 10s, to: b}]
"""
    aide = "machine: aide\nevents: {e: {}}\nstates: {s: {}}\ntransitions: [{id: t, from: s, event: e}]"
    system = system_of(boss, aide)
    system.add("boss", "b")
    with pytest.raises(UnknownName) as refused:
        system.send("b.aide", "e", at=20 * SECOND)

    assert "no instance is called `b.aide` (known: `b`)" == str(refused.value)


# Time -----------------------------------------------------------------------------------------------------------------

CLOCK = """
machine: clock
fields: {bell: {type: duration, optional: true}, open: {type: bool, default: true}, said: {type: int, default: 0}}
events: {again: {}, move: {}, back: {}, shut: {}, tick: {}}
states:
  day: {states: {morning: {}, noon: {}}}
  night: {}
transitions:
  - {id: late, from: day, after: 10s, when: open, to: night}
  - {id: chime, from: day, after: bell}
  - {id: soon, from: morning, within: 1m, do: [{set: {said: said + 1}}]}
  - {id: tick, from: day, event: tick}
  - {id: again, from: day, event: again, to: day}
  - {id: move, from: morning, event: move, to: noon}
  - {id: back, from: night, event: back, to: day}
  - {id: shut, from: day, event: shut, do: [{set: {open: false}}]}
"""


def clock(**given: str) -> System:
    """A clock."""
    system = system_of(CLOCK)
    system.add("clock", "c", **given)
    return system


DEADLINES: list[tuple[dict[str, str], list[str], dict[str, int]]] = [
    ({}, [], {"late": 10, "soon": 60}),
    ({"bell": "3s"}, [], {"chime": 3, "late": 10, "soon": 60}),
    ({"bell": "3s"}, ["4s"], {"late": 10, "soon": 60}),  # fired, not armed again
    ({}, ["4s", "move"], {"late": 10}),  # a timer of the composite survives a move inside it
    ({}, ["4s", "again"], {"late": 14, "soon": 64}),  # armed anew
    ({}, ["10s"], {}),  # disarmed at the exit
    ({}, ["10s", "back"], {"late": 20, "soon": 70}),
    ({}, ["shut", "10s"], {"soon": 60}),  # its guard was false: spent
    ({}, ["shut", "10s", "again"], {"late": 20, "soon": 70}),
]


@pytest.mark.parametrize(("given_", "said", "expected"), DEADLINES)
def test_timers(given_: dict[str, str], said: list[str], expected: dict[str, int]) -> None:
    """A timer belongs to its state, is read when it is armed, and fires once; an absent duration arms nothing."""
    system = clock(**given_)
    for word in said:
        system.advance(word) if word[0].isdigit() else system.send("c", word)

    assert expected == {timer.key: timer.due // SECOND for timer in system["c"].deadlines}


def test_a_spent_timer_says_why() -> None:
    """A timer whose guard is false makes a step that took nothing."""
    system = clock()
    system.send("c", "shut")
    (step,) = system.advance("10s")

    assert ("late", "timer", (), "its guard does not hold") == (step.timer, step.cause, step.taken, step.refusal)


def test_what_is_due_comes_before_what_is_said() -> None:
    """A timer due at an instant fires before an event of that instant."""
    system = clock()
    step = system.send("c", "tick", at=10 * SECOND)

    assert ("night", "nothing listens for it here") == (system["c"].state, step.refusal)


SEVERAL = """
machine: m
events: {go: {}}
effects: {a: {}, b: {}, c: {}, d: {}}
states: {s: {entry: [{send: {event: go, after: 5s}}, {send: {event: go, after: 5s}}]}}
transitions:
  - {id: two, from: s, after: 5s}
  - {id: go, from: s, event: go}
  - {id: one, from: s, within: 5s}
  - {id: early, from: s, after: 4s}
"""


def test_things_due_together() -> None:
    """The instance made first; of one instance timers in the order of the file, then sends in the order of sending."""
    system = system_of(SEVERAL)
    for name in ("y", "x"):
        system.add("m", name)
    steps = system.advance("1m")

    assert (["early", "early"], [4 * SECOND] * 2) == ([s.taken[0] for s in steps[:2]], [s.at for s in steps[:2]])
    assert [f"{name} {row}" for name in "yx" for row in ("two", "one", "go", "go")] == [
        f"{step.instance} {step.taken[0]}" for step in steps[2:]
    ]


def test_time_may_stand_still_for_a_while() -> None:
    """A timer of no length fires at once, and again as often as it is armed."""
    system = system_of("""
machine: m
fields: {n: {type: int, default: 0}}
states: {a: {}, b: {}}
transitions:
  - {id: t, from: a, after: 0s, when: n < 3, to: a, do: [{set: {n: n + 1}}]}
""")
    system.add("m", "x")
    steps = system.advance(0)

    assert (4, 3, 0) == (len(steps), system["x"].fields["n"], system.now)


@pytest.mark.parametrize(("resolve", "due"), [("latest", 60 * SECOND), ("earliest", 0)])
def test_within(resolve: str, due: int) -> None:
    """An upper bound happens at its end, or at once, as the terms say."""
    system = system_of(CLOCK, terms=Terms(resolve=resolve))
    system.add("clock", "c")
    (timer,) = (timer for timer in system["c"].deadlines if timer.key == "soon")

    assert (0, due, 60 * SECOND) == (timer.armed, timer.due, timer.latest)


@given(st.integers(0, 2**40), st.integers(0, 10**15), st.text(max_size=5))
def test_within_by_seed(seed: int, armed: int, name: str) -> None:
    """A seed draws a moment within the interval, the same each time."""
    moments = {Terms(resolve=f"seed:{seed}").moment(name, "soon", armed, MINUTE) for _ in range(2)}

    assert 1 == len(moments)
    assert armed <= min(moments) <= armed + MINUTE


def test_seeds_differ() -> None:
    """Different seeds, instances and rows draw different moments, everywhere in the interval."""
    moments = [Terms(resolve=f"seed:{n}").moment(f"i{n % 3}", "r", 0, 9) for n in range(300)]

    assert set(range(10)) == set(moments)


# Limits ---------------------------------------------------------------------------------------------------------------

CYCLE = """
machine: cycle
fields: {n: {type: int, default: 0}}
refs: {kid: {machine: cycle, optional: true}}
events: {go: {}, wait: {}, family: {}}
states:
  rest: {}
  a: {}
  b: {}
  waiting: {}
  family: {spawn: {kid: {machine: cycle}}}
initial-transition: {to: rest}
transitions:
  - {id: go, from: rest, event: go, to: a, do: [{spawn: {kid: {machine: cycle}}}]}
  - {id: there, from: a, to: b, do: [{set: {n: n + 1}}]}
  - {id: back, from: b, to: a}
  - {id: wait, from: rest, event: wait, to: waiting}
  - {id: late, from: waiting, after: 5s, to: a}
  - {id: fine, from: waiting, after: 3s, do: [{set: {n: n + 1}}]}
"""


def test_an_eventless_cycle() -> None:
    """A machine that does not come to rest is stopped, told with its cycle, and everything is as before."""
    system = system_of(CYCLE)
    system.add("cycle", "x")
    before = system.snapshot()
    with pytest.raises(LimitExceeded) as hit:
        system.send("x", "go")

    assert "`x` does not come to rest after 1000 microsteps: there -> back -> there" == str(hit.value)
    assert before == system.snapshot()


def test_a_limit_hit_by_time() -> None:
    """If a timer leads to a limit, the whole passing of time is undone, the clock and earlier timers too."""
    system = system_of(CYCLE)
    system.add("cycle", "x")
    system.send("x", "wait")
    before = system.snapshot()
    for _ in range(2):
        with pytest.raises(LimitExceeded):
            system.advance("1m")
        assert (before, 3 * SECOND) == (system.snapshot(), system.next_due)

    assert ["x after 3s: fine"] == told(*system.advance("4s"))


def test_two_that_never_stop_talking() -> None:
    """An endless exchange of events is stopped, with its path, and undone."""
    system = system_of(BELL.replace("ping: {internal: true}", "ping: {}"), terms=Terms(cascade=50))
    system.begin({"x": ("bell", {"other": "y"}, None), "y": ("bell", {"other": "x"}, None)})
    before = system.snapshot()
    with pytest.raises(LimitExceeded) as hit:
        system.send("x", "ping")

    assert ("y ping", "x ping") == hit.value.path[:2]
    assert "one event led to more than 50 steps" in str(hit.value)
    assert (before, ["x plan: plan", "x ring: ring"]) == (
        system.snapshot(),
        told(*every_step(system.send("x", "plan"))),
    )


STILL = [
    "transitions: [{id: t, from: a, after: 0s, to: a}]",
    "transitions: [{id: t, from: a, event: e, do: [{send: {event: e, after: 0s}}]}]",
]


@pytest.mark.parametrize("rows", STILL)
def test_time_that_stands_still(rows: str) -> None:
    """Timers or sends of no length that never end are stopped: time would not go on."""
    text = "machine: m\nevents: {e: {}}\nstates: {a: {entry: [{send: {event: e, after: 0s}}]}}\n" + rows
    system = system_of(text, terms=Terms(cascade=100))
    system.add("m", "x")
    before = system.snapshot()
    with pytest.raises(LimitExceeded) as hit:
        system.advance("1s")

    assert "`x` does not come to rest: time stands still at its timers and sends" == str(hit.value)
    assert before == system.snapshot()


def test_many_things_in_the_course_of_time() -> None:
    """The limit is on what happens at one instant: a clock may tick for as long as it likes."""
    text = "machine: m\nstates: {a: {}}\ntransitions: [{id: t, from: a, after: 1s, to: a}]"
    system = system_of(text, terms=Terms(cascade=5))
    system.add("m", "x")

    assert 60 == len(system.advance("1m"))


def test_a_negative_delay_is_none() -> None:
    """What should have happened already happens at once, never in the past."""
    text = """
machine: m
fields: {d: {type: duration, default: 5s}}
states: {a: {}, b: {}}
transitions: [{id: t, from: a, after: d - 10s, to: b}]
"""
    system = System(plan_of(text), now=HOUR)
    system.add("m", "x")

    assert [HOUR] == [step.at for step in system.advance("1s")]


def test_children_of_children() -> None:
    """A machine that makes itself its child is stopped before the stack is."""
    text = "machine: m\nrefs: {kid: {machine: m, optional: true}}\nstates: {a: {spawn: {kid: {machine: m}}}}"
    system = system_of(text)
    with pytest.raises(LimitExceeded) as hit:
        system.add("m", "x")

    assert "children of children: more than 50 generations" in str(hit.value)
    assert () == system.instances


def test_generations_made_one_by_one() -> None:
    """So is one whose grandchildren come in time."""
    text = """
machine: m
refs: {kid: {machine: m, optional: true}}
states: {a: {}, b: {}}
transitions: [{id: t, from: a, after: 1s, to: b, do: [{spawn: {kid: {machine: m}}}]}]
"""
    system = system_of(text, terms=Terms(generations=10))
    system.add("m", "x")
    system.advance("9s")
    with pytest.raises(LimitExceeded):
        system.advance("1s")

    assert (10, 9 * SECOND) == (len(system.instances), system.now)


def test_many_spawns_in_one_step() -> None:
    """A step may make many children."""
    text = """
machine: m
fields: {n: {type: int, default: 0}}
refs: {kid: {machine: k, optional: true}}
states: {a: {}}
transitions: [{id: t, from: a, when: n < 900, do: [{set: {n: n + 1}}, {spawn: {kid: {machine: k}}}]}]
"""
    system = system_of(text, "machine: k\nstates: {s: {}}")
    system.add("m", "x")

    assert ["x", "x.kid.900"] == [item.id for item in system.instances]


def test_too_many_instances() -> None:
    """The number of instances is limited; what would exceed it is undone as a whole."""
    system = system_of(COFFEE, terms=Terms(instances=3))
    system.add("coffee", "c")
    with pytest.raises(LimitExceeded) as hit:
        system.begin({name: ("coffee", {}, None) for name in "defg"})

    assert ("more than 3 instances", ["c"]) == (str(hit.value), [item.id for item in system.instances])


def test_many_may_begin_together() -> None:
    """The limit on what one event leads to is none on how many instances begin."""
    system = system_of(COFFEE, terms=Terms(cascade=5))

    assert 20 == len(system.begin({f"c{n}": ("coffee", {}, None) for n in range(20)}))


FALL = """
machine: fall
refs: {kid: {machine: kid, optional: true}, other: {machine: cycle, optional: true}}
events: {fall: {}}
states: {a: {spawn: {kid: {machine: kid}}}, b: {}}
transitions: [{id: fall, from: a, event: fall, to: b, do: [{send: {event: go, to: other}}]}]
"""


def test_a_stopped_child_comes_back_to_its_place() -> None:
    """Undoing restores the instances stopped on the way, in their order, with their timers and observers."""
    kid = "machine: kid\nstates: {x: {}, y: {}}\ntransitions: [{id: t, from: x, after: 9s, to: y}]"
    cat = "machine: cat\nrefs: {kid: kid}\nstates: {s: {}}\ntransitions: [{id: sees, from: s, event: kid.y}]"
    system = system_of(FALL, kid, CYCLE, cat)
    system.add("cycle", "c")
    system.add("fall", "f", other="c")
    system.add("cat", "tom", kid="f.kid")
    before = system.snapshot()
    with pytest.raises(LimitExceeded):
        system.send("f", "fall")

    assert before == system.snapshot()
    assert ["f.kid after 9s: t", "tom kid.y: sees"] == told(*system.advance("9s"))


# Regions --------------------------------------------------------------------------------------------------------------

REGIONS = """
machine: m
events: {e: {}, f: {}}
states:
  all:
    regions:
      one: {states: {a: {}, b: {}}}
      two: {states: {c: {}, d: {}}}
transitions:
  - {id: moves, from: a, event: e, to: b}
  - {id: refuses, from: c, event: e, refuse: Not now.}
  - {id: raises, from: a, event: f, to: b, do: [{raise: e}]}
"""


def test_a_refusal_in_one_region_is_a_refusal() -> None:
    """An event that one region refuses is taken by none: a refused event changes nothing."""
    system = system_of(REGIONS)
    system.add("m", "x")
    verdicts = [(item.id, item.verdict, item.by) for item in system.explain("x", "e").candidates]
    step = system.send("x", "e")

    assert ("Not now.", ("refuses",), step.before) == (step.refusal, step.taken, step.after)
    assert [("moves", "preempted", "refuses"), ("refuses", "refuses", None)] == verdicts
    assert ["f"] == list(map(str, system.enabled("x")))


def test_a_refusal_inside_does_not_refuse_what_came_in() -> None:
    """A raised event may be refused; the event that led to it was accepted."""
    system = system_of(REGIONS)
    system.add("m", "x")
    step = system.send("x", "f")

    assert (None, ("raises", "refuses"), "b + c") == (step.refusal, step.taken, system["x"].state)


# What is offered ------------------------------------------------------------------------------------------------------


def said_everywhere(system: System) -> list[tuple[bool, bool, str]]:
    """(offered for certain, offered at all, refusal) for every declared event without payload at every instance."""
    found = []
    for item in system.instances:
        offers = {offer.event: offer for offer in system.enabled(item)}
        for event in item.machine.events.values():
            if event.internal or event.payload:
                continue
            offer = offers.get(event.name)
            copy = System.restore(system.plan, system.snapshot())
            step: Step = copy.send(item.id, event.name)
            asked = system.explain(item, event.name)
            assert (asked.accepted, asked.refusal) == (step.accepted, step.refusal), event.name
            found.append((offer is not None and not offer.depends, offer is not None, step.refusal or ""))
    return found


@pytest.mark.parametrize("name", sorted(bundled_plans()))
def test_what_is_offered_is_accepted(name: str) -> None:
    """At the end of every story an event offered is accepted, and what is not offered is refused, as explained."""
    plan = bundled_plans()[name]
    for scenario in outlast.scenarios(name).values():
        for run in every_reading(plan, scenario)[:2]:
            for certain, offered, refusal in said_everywhere(run.system):
                assert not (certain and refusal)
                assert offered or refusal


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["toggle", "burn"]), max_size=4))
def test_offers_in_a_house(events: list[str]) -> None:
    """The same wherever a small system has got to."""
    system = house()
    for event in events:
        system.send("lamp", event)
    for certain, offered, refusal in said_everywhere(system):
        assert (certain, certain) == (not refusal, offered)


def test_what_was_due_first_is_told() -> None:
    """An event stamped later carries the steps that time caused before it; a new handle those of its making."""
    system = outlast.System(outlast.load("tour"))
    machine = system.add("coffee-machine", "kitchen")
    system.send(machine, "switch")

    step = system.send(machine, "switch", at=20 * 60 * 1_000_000)

    assert [before.taken for before in step.preceded] == [("doze-off",)]
    assert step.taken == ("turn-on",)
    assert [first.entered for first in machine.began] == [("off",)]
