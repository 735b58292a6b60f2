"""Who takes part in a model: the instances given, and a place for every child that one of them may have.

A child's place is used again by the next child bound to the same ref. What would tell the two apart, or is too large for a model that is
meant to be explored state by state, cannot be said; all of it is found here, at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import gcd

from outlast.errors import Problem, SpecError
from outlast.expr import Expr, Value, tree
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.run import Event, Snapshot
from outlast.values import frozen

DEEPEST = 3
"""Generations of children."""


@frozen
class Part:
    """An instance, or the place of a child. `number` counts among those of its machine; `parent`: whose ref the child is bound to."""

    id: str
    machine: str
    number: int
    parent: tuple[str, str] | None = None


@frozen(eq=False)
class Stage:
    """Everything a model is made from. Raises SpecError when made, with everything the model cannot say."""

    plan: Plan
    given: tuple[Snapshot, ...]
    said: tuple[tuple[str, Event], ...]

    def __attrs_post_init__(self) -> None:
        problems = tuple(dict.fromkeys(_Refusals(self).all()))
        if problems:
            raise SpecError(problems)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Everybody: those given that nobody made, in their order, then the places of children."""
        counts: dict[str, int] = {}
        found: list[Part] = []

        def add(id_: str, machine: str, parent: tuple[str, str] | None, depth: int) -> None:
            found.append(Part(id_, machine, counts.get(machine, 0), parent))
            counts[machine] = counts.get(machine, 0) + 1
            if parent is not None:
                children(id_, machine, depth)

        def children(id_: str, machine: str, depth: int) -> None:
            for ref, child in spawned(self.plan.machines[machine]).items():
                if depth < DEEPEST:
                    add(f"{id_}.{ref}", child, (id_, ref), depth + 1)

        roots = [snapshot for snapshot in self.given if snapshot.parent is None]
        for snapshot in roots:
            add(snapshot.id, snapshot.machine, None, 0)
        for snapshot in roots:
            children(snapshot.id, snapshot.machine, 0)
        return tuple(found)

    @cached_property
    def by_id(self) -> Mapping[str, Part]:
        """The parts by name."""
        return {part.id: part for part in self.parts}

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """The machines that have a part."""
        return tuple(self.plan.machines[name] for name in dict.fromkeys(part.machine for part in self.parts))

    def of(self, machine: str) -> tuple[Part, ...]:
        """The parts of one machine."""
        return tuple(part for part in self.parts if part.machine == machine)

    @cached_property
    def children(self) -> tuple[Part, ...]:
        """The places of children."""
        return tuple(part for part in self.parts if part.parent is not None)

    def child(self, part: Part, ref: str) -> Part:
        """The place of the child bound to a ref of an instance."""
        return self.by_id[f"{part.id}.{ref}"]

    def target(self, machine: Machine, chain: Sequence[str]) -> Machine:
        """The machine at the end of a chain of refs."""
        for name in chain:
            machine = self.plan.machines[machine.refs[name].machine]
        return machine

    @cached_property
    def tick(self) -> int:
        """The longest time of which every duration is a whole multiple, in microseconds."""
        return gcd(*self._durations()) or 1

    def _durations(self) -> Iterator[int]:
        def of(type_: tree.Type, value: Value) -> Iterator[int]:
            if type_.kind == "duration" and isinstance(value, int):
                yield value

        for machine in self.machines:
            for node in nodes(machine):
                if isinstance(node, tree.Literal):
                    yield from of(node.type, node.value)
            for field in machine.fields.values():
                yield from of(field.type, field.default)
        for snapshot in self.given:
            fields = self.plan.machines[snapshot.machine].fields.values()
            for field, value in zip(fields, snapshot.values, strict=True):
                yield from of(field.type, value)
        for to, event in self.said:
            payload = self.plan.machines[self.by_id[to].machine].events[event.name].payload
            for name, value in event.payload:
                yield from of(payload[name].type, value)


# ---- looking through a machine


def spawned(machine: Machine) -> dict[str, str]:
    """Ref -> machine of every child a machine may make."""
    return {action.ref: action.machine for action in machine.actions if isinstance(action, tables.Spawn)}


