"""`frozen`: `attrs.frozen` that writes less at import.

attrs writes and compiles four methods for every class. With some two hundred classes of values that was half of what the package cost to
import, and most of them are never compared. Here attrs makes the class and its `__init__` at once, `__eq__` and `__hash__` when one
of them is first called; `__repr__` is the same few lines for all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import attrs

__all__ = ["frozen"]

C = TypeVar("C", bound=type)

if TYPE_CHECKING:  # to a type checker it is attrs' own
    from attrs import frozen
else:

    def frozen(cls: C | None = None, *, eq: bool = True) -> C | Callable[[C], C]:
        """A class of immutable values with slots, as `attrs.frozen` makes it."""
        return partial(_frozen, eq=eq) if cls is None else _frozen(cls, eq=eq)


def _frozen(cls: C, *, eq: bool) -> C:
    made = attrs.define(cls, frozen=True, eq=False, repr=False)
    shown = [field.name for field in attrs.fields(made) if field.repr]

    def equal(self: object, other: object) -> object:
        if other.__class__ is not self.__class__:
            return NotImplemented
        _compare(made)
        return self == other

    def hashed(self: object) -> int:
        _compare(made)
        return hash(self)

    def show(self: object) -> str:
        values = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{made.__name__}({values})"

    _set(made, __repr__=show)
    if eq:
        _set(made, __eq__=equal, __hash__=hashed)
    return made


def _compare(cls: type) -> None:
    """Give a class the `__eq__` and `__hash__` that attrs writes, by way of a class with the same fields."""
    compared = {field.name: attrs.field() for field in attrs.fields(cls) if field.eq}
    twin = attrs.make_class(cls.__name__, compared, frozen=True, init=False, repr=False)
    _set(cls, __eq__=twin.__eq__, __hash__=twin.__hash__)


def _set(cls: type, **methods: Callable[..., object]) -> None:
    for name, method in methods.items():
        method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
