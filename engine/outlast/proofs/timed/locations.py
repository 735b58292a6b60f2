"""Locations: what a system is with all times left aside, and the clocks that run in it.

A location is the snapshots of all instances, in the order they were made, put so that what differs only in time or in how often something
happened before is one location: a timer keeps its key and its duration, delayed sends are numbered from 0, a child goes by the name
the first of its kind gets. A snapshot in this form is a snapshot like any other, armed at 0, and the engine takes its steps from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import TypeAlias

import attrs

from outlast.plan import Plan
from outlast.run import Delayed, Snapshot, Timer
from outlast.values import frozen

NOW = 1 << 60
"""The instant at which every step is taken: later than anything armed before, so that what a step arms can be told."""

GONE = "(gone)"
"""The name of everybody who is no more."""

Names: TypeAlias = tuple[tuple[str, str], ...]

Location: TypeAlias = tuple[Snapshot, ...]
"""Equal locations that one `Places` made are the same object, and so are equal snapshots in them."""


@frozen
class Clock:
    """Something that time alone brings about. Clocks stand in the order in which the engine takes what is due together."""

    position: int
    """Of its instance."""
    is_send: bool
    number: int
    """Of the timer's transition in its machine, or of the delayed send."""
    cap: int
    """Its duration, in microseconds."""
    is_within: bool = False

    @property
    def name(self) -> tuple[int, bool, int]:
        """What tells it from the others of its location."""
        return (self.position, self.is_send, self.number)


@frozen(eq=False)
class Arrival:
    """A location a step led to; `sources` gives for each of its clocks the number it had before, 0 for one that begins."""

    location: Location
    sources: tuple[int, ...]


class Places:
    """Puts snapshots in the form of a location, each once."""

    def __init__(self, plan: Plan) -> None:
        self._indices = {
            machine.name: {row.key: row.index for row in machine.transitions} for machine in plan.machines.values()
        }
        self._bounds = {
            machine.name: frozenset(row.index for row in machine.transitions if row.kind == "within")
            for machine in plan.machines.values()
        }
        self._snapshots: dict[Snapshot, Snapshot] = {}
        self._locations: dict[tuple[int, ...], Location] = {}
        self._plain: dict[tuple[int, int, Names], tuple[Snapshot, Snapshot, tuple[int, ...]]] = {}
        self._clocks: dict[int, tuple[Clock, ...]] = {}
        self._still: dict[int, Arrival] = {}

    def clocks(self, location: Location) -> tuple[Clock, ...]:
        """The clocks of a location, clock 1 first."""
        found = self._clocks.get(id(location))
        if found is None:
            found = self._clocks[id(location)] = tuple(
                clock for position, snapshot in enumerate(location) for clock in self._clocks_of(position, snapshot)
            )
        return found

    def _clocks_of(self, position: int, snapshot: Snapshot) -> list[Clock]:
        indices, bounds = self._indices[snapshot.machine], self._bounds[snapshot.machine]
        clocks = [
            Clock(position, False, indices[timer.key], timer.latest, indices[timer.key] in bounds)
            for timer in snapshot.timers
        ]
        return clocks + [Clock(position, True, item.turn, item.due) for item in snapshot.delayed]

    def first(self, given: Sequence[Snapshot]) -> Location:
        """The location of instances that were all made at `NOW`."""
        return self.arrival((), {snapshot.id: snapshot for snapshot in given}).location

    def arrival(self, before: Location, after: Mapping[str, Snapshot]) -> Arrival:
        """The location of `after`, instances in the order they were made, which came of a step taken in `before` at `NOW`."""
        if len(before) == len(after) and all(map(is_, before, after.values())):
            return self.still(before)
        names = _names(before, after)
        first: dict[str, tuple[Snapshot, int]] = {}
        start = 1
        for snapshot in before:
            first[snapshot.id] = (snapshot, start)
            start += len(snapshot.timers) + len(snapshot.delayed)
        found: list[Snapshot] = []
        sources: list[int] = []
        for id_, snapshot in after.items():
            earlier, start = first.get(id_, (None, 0))
            plain, kept = self._put(snapshot, earlier, names)
            found.append(plain)
            sources += [start + index if index >= 0 else 0 for index in kept]
        return Arrival(self.location(found), tuple(sources))

    def location(self, snapshots: Sequence[Snapshot]) -> Location:
        """The location of snapshots that stand in others."""
        return self._locations.setdefault(tuple(map(id, snapshots)), tuple(snapshots))

    def renamed(self, snapshot: Snapshot, name: Callable[[str], str]) -> Snapshot:
        """A snapshot of a location under other names, as one of a location."""
        found = renamed(snapshot, name)
        return self._snapshots.setdefault(found, found)

    def still(self, location: Location) -> Arrival:
        """The same location, all of its clocks going on."""
        found = self._still.get(id(location))
        if found is None:
            found = self._still[id(location)] = Arrival(location, tuple(range(1, len(self.clocks(location)) + 1)))
        return found

    def _put(self, snapshot: Snapshot, before: Snapshot | None, names: Names) -> tuple[Snapshot, tuple[int, ...]]:
        """The snapshot as one of a location, and for each of its clocks its index among those it had before, or -1."""
        key = (id(snapshot), id(before), names)
        known = self._plain.get(key)
        if known is None:
            plain, kept = _plain(snapshot, before, dict(names))
            known = self._plain[key] = (snapshot, self._snapshots.setdefault(plain, plain), kept)
        return known[1], known[2]


