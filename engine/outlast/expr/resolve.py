"""Names -> what they mean, and every type checked, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

import attrs

from outlast.errors import did_you_mean, listed
from outlast.expr import tree
from outlast.expr.render import render
from outlast.expr.tree import ANY, BOOL, INT, Expr, Literal, Name, Path, Type, type_of
from outlast.place import Place
from outlast.values import frozen


@frozen
class Target:
    """What a chain of refs leads to: the machine's states, and the slot the instance is seen through (None: this instance)."""

    machine: str
    slot: int | None
    states: tuple[str, ...]
    chain: Path = ()
    """The whole chain as this instance sees it, where that is longer than what was written: in the guard of another machine."""


class Scope(Protocol):
    """What names mean at one place of a specification."""

    def value(self, path: Path) -> Expr | None:
        """The resolved field, payload, constant or named guard called `path`."""

    def ref(self, path: Path) -> Target | None:
        """The instance called `path`."""

    def readings(self, name: str) -> tuple[str, ...] | None:
        """The readings of the assumption called `name`."""

    def names(self) -> Iterable[str]:
        """Every name that could stand here, for suggestions."""


Report: TypeAlias = Callable[[str, str, Place | None, str | None], None]
"""Called with (code, text, place, hint) for every problem."""


class _Unsound(Exception):
    """Unwinds to the expression's root once a problem is reported."""


def resolve(expr: Expr, scope: Scope, report: Report, expected: Type = BOOL) -> Expr | None:
    """`expr` with every name resolved, of type `expected`; None if a problem was reported."""
    resolver = _Resolver(scope, report)
    try:
        return resolver.typed(expr, expected)
    except _Unsound:
        return None


def resolve_as(expr: Expr, scope: Scope, report: Report) -> Expr | None:
    """`expr` with every name resolved, of whatever type it has; None if a problem was reported."""
    resolver = _Resolver(scope, report)
    try:
        return resolver.any(expr)
    except _Unsound:
        return None


