"""The questions of `plan.overlap`, put to the solver Z3: whether guards can hold, and others fail, at the same moment.

The same moments are considered, and the answer is given in the same words; only the way there differs. What a guard reads becomes a
variable: a number on the grid of its steps, a word by its number in the enum, a string by its number among those spoken of, a state by
whether it is active. Presence is a flag of its own. A satisfying assignment is evaluated once more, guard by guard, before it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import attrs
import z3

from outlast.expr import Expr, Value, tree
from outlast.plan.linear import Undecided
from outlast.plan.overlap import Moment, Witness, loose, told
from outlast.plan.tables import Field, Machine

EFFORT = 3_000_000
"""Z3's own count of its work (`rlimit`): a bound that does not depend on the speed of the machine. Some seconds."""


def example(moment: Moment, holding: Sequence[Expr], failing: Sequence[Expr] = ()) -> str | None:
    """As `plan.overlap.example`. Raises Undecided where Z3 gives up, or where a type is known only at run time."""
    question = _Question(moment, (*holding, *failing))
    question.put([*(question.holds(guard) for guard in holding), *(z3.Not(question.holds(guard)) for guard in failing)])
    if not question.answer():
        return None
    question.simplify()
    words = told(moment, holding, failing, question.witness())
    assert words is not None, "the solver and the evaluation disagree"
    return words


@attrs.frozen
class _Term:
    """A value: whether it is there, and what it is: a truth value, a number, or the code of a word."""

    there: z3.BoolRef
    value: z3.ExprRef


@attrs.frozen
class _Number:
    """A declared number: its place on the grid of its steps."""

    there: z3.BoolRef
    grid: z3.ArithRef
    field: Field


@attrs.frozen
class _Coded:
    """A declared value that is not a number."""

    there: z3.BoolRef
    code: z3.ExprRef
    field: Field


@attrs.frozen
class _Place:
    """An instance: whether it is there, and which of its states are active."""

    there: z3.BoolRef
    active: dict[str, z3.BoolRef]


