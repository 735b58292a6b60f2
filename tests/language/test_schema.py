"""The schema, the reader and the table of codes say the same as the grammar."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import outlast.language
from outlast.catalog import specs, templates
from outlast.errors import Problem
from outlast.language import (
    CODES,
    is_scenario,
    read_clauses,
    read_machine,
    read_scenario,
    read_system,
    read_system_file,
)
from outlast.language.grammar import RECORDS
from outlast.language.nodes import Mapping, Node, Scalar, Sequence, compose
from outlast.language.schema import schema, schema_text
from outlast.language.shapes import Record
from outlast.language.source import from_file
from tests.test_broken import CASES, expected_of

FOLDERS = [*specs().iterdir(), templates()]
SPECS = sorted(path for folder in FOLDERS for path in (*folder.glob("*.yaml"), *folder.glob("scenarios/*.yaml")))
BROKEN = [path for path in CASES if path.is_file()]


def is_data(path: Path) -> bool:
    """Whether a file can be read as YAML, so that a schema has something to check."""
    source = from_file(path)
    return compose(source) is not None and not source.problems


VALIDATOR = jsonschema.Draft7Validator(schema())

BEYOND = {"bad-expression", "bad-duration", "missing-file", "wrong-file"}
"""What a schema cannot see: what is inside a text, and what is in other files."""


def data(node: Node) -> object:
    """A node as an editor's YAML library gives it to a schema."""
    match node:
        case Mapping(pairs=pairs):
            return {key.text: data(value) for key, value in pairs}
        case Sequence(items=items):
            return [data(item) for item in items]
        case Scalar(kind="null"):
            return None
        case Scalar(kind="bool", text=text):
            return text.lower() == "true"
        case Scalar(kind="int"):
            return node.integer
        case Scalar(kind="float", text=text):
            return float(text)
        case Scalar(text=text):
            return text
        case _:
            return None


