"""Properties of a system, proved or refuted in its compositions.

A property is checked for each instance it speaks of, in the part of the composition that matters to that instance. Parts that differ in
nothing but names are searched once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from outlast.errors import LimitExceeded, MisuseError, UnknownName
from outlast.moments import format_duration
from outlast.plan import Plan, tables
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.conditions import Claim
from outlast.proofs.timed.settling import Budget, Found, Part, Progress, Sighting
from outlast.proofs.timed.traces import told
from outlast.proofs.timed.verdicts import Outcome, Trace, Verdict

BUDGET = Budget()


def check(
    plan: Plan,
    *,
    compositions: Sequence[str] | None = None,
    properties: Sequence[str] | None = None,
    first: bool = False,
    budget: Budget = BUDGET,
    slicing: bool = True,
    exchanging: bool = True,
    progress: Progress | None = None,
) -> Iterator[Verdict]:
    """One verdict for each property in each composition it is checked in, in the order of the specification.

    `compositions` and `properties` choose some of them; `first`: each property only in the first composition it belongs to. Without
    `slicing` all of a composition is searched, not only what matters; without `exchanging` every state, be it that equal instances have but
    changed places. Raises UnknownName, MisuseError if there is nothing to check with, SpecError,
    RefusedInstance.
    """
    for name in compositions or ():
        if name not in plan.compositions:
            raise UnknownName("composition", name, plan.compositions)
    known = [claim.id for claim in plan.properties]
    for name in properties or ():
        if name not in known:
            raise UnknownName("property", name, known)
    if plan.properties and not plan.compositions:
        raise MisuseError(f"`{plan.name}` has properties, but no composition to check them in")
    for composition in plan.compositions.values():
        if compositions is not None and composition.name not in compositions:
            continue
        chosen = [
            found
            for found in plan.properties
            if (properties is None or found.id in properties)
            and composition.name in (_places(plan, found)[:1] if first else _places(plan, found))
        ]
        if chosen:
            yield from Checker(compose(plan, composition), budget, slicing, exchanging, progress).verdicts(chosen)


def _places(plan: Plan, found: tables.Property) -> list[str]:
    """The compositions a property is to be checked in."""
    return [name for name in plan.compositions if not found.compositions or name in found.compositions]


@attrs.define(eq=False)
class Checker:
    """Checks properties in one composition."""

    composed: Composed
    budget: Budget = BUDGET
    slicing: bool = True
    exchanging: bool = True
    progress: Progress | None = None
    _parts: dict[object, tuple[Part, list[Claim]]] = attrs.field(factory=dict, init=False)

    def verdicts(self, properties: Sequence[tables.Property]) -> Iterator[Verdict]:
        """One for each property, in this order."""
        everybody = self.composed.everybody()
        wanted: dict[str, list[tuple[Part, Claim]]] = {}
        for found in properties:
            speakers = [id_ for id_, machine in everybody.items() if machine == found.machine]
            wanted[found.id] = [self._placed(found, id_) for id_ in speakers]
        for found in properties:
            yield self._verdict(found, wanted[found.id])

    def _placed(self, found: tables.Property, id_: str) -> tuple[Part, Claim]:
        """The claim, in the part of the composition that matters to it: one that was made before if there is one like it."""
        part = self.composed.part_for([id_]) if self.slicing else self.composed
        number = list(part.everybody()).index(id_)
        shape = part.shape()
        if shape not in self._parts:
            self._parts[shape] = (Part(part, self.budget, self.progress, exchanging=self.exchanging), [])
        place, claims = self._parts[shape]
        twin = list(place.composed.everybody())[number]
        for claim in claims:
            if claim.property is found and claim.instance == twin:
                return place, claim
        claims.append(claim := Claim(found, twin, part.plan))
        place.claims.append(claim)
        return place, claim

    def _verdict(self, found: tables.Property, placed: Sequence[tuple[Part, Claim]]) -> Verdict:
        """The worst that any instance shows; for what is to be reachable, the best."""
        order: tuple[Outcome, ...] = ("refuted", "undetermined", "proved")
        if found.kind == "reachable":
            order = ("proved", "undetermined", "refuted")
        results = [(place.found(claim), place, claim) for place, claim in dict.fromkeys(placed)]
        result, trace = Found(order[-1], f"there is no {found.machine}" if found.kind == "reachable" else ""), None
        if results:
            result, place, claim = min(results, key=lambda item: order.index(item[0].outcome))
            try:
                trace = _told(place, claim, result.sighting) if result.sighting else None
            except LimitExceeded as limit:  # it can be seen in the middle of an instant that does not end
                result = Found("undetermined", place.endless or str(limit), None, result.statistics)
        reason = trace.shown if trace and result.outcome == "refuted" else result.reason
        return Verdict(
            found.id,
            found.kind,
            found.says,
            found.because,
            found.place,
            self.composed.name,
            result.outcome,
            reason,
            trace,
            result.statistics,
        )


def _told(place: Part, claim: Claim, sighting: Sighting) -> Trace:
    """The sighting as a run of the engine, with what can be seen in it."""
    that, times = claim.property.that, sighting.times
    at, limit = format_duration(times[-1] if times else 0), format_duration(sighting.limit or 0)
    match claim.property.kind:
        case "never-longer-than":
            shown = f"at {at} `{that}` has held for more than {limit}"
        case "leads-to":
            shown = f"at {at} more than {limit} have passed without `{that}`"
        case "can-always":
            shown = f"from {at} on `{that}` cannot be brought about"
        case "always":
            shown = f"at {at} `{that}` does not hold"
        case _:
            shown = f"at {at} `{that}` holds"
    shown = f"{shown} for `{claim.instance}`"
    return told(place.composed, place.system, sighting.path, times, claim.property.id, claim.property.says, shown)
