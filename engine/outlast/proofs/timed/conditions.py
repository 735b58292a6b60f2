"""Properties, asked of locations: what holds there for one instance, and when the clock of a bound runs."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from outlast.expr import Context, Value
from outlast.plan import Plan, tables
from outlast.proofs.timed.locations import Location, indices
from outlast.run import Snapshot
from outlast.values import frozen


@frozen(eq=False)
class Claim:
    """One property of one instance."""

    property: tables.Property
    instance: str
    plan: Plan
    _paths: tuple[tuple[int, ...], ...] = attrs.field(init=False, repr=False)
    _answers: dict[tuple[int, ...], Value] = attrs.field(factory=dict, init=False, repr=False)
    """By what is seen: snapshots of a location live as long as their `Places`."""
    _known: dict[tuple[int, int], Value] = attrs.field(factory=dict, init=False, repr=False)
    _bounds: dict[int, tuple[bool, int | None]] = attrs.field(factory=dict, init=False, repr=False)

    @_paths.default
    def _worked_out(self) -> tuple[tuple[int, ...], ...]:
        return tuple(indices(self.plan, self.property.machine, chain) for chain in self.property.chains)

    def that(self, location: Location) -> bool:
        """Whether the condition the property speaks of holds; not, where the instance is not there."""
        return bool(self._asked(self.property.that, location))

    def since(self, location: Location) -> bool:
        """Whether the condition it begins with holds; without one, whether the instance is there."""
        if self.property.since is None:
            return self.is_there(location)
        return bool(self._asked(self.property.since, location))

    def is_there(self, location: Location) -> bool:
        """Whether there is an instance of that name."""
        return any(snapshot.id == self.instance for snapshot in location)

    def limit(self, location: Location) -> int | None:
        """The bound as it stands now, in microseconds; None where it is absent."""
        assert self.property.bound is not None
        found = self._asked(self.property.bound, location)
        return max(found, 0) if isinstance(found, int) else None

    def _asked(self, computed: tables.Computed, location: Location) -> Value:
        key = (id(computed), id(location))
        if key not in self._known:
            self._known[key] = self._answer(computed, location)
        return self._known[key]

    def _answer(self, computed: tables.Computed, location: Location) -> Value:
        world = {snapshot.id: snapshot for snapshot in location}
        me = world.get(self.instance)
        if me is None:
            return False
        others = [_end(me, path, world) for path in self._paths]
        seen = (id(computed), id(me), *map(id, others))
        if seen not in self._answers:
            context = Context(me.values, {}, set(me.configuration), others, self.plan.readings)
            self._answers[seen] = computed.run(context)
        return self._answers[seen]

    # ---- what breaks it

    def suspects(self, location: Location) -> bool:
        """Whether being here can break a `never` or `always`, or is what is to be `reachable`: `shown` tells."""
        return self.is_there(location) and self.that(location) == (self.property.kind != "always")

    def shown(self, location: Location, before: Location | None) -> bool:
        """Whether coming here from `before` does, where being here can."""
        claim = self.property
        if claim.since is not None and (before is None or not self._asked(claim.since, before)):
            return False
        if claim.upon is None:
            return True
        return bool(self._asked(claim.upon, location)) and not (before and self._asked(claim.upon, before))

    def is_restless(self, location: Location) -> bool:
        """Whether a move that leaves everything about the instance as it is breaks it in a location that can."""
        return self.property.since is not None and self.property.upon is None and self.since(location)

    def bound(self, location: Location, running: int | None) -> int | None:
        """See `Observer.bound`."""
        known = self._bounds.get(id(location))
        if known is None:
            known = self._bounds[id(location)] = self._bound(location)
        goes_on, begins = known
        return (running if running is not None else begins) if goes_on else None

    def _bound(self, location: Location) -> tuple[bool, int | None]:
        """Whether a clock that runs goes on running here, and the bound of one that begins here."""
        if self.property.kind == "never-longer-than":
            return (True, self.limit(location)) if self.that(location) else (False, None)
        if self.that(location) or not self.is_there(location):
            return (False, None)
        return (True, self.limit(location) if self.since(location) else None)


def _end(me: Snapshot, path: tuple[int, ...], world: Mapping[str, Snapshot]) -> Snapshot | None:
    """Whom a chain of refs leads to."""
    other: Snapshot | None = me
    for index in path:
        id_ = other.refs[index] if other else None
        other = world.get(id_) if id_ else None
    return other
