"""The plan as plain data for the walker: what `walker.js` interprets is written nowhere but here, and here it is only copied.

States and rows are numbered as in the plan; a row from several sources is written once, with all of them. What is empty is left out. A
guard is the number of a leaf, or `["all" | "any" | "not", guard, …]`; the leaves of a machine stand in one list, as `[text, expression]`.
An expression is a literal, or a list that begins with what it reads (`field`, `payload`, `far`, `is`, `bound`, `reading`, `const`) or does
(`==`, `+`, `present`, `in` …). A reading is a leaf like any other, so one export serves all readings.

Durations and instants stay integers of microseconds. They exceed 2^31 within the hour; JavaScript counts exactly up to 2^53, which is 285
years of them. A plan with larger numbers is refused, and so is one that uses what only SCXML documents can say: see `obstacle`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from outlast.errors import MisuseError
from outlast.expr import Expr, render, tree
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.run.terms import DEFAULT_TERMS

FORMAT = 1
EXACT = 2**53 - 1
"""The largest integer JavaScript counts to without leaving one out."""
JsonObject: TypeAlias = dict[str, Any]  # on its way to json.dump


def tables_of(plan: Plan) -> JsonObject:
    """Everything the walker needs of a plan. Raises MisuseError with the first thing it cannot do."""
    if reason := obstacle(plan):
        raise MisuseError(f"`{plan.name}` cannot be walked in JavaScript: {reason}")
    assumptions = {
        item.id: full(question=item.question, readings=dict(item.readings), default=item.default)
        for item in plan.assumptions.values()
    }
    return {
        "format": FORMAT,
        **full(system=plan.name, title=plan.title, about=plan.about.strip(), hash=plan.hash),
        "readings": dict(plan.readings),
        "assumptions": assumptions,
        "actors": dict(plan.actors),
        "clauses": {clause.id: clause.says for clause in plan.clauses.values()},
        "limits": {name: getattr(DEFAULT_TERMS, name) for name in ("microsteps", "cascade", "generations")},
        "machines": {name: _Export(plan, machine).whole() for name, machine in plan.machines.items()},
    }


# ---- what the walker does not do


def obstacle(plan: Plan) -> str | None:
    """The first thing in a plan that the walker cannot do, in words; None if it can walk it."""
    return next(
        (f"`{machine.name}` {reason}" for machine in plan.machines.values() for reason in _beyond(machine)), None
    )


def _beyond(machine: Machine) -> Iterator[str]:
    for state in machine.states:
        if state.done_data:
            yield f"answers with data in `{state.name}`"
    for action in _actions(machine):
        if isinstance(action, tables.Send) and action.address is not None:
            yield f"sends to the address `{action.address}`"
        if isinstance(action, tables.Spawn) and (action.forward or action.finalize):
            yield f"listens to what its child `{action.ref}` is told or says"
    for expr in _expressions(machine):
        for node in tree.walk(expr):
            if isinstance(node, tree.Known | tree.Faulty):
                yield f"reads `{render(node)}`, which no machine file can"
            if isinstance(node, tree.Field | tree.Payload | tree.Far | tree.Literal) and node.type.kind == "any":
                yield f"reads `{render(node)}`, which has no type"
            if isinstance(node, tree.Literal) and _is_inexact(node.value):
                yield f"counts to {node.value}: JavaScript is exact up to {EXACT}"
    for field in _fields(machine):
        if any(map(_is_inexact, (field.default, field.minimum, field.maximum))):
            yield f"lets `{field.name}` go beyond {EXACT}, up to which JavaScript is exact"


def _is_inexact(value: object) -> bool:
    return isinstance(value, int) and abs(value) > EXACT


def _fields(machine: Machine) -> Iterator[tables.Field]:
    yield from machine.fields.values()
    for event in machine.events.values():
        yield from event.payload.values()
    for effect in machine.effects.values():
        yield from effect.payload.values()


def _blocks(machine: Machine) -> Iterator[tables.Block]:
    yield machine.default.actions
    for state in machine.states:
        yield from (*state.entry, *state.exit, state.spawns, state.default.actions if state.default else ())
    yield from (row.actions for row in machine.transitions)


def _actions(machine: Machine) -> Iterator[tables.Action]:
    return (action for block in _blocks(machine) for action in _flat(block))


def _flat(block: tables.Block) -> Iterator[tables.Action]:
    for action in block:
        yield action
        if isinstance(action, tables.If):
            yield from _flat((*action.then, *action.otherwise))


def _expressions(machine: Machine) -> Iterator[Expr]:
    computed = [row.that for row in machine.requires]
    computed += [item for row in machine.transitions for item in (row.guard, row.delay) if item]
    for action in _actions(machine):
        match action:
            case tables.Assign(value=value):
                computed.append(value)
            case tables.If(condition=condition):
                computed.append(condition)
            case tables.Emit(payload=payload) | tables.Raise(payload=payload) | tables.Spawn(fields=payload):
                computed += [value for _, value in payload]
            case tables.Send(payload=payload, after=after):
                computed += [value for _, value in payload] + ([after] if after else [])
    return (item.expr for item in computed)


# ---- one machine


@attrs.define
class _Export:
    plan: Plan
    machine: Machine
    leaves: dict[str, int] = attrs.field(factory=dict)
    """`[text, expression]` as JSON -> its number."""

    def whole(self) -> JsonObject:
        machine = self.machine
        data = full(
            title=machine.title,
            about=machine.about.strip(),
            fields={name: _field(field) for name, field in machine.fields.items()},
            refs={name: full(machine=ref.machine, optional=ref.optional) for name, ref in machine.refs.items()},
            events={name: self.event(event) for name, event in machine.events.items()},
            effects={name: full(payload=_payload(effect.payload)) for name, effect in machine.effects.items()},
            requires=[self.requirement(row) for row in machine.requires],
            states=[self.state(state) for state in machine.states],
            rows=list(self.rows()),
            slots=[list(path) for path in machine.slots],
            watches=[[list(path), state] for path, state in machine.watches],
        )
        return data | {"begin": self.entry(machine.default), "leaves": list(map(json.loads, self.leaves))}

    def event(self, event: tables.Event) -> JsonObject:
        return full(
            payload=_payload(event.payload),
            by=list(event.by),
            internal=event.internal,
            about=event.about,
            because=list(event.because),
        )

    def requirement(self, row: tables.Requirement) -> JsonObject:
        return full(text=str(row.that), says=row.says, because=list(row.because)) | {"that": self.guard(row.that.expr)}

    def state(self, state: State) -> JsonObject:
        data = full(
            name=state.name,
            kind=state.kind if state.kind != "atomic" else "",
            begin=self.entry(state.default) if state.default else None,
            entry=[self.block(block) for block in state.entry],
            exit=[self.block(block) for block in state.exit],
            spawn=self.block(state.spawns),
            title=state.title,
            role=state.role,
            about=state.about,
            because=list(state.because),
        )
        return data | ({"parent": state.parent} if state.parent >= 0 else {})

    def entry(self, entry: tables.Entry) -> JsonObject:
        return {"to": list(entry.targets), **full(do=self.block(entry.actions))}

    def rows(self) -> Iterator[JsonObject]:
        """Rows of one id stand next to each other in the plan: they are one here."""
        written: dict[str, list[Transition]] = {}
        for row in self.machine.transitions:
            written.setdefault(row.id, []).append(row)
        for first, *others in written.values():
            data = full(
                on=list(first.descriptors),
                do=self.block(first.actions),
                to=list(first.targets),
                internal=first.internal,
                refuse=first.refuse,
                because=list(first.because),
                about=first.about,
            )
            if first.delay:
                data |= {"timer": first.kind, "delay": self.value(first.delay.expr), "says": first.trigger}
            if first.guard:
                data["when"] = self.guard(first.guard.expr)
            yield {"id": first.id, "from": [row.source for row in (first, *others)], **data}

    # ---- guards and values

    def guard(self, expr: Expr) -> int | list[Any]:
        """A tree over leaves, cut where an explanation cuts it: see `outlast.expr.account`."""
        match expr:
            case tree.Named(body=body):
                return self.guard(body)
            case tree.All(parts=parts) | tree.Any(parts=parts):
                return ["all" if isinstance(expr, tree.All) else "any", *map(self.guard, parts)]
            case tree.Not(operand=tree.Not() | tree.All() | tree.Any() | tree.Named() as operand):
                return ["not", self.guard(operand)]
            case _:
                return self.leaves.setdefault(_json([render(expr), self.value(expr)]), len(self.leaves))

    def value(self, expr: Expr) -> Any:  # as JSON is
        match expr:
            case tree.Literal(value=value, name=None):
                return value
            case tree.Literal(value=value, name=name, type=type_):
                return ["const", value, name, type_.kind]
            case tree.Field(index=index):
                return ["field", index]
            case tree.Payload(name=name, type=type_):
                return ["payload", name, type_.kind]
            case tree.Far(slot=slot, index=index):
                return ["far", slot, index]
            case tree.Inside(slot=slot, states=states):
                there = self.plan.machines[self.behind(slot)]
                return ["is", slot, [there.numbers[state] for state in states]]
            case tree.Bound(slot=slot):
                return ["bound", slot]
            case tree.Reading(assumption=assumption, readings=readings):
                return ["reading", assumption, list(readings)]
            case tree.Present(operand=operand):
                return ["present", self.value(operand)]
            case tree.Not(operand=operand):
                return ["not", self.value(operand)]
            case tree.Named(body=body):
                return self.value(body)
            case tree.All(parts=parts) | tree.Any(parts=parts):
                return ["all" if isinstance(expr, tree.All) else "any", *map(self.value, parts)]
            case tree.Among(operand=operand, options=options):
                return ["in", self.value(operand), *map(self.value, options)]
            case tree.Compare(op=op, left=left, right=right) | tree.Arithmetic(op=op, left=left, right=right):
                return [op, self.value(left), self.value(right)]
            case _:
                raise AssertionError(f"not walkable: {expr}")

    def behind(self, slot: int | None) -> str:
        """The machine at the end of a chain of refs."""
        name = self.machine.name
        for ref in self.machine.slots[slot] if slot is not None else ():
            name = self.plan.machines[name].refs[ref].machine
        return name

    # ---- actions

    def block(self, block: Iterable[tables.Action]) -> list[JsonObject]:
        return [self.action(action) for action in block]

    def action(self, action: tables.Action) -> JsonObject:
        match action:
            case tables.Assign(field=field, value=value):
                return {"set": field.index, "to": self.value(value.expr)}
            case tables.Emit(effect=effect, payload=payload):
                return {"emit": effect, **self.given(payload)}
            case tables.Raise(event=event, payload=payload):
                return {"raise": event, **self.given(payload)}
            case tables.Send(event=event, to=to, slot=slot, after=after, payload=payload, id=id_):
                late = {"after": self.value(after.expr), "says": str(after)} if after else {}
                return {"send": event, "to": to, "slot": slot, **late, **full(id=id_), **self.given(payload)}
            case tables.Cancel(id=id_):
                return {"cancel": id_}
            case tables.Spawn(ref=ref, machine=machine, fields=fields, refs=refs):
                return {"spawn": ref, "machine": machine, **full(refs=dict(refs)), **self.given(fields)}
            case tables.Stop(ref=ref):
                return {"stop": ref}
            case tables.If(condition=condition, then=then, otherwise=otherwise):
                more = full(**{"else": self.block(otherwise)})
                return {"if": self.guard(condition.expr), "then": self.block(then), **more}

    def given(self, payload: tables.Payload) -> JsonObject:
        return full(**{"with": {name: self.value(value.expr) for name, value in payload}})


def _payload(payload: Mapping[str, tables.Field]) -> JsonObject:
    return {name: _field(field) for name, field in payload.items()}


def _field(field: tables.Field) -> JsonObject:
    """What a value of it must be; `default` stands there only where there is one."""
    data = full(
        optional=field.optional,
        min=field.minimum,
        max=field.maximum,
        step=field.step,
        about=field.about,
        because=list(field.because),
    )
    type_ = list(field.type.words) if field.type.kind == "enum" else field.type.kind
    return {"type": type_, **data, **({"default": field.default} if field.has_default else {})}


def full(**data: Any) -> JsonObject:  # as JSON is
    """Without what is empty. A number is never empty."""
    return {key: value for key, value in data.items() if value or (value == 0 and value is not False)}


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
