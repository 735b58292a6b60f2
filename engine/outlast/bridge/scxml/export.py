"""A machine of a plan as an SCXML document, for the part SCXML can say.

Expressions keep our language (`datamodel="outlast"`). What SCXML leaves to the platform is said in our namespace, which others skip:
types and ranges of data, what events carry, effects, refusals. A timer becomes a delayed send that the state's exit cancels. Refs, other
instances, assumptions, `within` and actions before the first state have no counterpart: they are problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

import attrs

from outlast.bridge.scxml.document import OURS, SCXML
from outlast.errors import Problem, SpecError, UnknownName
from outlast.expr import may_be_absent, render, show, tree
from outlast.expr.tree import Expr
from outlast.place import Place
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.values import frozen

Lines = Iterator[str]


def to_scxml(plan: Plan, machine: str) -> str:
    """The document. Raises UnknownName, and SpecError with everything SCXML cannot say."""
    if machine not in plan.machines:
        raise UnknownName("machine", machine, plan.machines)
    writer = _Writer(plan.machines[machine], [])
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *writer.document()]) + "\n"
    if writer.problems:
        raise SpecError(writer.problems)
    return text


@frozen
class _Writer:
    machine: Machine
    problems: list[Problem]

    def unsayable(self, what: str, place: Place | None = None) -> None:
        found = Problem("scxml-unsayable", f"SCXML has no word for {what}", place)
        if found not in self.problems:
            self.problems.append(found)

    # ---- expressions

    def text(self, expr: Expr, place: Place | None = None) -> str:
        """An expression in our language, without names that only the system knows."""
        for node in tree.walk(expr):
            match node:
                case tree.Far(path=path) | tree.Bound(path=path):
                    self.unsayable(f"the ref `{'.'.join(path)}`", node.place or place)
                case tree.Inside(path=path) if path:
                    self.unsayable(f"the ref `{'.'.join(path)}`", node.place or place)
                case tree.Reading(assumption=assumption):
                    self.unsayable(f"the assumption `{assumption}`", node.place or place)
        return render(_spelled_out(expr))

    # ---- the document

    def document(self) -> Lines:
        machine = self.machine
        targets = " ".join(machine.states[index].name for index in machine.default.targets)
        if machine.default.actions:
            self.unsayable("actions of the machine's initial transition")
        for ref in machine.refs.values():
            self.unsayable(f"the ref `{ref.name}`")
        yield _open(
            "scxml",
            {
                "xmlns": SCXML,
                "xmlns:outlast": OURS,
                "version": "1.0",
                "name": machine.name,
                "datamodel": "outlast",
                "initial": targets,
            },
        )
        yield from _indented(self.parts())
        yield "</scxml>"

    def parts(self) -> Lines:
        machine = self.machine
        for event in machine.events.values():
            yield from _nested(
                "outlast:event",
                {"name": event.name, "internal": "true" if event.internal else None},
                self.fields(event.payload),
            )
        for effect in machine.effects.values():
            yield from _nested("outlast:effect", {"name": effect.name}, self.fields(effect.payload))
        yield from _nested("datamodel", {}, self.data(), optional=True)
        for state in machine.states:
            if state.parent < 0:
                yield from self.state(state)

    def data(self) -> Lines:
        for field in self.machine.fields.values():
            default = show(field.default, field.type) if field.default is not None else None
            if field.required:
                self.unsayable(f"a value that must be given: `{field.name}`")
            yield _empty("data", {"id": field.name, "expr": default, **_typed(field)})

    def fields(self, fields: Mapping[str, tables.Field]) -> Lines:
        for field in fields.values():
            default = show(field.default, field.type) if field.default is not None else None
            yield _empty("outlast:value", {"name": field.name, "expr": default, **_typed(field)})

    # ---- states

    def state(self, state: State) -> Lines:
        table = self.machine.states
        if state.is_history:
            yield from _nested(
                "history", {"id": state.name, "type": state.kind.partition("-")[0]}, self.default(state.default)
            )
            return
        name = {"parallel": "parallel", "final": "final"}.get(state.kind, "state")
        first = None
        if state.kind == "composite" and state.default and not state.default.actions:
            first = " ".join(table[index].name for index in state.default.targets)
        yield from _nested(name, {"id": state.name, "initial": first}, self.inside(state, table))

    def inside(self, state: State, table: tuple[State, ...]) -> Lines:
        if state.kind == "composite" and state.default and state.default.actions:
            yield from _nested("initial", {}, self.default(state.default))
        rows = self.machine.transitions
        timers = [rows[number] for number in state.timers]
        for block in state.entry:
            yield from _nested("onentry", {}, self.block(block))
        yield from _nested("onentry", {}, (line for row in timers for line in self.armed(row)), optional=True)
        for block in state.exit:
            yield from _nested("onexit", {}, self.block(block))
        disarmed = (_empty("cancel", {"sendid": _timer(row)}) for row in timers)
        yield from _nested("onexit", {}, disarmed, optional=True)
        for row in sorted((*timers, *(rows[number] for number in state.transitions)), key=lambda row: row.index):
            yield from self.transition(row)
        if state.done_data:
            yield from _nested("donedata", {}, self.params(state.done_data))
        for spawn in state.spawns:
            self.unsayable(f"the child `{spawn.ref}`", state.place)
        inner = [child for child in table[state.index + 1 : state.end] if child.parent == state.index]
        for child in inner:
            yield from self.state(child)

    def default(self, entry: tables.Entry | None) -> Lines:
        assert entry is not None
        targets = " ".join(self.machine.states[index].name for index in entry.targets)
        yield from _nested("transition", {"target": targets}, self.block(entry.actions))

    def armed(self, row: Transition) -> Lines:
        """A timer is a delayed send; one whose duration is absent is not armed."""
        assert row.delay is not None
        if row.kind == "within":
            self.unsayable(f"`within`: {row.id}", row.place)
        delay = self.text(row.delay.expr, row.place)
        send = _empty("send", {"event": _timer(row), "id": _timer(row), "delayexpr": delay})
        if may_be_absent(row.delay.expr):
            yield from _nested("if", {"cond": f"({delay}) is present"}, iter([send]))
        else:
            yield send

    def transition(self, row: Transition) -> Lines:
        guard = self.text(row.guard.expr, row.place) if row.guard else None
        yield from _nested(
            "transition",
            {
                "event": _timer(row) if row.delay else " ".join(row.descriptors) or None,
                "cond": guard,
                "target": " ".join(self.machine.states[index].name for index in row.targets) or None,
                "type": "internal" if row.internal else None,
                "outlast:id": _id(row),
                "outlast:refuse": row.refuse or None,
            },
            self.block(row.actions),
        )

    # ---- actions

    def block(self, block: tables.Block) -> Lines:
        for action in block:
            yield from self.action(action)

    def action(self, action: tables.Action) -> Lines:
        match action:
            case tables.Assign(field=field, value=value):
                yield _empty("assign", {"location": field.name, "expr": self.text(value.expr)})
            case tables.Emit(effect=effect, payload=payload):
                yield from _nested("outlast:emit", {"effect": effect}, self.params(payload))
            case tables.Raise(event=event, payload=payload) if payload:
                yield from _nested("send", {"event": event, "target": "#_internal"}, self.params(payload))
            case tables.Raise(event=event):
                yield _empty("raise", {"event": event})
            case tables.Send(slot=None, address=None):
                delay = self.text(action.after.expr) if action.after else None
                said = {"event": action.event, "id": action.id, "delayexpr": delay}
                yield from _nested("send", said, self.params(action.payload))
            case tables.Send(to=to):
                self.unsayable(f"a send to `{to}`")
            case tables.Cancel(id=id_):
                yield _empty("cancel", {"sendid": id_})
            case tables.If(condition=condition, then=then, otherwise=otherwise):
                yield _open("if", {"cond": self.text(condition.expr)})
                yield from _indented(self.block(then))
                if otherwise:
                    yield "<else/>"
                    yield from _indented(self.block(otherwise))
                yield "</if>"
            case tables.Spawn(ref=ref) | tables.Stop(ref=ref):
                self.unsayable(f"the child `{ref}`")

    def params(self, payload: tables.Payload) -> Lines:
        for name, value in payload:
            yield _empty("param", {"name": name, "expr": self.text(value.expr)})


def _spelled_out(expr: Expr) -> Expr:
    """`expr` without named guards and constants."""
    match expr:
        case tree.Named(body=body):
            return _spelled_out(body)
        case tree.Literal():
            return attrs.evolve(expr, name=None)
        case tree.Not(operand=operand) | tree.Present(operand=operand):
            return attrs.evolve(expr, operand=_spelled_out(operand))
        case tree.All(parts=parts) | tree.Any(parts=parts):
            return attrs.evolve(expr, parts=tuple(map(_spelled_out, parts)))
        case tree.Compare(left=left, right=right) | tree.Arithmetic(left=left, right=right):
            return attrs.evolve(expr, left=_spelled_out(left), right=_spelled_out(right))
        case tree.Among(operand=operand, options=options):
            return attrs.evolve(expr, operand=_spelled_out(operand), options=tuple(map(_spelled_out, options)))
    return expr


def _id(row: Transition) -> str:
    """The row's id; rows of several sources, which share one, are told apart."""
    return row.key.replace("@", "-at-")