def payloads(action: tables.Action) -> tables.Payload:
    """What an action computes for somebody else."""
    match action:
        case tables.Emit(payload=found) | tables.Raise(payload=found) | tables.Send(payload=found):
            return found
        case tables.Spawn(fields=found):
            return found
        case _:
            return ()


def nodes(machine: Machine) -> Iterator[Expr]:
    """Every node of every expression that decides what a machine does. What effects carry is left out, if it cannot fail."""
    computed = [part for row in machine.transitions for part in (row.guard, row.delay) if part]
    computed += [row.that for row in machine.requires]
    for action in machine.actions:
        if isinstance(action, tables.Assign):
            computed.append(action.value)
        elif isinstance(action, tables.If):
            computed.append(action.condition)
        computed += [value for _, value in payloads(action) if not _text(value.expr)]
    for part in computed:
        yield from tree.walk(part.expr)


def _text(expr: Expr) -> bool:
    return isinstance(expr, tree.Literal) and expr.type.kind == "string"


# ---- what cannot be said


@frozen
class _Refusals:
    stage: Stage

    def all(self) -> Iterator[Problem]:
        waiting = list(dict.fromkeys(snapshot.machine for snapshot in self.stage.given))
        seen: set[str] = set()
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            machine = self.stage.plan.machines[name]
            yield from self.machine(machine)
            children = spawned(machine)
            waiting += children.values()
            for child in children.values():
                yield from self.child(self.stage.plan.machines[child])
            if name in self.descendants(name):
                yield _no(f"`{name}`, which makes children of its own kind")

    def descendants(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for child in spawned(self.stage.plan.machines[waiting.pop()]).values():
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def machine(self, machine: Machine) -> Iterator[Problem]:
        for state in machine.states:
            yield from self.state(machine, state)
        for row in machine.transitions:
            if len(row.targets) > 1:
                yield _no("several targets at once", row)
            if row.kind == "done" and row.guard and any(map(_is_payload, tree.walk(row.guard.expr))):
                yield _no("what a child says when it is done", row)
        for field in machine.fields.values():
            if field.type.kind in ("string", "any"):
                yield _no(f"the field `{machine.name}.{field.name}`: text has too many values")
        for event in machine.events.values():
            for field in event.payload.values():
                if field.type.kind in ("string", "any"):
                    yield _no(f"what the event `{event.name}` carries: text has too many values")
        for node in nodes(machine):
            if isinstance(node, tree.Known | tree.Faulty):
                yield _no("what only the run knows")
        slots = spawned(machine)
        for action in machine.actions:
            yield from self.action(machine, action, slots)

    def state(self, machine: Machine, state: State) -> Iterator[Problem]:
        if state.kind == "parallel":
            yield _no(f"the parallel state `{machine.name}.{state.name}`", state)
        elif state.is_history:
            yield _no(f"the history `{machine.name}.{state.name}`", state)

    def action(self, machine: Machine, action: tables.Action, slots: Mapping[str, str]) -> Iterator[Problem]:
        match action:
            case tables.Send() if action.after is not None:
                yield _no(f"the event `{action.event}` that `{machine.name}` sends for later")
            case tables.Send() if action.address is not None:
                yield _no(f"the event `{action.event}` that `{machine.name}` sends to an address")
            case tables.Spawn():
                if action.forward or action.finalize:
                    yield _no(f"what `{machine.name}` forwards to its child `{action.ref}`")
                for name, slot in action.refs:
                    if slot is not None and machine.slots[slot][-1] in slots:
                        yield _no(f"the ref `{name}` of a child of `{machine.name}` to another child")
            case _:
                pass

    def child(self, machine: Machine) -> Iterator[Problem]:
        """A child that is stopped must go without a word: its place may be taken at once."""
        for state in machine.states:
            if any(not isinstance(action, tables.Emit) for action in tables.actions_of(state.exit)):
                yield _no(f"the exit actions of `{machine.name}.{state.name}`, which is a child's", state)


def _is_payload(node: Expr) -> bool:
    return isinstance(node, tree.Payload)


def _no(what: str, at: Transition | State | None = None) -> Problem:
    return Problem("promela-unsayable", f"a model in ticks has no word for {what}", at.place if at else None)
