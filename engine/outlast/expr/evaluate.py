"""Tree -> a function of a `Context`. The reference semantics of guards and values: every other reading of the tree is held to it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import attrs

from outlast.expr import tree
from outlast.expr.tree import Expr, Value


class Unanswerable(Exception):
    """An expression without a value: only what no author can write has none (see `tree.Faulty` and the type `any`)."""


class Seen(Protocol):
    """What a guard may see of another instance."""

    @property
    def configuration(self) -> tuple[str, ...]:
        """Active states, in document order."""

    @property
    def values(self) -> tuple[Value, ...]:
        """Field values, in the order of declaration."""


@attrs.define
class Context:
    """Everything an expression can read. `others[slot]` is the instance at the end of that chain of refs, or None."""

    values: Sequence[Value] = ()
    payload: Mapping[str, Value] = attrs.field(factory=dict)
    configuration: frozenset[str] | set[str] = frozenset()
    others: Sequence[Seen | None] = ()
    readings: Mapping[str, str] = attrs.field(factory=dict)
    known: Mapping[str, Value] = attrs.field(factory=dict)
    """See `tree.Known`."""


Closure: TypeAlias = Callable[[Context], Value]

_ORDER: dict[str, Callable[..., bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compiled(expr: Expr) -> Closure:
    """A function that evaluates a resolved expression."""
    match expr:
        case tree.Literal(value=value):
            return lambda _: value
        case tree.Known(fact=fact):
            return lambda context: context.known.get(fact)
        case tree.Faulty(text=text):
            return _unanswerable(text)
        case tree.Field(index=index):
            return lambda context: context.values[index]
        case tree.Payload(name=name):
            return lambda context: context.payload.get(name)
        case tree.Far(slot=chain, index=index):
            return lambda context: other.values[index] if (other := context.others[chain]) else None
        case tree.Inside(slot=slot, states=states):
            return _inside(slot, states)
        case tree.Bound(slot=slot):
            return lambda context: context.others[slot] is not None
        case tree.Reading(assumption=assumption, readings=readings):
            return lambda context: context.readings[assumption] in readings
        case tree.Present(operand=operand):
            inner = compiled(operand)
            return lambda context: inner(context) is not None
        case tree.Not(operand=operand):
            inner = compiled(operand)
            return lambda context: not inner(context)
        case tree.Named(body=body):
            return compiled(body)
        case tree.All(parts=parts):
            closures = tuple(map(compiled, parts))
            return lambda context: all(closure(context) for closure in closures)
        case tree.Any(parts=parts):
            closures = tuple(map(compiled, parts))
            return lambda context: any(closure(context) for closure in closures)
        case tree.Among(operand=operand, options=options):
            inner, closures = compiled(operand), tuple(map(compiled, options))
            return lambda context: (
                (value := inner(context)) is not None and any(closure(context) == value for closure in closures)
            )
        case tree.Compare(op=op, left=left, right=right):
            return _comparison(op, compiled(left), compiled(right))
        case tree.Arithmetic(op=op, left=left, right=right):
            return _arithmetic(op, compiled(left), compiled(right))
        case _:
            raise AssertionError(f"not resolved: {expr}")


def _unanswerable(text: str) -> Closure:
    def unanswerable(_: Context) -> Value:
        raise Unanswerable(text)

    return unanswerable


def _inside(slot: int | None, states: tuple[str, ...]) -> Closure:
    def inside_self(context: Context) -> bool:
        return any(state in context.configuration for state in states)

    def inside_other(context: Context) -> bool:
        assert slot is not None
        other = context.others[slot]
        return other is not None and any(state in other.configuration for state in states)

    return inside_self if slot is None else inside_other


def _comparison(op: str, left: Closure, right: Closure) -> Closure:
    if op == "==":
        return lambda context: (value := left(context)) is not None and value == right(context)
    if op == "!=":
        return lambda context: (value := left(context)) is None or value != right(context)
    compare = _ORDER[op]

    def ordered(context: Context) -> bool:
        one, two = left(context), right(context)
        if one is None or two is None:
            return False
        try:
            return compare(one, two)
        except TypeError as error:
            raise Unanswerable(f"`{op}` compares numbers") from error

    return ordered


def _arithmetic(op: str, left: Closure, right: Closure) -> Closure:
    def arithmetic(context: Context) -> Value:
        one, two = left(context), right(context)
        if one is None or two is None:
            return None
        if isinstance(one, str) and isinstance(two, str) and op == "+":
            return one + two
        if not (isinstance(one, int) and isinstance(two, int)):
            raise Unanswerable(f"`{op}` is for numbers")
        return one + two if op == "+" else one - two if op == "-" else one * two

    return arithmetic
