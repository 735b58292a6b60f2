"""Guards, values and durations as they stand in a specification -> expression trees and microseconds.

The structured form of a guard is lowered to the very tree its text would give.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from outlast.expr import INT, Expr, ExprError, parse, render, tree
from outlast.expr.parse import DEEPEST, LARGEST_INT, LONGEST_TEXT
from outlast.language.nodes import Mapping, Node, Scalar, Sequence, Void, describe
from outlast.language.shapes import NAME, PATH
from outlast.language.source import Source
from outlast.moments import parse_duration
from outlast.place import Place

_COMPARISONS: dict[str, tree.Comparison] = {"at-least": ">=", "at-most": "<=", "above": ">", "below": "<"}
OPERATORS = ("not", *_COMPARISONS, "is")
COMBINERS = ("all", "any", "not")


def expression(scalar: Scalar, source: Source) -> Expr | None:
    """The tree of a text; None, with a problem at the exact column, if it is none."""
    try:
        expr = parse(scalar.text, scalar.at(0))
    except ExprError as error:
        source.report("bad-expression", str(error), scalar.at(error.offset), error.hint)
        return None
    return expr if scalar.exact else _relocated(expr, scalar)


def _relocated(expr: Expr, scalar: Scalar) -> Expr:
    """`expr` with the places that escapes or line breaks in its text have moved."""
    place = expr.place
    if place is not None:
        place = scalar.at(place.column - scalar.at(0).column)
    changes: dict[str, Any] = {"place": place}
    for field in attrs.fields(type(expr)):
        part = getattr(expr, field.name)
        if isinstance(part, Expr):
            changes[field.name] = _relocated(part, scalar)
        elif isinstance(part, tuple):
            changes[field.name] = tuple(_relocated(item, scalar) if isinstance(item, Expr) else item for item in part)
    moved: Expr = type(expr)(**{field.name: getattr(expr, field.name) for field in attrs.fields(type(expr))} | changes)
    return moved


def value(node: Node, source: Source, label: str, *, duration: bool = False) -> Expr | None:
    """The tree of a value; None, with a problem, if it is none. With `duration`, a bare number is a problem."""
    if isinstance(node, Void):
        return None
    if not isinstance(node, Scalar):
        said = "a duration or an expression" if duration else "a value or an expression"
        source.report("wrong-kind", f"`{label}` takes {said}, not {describe(node)}", node.place)
        return None
    match node.kind:
        case "null":
            source.report("empty-value", f"`{label}` has no value", node.place)
            return None
        case "bool":
            return tree.Literal(node.text.lower() == "true", tree.BOOL, place=node.place)
        case "int" | "float" if duration:
            unit_missing(node, source)
            return None
        case "int":
            return _integer(node, source)
        case "float":
            source.report("not-whole", f"numbers are whole, `{node.text}` is not", node.place)
            return None
        case _:
            expr = expression(node, source)
            if duration and isinstance(expr, tree.Literal) and expr.type == INT:
                unit_missing(node, source)
                return None
            return expr


def unit_missing(scalar: Scalar, source: Source) -> None:
    """Report a number where a duration is wanted."""
    number = scalar.text[:20]
    source.report(
        "unit-missing",
        f"`{number}` has no unit",
        scalar.place,
        f"write `{number}s`, `{number}m`, `{number}h` or `{number}d`",
    )


def _integer(scalar: Scalar, source: Source) -> Expr | None:
    try:
        number = scalar.integer
    except ValueError:
        number = LARGEST_INT + 1
    if abs(number) > LARGEST_INT:
        source.report("bad-expression", f"integers go up to {LARGEST_INT}", scalar.place)
        return None
    return tree.Literal(number, INT, place=scalar.place)


def duration(node: Node, source: Source, label: str) -> int | None:
    """The microseconds of a duration; None, with a problem, if it is none."""
    if isinstance(node, Void):
        return None
    if not isinstance(node, Scalar) or node.kind in ("null", "bool"):
        source.report("wrong-kind", f"`{label}` takes a duration like `15m`, not {describe(node)}", node.place)
        return None
    if node.kind != "text" or node.text.isdecimal():
        unit_missing(node, source)
        return None
    try:
        return parse_duration(node.text)
    except ValueError as error:
        source.report(
            "bad-duration", str(error), node.place, "the units are `w`, `d`, `h`, `m`, `s`, `ms` and `us`: `1h 30m`"
        )
        return None


# ---- guards


def condition(node: Node, source: Source, label: str) -> Expr | None:
    """The tree of a guard in either form; None, with problems, if it is none."""
    before = len(source.problems)
    guard = _condition(node, source, label)
    if guard is None or len(source.problems) > before:
        return guard
    if not isinstance(node, Scalar) and (depth(guard) > DEEPEST or len(render(guard)) > LONGEST_TEXT):
        source.report(
            "bad-expression",
            f"a condition has at most {LONGEST_TEXT} characters and nests at most {DEEPEST} deep",
            node.place,
        )
        return None
    return guard


def depth(expr: Expr) -> int:
    """How deep a tree nests."""
    return 1 + max(map(depth, tree.parts(expr)), default=0)


def _condition(node: Node, source: Source, label: str) -> Expr | None:
    match node:
        case Scalar(kind="text") | Scalar(kind="bool"):
            return value(node, source, label)
        case Sequence(items=items) if items:
            return _combined(tree.All, [_condition(item, source, label) for item in items], node.place)
        case Mapping(pairs=pairs) if pairs:
            return _combined(tree.All, [_pair(key, inner, source) for key, inner in pairs], node.place)
        case Void():
            return None
        case Sequence() | Mapping():
            source.report("empty-value", f"`{label}` has no condition in it", node.place)
        case _:
            source.report("wrong-kind", f"`{label}` takes a condition, not {describe(node)}", node.place)
    return None


def _combined(combine: Callable[..., tree.All | tree.Any], found: list[Expr | None], place: Place) -> Expr | None:
    """`and` or `or` over what was understood."""
    parts = tuple(part for part in found if part is not None)
    if len(parts) < 2:
        return parts[0] if parts else None
    return combine(parts, place=place)


def _pair(key: Scalar, node: Node, source: Source) -> Expr | None:
    """One key of a structured guard: a combiner, or a name and what is said of it."""
    match key.text:
        case "all" | "any" as word if isinstance(node, Sequence) and node.items:
            parts = [_condition(item, source, word) for item in node.items]
            return _combined(tree.All if word == "all" else tree.Any, parts, key.place)
        case "all" | "any":
            if isinstance(node, Sequence):
                source.report("empty-value", f"`{key.text}` has no condition in it", node.place)
            elif not isinstance(node, Void):
                source.report(
                    "wrong-kind", f"`{key.text}` takes a list of conditions, not {describe(node)}", node.place
                )
            return None
        case "not":
            operand = _condition(node, source, "not")
            return None if operand is None else tree.Not(operand, place=key.place)
        case text if PATH.accepts(text):
            return _said_of(tree.Name(tuple(text.split(".")), place=key.at(0)), node, source)
        case text:
            source.report(
                "bad-name",
                f"`{text}` is no name, and none of `all`, `any`, `not`",
                key.place,
                "write a whole condition as text",
            )
            return None


def _said_of(name: tree.Name, node: Node, source: Source) -> Expr | None:
    """What a structured guard says of one name."""
    label, place = ".".join(name.path), name.place
    match node:
        case Sequence(items=items) if items:
            return _among(name, items, source)
        case Mapping(pairs=pairs) if pairs:
            assert place is not None
            return _combined(tree.All, [_operator(name, key, inner, source) for key, inner in pairs], place)
        case Sequence() | Mapping():
            source.report("empty-value", f"nothing is said of `{label}`", node.place)
            return None
        case Scalar(kind="text", text=text) if NAME.accepts(text):
            return tree.Is(name, (tree.Name((text,), place=node.at(0)),), place=place)
        case _:
            right = value(node, source, label)
            return None if right is None else tree.Compare("==", name, right, place=place)


def _among(name: tree.Name, items: tuple[Node, ...], source: Source) -> Expr | None:
    """`name: [a, b]`: any of these words, or of these values."""
    if all(isinstance(item, Scalar) and item.kind == "text" and NAME.accepts(item.text) for item in items):
        words = (tree.Name((item.text,), place=item.at(0)) for item in items if isinstance(item, Scalar))
        return tree.Is(name, tuple(words), place=name.place)
    options = [value(item, source, ".".join(name.path)) for item in items]
    known = tuple(option for option in options if option is not None)
    return tree.Among(name, known, place=name.place) if len(known) == len(options) else None


def _operator(name: tree.Name, key: Scalar, node: Node, source: Source) -> Expr | None:
    """`{at-least: 15m}` and its like."""
    match key.text:
        case "not":
            operand = _said_of(name, node, source)
            return None if operand is None else tree.Not(operand, place=name.place)
        case "is":
            present = tree.Present(name, place=name.place)
            match node:
                case Scalar(text="present"):
                    return present
                case Scalar(text="absent"):
                    return tree.Not(present, place=name.place)
                case Void():
                    return None
            source.report("wrong-kind", f"`is` takes `present` or `absent`, not {describe(node)}", node.place)
            return None
        case text if text in _COMPARISONS:
            right = value(node, source, text)
            return None if right is None else tree.Compare(_COMPARISONS[text], name, right, place=name.place)
        case text:
            source.report("unknown-key", f"there is no comparison `{text}`", key.place, source.suggest(text, OPERATORS))
            return None
