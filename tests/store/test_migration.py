"""From one version to the next: what maps by name, what needs a rule, what cannot be; a store moved as a whole, and back."""

from __future__ import annotations

import json

import pytest

from outlast.errors import MisuseError, StoreError
from outlast.moments import HOUR, MINUTE
from outlast.plan import Plan
from outlast.run import Terms
from outlast.store.engine import Engine
from outlast.store.interface import Backend
from outlast.store.migration import Course, courses, migrate, planned, undo
from outlast.store.opening import open_backend
from tests.run.worlds import plan_of
from tests.store.people import START, Clock

LAMP = """
machine: lamp
fields: {level: {type: int, default: 1, max: 9}}
refs: {next: {machine: lamp, optional: true}}
events: {light: {}, blow: {}}
effects: {lit: {}}
states:
  dark: {}
  lit: {states: {low: {}, high: {}}}
  out: {final: true}
transitions:
  - {id: light, from: dark, event: light, to: lit, do: [{emit: lit}]}
  - {id: grow, from: low, after: 1h, to: high}
  - {id: fade, from: lit, after: 3h, to: out}
  - {id: blow, from: lit, event: blow, to: dark}
"""
STATES = "  lit: {states: {low: {}, high: {}}}\n"
MERGED = LAMP.replace(STATES, "  lit: {}\n").replace("  - {id: grow, from: low, after: 1h, to: high}\n", "")


def changed(*pairs: tuple[str, str]) -> Plan:
    """The next version: with each text replaced by another."""
    text = LAMP
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return plan_of(text)


def told(course: Course) -> str:
    """A course in short."""
    where = f"{' + '.join(course.states)} > {' + '.join(course.target) or '-'}"
    more = f" ({course.why or ', '.join(course.notes)})" if course.why or course.notes else ""
    return f"{course.count} {where}: {course.fate}{more}"


def lamps(url: str, clock: Clock) -> Backend:
    """A store in which one lamp is dark, one low and one, an hour older, high."""
    with Engine.open(url, plan_of(LAMP), clock=clock) as engine:
        for name in ("dark", "high"):
            engine.create("lamp", name)
        engine.send("high", "light")
        clock.now += HOUR
        engine.create("lamp", "low", next="high")
        engine.send("low", "light")
        engine.run_timers()
        clock.now += MINUTE
    return open_backend(url)


ROWS = [
    # what is changed                                            what becomes of the lamps
    ([("after: 3h", "after: 5h")], ["1 dark > dark: mapped", "1 high > high: mapped", "1 low > low: mapped"]),
    ([("{id: fade, from: lit, after: 3h", "{id: fall, from: lit, after: 2h")],
     ["1 dark > dark: mapped", "1 high > high: mapped (timer `fade` ends, timer `fall` begins)", "1 low > low: mapped (timer `fade` ends, timer `fall` begins)"]),
    ([("dark", "cold")], ["1 dark > -: needs rule (`dark` is gone: say under `moved` of `lamp` where it goes)", "1 high > high: mapped", "1 low > low: mapped"]),
    ([("dark", "cold"), ("transitions:", "moved: {dark: cold}\ntransitions:")], ["1 dark > cold: mapped", "1 high > high: mapped", "1 low > low: mapped"]),
    ([("{low: {}, high", "{low: {states: {glow: {}}}, high")], ["1 dark > dark: mapped", "1 high > high: mapped", "1 low > -: needs rule (`low` has states below it now: say under `moved` of `lamp` where it goes)"]),
    ([("max: 9}", "max: 9}, kind: {enum: [oil, gas], default: oil}")], ["1 dark > dark: mapped", "1 high > high: mapped", "1 low > low: mapped"]),
    ([("max: 9}", "max: 9}, kind: {enum: [oil, gas]}")], ["3 X > -: impossible (the new field `kind` has no default)"]),
    ([("default: 1", "default: 2, min: 2")], ["3 X > -: impossible (`level` is from 2 to 9, not 1)"]),
    ([("level: {type: int", "size: {type: int")], ["3 X > X: mapped (field `level` is dropped)"]),
    ([("machine: lamp\nfields", "machine: light\nfields"), ("{machine: lamp, ", "{machine: light, ")], ["3 X > -: impossible (there is no machine `lamp` any more)"]),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "expected"), ROWS)
def test_what_becomes_of_everybody(tmp_path: object, pairs: list[tuple[str, str]], expected: list[str]) -> None:
    """Each place with its fate, the reason, and how many are there; nothing is touched by asking."""
    backend = lamps(f"sqlite:///{tmp_path}/store.db", Clock())
    found = sorted(map(told, planned(backend, changed(*pairs))))
    if " X >" in expected[0]:
        expected = sorted(
            expected[0].replace("3 X", f"1 {name}").replace("> X", f"> {name}") for name in ("dark", "high", "low")
        )

    assert expected == found
    backend.close()


