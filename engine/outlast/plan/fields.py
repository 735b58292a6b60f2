"""Declarations of values: types, defaults and bounds, computed from literals and constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from outlast import model
from outlast.expr import Context, Expr, Type, compiled, resolve, tree
from outlast.plan import tables
from outlast.plan.scope import World
from outlast.values import frozen


@frozen
class Constants:
    """The scope of declarations: constants only."""

    constants: Mapping[str, tree.Literal]

    def value(self, path: tree.Path) -> Expr | None:
        """See `Scope.value`."""
        return self.constants.get(".".join(path))

    def ref(self, path: tree.Path) -> None:
        """No instance is known here."""

    def readings(self, name: str) -> None:
        """No assumption is known here."""

    def names(self) -> Iterable[str]:
        """See `Scope.names`."""
        return self.constants


def field_of(field: model.Field, index: int, world: World) -> tables.Field:
    """A declared value, with its default and bounds computed."""
    kind = Type(field.type, tuple(map(str, field.words)))
    scope = Constants(world.constants)

    def constant(expr: Expr | None, expected: Type) -> tree.Value:
        resolved = resolve(expr, scope, world.report, expected) if expr is not None else None
        return compiled(resolved)(Context()) if resolved is not None else None

    def bound(expr: Expr | None, key: str) -> int | None:
        if expr is not None and not kind.is_number:
            world.report("wrong-type", f"`{key}` bounds numbers and durations, not {kind}", expr.place)
            return None
        value = constant(expr, kind)
        return value if isinstance(value, int) else None

    found = tables.Field(
        name=str(field.name),
        type=kind,
        index=index,
        default=constant(field.default, kind),
        has_default=field.default is not None,
        optional=field.optional,
        minimum=bound(field.minimum, "min"),
        maximum=bound(field.maximum, "max"),
        step=bound(field.step, "step"),
        about=field.about,
        because=tuple(map(str, field.because)),
    )
    if found.default is not None and field.default is not None and (objection := found.objection(found.default)):
        world.report("bad-default", objection, field.default.place)
    if found.minimum is not None and found.maximum is not None and found.minimum > found.maximum:
        world.report("empty-range", f"`{found.name}` can have no value: {found.bounds}", field.place)
    if found.step is not None and found.step <= 0:
        world.report("empty-range", f"the step of `{found.name}` must be above zero", field.place)
    return found


def fields_of(fields: tuple[model.Field, ...], world: World) -> dict[str, tables.Field]:
    """Declared values by name, numbered in order."""
    return {str(field.name): field_of(field, index, world) for index, field in enumerate(fields)}


def event_of(event: model.Event, world: World) -> tables.Event:
    """A declared event."""
    by, because = tuple(map(str, event.by)), tuple(map(str, event.because))
    return tables.Event(str(event.name), fields_of(event.payload, world), by, event.internal, event.about, because)