@frozen
class _Resolver:
    scope: Scope
    report: Report

    def fail(self, code: str, text: str, place: Place | None, hint: str | None = None) -> _Unsound:
        self.report(code, text, place, hint)
        return _Unsound()

    def typed(self, expr: Expr, expected: Type) -> Expr:
        """`expr` as a value of type `expected`; a bare word may be a member of an enum."""
        if expected.kind == "enum" and isinstance(expr, Name):
            found = self.scope.value(expr.path)
            if found is None or (type_of(found) != expected and ".".join(expr.path) in expected.words):
                return self.word(expr, expected)
        resolved = self.any(expr)
        if (actual := type_of(resolved)) != expected and ANY not in (actual, expected):
            if expected.kind == "duration" and isinstance(expr, Literal) and actual == INT:
                raise self.fail(
                    "unit-missing",
                    f"`{expr.value}` has no unit",
                    expr.place,
                    "durations are written `90s`, `15m`, `7d`",
                )
            raise self.fail("wrong-type", f"expected {expected}, but `{render(expr)}` is {actual}", expr.place)
        return resolved

    def word(self, name: Name, enum: Type) -> Literal:
        word = ".".join(name.path)
        if word not in enum.words:
            hint = did_you_mean(word, enum.words) or f"known: {listed(enum.words)}"
            raise self.fail("unknown-word", f"`{word}` is not one of the words of this enum", name.place, hint)
        return Literal(word, enum, place=name.place)

    def any(self, expr: Expr) -> Expr:
        match expr:
            case Name(path=path):
                return self.name(expr)
            case tree.Is():
                return self.membership(expr)
            case tree.Present(operand=Name(path=path)) if target := self.scope.ref(path):
                if target.slot is None:
                    raise self.fail("wrong-type", f"`{'.'.join(path)}` is always present", expr.place)
                return tree.Bound(target.chain or path, target.slot, place=expr.place)
            case tree.Present(operand=operand):
                return tree.Present(self.any(operand), place=expr.place)
            case tree.Not(operand=operand):
                return tree.Not(self.typed(operand, BOOL), place=expr.place)
            case tree.All(parts=parts):
                return tree.All(self.every(parts), place=expr.place)
            case tree.Any(parts=parts):
                return tree.Any(self.every(parts), place=expr.place)
            case tree.Compare():
                return self.comparison(expr)
            case tree.Among(operand=operand, options=options):
                subject = self.any(operand)
                choices = tuple(self.typed(option, type_of(subject)) for option in options)
                return tree.Among(subject, choices, place=expr.place)
            case tree.Arithmetic():
                return self.arithmetic(expr)
            case _:
                return expr

    def every(self, parts: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """All parts, so that one wrong part does not hide the problems of the next."""
        resolved = [resolve(part, self.scope, self.report) for part in parts]
        if None in resolved:
            raise _Unsound
        return tuple(part for part in resolved if part is not None)

    def name(self, name: Name) -> Expr:
        found = self.scope.value(name.path)
        if found is not None:
            return attrs.evolve(found, place=name.place)
        word = ".".join(name.path)
        if self.scope.ref(name.path):
            raise self.fail("wrong-type", f"`{word}` is an instance, not a value", name.place, f"say `{word} is STATE`")
        known = set(self.scope.names())
        hint: str | None
        if "-" in word and all(part in known for part in word.split("-")):
            hint = "a minus has spaces around it"
        else:
            hint = did_you_mean(word, known) or (f"known: {listed(sorted(known))}" if known else None)
        raise self.fail("unknown-name", f"nothing is called `{word}` here", name.place, hint)

    def membership(self, expr: tree.Is) -> Expr:
        """`X is WORD`: a state of an instance, a reading of an assumption, or a value of an enum."""
        path, place = expr.left.path, expr.place
        if target := self.scope.ref(path):
            states = tuple(self.one_of(word, target.states, "unknown-state", "state") for word in expr.words)
            return tree.Inside(() if target.slot is None else target.chain or path, target.slot, states, place=place)
        if len(path) == 1 and (readings := self.scope.readings(path[0])):
            chosen = tuple(self.one_of(word, readings, "unknown-reading", "reading") for word in expr.words)
            return tree.Reading(path[0], chosen, place=place)
        subject = self.name(expr.left)
        if len(expr.words) == 1:
            return tree.Compare("==", subject, self.typed(expr.words[0], type_of(subject)), place=place)
        return tree.Among(subject, tuple(self.typed(word, type_of(subject)) for word in expr.words), place=place)

    def one_of(self, name: Name, known: tuple[str, ...], code: str, kind: str) -> str:
        word = ".".join(name.path)
        if word not in known:
            hint = did_you_mean(word, known) or f"known: {listed(known)}"
            raise self.fail(code, f"no {kind} is called `{word}`", name.place, hint)
        return word

    def comparison(self, expr: tree.Compare) -> Expr:
        left, right = self.pair(expr.left, expr.right)
        type_ = type_of(left)
        if expr.op not in ("==", "!=") and not type_.is_number and type_ != ANY:
            raise self.fail("wrong-type", f"`{expr.op}` compares numbers and durations, not {type_}", expr.place)
        return tree.Compare(expr.op, left, right, place=expr.place)

    def pair(self, left: Expr, right: Expr) -> tuple[Expr, Expr]:
        """Both sides with one type; an enum on one side gives a bare word on the other its meaning."""
        if isinstance(left, Name) and self.scope.value(left.path) is None:
            after = self.any(right)
            return self.typed(left, type_of(after)), after
        before = self.any(left)
        return before, self.typed(right, type_of(before))

    def arithmetic(self, expr: tree.Arithmetic) -> Expr:
        left, right = self.any(expr.left), self.any(expr.right)
        kinds = type_of(left), type_of(right)
        if ANY in kinds:
            return tree.Arithmetic(expr.op, left, right, place=expr.place)
        for side, kind in zip((left, right), kinds, strict=True):
            if not kind.is_number:
                raise self.fail("wrong-type", f"`{render(side)}` is {kind}, not a number", side.place)
        if expr.op == "*":
            if not any(_is_constant(side) for side in (left, right)):
                raise self.fail("not-linear", "one side of `*` must be a constant", expr.place)
            if INT not in kinds:
                raise self.fail("wrong-type", "a duration times a duration has no meaning", expr.place)
        elif kinds[0] != kinds[1]:
            raise self.fail("wrong-type", f"`{expr.op}` between {kinds[0]} and {kinds[1]}", expr.place)
        return tree.Arithmetic(expr.op, left, right, place=expr.place)


def _is_constant(expr: Expr) -> bool:
    """Whether a number is made of constants alone."""
    return all(isinstance(node, Literal | tree.Arithmetic) for node in tree.walk(expr))