def test_without_a_store() -> None:
    """Every state somebody can rest in is told of."""
    found = [told(course) for course in courses(plan_of(LAMP), plan_of(MERGED))]

    assert found == [
        "None dark > dark: mapped",
        "None low > -: needs rule (`low` is gone: say under `moved` of `lamp` where it goes)",
        "None high > -: needs rule (`high` is gone: say under `moved` of `lamp` where it goes)",
        "None out > out: mapped",
    ]


def test_moved_and_used_on(url: str) -> None:
    """Running timers keep their instants, new ones begin; old decisions stay as they were; the old version is shut out."""
    clock = Clock()
    old, new = plan_of(LAMP), plan_of(MERGED.replace("transitions:", "moved: {low: lit, high: lit}\ntransitions:"))
    backend = lamps(url, clock)
    left = Engine(backend, old, clock=clock)
    before = left.decisions()
    count = sum(course.count or 0 for course in migrate(backend, new, clock=clock))

    assert count == 3
    with pytest.raises(StoreError, match="the store was moved to another version"):
        left.send("dark", "light")
    with pytest.raises(StoreError, match="another version of"):
        Engine.open(url, old)
    with Engine(backend, new, clock=clock) as engine:
        assert engine.decisions(limit=len(before)) == before
        assert engine.get("high").deadlines[0].due == START + 3 * HOUR
        assert engine.get("low").deadlines[0].due == START + 4 * HOUR
        assert engine.get("low").refs == {"next": "high"}
        assert engine.send("dark", "light").accepted
        clock.now += 5 * HOUR
        engine.run_timers()
        assert [engine.history(name)[-1].at - START for name in ("high", "low")] == [3 * HOUR, 4 * HOUR]
        verified = engine.verify()
        assert verified.findings == ()
        assert verified.replayed
        assert dict(engine.replay().world) == {name: engine.get(name).snapshot for name in ("dark", "high", "low")}


def test_moved_and_put_back(url: str) -> None:
    """Until something happens everything can be put back, and the journal tells of both."""
    clock = Clock()
    old, new = plan_of(LAMP), changed(("after: 3h", "after: 5h"))
    backend = lamps(url, clock)
    with Engine(backend, old, clock=clock) as engine:
        before = {name: engine.get(name).snapshot for name in ("dark", "high", "low")}
        migrate(backend, new, clock=clock)

        with pytest.raises(MisuseError, match="it cannot be put back"):
            undo(backend, old=plan_of(MERGED))
        assert undo(backend, old=old, new=new) == 3
        assert {name: engine.get(name).snapshot for name in before} == before
        assert [decision.cause for decision in engine.history("low")[-2:]] == ["migrated", "migrated"]
        assert engine.verify().findings == ()
        assert engine.send("dark", "light").accepted
        assert engine.verify().ok
        migrate(backend, new, clock=clock)
        Engine(backend, new, clock=clock).send("dark", "blow")
        with pytest.raises(MisuseError, match="something has happened since the store was moved"):
            undo(backend)


def test_nobody_is_moved_if_one_cannot_be(url: str) -> None:
    """A single instance in the way keeps all where they are."""
    clock = Clock()
    backend = lamps(url, clock)
    with pytest.raises(
        MisuseError, match=r"1 of 3 instances cannot be moved, `dark` for one: `dark` is gone.*; make room for them"
    ):
        migrate(backend, changed(("dark", "cold")), clock=clock)

    with Engine(backend, plan_of(LAMP), clock=clock) as engine:
        assert engine.verify().ok
        assert engine.history("dark")[-1].cause == "start"


def test_groups_follow_the_new_version(url: str) -> None:
    """Who acts on whom from now on belongs together; who does no more stands alone."""
    clock = Clock()
    joined = LAMP.replace("to: dark}", "to: dark, do: [{if: next is present, do: [{send: {event: blow, to: next}}]}]}")
    backend = lamps(url, clock)
    old, new = plan_of(LAMP), plan_of(joined)
    migrate(backend, new, clock=clock)
    with Engine(backend, new, clock=clock) as engine:
        assert engine.verify().findings == ()
        receipt = engine.send("low", "blow")
        assert [decision.instance for decision in receipt.decisions] == ["low", "high"]
        migrate(backend, old, clock=clock)
    with Engine.open(url, old, clock=clock) as engine:
        assert engine.verify().findings == ()
        assert engine.send("low", "light").accepted


def test_readings_and_terms_stay(url: str) -> None:
    """A store keeps what it was opened with: nobody's `within` is picked otherwise because the version is new."""
    clock, terms = Clock(), Terms(resolve="earliest")
    old = changed(("fade, from: lit, after", "fade, from: lit, within"))
    new = changed(("fade, from: lit, after: 3h", "fade, from: lit, within: 5h"), ("max: 9", "max: 8"))
    with Engine.open(url, old, clock=clock, terms=terms) as engine:
        engine.create("lamp", "a")
        migrate(engine.backend, new, clock=clock)
    with Engine.open(url, new, clock=clock, terms=terms) as engine:
        with engine.backend.reading() as reading:
            assert [json.loads(row["terms"])["resolve"] for row in reading.specifications()] == ["earliest"] * 2
        assert undo(engine.backend) == 1
        with engine.backend.reading() as reading:
            assert len(reading.specifications()) == 2
