"""A composition made into instances, and the part of it that matters to one of them.

What an instance does depends on whom it looks at along its refs, on who sends to it, on the children it makes and on its parent. An
instance on which nothing of that kind leads to the one a property speaks of can be left out: it neither changes nor delays anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from outlast import model
from outlast.expr import tree
from outlast.plan import Machine, Plan, tables, with_constants
from outlast.proofs.timed.locations import NOW, renamed, root, under
from outlast.proofs.timed.successors import LIMITS, Said
from outlast.run import Event, Snapshot, System, admission
from outlast.run.staging import Part, Stage, as_story, staged

GENERATIONS = 4
"""How deep the names of children that may come to be are made up beforehand."""


@attrs.frozen(eq=False)
class Composed:
    """Instances, and what the outside may say to them."""

    name: str
    plan: Plan
    """With the composition's constants."""
    parts: tuple[Part, ...]
    given: tuple[model.Given, ...]
    snapshots: tuple[Snapshot, ...]
    """Every instance as it begins, made at `NOW`; children included."""
    said: tuple[Said, ...]
    unsaid: tuple[str, ...] = ()
    """Events from outside that are not looked at, because nobody gave the values they need: `job train: resize`."""
    constants: model.Assignments = ()
    """Those that have other values here."""

    def begin(self, system: System) -> None:
        """Make the same instances in `system`."""
        system.begin({part.name: (part.machine, part.values, part.state) for part in self.parts})

    def everybody(self) -> dict[str, str]:
        """Id -> machine of every instance there is or may come to be, children by the name the first of a kind gets."""
        return dict(_everybody(self.plan, {part.name: part.machine for part in self.parts}))

    def part_for(self, ids: Iterable[str]) -> Composed:
        """What matters to these instances and whatever they are bound to, so that a run can begin with it; nothing else."""
        kept, grown = set[str](), {root(id_) for id_ in ids}
        while kept != grown:
            kept = _closure(self, grown)
            inside = [snapshot for snapshot in self.snapshots if root(snapshot.id) in kept]
            grown = kept | {root(other) for snapshot in inside for other in snapshot.refs if other is not None}
        return attrs.evolve(
            self,
            parts=tuple(part for part in self.parts if part.name in kept),
            given=tuple(given for given in self.given if given.name in kept),
            snapshots=tuple(snapshot for snapshot in self.snapshots if root(snapshot.id) in kept),
            said=tuple(said for said in self.said if root(said.to) in kept),
            unsaid=(),
        )

    def shape(self) -> object:
        """The same for compositions that differ only in the names of their instances."""
        names = {part.name: f"#{number}" for number, part in enumerate(self.parts)}

        def name(id_: str) -> str:
            return under(names, id_)

        snapshots = tuple(renamed(snapshot, name) for snapshot in self.snapshots)
        return snapshots, tuple((name(said.to), said.event) for said in self.said)


def compose(plan: Plan, composition: tables.Composition) -> Composed:
    """The composition's instances, made. Raises SpecError, RefusedInstance, LimitExceeded."""
    source = composition.source
    plan = with_constants(plan, source.constants)
    stage = staged(plan, as_story(source))
    system = System(plan, now=NOW, terms=LIMITS)
    system.begin({part.name: (part.machine, part.values, part.state) for part in stage.given})
    said, unsaid = _sayings(plan, source, stage)
    return Composed(
        composition.name,
        plan,
        stage.given,
        source.given,
        tuple(instance.snapshot for instance in system.instances),
        said,
        unsaid,
        source.constants,
    )


def _sayings(plan: Plan, source: model.Composition, stage: Stage) -> tuple[tuple[Said, ...], tuple[str, ...]]:
    """What the outside may say, and what it might if somebody gave the values."""
    said: dict[Said, None] = {}
    missing: dict[str, None] = {}
    everybody = dict(_everybody(plan, {part.name: part.machine for part in stage.given}))
    chosen = [
        (str(cue.source.name), str(cue.source.event), cue.payload)
        for cue in stage.cues
        if isinstance(cue.source, model.Say)
    ]
    if source.only is None:
        for id_, machine in everybody.items():
            for event in plan.machines[machine].events.values():
                if event.internal:
                    continue
                if any(field.required for field in event.payload.values()):
                    if not any((to, name) == (id_, event.name) for to, name, _ in chosen):
                        missing[f"{machine} {id_}: {event.name}"] = None
                else:
                    said[_said(event, id_, {})] = None
    for id_, name, payload in chosen:
        event = plan.machines[everybody[id_]].events[name]
        saying = _said(event, id_, payload)
        if admission.refusal(event, saying.event, plan) is None:
            said[saying] = None
    return tuple(said), tuple(missing)


