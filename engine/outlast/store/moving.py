"""From one version of a specification to the next: where each instance goes, by name or by a `moved` rule, and what it keeps.

Nothing is interpreted anew: an instance keeps its values, its bindings and its running timers, each at the instant at which it is due, whatever
the row says now about how long that takes. What the new version has and the old one had not begins at the instant of the move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from outlast.errors import OutlastError
from outlast.expr import Context
from outlast.plan import Machine, Plan
from outlast.run import Snapshot, Terms, Timer
from outlast.run.instances import resolve_chain
from outlast.run.saved import instance_from_json, instance_to_json

Fate: TypeAlias = Literal["mapped", "needs rule", "impossible"]


@attrs.frozen
class Move:
    """What becomes of an instance. `why`: what stands in its way; `notes`: what it loses or begins with, in words."""

    before: Snapshot
    after: Snapshot | None
    fate: Fate
    why: str = ""
    notes: tuple[str, ...] = ()


class _Cannot(Exception):
    """An instance cannot be moved."""

    def __init__(self, fate: Fate, why: str) -> None:
        self.fate, self.why = fate, why
        super().__init__(why)


def destination(old: Machine, new: Machine, state: str) -> str | None:
    """The innermost state of the new machine for one of the old: the same name, or what `moved` says; None where a rule is missing."""
    name = new.moved.get(state, state)
    return name if name in new.numbers and new.state(name).is_leaf and old.state(state).is_leaf else None


def states(old: Plan, new: Plan) -> Iterator[tuple[str, str, str | None, Fate, str]]:
    """(machine, innermost state, where it goes, its fate, why) for every state an instance can rest in, as far as names can tell."""
    for machine in old.machines.values():
        then = new.machines.get(machine.name)
        for state in machine.states:
            if not state.is_leaf:
                continue
            try:
                target = _machine(machine, then)
                yield machine.name, state.name, _leaf(machine, target, state.name), "mapped", ""
            except _Cannot as cannot:
                yield machine.name, state.name, None, cannot.fate, cannot.why


def moves(old: Plan, new: Plan, instances: Iterable[Snapshot], now: int, terms: Terms) -> list[Move]:
    """What becomes of all instances of a system at `now`, at which nothing of them is due any more."""
    before = {snapshot.id: snapshot for snapshot in instances}
    found = [_move(old, new, snapshot, before) for snapshot in before.values()]
    after = {move.after.id: move.after for move in found if move.after is not None}
    return [_armed(new, move, after, now, terms) if move.after is not None else move for move in found]


def _machine(old: Machine, new: Machine | None) -> Machine:
    """What all instances of a machine have in common."""
    if new is None:
        raise _Cannot("impossible", f"there is no machine `{old.name}` any more")
    for field in new.fields.values():
        if field.name not in old.fields and field.required:
            raise _Cannot("impossible", f"the new field `{field.name}` has no default")
    for ref in new.refs.values():
        if ref.name not in old.refs and not ref.optional:
            raise _Cannot("impossible", f"the new ref `{ref.name}` must be bound")
        if ref.name in old.refs and old.refs[ref.name].machine != ref.machine:
            raise _Cannot("impossible", f"the ref `{ref.name}` leads to another machine now")
    return new


def _leaf(old: Machine, new: Machine, state: str) -> str:
    name = destination(old, new, state)
    if name is None:
        what = "has states below it now" if state in new.numbers else "is gone"
        raise _Cannot("needs rule", f"`{state}` {what}: say under `moved` of `{new.name}` where it goes")
    return name


def _move(old: Plan, new: Plan, snapshot: Snapshot, world: Mapping[str, Snapshot]) -> Move:
    try:
        after, notes = _mapped(old, new, snapshot, world)
    except _Cannot as cannot:
        return Move(snapshot, None, cannot.fate, cannot.why)
    return Move(snapshot, after, "mapped", "", notes)


def _mapped(
    old: Plan, new: Plan, snapshot: Snapshot, world: Mapping[str, Snapshot]
) -> tuple[Snapshot, tuple[str, ...]]:
    was = old.machines[snapshot.machine]
    then = _machine(was, new.machines.get(snapshot.machine))
    leaves = [then.numbers[_leaf(was, then, name)] for name in was.innermost(snapshot.configuration)]
    numbers = sorted({index for leaf in leaves for index in (leaf, *then.states[leaf].ancestors)})
    configuration = tuple(then.states[index].name for index in numbers)
    values = dict(zip(was.fields, snapshot.values, strict=True))
    refs = dict(zip(was.refs, snapshot.refs, strict=True))
    notes = [f"field `{name}` is dropped" for name in values if name not in then.fields]
    notes += [f"ref `{name}` is dropped" for name in refs if name not in then.refs]
    timers = tuple(_timers(was, then, snapshot, configuration, notes))
    for ref, _ in (*snapshot.children, *snapshot.spawned):
        if ref not in then.refs:
            raise _Cannot("impossible", f"the ref `{ref}` of its children is gone")
    for item in snapshot.delayed:
        target = world.get(item.to)
        if target is not None and item.event.name not in new.machines.get(target.machine, then).events:
            raise _Cannot("impossible", f"an event `{item.event.name}` is on its way, which is no event any more")
    history = []
    for name, inside in snapshot.history:
        if (
            name not in then.numbers
            or not then.state(name).is_history
            or any(each not in then.numbers for each in inside)
        ):
            notes.append(f"history `{name}` is forgotten")
        else:
            history.append((name, inside))
    after = attrs.evolve(
        snapshot,
        configuration=configuration,
        values=tuple(values.get(field.name, field.default) for field in then.fields.values()),
        refs=tuple(refs.get(name) for name in then.refs),
        history=tuple(history),
        timers=timers,
        done=any(then.states[leaf].parent < 0 and then.states[leaf].kind == "final" for leaf in leaves),
    )
    try:
        instance_from_json(new, instance_to_json(then, after))
    except OutlastError as error:
        raise _Cannot("impossible", str(error).removeprefix(f"the instance `{snapshot.id}` is damaged: ")) from error
    return after, tuple(notes)


def _timers(
    was: Machine, then: Machine, snapshot: Snapshot, configuration: tuple[str, ...], notes: list[str]
) -> Iterator[Timer]:
    """Running timers go on, found by the id of their row and the state it leaves."""
    rows = {(row.id, then.states[row.source].name): row for row in then.transitions if row.delay is not None}
    for timer in snapshot.timers:
        before = was.arrows[timer.key]
        source = was.states[before.source].name
        row = rows.get((before.id, then.moved.get(source, source)))
        if row is None or then.states[row.source].name not in configuration:
            notes.append(f"timer `{before.id}` ends")
        else:
            yield attrs.evolve(timer, key=row.key)


def _armed(new: Plan, move: Move, world: Mapping[str, Snapshot], now: int, terms: Terms) -> Move:
    """An instance with the timers that are new to its states, which begin to run now."""
    after = move.after
    assert after is not None
    machine = new.machines[after.machine]
    refs = dict(zip(machine.refs, after.refs, strict=True))
    others = tuple(world.get(resolve_chain(new, refs, chain, world) or "") for chain in machine.slots)
    context = Context(after.values, {}, set(after.configuration), others, new.readings, {"own id": after.id})
    running = {timer.key for timer in after.timers}
    timers, notes = list(after.timers), list(move.notes)
    for name in after.configuration:
        for number in machine.state(name).timers:
            row = machine.transitions[number]
            if row.key in running or row.delay is None:
                continue
            delay = row.delay.run(context)
            if isinstance(delay, int):
                latest = now + max(delay, 0)
                due = terms.moment(after.id, row.key, now, max(delay, 0)) if row.kind == "within" else latest
                timers.append(Timer(row.key, now, due, latest))
                notes.append(f"timer `{row.id}` begins")
    order = {key: place for place, key in enumerate(machine.arrows)}
    armed = attrs.evolve(after, timers=tuple(sorted(timers, key=lambda timer: order[timer.key])))
    return attrs.evolve(move, after=armed, notes=tuple(notes))
