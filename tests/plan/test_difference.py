"""The difference of two plans: a change of the text, and what is said of it."""

from __future__ import annotations

import attrs
import pytest

from outlast import catalog, loading, model
from outlast.language import read_machine
from outlast.language.files import read_clauses, read_system_file
from outlast.language.writer import write_system
from outlast.place import Word
from outlast.plan import Plan, compile_system
from outlast.plan.difference import Change, Difference, difference
from outlast.proofs.mutants import mutants

TOUR = (catalog.bundled()["tour"] / "coffee-machine.yaml").read_text("utf-8")

OLD = """
machine: lamp
fields: {level: {type: int, default: 1, min: 0, max: 3}, kind: {enum: [oil, gas]}}
refs: {next: {machine: lamp, optional: true}}
events: {light: {by: user, payload: {hot: bool}}, blow: {}}
effects: {lit: {payload: {level: int}}}
guards: {fed: level > 0, ready: fed and kind == oil}
requires: [{id: low, that: level < 3, says: too high}]
states:
  dark: {title: Dark}
  lit: {role: live, entry: [{emit: {lit: {level: level}}}], states: {low: {}, high: {}, both: {}}}
  out: {final: true}
transitions:
  - {id: light, from: dark, event: light, when: ready, to: lit}
  - {id: fade, from: lit, after: 10m, to: dark}
  - {id: burn, from: [low, high], within: 5m, when: fed, to: out, do: [{set: {level: level - 1}}], because: A-1}
  - {id: blow, from: lit, event: blow, refuse: too hot}
"""

ROWS = [
    # what is replaced      by what                     what is said, with the parts as `name: old > new`
    ("", "", []),
    ("after: 10m", "after: 11m", ["changed transition lamp:fade after: 10m > 11m"]),
    ("after: 10m", "within: 10m", ["changed transition lamp:fade after: 10m > - | within: - > 10m"]),
    ("within: 5m, when: fed", "within: 5m, when: not fed", ["changed transition lamp:burn when: fed > not fed"]),
    ("from: [low, high]", "from: low", ["changed transition lamp:burn from: [low, high] > low"]),
    ("to: out, do", "to: dark, do", ["changed transition lamp:burn to: out > dark"]),
    ("level - 1", "level - 2", ["changed transition lamp:burn do: [{set: {level: level - 1}}] > [{set: {level: level - 2}}]"]),
    ("because: A-1", "because: [A-1, A-2]", ["changed transition lamp:burn because: A-1 > [A-1, A-2]"]),
    ("refuse: too hot", "refuse: much too hot", ["changed transition lamp:blow refuse: too hot > much too hot"]),
    ("id: fade", "id: dim", ["removed transition lamp:fade from: lit > - | after: 10m > - | to: dark > -",
                             "added transition lamp:dim from: - > lit | after: - > 10m | to: - > dark"]),
    ("{title: Dark}", "{title: Off, role: neutral}", ["changed state lamp:dark title: Dark > Off | role: - > neutral"]),
    (", both: {}", "", ["removed state lamp:both in: lit > - | kind: atomic > -"]),
    (", both: {}", ", both: {states: {one: {}}}", ["changed state lamp:both kind: atomic > composite",
                                                  "added state lamp:one in: - > both | kind: - > atomic"]),
    ("{low: {}, high: {},", "{high: {}, low: {},", ["changed state lamp:lit order of states: low, high > high, low"]),
    ("high: {}, both: {}}}", "high: {}}}\n  both: {}", ["changed state lamp:both in: lit > -"]),
    ("level: int", "level: int, why: {type: string, optional: true}", ["changed effect lamp:lit payload: {level: int} > {level: int, why: {type: string, optional: true}}"]),
    ("hot: bool", "hot: int", ["changed event lamp:light payload: {hot: bool} > {hot: int}"]),
    (", blow: {}}", ", blow: {}, puff: {}}", ["added event lamp:puff"]),
    ("max: 3", "max: 4", ["changed field lamp:level max: 3 > 4"]),
    ("[oil, gas]", "[oil, gas, wax]", ["changed field lamp:kind enum: [oil, gas] > [oil, gas, wax]"]),
    ("optional: true", "about: The one behind", ["changed ref lamp:next optional: true > - | about: - > The one behind"]),
    ("fed: level > 0", "fed: level > 1", ["changed guard lamp:fed that: level > 0 > level > 1"]),
    ("says: too high", "says: far too high", ["changed requirement lamp:low says: too high > far too high"]),
    ("machine: lamp\n", "machine: lamp\ntitle: A lamp\n", ["changed machine lamp title: - > A lamp"]),
]  # fmt: skip


def compiled(text: str) -> Plan:
    """The plan of one machine with an actor and two clauses around it."""
    read, problems = read_machine(text, "lamp.yaml")
    clauses, wrong = read_clauses("[{id: A-1, says: one}, {id: A-2, says: two}]", "clauses.yaml")
    assert read
    assert clauses
    assert not problems
    assert not wrong
    system = model.System(read.name, machines=(read,), clauses=clauses, actors=(model.Actor(Word("user")),))
    plan, unresolved = compile_system(system)
    assert unresolved == ()
    return plan


