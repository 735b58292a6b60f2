"""Export and import again: a random machine still does the same, and what SCXML cannot say is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from outlast import model
from outlast.bridge.scxml import import_scxml, load_scxml, to_scxml
from outlast.errors import LimitExceeded, SpecError, UnknownName
from outlast.language import read_machine
from outlast.plan import Plan, compile_system
from outlast.run import Event, Step, System, Terms, start, step
from outlast.run.instances import blank
from tests.oracle.machines import Run, runs, to_yaml


def compiled(text: str) -> Plan:
    """The plan of one machine file."""
    read, problems = read_machine(text, "machine.yaml")
    assert read is not None, problems
    plan, unresolved = compile_system(model.System(read.name, machines=(read,)))
    assert not unresolved, unresolved
    return plan


def again(plan: Plan, folder: Path) -> Plan:
    """The plan of what is written of a plan."""
    (name,) = plan.machines
    path = folder / f"{name}.scxml"
    path.write_text(to_scxml(plan, name), "utf-8")
    return load_scxml(path)


def told(plan: Plan, events: list[str]) -> list[object]:
    """Everything that can be seen of a run."""
    (name,) = plan.machines
    terms, found = Terms(microsteps=100), list[object]()

    def seen(done: Step) -> object:
        arrows = plan.machines[name].arrows
        microsteps = [
            (
                micro.event,
                [arrows[key].key.replace("@", "-at-") for key in micro.transitions],
                micro.exited,
                micro.entered,
            )
            for micro in done.microsteps
        ]
        return microsteps, done.effects, done.after.configuration, done.after.values, done.refusal

    try:
        done = start(plan, blank(plan, name, "x", {}, {}), 0, terms=terms)
        found.append(seen(done))
        for event in events:
            done = step(plan, done.after, Event(event), 0, terms=terms)
            found.append(seen(done))
    except LimitExceeded:
        found.append("endless")
    return found


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(runs())
def test_random_machines_come_back(tmp_path: Path, drawn: Run) -> None:
    """Microsteps, effects, configurations, fields and refusals are those of the machine that was exported."""
    machine, events = drawn
    machine = {**machine, "initial-transition": _without_actions(machine)}
    plan = compiled(to_yaml({key: value for key, value in machine.items() if value is not None}))

    assert told(again(plan, tmp_path), events) == told(plan, events)


def _without_actions(machine: dict[str, object]) -> object:
    """The machine's initial transition as far as SCXML has it: it does nothing on the way."""
    found = machine.get("initial-transition")
    return {"to": found["to"]} if isinstance(found, dict) else None


TIMERS = """
machine: kettle
fields:
  patience: {type: duration, default: 5m, min: 1m}
  level: {enum: [low, high], default: low}
  last: {type: int, optional: true}
events:
  switch: {}
  pour: {payload: {cups: {type: int, min: 1, max: 4}}}
effects:
  poured: {payload: {cups: int}}
guards:
  eager: patience < 3m
states:
  off: {}
  on:
    states:
      heating: {}
      ready: {entry: [{send: {event: switch, after: patience, id: idle}}], exit: [{cancel: idle}]}
transitions:
  - {id: start, from: off, event: switch, to: on}
  - {id: boil, from: heating, after: 2m, to: ready, do: [{set: {level: high}}]}
  - {id: cool, from: on, event: switch, when: not eager, to: off}
  - {id: serve, from: ready, event: pour, when: event.cups > 1 and level == high, do: [{emit: {poured: {cups: event.cups}}}, {set: {last: event.cups}}]}
  - {id: too-few, from: ready, event: pour, refuse: Not for one cup.}
"""


def test_timers_payloads_and_ranges_come_back(tmp_path: Path) -> None:
    """A timer is a delayed send in SCXML; types, ranges, effects and refusals travel in our namespace."""
    stories = []
    for plan in (compiled(TIMERS), again(compiled(TIMERS), tmp_path)):
        system = System(plan)
        kettle = system.make("kettle", "k", {})
        story: list[object] = []
        system.send("k", "switch")
        system.advance("2m")
        story.append(kettle.state)
        done = system.send("k", "pour", {"cups": 3})
        story += [done.effects, kettle.fields]
        story += [system.send("k", "pour", {"cups": 1}).refusal, system.send("k", "pour", {"cups": 9}).refusal]
        system.advance("4m 59s")
        story.append(kettle.state)
        system.advance("1s")
        story.append(kettle.state)
        stories.append(story)

    assert stories[0] == stories[1]
    assert stories[0][0] == "ready" and stories[0][-2:] == ["ready", "off"]


