"""What must hold, and the instances to check it with: conditions resolved as in the guards of the machine a property speaks of."""

from __future__ import annotations

import attrs

from outlast import model
from outlast.expr import BOOL, DURATION, Expr, Type, resolve, tree
from outlast.plan import tables
from outlast.plan.scope import MachineScope, World


def property_of(claim: model.Property, world: World) -> tables.Property | None:
    """The compiled property; None, with a problem elsewhere, if its machine is unknown."""
    header = world.headers.get(claim.machine)
    if header is None:
        return None
    viewer = attrs.evolve(header, slots={})  # what a property looks at is no part of the machine
    scope = MachineScope(world, viewer)

    def computed(expr: Expr | None, expected: Type) -> tables.Computed | None:
        resolved = resolve(expr, scope, world.report, expected) if expr is not None else None
        return tables.Computed(resolved) if resolved is not None else None

    return tables.Property(
        id=str(claim.id),
        machine=str(claim.machine),
        kind=claim.kind,
        that=computed(claim.that, BOOL) or tables.Computed(tree.TRUE),
        since=computed(claim.since, BOOL),
        upon=computed(claim.upon, BOOL),
        bound=computed(claim.bound, DURATION),
        chains=tuple(viewer.slots),
        says=claim.says,
        compositions=tuple(map(str, claim.compositions)),
        because=tuple(map(str, claim.because)),
        place=claim.place,
    )


def composition_of(source: model.Composition) -> tables.Composition:
    """The composition as a row of the plan."""
    return tables.Composition(str(source.name), source.about, source, source.place)
