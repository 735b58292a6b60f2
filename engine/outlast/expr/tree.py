"""The nodes of guards and values.

The parser makes `Literal`, `Name`, `Is` and the operators. Resolving replaces `Name` and `Is` by what they read: `Field` (own data),
`Payload` (of the event at hand), `Far` (data of another instance), `Inside` (a configuration), `Bound` (a ref), `Reading` (an
assumption). Nodes are values; `place` does not take part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as OneOf
from typing import TypeAlias

import attrs

from outlast.place import Place
from outlast.values import frozen

Value: TypeAlias = bool | int | str | None
"""What a field or an expression holds. None is *absent*. Durations are ints of microseconds, enum words are strs."""

Path: TypeAlias = tuple[str, ...]


@frozen
class Type:
    """The static type of a value; `words` are the members of an enum.

    `any` is the type of what comes from a language without types: it goes with every other, and is looked at when it is used.
    No author can write it.
    """

    kind: OneOf["bool", "int", "duration", "string", "enum", "any"]
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"enum [{', '.join(self.words)}]" if self.kind == "enum" else self.kind

    @property
    def is_number(self) -> bool:
        """Whether values of this type are ordered and can be added."""
        return self.kind in ("int", "duration")


BOOL, INT, DURATION, STRING, ANY = Type("bool"), Type("int"), Type("duration"), Type("string"), Type("any")


def _place() -> Place | None:
    field: Place | None = attrs.field(default=None, eq=False, kw_only=True, repr=False)
    return field


@frozen
class Literal:
    """A constant; `name` is the constant of the system it came from, if any."""

    value: Value
    type: Type
    name: str | None = attrs.field(default=None, eq=False)
    place: Place | None = _place()


@frozen
class Name:
    """A dotted name, not yet resolved; or a bare word of an enum."""

    path: Path
    place: Place | None = _place()


@frozen
class Is:
    """`PATH is WORD`, `PATH is [WORD, …]`: not yet resolved."""

    left: Name
    words: tuple[Name, ...]
    place: Place | None = _place()


@frozen
class Field:
    """A field of this instance."""

    name: str
    index: int
    type: Type
    optional: bool = False
    place: Place | None = _place()


@frozen
class Payload:
    """A value that came with the event at hand."""

    name: str
    type: Type
    optional: bool = False
    place: Place | None = _place()


@frozen
class Far:
    """A field of the instance at the end of a chain of refs; `slot` numbers the chain in its machine."""

    path: Path
    slot: int
    name: str
    index: int
    type: Type
    optional: bool = True
    place: Place | None = _place()


@frozen
class Inside:
    """Whether one of `states` is active: in this instance (`path` empty) or at the end of a chain of refs."""

    path: Path
    slot: int | None
    states: tuple[str, ...]
    place: Place | None = _place()


@frozen
class Bound:
    """Whether a chain of refs leads to an instance."""

    path: Path
    slot: int
    place: Place | None = _place()


@frozen
class Reading:
    """Whether the run is made under one of these readings of an assumption."""

    assumption: str
    readings: tuple[str, ...]
    place: Place | None = _place()


@frozen
class Present:
    """Whether a value is not absent."""

    operand: Expr
    place: Place | None = _place()


@frozen
class Not:
    """Negation."""

    operand: Expr
    place: Place | None = _place()


@frozen
class All:
    """Conjunction, left to right."""

    parts: tuple[Expr, ...]
    place: Place | None = _place()


@frozen
class Any:
    """Disjunction, left to right."""

    parts: tuple[Expr, ...]
    place: Place | None = _place()


@frozen
class Named:
    """A named guard, of this machine or through a ref; `body` is what it stands for."""

    name: str
    body: Expr
    place: Place | None = _place()


Comparison: TypeAlias = OneOf["==", "!=", "<", "<=", ">", ">="]


@frozen
class Compare:
    """A comparison. With an absent side it is false, except `!=`, which is the negation of `==`."""

    op: Comparison
    left: Expr
    right: Expr
    place: Place | None = _place()


@frozen
class Among:
    """Whether a value equals one of several."""

    operand: Expr
    options: tuple[Expr, ...]
    place: Place | None = _place()


@frozen
class Arithmetic:
    """`+`, `-` and `*`; absent if a side is. One side of `*` is constant, so everything stays linear."""

    op: OneOf["+", "-", "*"]
    left: Expr
    right: Expr
    place: Place | None = _place()


Fact: TypeAlias = OneOf["event name", "event kind", "event sender", "event child", "send id", "own id"]


@frozen
class Known:
    """What the run itself knows: of the event at hand, or of this instance. Text; absent where there is none.

    `event kind`: `external`, `internal` (raised by the machine) or `platform` (`error.…` and `done.…`); `event child`: the ref of
    the child that said it.
    """

    fact: Fact
    place: Place | None = _place()


@frozen
class Faulty:
    """What cannot be evaluated, and why: a guard that asks it is false, an action that needs it fails (SCXML 5.9)."""

    text: str
    place: Place | None = _place()


Expr: TypeAlias = (
    Literal
    | Name
    | Is
    | Field
    | Payload
    | Far
    | Inside
    | Bound
    | Reading
    | Present
    | Not
    | All
    | Any
    | Named
    | Compare
    | Among
    | Arithmetic
    | Known
    | Faulty
)

TRUE = Literal(True, BOOL)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The nodes directly below `expr`."""
    match expr:
        case Present(operand=operand) | Not(operand=operand):
            return (operand,)
        case All(parts=inner) | Any(parts=inner):
            return inner
        case Named(body=body):
            return (body,)
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case Among(operand=operand, options=options):
            return (operand, *options)
        case _:
            return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """`expr` and every node below it, top down, left to right."""
    yield expr
    for part in parts(expr):
        yield from walk(part)


def leaves(guard: Expr) -> Iterator[Expr]:
    """The conditions a guard is made of: everything below `and`, `or`, `not` and named guards."""
    if isinstance(guard, Not | All | Any | Named):
        for part in parts(guard):
            yield from leaves(part)
    else:
        yield guard


def type_of(expr: Expr) -> Type:
    """The type of a resolved expression."""
    match expr:
        case Literal(type=type_) | Field(type=type_) | Payload(type=type_) | Far(type=type_):
            return type_
        case Known():
            return STRING
        case Faulty():
            return ANY
        case Arithmetic(left=left, right=right) if ANY in (type_of(left), type_of(right)):
            return ANY
        case Arithmetic(left=left, right=right):
            return DURATION if DURATION in (type_of(left), type_of(right)) else INT
        case Name() | Is():
            raise AssertionError(f"not resolved: {expr}")
        case _:
            return BOOL


def may_be_absent(expr: Expr) -> bool:
    """Whether a resolved expression can be absent."""
    match expr:
        case Field(optional=optional) | Payload(optional=optional) | Far(optional=optional):
            return optional
        case Literal(value=value):
            return value is None
        case Known():
            return True
        case Arithmetic(left=left, right=right):
            return may_be_absent(left) or may_be_absent(right)
        case _:
            return False


def conjunction(guards: tuple[Expr, ...], place: Place | None = None) -> Expr:
    """`and` over `guards`: the guard itself when there is one, true when there is none."""
    if not guards:
        return TRUE
    return guards[0] if len(guards) == 1 else All(guards, place=place)
