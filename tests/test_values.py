"""`frozen` makes what `attrs.frozen` makes: every question has the same answer, the first time and ever after."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import pytest

from outlast.run.snapshot import Timer
from outlast.values import frozen


def declared(decorate: Any) -> Any:
    """The same class, made by either."""

    class Pair:
        """Two values, and two that do not count."""

        left: int
        right: object = None
        silent: str = attrs.field(default="", repr=False)
        aside: str = attrs.field(default="", eq=False)

    Pair.__qualname__ = "Pair"
    return decorate(Pair)


Ours: Any = declared(frozen)
Theirs: Any = declared(attrs.frozen)
Nothing: Any = frozen(type("Nothing", (), {}))
Unlike: Any = frozen(eq=False)(type("Unlike", (), {"__annotations__": {"value": "int"}}))

PAIRS = [
    ((1,), (1,)),
    ((1, (2, 3)), (1, (2, 3))),
    ((1,), (2,)),
    ((1, 2, "x"), (1, 2, "y")),
    ((1, 2, "x", "a"), (1, 2, "x", "b")),
    ((1, float("nan")), (1, float("nan"))),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_answers_are_those_of_attrs(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    """Equality, hashes and what is shown, of a class that has just been made and has never been asked."""
    fresh: Any = declared(frozen)

    assert (fresh(*one) == fresh(*other)) == (Theirs(*one) == Theirs(*other))
    assert (fresh(*one) != fresh(*other)) == (Theirs(*one) != Theirs(*other))
    assert (hash(fresh(*one)) == hash(fresh(*other))) == (hash(Theirs(*one)) == hash(Theirs(*other)))
    assert repr(fresh(*one)) == repr(Theirs(*one))
    assert len({fresh(*one), fresh(*other)}) == len({Theirs(*one), Theirs(*other)})


def test_the_first_question_may_be_any() -> None:
    """A hash before an equation, an equation with a stranger, a set: none spoils the next."""
    first, second, third = (declared(frozen) for _ in range(3))

    assert hash(first(1)) == hash(first(1)) and first(1) == first(1)
    assert (second(1) == "1") is False and second(1) == second(1)
    assert {third(1): "found"}[third(1)] == "found"
    assert first(1) != second(1)


def test_shape_is_that_of_attrs() -> None:
    """Immutable, with slots, with patterns by position, evolved and taken apart as ever."""
    value = Ours(1, aside="a")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.left = 2

    assert not hasattr(value, "__dict__")
    assert Ours.__match_args__ == Theirs.__match_args__
    assert attrs.evolve(value, left=2) == Ours(2)
    assert attrs.asdict(value) == attrs.asdict(Theirs(1, aside="a"))
    assert Ours.__eq__.__qualname__ == "Pair.__eq__"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours(1, []))


def test_values_are_copied_and_pickled() -> None:
    """With and without having been compared before."""
    value = Timer("key", 1, 2, 3)

    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value  # noqa: S301  # our own bytes


def test_without_equality_each_is_itself() -> None:
    """`eq=False` compares by identity; a class without fields has one value."""
    one = Unlike(1)

    assert one == one and one != Unlike(1)
    assert len({one, Unlike(1)}) == 2
    assert repr(one) == "Unlike(value=1)"
    assert Nothing() == Nothing() and hash(Nothing()) == hash(Nothing()) and repr(Nothing()) == "Nothing()"
