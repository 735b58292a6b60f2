"""The parts of compositions to walk in, and what is said there."""

from __future__ import annotations

from collections.abc import Iterator

from outlast.expr import Type, Value
from outlast.moments import SECOND
from outlast.plan import Plan, tables
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.successors import Said
from outlast.run import Event
from outlast.values import frozen


@frozen(eq=False)
class Place:
    """What matters to one instance of a composition, and what is said to that one besides."""

    composed: Composed
    instance: str
    machines: frozenset[str]
    """The machines of the instance and of the children it may have: what is to be covered here."""
    said: tuple[Said, ...]


def places(plan: Plan, names: list[str]) -> Iterator[Place]:
    """One for each instance, small ones first, of a size those without constants of their own; of those that differ in nothing but names, one.

    Raises SpecError, RefusedInstance.
    """
    found: list[Place] = []
    shapes = set()
    for name in names:
        composed = compose(plan, plan.compositions[name])
        everybody = composed.everybody()
        for given in composed.parts:
            part = composed.part_for([given.name])
            shape = (given.machine, part.constants, part.shape())
            if shape not in shapes:
                shapes.add(shape)
                family = {machine for id_, machine in everybody.items() if id_.partition(".")[0] == given.name}
                found.append(Place(part, given.name, frozenset(family), tuple(_unsaid(composed, given.name))))
    return iter(sorted(found, key=lambda place: (len(place.composed.parts), bool(place.composed.constants))))


def _unsaid(composed: Composed, instance: str) -> Iterator[Said]:
    """What nobody gave the values for, with values at their bounds, one away from the ordinary at a time."""
    machine = composed.plan.machines[composed.everybody()[instance]]
    for event in machine.events.values():
        if f"{machine.name} {instance}: {event.name}" not in composed.unsaid:
            continue
        choices = {name: tuple(usual(field)) for name, field in event.payload.items()}
        base = {name: values[0] for name, values in choices.items()}
        payloads = [base, *({**base, name: value} for name, values in choices.items() for value in values[1:])]
        for payload in payloads:
            yield Said(instance, Event(event.name, tuple(payload.items()), by=event.by[0]))


def usual(field: tables.Field) -> Iterator[Value]:
    """Values a field may have: its bounds, both truth values, every word of an enumeration."""
    found = _bounds(field) or _any(field.type)
    yield from dict.fromkeys([*found, *([field.default] if field.has_default else [])])


def _bounds(field: tables.Field) -> list[Value]:
    return [bound for bound in (field.minimum, field.maximum) if bound is not None]


def _any(type_: Type) -> list[Value]:
    match type_.kind:
        case "bool":
            return [True, False]
        case "enum":
            return list(type_.words)
        case "duration":
            return [SECOND]
        case "int":
            return [1]
        case _:
            return ["text"]


def outside(field: tables.Field) -> Iterator[tuple[str, Value]]:
    """Values just outside the bounds of a field, with the word for them."""
    unit = field.step or (SECOND if field.type.kind == "duration" else 1)
    if field.minimum is not None and not (field.type.kind == "duration" and field.minimum < unit):
        yield "below", field.minimum - unit
    if field.maximum is not None:
        yield "above", field.maximum + unit
    if field.step and field.minimum is not None:
        yield "between", field.minimum + (SECOND if field.type.kind == "duration" and field.step > SECOND else 1)
