"""Why, and why not: every verdict a row can have, of what may happen and of what has happened."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings

import outlast
from outlast.errors import LimitExceeded, UnknownName
from outlast.run import Event, Step, System, Terms, explain, run_scenario
from outlast.run.explanation import explain_event
from tests.oracle.machines import Run, runs
from tests.run.worlds import bundled_plans, every_step, random_plan, system_of

MACHINE = """
machine: m
fields: {n: {type: int, default: 3}, limit: {type: int, optional: true}}
refs: {other: {machine: m, optional: true}, deep: {machine: n, optional: true}}
events: {e: {}, g: {}, f: {}, p: {payload: {x: int}}, r: {}, q: {by: boss}, unheard: {}, up: {}, away: {}, inner: {internal: true}}
guards: {busy: n > 5 or limit is present}
states:
  s:
    regions:
      one: {states: {a: {states: {a1: {}, a2: {}}}, b: {}}}
      two: {states: {c: {}, d: {}}}
  t: {}
transitions:
  - {id: outer, from: s, event: e}
  - {id: inner, from: a1, event: e, when: n > 5 and limit < 2, to: a2}
  - {id: middle, from: a, event: e, to: b, because: X-1}
  - {id: elsewhere, from: b, event: e, to: a}
  - {id: named, from: c, event: g, when: busy, to: d}
  - {id: of-other, from: c, event: g, when: other is b, to: d}
  - {id: of-nobody, from: c, event: g, when: deep.n > 3, to: d}
  - {id: far, from: a, event: f, to: t}
  - {id: near, from: c, event: f, to: d}
  - {id: pays, from: c, event: p, when: event.x > n, to: d}
  - {id: turns-down, from: c, event: r, refuse: We do not do that.}
  - {id: boss-only, from: c, event: q, to: d}
  - {id: late, from: c, after: 5s, when: n > 5, to: d}
  - {id: sees, from: c, event: other.b}
  - {id: raises, from: c, event: up, do: [{raise: inner}]}
  - {id: heard-inside, from: c, event: inner, do: [{set: {n: 9}}]}
  - {id: away, from: s, event: away, to: t}
"""
OTHER = "machine: n\nfields: {n: {type: int, default: 1}}\nstates: {z: {}}"


def two() -> System:
    """Two instances; the first knows the second."""
    system = system_of(MACHINE, OTHER)
    system.add("m", "y")
    system.add("n", "z")
    system.add("m", "x", other="y", deep="z")
    return system


VERDICTS = [  # event, payload, actor, accepted, refusal, candidates
    ("e", {}, None, None, [
        "inner: `n > 5` is false: n is 3; `limit < 2` is false: limit is absent",
        "middle: taken",
        "outer: taken",
        "elsewhere: `b` is not active",
    ]),
    ("g", {}, None, "nothing listens for it here", [
        "named: `n > 5` is false: n is 3; `limit is present` is false: limit is absent",
        "of-other: `other is b` is false: other is a1 + c",
        "of-nobody: `deep.n > 3` is false: deep.n is 1",
    ]),
    ("f", {}, None, None, ["far: taken", "near: preempted by `far`"]),
    ("p", {"x": 4}, None, None, ["pays: taken"]),
    ("p", {"x": 2}, None, "nothing listens for it here", ["pays: `event.x > n` is false: event.x is 2, n is 3"]),
    ("p", {}, None, "`x` must have a value", []),
    ("r", {}, None, "We do not do that.", ["turns-down: refuses the event"]),
    ("q", {}, "guest", "`guest` may not send it, only `boss` may", []),
    ("unheard", {}, None, "nothing listens for it here", []),
]  # fmt: skip


@pytest.mark.parametrize(("event", "payload", "by", "refusal", "candidates"), VERDICTS)
def test_verdicts(
    event: str, payload: dict[str, int], by: str | None, refusal: str | None, candidates: list[str]
) -> None:
    """Every row that listens says why it is taken or not; asking before and after says the same."""
    system = two()
    before = system.explain("x", event, payload, by=by)
    after = explain(system.send("x", event, payload, by=by))

    assert (refusal, candidates) == (before.refusal, [str(candidate) for candidate in before.candidates])
    assert before == after


def test_later_rows() -> None:
    """What stands after the row that is taken, in the same state, comes later."""
    system = system_of("""
