"""What is declared and never needed: names nobody reads, says or hears, clauses nobody cites, rows that cite none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from outlast import model
from outlast.expr import Expr, tree
from outlast.expr.tree import Path
from outlast.place import Word, place_of
from outlast.plan import tables
from outlast.plan.citations import citations
from outlast.plan.scope import Report
from outlast.plan.tables import Machine, Plan


def unused(plan: Plan, report: Report) -> None:
    """Report every declaration of a system that nothing refers to."""
    used = _used(plan)
    for machine in plan.source.machines:
        kinds: list[tuple[str, tuple[model.Field | model.Ref | model.Event | model.Effect | model.Guard, ...], str]] = [
            ("field", tuple(field for field in machine.fields if not field.because), "nothing reads the field"),
            ("event", machine.events, "no row hears the event"),
            ("effect", machine.effects, "nothing emits the effect"),
            ("guard", machine.guards, "nothing asks for the guard"),
            ("ref", machine.refs, "nothing looks along the ref"),
        ]
        for kind, declared, words in kinds:
            for item in declared:
                if (kind, str(machine.name), str(item.name)) not in used:
                    hint = None
                    if kind == "field":
                        hint = "remove it, or cite with `because` the clause it stands for"
                    _warn(report, f"unused-{kind}", f"{words} `{item.name}`", item.name, hint)
        for event in machine.events:
            if event.internal and ("said event", str(machine.name), str(event.name)) not in used:
                _warn(report, "unused-event", f"nothing raises or sends the internal event `{event.name}`", event.name)
    said = names_said(plan.source)
    for constant in plan.source.constants:
        if constant.name not in said:
            _warn(report, "unused-constant", f"no expression names the constant `{constant.name}`", constant.name)
    actors = {actor for machine in plan.source.machines for event in machine.events for actor in event.by}
    for actor in plan.source.actors:
        if actor.name not in actors:
            _warn(report, "unused-actor", f"no event is sent by `{actor.name}`", actor.name)
    for assumption in plan.source.assumptions:
        if ("assumption", "", str(assumption.id)) not in used:
            _warn(report, "unused-assumption", f"nothing depends on the reading of `{assumption.id}`", assumption.id)


def uncited(plan: Plan, report: Report) -> None:
    """In a system with clauses, report rows that cite none, and clauses that nothing cites."""
    if not plan.source.clauses:
        return
    for machine in plan.source.machines:
        for row in machine.transitions:
            if not row.because:
                text = f"the row `{row.id}` cites no clause"
                report("uncited-transition", text, place_of(row.id), "say with `because` what it follows from")
    cited = citations(plan)
    for clause in plan.source.clauses:
        if not cited[str(clause.id)] and not clause.reference:
            hint = "cite it with `because`, or say under `reference` why nothing follows from it"
            report("uncited-clause", f"nothing cites the clause `{clause.id}`", place_of(clause.id), hint)


def _warn(report: Report, code: str, text: str, word: Word, hint: str | None = None) -> None:
    report(code, text, place_of(word), hint or "remove it if it is not needed", "warning")


# ---- what the plan refers to: (kind, machine, name)


def _used(plan: Plan) -> set[tuple[str, str, str]]:
    used: set[tuple[str, str, str]] = set()
    for machine in plan.machines.values():
        for event in machine.events:
            if any(row.hears(event) for row in machine.transitions):
                used.add(("event", machine.name, event))
        for action in machine.actions:
            if isinstance(action, tables.Emit):
                used.add(("effect", machine.name, action.effect))
            elif isinstance(action, tables.Raise):
                used.add(("said event", machine.name, action.event))
            elif isinstance(action, tables.Send):
                used |= {("said event", name, action.event) for name in _receivers(plan, machine, action)}
            elif isinstance(action, tables.Spawn | tables.Stop):
                used.add(("ref", machine.name, action.ref))
            if isinstance(action, tables.Spawn):
                used |= {("ref", action.machine, name) for name, _ in action.refs}
        for chain in machine.slots:
            used |= {("ref", owner, name) for owner, name in _links(plan, machine, chain)}
        for expr in expressions(machine):
            for node in tree.walk(expr):
                match node:
                    case tree.Field(name=name):
                        used.add(("field", machine.name, name))
                    case tree.Far(path=path, name=name):
                        used.add(("field", _at(plan, machine, path).name, name))
                    case tree.Named(name=label):
                        *chain_, name = label.split(".")
                        used.add(("guard", _at(plan, machine, tuple(chain_)).name, name))
                    case tree.Reading(assumption=assumption):
                        used.add(("assumption", "", assumption))
                    case _:
                        pass
    return used


def _receivers(plan: Plan, machine: Machine, send: tables.Send) -> Iterable[str]:
    """The machines a send may be for: any, where the address is only known at run time."""
    if send.address is not None:
        return plan.machines
    return (_at(plan, machine, machine.slots[send.slot] if send.slot is not None else ()).name,)


def _links(plan: Plan, machine: Machine, chain: Path) -> Iterator[tuple[str, str]]:
    for name in chain:
        yield machine.name, name
        machine = plan.machines[machine.refs[name].machine]


def _at(plan: Plan, machine: Machine, chain: Path) -> Machine:
    for name in chain:
        machine = plan.machines[machine.refs[name].machine]
    return machine


def expressions(machine: Machine) -> Iterator[Expr]:
    """Everything the machine computes."""
    computed = [*machine.guards.values(), *(row.that for row in machine.requires)]
    for state in machine.states:
        computed += [value for _, value in state.done_data]
    for row in machine.transitions:
        computed += [part for part in (row.guard, row.delay) if part]
    for action in machine.actions:
        match action:
            case tables.Assign(value=value):
                computed.append(value)
            case tables.Emit(payload=payload) | tables.Raise(payload=payload):
                computed += [value for _, value in payload]
            case tables.Send(payload=payload, after=after, address=address):
                computed += [*(value for _, value in payload), *(part for part in (after, address) if part)]
            case tables.Spawn(fields=fields):
                computed += [value for _, value in fields]
            case tables.If(condition=condition):
                computed.append(condition)
            case _:
                pass
    return (part.expr for part in computed)


# ---- what the authors wrote


def names_said(value: object) -> set[str]:
    """Every name in every expression of a system, before anything was resolved or computed."""
    found: set[str] = set()
    waiting: list[object] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Name):
            found.add(".".join(part.path))
        elif isinstance(part, tree.Is):
            waiting.append(part.left)
        elif isinstance(part, tuple):
            waiting += part
        else:
            kind = type(part)
            waiting += (getattr(part, field.name) for field in attrs.fields(kind)) if attrs.has(kind) else ()
    return found
