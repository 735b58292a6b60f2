"""How often a database is asked: as often for many who do something at once as for a few."""

from __future__ import annotations

import pytest

from outlast.moments import MINUTE
from outlast.store.engine import Engine
from outlast.store.records import Said
from tests.run.worlds import plan_of
from tests.store.people import START, Clock, opened

LAMP = """
machine: lamp
events: {press: {}}
states: {dark: {}, lit: {}}
transitions:
  - {id: press, from: dark, event: press, to: lit}
  - {id: fade, from: lit, after: 10m, to: dark}
"""
MIRROR = """
machine: mirror
refs: {lamp: {machine: lamp}}
states: {dull: {}, bright: {}}
transitions:
  - {id: shine, from: dull, event: lamp.lit, to: bright}
  - {id: dim, from: bright, event: lamp.dark, to: dull}
"""
EYE = """
machine: eye
fields: {seen: {type: int, default: 0}}
events: {press: {}}
refs: {mirror: {machine: mirror}}
states: {open: {}}
transitions:
  - {id: press, from: open, event: press, do: [{send: {event: press, to: mirror.lamp}}]}
  - {id: see, from: open, event: mirror.bright, do: [{set: {seen: seen + 1}}]}
  - {id: far, from: open, event: mirror.lamp.dark, do: [{set: {seen: seen + 10}}]}
"""


def questions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Everything a transaction says to the database from now on."""
    with engine.backend.reading() as reading:
        backend = type(reading)
    name = "_say" if hasattr(backend, "_say") else "run"  # a round trip of one, a statement of the other
    asked: list[object] = []
    inner = getattr(backend, name)

    def spied(self: object, *args: object) -> object:
        asked.append(args)
        return inner(self, *args)

    monkeypatch.setattr(backend, name, spied)
    return asked


def asked_for(engine: Engine, clock: Clock, count: int, asked: list[object]) -> tuple[int, int]:
    """How much is asked for while so many lamps are pressed, and while they fade, each in a mirror that somebody looks into."""
    names = [f"{number} of {count}" for number in range(count)]
    for name in names:
        engine.create("lamp", f"lamp {name}")
        engine.create("mirror", f"mirror {name}", lamp=f"lamp {name}")
        engine.create("eye", f"eye {name}", mirror=f"mirror {name}")
    asked.clear()
    receipts = engine.send_many([Said(f"lamp {name}", "press") for name in names])
    events = len(asked)
    clock.now += 10 * MINUTE
    asked.clear()
    fired = engine.run_timers()
    timers = len(asked)

    assert all(receipt.accepted for receipt in receipts)
    assert fired.turns == count
    assert {engine.get(f"eye {name}").fields["seen"] for name in names} == {11}
    return events, timers


def test_many_are_asked_for_together(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who do something, and who observes them along two refs: a question for each kind, not for each of them.

    An eye sends along its refs, so it is one group with its mirror and its lamp, and no machine is in the commons.
    """
    clock = Clock(START)
    with opened(url, plan_of(LAMP, MIRROR, EYE), clock) as engine:
        asked = questions(engine, monkeypatch)

        assert asked_for(engine, clock, 40, asked) == asked_for(engine, clock, 5, asked)
        assert engine.verify().ok