machine: m
choice: first
events: {e: {}}
states: {a: {states: {b: {}}}}
transitions: [{id: one, from: b, event: e}, {id: two, from: b, event: e}, {id: three, from: a, event: e}]
""")
    system.add("m", "x")

    assert ["one: taken", "two: `one` comes first", "three: `one` comes first"] == list(
        map(str, system.explain("x", "e").candidates)
    )


def test_a_candidate_in_full() -> None:
    """A candidate names its row, where it leads, and its clauses."""
    candidate = two().explain("x", "e").candidates[1]

    assert ("middle", "middle", "a", ("b",), "taken", None, ("X-1",)) == (
        candidate.id, candidate.key, candidate.source, candidate.targets, candidate.verdict, candidate.guard,
        candidate.because,
    )  # fmt: skip


def test_what_would_be_accepted() -> None:
    """Who is refused hears what would be accepted now, and what hangs on its payload."""
    explanation = two().explain("x", "unheard")

    assert ["e", "f", "p", "q", "up", "away"] == [offer.event for offer in explanation.offers]
    assert ["p"] == [offer.event for offer in explanation.offers if offer.depends]
    assert [("boss",)] == [offer.by for offer in explanation.offers if offer.event == "q"]
    assert "`unheard` at `x`: refused: nothing listens for it here\n  accepted now: e, f, p, q, up, away" == str(
        explanation
    )


def test_accepted_events_offer_nothing() -> None:
    """Who is accepted needs no advice."""
    assert (True, ()) == (two().explain("x", "e").accepted, two().explain("x", "e").offers)


def test_asking_changes_nothing() -> None:
    """Explaining is a question."""
    system = two()
    before = system.snapshot()
    for event in ("e", "g", "f", "r", "unheard"):
        system.explain("x", event)

    assert before == system.snapshot()


def test_the_world_moves_on() -> None:
    """A step explains what was true when it happened, of other instances too, whatever has changed since."""
    system = two()
    step = system.send("x", "g")
    then = str(explain(step))
    system.send("y", "e")
    system.send("x", "away")
    system.advance("1h")

    assert then == str(explain(step))
    assert "other is a1 + c" in then
    assert explain(system.send(system.add("m", "w", other="y"), "g")).accepted


def test_a_refusal_at_the_door_is_explained_after_the_fact() -> None:
    """An event that was not let in is explained with all its guards would have seen of other instances."""
    system = System(bundled_plans()["sagemaker"])
    system.add("identity-center", "acme")
    system.add("studio-application", "studio")
    system.add("studio-domain", "ds", state="tip-enabled", center="acme", application="studio")
    system.add("interactive-session", "ana", state="signed-in", center="acme")
    job = system.add("job", "train", domain="ds", session="ana", kind="training")
    step = system.send(job, "start", by="user")

    assert system.explain(job, "start", by="user") == explain(step)
    assert "`user` may not send it, only `service` may" in str(step.refusal)
    assert ["start", "stop"] == [offer.event for offer in explain(step).offers]


def test_the_offers_of_then() -> None:
    """What a past step says would have been accepted follows chains of refs as they were then."""
    chain = """
