"""The hash that names a specification: stores keep it, so it may not change with the program."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast import model
from outlast.loading import load_text
from outlast.place import Place, Word
from outlast.plan.fingerprint import LATER, fingerprint, said
from outlast.values import frozen
from tests.language.models import Models
from tests.store.earlier import FIRST

EVERYTHING = (Path(__file__).parent / "everything.yaml").read_text("utf-8").partition("\n")[2]
LAMP = "system: lamp\nmachines: [lamp]\n---"
GIVEN_ONCE = [
    (EVERYTHING, "6542d8fd0471b07143014f80dd6ea3222fb08849181c482ff484ea23e4be6508"),
    (LAMP + FIRST.versions[0], "7d88f2dc39cc97845372a0521437c861e641a6d2c597f80fd4a12f081f856c48"),
    (LAMP + FIRST.versions[1], "eb2f67381d5676563a7e69aef049fd68ffdb10f6cb5d98657bb46c64a9919a16"),
]


@pytest.mark.parametrize(("text", "hash_"), GIVEN_ONCE, ids=["everything", "lamp", "next-lamp"])
def test_hashes_that_were_given_once(text: str, hash_: str) -> None:
    """A store of that time is still found. If this fails, every store there is has lost its specification: see `fingerprint`."""
    assert hash_ == load_text(text).hash


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_everything_that_is_said_counts(seed: int) -> None:
    """Systems that differ anywhere have different hashes, and places are nowhere in them."""
    one, other = Models(seed).system(), Models(seed + 1).system()

    assert (one == other) == (fingerprint(one) == fingerprint(other))
    assert said(one) == repr(one)
    assert fingerprint(one) == fingerprint(
        attrs.evolve(one, name=Word(one.name, Place("f", 1, 2)), place=Place("f", 1, 1))
    )


@frozen
class Before:
    """A value as it is."""

    name: str
    parts: tuple[model.Actor, ...] = ()


@frozen
class After:
    """The same once it has learned more."""

    name: str
    parts: tuple[model.Actor, ...] = ()
    loud: bool = attrs.field(default=False, metadata=LATER)


def test_what_comes_later_changes_nothing_by_itself() -> None:
    """A field with `LATER` counts where it is used, and only there."""
    parts = (model.Actor(Word("a"), "b"),)
    now = said(Before("n", parts)).replace("Before", "After")

    assert now == "After(name='n', parts=(Actor(name='a', about='b'),))"
    assert now == said(After("n", parts))
    assert said(After("n", parts, loud=True)) == now[:-1] + ", loud=True)"
