"""A small world for expressions: one machine's names, as its scope."""

from __future__ import annotations

from collections.abc import Iterable

from outlast.expr import BOOL, DURATION, INT, STRING, Expr, Target, Type, parse, resolve, resolve_as, tree
from outlast.place import Place

KIND = Type("enum", ("training", "processing", "pipeline"))
SIZE = Type("enum", ("small", "large"))
FIELDS: tuple[tuple[str, Type, bool], ...] = (
    ("enabled", BOOL, False),
    ("count", INT, False),
    ("limit", INT, True),
    ("wait", DURATION, False),
    ("max-runtime", DURATION, True),
    ("kind", KIND, False),
    ("size", SIZE, False),
    ("note", STRING, True),
    ("flag", BOOL, True),
)
STATES = ("up", "down", "up-and-away")
Reported = tuple[str, str, int | None, str | None]


class SmallScope:
    """Fields, two refs, an assumption, a constant, a named guard and a payload."""

    def value(self, path: tree.Path) -> Expr | None:
        """See `Scope.value`."""
        for index, (name, type_, optional) in enumerate(FIELDS):
            if path == (name,):
                return tree.Field(name, index, type_, optional)
        match path:
            case ("event", "amount"):
                return tree.Payload("amount", INT)
            case ("limits", "day"):
                return None
            case ("grace",):
                return tree.Literal(15 * 60_000_000, DURATION, "grace")
            case ("busy",):
                return tree.Named("busy", tree.Compare(">", tree.Field("count", 1, INT), tree.Literal(2, INT)))
            case ("other", "count"):
                return tree.Far(("other",), 0, "count", 0, INT)
            case _:
                return None

    def ref(self, path: tree.Path) -> Target | None:
        """See `Scope.ref`."""
        return {
            ("self",): Target("m", None, STATES),
            ("other",): Target("n", 0, STATES),
            ("other", "next"): Target("n", 1, STATES),
        }.get(path)

    def readings(self, name: str) -> tuple[str, ...] | None:
        """See `Scope.readings`."""
        return ("switch", "pin") if name == "A-02" else None

    def names(self) -> Iterable[str]:
        """See `Scope.names`."""
        return [name for name, _, _ in FIELDS] + ["busy", "grace", "other", "event.amount", "A-02"]


def resolved(text: str, expected: Type | None = BOOL) -> tuple[Expr | None, list[Reported]]:
    """The resolved tree of a text, and what was reported: (code, text, column, hint)."""
    found: list[Reported] = []

    def report(code: str, message: str, place: Place | None, hint: str | None) -> None:
        found.append((code, message, place.column if place else None, hint))

    expr = parse(text, Place("m.yaml", 1, 1))
    if expected is None:
        return resolve_as(expr, SmallScope(), report), found
    return resolve(expr, SmallScope(), report, expected), found


def sound(text: str, expected: Type | None = BOOL) -> Expr:
    """The resolved tree of a text without problems."""
    expr, found = resolved(text, expected)
    assert expr is not None, found
    return expr