def told(change: Change) -> str:
    """A change as in the table."""
    parts = (f"{part.name}: {part.old or '-'} > {part.new or '-'}" for part in change.parts)
    return f"{change} {' | '.join(parts)}".strip()


@pytest.mark.parametrize(("before", "after", "said"), ROWS)
def test_what_a_change_is_called(before: str, after: str, said: list[str]) -> None:
    """One thing after the other, key by key, in the words of the author."""
    changed = OLD.replace(before, after) if before else OLD
    found = difference(compiled(OLD), compiled(changed))

    assert said == [told(change) for change in found.changes]
    assert bool(said) == bool(found) == (changed != OLD)


def test_places_are_those_of_both_files() -> None:
    """Where a row stood, and where it stands now."""
    found = difference(compiled(OLD), compiled(OLD.replace("\nstates:", "\n\n\nstates:").replace("10m", "9m")))
    change = found.of("transition", "lamp")["fade"]

    assert change.old_place
    assert change.new_place
    assert (15, 17) == (change.old_place.line, change.new_place.line)
    assert (change.old_place.file, change.old_place.column) == ("lamp.yaml", 5)


def test_what_a_change_reaches() -> None:
    """A row that says the same through a named guard is affected, through as many guards as there are."""
    found = difference(compiled(OLD), compiled(OLD.replace("fed: level > 0", "fed: level > 1")))

    assert [("guard", "ready", ("fed",)), ("transition", "light", ("ready",)), ("transition", "burn", ("fed",))] == [
        (each.kind, each.name, each.through) for each in found.affected
    ]


def test_a_constant_reaches_rows_and_fields() -> None:
    """A time with a name: what is said of it in one place reaches rows, fields and payloads, whose words stay."""
    found = between("sagemaker", "value: 15m", "value: 20m")

    assert [told(change) for change in found.changes] == [
        "changed constant shortest-session value: 15m > 20m",
        "changed constant grace value: 15m > 20m",
    ]
    reached = {f"{each.kind} {each.machine}:{each.name} {each.through[0]}" for each in found.affected}
    assert "transition job:grace-over grace" in reached
    assert "field background-session:duration shortest-session" in reached
    assert not [each for each in reached if each.startswith("transition job") and not each.endswith("grace")]
    assert found.behaves


def between(system: str, old: str, new: str) -> Difference:
    """A bundled system and itself with a word of its system.yaml replaced."""
    plan = loading.load(system)
    text = write_system(plan.source)["system.yaml"]
    assert old in text
    read, problems = read_system_file(text.replace(old, new), "system.yaml")
    assert read
    assert not problems
    value = attrs.evolve(plan.source, constants=read.system.constants)
    return difference(plan, compile_system(value)[0])


def test_systems() -> None:
    """Machines, clauses, assumptions, constants and actors that come and go; what is in a machine is not listed with it."""
    plan = loading.load("sagemaker")
    source = plan.source
    fewer = attrs.evolve(
        source,
        title="Another",
        machines=source.machines[1:],
        clauses=(attrs.evolve(source.clauses[0], says="otherwise"), *source.clauses[2:]),
        assumptions=source.assumptions[::-1],
        actors=source.actors[:-1],
    )
    found = difference(plan, attrs.evolve(plan, source=fewer))

    assert [f"{change} {[part.name for part in change.parts]}" for change in found.changes] == [
        "changed system system ['title', 'order of assumptions']",
        f"removed actor {source.actors[-1].name} ['about']",
        f"changed clause {source.clauses[0].id} ['says']",
        f"removed clause {source.clauses[1].id} ['section', 'line', 'says']",
        f"removed machine {source.machines[0].name} ['title', 'about']",
    ]
    assert [change.behaves for change in found.changes] == [True, False, False, False, True]


@pytest.mark.parametrize("system", ["tour", "tcp"])
def test_every_changed_row_is_found(system: str) -> None:
    """Of every small change of a bundled system exactly the row that was changed, and the way back is the mirror image."""
    plan = loading.load(system)
    for mutant in list(mutants(plan.source))[::5]:
        changed = attrs.evolve(plan, source=mutant.system)
        there, back = difference(plan, changed), difference(changed, plan)

        assert [(mutant.machine, mutant.row)] == [(change.machine, change.name) for change in there.changes]
        assert [(part.name, part.new, part.old) for part in back.changes[0].parts] == [
            (part.name, part.old, part.new) for part in there.changes[0].parts
        ]
        assert there.behaves


@pytest.mark.parametrize("system", catalog.bundled())
def test_a_plan_is_no_different_from_itself(system: str) -> None:
    """Read from anywhere, however it is laid out."""
    plan, again = loading.load(system), loading.load(catalog.bundled()[system])

    assert not difference(plan, again)
    assert difference(plan, again).affected == ()