def _timer(row: Transition) -> str:
    return f"after-{_id(row)}"


def _typed(field: tables.Field) -> dict[str, str | None]:
    """What our namespace says of a value."""

    def bound(value: int | None) -> str | None:
        return show(value, field.type) if value is not None else None

    return {
        "outlast:type": field.type.kind,
        "outlast:words": " ".join(field.type.words) or None,
        "outlast:optional": "true" if field.optional else None,
        "outlast:min": bound(field.minimum),
        "outlast:max": bound(field.maximum),
        "outlast:step": bound(field.step),
    }


# ---- markup


def _attributes(given: Mapping[str, str | None]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in given.items() if value is not None)


def _open(name: str, given: Mapping[str, str | None]) -> str:
    return f"<{name}{_attributes(given)}>"


def _empty(name: str, given: Mapping[str, str | None]) -> str:
    return f"<{name}{_attributes(given)}/>"


def _indented(lines: Lines) -> Lines:
    return (f"  {line}" for line in lines)


def _nested(name: str, given: Mapping[str, str | None], inside: Lines, *, optional: bool = False) -> Lines:
    """An element around lines; left out when `optional` and there are none."""
    lines = list(_indented(inside))
    if lines:
        yield from (_open(name, given), *lines, f"</{name}>")
    elif not optional:
        yield _empty(name, given)