def test_the_committed_schema_is_the_generated_one() -> None:
    """`make generated` was run after the last change of the grammar."""
    assert (specs() / "schema.json").read_text("utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    """It follows draft-07, and is JSON."""
    jsonschema.Draft7Validator.check_schema(schema())

    assert json.loads(schema_text()) == schema()


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_files_are_valid(path: Path) -> None:
    """An editor finds nothing wrong with what we ship."""
    node = compose(from_file(path))
    assert node

    assert [error.message for error in VALIDATOR.iter_errors(data(node))] == []


@pytest.mark.parametrize("path", [path for path in BROKEN if is_data(path)], ids=lambda path: path.stem)
def test_an_editor_sees_what_is_broken(path: Path) -> None:
    """A file that is YAML and broken in shape is not valid, unless everything wrong with it is beyond a schema."""
    node = compose(from_file(path))
    assert node
    _, problems = read_scenario(path) if is_scenario(path) else read_system(path)
    codes = {problem.code for problem in problems}

    assert bool(codes - BEYOND) == (not VALIDATOR.is_valid(data(node)))


def keys_of(definition: object) -> dict[str, str]:
    """The keys of a definition and what is said about them."""
    assert isinstance(definition, dict)
    return {key: inner["description"] for key, inner in definition["properties"].items()}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_the_schema_knows_the_keys_of_the_grammar(record: Record) -> None:
    """The same keys in the same order, each with a sentence."""
    definitions = json.loads(schema_text())["definitions"]
    keys = keys_of(definitions[record.name])

    assert list(keys) == [key.name for key in record.keys]
    assert all(text.endswith(".") and text[0] in "`ABCDEFGHIJKLMNOPQRSTUVWXYZ" for text in keys.values())


READERS: dict[str, Callable[[str, str], tuple[object, list[Problem]]]] = {
    "machine": read_machine,
    "system": read_system_file,
    "scenario": read_scenario,
}
KEYS = sorted({key.name for record in RECORDS.values() for key in record.keys} | {"nonsense"})


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("key", KEYS)
def test_the_reader_accepts_the_keys_of_the_schema(name: str, key: str) -> None:
    """At the top of each file, a key is unknown to the reader exactly if it is to the schema."""
    _, problems = READERS[name](f"{key}: {{}}\n", "f.yaml")
    known = key in keys_of(json.loads(schema_text())["definitions"][name])

    assert known == ("unknown-key" not in {problem.code for problem in problems})


INNER = [
    ("state", "machine: m\nstates:\n  a: {KEY: 1}\n"),
    ("transition", "machine: m\nstates: {a: {}}\ntransitions:\n  - {KEY: 1}\n"),
    ("field", "machine: m\nstates: {a: {}}\nfields:\n  a: {KEY: 1}\n"),
    ("event", "machine: m\nstates: {a: {}}\nevents:\n  a: {KEY: 1}\n"),
    ("effect", "machine: m\nstates: {a: {}}\neffects:\n  a: {KEY: 1}\n"),
    ("ref", "machine: m\nstates: {a: {}}\nrefs:\n  a: {KEY: 1}\n"),
    ("requirement", "machine: m\nstates: {a: {}}\nrequires:\n  - {KEY: 1}\n"),
    ("action", "machine: m\nstates: {a: {entry: [{KEY: 1}]}}\n"),
    ("send", "machine: m\nstates: {a: {entry: [{send: {KEY: 1}}]}}\n"),
    ("spawn", "machine: m\nstates: {a: {spawn: {b: {KEY: 1}}}}\n"),
    ("entry", "machine: m\nstates: {a: {}}\ninitial-transition: {KEY: 1}\n"),
    ("document", "system: s\nmachines: [m]\ndocument: {KEY: 1}\n"),
    ("actor", "system: s\nmachines: [m]\nactors: {a: {KEY: 1}}\n"),
    ("constant", "system: s\nmachines: [m]\nconstants: {a: {KEY: 1}}\n"),
    ("assumption", "system: s\nmachines: [m]\nassumptions: {a: {KEY: 1}}\n"),
    ("clause", "system: s\nmachines: [m]\nclauses: [{KEY: 1}]\n"),
    ("step", "scenario: s\nsteps:\n  - {KEY: 1}\n"),
    ("expectation", "scenario: s\nexpect:\n  - {KEY: 1}\n"),
]


@pytest.mark.parametrize(("record", "text"), INNER, ids=[record for record, _ in INNER])
def test_the_reader_accepts_the_keys_of_every_record(record: str, text: str) -> None:
    """The same for every construct: what the reader knows is what the schema knows."""
    keys = keys_of(json.loads(schema_text())["definitions"][record])
    read = READERS[text.split(":", maxsplit=1)[0]]
    accepted = [
        key
        for key in KEYS
        if not {"unknown-key", "unknown-action"}
        & {problem.code for problem in read(text.replace("KEY", key), "f.yaml")[1]}
    ]

    assert sorted(keys) == accepted


def test_every_code_is_in_the_table() -> None:
    """The table of codes is what the reader can say, neither more nor less."""
    folder = Path(str(outlast.language.__file__)).parent
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.py")}
    words = {
        word
        for stem, text in texts.items()
        if stem != "codes"
        for word in re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', text)
    }
    reported = {
        match
        for text in texts.values()
        for match in re.findall(r'(?:report|Problem)\(\s*"([a-z]+(?:-[a-z0-9]+)*)"', text)
    }

    assert reported <= CODES.keys()
    assert CODES.keys() - {"tab", "anchor", "alias", "tag", "directive", "unclosed"} <= words


def test_most_codes_have_a_broken_file() -> None:
    """The corpus provokes every code but those that need a file of its own kind."""
    provoked = {code for path in BROKEN for code, *_ in expected_of(path)}

    assert CODES.keys() - provoked == {
        "not-utf-8",
        "outside-folder",
        "too-deep",
        "too-large",
        "too-many-problems",
        "unreadable-file",
        "wrong-file",
    }


def test_clauses_beside_a_system() -> None:
    """A file of clauses is a list."""
    assert [problem.code for problem in read_clauses("id: C-1\n", "c.yaml")[1]] == ["wrong-kind"]
