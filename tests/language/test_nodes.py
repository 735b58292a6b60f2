"""Strict YAML: what is read, where it stands, and what is refused, quickly, whatever its size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outlast.catalog import specs
from outlast.language import read_machine, read_system
from outlast.language.nodes import DEEPEST, Loader, Mapping, Node, Scalar, Sequence, comments, compose, scalars
from outlast.language.source import LARGEST, MOST_PROBLEMS, from_bytes, from_file, from_text

LOADERS: list[Loader] = [*([yaml.CBaseLoader] if yaml.__with_libyaml__ else []), yaml.BaseLoader]
SPECS = sorted(specs().rglob("*.yaml"))


def root(text: str, loader: Loader | None = None) -> Node:
    """The root of a text that is sound YAML."""
    source = from_text(text, "f")
    node = compose(source, loader)
    assert node is not None
    assert source.problems == []
    return node


def codes(text: str | bytes, loader: Loader | None = None) -> list[tuple[str, int, int]]:
    """Code, line and column of what is refused in a text."""
    source = from_bytes(text, "f") if isinstance(text, bytes) else from_text(text, "f")
    compose(source, loader)
    return [(one.code, one.place.line, one.place.column) for one in source.problems if one.place]


KINDS = [
    ("null", "null"),
    ("~", "null"),
    ("true", "bool"),
    ("False", "bool"),
    ("yes", "text"),
    ("on", "text"),
    ("off", "text"),
    ("12", "int"),
    ("-3", "int"),
    ("010", "int"),
    ("0o17", "int"),
    ("0x1F", "int"),
    ("1.5", "float"),
    ("1e3", "float"),
    (".inf", "float"),
    ("1:30", "text"),
    ("1_000", "text"),
    ("2026-11-23", "text"),
    ("15m", "text"),
    ("'12'", "text"),
    ('"true"', "text"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_scalars_follow_the_core_schema(text: str, kind: str) -> None:
    """YAML 1.2 decides what a word is, and what is quoted is a text."""
    node = root(f"[{text}]")
    assert isinstance(node, Sequence)
    scalar = node.items[0]

    assert isinstance(scalar, Scalar)
    assert scalar.kind == kind


def test_an_integer_with_a_leading_zero_is_not_octal() -> None:
    """`010` is ten."""
    node = root("[010, 0o10, 0x10]")

    assert [scalar.integer for scalar in scalars(node)] == [10, 8, 16]


def test_everything_knows_its_place() -> None:
    """Keys, values, mappings and lists have lines and columns, in nested braces too."""
    node = root("a: 1\nb:\n  - {c: [d, 'e'], é: \"f\"}\n")
    places = {scalar.text: (scalar.place.line, scalar.place.column) for scalar in scalars(node)}

    assert places == {
        "a": (1, 1),
        "1": (1, 4),
        "b": (2, 1),
        "c": (3, 6),
        "d": (3, 10),
        "e": (3, 13),
        "é": (3, 19),
        "f": (3, 22),
    }


OFFSETS = [
    ("a: x = 1", 2, 6),
    ("a: 'x = 1'", 2, 7),
    ("a: 'it''s = 1'", 5, 11),
    (r'a: "\"x\" = 1"', 4, 11),
    (r'a: "\u00e9\x41 = 1"', 3, 16),
]


@pytest.mark.parametrize(("text", "offset", "column"), OFFSETS)
def test_every_character_of_a_text_has_its_place(text: str, offset: int, column: int) -> None:
    """The column of a character counts quotes and escapes before it."""
    node = root(text)
    assert isinstance(node, Mapping)
    scalar = node.pairs[0][1]
    assert isinstance(scalar, Scalar)

    assert scalar.text[offset] == "="
    assert column == scalar.at(offset).column


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_parsers_agree(path: Path) -> None:
    """PyYAML's parser in C and the one in Python give the same nodes at the same places."""
    text = path.read_text("utf-8")
    one, two = root(text, LOADERS[0]), root(text, LOADERS[-1])

    assert one == two
    assert [scalar.raw for scalar in scalars(one)] == [scalar.raw for scalar in scalars(two)]


