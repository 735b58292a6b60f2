"""Values and guards as Promela expressions. A truth is 0 or 1, a word its number in the enum, a duration its ticks.

What may be absent has two expressions: whether it is there, and what it is then. An instance is seen through a chain of refs, each of
which holds 0 or the number of an instance and one more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import gcd

from outlast.expr import Expr, Value, tree
from outlast.plan import Machine, State, tables
from outlast.proofs.promela.stage import Stage
from outlast.values import frozen

ABSENT = "ABSENT"


@frozen
class Term:
    """A value: whether it is there (`1`: always), and what it is."""

    there: str
    value: str

    @property
    def whole(self) -> str:
        """The value, or `ABSENT`."""
        return self.value if self.there == "1" else f"({self.there} -> {self.value} : {ABSENT})"


class Names:
    """Identifiers, each used once."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, ...]] = {}

    def __call__(self, *words: str) -> str:
        """An identifier made of these words: the same one for the same words."""
        plain = "_".join(re.sub(r"\W", "_", word) for word in words)
        name, count = plain, 1
        while self._taken.setdefault(name, words) != words:
            count += 1
            name = f"{plain}_{count}"
        return name


@frozen(eq=False)
class Terms:
    """The expressions of one machine, whose instance has its number in the variable `me`; the event's payload is in `payload`."""

    stage: Stage
    names: Names
    machine: Machine
    me: str
    payload: str

    # ---- variables

    def state(self, machine: Machine, at: str) -> str:
        """The number of an instance's innermost state, and one more."""
        return f"{self.names(machine.name, 'state')}[{at}]"

    def inside(self, machine: Machine, at: str, state: State) -> str:
        """Whether a state of an instance is active."""
        current = self.state(machine, at)
        if state.end == state.index + 1:
            return f"{current} == {state.index + 1}"
        return f"({current} > {state.index} && {current} <= {state.end})"

    def field(self, machine: Machine, at: str, name: str) -> str:
        """A field of an instance."""
        return f"{self.names(machine.name, name)}[{at}]"

    def ref(self, machine: Machine, at: str, name: str) -> str:
        """A ref of an instance."""
        return f"{self.names(machine.name, 'ref', name)}[{at}]"

    def found(self, chain: Sequence[str]) -> str:
        """The number of the instance at the end of a chain, and one more; 0 if it is broken."""
        machine, at = self.machine, self.me
        text = ""
        for name in chain:
            link = self.ref(machine, at, name)
            text = link if not text else f"({text} -> {link} : 0)"
            machine, at = self.stage.plan.machines[machine.refs[name].machine], f"{link} - 1"
        return text

    def nobody(self, chain: Sequence[str]) -> bool:
        """Whether there can be no instance at the end of a chain: nobody is of its machine, or of one on the way."""
        ends = (self.stage.target(self.machine, chain[: length + 1]) for length in range(len(chain)))
        return any(not self.stage.of(machine.name) for machine in ends)

    # ---- values

    def literal(self, value: Value, type_: tree.Type) -> str:
        """A value that is known, as it is kept."""
        if value is None:
            return ABSENT
        if type_.kind == "enum":
            return str(type_.words.index(str(value)))
        if type_.kind == "duration" and isinstance(value, int):
            return str(value // self.stage.tick)
        return str(int(value))

    def term(self, expr: Expr) -> Term:
        """An expression, as `expr.evaluate` has it."""
        match expr:
            case tree.Literal(value=None):
                return Term("0", "0")
            case tree.Literal(value=value, type=type_):
                return Term("1", self.literal(value, type_))
            case tree.Field(name=name, optional=optional):
                return _term("1", self.field(self.machine, self.me, name), optional=optional)
            case tree.Payload(name=name):
                return _term("1", self.said(name), optional=True)
            case tree.Far(path=path) if self.nobody(path):
                return Term("0", "0")
            case tree.Far(path=path, name=name):
                machine, link = self.stage.target(self.machine, path), self.found(path)
                optional = machine.fields[name].optional
                return _term(f"({link} != 0)", self.field(machine, f"{link} - 1", name), optional=optional)
            case tree.Arithmetic(op=op, left=left, right=right):
                one, two = self.term(left), self.term(right)
                return Term(_and(one.there, two.there), f"({one.value} {op} {two.value})")
            case tree.Named(body=body):
                return self.term(body)
            case _:
                return Term("1", self.condition(expr))

    def said(self, name: str) -> str:
        """A value of the event at hand."""
        return f"{self.payload}{columns(self.machine).index(name)}"

    def condition(self, expr: Expr) -> str:
        """A guard: 1 if it holds."""
        match expr:
            case tree.Inside(slot=None, states=states):
                return _or([self.inside(self.machine, self.me, self.machine.state(name)) for name in states])
            case tree.Inside(path=path) | tree.Bound(path=path) if self.nobody(path):
                return "0"
            case tree.Inside(path=path, states=states):
                machine, link = self.stage.target(self.machine, path), self.found(path)
                within = _or([self.inside(machine, f"{link} - 1", machine.state(name)) for name in states])
                return f"({link} -> {within} : 0)"
            case tree.Bound(path=path):
                return f"({self.found(path)} != 0)"
            case tree.Reading(assumption=assumption, readings=readings):
                return "1" if self.stage.plan.readings[assumption] in readings else "0"
            case tree.Present(operand=operand):
                return self.term(operand).there
            case tree.Not(operand=operand):
                return f"!({self.condition(operand)})"
            case tree.All(parts=parts):
                return "(" + " && ".join(map(self.condition, parts)) + ")"
            case tree.Any(parts=parts):
                return _or([self.condition(part) for part in parts])
            case tree.Among(operand=operand, options=options):
                return _or([self.condition(tree.Compare("==", operand, option)) for option in options])
            case tree.Compare(op="!=", left=left, right=right):
                return f"!({self.condition(tree.Compare('==', left, right))})"
            case tree.Compare(op=op, left=left, right=right):
                one, two = self.term(left), self.term(right)
                there = _and(one.there, two.there)
                text = f"({one.value} {op} {two.value})"
                return text if there == "1" else f"({there} -> {text} : 0)"
            case _:
                term = self.term(expr)
                return term.value if term.there == "1" else f"({term.there} -> {term.value} : 0)"

    def objection(self, field: tables.Field, value: str) -> str:
        """Whether a value is not one of a field, as `Field.objection` has it."""
        wrong = []
        if field.type.is_number:
            tick = self.stage.tick if field.type.kind == "duration" else 1
            if field.minimum is not None:
                wrong.append(f"{value} < {-(-field.minimum // tick)}")
            if field.maximum is not None:
                wrong.append(f"{value} > {field.maximum // tick}")
            if field.step:
                low = field.minimum or 0
                unit = gcd(tick, low, field.step)
                if field.step != unit:
                    wrong.append(f"({value} * {tick // unit} - {low // unit}) % {field.step // unit} != 0")
        found = _or(wrong) if wrong else "0"
        if field.optional:
            return found if found == "0" else f"({value} != {ABSENT} && {found})"
        return f"({value} == {ABSENT} || {found})"


def columns(machine: Machine) -> tuple[str, ...]:
    """Every value that some event of a machine carries: where it stands in what is sent to an instance."""
    return tuple(dict.fromkeys(name for event in machine.events.values() for name in event.payload))


def _term(reachable: str, value: str, *, optional: bool) -> Term:
    if not optional:
        return Term(reachable, value)
    present = f"({value} != {ABSENT})"
    return Term(present if reachable == "1" else f"({reachable} -> {present} : 0)", value)


def _and(one: str, two: str) -> str:
    if "0" in (one, two):
        return "0"
    kept = [part for part in (one, two) if part != "1"]
    return f"({' && '.join(kept)})" if kept else "1"


def _or(parts: Sequence[str]) -> str:
    return "(" + " || ".join(parts) + ")" if len(parts) != 1 else parts[0]
