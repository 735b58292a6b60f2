"""What expressions are worth, with the rules of the absent, and why guards hold or fail."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.expr import INT, Context, Value, account, compiled
from outlast.moments import MINUTE
from tests.expr.scope import sound


@attrs.frozen
class Other:
    """What is seen of another instance."""

    configuration: tuple[str, ...] = ("up",)
    values: tuple[Value, ...] = (5,)


NOW = Context(
    values=(True, 3, None, 10 * MINUTE, None, "training", "small", None, None),
    payload={"amount": 4},
    configuration={"down"},
    others=(Other(), None),
    readings={"A-02": "pin"},
)
VALUES: list[tuple[str, Value]] = [
    ("count + 4", 7),
    ("count - 4", -1),
    ("count * -2", -6),
    ("2 * (count + 1)", 8),
    ("wait + grace", 25 * MINUTE),
    ("wait * 2", 20 * MINUTE),
    ("limit + 1", None),
    ("1 - limit", None),
    ("limit * 0", None),
    ("other.count", 5),
    ("kind", "training"),
    ("max-runtime", None),
    ("event.amount", 4),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: Value) -> None:
    """Arithmetic is exact, and absent where a part of it is."""
    assert expected == compiled(sound(text, None))(NOW)


GUARDS = [
    ("enabled", True),
    ("not enabled", False),
    ("busy", True),
    ("enabled and count == 3", True),
    ("count != 3 or count < 4", True),
    ("count <= 3 and count >= 3", True),
    ("count < 3 or count > 3", False),
    ("kind is training", True),
    ("kind in [processing, pipeline]", False),
    ("kind not in [processing, pipeline]", True),
    ("self is down", True),
    ("self is [up, up-and-away]", False),
    ("other is up", True),
    ("other is not up", False),
    ("other is present", True),
    ("A-02 is pin", True),
    ("A-02 is switch", False),
    ("event.amount > count", True),
    ("true", True),
    # the absent: a comparison with it is false, `!=` is true, and so is the negation of what is false
    ("limit == 3", False),
    ("3 == limit", False),
    ("limit != 3", True),
    ("3 != limit", True),
    ("limit == limit", False),
    ("limit != limit", True),
    ("limit < 3", False),
    ("limit >= 3", False),
    ("not limit < 3", True),
    ("limit in [1, 2]", False),
    ("limit not in [1, 2]", True),
    ("count in [limit, 3]", True),
    ("count in [limit]", False),
    ("limit + 1 > 0", False),
    ("limit is absent", True),
    ("limit is present", False),
    ("note == ''", False),
    ("flag", False),
    ("not flag", True),
    ("flag == false", False),
    ("other.next is up", False),
    ("other.next is not up", True),
    ("other.next is absent", True),
]


@pytest.mark.parametrize(("text", "holds"), GUARDS)
def test_guards(text: str, holds: bool) -> None:
    """A guard holds or not, whatever is absent."""
    assert holds is bool(compiled(sound(text))(NOW))


@given(st.none() | st.integers(-3, 3), st.none() | st.integers(-3, 3))
def test_comparisons_are_consistent(one: int | None, two: int | None) -> None:
    """`!=` is always the negation of `==`; the ordered ones need both sides."""
    context = attrs.evolve(NOW, values=(True, one, two, *NOW.values[3:]))

    def holds(op: str) -> bool:
        return bool(compiled(sound(f"count {op} limit"))(context))

    assert holds("!=") is not holds("==")
    assert (one is not None and two is not None) is any(map(holds, ("<", "==", ">")))
    assert (holds("<=") or holds(">=")) is any(map(holds, ("<", "==", ">")))


@given(st.integers(-(2**70), 2**70), st.integers(-9, 9))
def test_arithmetic_is_linear(number: int, factor: int) -> None:
    """Arithmetic is that of the integers, of any size."""
    context = attrs.evolve(NOW, values=(True, number, *NOW.values[2:]))

    assert factor * number + factor == compiled(sound(f"count * {factor} + {factor}", INT))(context)


ACCOUNTS = [  # guard                        the leaves that decided
    ("enabled", ["`enabled` is true: enabled is true"]),
    ("count > 3", ["`count > 3` is false: count is 3"]),
    ("count > limit", ["`count > limit` is false: count is 3, limit is absent"]),
    ("enabled and count == 3", ["`enabled` is true: enabled is true", "`count == 3` is true: count is 3"]),
    ("enabled and count > 3 and wait > 1h", ["`count > 3` is false: count is 3", "`wait > 1h` is false: wait is 10m"]),
    ("count > 3 or wait > 1h", ["`count > 3` is false: count is 3", "`wait > 1h` is false: wait is 10m"]),
    ("count > 3 or enabled or true", ["`enabled` is true: enabled is true"]),
    ("not (enabled and count > 3)", ["`count > 3` is false: count is 3"]),
    ("not (enabled or count > 3)", ["`enabled` is true: enabled is true"]),
    ("not enabled", ["`not enabled` is false: enabled is true"]),
    ("busy", ["`count > 2` is true: count is 3"]),
    ("not busy", ["`count > 2` is true: count is 3"]),
    ("kind is not training", ["`not kind == training` is false: kind is training"]),
    ("other is down", ["`other is down` is false: other is up"]),
    ("other.next is up", ["`other.next is up` is false: other.next is absent"]),
    ("other.next is present", ["`other.next is present` is false: other.next is absent"]),
    ("self is up", ["`self is up` is false: self is down"]),
    ("A-02 is switch", ["`A-02 is switch` is false: A-02 is pin"]),
    (
        "other.count + 1 == event.amount",
        ["`other.count + 1 == event.amount` is false: other.count is 5, event.amount is 4"],
    ),
    ("wait > grace", ["`wait > grace` is false: wait is 10m, grace is 15m"]),
    ("note is present", ["`note is present` is false: note is absent"]),
    ("true", ["`true` is true"]),
]


@pytest.mark.parametrize(("text", "expected"), ACCOUNTS)
def test_accounts(text: str, expected: list[str]) -> None:
    """The conditions that decided a guard are told, with the values they saw."""
    assert expected == [str(leaf) for leaf in account(sound(text), NOW)]


@given(st.lists(st.booleans(), min_size=9, max_size=9))
def test_what_is_told_decides(flags: list[bool]) -> None:
    """Among the leaves told, at least one has the verdict's own sign, and none is told twice."""
    names = ["enabled", "count > 2", "wait > 1h", "flag"]
    context = attrs.evolve(
        NOW, values=(flags[0], 3 * flags[1], *NOW.values[2:3], 2**40 * flags[2], *NOW.values[4:8], flags[3])
    )
    either, other = (" and ", " or ") if flags[4] else (" or ", " and ")
    guard = sound(f"({names[0]}{other}{names[1]}){either}({names[2]}{other}{names[3]})")
    told = account(guard, context)

    assert {bool(compiled(guard)(context))} == {leaf.holds for leaf in told}
    assert len(told) == len(set(told))
