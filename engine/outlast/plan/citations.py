"""Who cites which clause: the thread from every rule back to the document, and what of the document nothing follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import attrs

from outlast import model
from outlast.place import Place
from outlast.plan.states import flatten
from outlast.plan.tables import Clause, Plan
from outlast.values import frozen


class Citing(Protocol):
    """Anything that may cite clauses."""

    @property
    def because(self) -> model.Clauses:
        """The clauses cited."""

    @property
    def place(self) -> Place | None:
        """Where it was written."""


@frozen
class Citation:
    """One thing that cites a clause: a `transition`, `state`, `event`, … called `name`, of a machine (or of the system)."""

    kind: str
    machine: str | None
    name: str
    place: Place | None = attrs.field(default=None, eq=False)

    def __str__(self) -> str:
        return f"{self.kind} {f'{self.machine}:' if self.machine else ''}{self.name}"


@frozen
class Coverage:
    """The clauses of one namespace (`TIP`, `INF`), and how each is accounted for."""

    namespace: str
    cited: tuple[str, ...]
    referenced: tuple[str, ...]
    """Not cited, with a stated reason why no behaviour follows."""
    open: tuple[str, ...]
    """Neither."""

    @property
    def total(self) -> int:
        """How many clauses there are."""
        return len(self.cited) + len(self.referenced) + len(self.open)

    def __str__(self) -> str:
        done = len(self.cited) + len(self.referenced)
        return f"{done}/{self.total} {self.namespace} ({len(self.cited)} cited, {len(self.referenced)} with a reason)"


def citing(system: model.System) -> Iterator[tuple[str, str | None, str, Citing]]:
    """(kind, machine, name, thing) for everything in a system that may cite clauses."""
    for constant in system.constants:
        yield "constant", None, constant.name, constant
    for assumption in system.assumptions:
        yield "assumption", None, assumption.id, assumption
    for claim in system.properties:
        yield "property", None, claim.id, claim
    for machine in system.machines:
        name = str(machine.name)
        for field in machine.fields:
            yield "field", name, field.name, field
        said: tuple[model.Event | model.Effect, ...] = (*machine.events, *machine.effects)
        for item in said:
            yield "event" if isinstance(item, model.Event) else "effect", name, item.name, item
            for field in item.payload:
                yield "field", name, f"{item.name}.{field.name}", field
        for guard in machine.guards:
            yield "guard", name, guard.name, guard
        for row in machine.requires:
            yield "requirement", name, row.id, row
        for state, _ in flatten(machine):
            yield "state", name, state.name, state
        for transition in machine.transitions:
            yield "transition", name, transition.id, transition


def citations(plan: Plan) -> Mapping[str, tuple[Citation, ...]]:
    """Clause id -> everything that cites it, in the order of the files. Clauses nobody cites have an empty entry."""
    found: dict[str, list[Citation]] = {clause: [] for clause in plan.clauses}
    for kind, machine, name, thing in citing(plan.source):
        for clause in thing.because:
            found.setdefault(str(clause), []).append(Citation(kind, machine, str(name), thing.place))
    return {clause: tuple(items) for clause, items in found.items()}


def clause_coverage(plan: Plan) -> tuple[Coverage, ...]:
    """How the clauses are accounted for, by namespace (the part of the id before the first dash), in order of declaration."""
    cited = citations(plan)
    spaces: dict[str, list[Clause]] = {}
    for clause in plan.clauses.values():
        spaces.setdefault(clause.id.split("-")[0], []).append(clause)
    return tuple(
        Coverage(
            namespace,
            tuple(clause.id for clause in clauses if cited[clause.id]),
            tuple(clause.id for clause in clauses if not cited[clause.id] and clause.reference),
            tuple(clause.id for clause in clauses if not cited[clause.id] and not clause.reference),
        )
        for namespace, clauses in spaces.items()
    )
