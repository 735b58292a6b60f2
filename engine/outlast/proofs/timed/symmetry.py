"""Instances that can change places: whatever is so of one of them is so of the other, and is searched once.

Theory of operation
===================

A *block* is an instance of the composition with everybody from whom refs lead to it, and the children they make. Blocks are *equal*, and
form a *family*, if they differ in nothing but names: fields, states, timers, who they are bound to outside, and what may be said to them.

Nobody outside a block has a ref to anybody in it, so that nobody outside can see it or speak to it. What becomes of a block depends on itself and
on the outside alone, and in any run two equal blocks can be exchanged, but for one thing: what falls on one instant happens in the order
in which instances were made. That order cannot be seen either, as long as

- each block stands in the same order to the outside as the others, its members too, and
- a block speaks to the outside only in rows that are taken because the outside of the whole system spoke, and speaks at once.

Then at an instant of timers, or when several hear of the same, no block can come before another: what one does the other cannot see, nor can the
outside. Who is there in which states at such an instant, seen from one block, is the same in either order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from outlast.expr import tree
from outlast.plan import Machine, Plan, tables
from outlast.plan.unused import expressions
from outlast.proofs.timed.composed import Composed, rows_in_force, spawns
from outlast.proofs.timed.locations import renamed, root, under

Block: TypeAlias = tuple[str, ...]
"""Instances of a composition, in the order they are made."""

Family: TypeAlias = tuple[Block, ...]
"""Equal blocks; members in the same place are equal."""


def families(composed: Composed) -> tuple[Family, ...]:
    """The families of a composition, those of small blocks first; no instance is in two."""
    if any(_tells_names(machine) for machine in map(composed.plan.machines.__getitem__, composed.everybody().values())):
        return ()
    led = {part.name: _followers(composed, part.name) for part in composed.parts}
    found: list[Family] = []
    taken: set[str] = set()
    for block in sorted(led.values(), key=len):
        family: list[Block] = []
        for other in led.values():
            if taken.union(*family).isdisjoint(other) and _equal(composed, block, other):
                family.append(other)
        if len(family) > 1 and _in_line(composed, family) and _keeps_to_itself(composed, block):
            found.append(tuple(family))
            taken.update(*family)
    return tuple(found)


def _tells_names(machine: Machine) -> bool:
    """Whether a machine knows what somebody is called, or speaks to somebody by name."""
    if any(isinstance(action, tables.Send) and action.address is not None for action in machine.actions):
        return True
    return any(isinstance(part, tree.Known) for whole in expressions(machine) for part in tree.walk(whole))


def _followers(composed: Composed, id_: str) -> Block:
    """An instance of the composition and everybody from whom refs lead to it."""
    found: set[str] = set()
    waiting = {id_}
    while waiting:
        found |= waiting
        waiting = {
            root(snapshot.id)
            for snapshot in composed.snapshots
            if any(other is not None and root(other) in waiting for other in snapshot.refs)
        } - found
    return tuple(part.name for part in composed.parts if part.name in found)


def _equal(composed: Composed, one: Block, two: Block) -> bool:
    """Whether one block becomes the other when its members take the names of the other's."""
    names = dict(zip(one, two, strict=False))
    others = [snapshot for snapshot in composed.snapshots if root(snapshot.id) in two]
    became = [
        renamed(snapshot, lambda id_: under(names, id_)) for snapshot in composed.snapshots if root(snapshot.id) in one
    ]
    told = {(said.to, said.event) for said in composed.said if root(said.to) in two}
    return (
        len(one) == len(two)
        and became == others
        and {(under(names, said.to), said.event) for said in composed.said if root(said.to) in one} == told
    )


def _in_line(composed: Composed, family: Sequence[Block]) -> bool:
    """Whether members in the same place were made after the same instances outside."""
    outside = [
        snapshot.id for snapshot in composed.snapshots if not any(root(snapshot.id) in block for block in family)
    ]
    stands = {snapshot.id: number for number, snapshot in enumerate(composed.snapshots)}
    lines = [
        [[other for other in outside if stands[other] < number] for id_, number in stands.items() if root(id_) in block]
        for block in family
    ]
    return all(line == lines[0] for line in lines)


# ---- what a block says to the outside


def _keeps_to_itself(composed: Composed, block: Block) -> bool:
    """Whether it speaks to the outside only where the outside of the whole system spoke, and at once."""
    plan = composed.plan
    overheard = _said_inside(plan)
    aloud = forwards = False
    for id_, name in composed.everybody().items():
        if root(id_) not in block:
            continue
        machine = plan.machines[name]
        forwards |= any(spawn.forward for spawn in spawns(machine))
        if any(_leads_outside(composed, block, id_, send) for send in _sends(machine.state_blocks)):
            return False
        for row in rows_in_force(plan, machine):
            for send in _sends([row.actions]):
                if _leads_outside(composed, block, id_, send):
                    aloud = True
                    if send.after is not None or not _answers_outside(machine, row, overheard):
                        return False
    return not (aloud and forwards)


def _sends(blocks: Iterable[tables.Block]) -> Iterator[tables.Send]:
    return (action for action in tables.actions_of(blocks) if isinstance(action, tables.Send))


def _said_inside(plan: Plan) -> frozenset[str]:
    """Every event that instances say, to others or to themselves."""
    actions = (action for machine in plan.machines.values() for action in machine.actions)
    return frozenset(action.event for action in actions if isinstance(action, tables.Send | tables.Raise))


def _answers_outside(machine: Machine, row: tables.Transition, overheard: frozenset[str]) -> bool:
    """Whether a row hears events that only the outside says, and nothing else."""
    seen = [".".join((*chain, state)) for chain, state in machine.watches]
    return row.kind == "event" and all(
        word in machine.events
        and word.partition(".")[0] not in ("done", "error")
        and not any(tables.matches(word, name) for name in (*overheard, *seen))
        for word in row.descriptors
    )


def _leads_outside(composed: Composed, block: Block, id_: str, send: tables.Send) -> bool:
    """Whether what `id_` sends may be for somebody outside its block. Of refs that bind children any child may be meant."""
    if send.slot is None:
        return False
    plan, everybody = composed.plan, composed.everybody()
    world = {snapshot.id: snapshot for snapshot in composed.snapshots}
    for name in plan.machines[everybody[id_]].slots[send.slot]:
        if id_ not in everybody:
            return True
        machine, snapshot = plan.machines[everybody[id_]], world.get(id_)
        bound = snapshot.refs[list(machine.refs).index(name)] if snapshot else None
        if any(spawn.ref == name for spawn in spawns(machine)) and (bound is None or root(bound) == root(id_)):
            id_ = f"{id_}.{name}"
        elif snapshot is not None:
            if bound is None:
                return False  # and it never will be
            id_ = bound
        elif name == "parent":
            id_ = id_.rpartition(".")[0]
        else:
            return True
    return root(id_) not in block
