"""Everything in a plan that has a name, and finding it by what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from outlast.errors import MisuseError, UnknownName, listed
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.values import frozen

Rows: TypeAlias = tuple[Transition, ...]
"""One transition as its author wrote it: a row for each of its sources."""

Thing: TypeAlias = (
    Machine
    | State
    | Rows
    | tables.Event
    | tables.Effect
    | tables.Field
    | tables.Ref
    | tables.Computed
    | tables.Requirement
    | tables.Property
    | tables.Clause
    | tables.Assumption
    | str
)


@frozen(eq=False)
class Subject:
    """Something with a name: what it is, and in which machine (None: of the whole system)."""

    kind: str
    name: str
    machine: str | None
    thing: Thing

    @property
    def full(self) -> str:
        """The name that nothing else has: `job:grace-period`."""
        return f"{self.machine}:{self.name}" if self.machine else self.name


def subjects(plan: Plan) -> Iterator[Subject]:
    """Everything that has a name, in the order of the files."""
    yield from (Subject("clause", id_, None, clause) for id_, clause in plan.clauses.items())
    yield from (Subject("assumption", id_, None, item) for id_, item in plan.assumptions.items())
    yield from (Subject("constant", name, None, value) for name, value in plan.constants.items())
    yield from (Subject("actor", name, None, about) for name, about in plan.actors.items())
    yield from (Subject("property", claim.id, None, claim) for claim in plan.properties)
    for machine in plan.machines.values():
        yield Subject("machine", machine.name, None, machine)
        yield from _parts(machine)


def _parts(machine: Machine) -> Iterator[Subject]:
    of = machine.name
    yield from (Subject("field", name, of, field) for name, field in machine.fields.items())
    yield from (Subject("ref", name, of, ref) for name, ref in machine.refs.items())
    yield from (Subject("event", name, of, event) for name, event in machine.events.items())
    yield from (Subject("effect", name, of, effect) for name, effect in machine.effects.items())
    yield from (Subject("guard", name, of, guard) for name, guard in machine.guards.items())
    yield from (Subject("requirement", item.id, of, item) for item in machine.requires)
    yield from (Subject("state", state.name, of, state) for state in machine.states)
    rows: dict[str, Rows] = {}
    for row in machine.transitions:
        rows[row.id] = (*rows.get(row.id, ()), row)
    yield from (Subject("transition", id_, of, same) for id_, same in rows.items())


def find(plan: Plan, text: str) -> tuple[Subject, ...]:
    """What `text` names: `TIP-31`, `job`, `grace-period`, `job:grace-period`, `job.grace-period`.

    A machine may use one word for a state and an event: both are found. Raises UnknownName, and MisuseError when the parts of several
    machines are called so.
    """
    everything = tuple(subjects(plan))
    found = [item for item in everything if item.name == text or text in (item.full, f"{item.machine}.{item.name}")]
    homes = dict.fromkeys(item.full for item in found)
    if not found:
        known = dict.fromkeys(name for item in everything for name in (item.name, item.full))
        raise UnknownName(f"part of {plan.name}", text, _nearby(text, known))
    if len(homes) > 1:
        raise MisuseError(f"`{text}` is the name of several things: say {listed(homes)}")
    return tuple(found)


def _nearby(text: str, known: dict[str, None]) -> list[str]:
    """The names to suggest from: qualified ones only to somebody who qualifies."""
    qualified = ":" in text
    return [name for name in known if (":" in name) == qualified]