REFUSED = [
    ("a: 1\na: 2\n", [("duplicate-key", 2, 1)]),
    ("{a: 1, b: {c: 1, c: 2}}", [("duplicate-key", 1, 18)]),
    ("a: &x 1\n", [("anchor", 1, 4)]),
    ("a: *x\n", [("alias", 1, 4)]),
    ("a: *x\nb: *y\n", [("alias", 1, 4), ("alias", 2, 4)]),
    ("a: !!int 1\n", [("tag", 1, 4)]),
    ("a: ! 1\n", [("tag", 1, 4)]),
    ("a: !x!y 1\n", [("tag", 1, 4)]),
    ("a: 1\n---\nb: 2\n", [("several-documents", 2, 1)]),
    ("%TAG ! tag:x,2000:\n---\na: 1\n", [("directive", 1, 1)]),
    ("? {a: 1}\n: 2\n", [("complex-key", 1, 3)]),
    ("a: 1\n\tb: 2\n", [("tab", 2, 1)]),
    ("a: 1\tb\n", [("tab", 1, 5)]),
    ("a: \x07\n", [("control-character", 1, 4)]),
    ("a: x\u2028y\n", [("control-character", 1, 5)]),
    ("a: \u202ex\n", [("control-character", 1, 4)]),
    ("a: x\ry\n", [("control-character", 1, 5)]),
    ("", [("empty-file", 1, 1)]),
    ("---\n", [("empty-file", 1, 1)]),
    ("# nothing\n", [("empty-file", 1, 1)]),
    ("a: [b, c\nd: e\n", [("unclosed", 1, 4)]),
    ("a: {b: c\n", [("unclosed", 1, 4)]),
    ("a: 'b\n", [("unclosed", 1, 4)]),
    ("a: b: c\n", [("yaml-syntax", 1, 5)]),
    ("a: @b\n", [("yaml-syntax", 1, 4)]),
    ("a: *\n", [("yaml-syntax", 1, 4)]),
    ("a: [1]]\n", [("yaml-syntax", 1, 7)]),
    ("a: - b\n", [("yaml-syntax", 1, 4)]),
    ("a: |x\n  b\n", [("yaml-syntax", 1, 5)]),
    ("a: 1\n b: 2\n", [("yaml-syntax", 2, 3)]),
    ("- a\nb: 1\n", [("yaml-syntax", 2, 1)]),
    ("\xff".encode("latin-1"), [("not-utf-8", 1, 1)]),
    (b"a: 1\nb: caf\xe9\n", [("not-utf-8", 2, 7)]),
    ("é: ".encode() + b"\xc3\x28", [("not-utf-8", 1, 4)]),
    ("a: 1\n".encode("utf-16"), [("not-utf-8", 1, 1)]),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
@pytest.mark.parametrize("loader", LOADERS)
def test_what_can_surprise_is_refused(text: str | bytes, expected: list[tuple[str, int, int]], loader: Loader) -> None:
    """Each is named by its code and place, whichever parser is installed."""
    assert expected == codes(text, loader)


def test_a_byte_order_mark_and_other_line_ends_do_not_matter() -> None:
    """A file from Windows reads like any other."""
    assert root("a: 1\nb: |\n  c\n") == compose(from_bytes(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  c\r\n", "f"))


DEEP = [
    "[" * 10_000,
    "[" * 10_000 + "]" * 10_000,
    "{a: " * 10_000,
    "- " * 10_000 + "a",
    "".join(" " * n + "a:\n" for n in range(1200)),
]


@pytest.mark.parametrize("text", DEEP, ids=["open", "closed", "braces", "dashes", "indented"])
def test_depth_is_capped(text: str) -> None:
    """Ten thousand levels are answered like a typing error."""
    assert [code for code, _, _ in codes(text)] == ["too-deep"]


def test_the_deepest_nesting_is_read() -> None:
    """The cap itself is allowed, one more is not."""
    assert codes("[" * DEEPEST + "]" * DEEPEST) == []
    assert codes("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)) == [("too-deep", 1, DEEPEST + 1)]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """The size of a file is looked at before anything else; 50 MB take no time."""
    path = tmp_path / "m.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    machine, problems = read_machine(path)

    assert (machine, [problem.code for problem in problems]) == (None, ["too-large"])


def test_the_largest_file_is_read() -> None:
    """A text of exactly the largest size is no problem, one more character is."""
    text = "a: 1\n".ljust(LARGEST, "#")

    assert codes(text) == []
    assert codes(text + "#") == [("too-large", 1, 1)]


def test_problems_are_counted_out() -> None:
    """A file that is nothing but problems is answered briefly."""
    text = "machine: m\nstates: {" + ", ".join(f"s: {{x{number}: 1}}" for number in range(20_000)) + "}\n"
    _, problems = read_machine(text, "f")

    assert len(problems) == MOST_PROBLEMS + 1
    assert "too-many-problems" in {problem.code for problem in problems}


def test_a_device_is_not_a_specification() -> None:
    """What is no regular file is a problem, not an endless read."""
    assert [problem.code for problem in read_system(Path(os.devnull))[1]] == ["unreadable-file"]


COMMENTS = [
    ("# one\na: 1  # two\n# three\n", ["# one", "# two", "# three"]),
    ("a: 'x # y'  # z\n", ["# z"]),
    ("a: x#y\n", []),
    ("a: |  # head\n  # text\nb: 1 # end\n", ["# head", "# end"]),
    ("a: >-\n  text # text\n  more\n# after\n", ["# after"]),
    ("a: {b: 1,  # in\n    c: 2}\n", ["# in"]),
    ("a:  # key\n  - b\n", ["# key"]),
    ('a: "x\n  # text\n  y"  # end\n', ["# end"]),
]


@pytest.mark.parametrize(("text", "expected"), COMMENTS)
def test_comments_are_told_from_texts(text: str, expected: list[str]) -> None:
    """Every comment is found, and no `#` inside a text is one."""
    source = from_text(text, "f")

    assert expected == [comment.text for comment in comments(source, compose(source))]


@given(st.text(alphabet="ab:-[]{},'\"#&*!|>%@ \n\\?\t~1.", max_size=60))
def test_any_text_is_answered(text: str) -> None:
    """Whatever is written, there is a tree or a problem, and no exception."""
    source = from_text(text, "f")
    node = compose(source)

    assert node is not None or source.problems
    assert all(problem.place for problem in source.problems)


@given(st.binary(max_size=60))
def test_any_bytes_are_answered(data: bytes) -> None:
    """Bytes that are no text are a problem, too."""
    source = from_bytes(data, "f")

    assert compose(source) is not None or source.problems


def test_a_file_is_known_by_its_path(tmp_path: Path) -> None:
    """Places name the file as the caller did."""
    path = tmp_path / "m.yaml"
    path.write_text("a: 1\na: 2\n", "utf-8")
    source = from_file(path)
    compose(source)

    assert [str(problem.place) for problem in source.problems] == [f"{path}:2:1"]
