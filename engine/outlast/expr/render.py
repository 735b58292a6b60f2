"""Tree -> text that parses to the same tree. Used by the writer, by pictures and by explanations."""

from __future__ import annotations

from outlast.expr import tree
from outlast.expr.tree import Expr, Type, Value
from outlast.moments import format_duration

_LOOSE = {tree.Any: 1, tree.All: 2, tree.Not: 3}
_COMPARING = 4
_TIGHT = 9


def render(expr: Expr) -> str:
    """The expression in canonical text, e.g. `enabled and count < limit`."""
    return _text(expr)[0]


def show(value: Value, type_: Type) -> str:
    """One value as an author writes it: `15m`, `true`, `training`, `'text'`, `absent`."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format_duration(value) if type_.kind == "duration" else str(value)
    if type_.kind == "string":
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return value


def _text(expr: Expr) -> tuple[str, int]:
    """The text, and how tightly it binds."""
    match expr:
        case tree.Literal(value=value, type=type_, name=name):
            text = name or show(value, type_)
            return text, _TIGHT
        case tree.Name(path=path):
            return ".".join(path), _TIGHT
        case tree.Field(name=name) | tree.Named(name=name):
            return name, _TIGHT
        case tree.Payload(name=name):
            return f"event.{name}", _TIGHT
        case tree.Known(fact=fact):
            return f"[{fact}]", _TIGHT
        case tree.Faulty(text=text):
            return f"[{text}]", _TIGHT
        case tree.Far(path=path, name=name):
            return ".".join((*path, name)), _TIGHT
        case tree.Not(operand=operand):
            return _negated(operand)
        case tree.All(parts=parts) | tree.Any(parts=parts):
            level = _LOOSE[type(expr)]
            joiner = " and " if level == 2 else " or "
            return joiner.join(_wrapped(part, level + 1) for part in parts), level
        case tree.Compare(op=op, left=left, right=right):
            return f"{_wrapped(left, 5)} {op} {_wrapped(right, 5)}", _COMPARING
        case tree.Arithmetic(op=op, left=left, right=right):
            level = 6 if op == "*" else 5
            return f"{_wrapped(left, level)} {op} {_wrapped(right, level + 1)}", level
        case _:
            return _membership(expr, negated=False), _COMPARING


def _wrapped(expr: Expr, level: int) -> str:
    text, binds = _text(expr)
    return text if binds >= level else f"({text})"


def _negated(operand: Expr) -> tuple[str, int]:
    if isinstance(operand, tree.Is | tree.Inside | tree.Reading | tree.Present | tree.Bound | tree.Among):
        return _membership(operand, negated=True), _COMPARING
    return f"not {_wrapped(operand, 3)}", _LOOSE[tree.Not]


def _membership(expr: Expr, *, negated: bool) -> str:
    no = "not " if negated else ""
    match expr:
        case tree.Is(left=left, words=words):
            return f"{render(left)} is {no}{_words(tuple(render(word) for word in words))}"
        case tree.Inside(path=path, states=states):
            return f"{'.'.join(path) or 'self'} is {no}{_words(states)}"
        case tree.Reading(assumption=assumption, readings=readings):
            return f"{assumption} is {no}{_words(readings)}"
        case tree.Bound(path=path):
            return f"{'.'.join(path)} is {'absent' if negated else 'present'}"
        case tree.Present(operand=operand):
            return f"{render(operand)} is {'absent' if negated else 'present'}"
        case tree.Among(operand=operand, options=options):
            return f"{_wrapped(operand, 5)} {no}in [{', '.join(_wrapped(option, 5) for option in options)}]"
        case _:
            raise AssertionError(expr)


def _words(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"
