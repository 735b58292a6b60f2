"""Errors: their tree, their texts, and problems as authors see them."""

from __future__ import annotations

import json

import pytest

from outlast.errors import (
    ClockSkewError,
    IdempotencyError,
    InstanceExists,
    InstanceGone,
    LimitExceeded,
    MissingExtra,
    MisuseError,
    OutlastError,
    Problem,
    RefusedInstance,
    SnapshotError,
    SpecError,
    UnknownName,
    did_you_mean,
    listed,
    window,
)
from outlast.place import Place, Word, place_of

PARENTS = [
    (SpecError, OutlastError),
    (MisuseError, OutlastError),
    (UnknownName, MisuseError),
    (InstanceGone, UnknownName),
    (InstanceExists, MisuseError),
    (IdempotencyError, MisuseError),
    (ClockSkewError, MisuseError),
    (RefusedInstance, MisuseError),
    (SnapshotError, MisuseError),
    (LimitExceeded, OutlastError),
    (MissingExtra, OutlastError),
]


@pytest.mark.parametrize(("error", "parent"), PARENTS)
def test_the_tree(error: type[Exception], parent: type[Exception]) -> None:
    """Every error has its place under OutlastError."""
    assert parent is error.__bases__[0]


HERE = Place("m.yaml", 3, 7)
TEXTS = [
    (Problem("unknown-state", "no state is called `x`"), "unknown-state: no state is called `x`"),
    (Problem("unknown-state", "no state is called `x`", HERE), "m.yaml:3:7: unknown-state: no state is called `x`"),
    (Problem("odd", "so", HERE, "try `y`"), "m.yaml:3:7: odd: so (try `y`)"),
]


@pytest.mark.parametrize(("problem", "text"), TEXTS)
def test_texts(problem: Problem, text: str) -> None:
    """A problem in one line: where, what, and what to do."""
    assert text == str(problem)


LONG = "".join(str(column % 10) for column in range(1, 301))
WINDOWS = [  # line       column  shown                        column in it
    ("when: x", 7, "when: x", 7),
    ("when: x\r\n", 7, "when: x", 7),
    ("\twhen", 2, " when", 2),
    ("", 1, "", 1),
    (LONG[:96], 96, LONG[:96], 96),
    (LONG, 1, LONG[:96] + "…", 1),
    (LONG, 150, "…" + LONG[102:198] + "…", 49),
    (LONG, 300, "…" + LONG[204:], 97),
]


@pytest.mark.parametrize(("line", "column", "shown", "at"), WINDOWS)
def test_windows(line: str, column: int, shown: str, at: int) -> None:
    """Of a long line the part around the column is shown."""
    assert (shown, at) == window(line, column)


@pytest.mark.parametrize("column", [1, 48, 49, 150, 252, 253, 300])
def test_the_caret_stands_under_the_column(column: int) -> None:
    """Wherever in a long line the problem is, the caret stands under its character."""
    _, line, caret = Problem("odd", "so", Place("m", 1, column), excerpt=LONG).pretty().split("\n")

    assert LONG[column - 1] == line[caret.index("^")]


def test_pretty_without_a_line() -> None:
    """Without its source line a problem is printed in one line."""
    assert "m.yaml:3:7: odd: so" == Problem("odd", "so", HERE).pretty()


def test_pretty() -> None:
    """The line and a caret follow the problem."""
    pretty = Problem("odd", "so", HERE, excerpt="  to: nowhere").pretty()

    assert "m.yaml:3:7: odd: so\n    to: nowhere\n        ^" == pretty


def test_json() -> None:
    """As data a problem has a code, a severity, a text, and what else there is."""
    problems = [Problem("odd", "so"), Problem("odd", "so", HERE, "try", "warning")]

    assert [
        {"code": "odd", "severity": "error", "text": "so"},
        {"code": "odd", "severity": "warning", "text": "so", "file": "m.yaml", "line": 3, "column": 7, "hint": "try"},
    ] == json.loads(json.dumps([problem.to_json() for problem in problems]))


def test_a_spec_error_sorts_its_problems() -> None:
    """Problems come in order of place, one line each."""
    problems = [Problem("b", "two", Place("m", 2, 1)), Problem("a", "ten", Place("m", 10, 1)), Problem("c", "none")]
    error = SpecError(problems)

    assert ["c", "b", "a"] == [problem.code for problem in error.problems]
    assert "c: none\nm:2:1: b: two\nm:10:1: a: ten" == str(error)


MEANT = [
    ("lokced", ["locked", "unlocked"], "did you mean `locked`?"),
    ("x", ["locked", "unlocked"], None),
    ("locked", [], None),
]


@pytest.mark.parametrize(("name", "known", "hint"), MEANT)
def test_did_you_mean(name: str, known: list[str], hint: str | None) -> None:
    """The closest known name is offered, if it is close."""
    assert hint == did_you_mean(name, known)


UNKNOWN = [
    (("lokced", ["locked"]), "no state is called `lokced` (did you mean `locked`?)"),
    (("x", ["locked", "open"]), "no state is called `x` (known: `locked`, `open`)"),
    (("x", []), "no state is called `x`"),
]


@pytest.mark.parametrize(("said", "text"), UNKNOWN)
def test_unknown_names(said: tuple[str, list[str]], text: str) -> None:
    """Who says an unknown name hears the closest, or all that are known."""
    assert text == str(UnknownName("state", *said))


def test_long_lists_are_cut() -> None:
    """A message lists eight names at most."""
    assert "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` and 3 more" == listed(map(str, range(11)))


def test_limits_tell_their_path() -> None:
    """A limit names what led there, oldest first."""
    assert ("too much: a -> b", ("a", "b")) == (
        str(LimitExceeded("too much", ["a", "b"])),
        LimitExceeded("", "ab").path,
    )


def test_a_missing_extra_says_what_to_install() -> None:
    """The message is the command."""
    assert "proofs needs more than the core: pip install 'outlast[proofs]'" == str(MissingExtra("proofs", "proofs"))


def test_words_are_strings_with_a_place() -> None:
    """A word equals the plain string, and knows where it stands."""
    word = Word("locked", HERE)

    assert ("locked", HERE, None) == (word, place_of(word), place_of("locked"))
    assert HERE.shifted(2) == Place("m.yaml", 3, 9)
