"""What there is to cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs

from outlast.expr import tree
from outlast.plan import Machine, Transition
from outlast.proofs.recording import Record, Recording
from outlast.proofs.timed.locations import Location
from outlast.proofs.timed.successors import Move

Cover: TypeAlias = Literal["states", "transitions", "pairs", "boundaries"]
COVERS: tuple[Cover, ...] = ("states", "transitions", "pairs", "boundaries")
Kind: TypeAlias = Literal["state", "transition", "pair", "timer", "value"]


@attrs.frozen(order=True)
class Goal:
    """One thing to be seen: `name` is a state, the key of a row, two keys with a space between them, or `event field: value`."""

    kind: Kind
    machine: str
    name: str

    @property
    def words(self) -> tuple[str, ...]:
        """The names it is made of; a row of several sources goes by its key."""
        return tuple(self.name.split(" "))


def declared(machine: Machine, cover: Cover) -> Iterator[Goal]:
    """The goals of a machine that can be told without running it: all but pairs and the values of events."""
    match cover:
        case "states":
            for state in machine.states:
                if not state.is_history:
                    yield Goal("state", machine.name, state.name)
        case "transitions" | "pairs":
            for row in machine.transitions:
                yield Goal("transition", machine.name, row.key)
        case "boundaries":
            for row in machine.transitions:
                if row.delay:
                    yield Goal("timer", machine.name, row.key)


def asks(row: Transition, assumption: str) -> bool:
    """Whether the guard of a row depends on how an assumption is read."""
    parts = tree.walk(row.guard.expr) if row.guard else ()
    return any(isinstance(part, tree.Reading) and part.assumption == assumption for part in parts)


def of_location(location: Location, cover: Cover) -> Iterator[Goal]:
    """What is covered by being somewhere."""
    if cover == "states":
        for snapshot in location:
            for state in snapshot.configuration:
                yield Goal("state", snapshot.machine, state)


def of_move(system: Recording, location: Location, move: Move, last: dict[str, str], cover: Cover) -> Iterator[Goal]:
    """What is covered by a move out of `location`; `last` is the row each instance has taken before."""
    record = system.record(move)
    match cover:
        case "states":
            for machine, state in record.entered:
                yield Goal("state", machine, state)
        case "transitions":
            for _, machine, key in record.taken:
                yield Goal("transition", machine, key)
        case "pairs":
            before = dict(last)
            for instance, machine, key in record.taken:
                yield Goal("transition", machine, key)
                if instance in before:
                    yield Goal("pair", machine, f"{before[instance]} {key}")
                before[instance] = key
        case "boundaries":
            if move.fired:
                clock = system.places.clocks(location)[move.fired - 1]
                owner = location[clock.position]
                key = system.plan.machines[owner.machine].transitions[clock.number].key if not clock.is_send else ""
                if (owner.id, owner.machine, key) in record.taken:
                    yield Goal("timer", owner.machine, key)
            elif move.said and record.refusal is None:
                there = next(snapshot for snapshot in location if snapshot.id == move.said.to)
                yield from _values(system.plan.machines[there.machine], move)


def _values(machine: Machine, move: Move) -> Iterator[Goal]:
    """The bounds a value is at."""
    assert move.said
    event = machine.events[move.said.event.name]
    for name, value in move.said.event.payload:
        field = event.payload[name]
        for word, bound in (("least", field.minimum), ("most", field.maximum)):
            if bound is not None and value == bound:
                yield Goal("value", machine.name, f"{event.name} {name} {word}")


def followed(record: Record, last: dict[str, str]) -> dict[str, str]:
    """The row each instance has taken last, after one more move."""
    return {**last, **{instance: key for instance, _, key in record.taken}}
