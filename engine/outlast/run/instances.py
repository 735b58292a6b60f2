"""Making instances, and following refs from one to the next."""

from __future__ import annotations

from collections.abc import Mapping

from outlast.errors import RefusedInstance, UnknownName
from outlast.expr import Context, Value
from outlast.plan import Machine, Plan
from outlast.run.snapshot import Snapshot


def blank(
    plan: Plan,
    machine_name: str,
    id_: str,
    fields: Mapping[str, Value],
    refs: Mapping[str, str | None],
    *,
    parent: tuple[str, str] | None = None,
) -> Snapshot:
    """An instance that has not entered its first state. `fields` are values, `refs` ids of instances.

    Raises UnknownName for a machine, field or ref that is not declared, RefusedInstance when something required is missing, out of its
    range, or against a `requires` row.
    """
    if machine_name not in plan.machines:
        raise UnknownName("machine", machine_name, plan.machines)
    machine = plan.machines[machine_name]
    for name in fields:
        if name not in machine.fields:
            raise UnknownName(f"field of {machine_name}", name, (*machine.fields, *machine.refs))
    for name in refs:
        if name not in machine.refs:
            raise UnknownName(f"ref of {machine_name}", name, machine.refs)
    missing = [field.name for field in machine.fields.values() if field.required and fields.get(field.name) is None]
    if missing:
        raise RefusedInstance(f"`{id_}` needs a value for {_listed(missing)}")
    unbound = [ref.name for ref in machine.refs.values() if not ref.optional and refs.get(ref.name) is None]
    if unbound:
        raise RefusedInstance(f"`{id_}` needs an instance for its ref {_listed(unbound)}")
    values = tuple(fields.get(field.name, field.default) for field in machine.fields.values())
    for field, value in zip(machine.fields.values(), values, strict=True):
        if objection := field.objection(value):
            raise RefusedInstance(f"`{id_}` cannot be made: {objection}")
    _required(plan, machine, id_, values)
    return Snapshot(id_, machine_name, (), values, tuple(refs.get(name) for name in machine.refs), parent=parent)


def _required(plan: Plan, machine: Machine, id_: str, values: tuple[Value, ...]) -> None:
    context = Context(values, others=(None,) * len(machine.slots), readings=plan.readings)
    for row in machine.requires:
        if not row.that.run(context):
            cited = f" ({', '.join(row.because)})" if row.because else ""
            raise RefusedInstance(f"`{id_}` cannot be made: {row.says}{cited}: needs `{row.that}`")


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def resolve_chain(
    plan: Plan, refs: Mapping[str, str | None], chain: tuple[str, ...], world: Mapping[str, Snapshot]
) -> str | None:
    """The id at the end of a chain of refs; None where a link is not bound."""
    id_ = refs[chain[0]]
    for name in chain[1:]:
        if id_ is None or id_ not in world:
            return None
        other = world[id_]
        id_ = other.refs[list(plan.machines[other.machine].refs).index(name)]
    return id_ if id_ in world else None
