"""A resolved expression as Python source, or as a value where the plan and the place decide it.

Held to `outlast.expr.evaluate`, which says what expressions mean. The source is made of names this chapter invents and of literals;
of an author's text, only strings get into it, as their `repr`. A TypeError of the source means that a value is not of the type it was declared
with, which only the untyped language of SCXML allows: the function around it then leaves the step to the interpreter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import attrs

from outlast.expr import ANY, Expr, Value, tree
from outlast.values import frozen


@frozen
class Fixed:
    """A value known beforehand."""

    value: Value


Code: TypeAlias = str | Fixed
"""Source in parentheses where it needs them; or a value."""

_OPERATORS: Mapping[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Uncovered(Exception):
    """What cannot be unfolded, in words."""


def literal(value: Value) -> str:
    """A value as source."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return repr(int(value)) if value >= 0 else f"({int(value)!r})"
    return repr(str(value))


def source(code: Code) -> str:
    """Source for a code."""
    return code if isinstance(code, str) else literal(code.value)


def total(one: Value, two: Value) -> Value:
    """`+` on values without a static type. Raises TypeError for what it is not for."""
    if (isinstance(one, str) and isinstance(two, str)) or (isinstance(one, int) and isinstance(two, int)):
        return one + two  # type: ignore[operator]
    raise TypeError


def whole(value: Value) -> int:
    """A number among values without a static type. Raises TypeError for any other."""
    if isinstance(value, int):
        return value
    raise TypeError