def _said(event: tables.Event, id_: str, payload: Mapping[str, tree.Value]) -> Said:
    values = tuple((name, payload.get(name, field.default)) for name, field in event.payload.items())
    return Said(id_, Event(event.name, values, by=event.by[0] if event.by else None))


# ---- who there may be, and who matters to whom


def _everybody(plan: Plan, ids: Mapping[str, str], generation: int = 0) -> Iterator[tuple[str, str]]:
    for id_, machine in ids.items():
        yield id_, machine
        if generation < GENERATIONS:
            children = {f"{id_}.{spawn.ref}": spawn.machine for spawn in spawns(plan.machines[machine])}
            yield from _everybody(plan, children, generation + 1)


def _actions(plan: Plan, machine: Machine) -> Iterator[tables.Action]:
    """Every action that can be carried out under the readings in force."""
    yield from tables.actions_of(machine.state_blocks)
    yield from tables.actions_of(row.actions for row in rows_in_force(plan, machine))


def rows_in_force(plan: Plan, machine: Machine) -> Iterator[tables.Transition]:
    """The rows whose guards ask for no reading but those in force."""
    return (row for row in machine.transitions if not (row.guard and _never(row.guard.expr, plan)))


def _never(guard: tree.Expr, plan: Plan) -> bool:
    """Whether a guard asks for a reading that is not in force."""
    match guard:
        case tree.All(parts=parts):
            return any(_never(part, plan) for part in parts)
        case tree.Named(body=body):
            return _never(body, plan)
        case tree.Reading(assumption=assumption, readings=readings):
            return plan.readings[assumption] not in readings
        case _:
            return False


def spawns(machine: Machine) -> Iterator[tables.Spawn]:
    """Every way in which a machine makes a child."""
    return (action for action in machine.actions if isinstance(action, tables.Spawn))


def _closure(composed: Composed, wanted: set[str]) -> set[str]:
    """These instances of the composition and all that matter to them."""
    plan = composed.plan
    world = {snapshot.id: snapshot for snapshot in composed.snapshots}
    reads: dict[str, set[str]] = {}
    tells: dict[str, set[str]] = {}
    for id_, machine in composed.everybody().items():
        mine = root(id_)
        for chain in plan.machines[machine].slots:
            reads.setdefault(mine, set()).update(_along(composed, id_, chain, world))
        for action in _actions(plan, plan.machines[machine]):
            if isinstance(action, tables.Send) and action.address is not None:
                tells.setdefault(mine, set()).update(part.name for part in composed.parts)
            elif isinstance(action, tables.Send) and action.slot is not None:
                chain = plan.machines[machine].slots[action.slot]
                tells.setdefault(mine, set()).update(list(_along(composed, id_, chain, world))[-1:])
    found: set[str] = set()
    waiting = set(wanted)
    while waiting:
        found |= waiting
        near = {other for id_ in waiting for other in reads.get(id_, ())}
        near |= {id_ for id_, others in tells.items() if others & found}
        waiting = near - found
    return found


def _along(composed: Composed, id_: str, chain: tuple[str, ...], world: Mapping[str, Snapshot]) -> Iterator[str]:
    """The instances of the composition a chain of refs leads along, as it is bound at the start; a child leads to its root."""
    for name in chain:
        snapshot = world.get(id_)
        if snapshot is None:
            yield from _bound_by_parents(composed, id_)
            return
        names = list(composed.plan.machines[snapshot.machine].refs)
        other = snapshot.refs[names.index(name)]
        if other is None:
            return
        yield root(other)
        id_ = other


def _bound_by_parents(composed: Composed, id_: str) -> Iterator[str]:
    """For a child that is not there yet: all its root is bound to, of which its refs are a part."""
    for snapshot in composed.snapshots:
        if snapshot.id == root(id_):
            yield from (root(other) for other in snapshot.refs if other is not None)