def renamed(snapshot: Snapshot, name: Callable[[str], str]) -> Snapshot:
    """A snapshot in which everybody goes by another name."""

    def perhaps(id_: str | None) -> str | None:
        return name(id_) if id_ is not None else None

    return attrs.evolve(
        snapshot,
        id=name(snapshot.id),
        refs=tuple([perhaps(other) for other in snapshot.refs]),
        delayed=tuple(
            [
                attrs.evolve(item, to=name(item.to), event=attrs.evolve(item.event, sender=perhaps(item.event.sender)))
                for item in snapshot.delayed
            ]
        ),
        children=tuple([(ref, name(child)) for ref, child in snapshot.children]),
        parent=(name(snapshot.parent[0]), snapshot.parent[1]) if snapshot.parent else None,
    )


def indices(plan: Plan, name: str, chain: tuple[str, ...]) -> tuple[int, ...]:
    """A chain of refs of a machine, each as its index among the refs of the instance on the way."""
    machine, found = plan.machines[name], []
    for ref in chain:
        found.append(list(machine.refs).index(ref))
        machine = plan.machines[machine.refs[ref].machine]
    return tuple(found)


def root(id_: str) -> str:
    """The instance of a composition that an instance is, or descends from."""
    return id_.partition(".")[0]


def under(names: Mapping[str, str], id_: str) -> str:
    """What an instance is called when those of the composition change their names."""
    first, dot, rest = id_.partition(".")
    return names.get(first, first) + dot + rest


def _names(before: Location, world: Mapping[str, Snapshot]) -> Names:
    """(id, its plain form) for every child whose id is not as the first of its kind has it, and for whoever is gone."""
    found: dict[str, str] = {}
    same = len(before) == len(world) and all(snapshot.id == id_ for snapshot, id_ in zip(before, world, strict=True))
    if not same:
        for id_, snapshot in world.items():  # a parent is made before its children
            if snapshot.parent is not None:
                parent, ref = snapshot.parent
                plain = f"{found.get(parent, parent)}.{ref}"
                if plain != id_:
                    found[id_] = plain
    known = set(map(id, before)) if same else ()
    for snapshot in world.values():
        if id(snapshot) in known:
            continue
        mentioned = [*snapshot.refs, *([snapshot.parent[0]] if snapshot.parent else [])]
        for item in snapshot.delayed:
            mentioned += [item.to, item.event.sender]
        found |= {other: GONE for other in mentioned if other is not None and other not in world and other != GONE}
    return tuple(found.items())


def _plain(snapshot: Snapshot, before: Snapshot | None, names: Mapping[str, str]) -> tuple[Snapshot, tuple[int, ...]]:
    """A snapshot after a step at `NOW` with its times and names put aside, and where its clocks stood before."""
    timers, delayed, kept = [], [], []
    stood = {timer.key: index for index, timer in enumerate(before.timers)} if before else {}
    for timer in snapshot.timers:
        new = timer.armed == NOW
        cap = timer.latest - NOW if new else timer.latest
        timers.append(Timer(timer.key, 0, cap, cap))
        kept.append(-1 if new else stood[timer.key])
    for turn, item in enumerate(snapshot.delayed):
        new = item.due >= NOW
        sender = item.event.sender
        event = attrs.evolve(item.event, sender=names.get(sender, sender)) if sender else item.event
        delayed.append(Delayed(item.due - NOW if new else item.due, turn, names.get(item.to, item.to), event))
        kept.append(-1 if new else len(stood) + item.turn)
    plain = attrs.evolve(
        snapshot,
        id=names.get(snapshot.id, snapshot.id),
        refs=tuple([names.get(other, other) if other else other for other in snapshot.refs]),
        timers=tuple(timers),
        delayed=tuple(delayed),
        turn=len(delayed),
        children=tuple([(ref, names.get(child, child)) for ref, child in snapshot.children]),
        spawned=tuple([(ref, 1) for ref, _ in snapshot.children]),
        parent=(names.get(snapshot.parent[0], snapshot.parent[0]), snapshot.parent[1]) if snapshot.parent else None,
    )
    return plain, tuple(kept)