@attrs.define
class Sight:
    """What an expression sees at one point of an unfolding, as code."""

    fields: Sequence[Code]
    others: Sequence[Code]
    active: frozenset[str]
    payload: Callable[[str], Code]
    fact: Callable[[tree.Fact], Code]
    readings: Mapping[str, str]
    temporary: Callable[[str], str]
    """The name for what some source computes."""

    # ---- values

    def value(self, expr: Expr) -> Code:
        """The value of an expression. Raises Uncovered."""
        match expr:
            case tree.Literal(value=value):
                return Fixed(value)
            case tree.Field(index=index):
                return self.fields[index]
            case tree.Payload(name=name):
                return self.payload(name)
            case tree.Known(fact=fact):
                return self.fact(fact)
            case tree.Far(slot=slot, index=index):
                return self.far(self.others[slot], index)
            case tree.Arithmetic():
                return self.arithmetic(expr)
            case tree.Faulty(text=text):
                raise Uncovered(text)
            case _:
                found = self.test(expr)
                return Fixed(found) if isinstance(found, bool) else f"(True if {found} else False)"

    def far(self, other: Code, index: int) -> Code:
        """A field of another instance; absent where there is none."""
        return (
            Fixed(None) if isinstance(other, Fixed) else f"({other}.values[{index}] if {other} is not None else None)"
        )

    def arithmetic(self, expr: tree.Arithmetic) -> Code:
        """Absent if a side is."""
        left, right = self.value(expr.left), self.value(expr.right)
        if Fixed(None) in (left, right):
            return Fixed(None)
        one, two = source(left), source(right)
        if ANY in (tree.type_of(expr.left), tree.type_of(expr.right)):
            return f"total({one}, {two})" if expr.op == "+" else f"(whole({one}) {expr.op} whole({two}))"
        checks = []
        if tree.may_be_absent(expr.left):
            check, one = self.present(left)
            checks.append(check)
        if tree.may_be_absent(expr.right):
            check, two = self.present(right)
            checks.append(check)
        sum_ = f"({one} {expr.op} {two})"
        return f"({sum_} if {' and '.join(checks)} else None)" if checks else sum_

    def present(self, code: Code) -> tuple[str, str]:
        """A test whether a value is there, and how to say the value once it has been tested."""
        if isinstance(code, Fixed):
            return str(code.value is not None), literal(code.value)
        if code.isidentifier():
            return f"{code} is not None", code
        name = self.temporary(code)
        return f"({name} := {code}) is not None", name

    # ---- tests

    def test(self, expr: Expr) -> str | bool:
        """Whether a condition holds: source, or the answer. Raises Uncovered."""
        match expr:
            case tree.Named(body=body):
                return self.test(body)
            case tree.Not(operand=operand):
                found = self.test(operand)
                return not found if isinstance(found, bool) else f"(not {found})"
            case tree.All(parts=parts):
                return self.joined(parts, "and")
            case tree.Any(parts=parts):
                return self.joined(parts, "or")
            case tree.Compare():
                return self.comparison(expr)
            case tree.Among():
                return self.among(expr)
            case tree.Inside(slot=slot, states=states):
                return self.inside(slot, states)
            case tree.Bound(slot=slot):
                other = self.others[slot]
                return False if isinstance(other, Fixed) else f"({other} is not None)"
            case tree.Reading(assumption=assumption, readings=readings):
                return self.readings[assumption] in readings
            case tree.Present(operand=operand):
                code = self.value(operand)
                return code.value is not None if isinstance(code, Fixed) else f"({code} is not None)"
            case _:
                code = self.value(expr)
                return bool(code.value) if isinstance(code, Fixed) else code

    def joined(self, parts: tuple[Expr, ...], word: str) -> str | bool:
        """`and` and `or`, left to right. What is known to decide does so, unless a part before it may be unanswerable."""
        decisive = word == "or"
        found: list[str] = []
        for number, part in enumerate(parts):
            test = self.test(part)
            if test is decisive:
                untyped = any(tree.type_of(node) == ANY for before in parts[:number] for node in tree.walk(before))
                return self.listed([*found, str(decisive)], word) if found and untyped else decisive
            if not isinstance(test, bool):
                found.append(test)
        return self.listed(found, word) if found else not decisive

    def listed(self, tests: list[str], word: str) -> str:
        """Several tests as one."""
        return tests[0] if len(tests) == 1 else f"({f' {word} '.join(tests)})"

    def inside(self, slot: int | None, states: tuple[str, ...]) -> str | bool:
        """Whether one of some states is active, here or elsewhere."""
        if slot is None:
            return not self.active.isdisjoint(states)
        other = self.others[slot]
        if isinstance(other, Fixed):
            return False
        tests = [f"{literal(state)} in {other}.configuration" for state in states]
        return f"({other} is not None and {self.listed(tests, 'or')})"

    def comparison(self, expr: tree.Compare) -> str | bool:
        """With an absent side it is false, except `!=`, which is the negation of `==`."""
        left, right = self.value(expr.left), self.value(expr.right)
        equality = expr.op in ("==", "!=")
        if Fixed(None) in ((left,) if equality else (left, right)):
            return expr.op == "!="
        if isinstance(left, Fixed) and isinstance(right, Fixed):
            try:
                return _OPERATORS[expr.op](left.value, right.value)
            except TypeError:
                raise Uncovered(f"`{expr.op}` compares numbers") from None
        checks, one, two = [], source(left), source(right)
        if not isinstance(left, Fixed) and (tree.may_be_absent(expr.left) or tree.type_of(expr.left) == ANY):
            check, one = self.present(left)
            checks.append(check)
        if not (equality or isinstance(right, Fixed)) and tree.may_be_absent(expr.right):
            check, two = self.present(right)
            checks.append(check)
        compared = f"{one} {expr.op} {two}"
        if not checks:
            return f"({compared})"
        if expr.op == "!=":
            return f"(not ({checks[0]}) or {compared})"
        return f"({' and '.join([*checks, compared])})"

    def among(self, expr: tree.Among) -> str | bool:
        """Whether a value equals one of several."""
        code, options = self.value(expr.operand), [self.value(option) for option in expr.options]
        fixed = [option.value for option in options if isinstance(option, Fixed)]
        if isinstance(code, Fixed) and (code.value is None or len(fixed) == len(options)):
            return code.value is not None and code.value in fixed
        among = f"({', '.join(map(source, options))},)"
        if isinstance(code, str) and (tree.may_be_absent(expr.operand) or tree.type_of(expr.operand) == ANY):
            check, value = self.present(code)
            return f"({check} and {value} in {among})"
        return f"({source(code)} in {among})"