machine: m
refs: {mid: {machine: mid, optional: true}}
events: {go: {}, no: {}}
states: {a: {}}
transitions: [{id: go, from: a, event: go, when: mid.end is z}]
"""
    mid = "machine: mid\nrefs: {end: {machine: n}}\nstates: {m: {}}"
    system = system_of(chain, mid, OTHER)
    system.add("n", "z")
    system.add("mid", "mid", end="z")
    system.add("m", "x", mid="mid")

    assert ["go"] == [offer.event for offer in explain(system.send("x", "no")).offers]


def test_a_done_instance() -> None:
    """At what is done no row is active any more."""
    system = system_of("machine: m\nevents: {e: {}}\nstates: {a: {}, z: {final: true}}\n"
                       "transitions: [{id: t, from: a, event: e, to: z}]")  # fmt: skip
    system.add("m", "x")
    system.send("x", "e")

    assert system.explain("x", "e") == explain(system.send("x", "e"))
    assert "`e` at `x`: refused: `x` is done\n  t: `a` is not active\n  accepted now: nothing" == str(
        system.explain("x", "e")
    )


def test_timers() -> None:
    """A timer is explained by its one row."""
    system = two()
    steps = [step for step in system.advance("5s") if step.instance == "x"]
    explanation = explain(steps[0])

    assert ("after 5s", False, "its guard does not hold") == (
        explanation.event,
        explanation.accepted,
        explanation.refusal,
    )
    assert ["late: `n > 5` is false: n is 3"] == list(map(str, explanation.candidates))


def test_events_raised_inside() -> None:
    """A step names what was raised inside, and what took it."""
    step = two().send("x", "up")

    assert [("up", ("raises",)), ("inner", ("heard-inside",))] == [
        (micro.event, micro.transitions) for micro in step.microsteps
    ]


def test_observations() -> None:
    """What an instance heard of another is explained like what it was told."""
    step = two().send("y", "e")
    (heard,) = (item for item in step.caused if item.instance == "x")

    assert ("other.b", ["sees: taken"]) == (explain(heard).event, list(map(str, explain(heard).candidates)))


def test_beginnings() -> None:
    """An instance's first step has no candidates: nothing was asked."""
    (begun,) = system_of(OTHER).begin({"z": ("n", {}, None)})

    assert (True, (), "`start` at `z`: accepted") == (
        explain(begun).accepted, explain(begun).candidates, str(explain(begun)),
    )  # fmt: skip


def test_unknown_words() -> None:
    """Asking about what is not there is an error with a suggestion."""
    with pytest.raises(UnknownName, match="did you mean `unheard`"):
        two().explain("x", "unherd")
    with pytest.raises(UnknownName, match="did you mean `boss`"):
        two().explain("x", "e", by="bos")


def test_asking_costs_nothing_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run computes an explanation by itself."""

    def fail(*_: object) -> None:
        raise AssertionError("somebody asked")

    module = sys.modules["outlast.run.explanation"]
    for name in ("account", "_candidates", "offers"):
        monkeypatch.setattr(module, name, fail)
    for name, plan in bundled_plans().items():
        for scenario in outlast.scenarios(name).values():
            assert run_scenario(plan, scenario).ok
    with pytest.raises(AssertionError, match="somebody asked"):
        explain(run_scenario(bundled_plans()["tour"], outlast.scenarios("tour")["one-cup"]).moments[1].step)


@settings(max_examples=60, deadline=None)
@given(runs())
def test_what_is_explained_is_what_happens(drawn: Run) -> None:
    """In random machines the rows explained as taken are those of the first microstep, before and after the fact."""
    machine, events = drawn
    plan = random_plan(machine)
    system = System(plan, terms=Terms(microsteps=100))
    try:
        system.add(next(iter(plan.machines)), "x")
        for event in events:
            before = explain_event(plan, system.look("x"), Event(event), system.world)
            step: Step = system.send("x", event)
            first = (
                [micro.transitions for micro in step.microsteps if micro.event == event][:1] if step.accepted else []
            )
            taken = sorted(candidate.key for candidate in before.candidates if candidate.verdict == "taken")

            assert (sorted(first[0]) if first else [], step.refusal) == (taken, before.refusal)
            assert before == explain(step)
    except LimitExceeded:
        return


def test_every_step_of_every_story_can_be_explained() -> None:
    """Whatever happens in the bundled stories, asking why has an answer that agrees with what happened."""
    for name, plan in bundled_plans().items():
        for scenario in outlast.scenarios(name).values():
            for moment in run_scenario(plan, scenario).moments:
                for step in every_step(moment.step):
                    told = explain(step)
                    taken = {
                        candidate.key for candidate in told.candidates if candidate.verdict in ("taken", "refuses")
                    }

                    assert (step.accepted, step.refusal) == (told.accepted, told.refusal)
                    assert not taken or taken == set(step.microsteps[0].transitions)
