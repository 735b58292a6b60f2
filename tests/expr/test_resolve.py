"""Names -> what they mean, and every problem with its place and hint."""

from __future__ import annotations

import pytest

from outlast.expr import BOOL, DURATION, INT, Type, leaves, may_be_absent, render, tree, type_of
from tests.expr.scope import KIND, resolved, sound

SOUND = [  # text                       expected type   printed again
    ("enabled", BOOL, "enabled"),
    ("count + limit * 2 - 1", INT, "count + limit * 2 - 1"),
    ("2 * count", INT, "2 * count"),
    ("wait + grace", DURATION, "wait + grace"),
    ("wait * 3", DURATION, "wait * 3"),
    ("kind == training", BOOL, "kind == training"),
    ("training == kind", BOOL, "training == kind"),
    ("kind is training", BOOL, "kind == training"),
    ("kind is [training, pipeline]", BOOL, "kind in [training, pipeline]"),
    ("kind is not pipeline", BOOL, "not kind == pipeline"),
    ("kind in [training]", BOOL, "kind in [training]"),
    ("training", KIND, "training"),
    ("kind", KIND, "kind"),
    ("self is up", BOOL, "self is up"),
    ("other is [up, down]", BOOL, "other is [up, down]"),
    ("other.next is not up", BOOL, "other.next is not up"),
    ("other is present", BOOL, "other is present"),
    ("other is absent", BOOL, "other is absent"),
    ("limit is absent", BOOL, "limit is absent"),
    ("A-02 is pin", BOOL, "A-02 is pin"),
    ("busy and other.count < count", BOOL, "busy and other.count < count"),
    ("event.amount >= 1", BOOL, "event.amount >= 1"),
    ("note == 'x'", BOOL, "note == 'x'"),
    ("enabled == (count > 3)", BOOL, "enabled == (count > 3)"),
]


@pytest.mark.parametrize(("text", "expected", "printed"), SOUND)
def test_sound(text: str, expected: Type, printed: str) -> None:
    """A sound expression has the type wanted, and prints as it was meant."""
    expr = sound(text, expected)

    assert (expected, printed) == (type_of(expr), render(expr))


KNOWN = "known: `training`, `processing`, `pipeline`"
UNSOUND = [  # text, code, message, column, hint
    ("cuont > 1", "unknown-name", "nothing is called `cuont` here", 1, "did you mean `count`?"),
    ("count-limit > 1", "unknown-name", "nothing is called `count-limit` here", 1, "a minus has spaces around it"),
    (
        "xyzzy",
        "unknown-name",
        "nothing is called `xyzzy` here",
        1,
        "known: `A-02`, `busy`, `count`, `enabled`, `event.amount`, `flag`, `grace`, `kind` and 6 more",
    ),
    ("count", "wrong-type", "expected bool, but `count` is int", 1, None),
    ("not count", "wrong-type", "expected bool, but `count` is int", 5, None),
    ("enabled and 3", "wrong-type", "expected bool, but `3` is int", 13, None),
    ("count == enabled", "wrong-type", "expected int, but `enabled` is bool", 10, None),
    ("kind == size", "wrong-type", f"expected {KIND}, but `size` is enum [small, large]", 9, None),
    ("kind == 'training'", "wrong-type", f"expected {KIND}, but `'training'` is string", 9, None),
    ("kind < training", "wrong-type", f"`<` compares numbers and durations, not {KIND}", 1, None),
    ("enabled >= true", "wrong-type", "`>=` compares numbers and durations, not bool", 1, None),
    (
        "kind == trainig",
        "unknown-word",
        "`trainig` is not one of the words of this enum",
        9,
        "did you mean `training`?",
    ),
    ("kind in [training, x]", "unknown-word", "`x` is not one of the words of this enum", 20, KNOWN),
    ("other is upp", "unknown-state", "no state is called `upp`", 10, "did you mean `up`?"),
    ("self is [up, gone]", "unknown-state", "no state is called `gone`", 14, "known: `up`, `down`, `up-and-away`"),
    ("A-02 is pinn", "unknown-reading", "no reading is called `pinn`", 9, "did you mean `pin`?"),
    ("other", "wrong-type", "`other` is an instance, not a value", 1, "say `other is STATE`"),
    ("self is present", "wrong-type", "`self` is always present", 1, None),
    ("wait > 15", "unit-missing", "`15` has no unit", 8, "durations are written `90s`, `15m`, `7d`"),
    ("count > 15m", "wrong-type", "expected int, but `15m` is duration", 9, None),
    ("count + wait > 1", "wrong-type", "`+` between int and duration", 1, None),
    ("count + kind > 1", "wrong-type", f"`kind` is {KIND}, not a number", 9, None),
    ("count * limit > 1", "not-linear", "one side of `*` must be a constant", 1, None),
    ("wait * grace > 1s", "wrong-type", "a duration times a duration has no meaning", 1, None),
]


@pytest.mark.parametrize(("text", "code", "message", "column", "hint"), UNSOUND)
def test_unsound(text: str, code: str, message: str, column: int, hint: str | None) -> None:
    """A problem has a code, words, the place of the very word, and a hint where we have one."""
    expr, found = resolved(text)

    assert (None, [(code, message, column, hint)]) == (expr, found)


@pytest.mark.parametrize(
    "text", ["count * (2 + 1) > 1", "(2 * 3 - 4) * count > 1", "wait * (1 + 1) > 1s", "(grace + 1m) * count > 1m"]
)
def test_a_factor_may_be_computed(text: str) -> None:
    """From constants alone: the product stays linear."""
    assert render(sound(text)) == text


def test_every_wrong_part_is_told() -> None:
    """One wrong condition does not hide the next."""
    _, found = resolved("cuont > 1 and enabled and (kind == x or other is y)")

    assert [("unknown-name", 1), ("unknown-word", 36), ("unknown-state", 50)] == [
        (code, column) for code, _, column, _ in found
    ]


def test_an_unknown_word_has_no_type() -> None:
    """`resolve_as` takes what type there is."""
    assert [INT, DURATION, KIND, BOOL] == [
        type_of(sound(text, None)) for text in ("count", "wait + 1s", "kind", "busy")
    ]


ABSENT = [("count", False), ("limit", True), ("count + limit", True), ("other.count", True), ("limit is absent", False)]


@pytest.mark.parametrize(("text", "maybe"), ABSENT)
def test_what_may_be_absent(text: str, maybe: bool) -> None:
    """What reads something optional may be absent; a condition never is."""
    assert maybe == may_be_absent(sound(text, None))


def test_leaves() -> None:
    """The leaves of a guard are its conditions, through `not` and named guards."""
    guard = sound("enabled and not (busy or other is up)")

    assert ["enabled", "count > 2", "other is up"] == [render(leaf) for leaf in leaves(guard)]


def test_parts_of_a_resolved_tree_keep_their_places() -> None:
    """Resolving keeps the place of every name."""
    guard = sound("enabled and limit is absent")

    assert [1, 1, 13, 13, 13] == [node.place and node.place.column for node in tree.walk(guard)]
