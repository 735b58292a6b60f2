"""Text of guards and values -> trees, and back; what is refused, and where."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast.expr import BOOL, DURATION, INT, STRING, Expr, ExprError, parse, render, tree
from outlast.expr.parse import DEEPEST, KEYWORDS, LARGEST_INT, LONGEST_TEXT
from outlast.moments import MINUTE
from outlast.place import Place

PRECEDENCE = [  # text                                the same, in canonical text with every parenthesis that matters
    ("a or b and c", "a or b and c"),
    ("(a or b) and c", "(a or b) and c"),
    ("a and b and c", "a and b and c"),
    ("(a and b) and c", "(a and b) and c"),
    ("((a))", "a"),
    ("not a and b", "not a and b"),
    ("not (a and b)", "not (a and b)"),
    ("not not a", "not not a"),
    ("not a == b", "not a == b"),
    ("(not a) == b", "(not a) == b"),
    ("a+b*2 < c - 1", "a + b * 2 < c - 1"),
    ("(a + b) * 2", "(a + b) * 2"),
    ("a - b - c", "a - b - c"),
    ("a - (b - c)", "a - (b - c)"),
    ("a - -3", "a - -3"),
    ("-a", "-1 * a"),
    ("-15m", "-15m"),
    ("a-b", "a-b"),
    ("a - b", "a - b"),
    ("x is absent", "x is absent"),
    ("not x is present", "x is absent"),
    ("x is present", "x is present"),
    ("s is not [up, down]", "s is not [up, down]"),
    ("s is up", "s is up"),
    ("A-02 is pin", "A-02 is pin"),
    ("x not in [1, 2]", "x not in [1, 2]"),
    ("x in [1, 2] or y", "x in [1, 2] or y"),
    ("x in [(a and b)]", "x in [(a and b)]"),
    ("d >= 6d 23h", "d >= 6d 23h"),
    ("d == PT15M", "d == 15m"),
    (r"t == 'it\'s'", r"t == 'it\'s'"),
    ('t == "a"', "t == 'a'"),
    ("true", "true"),
    ("event.x > 0", "event.x > 0"),
]


@pytest.mark.parametrize(("text", "canonical"), PRECEDENCE)
def test_precedence(text: str, canonical: str) -> None:
    """`or` binds loosest, then `and`, `not`, comparisons, `+` and `-`, `*`; the canonical text says the same tree."""
    assert (canonical, parse(text)) == (render(parse(text)), parse(canonical))


LITERALS = [
    ("3", tree.Literal(3, INT)),
    ("-3", tree.Literal(-3, INT)),
    (str(LARGEST_INT), tree.Literal(LARGEST_INT, INT)),
    ("15m", tree.Literal(15 * MINUTE, DURATION)),
    ("false", tree.Literal(False, BOOL)),
    ("'a b'", tree.Literal("a b", STRING)),
    ("training", tree.Name(("training",))),
    ("a.b-c.d", tree.Name(("a", "b-c", "d"))),
]


@pytest.mark.parametrize(("text", "expected"), LITERALS)
def test_atoms(text: str, expected: Expr) -> None:
    """Numbers, durations, truth, strings and names."""
    assert expected == parse(text)


WRONG = [  # text          offset  message
    ("", 0, "expected a value, found the end"),
    ("a and", 5, "expected a value, found the end"),
    ("a and and b", 6, "expected a value, found `and`"),
    ("a b", 2, "expected the end, found `b`"),
    ("(a", 2, "expected `)`, found the end"),
    ("a)", 1, "expected the end, found `)`"),
    ("a < b < c", 6, "expected the end, found `<`"),
    ("a not b", 6, "expected `in`, found `b`"),
    ("x in a", 5, "expected `[`, found `a`"),
    ("x in []", 6, "expected a value, found `]`"),
    ("x is 3", 5, "expected a word, found `3`"),
    ("x is", 4, "expected a word, found the end"),
    ("3 is up", 0, "the left side of `is` is a name"),
    ("a = b", 2, "`=` does not belong in an expression"),
    ("a && b", 2, "`&` does not belong in an expression"),
    ("a / b", 2, "`/` does not belong in an expression"),
    ("a % b", 2, "`%` does not belong in an expression"),
    ("1.5 < a", 0, "`1` does not belong in an expression"),
    ("a; import os", 1, "`;` does not belong in an expression"),
    ("'open", 0, "`'` does not belong in an expression"),
    ("d > 1h 2h", 4, "`1h 2h` says a unit twice"),
    ("9223372036854775808", 0, f"integers go up to {LARGEST_INT}"),
    ("a + " + "9" * 1000, 4, f"integers go up to {LARGEST_INT}"),
    ("é", 0, "`é` does not belong in an expression"),
]


@pytest.mark.parametrize(("text", "offset", "message"), WRONG)
def test_what_is_wrong_and_where(text: str, offset: int, message: str) -> None:
    """What is no expression is refused, at the character where it goes wrong."""
    with pytest.raises(ExprError) as refused:
        parse(text)

    assert (offset, message) == (refused.value.offset, str(refused.value))


HINTS = [
    ("a = b", "use `==`"),
    ("a & b", "use `and`"),
    ("a | b", "use `or`"),
    ("!a", "use `not`"),
    ("a / b", "use nothing: division is not linear"),
    ("a; b", None),
]


@pytest.mark.parametrize(("text", "hint"), HINTS)
def test_hints(text: str, hint: str | None) -> None:
    """Who writes another language's operator hears ours."""
    with pytest.raises(ExprError) as refused:
        parse(text)

    assert hint == refused.value.hint


