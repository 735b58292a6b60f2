"""What can happen in a location, and where it leads: steps of the engine itself, each taken once.

`Successors` is a `System` that is put into one location after the other. Its queue and its order are those of every system; a step of
one instance that was taken before, with the same to be seen around it, is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import attrs

from outlast.plan import Plan
from outlast.proofs.timed.locations import NOW, Arrival, Location, Places, indices
from outlast.run import Delivery, Event, Snapshot, Step, System, Terms
from outlast.run.population import Due, Population
from outlast.values import frozen


@frozen
class Said:
    """An event the outside may say to the instance called `to`, whenever there is one."""

    to: str
    event: Event


@frozen(eq=False)
class Move:
    """Something that can happen in a location: `said` from outside, or clock number `fired` (from 1) that is due."""

    said: Said | None
    fired: int
    arrival: Arrival
    taken: frozenset[tuple[str, str]]
    """(machine, key) of every row taken."""
    changes: bool
    """Whether anything is another afterwards, be it only that a clock begins anew."""


LIMITS = Terms(cascade=2_000)
"""A system in which one event leads to more steps than this cannot be checked."""


class _Stage(Population):
    """Instances without an agenda: nothing is due, nothing is undone."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, 10_000)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def put(self, snapshot: Snapshot) -> None:
        id_ = snapshot.id
        before = self.world.get(id_)
        if id_ not in self.order:
            self.order[id_] = self._made
            self._made += 1
        self.world[id_] = snapshot
        self.watchers.moved(snapshot, before)

    def remove(self, id_: str) -> None:
        self.watchers.gone(self.world.pop(id_))
        del self.order[id_]

    def become(self, location: Location) -> None:
        """Hold exactly these instances, in this order."""
        if list(self.world) != [snapshot.id for snapshot in location]:
            for snapshot in self.world.values():
                self.watchers.gone(snapshot)
            self.world.clear()
            self.order.clear()
            self._made = 0
        world = self.world
        for snapshot in location:
            if world.get(snapshot.id) is not snapshot:
                self.put(snapshot)


class Successors(System):
    """The moves of every location of one system, found when they are first asked for. LimitExceeded passes through."""

    def __init__(self, plan: Plan, given: Sequence[Snapshot], said: Iterable[Said]) -> None:
        """`given` are the instances after they were made, at instant 0; `said` what the outside may say."""
        super().__init__(plan, now=NOW, terms=LIMITS)
        self._population = self._stage = _Stage(plan)
        self._world = self._stage.world
        self.places = Places(plan)
        self.said = tuple(said)
        self.first = self.places.first(given)
        self._moves: dict[int, tuple[Move, ...]] = {}
        self._steps: dict[object, Step] = {}
        self._deaf: dict[tuple[str, tuple[str, ...], str], bool] = {}
        self._paths = {name: _paths(plan, name) for name in plan.machines}
        self.steps = 0
        """How many steps of the engine were taken."""

    def moves(self, location: Location) -> tuple[Move, ...]:
        """Everything that can happen in a location of this system, what is due first; times are not looked at."""
        found = self._moves.get(id(location))
        if found is None:
            found = self._moves[id(location)] = tuple(self._all(location))
        return found

    def _all(self, location: Location) -> Iterator[Move]:
        for number, clock in enumerate(self.places.clocks(location), start=1):
            due = Due(NOW, clock.position, clock.is_send, clock.number, location[clock.position].id)
            self._stage.become(location)
            yield self._move(location, None, number, self._bounded(self._happen(due)))
        there = {snapshot.id: snapshot for snapshot in location}
        for said in self.said:
            receiver = there.get(said.to)
            if receiver is None or receiver.done:
                continue
            if self._is_deaf(receiver, said.event.name):
                yield self._unheard(location, said)
                continue
            self._stage.become(location)
            self._queue.append(Delivery(said.to, said.event))
            yield self._move(location, said, 0, self._bounded(self._drain()))

    def _move(self, location: Location, said: Said | None, fired: int, steps: Iterator[Step]) -> Move:
        try:
            taken = frozenset(
                (step.after.machine, key) for step in steps for micro in step.microsteps for key in micro.transitions
            )
        finally:
            self._queue.clear()
        arrival = self.places.arrival(location, self._world)
        still = arrival.location is location and arrival.sources == tuple(range(1, len(arrival.sources) + 1))
        return Move(said, fired, arrival, taken, not still)

    def _unheard(self, location: Location, said: Said) -> Move:
        """The move in which something is said that nobody listens for."""
        return Move(said, 0, self.places.still(location), frozenset(), changes=False)

    # ---- steps that were taken before

    def _step(self, snapshot: Snapshot, event: Event) -> Step:
        key = (id(snapshot), event, self._around(snapshot, event.name))
        return self._steps.get(key) or self._remember(key, super()._step(snapshot, event))

    def _fire(self, snapshot: Snapshot, key: str) -> Step:
        name = (id(snapshot), key, self._around(snapshot, None))
        return self._steps.get(name) or self._remember(name, super()._fire(snapshot, key))

    def _remember(self, key: object, step: Step) -> Step:
        self.steps += 1
        if step.after == step.before:
            step = attrs.evolve(step, after=step.before)  # the very same: whoever looks for changes sees none at once
        self._steps[key] = step
        return step

    def _around(self, snapshot: Snapshot, event: str | None) -> object:
        """All that a step of an instance can depend on beside itself: who there is, and what it sees along its refs.

        It sees nothing if no row can be looked at. Snapshots are told apart by their ids: a step that is remembered holds all those it saw,
        so no id is used again.
        """
        if event is not None and self._is_deaf(snapshot, event):
            return None
        world = self._world
        found: list[object] = [tuple(world)]
        for path in self._paths[snapshot.machine]:
            other: Snapshot | None = snapshot
            for index in path:
                id_ = other.refs[index] if other else None
                other = world.get(id_) if id_ else None
            found.append(id(other) if other else None)
        return tuple(found)

    def _is_deaf(self, snapshot: Snapshot, event: str) -> bool:
        """Whether no row of an active state hears the event, and none is eventless."""
        key = (snapshot.machine, snapshot.configuration, event)
        found = self._deaf.get(key)
        if found is None:
            machine = self.plan.machines[snapshot.machine]
            active = [machine.state(name) for name in snapshot.configuration]
            rows = [machine.transitions[index] for state in active for index in state.transitions]
            children = any(spawn.forward or spawn.finalize for state in active for spawn in state.spawns)
            found = self._deaf[key] = not children and not any(row.hears(event) or row.hears(None) for row in rows)
        return found


def _paths(plan: Plan, name: str) -> tuple[tuple[int, ...], ...]:
    """The chains of refs of a machine as indices into the refs of each instance on the way."""
    return tuple(indices(plan, name, chain) for chain in plan.machines[name].slots)