def test_what_scxml_cannot_say_is_told() -> None:
    """Every part that has no counterpart is a problem of its own."""
    text = """
machine: one
refs: {other: {machine: one, optional: true}}
states: {a: {}, b: {}}
transitions:
  - {id: w, from: a, within: 5m, to: b}
  - {id: r, from: b, when: other is a, to: a}
"""
    with pytest.raises(SpecError) as caught:
        to_scxml(compiled(text), "one")

    assert [problem.text for problem in caught.value.problems] == [
        "SCXML has no word for the ref `other`",
        "SCXML has no word for `within`: w",
        "SCXML has no word for the ref `other`",
    ]
    with pytest.raises(UnknownName):
        to_scxml(compiled(text), "two")


DOOR = """<scxml xmlns="http://www.w3.org/2005/07/scxml" initial="shut" datamodel="null">
  <state id="shut"><transition event="open" target="wide"/></state>
  <parallel id="wide">
    <state id="left"><transition cond="In('shut')" target="shut"/></state>
    <state id="right"><onentry><raise event="creak"/></onentry><transition event="close" target="shut"/></state>
  </parallel>
</scxml>"""


def test_a_document_becomes_a_machine_file(tmp_path: Path) -> None:
    """What our YAML can say is said in it."""
    path = tmp_path / "door.scxml"
    path.write_text(DOOR, "utf-8")
    plan = compiled(import_scxml(path))

    system = System(plan)
    door = system.make("door", "d", {})
    system.send("d", "open")
    assert door.state == "left + right"
    system.send("d", "close")
    assert door.state == "shut"


@pytest.mark.parametrize(
    ("inside", "code", "words"),
    [
        ('<state id="a"><transition cond="x > 1" target="a"/></state>', "scxml-expression", "in the language of"),
        (
            '<state id="a"><onentry><script>x()</script></onentry></state>',
            "scxml-script",
            "a language that is not spoken",
        ),
        ('<state id="a"><invoke type="soap" src="x"/></state>', "scxml-invoke", "`invoke` of the type `soap`"),
        ('<state id="a"><invoke src="gone.scxml"/></state>', "scxml-file", "names `gone.scxml`, which cannot be read"),
        ('<state id="a"><onentry><dance/></onentry></state>', "scxml-element", "`dance` is not an element"),
        ('<state id="a"><history id="h"/><state id="b"/></state>', "scxml-history", "without a default transition"),
        (
            '<state id="a"><onentry><send event="e" delay="soon"/></onentry></state>',
            "scxml-delay",
            "`soon` is not a duration",
        ),
        ('<state id="a"', "scxml-xml", "not well-formed"),
    ],
)
def test_what_a_document_needs_and_we_have_not(tmp_path: Path, inside: str, code: str, words: str) -> None:
    """The error names the element, its line and the reason."""
    path = tmp_path / "bad.scxml"
    path.write_text(f'<scxml xmlns="http://www.w3.org/2005/07/scxml">\n{inside}\n</scxml>', "utf-8")

    with pytest.raises(SpecError) as caught:
        load_scxml(path)

    problem = caught.value.problems[0]
    assert problem.code == code and words in problem.text
    assert problem.place is not None and problem.place.line in (2, 3)


def test_entities_are_refused(tmp_path: Path) -> None:
    """A document cannot define its own entities, so it cannot grow when it is read."""
    path = tmp_path / "bomb.scxml"
    path.write_text('<!DOCTYPE scxml [<!ENTITY a "b">]><scxml xmlns="http://www.w3.org/2005/07/scxml"/>', "utf-8")

    with pytest.raises(SpecError, match="document type"):
        load_scxml(path)
