"""Why a guard holds or fails: the leaves that decided, with the values they saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from outlast.expr import tree
from outlast.expr.evaluate import Context, Unanswerable, compiled
from outlast.expr.render import render, show
from outlast.expr.tree import Expr, type_of
from outlast.values import frozen


@frozen
class Leaf:
    """One condition of a guard as it was seen: its text, its verdict, and `(name, value)` for everything it read."""

    text: str
    holds: bool
    saw: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        saw = ", ".join(f"{name} is {value}" for name, value in self.saw)
        return f"`{self.text}` is {'true' if self.holds else 'false'}" + (f": {saw}" if saw else "")


def listed_states(configuration: tuple[str, ...], _slot: int | None) -> str:
    """A configuration in words: every active state. A caller that has the plan can name the innermost ones only."""
    return " + ".join(configuration)


Whereabouts: TypeAlias = Callable[[tuple[str, ...], int | None], str]


def account(guard: Expr, context: Context, whereabouts: Whereabouts = listed_states) -> tuple[Leaf, ...]:
    """The leaves that decided the verdict of `guard`: all failing ones of a failed `and`, every one of a failed `or`.

    `whereabouts` puts the configuration seen through a slot (None: the instance's own) into words.
    """
    match guard:
        case tree.Named(body=body):
            return account(body, context, whereabouts)
        case tree.Not(operand=operand) if isinstance(operand, tree.Not | tree.All | tree.Any | tree.Named):
            return account(operand, context, whereabouts)
        case tree.All(parts=parts) | tree.Any(parts=parts):
            verdict = _verdict(guard, context)
            decisive = [part for part in parts if _verdict(part, context) == verdict]
            if verdict and isinstance(guard, tree.Any):
                decisive = decisive[:1]
            return tuple(leaf for part in decisive for leaf in account(part, context, whereabouts))
        case _:
            saw = dict(_reads(guard, context, whereabouts))
            return (Leaf(render(guard), _verdict(guard, context), tuple(saw.items())),)


def _verdict(expr: Expr, context: Context) -> bool:
    try:
        return bool(compiled(expr)(context))
    except Unanswerable:
        return False


def _reads(expr: Expr, context: Context, whereabouts: Whereabouts) -> list[tuple[str, str]]:
    match expr:
        case tree.Field() | tree.Payload() | tree.Far() | tree.Known():
            return [(render(expr), show(compiled(expr)(context), type_of(expr)))]
        case tree.Literal(name=str(name), value=value, type=type_):
            return [(name, show(value, type_))]
        case tree.Inside(path=path, slot=slot):
            return [(".".join(path) or "self", _where(slot, context, whereabouts))]
        case tree.Bound(path=path, slot=slot):
            return [(".".join(path), "absent" if context.others[slot] is None else "present")]
        case tree.Reading(assumption=assumption):
            return [(assumption, context.readings[assumption])]
        case _:
            return [read for part in tree.parts(expr) for read in _reads(part, context, whereabouts)]


def _where(slot: int | None, context: Context, whereabouts: Whereabouts) -> str:
    if slot is None:
        return whereabouts(tuple(sorted(context.configuration)), None)
    other = context.others[slot]
    return "absent" if other is None else whereabouts(other.configuration, slot)