DEEP = f"an expression nests at most {DEEPEST} deep"
MANY = f"an expression has at most {DEEPEST} arithmetic operators"
HOSTILE = [
    ("(" * 10_000, f"an expression has at most {LONGEST_TEXT} characters, this one 10000"),
    ("not " * 10_000, f"an expression has at most {LONGEST_TEXT} characters, this one 40000"),
    ("(" * LONGEST_TEXT, DEEP),
    ("not " * 499 + "a", DEEP),
    ("not (" * 300, DEEP),
    ("not not (" * 200, DEEP),
    ("(a or b and ((a or b and " * 70, DEEP),
    ("[" * 1000, "expected a value, found `[`"),
    ("x in [" * 300, "expected `]`, found `in`"),
    ("-" * 1999 + "1", MANY),
    ("a" + "+a" * 900, MANY),
    ("a" + " * 2" * 400, MANY),
    ("a" + "+-a" * 600, MANY),
    ("((a+a+a+a+a)+a+a+a+a)+" * 80, MANY),
    ("a" * 2001, f"an expression has at most {LONGEST_TEXT} characters, this one 2001"),
]


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=[text[:12] for text, _ in HOSTILE])
def test_hostile_text_is_refused(text: str, message: str) -> None:
    """Length, depth and arithmetic are capped: no text exhausts the stack."""
    with pytest.raises(ExprError) as refused:
        parse(text)

    assert message == str(refused.value)


ALLOWED = [
    "(" * (DEEPEST - 1) + "a" + ")" * (DEEPEST - 1),
    "not " * (DEEPEST - 1) + "a",
    "a" + " + a" * DEEPEST,
    " and ".join(["not a"] * 180),
    "(x or y and " * (DEEPEST - 1) + "a" + " == b)" * (DEEPEST - 1),
]


@pytest.mark.parametrize("text", ALLOWED, ids=[text[:12] for text in ALLOWED])
def test_large_text_is_read_and_printed(text: str) -> None:
    """What stays within the caps is read, and printed again."""
    expr = parse(text)

    assert expr == parse(render(expr))


def test_places() -> None:
    """Every node stands where its text begins."""
    guard = parse("a and b + 1 < event.c", Place("m.yaml", 7, 20))
    places = [(type(node).__name__, node.place and node.place.column) for node in tree.walk(guard)]

    assert [
        ("All", 20),
        ("Name", 20),
        ("Compare", 26),
        ("Arithmetic", 26),
        ("Name", 26),
        ("Literal", 30),
        ("Name", 34),
    ] == places


@given(st.text(max_size=60) | st.text("()[]ab1.-+*=<' notandoris,", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but ExprError comes out of the parser, at a place inside the text."""
    offset, expr = 0, None
    try:
        expr = parse(text)
    except ExprError as error:
        offset = error.offset

    assert 0 <= offset <= len(text)
    assert expr is None or expr == parse(render(expr))


WORDS = st.from_regex(r"[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,2})?", fullmatch=True).filter(lambda word: word not in KEYWORDS)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: tree.Name(tuple(words)))
TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Z"]), max_size=6)
VALUES = st.one_of(
    st.integers(-LARGEST_INT, LARGEST_INT).map(lambda value: tree.Literal(value, INT)),
    st.integers(0, 10**15).map(lambda value: tree.Literal(value, DURATION)),
    st.booleans().map(lambda value: tree.Literal(value, BOOL)),
    TEXT.map(lambda value: tree.Literal(value, STRING)),
)
CONDITIONS = st.one_of(
    NAMES.map(tree.Present),
    st.builds(tree.Is, NAMES, st.lists(NAMES, min_size=1, max_size=3).map(tuple)),
)


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Expressions made of smaller ones."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(tree.Not, inner),
        several.map(tree.All),
        several.map(tree.Any),
        st.builds(tree.Compare, st.sampled_from(get_args(tree.Comparison)), inner, inner),
        st.builds(tree.Among, inner, several),
        st.builds(tree.Arithmetic, st.sampled_from(["+", "-", "*"]), inner, inner),
    )


TREES = st.recursive(st.one_of(NAMES, VALUES, CONDITIONS), combined, max_leaves=12)


@settings(max_examples=150)
@given(TREES)
def test_printed_trees_come_back(expr: Expr) -> None:
    """Whatever is printed is read as the same tree."""
    assert expr == parse(render(expr))