@attrs.define(eq=False, slots=False)
class _Question:
    moment: Moment
    guards: tuple[Expr, ...]
    solver: z3.Solver = attrs.field(init=False)
    numbers: dict[str, _Number] = attrs.field(factory=dict)
    coded: dict[str, _Coded] = attrs.field(factory=dict)
    readings: dict[str, z3.ArithRef] = attrs.field(factory=dict)
    places: dict[int | None, _Place] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.solver = z3.Solver(ctx=z3.Context())
        self.solver.set("rlimit", EFFORT)

    @property
    def context(self) -> z3.Context:
        return self.solver.ctx

    def put(self, goals: Sequence[z3.BoolRef]) -> None:
        self.solver.add(*goals)

    def answer(self, *more: z3.BoolRef) -> bool:
        found = self.solver.check(*more)
        if found == z3.unknown:
            raise Undecided
        return bool(found == z3.sat)

    def simplify(self) -> None:
        """Bring as many numbers as possible to nought, or as near as their range allows: they are easier to read."""
        for number in self.numbers.values():
            bounds = (number.field.minimum, number.field.maximum)
            wanted = next((bound for bound in bounds if bound is not None), 0) if not number.field.step else 0
            if not number.field.step and (bounds[0] or 0) <= 0 <= (bounds[1] or 0):
                wanted = 0
            goal = number.grid == wanted
            if self.solver.check(goal) == z3.sat:
                self.put([goal])
        self.answer()

    # ---- what guards say

    def holds(self, expr: Expr) -> z3.BoolRef:
        """Whether a guard holds: it is there, and true."""
        term = self.term(expr)
        return z3.And(term.there, term.value)

    def term(self, expr: Expr) -> _Term:
        """What an expression is, as `expr.evaluate` has it."""
        match expr:
            case tree.Literal(value=None):
                return _Term(self.no, self.no)
            case tree.Literal(value=value, type=type_):
                return _Term(self.yes, self.literal(value, type_))
            case tree.Field() | tree.Payload() | tree.Far():
                return self.read(expr)
            case tree.Arithmetic(op=op, left=left, right=right):
                one, two = self.term(left), self.term(right)
                first, second = self.number(one), self.number(two)
                value = first + second if op == "+" else first - second if op == "-" else first * second
                return _Term(z3.And(one.there, two.there), value)
            case tree.Named(body=body):
                return self.term(body)
            case _:
                return _Term(self.yes, self.condition(expr))

    def condition(self, expr: Expr) -> z3.BoolRef:
        match expr:
            case tree.Inside(slot=slot, states=states):
                place = self.place(slot)
                return z3.And(place.there, z3.Or([place.active[state] for state in states]))
            case tree.Bound(slot=slot):
                return self.place(slot).there
            case tree.Reading(assumption=assumption, readings=readings):
                known = tuple(self.moment.assumptions[assumption].readings)
                chosen = self.reading(assumption, len(known))
                return z3.Or([chosen == known.index(reading) for reading in readings])
            case tree.Present(operand=operand):
                return self.term(operand).there
            case tree.Not(operand=operand):
                return z3.Not(self.holds(operand))
            case tree.All(parts=parts):
                return z3.And([self.yes, *map(self.holds, parts)])
            case tree.Any(parts=parts):
                return z3.Or([self.no, *map(self.holds, parts)])
            case tree.Among(operand=operand, options=options):
                return z3.Or([self.no, *(self.compare("==", operand, option) for option in options)])
            case tree.Compare(op=op, left=left, right=right):
                return self.compare(op, left, right)
            case _:
                raise Undecided  # of no type that is known before it runs

    def compare(self, op: tree.Comparison, left: Expr, right: Expr) -> z3.BoolRef:
        one, two = self.term(left), self.term(right)
        there = z3.And(one.there, two.there)
        if op in ("==", "!="):
            same = z3.And(there, one.value == two.value) if one.value.sort() == two.value.sort() else self.no
            return same if op == "==" else z3.Not(same)
        difference = self.number(one) - self.number(two)
        found = {"<": difference < 0, "<=": difference <= 0, ">": difference > 0, ">=": difference >= 0}
        return z3.And(there, found[op])

    def number(self, term: _Term) -> z3.ArithRef:
        if not isinstance(term.value, z3.ArithRef):
            if z3.is_false(term.there):
                return z3.IntVal(0, self.context)
            raise Undecided
        return term.value

    def literal(self, value: Value, type_: tree.Type) -> z3.ExprRef:
        if isinstance(value, bool):
            return z3.BoolVal(value, self.context)
        if isinstance(value, int):
            return z3.IntVal(value, self.context)
        words = type_.words if type_.kind == "enum" else self.texts
        return z3.IntVal(words.index(str(value)), self.context)

    # ---- what guards read

    def read(self, expr: tree.Field | tree.Payload | tree.Far) -> _Term:
        match expr:
            case tree.Field(name=name):
                return self.variable(name, self.moment.machine.fields[name], self.yes)
            case tree.Payload(name=name):
                field = self.moment.payload.get(name)
                return self.variable(f"event.{name}", field, self.yes) if field else _Term(self.no, self.no)
            case tree.Far(path=path, slot=slot, name=name):
                machine = self.machine_at(path)
                return self.variable(".".join((*path, name)), machine.fields[name], self.place(slot).there)

    def variable(self, name: str, field: Field, reachable: z3.BoolRef) -> _Term:
        given = z3.Bool(f"there {name}", self.context) if field.optional else self.yes
        if field.type.is_number:
            if name not in self.numbers:
                self.numbers[name] = _Number(given, z3.Int(name, self.context), field)
                self.put(list(self.range_of(self.numbers[name])))
            number = self.numbers[name]
            origin = (field.minimum or 0) if field.step else 0
            return _Term(z3.And(reachable, given), origin + (field.step or 1) * number.grid)
        if field.type.kind == "any":
            raise Undecided
        if name not in self.coded:
            sort = z3.Bool if field.type.kind == "bool" else z3.Int
            self.coded[name] = _Coded(given, sort(name, self.context), field)
            if field.type.kind != "bool":
                code = self.coded[name].code
                self.put([code >= 0])
                if field.type.kind == "enum":
                    self.put([code < len(field.type.words)])
        return _Term(z3.And(reachable, given), self.coded[name].code)

    def range_of(self, number: _Number) -> Iterator[z3.BoolRef]:
        field, origin = number.field, (number.field.minimum or 0) if number.field.step else 0
        value = origin + (field.step or 1) * number.grid
        if field.minimum is not None:
            yield value >= field.minimum
        if field.maximum is not None:
            yield value <= field.maximum

    def reading(self, assumption: str, count: int) -> z3.ArithRef:
        if assumption not in self.readings:
            chosen = self.readings[assumption] = z3.Int(assumption, self.context)
            self.put([chosen >= 0, chosen < count])
        return self.readings[assumption]

    def place(self, slot: int | None) -> _Place:
        """An instance, in a legal configuration if it is there; one whose chain is broken earlier is not there."""
        if slot not in self.places:
            machine, there = self.moment.machine, self.yes
            if slot is not None:
                machine, there = self.machine_at(self.moment.machine.slots[slot]), self.reached(slot)
            active = {
                state.name: z3.Bool(f"{slot} in {state.name}", self.context)
                for state in machine.states
                if not state.is_history
            }
            self.places[slot] = _Place(there, active)
            self.put([z3.Implies(there, rule) for rule in self.legal(machine, active)])
            if slot is None and self.moment.active is not None:
                self.put([active[machine.states[self.moment.active].name]])
        return self.places[slot]

    def reached(self, slot: int) -> z3.BoolRef:
        slots, path = self.moment.machine.slots, self.moment.machine.slots[slot]
        cut = next((cut for cut in range(len(path) - 1, 0, -1) if path[:cut] in slots), 0)
        before = self.place(slots.index(path[:cut])).there if cut else self.yes
        if not any(path[at] in loose(self.machine_at(path[:at])) for at in range(cut, len(path))):
            return before
        return z3.And(before, z3.Bool(f"bound {'.'.join(path)}", self.context))

    def legal(self, machine: Machine, active: dict[str, z3.BoolRef]) -> Iterator[z3.BoolRef]:
        """One state at the top, one child of an active composite, every region of an active parallel, and no child of others."""
        yield z3.PbEq(
            [(active[state.name], 1) for state in machine.states if state.parent < 0 and state.name in active], 1
        )
        for state in machine.states:
            if state.name not in active:
                continue
            here, children = active[state.name], [active[machine.states[child].name] for child in state.children]
            for child in children:
                yield z3.Implies(child, here)
            if state.kind == "composite":
                yield z3.Implies(here, z3.PbEq([(child, 1) for child in children], 1))
            elif state.kind == "parallel":
                yield z3.Implies(here, z3.And(children))

    def machine_at(self, path: tree.Path) -> Machine:
        machine = self.moment.machine
        for name in path:
            machine = self.moment.machines[machine.refs[name].machine]
        return machine

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every string that is spoken of."""
        nodes = (node for guard in self.guards for node in tree.walk(guard))
        said = (node.value for node in nodes if isinstance(node, tree.Literal) and node.type.kind == "string")
        return tuple(dict.fromkeys(map(str, said)))

    @cached_property
    def yes(self) -> z3.BoolRef:
        return z3.BoolVal(True, self.context)

    @cached_property
    def no(self) -> z3.BoolRef:
        return z3.BoolVal(False, self.context)

    # ---- what was found

    def witness(self) -> Witness:
        """The moment that the solver found."""
        model = self.solver.model()

        def true(term: z3.ExprRef) -> bool:
            return bool(z3.is_true(model.eval(term, model_completion=True)))

        def whole(term: z3.ExprRef) -> int:
            return int(model.eval(term, model_completion=True).as_long())

        def word(item: _Coded) -> Value:
            if not true(item.there):
                return None
            if item.field.type.kind == "bool":
                return true(item.code)
            known = item.field.type.words or self.texts
            code = whole(item.code)
            return known[code] if code < len(known) else f"other text {code - len(known) + 1}"

        return Witness(
            numbers={name: whole(item.grid) if true(item.there) else None for name, item in self.numbers.items()},
            values={name: word(item) for name, item in self.coded.items()},
            readings={
                name: tuple(self.moment.assumptions[name].readings)[whole(chosen)]
                for name, chosen in self.readings.items()
            },
            active={
                slot: frozenset(name for name, flag in place.active.items() if true(flag))
                if true(place.there)
                else None
                for slot, place in self.places.items()
            },
        )
