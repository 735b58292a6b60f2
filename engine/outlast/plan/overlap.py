"""Can these guards hold, and those fail, at the same moment? Decided exactly, with an example in words.

Theory of operation: the guards are evaluated as they would be at run time, except that whatever they read is decided only when it is
read. An evaluation that needs something undecided stops; the search then tries every value it may have. A flag, a word, a reading or
the presence of a value has few values; another instance is somewhere in the configurations of its machine; a comparison of numbers
comes out below, equal or above, and the numbers themselves are found, or proved not to exist, by `linear`. Nothing irrelevant is ever
decided, so the example names what matters.

Every chain of refs may lead to an instance of its own: that two of them meet in one instance is not held against an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import TypeAlias

import attrs

from outlast.expr import Expr, Value, show, tree, type_of
from outlast.expr.tree import Path
from outlast.plan.linear import Linear, Undecided, solve
from outlast.plan.tables import Assumption, Field, Machine, Stop
from outlast.values import frozen

MOST_STEPS = 20_000
MOST_CONFIGURATIONS = 5_000

Configuration: TypeAlias = frozenset[str]
"""The active states, as far as a guard asks for them."""
Choice: TypeAlias = Value | Configuration


@frozen
class Moment:
    """Where guards are evaluated: in a machine, with one of its states active (None: any), at an event with this payload."""

    machines: Mapping[str, Machine]
    machine: Machine
    assumptions: Mapping[str, Assumption]
    active: int | None = None
    payload: Mapping[str, Field] = attrs.field(factory=dict)


Decide: TypeAlias = Callable[[Moment, Sequence[Expr], Sequence[Expr]], str | None]
"""What `example` does, however it is done."""


@frozen
class Witness:
    """A whole moment: everything a guard may read. `None` is what is absent."""

    numbers: Mapping[str, int | None] = attrs.field(factory=dict)
    """By name: how many steps above its minimum (if it has steps; else the number itself)."""
    values: Mapping[str, Value] = attrs.field(factory=dict)
    readings: Mapping[str, str] = attrs.field(factory=dict)
    active: Mapping[int | None, Configuration | None] = attrs.field(factory=dict)
    """The active states, of the instance itself (None) and at the end of each slot."""


def example(moment: Moment, holding: Sequence[Expr], failing: Sequence[Expr] = ()) -> str | None:
    """What the world may look like when all of `holding` hold and all of `failing` fail; None if that cannot be. Raises Undecided."""
    search = _Search(moment, _goals(holding, failing))
    if search.run():
        return search.story()
    if search.gap:
        raise Undecided
    return None


def told(moment: Moment, holding: Sequence[Expr], failing: Sequence[Expr], witness: Witness) -> str | None:
    """The example that a witness is, reduced to what matters; None if it is none after all."""
    search = _Search(moment, _goals(holding, failing), witness=witness)
    return search.story() if search.run() else None


def _goals(holding: Sequence[Expr], failing: Sequence[Expr]) -> tuple[tuple[Expr, bool], ...]:
    return tuple((guard, True) for guard in holding) + tuple((guard, False) for guard in failing)


def configurations(machine: Machine, mentioned: Configuration, active: int | None = None) -> list[Configuration]:
    """Every configuration of a machine, reduced to the states mentioned; with `active`, only those in which that state is.

    Raises Undecided for too many.
    """
    path = {active, *machine.states[active].ancestors} if active is not None else set()

    def inside(index: int) -> set[Configuration]:
        state = machine.states[index]
        own = mentioned & {state.name}
        if state.kind == "parallel":
            regions = [inside(child) for child in state.children]
            if prod(map(len, regions)) > MOST_CONFIGURATIONS:
                raise Undecided
            return {own.union(*parts) for parts in product(*regions)}
        if state.kind == "composite":
            return {own | part for child in one_of(state.children) for part in inside(child)}
        return {own}

    def one_of(children: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(child for child in children if child in path) or children

    tops = tuple(state.index for state in machine.states if state.parent < 0 and not state.is_history)
    found = {part for top in one_of(tops) for part in inside(top)}
    return sorted(found, key=lambda part: sorted(machine.numbers[name] for name in part))


@lru_cache(64)  # one search asks for the same few machines at every step
def loose(machine: Machine) -> frozenset[str]:
    """The refs of a machine that may lead nowhere: optional ones, and those it stops or spawns."""
    stopped = {action.ref for action in machine.actions if isinstance(action, Stop)}
    spawned = {spawn.ref for state in machine.states for spawn in state.spawns}
    return frozenset(stopped | spawned | {ref.name for ref in machine.refs.values() if ref.optional})


@frozen
class _Variable:
    """Something with a declared value, by the name it is read under. `slot`: whose it is (None: at hand)."""

    name: str
    field: Field = attrs.field(eq=False)
    slot: int | None = attrs.field(eq=False, default=None)

    @property
    def origin(self) -> int:
        """The value numbered nought on the grid of its steps."""
        return (self.field.minimum or 0) if self.field.step else 0

    @property
    def stride(self) -> int:
        """What lies between two neighbours on the grid."""
        return self.field.step or 1

    def bounds(self) -> Iterator[Linear]:
        """Its range, as constraints on its number on the grid."""
        if self.field.minimum is not None:
            yield Linear.of({self.name: -self.stride}, self.field.minimum - self.origin)
        if self.field.maximum is not None:
            yield Linear.of({self.name: self.stride}, self.origin - self.field.maximum)


@frozen
class _Self:
    """The configuration of the instance itself."""


@frozen
class _Slot:
    """The instance at the end of a chain of refs: its configuration, or None if there is none."""

    number: int


@frozen
class _Presence:
    """Whether a number is there."""

    variable: _Variable


@frozen
class _Value:
    """A value that is not a number."""

    variable: _Variable


@frozen
class _Reading:
    """The reading of an assumption."""

    assumption: str


@frozen
class _Sign:
    """How a sum compares with nought: -1, 0 or 1."""

    sum: Linear


Key: TypeAlias = _Self | _Slot | _Presence | _Value | _Reading | _Sign


class _Open(Exception):
    """The evaluation needs something that is not decided yet."""

    def __init__(self, key: Key, options: Sequence[Choice]) -> None:
        self.key, self.options = key, options


@attrs.define(eq=False, slots=False)
class _Search:
    moment: Moment
    goals: tuple[tuple[Expr, bool], ...]
    witness: Witness | None = None
    decided: dict[Key, Choice] = attrs.field(factory=dict)
    numbers: dict[str, _Variable] = attrs.field(factory=dict)
    solution: dict[str, int] = attrs.field(factory=dict)
    gap: bool = False
    steps: int = 0

    def run(self) -> bool:
        """Whether what is decided so far can be completed; then `decided` and `solution` say how."""
        try:
            if any(bool(self.value(guard)) != wanted for guard, wanted in self.goals):
                return False
        except _Open as open_:
            key, options = open_.key, open_.options
        else:
            return self.solved()
        for option in options if self.witness is None else (self.seen(self.witness, key),):
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Undecided
            self.decided[key] = option
            if (not isinstance(key, _Sign) or self.possible()) and self.run():
                return True
            del self.decided[key]
        return False

    def seen(self, witness: Witness, key: Key) -> Choice:
        """What a witness says."""
        match key:
            case _Self() | _Slot():
                number = key.number if isinstance(key, _Slot) else None
                active = witness.active[number]
                return active if active is None else active & self.mentioned.get(number, frozenset())
            case _Presence(variable=variable):
                return witness.numbers[variable.name] is not None
            case _Value(variable=variable):
                return witness.values[variable.name]
            case _Reading(assumption=assumption):
                return witness.readings[assumption]
            case _Sign(sum=sum_):
                found = sum_.at(self.numbers_of(witness))
                return (found > 0) - (found < 0)

    def numbers_of(self, witness: Witness) -> dict[str, int]:
        return {name: number for name, number in witness.numbers.items() if number is not None}

    # ---- numbers

    def constraints(self) -> Iterator[Linear]:
        """Everything decided about sums, and the ranges of the variables in them."""
        names: dict[str, None] = {}
        for key, sign in self.decided.items():
            if isinstance(key, _Sign):
                names |= dict.fromkeys(name for name, _ in key.sum.weights)
                margin = Linear((), 1 if sign else 0)
                if sign in (0, -1):
                    yield key.sum.plus(margin)
                if sign in (0, 1):
                    yield margin.plus(key.sum, -1)
        for name in names:
            yield from self.numbers[name].bounds()

    def possible(self) -> bool:
        """Whether no contradiction shows among the numbers."""
        if self.witness is not None:
            return True
        try:
            return solve(self.constraints()) is not None
        except Undecided:
            return True

    def solved(self) -> bool:
        """Whether numbers were found; if that stays open, `gap` remembers it."""
        if self.witness is not None:
            self.solution = self.numbers_of(self.witness)
            return all(row.at(self.solution) <= 0 for row in self.constraints())
        try:
            found = solve(self.constraints())
        except Undecided:
            self.gap = True
            return False
        self.solution = found or {}
        return found is not None

    def number(self, expr: Expr) -> Linear | None:
        """A number as a sum over grid numbers; None if it is absent."""
        match expr:
            case tree.Literal(value=int(value)):
                return Linear((), value)
            case tree.Arithmetic(op=op, left=left, right=right):
                one, two = self.number(left), self.number(right)
                if one is None or two is None:
                    return None
                if op == "*":
                    return Linear().plus(one, two.constant) if not two.weights else Linear().plus(two, one.constant)
                return one.plus(two, 1 if op == "+" else -1)
            case tree.Field() | tree.Payload() | tree.Far():
                variable = self.variable(expr)
                if variable is None or not self.present(variable):
                    return None
                if not variable.field.type.is_number:
                    raise Undecided
                self.numbers[variable.name] = variable
                return Linear(((variable.name, variable.stride),), variable.origin)
            case tree.Literal(value=None):
                return None
            case _:
                raise Undecided  # of no type that is known before it runs

    def present(self, variable: _Variable) -> bool:
        if variable.slot is not None and self.other(variable.slot) is None:
            return False
        return not variable.field.optional or bool(self.decide(_Presence(variable), (True, False)))

    # ---- everything else

    def decide(self, key: Key, options: Sequence[Choice]) -> Choice:
        """What was decided, or a stop to decide it."""
        if key not in self.decided:
            raise _Open(key, options)
        return self.decided[key]

    def variable(self, expr: tree.Field | tree.Payload | tree.Far) -> _Variable | None:
        """What an expression reads; None for a payload this event does not carry."""
        match expr:
            case tree.Field(name=name):
                return _Variable(name, self.moment.machine.fields[name])
            case tree.Payload(name=name):
                field = self.moment.payload.get(name)
                return _Variable(f"event.{name}", field) if field else None
            case tree.Far(path=path, slot=slot, name=name):
                return _Variable(".".join((*path, name)), self.machine_at(path).fields[name], slot)

    def value(self, expr: Expr) -> Value:
        """The value of anything but a number, as `expr.evaluate` has it."""
        match expr:
            case tree.Literal(value=value):
                return value
            case tree.Field() | tree.Payload() | tree.Far():
                return self.read(expr)
            case tree.Inside(slot=None, states=states):
                return not self.here().isdisjoint(states)
            case tree.Inside(slot=int(slot), states=states):
                other = self.other(slot)
                return other is not None and not other.isdisjoint(states)
            case tree.Bound(slot=slot):
                return self.other(slot) is not None
            case tree.Reading(assumption=assumption, readings=readings):
                known = tuple(self.moment.assumptions[assumption].readings)
                return self.decide(_Reading(assumption), known) in readings
            case tree.Present(operand=operand) if type_of(operand).is_number:
                return self.number(operand) is not None
            case tree.Present(operand=operand):
                return self.value(operand) is not None
            case tree.Not(operand=operand):
                return not self.value(operand)
            case tree.All(parts=parts):
                return all(self.value(part) for part in parts)
            case tree.Any(parts=parts):
                return any(self.value(part) for part in parts)
            case tree.Named(body=body):
                return self.value(body)
            case tree.Among(operand=operand, options=options):
                return any(self.value(tree.Compare("==", operand, option)) for option in options)
            case tree.Compare():
                return self.comparison(expr)
            case _:
                raise Undecided  # of no type that is known before it runs

    def read(self, expr: tree.Field | tree.Payload | tree.Far) -> Value:
        variable = self.variable(expr)
        if variable is None or (variable.slot is not None and self.other(variable.slot) is None):
            return None
        type_ = variable.field.type
        if type_.kind == "any":
            raise Undecided
        options: tuple[Value, ...] = (True, False) if type_.kind == "bool" else type_.words or self.texts
        found = self.decide(_Value(variable), (*options, None) if variable.field.optional else options)
        assert not isinstance(found, frozenset)
        return found

    def comparison(self, expr: tree.Compare) -> bool:
        if not type_of(expr.left).is_number:
            same = (one := self.value(expr.left)) is not None and one == self.value(expr.right)
            return same == (expr.op == "==")
        left, right = self.number(expr.left), self.number(expr.right)
        if left is None or right is None:
            return expr.op == "!="
        difference = left.plus(right, -1)
        if difference.weights:
            sign = self.decide(_Sign(difference), (0, 1, -1))
        else:
            sign = (difference.constant > 0) - (difference.constant < 0)
        wanted = {"==": (0,), "!=": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}
        return sign in wanted[expr.op]

    def here(self) -> Configuration:
        options = self.choices(self.moment.machine, None, self.moment.active)
        found = self.decide(_Self(), options)
        assert isinstance(found, frozenset)
        return found

    def other(self, slot: int) -> Configuration | None:
        """The instance seen through a slot; one whose chain is broken earlier is not there."""
        slots = self.moment.machine.slots
        path, start = slots[slot], 0
        for cut in range(len(path) - 1, 0, -1):
            if path[:cut] in slots:
                if self.other(slots.index(path[:cut])) is None:
                    return None
                start = cut
                break
        may_lack = any(path[at] in loose(self.machine_at(path[:at])) for at in range(start, len(path)))
        options: list[Choice] = [*self.choices(self.machine_at(path), slot)]
        found = self.decide(_Slot(slot), [*options, None] if may_lack else options)
        assert found is None or isinstance(found, frozenset)
        return found

    def choices(self, machine: Machine, slot: int | None, active: int | None = None) -> list[Configuration]:
        if self.witness is not None:
            return []
        return configurations(machine, self.mentioned.get(slot, frozenset()), active)

    def machine_at(self, path: Path) -> Machine:
        machine = self.moment.machine
        for name in path:
            machine = self.moment.machines[machine.refs[name].machine]
        return machine

    @cached_property
    def mentioned(self) -> Mapping[int | None, Configuration]:
        """The states asked for, by slot."""
        found: dict[int | None, Configuration] = {}
        for node in self.nodes:
            if isinstance(node, tree.Inside):
                found[node.slot] = found.get(node.slot, frozenset()).union(node.states)
        return found

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every string that is spoken of, and others enough for each reader of a string to have one of its own."""
        said = [node.value for node in self.nodes if isinstance(node, tree.Literal) and node.type.kind == "string"]
        readers = {node for node in self.nodes if isinstance(node, tree.Field | tree.Payload | tree.Far)}
        count = sum(node.type.kind == "string" for node in readers)
        others = (f"other text {number}" for number in range(1, count + 1))
        return tuple(dict.fromkeys((*(text for text in said if isinstance(text, str)), *others)))

    @cached_property
    def nodes(self) -> tuple[Expr, ...]:
        return tuple(node for guard, _ in self.goals for node in tree.walk(guard))

    # ---- telling it

    def story(self) -> str:
        """What was decided, in words: `kind is training, domain is tip-enabled`."""
        facts = dict(fact for key, choice in self.decided.items() for fact in self.facts(key, choice))
        return ", ".join(f"{name} is {words}" for name, words in facts.items())

    def facts(self, key: Key, choice: Choice) -> Iterator[tuple[str, str]]:
        match key:
            case _Self():
                assert isinstance(choice, frozenset)
                yield "self", self.where(choice, self.moment.machine, None)
            case _Slot(number=slot):
                path = self.moment.machine.slots[slot]
                if choice is None:
                    yield ".".join(path), "absent"
                elif isinstance(choice, frozenset):
                    yield ".".join(path), self.where(choice, self.machine_at(path), slot)
            case _Reading(assumption=name):
                yield name, str(choice)
            case _Presence(variable=variable):
                if not choice:
                    yield variable.name, "absent"
                elif variable.name not in {
                    name for other in self.decided if isinstance(other, _Sign) for name, _ in other.sum.weights
                }:
                    yield variable.name, "present"
            case _Value(variable=variable):
                assert not isinstance(choice, frozenset)
                yield variable.name, show(choice, variable.field.type)
            case _Sign(sum=sum_):
                for name, _ in sum_.weights:
                    variable = self.numbers[name]
                    number = variable.origin + variable.stride * self.solution.get(name, 0)
                    yield name, show(number, variable.field.type)

    def where(self, active: Configuration, machine: Machine, slot: int | None) -> str:
        """The innermost of the active states, or which of those asked for are not."""
        inner = [
            name for name in active if not any(machine.state(name).holds(machine.numbers[other]) for other in active)
        ]
        if inner:
            return " + ".join(sorted(inner, key=machine.numbers.__getitem__))
        asked = sorted(self.mentioned.get(slot, ()), key=machine.numbers.__getitem__)
        if not asked:
            return "present"
        return f"not {asked[0]}" if len(asked) == 1 else f"not [{', '.join(asked)}]"
